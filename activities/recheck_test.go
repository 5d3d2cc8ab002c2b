package activities_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"
	"go.uber.org/zap"

	"sendoff/activities"
	"sendoff/schema"
)

const (
	day       = 24 * time.Hour
	threshold = 90 * day
)

// dormancy is an account that a review has found dormant, with the truth about it
// that only the vendor knows.
type dormancy struct {
	*bundle
	reviews *activities.Reviews
	account schema.Account
	rule    schema.PolicyRule
	policy  schema.Policy
	plan    schema.PlanID
	used    time.Time // the truth
	read    time.Time // up to when the feed was read; zero = it is not collected
	kept    time.Time // when somebody last said that it is needed

	restricted []schema.Restriction
}

// found has a review find the leaver dormant and open its case.
func found(b *bundle, more ...func(*schema.PolicyRule)) *dormancy {
	b.t.Helper()
	d := dormant(b, more...)
	d.apply()
	d.review()
	return d
}

// dormant has the leaver not used for longer than the threshold.
func dormant(b *bundle, more ...func(*schema.PolicyRule)) *dormancy {
	b.t.Helper()
	d := &dormancy{bundle: b, rule: dormantRule()}
	for _, f := range more {
		f(&d.rule)
	}
	b.acts = activities.New(activities.Config{
		Store: b.Store, Connectors: b.vendors, Notifier: b.mail, Clocks: schema.DefaultClocks(), Now: b.now, Rechecker: b.Store,
	})
	d.reviews = activities.NewReviews(activities.ReviewsConfig{
		Store: b.Store, Planner: b.planner(), Clocks: schema.DefaultClocks(), Now: b.now,
		AskToken: func(id schema.AskID) string { return string(id) }, AskTokenHash: func(token string) string { return token },
	})
	b.vendor.change(leaver, func(a *schema.Account) { a.CreatedAt, a.SpaceUsed = b.now().Add(-400*day), 0 })
	for _, id := range []schema.ExternalID{leaver, heir, second} {
		row := b.vendor.accounts[id]
		row.ConnectionID, row.ObservedAt = b.conn.ID, b.now()
		saved, err := b.SaveAccount(b.t.Context(), row)
		require.NoError(b.t, err)
		if id == leaver {
			d.account = saved
		}
	}
	b.exec(`insert into activity_source (connection_id, rank, source) values ($1, 0, 'box.events')`, b.conn.ID)
	d.used = b.now().Add(-100 * day)
	d.listed(b.now(), schema.DataActivity)
	d.readFeed()
	return d
}

// readFeed reads the vendor's events up to now.
func (d *dormancy) readFeed() {
	d.t.Helper()
	d.read = d.now()
	d.exec(`insert into activity_interval (connection_id, source, from_at, to_at) values ($1, 'box.events', $2, $3)
		on conflict (connection_id, source, from_at) do update set to_at = excluded.to_at`, d.conn.ID, time.Unix(1_500_000_000, 0), d.read)
	d.exec(`update account set last_active_at = case when id = $1 then $2::timestamptz else now() end where connection_id = $3`, d.account.ID, d.used, d.conn.ID)
}

// loseFeed makes activity not collected any more.
func (d *dormancy) loseFeed() {
	d.read = time.Time{}
	d.exec(`delete from activity_interval where connection_id = $1`, d.conn.ID)
}

// dormantRule is about accounts that were not used for the threshold.
func dormantRule() schema.PolicyRule {
	return schema.PolicyRule{
		Name: "dormant", Owner: "it@example.com", Mode: schema.PolicyActs, ColdStart: schema.ColdActs, Connections: []string{"fake"},
		Kinds: []schema.AccountKind{schema.KindPerson}, Statuses: []schema.AccountStatus{schema.AccountActive},
		Grades: []schema.Grade{schema.GradeInactive, schema.GradeNever}, Threshold: schema.Threshold{Default: threshold},
		Steps: []schema.StepFact{
			{Kind: schema.StepSnapshot}, {Kind: schema.StepSuspend}, {Kind: schema.StepWait, WaitSeconds: int64(10 * day / time.Second)}, {Kind: schema.StepDelete},
		},
		Budget:    schema.Budget{PerRun: 10},
		Freshness: schema.Freshness{Sync: day, Activity: 6 * time.Hour, Patience: day},
		Allow:     schema.Allowances{DeleteWithoutTransfer: true, MostOfPopulation: true},
	}
}

// apply applies the rule with the exclusions.
func (d *dormancy) apply(exclude ...schema.Exclusion) {
	d.t.Helper()
	rule := d.rule
	rule.Exclude = exclude
	out, err := d.ApplyPolicies(d.t.Context(), schema.ApplyPolicies{Files: []schema.PolicyFile{{Rule: rule, Source: "policy"}}}, d.admin)
	require.NoError(d.t, err)
	d.policy = out[0].Policy
}

// review carries a run through its activities.
func (d *dormancy) review() {
	d.t.Helper()
	ctx := d.t.Context()
	run, err := d.BeginReview(ctx, d.policy.ID, d.now(), "review/"+string(d.policy.ID))
	require.NoError(d.t, err)
	require.NoError(d.t, d.BeginJudging(ctx, run.ID))
	in := activities.ReviewInput{ReviewID: run.ID}
	env := newEnv(worker.Options{}, zap.NewNop())
	env.RegisterActivity(d.reviews)
	for _, fn := range []any{d.reviews.JudgeAccounts, d.reviews.PlanItems, d.reviews.EndPlanning, d.reviews.AskItems, d.reviews.ActOnItems} {
		_, err := env.ExecuteActivity(fn, in)
		require.NoError(d.t, err)
	}
	started, err := d.Items(ctx, run.ID, schema.ItemStarted, 10)
	require.NoError(d.t, err)
	require.Len(d.t, started, 1, "the dormant one and nobody else")
	plans, err := d.CasePlans(ctx, started[0].CaseID)
	require.NoError(d.t, err)
	d.plan = plans[0].ID
}

// destroyable tells whether the account may be destroyed now, by the truth: not
// used within the threshold, known to be so up to lately, nobody said that it is
// needed, and nothing holds it.
func (d *dormancy) destroyable() error {
	now := d.now()
	switch {
	case now.Sub(d.used) < threshold:
		return fmt.Errorf("used %s ago", now.Sub(d.used))
	case d.read.IsZero() || now.Sub(d.read) > 2*time.Hour:
		return fmt.Errorf("nobody knows: read up to %s", d.read)
	case !d.kept.IsZero() && now.Sub(d.kept) < threshold:
		return fmt.Errorf("kept %s ago", now.Sub(d.kept))
	}
	held, err := d.RestrictionsOn(d.t.Context(), d.conn.ID, leaver, leaverLogin)
	if err == nil && len(held) > 0 {
		err = fmt.Errorf("restricted: %s", held[0].Kind)
	}
	return err
}

// try carries out the plan's next step once, as its workflow would.
func (d *dormancy) try() error {
	p := d.bundle.plan(d.plan)
	index := 0
	for index < len(p.Steps) && p.Steps[index].State.Finished() {
		index++
	}
	if p.State.Ended() || p.Stopping || index == len(p.Steps) {
		return nil
	}
	ref := schema.StepRef{PlanID: p.ID, Index: index, Fence: p.Fence}
	if p.Steps[index].State == schema.StepRunning {
		ref.Fence--
	}
	switch p.Steps[index].Kind {
	case schema.StepSnapshot:
		return d.step(d.acts.Snapshot, ref)
	case schema.StepSuspend:
		return d.step(d.acts.Suspend, ref)
	case schema.StepWait:
		_, err := call[activities.WaitInput, activities.WaitResult](d.bundle, d.acts.Wait, activities.WaitInput{Ref: ref})
		return err
	default:
		_, err := call[activities.StepInput, activities.DeleteStatus](d.bundle, d.acts.Delete, activities.StepInput{Ref: ref})
		return err
	}
}

// Promise 4, and 6: whatever happens in whatever order, no account is destroyed
// that was used, held, protected, said to be needed, or about which nobody knew, at
// the moment of the delete. SENDOFF_SEEDS sets another number of orders.
func TestPromiseNothingActiveHeldOrUnknownIsDestroyed(t *testing.T) {
	t.Parallel()
	seeds := 12
	if text := os.Getenv("SENDOFF_SEEDS"); text != "" {
		var err error
		seeds, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	destroyed := 0
	for seed := range seeds {
		b := setup(t)
		d := found(b)
		random := rand.New(rand.NewPCG(uint64(seed), 0)) //nolint:gosec // the same each time
		b.vendor.during["delete"] = func() {
			require.NoError(t, d.destroyable(), "seed %d", seed)
			destroyed++
		}
		if seed%3 != 0 { // most orders begin where it is about to be destroyed
			d.toDelete()
		}
		for range 3 + random.IntN(9) {
			d.happen(random)
		}
		b.Close()
	}
	require.NotZero(t, destroyed, "an account that nothing speaks for is")
	require.Less(t, destroyed, seeds)
}

// toDelete carries the plan to where its delete is due.
func (d *dormancy) toDelete() {
	d.t.Helper()
	for range 3 {
		require.NoError(d.t, d.try())
	}
	d.later(11 * day)
	require.NoError(d.t, d.try(), "the wait ends")
}

// happen lets something happen: to the account, at the vendor, or in the engine.
func (d *dormancy) happen(random *rand.Rand) {
	d.t.Helper()
	switch []string{"try", "try", "try", "read", "read", "later", "use", "lose", "restrict", "release", "need"}[random.IntN(11)] {
	case "try":
		_ = d.try()
	case "read":
		d.readFeed()
		_ = d.try()
	case "later":
		d.later(time.Duration(1+random.IntN(240)) * time.Hour)
	case "use":
		d.used = d.now()
	case "lose":
		d.loseFeed()
	case "restrict":
		kind := []schema.RestrictionKind{schema.RestrictHold, schema.RestrictProtection}[random.IntN(2)]
		r, err := d.AddRestriction(d.t.Context(), schema.Restriction{Kind: kind, Subject: schema.SubjectAccount, ConnectionID: d.conn.ID, ExternalID: leaver, Reason: "test"}, d.admin)
		require.NoError(d.t, err)
		d.restricted = append(d.restricted, r)
	case "release":
		for _, r := range d.restricted {
			_, err := d.EndRestriction(d.t.Context(), r.Kind, r.ID, "test", d.admin)
			require.NoError(d.t, err)
		}
		d.restricted = nil
	case "need":
		d.kept = d.now()
		d.exec(`insert into account_kept (account_id, kept_at, by_name, reason) values ($1, $2, 'holder', 'needed')`, d.account.ID, d.kept)
	}
}

// Left alone, the account is deleted: the promise is not kept by doing nothing.
func TestDormantAccountIsDeletedWhenNothingSpeaksAgainstIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := found(b)
	for range 2 {
		require.NoError(t, d.try())
	}
	require.NoError(t, d.try(), "the wait begins")
	b.later(11 * day)
	require.NoError(t, d.try(), "and ends")
	requireType(t, d.try(), activities.TypeNotYet, true) // its activity is looked up first
	d.readFeed()
	require.NoError(t, d.try())
	require.Equal(t, 1, b.vendor.count("delete"))
}

// What the plan itself did to the account's status is no reason to stop, whatever
// the status was before that.
func TestDormantAccountIsDeletedWhateverItsStatusWas(t *testing.T) {
	t.Parallel()
	for before, status := range map[string]schema.AccountStatus{
		active: schema.AccountActive, restricted: schema.AccountRestricted,
	} {
		t.Run(before, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.vendor.change(leaver, func(a *schema.Account) { a.VendorStatus = before })
			d := found(b, func(r *schema.PolicyRule) { r.Statuses = []schema.AccountStatus{status} })
			d.toDelete()
			requireType(t, d.try(), activities.TypeNotYet, true)
			d.readFeed()
			require.NoError(t, d.try())
			require.Equal(t, 1, b.vendor.count("delete"))
		})
	}
}
