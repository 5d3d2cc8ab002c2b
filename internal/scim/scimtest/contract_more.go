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
