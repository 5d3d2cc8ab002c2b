package scimtest

import (
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"sendoff/internal/scim"
	"sendoff/schema"
)

// Bed is what the contract is tried on.
type Bed struct {
	Store scim.Store
	// Source and Other are two enabled sources of SCIM, empty.
	Source, Other schema.SourceID
	// TokenHash is that of a good token of Source.
	TokenHash [32]byte
}

// TestStore holds a store to the contract of scim.Store.
func TestStore(t *testing.T, open func(t *testing.T) Bed) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Bed){
		"tokens name their source":                   tokens,
		"a write is read back":                       roundTrip,
		"nothing of another source":                  isolation,
		"what does not exist is not found":           notFound,
		"versions":                                   versions,
		"names are unique without regard to case":    uniqueNames,
		"a query selects by all it says":             queries,
		"pages follow the order of making":           pages,
		"members":                                    members,
		"a refused change leaves everything":         refused,
		"what is told":                               told,
		"writers at once each change what is there":  concurrent,
		"of writers at once with a version one wins": oneWins,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func silent(_, _ schema.SCIMResource) (schema.HRChange, bool) { return schema.HRChange{}, false }

// write is a write that tells nothing.
func (b Bed) write(t *testing.T, source schema.SourceID, kind schema.SCIMType, id string, change func(*schema.SCIMResource)) (schema.SCIMResource, error) {
	t.Helper()
	return b.Store.WriteSCIM(t.Context(), scim.Write{
		SourceID: source, Type: kind, ID: id, Tell: silent, Raw: []byte(`{}`),
		Change: func(r schema.SCIMResource) (schema.SCIMResource, error) {
			r.Type = kind
			change(&r)
			return r, nil
		},
	})
}

func (b Bed) make(t *testing.T, source schema.SourceID, kind schema.SCIMType, name string, members ...string) schema.SCIMResource {
	t.Helper()
	r, err := b.write(t, source, kind, "", func(r *schema.SCIMResource) {
		r.Name, r.ExternalID, r.Active = name, "ext-"+name, true
		r.Body = fmt.Appendf(nil, `{"userName":%q}`, name)
		if kind == schema.SCIMUser {
			r.Email = name + "@example.com"
		}
		for _, m := range members {
			r.Members = append(r.Members, schema.SCIMMember{Value: m, Display: "shown"})
		}
	})
	require.NoError(t, err)
	return r
}

func (b Bed) find(t *testing.T, kind schema.SCIMType, q schema.SCIMQuery) (ids []string, total int) {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 100
	}
	page, total, err := b.Store.FindSCIM(t.Context(), b.Source, kind, q)
	require.NoError(t, err)
	for _, r := range page {
		ids = append(ids, r.ID)
	}
	return ids, total
}

func tokens(t *testing.T, b Bed) {
	s, err := b.Store.AuthenticateSource(t.Context(), b.TokenHash)
	require.NoError(t, err)
	require.Equal(t, b.Source, s.ID)
	_, err = b.Store.AuthenticateSource(t.Context(), [32]byte{1, 2, 3})
	require.Equal(t, schema.CodeUnauthorized, schema.CodeOf(err))
}

func roundTrip(t *testing.T, b Bed) {
	made := b.make(t, b.Source, schema.SCIMUser, "Ada")
	require.NotEmpty(t, made.ID)
	require.Equal(t, b.Source, made.SourceID)
	require.Equal(t, schema.SCIMUser, made.Type)
	require.EqualValues(t, 1, made.Version)
	require.False(t, made.CreatedAt.IsZero())
	require.Equal(t, made.CreatedAt, made.ModifiedAt)
	read, err := b.Store.ReadSCIM(t.Context(), b.Source, schema.SCIMUser, made.ID)
	require.NoError(t, err)
	same(t, made, read)
	require.Equal(t, "Ada", read.Name, "as it was sent")
	require.True(t, read.Active)

	changed, err := b.write(t, b.Source, schema.SCIMUser, made.ID, func(r *schema.SCIMResource) {
		same(t, made, *r)
		r.Active, r.ExternalID, r.Email, r.Body = false, "", "", []byte(`{"userName":"Ada","nested":{"a":[1,2.50,true,null,"é\""]}}`)
	})
	require.NoError(t, err)
	require.EqualValues(t, 2, changed.Version)
	require.Equal(t, made.CreatedAt, changed.CreatedAt)
	read, err = b.Store.ReadSCIM(t.Context(), b.Source, schema.SCIMUser, made.ID)
	require.NoError(t, err)
	same(t, changed, read)
	require.False(t, read.Active)
	require.JSONEq(t, `{"userName":"Ada","nested":{"a":[1,2.5,true,null,"é\""]}}`, string(read.Body))
}

// same compares resources; stores may write JSON anew.
func same(t *testing.T, a, b schema.SCIMResource) {
	t.Helper()
	require.JSONEq(t, string(a.Body), string(b.Body))
	require.ElementsMatch(t, a.Members, b.Members)
	require.True(t, a.CreatedAt.Equal(b.CreatedAt))
	require.True(t, a.ModifiedAt.Equal(b.ModifiedAt))
	a.Body, a.Members, a.CreatedAt, a.ModifiedAt = b.Body, b.Members, b.CreatedAt, b.ModifiedAt
	require.Equal(t, a, b)
}

func isolation(t *testing.T, b Bed) {
	theirs := b.make(t, b.Other, schema.SCIMUser, "ada")
	group := b.make(t, b.Other, schema.SCIMGroup, "ops", theirs.ID)
	b.make(t, b.Source, schema.SCIMUser, "ada") // names are each source's own

	for _, x := range []schema.SCIMResource{theirs, group} {
		_, err := b.Store.ReadSCIM(t.Context(), b.Source, x.Type, x.ID)
		require.Equal(t, schema.CodeNotFound, schema.CodeOf(err))
		_, err = b.write(t, b.Source, x.Type, x.ID, func(*schema.SCIMResource) { t.Error("another source's resource was shown") })
		require.Equal(t, schema.CodeNotFound, schema.CodeOf(err))
		_, err = b.Store.WriteSCIM(t.Context(), scim.Write{SourceID: b.Source, Type: x.Type, ID: x.ID, Delete: true, Tell: silent})
		require.Equal(t, schema.CodeNotFound, schema.CodeOf(err))
		for _, q := range []schema.SCIMQuery{{ID: x.ID}, {ExternalID: "ext-ops"}, {Member: theirs.ID}} {
			ids, total := b.find(t, x.Type, q)
			require.Empty(t, ids)
			require.Zero(t, total)
		}
	}
	_, err := b.write(t, b.Source, schema.SCIMGroup, "", func(r *schema.SCIMResource) {
		r.Name, r.Body, r.Members = "mine", []byte(`{}`), []schema.SCIMMember{{Value: theirs.ID}}
	})
	require.Equal(t, schema.CodeInvalid, schema.CodeOf(err), "another source's user is no member")
	_, total := b.find(t, schema.SCIMGroup, schema.SCIMQuery{})
	require.Zero(t, total)
}

func notFound(t *testing.T, b Bed) {
	user := b.make(t, b.Source, schema.SCIMUser, "ada")
	for _, id := range []string{uuid.NewString(), "00919288221112222", "a b", user.ID + "x"} {
		_, err := b.Store.ReadSCIM(t.Context(), b.Source, schema.SCIMUser, id)
		require.Equal(t, schema.CodeNotFound, schema.CodeOf(err), id)
		_, err = b.Store.WriteSCIM(t.Context(), scim.Write{SourceID: b.Source, Type: schema.SCIMUser, ID: id, Delete: true, Tell: silent, IfVersion: 7})
		require.Equal(t, schema.CodeNotFound, schema.CodeOf(err), id)
		for _, q := range []schema.SCIMQuery{{ID: id}, {Member: id}} {
			ids, total := b.find(t, schema.SCIMUser, q)
			require.Empty(t, ids)
			require.Zero(t, total)
		}
	}
	_, err := b.Store.ReadSCIM(t.Context(), b.Source, schema.SCIMGroup, user.ID)
	require.Equal(t, schema.CodeNotFound, schema.CodeOf(err), "a user is no group")

	_, err = b.Store.WriteSCIM(t.Context(), scim.Write{SourceID: b.Source, Type: schema.SCIMUser, ID: user.ID, Delete: true, Tell: silent})
	require.NoError(t, err)
	_, err = b.Store.ReadSCIM(t.Context(), b.Source, schema.SCIMUser, user.ID)
	require.Equal(t, schema.CodeNotFound, schema.CodeOf(err))
	b.make(t, b.Source, schema.SCIMUser, "ADA") // the name is free again
}

func versions(t *testing.T, b Bed) {
	user := b.make(t, b.Source, schema.SCIMUser, "ada")
	touch := func(version int64, name string) (schema.SCIMResource, error) {
		return b.Store.WriteSCIM(t.Context(), scim.Write{
			SourceID: b.Source, Type: schema.SCIMUser, ID: user.ID, IfVersion: version, Tell: silent, Raw: []byte(`{}`),
			Change: func(r schema.SCIMResource) (schema.SCIMResource, error) { r.Name = name; return r, nil },
		})
	}
	for _, wrong := range []int64{-1, 2, 99} {
		_, err := touch(wrong, "x")
		require.Equal(t, schema.CodeStale, schema.CodeOf(err))
		_, err = b.Store.WriteSCIM(t.Context(), scim.Write{SourceID: b.Source, Type: schema.SCIMUser, ID: user.ID, IfVersion: wrong, Delete: true, Tell: silent})
		require.Equal(t, schema.CodeStale, schema.CodeOf(err))
	}
	r, err := touch(1, "grace")
	require.NoError(t, err)
	require.EqualValues(t, 2, r.Version)
	again, err := touch(2, "grace")
	require.NoError(t, err)
	require.EqualValues(t, 2, again.Version, "what comes back as it was is not written")
	require.True(t, r.ModifiedAt.Equal(again.ModifiedAt))
}

func uniqueNames(t *testing.T, b Bed) {
	b.make(t, b.Source, schema.SCIMUser, "Ada")
	grace := b.make(t, b.Source, schema.SCIMUser, "grace")
	b.make(t, b.Source, schema.SCIMGroup, "ada") // another type
	_, err := b.write(t, b.Source, schema.SCIMUser, "", func(r *schema.SCIMResource) { r.Name, r.Body = "aDA", []byte(`{}`) })
	require.Equal(t, schema.CodeConflict, schema.CodeOf(err))
	_, err = b.write(t, b.Source, schema.SCIMUser, grace.ID, func(r *schema.SCIMResource) { r.Name = "ADA" })
	require.Equal(t, schema.CodeConflict, schema.CodeOf(err))
	_, err = b.write(t, b.Source, schema.SCIMUser, grace.ID, func(r *schema.SCIMResource) { r.Name = "GRACE" })
	require.NoError(t, err, "one's own name in other letters")
}
