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

// later is a run whose accounts start days after it was planned.
type later struct {
	policy schema.Policy
	review schema.Review
	left   []schema.Judged
	shown  int // what two people released it up to; 0 = it fitted
}

// days lets time pass between planning and starting.
type days struct {
	*contest
	runs   []*later
	starts map[int]int // accounts that started, by hours ago
	passes int
}

// pass moves what was used into the past: no two times by the same, so that no row
// comes where another still is.
func (d *days) pass(hours int) {
	d.passes++
	const far = `make_interval(years => 1000)` // where nothing is: each row is compared with all others when it moves
	d.exec(`update budget_use set used_at = used_at - ` + far)
	d.exec(`update budget_use set used_at = used_at + `+far+` - make_interval(hours => $1, secs => $2)`, hours, float64(d.passes*2_654_435_761%7_919_993)/1e6)
	aged := map[int]int{}
	for ago, n := range d.starts {
		aged[ago+hours] = n
	}
	d.starts = aged
}

// inWindow is how many started within the last 24 hours.
func (d *days) inWindow() (n int) {
	for ago, started := range d.starts {
		if ago < 24 {
			n += started
		}
	}
	return n
}

// plan plans a run, has it released when it is held, and makes its accounts ready.
func (d *days) plan(name string, release []schema.Principal) {
	n := rapid.IntRange(1, d.engine+1).Draw(d.rt, name)
	l := &later{policy: d.has(suspends(fmt.Sprint(name, d.round))), left: d.matched(d.accounts(n)...)}
	l.review = d.ends(d.plans(l.policy, l.left...))
	if l.review.State == schema.ReviewHeld {
		require.Greater(d.rt, n, d.engine)
		for _, by := range release {
			_, err := d.decides(l.review, schema.BatchReleased, by)
			require.NoError(d.rt, err)
		}
		l.shown = n
	}
	for _, j := range l.left {
		require.NoError(d.rt, d.AskAbout(d.t.Context(), l.review.ID, j.AccountID, nil, time.Time{}))
	}
	d.runs = append(d.runs, l)
}

// start opens the case of an account; false = it waits for a budget.
func (d *days) start(s *store.Store, l *later, j schema.Judged) (bool, error) {
	draft, err := d.draftOf(l.policy, j)
	if err == nil {
		_, err = s.StartItem(d.t.Context(), l.review.ID, j.AccountID, draft)
	}
	if schema.CodeOf(err) == schema.CodeConflict && problemsOf(d.t, err)[0].Code == string(schema.OverBudget) {
		return false, nil
	}
	return err == nil, err
}

// today starts whatever is ready, all at once, beside a case of another door.
func (d *days) today() {
	type outcome struct {
		run  *later
		item schema.Judged
		ok   bool
		err  error
	}
	results, asked := make(chan outcome), 0
	if rapid.Bool().Draw(d.rt, "leaver") {
		leaver := d.leaver()
		asked++
		go func() {
			ok, err := leaver.take(d.stores[0])
			results <- outcome{ok: ok, err: err}
		}()
	}
	for _, l := range d.runs {
		for i, j := range l.left {
			asked++
			go func() {
				ok, err := d.start(d.stores[i%2], l, j)
				results <- outcome{l, j, ok, err}
			}()
		}
		l.left = nil
	}
	before, started, limit, refused := d.inWindow(), 0, d.engine, false
	var errs []error
	for range asked {
		o := <-results
		errs = append(errs, o.err)
		switch {
		case o.ok:
			started++
			if o.run != nil {
				limit = max(limit, o.run.shown)
			}
		case o.run != nil:
			o.run.left, refused = append(o.run.left, o.item), true
		default:
			refused = true
		}
	}
	for _, err := range errs {
		require.NoError(d.rt, err)
	}
	d.starts[0] += started
	require.LessOrEqual(d.rt, before+started, max(limit, before), "on the day that they start")
	if refused {
		require.GreaterOrEqual(d.rt, before+started, d.engine, "nobody waits who fits")
	}
	d.waits()
}

// waits checks what runs say of what waits.
func (d *days) waits() {
	for _, l := range d.runs {
		wait, err := d.WaitForBudget(d.t.Context(), l.review.ID)
		require.NoError(d.rt, err)
		shown := d.waitShown(l)
		if len(l.left) == 0 {
			require.Nil(d.rt, shown)
			continue
		}
		require.Equal(d.rt, len(l.left), wait.Accounts)
		require.Equal(d.rt, len(l.left), shown.Accounts)
		require.Greater(d.rt, time.Until(wait.Until), -11*time.Hour)
		require.Less(d.rt, time.Until(wait.Until), 25*time.Hour)
	}
}

func (d *days) waitShown(l *later) *schema.BudgetWait {
	r, err := d.Review(d.t.Context(), l.review.ID)
	require.NoError(d.rt, err)
	return r.BudgetWait
}

// TestBudgetsHoldOnTheDayAccountsStart: however long ago runs were planned, no more
// accounts start in 24 hours than the engine's budget allows, but those that two
// people released; nobody waits who fits; and everybody starts in the end.
func TestBudgetsHoldOnTheDayAccountsStart(t *testing.T) {
	t.Parallel()
	p := policySetup(t)
	release := []schema.Principal{p.holder("eve", ""), p.holder("joe", "")}
	c := &contest{policies: p, stores: []*store.Store{p.Store, p.open()}}
	failing := false
	rapid.Check(t, func(rt *rapid.T) {
		if c.round++; c.round > 3 && !failing {
			return // each is dozens of transactions
		}
		failing = true
		d := &days{contest: c, starts: map[int]int{}}
		d.pass(49)
		c.rt, c.engine = rt, rapid.IntRange(1, 3).Draw(rt, "engine")
		_, err := p.SetEngineBudget(t.Context(), schema.EngineBudget{PerDay: c.engine}, p.admin)
		require.NoError(rt, err)
		for _, name := range []string{"a", "b"} {
			d.plan(name, release)
			d.pass(rapid.SampledFrom([]int{25, 24 * 14}).Draw(rt, "asked for"))
		}
		left := 1
		for range 20 {
			if left == 0 {
				break
			}
			d.today()
			left = 0
			for _, l := range d.runs {
				left += len(l.left)
			}
			d.pass(rapid.SampledFrom([]int{5, 13, 25}).Draw(rt, "until tomorrow"))
		}
		require.Zero(rt, left, "each starts in the end")
		for _, l := range d.runs {
			require.NoError(rt, p.EndReview(t.Context(), l.review.ID, schema.ReviewDone, ""))
		}
		failing = false
	})
}
