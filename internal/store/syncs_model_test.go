package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"sendoff/internal/store"
	"sendoff/schema"
)

// pagedVendor lists a company in pages that overlap, as listings do that change
// under way.
type pagedVendor struct {
	accounts [][]schema.Account
	groups   [][]schema.Group
	members  map[schema.ExternalID][][]schema.GroupMember
}

func drawVendor(t *rapid.T) pagedVendor {
	v := pagedVendor{members: map[schema.ExternalID][][]schema.GroupMember{}}
	role := rapid.SampledFrom([]schema.AccountRole{schema.RoleMember, schema.RoleCoadmin})
	for range rapid.IntRange(1, 4).Draw(t, "account pages") {
		var page []schema.Account
		for _, n := range rapid.SliceOfN(rapid.IntRange(1, 12), 0, 6).Draw(t, "accounts") {
			a := listedAccount(fmt.Sprint(n))
			a.Role = role.Draw(t, "role")
			page = append(page, a)
		}
		v.accounts = append(v.accounts, page)
	}
	for range rapid.IntRange(1, 3).Draw(t, "group pages") {
		var page []schema.Group
		for _, n := range rapid.SliceOfN(rapid.IntRange(1, 4), 0, 3).Draw(t, "groups") {
			page = append(page, schema.Group{ExternalID: schema.ExternalID(fmt.Sprint("g", n)), Name: fmt.Sprint("Group ", n)})
		}
		v.groups = append(v.groups, page)
	}
	for n := 1; n <= 4; n++ {
		id := schema.ExternalID(fmt.Sprint("g", n))
		for range rapid.IntRange(1, 3).Draw(t, "member pages") {
			var page []schema.GroupMember
			for _, m := range rapid.SliceOfN(rapid.IntRange(1, 6), 0, 3).Draw(t, "members") {
				page = append(page, schema.GroupMember{
					ExternalID: schema.ExternalID(fmt.Sprint(id, "-", m)), GroupID: id, AccountID: schema.ExternalID(fmt.Sprint(m)),
					Role: rapid.SampledFrom([]string{"member", "admin"}).Draw(t, "role"),
				})
			}
			v.members[id] = append(v.members[id], page)
		}
	}
	return v
}

// rows are what a listing comes to: of what is listed twice, the last.
func (v pagedVendor) rows() map[string]string {
	rows := map[string]string{}
	for _, a := range slices.Concat(v.accounts...) {
		rows["account "+string(a.ExternalID)] = string(a.Role)
	}
	for _, g := range slices.Concat(v.groups...) {
		rows["group "+string(g.ExternalID)] = g.Name
		for _, m := range slices.Concat(v.members[g.ExternalID]...) {
			rows["member "+string(g.ExternalID)+" "+string(m.AccountID)] = m.Role
		}
	}
	return rows
}

// walker carries out a sync as workers do that die, are overtaken, and meet
// markers that expire.
type walker struct {
	b *bundle
	t *rapid.T
	s *store.Store // the present worker's
	// heir is the store of the worker that takes over after a crash.
	heir *store.Store
	id   schema.RunID
	v    pagedVendor
}

func next(page, pages int) string {
	if page+1 >= pages {
		return ""
	}
	return fmt.Sprint("m", page+1)
}

// listing walks the pages of accounts or groups from wherever the run is.
func (w *walker) listing(d schema.Dataset, stage func(at schema.DatasetProgress, page int) (schema.DatasetProgress, error)) {
	ctx := w.b.t.Context()
	for {
		at, err := w.s.Progress(ctx, w.id, d)
		require.NoError(w.b.t, err)
		if at.State == schema.DatasetCollected {
			return
		}
		switch rapid.SampledFrom([]string{"page", "page", "page", "zombie", "crash", "expire"}).Draw(w.t, "step") {
		case "crash":
			w.s, w.heir = w.heir, w.s
		case "expire":
			if at.Generation < 3 {
				_, err = w.s.RestartDataset(ctx, w.id, at)
				require.NoError(w.b.t, err)
			}
		case "zombie": // a try that believes the run to be where it was
			old := at
			old.Pages, old.Marker = max(0, at.Pages-1), ""
			if at.Pages > 1 {
				old.Marker = fmt.Sprint("m", at.Pages-1)
			}
			if old.Pages != at.Pages {
				_, err = stage(old, old.Pages)
				requireCode(w.b.t, schema.CodeStale, err)
			}
		default:
			_, err = stage(at, at.Pages)
			require.NoError(w.b.t, err)
			_, err = stage(at, at.Pages)
			requireCode(w.b.t, schema.CodeStale, err)
		}
	}
}

func (w *walker) members() {
	ctx := w.b.t.Context()
	for {
		todo, err := w.s.UnlistedGroups(ctx, w.id, schema.DataMemberships, "", 10)
		require.NoError(w.b.t, err)
		if len(todo) == 0 {
			require.NoError(w.b.t, w.s.FinishDataset(ctx, w.id, schema.DataMemberships, schema.DatasetCollected, ""))
			return
		}
		if rapid.Bool().Draw(w.t, "crash") {
			w.s, w.heir = w.heir, w.s
		}
		at := rapid.SampledFrom(todo).Draw(w.t, "group")
		page := 0
		if at.Marker != "" {
			_, err := fmt.Sscanf(at.Marker, "m%d", &page)
			require.NoError(w.b.t, err)
		}
		pages := w.v.members[at.GroupID]
		require.NoError(w.b.t, w.s.StageMembers(ctx, w.id, at, pages[page], next(page, len(pages))))
		requireCode(w.b.t, schema.CodeStale, w.s.StageMembers(ctx, w.id, at, pages[page], next(page, len(pages))))
	}
}

func (w *walker) walk() {
	ctx := w.b.t.Context()
	w.listing(schema.DataAccounts, func(at schema.DatasetProgress, page int) (schema.DatasetProgress, error) {
		entries := slices.Clone(w.v.accounts[page])
		for i := range entries {
			entries[i].ObservedAt = time.Now()
		}
		return w.s.StageAccounts(ctx, w.id, at, entries, next(page, len(w.v.accounts)))
	})
	w.listing(schema.DataGroups, func(at schema.DatasetProgress, page int) (schema.DatasetProgress, error) {
		return w.s.StageGroups(ctx, w.id, at, w.v.groups[page], next(page, len(w.v.groups)))
	})
	w.members()
	require.NoError(w.b.t, w.s.FinishDataset(ctx, w.id, schema.DataCollaborations, schema.DatasetNotCollected, "SCOPE_OPTIONAL_MISSING"))
}

// TestAnyWayThroughASyncEndsAlike kills, repeats and restarts a sync anywhere and
// finds the rows that the listing comes to.
func TestAnyWayThroughASyncEndsAlike(t *testing.T) {
	t.Parallel()
	b := setup(t)
	heir, look := b.open(), b.sql()
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		conn, err := b.CreateConnection(b.t.Context(), schema.Connection{
			Name: fmt.Sprint("c", round), Vendor: "box", BaseURL: "https://api.example.com", TokenURL: "https://api.example.com/t",
			ClientID: "client", EnterpriseID: fmt.Sprint("e", round),
		}, "s", b.admin)
		require.NoError(b.t, err)
		for range 2 { // the second time from what the first left
			v := drawVendor(t)
			run, err := b.StartRun(b.t.Context(), conn.Name, schema.RunSync, schema.TriggerPerson, b.admin)
			require.NoError(b.t, err)
			_, _, err = b.BeginRun(b.t.Context(), run.ID)
			require.NoError(b.t, err)
			w := &walker{b: b, t: t, s: b.Store, heir: heir, id: run.ID, v: v}
			w.walk()
			done, err := w.s.PublishSync(b.t.Context(), run.ID)
			require.NoError(b.t, err)
			if done.State == schema.RunQuarantined {
				done, err = w.s.ReleaseRun(b.t.Context(), run.ID, "drawn so", b.admin)
				require.NoError(b.t, err)
			}
			require.Equal(b.t, schema.RunDone, done.State)
			require.Equal(b.t, v.rows(), b.rows(look, conn.ID))
			counts := map[string]int64{}
			for _, d := range done.Datasets {
				counts[string(d.Dataset)] = d.Rows
			}
			require.EqualValues(b.t, countRows(v.rows(), "account "), counts["accounts"])
			require.EqualValues(b.t, countRows(v.rows(), "member "), counts["memberships"])
		}
	})
}

func countRows(rows map[string]string, prefix string) (n int) {
	for key := range rows {
		if strings.HasPrefix(key, prefix) {
			n++
		}
	}
	return n
}

// rows are what is known of a connection, in the form of a model's.
func (b *bundle) rows(look *pgx.Conn, id schema.ConnectionID) map[string]string {
	b.t.Helper()
	rows, err := look.Query(b.t.Context(), `select 'account ' || external_id, role from account where connection_id = $1::text::uuid and status <> 'missing'
		union all select 'group ' || external_id, name from vendor_group where connection_id = $1::text::uuid
		union all select 'member ' || group_id || ' ' || account_id, role from group_membership where connection_id = $1::text::uuid`, string(id))
	require.NoError(b.t, err)
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var key, value string
		require.NoError(b.t, rows.Scan(&key, &value))
		out[key] = value
	}
	require.NoError(b.t, rows.Err())
	return out
}
