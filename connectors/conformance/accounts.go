package conformance

import (
	"errors"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/schema"
)

// accounts: who is found is exactly who was looked for.
func (b bench) accounts(t T) {
	t.Run("find_exact", b.findExact)
	t.Run("find_other_case", b.findOtherCase)
	t.Run("find_none", b.findNone)
	t.Run("find_several", b.findSeveral)
	t.Run("read_fields", b.readFields)
	t.Run("read_kinds", b.readKinds)
	t.Run("read_absent", func(t T) {
		s := b.open(t)
		_, err := as[connectors.AccountReader](s, "AccountReader").ReadAccount(t.Context(), s.world.Nobody)
		s.fails(err, connectors.NotFound)
	})
}

// findExact: a login that begins like another, one that another bears as a name,
// one with odd characters.
func (b bench) findExact(t T) {
	s := b.open(t)
	reader := as[connectors.AccountReader](s, "AccountReader")
	const login = "canary-x7q.o'ne+two@example.com"
	want := s.person(func(p *Person) { p.Login = login })
	s.person(func(p *Person) { p.Login = login + ".au" })
	s.person(func(p *Person) { p.Login = "another-" + login })
	s.person(func(p *Person) { p.Name = login })
	got, err := reader.FindByLogin(t.Context(), login)
	require.NoError(t, err)
	require.Len(t, got, 1, "only the account with exactly this login is found")
	require.Equal(t, want, got[0].ExternalID)
	require.Equal(t, login, got[0].Login)
	require.Equal(t, undated(s.read(want)), undated(got[0]), "found and read, an account is the same")
}

// undated is the account whenever it was observed.
func undated(a schema.Account) schema.Account {
	a.ObservedAt = time.Time{}
	return a
}

func (b bench) findOtherCase(t T) {
	s := b.open(t)
	reader := as[connectors.AccountReader](s, "AccountReader")
	want := s.person(func(p *Person) { p.Login = "Canary-X7Q@Example.com" })
	for _, login := range []string{"canary-x7q@example.com", "CANARY-X7Q@EXAMPLE.COM"} {
		got, err := reader.FindByLogin(t.Context(), login)
		require.NoError(t, err)
		require.Len(t, got, 1, "case makes no difference")
		require.Equal(t, want, got[0].ExternalID)
	}
}

func (b bench) findNone(t T) {
	s := b.open(t)
	reader := as[connectors.AccountReader](s, "AccountReader")
	s.person(func(p *Person) { p.Login = "canary-x7q-long@example.com" })
	for _, login := range []string{"canary-x7q", "canary-x7q-longer@example.com", "%@example.com", "*"} {
		got, err := reader.FindByLogin(t.Context(), login)
		require.NoError(t, err, "nobody with this login is an answer and no error")
		require.Empty(t, got)
	}
	got, err := reader.FindByLogin(t.Context(), "")
	if err == nil {
		require.Empty(t, got, "an empty login finds nobody")
		return
	}
	s.fails(err, connectors.Invalid)
}

// findSeveral: where two accounts share a login, which one is meant is not for
// the connector to say.
func (b bench) findSeveral(t T) {
	s := b.open(t)
	reader := as[connectors.AccountReader](s, "AccountReader")
	p := s.newPerson()
	first, err := s.world.People.Add(p)
	require.NoError(t, err)
	second, err := s.world.People.Add(p)
	if err != nil {
		t.Skipf("the vendor gives a login once: %v", err)
	}
	got, err := reader.FindByLogin(t.Context(), p.Login)
	require.NoError(t, err)
	require.Len(t, got, 2, "both are found")
	require.ElementsMatch(t, []schema.ExternalID{first, second}, []schema.ExternalID{got[0].ExternalID, got[1].ExternalID})
}

func (b bench) readFields(t T) {
	s := b.open(t)
	as[connectors.AccountReader](s, "AccountReader")
	p := s.newPerson()
	id, err := s.world.People.Add(p)
	require.NoError(t, err)
	before := time.Now().Add(-time.Second)
	a := s.read(id)
	require.Equal(t, s.cfg.Connection.ID, a.ConnectionID)
	require.Equal(t, id, a.ExternalID)
	require.Equal(t, p.Login, a.Login)
	require.Equal(t, p.Name, a.Name)
	require.Equal(t, schema.RoleMember, a.Role)
	require.Equal(t, schema.KindPerson, a.Kind)
	require.Equal(t, schema.AccountActive, a.Status)
	require.Equal(t, s.truth(id).Status, a.VendorStatus, "the vendor's own word")
	require.Equal(t, s.cfg.Connection.EnterpriseID, a.EnterpriseID)
	require.WithinRange(t, a.ObservedAt, before, time.Now().Add(time.Second))
	require.Empty(t, a.ID, "the id of the account is the store's to give")
	require.Empty(t, a.PersonID)
	if s.world.Content == nil {
		return
	}
	used := a.SpaceUsed
	s.item(Item{Owner: id, Bytes: 1234})
	require.Equal(t, used+1234, s.read(id).SpaceUsed, "space is in bytes")
}

// readKinds: what protects an account must be seen.
func (b bench) readKinds(t T) {
	for name, tc := range map[string]struct {
		make  func(*Person)
		check func(T, *scene, schema.Account)
	}{
		"coadmin": {func(p *Person) { p.Role = schema.RoleCoadmin }, func(t T, _ *scene, a schema.Account) { require.Equal(t, schema.RoleCoadmin, a.Role) }},
		"app":     {func(p *Person) { p.Kind = schema.KindApp }, func(t T, _ *scene, a schema.Account) { require.Equal(t, schema.KindApp, a.Kind) }},
		"service": {func(p *Person) { p.Kind = schema.KindService }, func(t T, _ *scene, a schema.Account) { require.Equal(t, schema.KindService, a.Kind) }},
		"external": {func(p *Person) { p.Kind = schema.KindExternal }, func(t T, s *scene, a schema.Account) {
			require.Equal(t, schema.KindExternal, a.Kind)
			require.NotEqual(t, s.cfg.Connection.EnterpriseID, a.EnterpriseID)
		}},
	} {
		t.Run(name, func(t T) {
			s := b.open(t)
			reader := as[connectors.AccountReader](s, "AccountReader")
			p := s.newPerson(tc.make)
			id, err := s.world.People.Add(p)
			if errors.Is(err, errors.ErrUnsupported) {
				t.Skipf("the vendor has no such account")
			}
			require.NoError(t, err)
			a, err := reader.ReadAccount(t.Context(), id)
			if err != nil && p.Kind == schema.KindExternal {
				s.fails(err, connectors.NotFound, connectors.Forbidden)
				return
			}
			require.NoError(t, err)
			tc.check(t, s, a)
		})
	}
	for _, word := range b.words(t) {
		t.Run("status_"+word, func(t T) {
			s := b.open(t)
			as[connectors.AccountReader](s, "AccountReader")
			a := s.read(s.person(func(p *Person) { p.Status = word }))
			require.Equal(t, word, a.VendorStatus)
			require.NotEqual(t, schema.AccountActive, a.Status, "an account with this status may not do everything")
		})
	}
}

// words are the statuses an account can have besides active.
func (b bench) words(t T) []string {
	s := b.open(t)
	words := s.world.Statuses
	if c, ok := s.conn.(connectors.Suspender); ok {
		words = append([]string{c.SuspendedStatus()}, words...)
	}
	return words
}

// listing: a listing is whole or an error.
func (b bench) listing(t T) {
	for name, total := range map[string]func(int) int{
		"pages": nil, "total_too_high": func(n int) int { return n + 5 }, "total_too_low": func(int) int { return 1 },
	} {
		t.Run(name, func(t T) {
			s := b.open(t)
			lister := as[connectors.AccountLister](s, "AccountLister")
			if s.world.PageParam == "" || total != nil && s.world.TotalField == "" {
				t.Skipf("the vendor's listings have no such thing")
			}
			want := map[schema.ExternalID]bool{}
			for range 7 {
				want[s.person()] = true
			}
			s.wire.smallPages(total)
			seen := map[schema.ExternalID]int{}
			require.NoError(t, lister.EachAccount(t.Context(), func(a schema.Account) error {
				seen[a.ExternalID]++
				return nil
			}))
			for id := range want {
				require.Equal(t, 1, seen[id], "each account is listed once")
			}
			require.Greater(t, s.wire.calls(0), 2, "World.PageParam must make pages small")
		})
	}
	t.Run("same_as_read", b.listedAsRead)
	t.Run("stops", func(t T) {
		s := b.open(t)
		lister := as[connectors.AccountLister](s, "AccountLister")
		for range 7 {
			s.person()
		}
		s.wire.smallPages(nil)
		calls := 0
		err := lister.EachAccount(t.Context(), func(schema.Account) error { calls++; return errStop })
		require.ErrorIs(t, err, errStop, "the caller's error comes back")
		require.Equal(t, 1, calls, "after it nothing more is told")
		require.LessOrEqual(t, s.wire.calls(0), 1, "nor asked")
	})
}

func (b bench) listedAsRead(t T) {
	s := b.open(t)
	lister := as[connectors.AccountLister](s, "AccountLister")
	as[connectors.AccountReader](s, "AccountReader")
	id := s.person()
	found := false
	require.NoError(t, lister.EachAccount(t.Context(), func(a schema.Account) error {
		if a.ExternalID == id {
			found = true
			require.Equal(t, undated(s.read(id)), undated(a))
		}
		if strings.TrimSpace(a.Login) == "" || a.ConnectionID != s.cfg.Connection.ID {
			t.Errorf("a listed account lacks its login or its connection")
		}
		return nil
	}))
	require.True(t, found)
}
