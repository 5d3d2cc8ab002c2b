package store_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func TestCreateCases(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()

	t.Run("writes case, plan, steps and the outbox row", func(t *testing.T) {
		d := b.draft("1", "2", "leaver")
		d.Request.EffectiveAt = time.Date(2030, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))
		cases, err := b.CreateCases(ctx, []schema.Draft{d}, b.admin)
		require.NoError(t, err)
		c, err := b.Case(ctx, cases[0].ID)
		require.NoError(t, err)
		require.Equal(t, cases[0], c)
		require.Equal(t, time.Hour, c.Grace)
		require.Equal(t, b.admin.TokenID, c.RequestedID)
		require.Equal(t, d.Hash, c.Hash)
		plans, err := b.CasePlans(ctx, c.ID)
		require.NoError(t, err)
		require.Equal(t, d.Accounts[0].Facts, plans[0].Facts)
		require.Equal(t, d.Accounts[0].Facts.Hash(), plans[0].Hash)
		require.Len(t, plans[0].Steps, 6)
		require.Equal(t, int64(3600), plans[0].Steps[4].WaitSeconds)
		require.Equal(t, schema.RankOffboarding, plans[0].Rank)
		a, err := b.Account(ctx, plans[0].AccountID)
		require.NoError(t, err)
		require.Equal(t, c.PersonID, a.PersonID)
		rows := b.drain()
		require.Len(t, rows, 1)
		require.Equal(t, schema.OutboxStartCase, rows[0].Kind)
		require.Equal(t, c.ID, rows[0].CaseID)
		open, ok, err := b.OpenPlanOf(ctx, b.conn.ID, "1")
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, plans[0], open)
		_, ok, err = b.OpenPlanOf(ctx, b.conn.ID, "2")
		require.NoError(t, err)
		require.False(t, ok)
	})
	t.Run("an account has one open plan; the refusal names the case", func(t *testing.T) {
		running, _, err := b.OpenPlanOf(ctx, b.conn.ID, "1")
		require.NoError(t, err)
		_, err = b.CreateCases(ctx, []schema.Draft{b.draft("9", "", "suspend"), b.draft("1", "2", "leaver")}, b.admin)
		requireCode(t, schema.CodeConflict, err)
		require.ErrorContains(t, err, string(running.CaseID))
		_, ok, err := b.OpenPlanOf(ctx, b.conn.ID, "9")
		require.NoError(t, err)
		require.False(t, ok, "all drafts or none")
	})
	t.Run("over any connection to its enterprise", func(t *testing.T) {
		first := b.conn
		var err error
		b.conn, err = b.CreateConnection(ctx, schema.Connection{Name: "beside", Vendor: "box", EnterpriseID: "900", ReadOnly: true}, "s", b.admin)
		require.NoError(t, err)
		_, err = b.CreateCases(ctx, []schema.Draft{b.draft("1", "2", "leaver")}, b.admin)
		requireCode(t, schema.CodeConflict, err)
		open, ok, err := b.OpenPlanOf(ctx, b.conn.ID, "1")
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, first.ID, open.ConnectionID)
		b.conn = first
	})
	t.Run("refuses drafts that are not what was confirmed", func(t *testing.T) {
		d := b.draft("10", "", "suspend")
		d.Hash = "other"
		_, err := b.CreateCases(ctx, []schema.Draft{d}, b.admin)
		requireCode(t, schema.CodeHashDiffers, err)
		d = b.draft("10", "", "suspend")
		d.Findings = []schema.Finding{{Code: schema.Busy}}
		_, err = b.CreateCases(ctx, []schema.Draft{d}, b.admin)
		requireCode(t, schema.CodeRefused, err)
		d = b.draft("10", "", "suspend")
		_, err = b.CreateCases(ctx, []schema.Draft{d, d}, b.admin)
		requireCode(t, schema.CodeConflict, err)
		_, err = b.CreateCases(ctx, []schema.Draft{{}}, b.admin)
		requireCode(t, schema.CodeInvalid, err)
	})
	t.Run("refuses a connection disabled meanwhile", func(t *testing.T) {
		d := b.draft("11", "", "suspend")
		_, err := b.SetConnectionState(ctx, "box", schema.ConnectionDisabled, "test", b.admin)
		require.NoError(t, err)
		_, err = b.CreateCases(ctx, []schema.Draft{d}, b.admin)
		requireCode(t, schema.CodeConflict, err)
	})
}

func TestOneOfTwoCasesForAnAccountWins(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := b.draft("1", "2", "leaver")
	errs := make([]error, 6)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { _, errs[i] = b.CreateCases(t.Context(), []schema.Draft{d}, b.admin) })
	}
	wg.Wait()
	requireOneWins(t, schema.CodeConflict, errs)
}

// requireOneWins asserts that one of the errors is nil and the others carry the code.
func requireOneWins(t *testing.T, code schema.Code, errs []error) {
	t.Helper()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		requireCode(t, code, err)
	}
	require.Equal(t, 1, won)
}

func TestFindCase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	p := b.leaver("1", "2", "suspend")
	other := b.leaver("3", "4", "suspend")
	id := string(p.CaseID)

	for _, ref := range []string{id, strings.ToUpper(id), strings.ReplaceAll(id, "-", ""), id[:35], "USER1@example.com"} {
		c, err := b.FindCase(ctx, ref)
		require.NoError(t, err, ref)
		require.Equal(t, p.CaseID, c.ID, ref)
	}
	shared := 0
	for id[shared] == other.CaseID[shared] {
		shared++
	}
	require.GreaterOrEqual(t, shared, 8, "cases of one minute share their beginning")
	_, err := b.FindCase(ctx, id[:8])
	requireCode(t, schema.CodeAmbiguous, err)
	_, err = b.FindCase(ctx, "00000000")
	requireCode(t, schema.CodeNotFound, err)
	for _, ref := range []string{"", id[:7], "zzzzzzzzzz", id + "0"} {
		_, err = b.FindCase(ctx, ref)
		requireCode(t, schema.CodeInvalid, err)
	}
	_, err = b.FindCase(ctx, "stranger@example.com")
	requireCode(t, schema.CodeNotFound, err)
	require.NotContains(t, err.Error(), "stranger")

	b.finish(p)
	c, err := b.FindCase(ctx, "user1@example.com")
	require.NoError(t, err)
	require.Equal(t, p.CaseID, c.ID, "a closed case, while no other is open")
	again := b.leaver("1", "2", "suspend")
	closed := b.leaver("1b", "2", "suspend")
	b.exec(`update lifecycle_case set person_id = (select person_id from lifecycle_case where id = $1), closed_at = now() where id = $2`,
		again.CaseID, closed.CaseID)
	c, err = b.FindCase(ctx, "user1@example.com")
	require.NoError(t, err)
	require.Equal(t, again.CaseID, c.ID, "an open case before a newer closed one")
	_, err = b.Case(ctx, "0197c0de-0000-7000-8000-000000000001")
	requireCode(t, schema.CodeNotFound, err)
}

// finish cancels a plan's case before it begins, and closes it.
func (b *bundle) finish(p schema.Plan) {
	b.t.Helper()
	b.decide(p, schema.DecideCancel)
	require.NoError(b.t, b.EndPlan(b.t.Context(), p.ID, schema.PlanCancelled))
	require.NoError(b.t, b.CloseCase(b.t.Context(), p.CaseID))
}

func TestListCases(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	var ids []schema.CaseID
	var plans []schema.Plan
	for i := range 7 {
		p := b.leaver(fmt.Sprint(i), "", "suspend")
		plans = append(plans, p)
		ids = append([]schema.CaseID{p.CaseID}, ids...) // newest first
	}

	t.Run("pages hold each case once", func(t *testing.T) {
		var got []schema.CaseID
		f := schema.CaseFilter{Limit: 3}
		for pages := 1; ; pages++ {
			views, next, err := b.ListCases(ctx, f)
			require.NoError(t, err)
			for _, v := range views {
				got = append(got, v.Case.ID)
			}
			if f.After = next; next == "" {
				require.Equal(t, 3, pages)
				break
			}
			b.leaver(fmt.Sprint("new", pages), "", "suspend") // what comes meanwhile moves no page
		}
		require.Equal(t, ids, got)
	})
	t.Run("filters by state, as the least finished plan has it, and by address", func(t *testing.T) {
		b.begin(plans[0].ID, 0)
		require.NoError(t, b.ParkPlan(ctx, plans[0].ID, schema.Cause{Code: schema.ParkVendorRefused, Message: "no", Fix: "look"}))
		b.finish(plans[1])
		for state, want := range map[schema.PlanState]schema.CaseID{schema.PlanParked: plans[0].CaseID, schema.PlanCancelled: plans[1].CaseID} {
			views, _, err := b.ListCases(ctx, schema.CaseFilter{State: state, Limit: 10})
			require.NoError(t, err)
			require.Len(t, views, 1)
			require.Equal(t, want, views[0].Case.ID)
			require.Equal(t, state, views[0].State)
		}
		views, _, err := b.ListCases(ctx, schema.CaseFilter{Email: "User2@Example.com", Limit: 10})
		require.NoError(t, err)
		require.Len(t, views, 1)
		require.Equal(t, plans[2].CaseID, views[0].Case.ID)
	})
	t.Run("refuses pages of no or too many entries", func(t *testing.T) {
		_, _, err := b.ListCases(ctx, schema.CaseFilter{})
		requireCode(t, schema.CodeInvalid, err)
		_, _, err = b.ListCases(ctx, schema.CaseFilter{Limit: 501})
		requireCode(t, schema.CodeInvalid, err)
		_, _, err = b.ListCases(ctx, schema.CaseFilter{Limit: 1, After: "x"})
		requireCode(t, schema.CodeInvalid, err)
	})
}

func TestCaseViewShowsTheLeastFinishedPlan(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	d, second := b.draft("1", "2", "leaver"), b.draft("3", "4", "suspend")
	d.Accounts = append(d.Accounts, second.Accounts...)
	d.Hash = schema.CaseHash([]string{d.Accounts[0].Facts.Hash(), d.Accounts[1].Facts.Hash()})
	p := b.write(d)
	b.begin(p.ID, 0)
	view, err := b.CaseView(ctx, p.CaseID)
	require.NoError(t, err)
	require.Equal(t, schema.PlanPlanned, view.State)
	require.Len(t, view.Accounts, 2)
	require.Equal(t, "box", view.Accounts[0].Connection)
	require.Equal(t, view.Accounts[0].Plan.AccountID, view.Accounts[0].Account.ID)
	require.Nil(t, view.Accounts[0].Transfer)
	_, err = b.CaseView(ctx, "0197c0de-0000-7000-8000-000000000001")
	requireCode(t, schema.CodeNotFound, err)
}

func TestOutbox(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	p := b.leaver("1", "2", "suspend")
	b.begin(p.ID, 0)
	b.decide(p, schema.DecideCancel)
	q := b.leaver("3", "4", "suspend")
	failing := fmt.Errorf("start: %w", &schema.Error{Code: schema.CodeUnavailable, Message: "secret user1@example.com"})

	t.Run("a decision does not overtake its case's start", func(t *testing.T) {
		var seen []schema.OutboxRow
		n, err := b.ClaimOutbox(ctx, 10, func(_ context.Context, row schema.OutboxRow) error {
			seen = append(seen, row)
			if row.CaseID == p.CaseID {
				return failing
			}
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.Len(t, seen, 2, "the cancel waits behind the start that failed")
		require.Equal(t, schema.OutboxStartCase, seen[0].Kind)
		require.Equal(t, q.CaseID, seen[1].CaseID)
	})
	t.Run("a failed row comes again, later each time, and says no more than a class", func(t *testing.T) {
		var tries int
		var class string
		var due time.Duration
		read := func() {
			row := b.sql().QueryRow(ctx, `select tries, last_error, next_try_at - now() from outbox where case_id = $1 order by id limit 1`, p.CaseID)
			require.NoError(t, row.Scan(&tries, &class, &due))
		}
		read()
		require.Equal(t, 1, tries)
		require.Equal(t, "unavailable", class)
		require.LessOrEqual(t, due, time.Second)
		require.Empty(t, b.drain(), "it is not due")
		for range 8 {
			b.exec(`update outbox set next_try_at = now() where dispatched_at is null`)
			_, err := b.ClaimOutbox(ctx, 1, func(context.Context, schema.OutboxRow) error { return failing })
			require.NoError(t, err)
		}
		read()
		require.Equal(t, 9, tries)
		require.Greater(t, due, 50*time.Second)
		require.LessOrEqual(t, due, time.Minute)
	})
	t.Run("a dispatcher that is stopped leaves the row as it was", func(t *testing.T) {
		b.exec(`update outbox set next_try_at = now() where dispatched_at is null`)
		stopping, cancel := context.WithCancel(ctx)
		_, err := b.ClaimOutbox(stopping, 1, func(ctx context.Context, _ schema.OutboxRow) error {
			cancel()
			return ctx.Err()
		})
		require.ErrorIs(t, err, context.Canceled)
		var tries int
		require.NoError(t, b.sql().QueryRow(ctx, `select tries from outbox where case_id = $1 order by id limit 1`, p.CaseID).Scan(&tries))
		require.Equal(t, 9, tries)
	})
	t.Run("in the end all rows went in order, once", func(t *testing.T) {
		b.exec(`update outbox set next_try_at = now() where dispatched_at is null`)
		rows := b.drain()
		require.Len(t, rows, 2)
		require.Equal(t, schema.OutboxStartCase, rows[0].Kind)
		require.Equal(t, schema.OutboxDecision, rows[1].Kind)
		require.Equal(t, p.ID, rows[1].PlanID)
		require.NotEmpty(t, rows[1].DecisionID)
		require.Empty(t, b.drain())
	})
}

func TestOneOfTwoDispatchersClaimsARow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.leaver("1", "2", "suspend")
	entered, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	var first int
	var firstErr error
	wg.Go(func() {
		first, firstErr = b.ClaimOutbox(t.Context(), 1, func(context.Context, schema.OutboxRow) error {
			close(entered)
			<-release
			return nil
		})
	})
	<-entered
	second, err := b.ClaimOutbox(t.Context(), 1, func(context.Context, schema.OutboxRow) error { return nil })
	close(release)
	wg.Wait()
	require.NoError(t, err)
	require.NoError(t, firstErr)
	require.Equal(t, 1, first)
	require.Zero(t, second)
}

func TestWaitOutbox(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	require.NoError(t, b.WaitOutbox(ctx, time.Minute), "it listens now")
	require.NoError(t, b.WaitOutbox(ctx, time.Millisecond), "nothing was written")
	d := b.draft("1", "2", "suspend")
	woken := make(chan error, 1)
	go func() { woken <- b.WaitOutbox(ctx, time.Minute) }()
	_, err := b.CreateCases(ctx, []schema.Draft{d}, b.admin)
	require.NoError(t, err)
	select {
	case err := <-woken:
		require.NoError(t, err)
	case <-time.After(20 * time.Second):
		require.Fail(t, "the write woke nobody")
	}
	b.exec(`select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%' and datname = current_database()`)
	require.Error(t, b.WaitOutbox(ctx, time.Minute), "the connection was lost")
	require.NoError(t, b.WaitOutbox(ctx, time.Minute), "a new one listens")
}
