package scimtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
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

func queries(t *testing.T, b Bed) {
	ada, grace := b.make(t, b.Source, schema.SCIMUser, "Ada"), b.make(t, b.Source, schema.SCIMUser, "grace")
	_, err := b.write(t, b.Source, schema.SCIMUser, ada.ID, func(r *schema.SCIMResource) { r.Email = "ada@example.com" })
	require.NoError(t, err)
	ops := b.make(t, b.Source, schema.SCIMGroup, "Ops", ada.ID)
	for _, c := range []struct {
		q    schema.SCIMQuery
		want []string
	}{
		{schema.SCIMQuery{}, []string{ada.ID, grace.ID}},
		{schema.SCIMQuery{Name: "aDa"}, []string{ada.ID}},
		{schema.SCIMQuery{Name: "nobody"}, nil},
		{schema.SCIMQuery{ExternalID: "ext-Ada"}, []string{ada.ID}},
		{schema.SCIMQuery{ExternalID: "EXT-ADA"}, nil},
		{schema.SCIMQuery{Email: "ada@example.com"}, []string{ada.ID}},
		{schema.SCIMQuery{ID: grace.ID}, []string{grace.ID}},
		{schema.SCIMQuery{ID: grace.ID, Name: "grace"}, []string{grace.ID}},
		{schema.SCIMQuery{ID: grace.ID, Name: "ada"}, nil},
	} {
		ids, total := b.find(t, schema.SCIMUser, c.q)
		require.Equal(t, c.want, ids, "%+v", c.q)
		require.Equal(t, len(c.want), total)
	}
	ids, _ := b.find(t, schema.SCIMGroup, schema.SCIMQuery{Member: ada.ID})
	require.Equal(t, []string{ops.ID}, ids)
	ids, _ = b.find(t, schema.SCIMGroup, schema.SCIMQuery{Member: grace.ID})
	require.Empty(t, ids)
}

func pages(t *testing.T, b Bed) {
	var made []string
	for i := range 7 {
		made = append(made, b.make(t, b.Source, schema.SCIMUser, fmt.Sprintf("u%d", i)).ID)
	}
	_, err := b.write(t, b.Source, schema.SCIMUser, made[2], func(r *schema.SCIMResource) { r.Name = "changed" })
	require.NoError(t, err)
	for offset := 0; offset < 9; offset += 3 {
		ids, total := b.find(t, schema.SCIMUser, schema.SCIMQuery{Offset: offset, Limit: 3})
		require.Equal(t, 7, total)
		require.Equal(t, made[min(offset, 7):min(offset+3, 7)], append([]string{}, ids...))
	}
	ids, total := b.find(t, schema.SCIMUser, schema.SCIMQuery{Offset: 1 << 31, Limit: 3})
	require.Empty(t, ids)
	require.Equal(t, 7, total)
}

func members(t *testing.T, b Bed) {
	ada, grace := b.make(t, b.Source, schema.SCIMUser, "ada"), b.make(t, b.Source, schema.SCIMUser, "grace")
	ops := b.make(t, b.Source, schema.SCIMGroup, "ops", ada.ID)
	set := func(ms ...schema.SCIMMember) (schema.SCIMResource, error) {
		return b.write(t, b.Source, schema.SCIMGroup, ops.ID, func(r *schema.SCIMResource) { r.Members = ms })
	}
	_, err := set(schema.SCIMMember{Value: grace.ID, Display: "Grace"}, schema.SCIMMember{Value: ada.ID})
	require.NoError(t, err)
	read, err := b.Store.ReadSCIM(t.Context(), b.Source, schema.SCIMGroup, ops.ID)
	require.NoError(t, err)
	require.ElementsMatch(t, []schema.SCIMMember{{Value: ada.ID}, {Value: grace.ID, Display: "Grace"}}, read.Members)
	require.EqualValues(t, 2, read.Version)
	for _, wrong := range []string{uuid.NewString(), "nobody", ops.ID} {
		_, err = set(schema.SCIMMember{Value: wrong})
		require.Equal(t, schema.CodeInvalid, schema.CodeOf(err), wrong)
	}
	page, _, err := b.Store.FindSCIM(t.Context(), b.Source, schema.SCIMGroup, schema.SCIMQuery{ID: ops.ID, Limit: 1})
	require.NoError(t, err)
	require.Len(t, page[0].Members, 2)
	page, _, err = b.Store.FindSCIM(t.Context(), b.Source, schema.SCIMGroup, schema.SCIMQuery{ID: ops.ID, Limit: 1, WithoutMembers: true})
	require.NoError(t, err)
	require.Empty(t, page[0].Members)

	_, err = b.Store.WriteSCIM(t.Context(), scim.Write{SourceID: b.Source, Type: schema.SCIMUser, ID: ada.ID, Delete: true, Tell: silent})
	require.NoError(t, err)
	read, err = b.Store.ReadSCIM(t.Context(), b.Source, schema.SCIMGroup, ops.ID)
	require.NoError(t, err)
	require.Len(t, read.Members, 1, "who is deleted is in no group")
	read, err = set()
	require.NoError(t, err)
	require.Empty(t, read.Members)
}

func refused(t *testing.T, b Bed) {
	ada := b.make(t, b.Source, schema.SCIMUser, "ada")
	no := errors.New("no")
	for _, id := range []string{ada.ID, ""} {
		_, err := b.Store.WriteSCIM(t.Context(), scim.Write{
			SourceID: b.Source, Type: schema.SCIMUser, ID: id, Tell: silent,
			Change: func(r schema.SCIMResource) (schema.SCIMResource, error) { r.Name = "x"; return r, no },
		})
		require.Error(t, err)
	}
	read, err := b.Store.ReadSCIM(t.Context(), b.Source, schema.SCIMUser, ada.ID)
	require.NoError(t, err)
	same(t, ada, read)
	_, total := b.find(t, schema.SCIMUser, schema.SCIMQuery{})
	require.Equal(t, 1, total)
}

func told(t *testing.T, b Bed) {
	type pair struct{ before, after schema.SCIMResource }
	var seen []pair
	tell := func(before, after schema.SCIMResource) (schema.HRChange, bool) {
		seen = append(seen, pair{before, after})
		return scim.Tell(before, after)
	}
	write := func(w scim.Write) schema.SCIMResource {
		w.SourceID, w.Type, w.Tell = b.Source, schema.SCIMUser, tell
		r, err := b.Store.WriteSCIM(t.Context(), w)
		require.NoError(t, err)
		return r
	}
	body := func(active bool) []byte {
		out, err := json.Marshal(map[string]any{"userName": "ada@example.com", "active": active})
		require.NoError(t, err)
		return out
	}
	set := func(active bool) func(schema.SCIMResource) (schema.SCIMResource, error) {
		return func(r schema.SCIMResource) (schema.SCIMResource, error) {
			if r.ID != "" && r.Active == active {
				return r, nil
			}
			r.Type, r.Name, r.Active, r.Body = schema.SCIMUser, "ada@example.com", active, body(active)
			return r, nil
		}
	}
	made := write(scim.Write{Change: set(true), Raw: []byte(`{"a":1}`)})
	require.Len(t, seen, 1)
	require.Empty(t, seen[0].before.ID)
	require.Equal(t, made.ID, seen[0].after.ID, "what is told has an id")
	ended := write(scim.Write{ID: made.ID, Change: set(false), Raw: []byte(`{"a":2}`)})
	require.Len(t, seen, 2)
	require.True(t, seen[1].before.Active)
	require.False(t, seen[1].after.Active)
	write(scim.Write{ID: made.ID, Change: set(false), Raw: []byte(`{"a":2}`)})
	require.Len(t, seen, 2, "nothing is told of what was not written")
	write(scim.Write{ID: made.ID, Change: set(true), Raw: []byte(`{"a":3}`)})
	// The same body a second time is news again: what it tells came true anew.
	write(scim.Write{ID: made.ID, Change: set(false), Raw: []byte(`{"a":2}`)})
	write(scim.Write{ID: made.ID, Change: set(true), Raw: []byte(`{"a":3}`)})
	write(scim.Write{ID: made.ID, Delete: true, Raw: []byte{}})
	last := seen[len(seen)-1]
	require.Len(t, seen, 6)
	require.Equal(t, ended.ID, last.after.ID)
	require.False(t, last.after.Active, "what is deleted is not active")
	require.JSONEq(t, string(last.before.Body), string(last.after.Body))
}

func concurrent(t *testing.T, b Bed) {
	const writers = 12
	ada := b.make(t, b.Source, schema.SCIMUser, "ada")
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			_, errs[i] = b.Store.WriteSCIM(t.Context(), scim.Write{
				SourceID: b.Source, Type: schema.SCIMUser, ID: ada.ID, Tell: silent, Raw: []byte(`{}`),
				Change: func(r schema.SCIMResource) (schema.SCIMResource, error) { r.Name += "x"; return r, nil },
			})
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	read, err := b.Store.ReadSCIM(t.Context(), b.Source, schema.SCIMUser, ada.ID)
	require.NoError(t, err)
	require.Len(t, read.Name, len("ada")+writers)
	require.EqualValues(t, 1+writers, read.Version)
}

func oneWins(t *testing.T, b Bed) {
	const writers = 8
	ada := b.make(t, b.Source, schema.SCIMUser, "ada")
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			_, errs[i] = b.Store.WriteSCIM(t.Context(), scim.Write{
				SourceID: b.Source, Type: schema.SCIMUser, ID: ada.ID, IfVersion: 1, Tell: silent, Raw: []byte(`{}`),
				Change: func(r schema.SCIMResource) (schema.SCIMResource, error) { r.Name = fmt.Sprint("w", i); return r, nil },
			})
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		require.Equal(t, schema.CodeStale, schema.CodeOf(err))
	}
	require.Equal(t, 1, won)
}
