package store_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/scim"
	"sendoff/internal/store"
	"sendoff/schema"
)

var _ scim.Store = (*store.Store)(nil)

// to is a write that makes a resource into r.
func to(s schema.Source, r schema.SCIMResource) scim.Write {
	return scim.Write{
		SourceID: s.ID, Type: r.Type, ID: r.ID, Raw: []byte(`{"raw": "` + r.Name + `"}`),
		Change: func(schema.SCIMResource) (schema.SCIMResource, error) { return r, nil },
		Tell: func(before, after schema.SCIMResource) (schema.HRChange, bool) {
			return schema.HRChange{Kind: schema.ChangeEmployments, Roster: &schema.Roster{
				Source: s.Name, Mode: schema.RosterChanges, Employments: []schema.Employment{{EmploymentKey: schema.EmploymentKey{ExternalID: after.ID}}},
			}}, after.Type == schema.SCIMUser && before.Active != after.Active
		},
	}
}

func user(name string) schema.SCIMResource {
	return schema.SCIMResource{
		Type: schema.SCIMUser, Name: name, ExternalID: "x-" + name, Email: name + "@example.com", Active: true, Body: []byte(`{"userName": "` + name + `"}`),
	}
}

func group(name string, members ...string) schema.SCIMResource {
	g := schema.SCIMResource{Type: schema.SCIMGroup, Name: name, Active: true, Body: []byte(`{}`)}
	for _, m := range members {
		g.Members = append(g.Members, schema.SCIMMember{Value: m, Display: "d"})
	}
	return g
}

func (b *bundle) wrote(w scim.Write) schema.SCIMResource {
	b.t.Helper()
	r, err := b.WriteSCIM(b.t.Context(), w)
	require.NoError(b.t, err)
	return r
}

func (b *bundle) inbox() []schema.HREvent {
	b.t.Helper()
	list, _, err := b.ListHREvents(b.t.Context(), schema.HREventFilter{Limit: 100})
	require.NoError(b.t, err)
	return list
}

func TestWriteSCIM(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.source("okta", schema.SourceSCIM)
	ada := b.wrote(to(s, user("ada")))

	t.Run("makes a resource, its event and its record", func(t *testing.T) {
		require.NotEmpty(t, ada.ID)
		require.Equal(t, int64(1), ada.Version)
		read, err := b.ReadSCIM(t.Context(), s.ID, schema.SCIMUser, ada.ID)
		require.NoError(t, err)
		require.Equal(t, ada, read)
		require.JSONEq(t, `{"userName": "ada"}`, string(read.Body))

		events := b.inbox()
		require.Len(t, events, 1)
		e, err := b.HREvent(t.Context(), events[0].ID)
		require.NoError(t, err)
		require.Equal(t, ada.ID+"/1", e.EventID)
		require.Equal(t, schema.ViaSCIM, e.Via)
		require.Equal(t, []byte(`{"raw": "ada"}`), e.Body)
		require.Equal(t, ada.ID, e.Change.Roster.Employments[0].ExternalID)

		said := b.said("scim.created")
		sum := sha256.Sum256([]byte(`{"raw": "ada"}`))
		require.Equal(t, map[string]string{
			"source_id": string(s.ID), "type": "User", "id": ada.ID, "version": "1", "sha256": hex.EncodeToString(sum[:]),
		}, said.Details)
		require.Equal(t, "hr:okta", said.Actor.Name)
	})

	t.Run("raises the version of what differs alone", func(t *testing.T) {
		same := ada
		same.Body = []byte(`{ "userName":"ada" }`)
		require.Equal(t, int64(1), b.wrote(to(s, same)).Version)
		require.Len(t, b.inbox(), 1)
		other := ada
		other.Email = "ada@other.example.com"
		changed := b.wrote(to(s, other))
		require.Equal(t, int64(2), changed.Version)
		require.True(t, changed.ModifiedAt.After(ada.ModifiedAt))
		require.Len(t, b.inbox(), 1, "it tells nothing")
		require.Equal(t, "2", b.said("scim.changed").Details["version"])
		other.Active = false
		require.Equal(t, int64(3), b.wrote(to(s, other)).Version)
		require.Equal(t, ada.ID+"/3", b.inbox()[0].EventID)
	})

	t.Run("refuses a version that was overtaken, and an error of the change", func(t *testing.T) {
		w := to(s, ada)
		w.IfVersion = 2
		_, err := b.WriteSCIM(t.Context(), w)
		requireCode(t, schema.CodeStale, err)
		w.IfVersion = 3
		w.Change = func(before schema.SCIMResource) (schema.SCIMResource, error) {
			require.Equal(t, int64(3), before.Version)
			return before, &schema.Error{Code: schema.CodeRefused, Message: "no"}
		}
		_, err = b.WriteSCIM(t.Context(), w)
		requireCode(t, schema.CodeRefused, err)
	})

	t.Run("keeps names once, whatever their case", func(t *testing.T) {
		bob := b.wrote(to(s, user("bob")))
		_, err := b.WriteSCIM(t.Context(), to(s, user("ADA")))
		requireCode(t, schema.CodeConflict, err)
		bob.Name = "Ada"
		_, err = b.WriteSCIM(t.Context(), to(s, bob))
		requireCode(t, schema.CodeConflict, err)
		b.wrote(to(s, group("ada")))
	})

	t.Run("refuses what cannot be kept", func(t *testing.T) {
		for _, change := range []func(*schema.SCIMResource){
			func(r *schema.SCIMResource) { r.Name = "" },
			func(r *schema.SCIMResource) { r.Name = "a\x00b" },
			func(r *schema.SCIMResource) { r.ExternalID = string(make([]byte, 2000)) },
			func(r *schema.SCIMResource) { r.Body = []byte(`{"a": "\u0000"}`) },
		} {
			r := user("eve")
			change(&r)
			_, err := b.WriteSCIM(t.Context(), to(s, r))
			requireCode(t, schema.CodeInvalid, err)
		}
	})

	t.Run("deletes, and tells it", func(t *testing.T) {
		r := b.wrote(to(s, user("leaver")))
		w := to(s, r)
		w.Delete, w.Change = true, nil
		gone := b.wrote(w)
		require.False(t, gone.Active)
		require.Equal(t, r.ID+"/2", b.inbox()[0].EventID)
		require.Equal(t, r.ID, b.said("scim.deleted").Details["id"])
		_, err := b.WriteSCIM(t.Context(), w)
		requireCode(t, schema.CodeNotFound, err)
		b.wrote(to(s, user("leaver"))) // the name is free
	})

	t.Run("takes nothing for a disabled source", func(t *testing.T) {
		off := b.source("off", schema.SourceSCIM)
		_, err := b.SetSourceState(t.Context(), "off", schema.ConnectionDisabled, "r", b.admin)
		require.NoError(t, err)
		_, err = b.WriteSCIM(t.Context(), to(off, user("x")))
		requireCode(t, schema.CodeConflict, err)
	})
}

func TestSCIMGroups(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s, other := b.source("okta", schema.SourceSCIM), b.source("entra", schema.SourceSCIM)
	ada, bob, far := b.wrote(to(s, user("ada"))), b.wrote(to(s, user("bob"))), b.wrote(to(other, user("far")))

	g := b.wrote(to(s, group("team", ada.ID, ada.ID)))
	require.Equal(t, []schema.SCIMMember{{Value: ada.ID, Display: "d"}}, g.Members)
	read, err := b.ReadSCIM(t.Context(), s.ID, schema.SCIMGroup, g.ID)
	require.NoError(t, err)
	require.Equal(t, g, read)

	next := group("team", ada.ID, bob.ID)
	next.ID = g.ID
	g = b.wrote(to(s, next))
	require.Equal(t, int64(2), g.Version)
	require.Len(t, g.Members, 2)
	require.Equal(t, int64(2), b.wrote(to(s, next)).Version, "the same members")
	next.Members[0].Display = "Ada"
	require.Equal(t, int64(3), b.wrote(to(s, next)).Version)
	next.Members = next.Members[:1]
	g = b.wrote(to(s, next))
	require.Equal(t, []schema.SCIMMember{{Value: ada.ID, Display: "Ada"}}, g.Members)

	for _, stranger := range []string{far.ID, g.ID, "0197c0de-0000-7000-8000-000000000000", "not an id"} {
		bad := group("team", ada.ID, stranger)
		bad.ID = g.ID
		_, err := b.WriteSCIM(t.Context(), to(s, bad))
		requireCode(t, schema.CodeInvalid, err)
	}
	read, err = b.ReadSCIM(t.Context(), s.ID, schema.SCIMGroup, g.ID)
	require.NoError(t, err)
	require.Equal(t, g, read, "nothing half written")

	groups, total, err := b.FindSCIM(t.Context(), s.ID, schema.SCIMGroup, schema.SCIMQuery{Member: ada.ID, Limit: 10})
	require.NoError(t, err)
	require.Equal(t, 1, total)
	require.Equal(t, []schema.SCIMResource{g}, groups)
	groups, _, err = b.FindSCIM(t.Context(), s.ID, schema.SCIMGroup, schema.SCIMQuery{Limit: 10, WithoutMembers: true})
	require.NoError(t, err)
	require.Empty(t, groups[0].Members)

	w := to(s, ada)
	w.Delete = true
	b.wrote(w)
	read, err = b.ReadSCIM(t.Context(), s.ID, schema.SCIMGroup, g.ID)
	require.NoError(t, err)
	require.Empty(t, read.Members)
	require.Greater(t, read.Version, g.Version, "its members differ")
}

func TestSCIMAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.source("okta", schema.SourceSCIM)
	g := b.wrote(to(s, group("team")))
	users := make([]schema.SCIMResource, 10)
	for i := range users {
		users[i] = b.wrote(to(s, user(fmt.Sprint("u", i))))
	}
	var wg sync.WaitGroup
	for i, u := range users {
		wg.Go(func() { // one joins, changes and, every other, goes
			w := to(s, g)
			w.Change = func(before schema.SCIMResource) (schema.SCIMResource, error) {
				before.Members = append(before.Members, schema.SCIMMember{Value: u.ID})
				return before, nil
			}
			if _, err := b.WriteSCIM(t.Context(), w); err != nil {
				t.Error(err)
			}
			if i%2 == 0 {
				w := to(s, u)
				w.Delete = true
				if _, err := b.WriteSCIM(t.Context(), w); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			w := to(s, users[1])
			w.Change = func(before schema.SCIMResource) (schema.SCIMResource, error) {
				before.Body = fmt.Appendf(nil, `{"n": %d}`, i)
				return before, nil
			}
			if _, err := b.WriteSCIM(t.Context(), w); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	read, err := b.ReadSCIM(t.Context(), s.ID, schema.SCIMGroup, g.ID)
	require.NoError(t, err)
	require.Len(t, read.Members, 5)
	require.Equal(t, int64(1+10+5), read.Version, "each change once")
	one, err := b.ReadSCIM(t.Context(), s.ID, schema.SCIMUser, users[1].ID)
	require.NoError(t, err)
	require.Equal(t, int64(11), one.Version)
}

func TestFindSCIM(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s, other := b.source("okta", schema.SourceSCIM), b.source("entra", schema.SourceSCIM)
	var made []schema.SCIMResource
	for _, name := range []string{"Zoë", "ada", "bob"} {
		made = append(made, b.wrote(to(s, user(name))))
	}
	far := b.wrote(to(other, user("far")))
	find := func(q schema.SCIMQuery) ([]schema.SCIMResource, int) {
		if q.Limit == 0 {
			q.Limit = 10
		}
		page, total, err := b.FindSCIM(t.Context(), s.ID, schema.SCIMUser, q)
		require.NoError(t, err)
		return page, total
	}
	page, total := find(schema.SCIMQuery{Limit: 2})
	require.Equal(t, made[:2], page, "in the order they were made")
	require.Equal(t, 3, total)
	page, total = find(schema.SCIMQuery{Limit: 2, Offset: 2})
	require.Equal(t, made[2:], page)
	require.Equal(t, 3, total)
	page, total = find(schema.SCIMQuery{Offset: 3})
	require.Empty(t, page)
	require.Equal(t, 3, total)
	for _, q := range []schema.SCIMQuery{
		{Name: "ADA"}, {ExternalID: "x-ada"}, {ID: made[1].ID}, {Email: "ada@example.com"}, {Name: "Ada", ExternalID: "x-ada", Email: "ada@example.com", ID: made[1].ID},
	} {
		page, total = find(q)
		require.Equal(t, made[1:2], page)
		require.Equal(t, 1, total)
	}
	page, _ = find(schema.SCIMQuery{Name: "ZOË"})
	require.Len(t, page, 1)
	for _, q := range []schema.SCIMQuery{
		{Name: "far"}, {ID: far.ID}, {Email: "far@example.com"}, {ExternalID: "X-ADA"}, {ID: "x"}, {Name: "a\x00"}, {Member: "x"}, {Name: "ada", Email: "bob@example.com"},
	} {
		page, total = find(q)
		require.Empty(t, page)
		require.Zero(t, total)
	}

	for _, id := range []string{far.ID, "x", "{" + made[0].ID + "}"} {
		_, err := b.ReadSCIM(t.Context(), s.ID, schema.SCIMUser, id)
		requireCode(t, schema.CodeNotFound, err)
	}
	_, err := b.ReadSCIM(t.Context(), s.ID, schema.SCIMGroup, made[0].ID)
	requireCode(t, schema.CodeNotFound, err)
	_, err = b.WriteSCIM(t.Context(), to(s, far))
	requireCode(t, schema.CodeNotFound, err)
}

func TestSourceTokens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.source("okta", schema.SourceSCIM)
	first, second := sha256.Sum256([]byte("first")), sha256.Sum256([]byte("second"))
	a, err := b.CreateSourceToken(t.Context(), "okta", first, time.Time{}, b.admin)
	require.NoError(t, err)
	require.Equal(t, "admin", a.CreatedBy)

	got, err := b.AuthenticateSource(t.Context(), first)
	require.NoError(t, err)
	require.Equal(t, s.ID, got.ID)
	heard, err := b.SourceByName(t.Context(), "okta")
	require.NoError(t, err)
	require.False(t, heard.LastHeardAt.IsZero(), "a request is a sign of life")
	require.True(t, heard.LastEventAt.IsZero())
	_, err = b.AuthenticateSource(t.Context(), first)
	require.NoError(t, err)
	again, err := b.SourceByName(t.Context(), "okta")
	require.NoError(t, err)
	require.Equal(t, heard.LastHeardAt, again.LastHeardAt, "once a minute")

	c, err := b.CreateSourceToken(t.Context(), "okta", second, time.Now().Add(time.Hour), b.admin)
	require.NoError(t, err)
	for _, hash := range [][32]byte{first, second} {
		_, err = b.AuthenticateSource(t.Context(), hash)
		require.NoError(t, err, "both are good while one replaces the other")
	}
	revoked, err := b.RevokeSourceToken(t.Context(), "okta", a.ID, b.admin)
	require.NoError(t, err)
	require.False(t, revoked.RevokedAt.IsZero())
	same, err := b.RevokeSourceToken(t.Context(), "okta", a.ID, b.admin)
	require.NoError(t, err)
	require.Equal(t, revoked, same)
	_, err = b.AuthenticateSource(t.Context(), first)
	requireCode(t, schema.CodeUnauthorized, err)
	_, err = b.AuthenticateSource(t.Context(), second)
	require.NoError(t, err)
	list, err := b.ListSourceTokens(t.Context(), "okta")
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Equal(t, c.ID, list[1].ID)
	require.False(t, list[1].LastUsedAt.IsZero())
	require.Equal(t, string(a.ID), b.said("source.token_revoked").Details["token_id"])

	b.exec(`update hr_source_token set expires_at = now() where id = $1`, c.ID)
	_, err = b.AuthenticateSource(t.Context(), second)
	requireCode(t, schema.CodeUnauthorized, err)
	_, err = b.AuthenticateSource(t.Context(), sha256.Sum256([]byte("third")))
	requireCode(t, schema.CodeUnauthorized, err)

	third := sha256.Sum256([]byte("third"))
	_, err = b.CreateSourceToken(t.Context(), "okta", third, time.Now().Add(-time.Hour), b.admin)
	requireCode(t, schema.CodeInvalid, err)
	_, err = b.CreateSourceToken(t.Context(), "okta", first, time.Time{}, b.admin)
	requireCode(t, schema.CodeConflict, err)
	_, err = b.CreateSourceToken(t.Context(), schema.ManualSource, third, time.Time{}, b.admin)
	requireCode(t, schema.CodeConflict, err)
	b.source("entra", schema.SourceSCIM)
	_, err = b.RevokeSourceToken(t.Context(), "entra", c.ID, b.admin)
	requireCode(t, schema.CodeNotFound, err)
	_, err = b.CreateSourceToken(t.Context(), "okta", third, time.Time{}, b.admin)
	require.NoError(t, err)
	_, err = b.SetSourceState(t.Context(), "okta", schema.ConnectionDisabled, "r", b.admin)
	require.NoError(t, err)
	_, err = b.AuthenticateSource(t.Context(), third)
	requireCode(t, schema.CodeUnauthorized, err)
	require.Equal(t, 0, b.count(`select count(*) from hr_source_token where encode(token_hash, 'escape') like '%first%'`))
}
