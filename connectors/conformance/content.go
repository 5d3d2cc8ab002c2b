package conformance

import (
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/schema"
)

// content: what an account owns is told apart from what it was given.
func (b bench) content(t T) {
	t.Run("root", b.rootItems)
	t.Run("trash", b.trashItems)
	t.Run("collaborations", b.collaborations)
	t.Run("empty", func(t T) {
		s := b.open(t)
		c := as[connectors.ContentReader](s, "ContentReader")
		id := s.person()
		owned, given, err := c.RootItems(t.Context(), id)
		require.NoError(t, err)
		require.Empty(t, owned)
		require.Zero(t, given)
		trash, bytes, err := c.TrashItems(t.Context(), id)
		require.NoError(t, err)
		require.Empty(t, trash)
		require.Zero(t, bytes)
	})
	t.Run("suspended_owner", func(t T) {
		s := b.open(t)
		c := as[connectors.ContentReader](s, "ContentReader")
		sus := as[connectors.Suspender](s, "Suspender")
		id := s.person()
		w := s.folder(id)
		require.NoError(t, sus.SetStatus(t.Context(), id, sus.SuspendedStatus()))
		owned, _, err := c.RootItems(t.Context(), id)
		if err != nil {
			s.fails(err, connectors.Unauthorized)
			return
		}
		require.Equal(t, []schema.Witness{w}, owned, "if it may be read it is read whole")
	})
	t.Run("absent_owner", func(t T) {
		s := b.open(t)
		_, _, err := as[connectors.ContentReader](s, "ContentReader").RootItems(t.Context(), s.world.Nobody)
		s.fails(err, connectors.Unauthorized, connectors.Forbidden, connectors.NotFound, connectors.Invalid)
	})
	t.Run("survey", b.survey)
}

func (b bench) rootItems(t T) {
	s := b.open(t)
	c := as[connectors.ContentReader](s, "ContentReader")
	owner, other := s.person(), s.person()
	var want []schema.Witness
	for range 3 {
		want = append(want, s.folder(owner), s.item(Item{Owner: owner, Bytes: 5}))
	}
	given := s.folder(other)
	_, err := s.world.Content.Share(given, owner)
	require.NoError(t, err)
	s.item(Item{Owner: owner, Bytes: 5, Trashed: true})
	s.wire.smallPages(nil)
	owned, foreign, err := c.RootItems(t.Context(), owner)
	require.NoError(t, err)
	require.ElementsMatch(t, want, owned, "all it owns and nothing else")
	require.Equal(t, 1, foreign, "what it was given is counted")
}

func (b bench) trashItems(t T) {
	s := b.open(t)
	c := as[connectors.ContentReader](s, "ContentReader")
	owner := s.person()
	var want []schema.Witness
	for n := range 5 {
		want = append(want, s.item(Item{Owner: owner, Bytes: int64(n + 1), Trashed: true}))
	}
	s.folder(owner)
	s.item(Item{Owner: s.person(), Bytes: 100, Trashed: true})
	s.wire.smallPages(nil)
	trash, bytes, err := c.TrashItems(t.Context(), owner)
	require.NoError(t, err)
	require.ElementsMatch(t, want, trash)
	require.EqualValues(t, 15, bytes, "the size of the trash is in bytes")
}

func (b bench) collaborations(t T) {
	s := b.open(t)
	c := as[connectors.ContentReader](s, "ContentReader")
	owner := s.person()
	w, private := s.folder(owner), s.folder(owner)
	var want []schema.SharedBy
	for range 3 {
		with := s.person()
		role, err := s.world.Content.Share(w, with)
		require.NoError(t, err)
		want = append(want, schema.SharedBy{ItemID: w.ID, Type: w.Type, With: with, Role: role})
	}
	s.wire.smallPages(nil)
	got, err := c.ItemCollaborations(t.Context(), owner, w)
	require.NoError(t, err)
	require.ElementsMatch(t, want, without(got, owner))
	got, err = c.ItemCollaborations(t.Context(), owner, private)
	require.NoError(t, err)
	require.Empty(t, without(got, owner))
}

// without leaves out the owner, whom some vendors list among the others.
func without(all []schema.SharedBy, owner schema.ExternalID) []schema.SharedBy {
	var out []schema.SharedBy
	for _, sh := range all {
		if sh.With != owner {
			out = append(out, sh)
		}
	}
	return out
}

func (b bench) survey(t T) {
	s := b.open(t)
	c := as[connectors.ContentSurveyor](s, "ContentSurveyor")
	owner, other := s.person(), s.person()
	shared := s.folder(owner)
	_, err := s.world.Content.Share(shared, other)
	require.NoError(t, err)
	s.item(Item{Owner: owner, Bytes: 5})
	s.item(Item{Owner: owner, Bytes: 7, Trashed: true})
	mark := s.wire.mark()
	got, err := c.SurveyContent(t.Context(), owner, time.Now())
	require.NoError(t, err)
	require.Equal(t, 2, got.Items)
	require.Equal(t, 1, got.SharedItems)
	require.Zero(t, got.FileShares)
	require.Equal(t, 1, got.Trash)
	require.EqualValues(t, 7, got.TrashBytes)
	require.Equal(t, 1, got.TrashedLately)
	require.LessOrEqual(t, s.wire.calls(mark), 100, "a survey looks within a bounded number of calls")
}

// access: a grant makes a co-owner, once.
func (b bench) access(t T) {
	s := b.open(t)
	c := as[connectors.AccessGranter](s, "AccessGranter")
	owner, other := s.person(), s.person()
	folder := s.folder(owner).ID
	has, err := c.HasFolderAccess(t.Context(), owner, folder, other)
	require.NoError(t, err)
	require.False(t, has)
	require.NoError(t, c.GrantFolderAccess(t.Context(), owner, folder, other))
	has, err = c.HasFolderAccess(t.Context(), owner, folder, other)
	require.NoError(t, err)
	require.True(t, has)
	has, err = c.HasFolderAccess(t.Context(), owner, folder, s.person())
	require.NoError(t, err)
	require.False(t, has, "nobody else got access")

	viewed := s.folder(owner)
	viewer := s.person()
	_, err = s.world.Content.Share(viewed, viewer)
	require.NoError(t, err)
	has, err = c.HasFolderAccess(t.Context(), owner, viewed.ID, viewer)
	require.NoError(t, err)
	require.False(t, has, "an ordinary share is not a co-owner's access")
}
