package store_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// TestAStartedItemHasTheRunsApprovals: promise 5. What was approved with the run
// needs no second approval, and what was not needs one.
func TestAStartedItemHasTheRunsApprovals(t *testing.T) {
	t.Parallel()
	r := reviewSetup(t)
	r.approved("alice", "bob")
	r.exec(`insert into review_approval (review_id, hash, principal, token_id, reason, created_at) values ($1, 'older hash', 'carol', $2, 'looked', now())`,
		string(r.run), newUUID())
	account, p, _ := r.started("1")
	require.Equal(t, []any{2, 1}, []any{p.Approved, p.Approvals})
	i := r.item(account)
	require.Equal(t, []any{schema.ItemStarted, p.CaseID, p.Hash}, []any{i.State, i.CaseID, i.Hash})
	c, err := r.Case(t.Context(), p.CaseID)
	require.NoError(t, err)
	require.Equal(t, []any{schema.DoorInactivity, "policy:dormant", schema.TokenID(r.policy)}, []any{c.Door, c.RequestedBy, c.RequestedID})
	list, err := r.Decisions(t.Context(), p.CaseID)
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Equal(t, []any{schema.DecideApprove, c.Hash, "alice", "looked"}, []any{list[0].Kind, list[0].Hash, list[0].Principal, list[0].Reason})
	approvals := 0
	for _, e := range r.auditOf(audit.CaseStream(string(p.CaseID))) {
		if e.Action == "decision.approve" {
			approvals++
			require.Equal(t, "run hash", e.Details["review_hash"])
		}
	}
	require.Equal(t, 2, approvals)
	_, err = r.BeginStep(t.Context(), schema.StepRef{PlanID: p.ID, Fence: p.Fence})
	require.NoError(t, err, "it may begin")

	other := r.unused("9").Accounts[0].Facts
	replaced, err := r.ReplacePlan(t.Context(), p.ID, func() schema.Facts { f := p.Facts; f.Receiver = other.AccountID; return f }(), []string{"receiver"})
	require.NoError(t, err)
	require.Zero(t, replaced.Approved, "other facts are not approved")
}

func TestAnUnapprovedItemWaits(t *testing.T) {
	t.Parallel()
	r := reviewSetup(t)
	_, p, _ := r.started("1")
	require.Zero(t, p.Approved)
	_, err := r.BeginStep(t.Context(), schema.StepRef{PlanID: p.ID, Fence: p.Fence})
	require.Error(t, err)
}

// TestWhoAskedForTheRunAsksForItsCases: so that they approve none of them.
func TestWhoAskedForTheRunAsksForItsCases(t *testing.T) {
	t.Parallel()
	r := reviewSetup(t)
	r.exec(`update review set requested_by = 'admin', requested_id = $2, trigger = 'person' where id = $1`, string(r.run), string(r.admin.TokenID))
	_, p, _ := r.started("1")
	_, err := r.Decide(t.Context(), schema.Decision{CaseID: p.CaseID, Kind: schema.DecideApprove, Hash: r.hashOfCase(p.CaseID), Reason: "mine"}, r.admin)
	requireCode(t, schema.CodeForbidden, err)
}

func TestAnItemIsStartedOnce(t *testing.T) {
	t.Parallel()
	r := reviewSetup(t)
	ctx := t.Context()
	account, d := r.planned("1")
	_, err := r.StartItem(ctx, r.run, account, d)
	requireCode(t, schema.CodeStale, err)
	require.NoError(t, r.AskAbout(ctx, r.run, account, nil, r.item(account).UpdatedAt))

	drifted := r.unused("1")
	drifted.Accounts[0].Facts.Login = "renamed@example.com"
	drifted.Hash = schema.CaseHash([]string{drifted.Accounts[0].Facts.Hash()})
	_, err = r.StartItem(ctx, r.run, account, drifted)
	requireCode(t, schema.CodeHashDiffers, err)
	_, err = r.StartItem(ctx, r.run, account, r.unused("2"))
	requireCode(t, schema.CodeInternal, err)
	r.in(schema.ReviewApproving)
	_, err = r.StartItem(ctx, r.run, account, d)
	requireCode(t, schema.CodeStale, err)
	r.in(schema.ReviewActing)
	require.Equal(t, schema.ItemReady, r.item(account).State)

	var wg sync.WaitGroup
	cases := make([]schema.CaseID, 4)
	for n := range cases {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c, err := r.StartItem(ctx, r.run, account, d)
			if err == nil {
				cases[n] = c.ID
			}
		}()
	}
	wg.Wait()
	for _, id := range cases {
		require.NotEmpty(t, id)
		require.Equal(t, cases[0], id)
	}
	r.in(schema.ReviewEnded)
	again, err := r.StartItem(ctx, r.run, account, d)
	require.NoError(t, err, "a crash after the commit")
	require.Equal(t, cases[0], again.ID)
	require.Equal(t, 1, r.count(`select count(*) from lifecycle_case`))
}

func TestAnItemOfABusyAccountIsNotStarted(t *testing.T) {
	t.Parallel()
	r := reviewSetup(t)
	account, d := r.planned("1")
	require.NoError(t, r.AskAbout(t.Context(), r.run, account, nil, r.item(account).UpdatedAt))
	hr := r.leaver("1", "", "suspend")
	_, err := r.StartItem(t.Context(), r.run, account, d)
	requireCode(t, schema.CodeConflict, err)
	require.Equal(t, []any{schema.ItemReady, schema.PlanPlanned}, []any{r.item(account).State, r.plan(hr.ID).State})
}

func TestCasesOfARunAreCountedFoundAndCancelled(t *testing.T) {
	t.Parallel()
	r := reviewSetup(t)
	ctx := t.Context()
	r.approved("alice")
	running := func() int {
		n, err := r.Running(ctx, r.run)
		require.NoError(t, err)
		return n
	}
	account, p, _ := r.started("1")
	_, other, _ := r.started("2")
	require.Equal(t, 2, running())
	i, run, err := r.ReviewItemOf(ctx, p.ID)
	require.NoError(t, err)
	require.Equal(t, []any{account, r.run, "dormant", 3, r.policy}, []any{i.AccountID, run.ID, run.Policy, run.Version, run.PolicyID})
	leaver := r.leaver("3", "", "suspend")
	_, _, err = r.ReviewItemOf(ctx, leaver.ID)
	requireCode(t, schema.CodeNotFound, err)
	requireCode(t, schema.CodeNotFound, r.CancelReviewCase(ctx, leaver.ID, "x"))

	require.NoError(t, r.CancelReviewCase(ctx, p.ID, "a login"))
	require.Equal(t, []any{schema.PlanCancelling, 1}, []any{r.plan(p.ID).State, running()})
	actions := r.policyActions()
	require.NoError(t, r.CancelReviewCase(ctx, p.ID, "a login"))
	require.NoError(t, r.EndPlan(ctx, p.ID, schema.PlanCancelled))
	require.NoError(t, r.CancelReviewCase(ctx, p.ID, "a login"))
	require.Equal(t, actions, r.policyActions(), "once")
	list, err := r.Decisions(ctx, p.CaseID)
	require.NoError(t, err)
	require.Len(t, list, 2) // alice's approval, and this
	require.Equal(t, []any{schema.DecideCancel, "a login", "policy:dormant"}, []any{list[1].Kind, list[1].Reason, list[1].Principal})

	r.begin(other.ID, 0)
	require.NoError(t, r.ParkPlan(ctx, other.ID, schema.Cause{Code: schema.ParkUnauthorized}))
	require.Zero(t, running(), "one that needs somebody takes no place")
}

// TestCleanUpsAreNoOffboardings: whoever holds an unused account stays.
func TestCleanUpsAreNoOffboardings(t *testing.T) {
	t.Parallel()
	r := reviewSetup(t)
	hrRoute := toIT("hr@example.com")
	hrRoute.Audience = schema.AudienceHR
	r.tells(toIT("it@example.com"), hrRoute, toManager())
	r.approved("alice")
	_, p, _ := r.started("1")
	r.begin(p.ID, 0)
	require.Empty(t, r.news(p.CaseID))
	r.park(p.ID, schema.ParkUnauthorized)
	require.Equal(t, "parked:UNAUTHORIZED", r.news(p.CaseID))
	require.Equal(t, schema.DoorInactivity, r.facts(p.CaseID, schema.NoticeParked, schema.AudienceIT).Door)
	r.decide(p, schema.DecideCancel)
	require.NoError(t, r.EndPlan(t.Context(), p.ID, schema.PlanCancelled))
	require.NoError(t, r.CloseCase(t.Context(), p.CaseID))
	require.Equal(t, "parked:UNAUTHORIZED", r.news(p.CaseID))
}
