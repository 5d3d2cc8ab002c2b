package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"sendoff/schema"
)

// gradeCase is a connection with random sources, and accounts with random use.
type gradeCase struct {
	conn      schema.ConnectionID
	now       time.Time
	threshold time.Duration
	accounts  []schema.AccountID
}

// drawGrades stores what every source knows, as the feed does, on a grid of hours
// and the microsecond beside it, so that borders meet.
func (b *bundle) drawGrades(rt *rapid.T, conn schema.Connection, now time.Time) gradeCase {
	ctx := b.t.Context()
	g := gradeCase{conn: conn.ID, now: now, threshold: time.Duration(rapid.IntRange(1, 120).Draw(rt, "threshold")) * time.Hour}
	at := func(label string, most int) time.Time {
		off := time.Duration(rapid.IntRange(-1, 1).Draw(rt, label+" off")) * time.Microsecond
		return now.Add(-time.Duration(rapid.IntRange(0, most).Draw(rt, label)) * time.Hour).Add(off)
	}
	all := []schema.ActivitySource{"a", "b", "c"}
	declared := rapid.Permutation(all).Draw(rt, "order")[:rapid.IntRange(0, 3).Draw(rt, "declared")]
	require.NoError(rt, b.SetActivitySources(ctx, conn.Name, all, b.admin))
	for n := range 4 {
		a := b.accountOf(conn, fmt.Sprintf("%s-%d", conn.Name, n))
		if rapid.Bool().Draw(rt, "created is known") {
			a.CreatedAt, a.ObservedAt = at("created", 240), time.Now()
			_, err := b.SaveAccount(ctx, a)
			require.NoError(rt, err)
		}
		g.accounts = append(g.accounts, a.ID)
	}
	for _, source := range all {
		var uses []schema.ActivityEvent
		for n := range 4 {
			for i := range rapid.IntRange(0, 2).Draw(rt, "uses") {
				uses = append(uses, login(fmt.Sprint(n, "-", i), fmt.Sprintf("%s-%d", conn.Name, n), at("use", 240)))
			}
		}
		_, err := b.RecordActivity(ctx, conn.ID, source, uses, schema.Interval{})
		require.NoError(rt, err)
		for range rapid.IntRange(0, 2).Draw(rt, "spans") {
			to := at("to", 80)
			_, err := b.RecordActivity(ctx, conn.ID, source, nil, schema.Interval{From: to.Add(-time.Duration(rapid.IntRange(0, 200).Draw(rt, "span")) * time.Hour), To: to})
			require.NoError(rt, err)
		}
	}
	require.NoError(rt, b.SetActivitySources(ctx, conn.Name, declared, b.admin))
	return g
}

func (b *bundle) accountOf(conn schema.Connection, external string) schema.Account {
	b.t.Helper()
	a, err := b.SaveAccount(b.t.Context(), schema.Account{
		ConnectionID: conn.ID, ExternalID: schema.ExternalID(external), Login: external + "@example.com", Name: external,
		Role: schema.RoleMember, Status: schema.AccountActive, VendorStatus: "active", Kind: schema.KindPerson, EnterpriseID: conn.EnterpriseID,
		ObservedAt: time.Now(),
	})
	require.NoError(b.t, err)
	return a
}

// TestGradesInSQLAreThoseOfSchema: the expression that lists and reports use and
// the function that decides say the same of every account.
func TestGradesInSQLAreThoseOfSchema(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	now := ago(0)
	var cases []gradeCase
	var connections []schema.ConnectionID
	rapid.Check(t, func(rt *rapid.T) {
		n := len(cases)
		conn, err := b.CreateConnection(ctx, schema.Connection{
			Name: fmt.Sprint("c", n), Vendor: "box", BaseURL: "https://api.example.com", TokenURL: "https://api.example.com/oauth2/token",
			ClientID: "client", EnterpriseID: fmt.Sprint(n),
		}, "hunter2", b.admin)
		require.NoError(rt, err)
		c := b.drawGrades(rt, conn, now)
		cases, connections = append(cases, c), append(connections, conn.ID)
		grades, _, err := b.Grades(ctx, []schema.ConnectionID{conn.ID}, c.threshold, now)
		require.NoError(rt, err)
		for _, id := range c.accounts {
			activity, created, err := b.ActivityOf(ctx, id)
			require.NoError(rt, err)
			require.Equal(rt, schema.GradeOf(activity, c.threshold, created, now), grades[id], "%+v created %s", activity, created)
		}
	})

	// All connections at once, each by its own coverage.
	seen := map[schema.Grade]int{}
	grades, within, err := b.Grades(ctx, connections, cases[0].threshold, now)
	require.NoError(t, err)
	require.Equal(t, len(grades), within, "an index would have lost accounts")
	for _, c := range cases {
		for _, id := range c.accounts {
			activity, created, err := b.ActivityOf(ctx, id)
			require.NoError(t, err)
			require.Equal(t, schema.GradeOf(activity, cases[0].threshold, created, now), grades[id])
			seen[grades[id]]++
		}
	}
	require.GreaterOrEqual(t, len(seen), 4, "the draw has to bring most grades: %v", seen)

	// Of a connection that was not asked for nothing is claimed.
	grades, _, err = b.Grades(ctx, nil, cases[0].threshold, now)
	require.NoError(t, err)
	for _, g := range grades {
		require.True(t, slices.Contains([]schema.Grade{schema.GradeNotCollected, schema.GradeActive}, g))
	}
}
