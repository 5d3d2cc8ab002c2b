package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"sendoff/internal/store"
	"sendoff/schema"
)

// contest is two runs and a case of another door that want the engine's budget at
// the same moment, through two processes.
type contest struct {
	*policies
	rt      *rapid.T
	stores  []*store.Store
	engine  int
	account int // the last one's number
	round   int
}

// bid is what one of them wants.
type bid struct {
	review schema.ReviewID // empty = the case
	wants  int
	take   func(*store.Store) (taken bool, err error)
}

func (c *contest) accounts(n int) []string {
	c.account += n
	return numbers(c.account-n+1, c.account)
}

// run plans a run of some accounts, which fits alone.
func (c *contest) run(name string) bid {
	n := rapid.IntRange(1, c.engine).Draw(c.rt, name)
	r := c.plans(c.has(suspends(fmt.Sprint(name, c.round))), c.matched(c.accounts(n)...)...)
	return bid{review: r.ID, wants: n, take: func(s *store.Store) (bool, error) {
		ended, err := s.EndPlanning(c.t.Context(), r.ID)
		return ended.State == schema.ReviewActing, err
	}}
}

// leaver is a case of the door offboarding.
func (c *contest) leaver() bid {
	d := c.draft(c.accounts(1)[0], "", "suspend")
	return bid{wants: 1, take: func(s *store.Store) (bool, error) {
		_, err := s.CreateCases(c.t.Context(), []schema.Draft{d}, c.admin)
		if schema.CodeOf(err) == schema.CodeConflict {
			return false, nil
		}
		return err == nil, err
	}}
}

// race lets all bids be made at once, and returns those that were refused.
func (c *contest) race(bids []bid) []bid {
	type result struct {
		bid
		taken bool
		err   error
	}
	results := make(chan result)
	for i, b := range bids {
		go func() {
			taken, err := b.take(c.stores[i%len(c.stores)])
			results <- result{b, taken, err}
		}()
	}
	var refused []bid
	var errs []error
	for range bids {
		r := <-results
		if !r.taken {
			refused = append(refused, r.bid)
		}
		errs = append(errs, r.err)
	}
	for _, err := range errs {
		require.NoError(c.rt, err)
	}
	return refused
}

// TestBudgetsHold: of runs and cases that want the engine's budget at once, together
// they never take more than it allows unless two people release it; nobody is refused
// who fits; another process finds the same; and what was not started is given back.
func TestBudgetsHold(t *testing.T) {
	t.Parallel()
	p := policySetup(t)
	eve, joe := p.holder("eve", ""), p.holder("joe", "")
	c := &contest{policies: p, stores: []*store.Store{p.Store, p.open()}}
	failing := false
	rapid.Check(t, func(rt *rapid.T) {
		if c.round++; c.round > 8 && !failing {
			return // each is dozens of transactions
		}
		failing = true
		p.exec(`update budget_use set used_at = used_at - interval '25 hours'`)
		c.rt, c.engine = rt, rapid.IntRange(2, 5).Draw(rt, "engine")
		_, err := p.SetEngineBudget(t.Context(), schema.EngineBudget{PerDay: c.engine}, p.admin)
		require.NoError(rt, err)
		bids := []bid{c.run("a"), c.run("b")}
		if rapid.Bool().Draw(rt, "leaver") {
			bids = append(bids, c.leaver())
		}
		c.check(bids, c.race(bids), eve, joe)
		failing = false
	})
}

func (c *contest) check(bids, refused []bid, eve, joe schema.Principal) {
	t, rt := c.t, c.rt
	used, wanted := c.used(), 0
	require.LessOrEqual(rt, used, c.engine)
	for _, b := range bids {
		wanted += b.wants
	}
	require.Equal(rt, wanted > c.engine, len(refused) > 0)
	restarted := c.open()
	defer restarted.Close()
	for _, b := range refused {
		wanted -= b.wants
		require.Greater(rt, used+b.wants, c.engine, "nobody is refused who fits")
	}
	require.Equal(rt, wanted, used)
	for _, b := range bids {
		if b.review != "" {
			before, err := c.Review(t.Context(), b.review)
			require.NoError(rt, err)
			again, err := restarted.EndPlanning(t.Context(), b.review)
			require.NoError(rt, err)
			require.Equal(rt, before, again)
		}
	}
	spent, err := restarted.BudgetUsed(t.Context(), time.Now().Add(-24*time.Hour))
	require.NoError(rt, err)
	require.Equal(rt, used, spent.Accounts)
	c.release(refused, used, eve, joe)
}

// release lets two people release a run that is held, and ends all runs.
func (c *contest) release(refused []bid, used int, eve, joe schema.Principal) {
	for _, b := range refused {
		if b.review == "" || !rapid.Bool().Draw(c.rt, "release") {
			continue
		}
		held, err := c.Review(c.t.Context(), b.review)
		require.NoError(c.rt, err)
		for _, by := range []schema.Principal{eve, joe} {
			_, err = c.decides(held, schema.BatchReleased, by)
			require.NoError(c.rt, err)
		}
		used += b.wants
	}
	require.Equal(c.rt, used, c.used())
	list, _, err := c.Reviews(c.t.Context(), schema.ReviewFilter{Limit: 2})
	require.NoError(c.rt, err)
	for _, r := range list {
		require.NoError(c.rt, c.EndReview(c.t.Context(), r.ID, schema.ReviewFailed, ""))
	}
	require.LessOrEqual(c.rt, c.used(), 1, "but for the case, nothing was started")
}
