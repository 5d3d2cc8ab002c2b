package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"

	"sendoff/schema"
)

// ActOnItems settles the items whose time to be answered is over, and opens the
// cases of those that are ready, for a while and as far as there is room. When
// nothing is left to wait for it ends the run.
func (v *Reviews) ActOnItems(ctx context.Context, in ReviewInput) (Piece, error) {
	o, err := v.open(ctx, in.ReviewID)
	if err != nil || o.review.State != schema.ReviewActing {
		return Piece{More: true}, err
	}
	if left := v.dark(o.policy.Rule); left > 0 {
		return Piece{Wait: left}, nil
	}
	if err := v.settleDue(ctx, o); err != nil {
		return Piece{}, err
	}
	p, err := v.startReady(ctx, o)
	if err != nil || p.More {
		return p, err
	}
	next, err := v.store.NextAnswer(ctx, o.review.ID)
	switch {
	case err != nil:
		return Piece{}, err
	case !next.IsZero():
		return p.until(next.Sub(v.now())), nil
	case p.Wait > 0:
		return p, nil
	}
	// Stale: somebody confirmed an account meanwhile, which is started first.
	return Piece{More: true}, unlessStale(v.store.EndReview(ctx, o.review.ID, schema.ReviewDone, ""))
}

func (v *reviewing) settleDue(ctx context.Context, o opened) error {
	for {
		items, err := v.store.DueItems(ctx, o.review.ID, v.now(), askPiece)
		if err != nil || len(items) == 0 {
			return err
		}
		for _, item := range items {
			asks, err := v.store.AnswersOf(ctx, o.review.ID, item.AccountID)
			if err != nil {
				return err
			}
			to, why := settleAnswers(o.policy.Rule, asks)
			if err := unlessStale(v.store.SettleItem(ctx, o.review.ID, item.AccountID, to, why, nil)); err != nil {
				return err
			}
		}
	}
}

// startReady opens cases piece by piece, of the next items as soon as those before
// leave room, for up to actFor: a run of many thousand accounts costs its workflow
// a few events a minute then, and not some for each look. It tells whether there is
// more to start, or how long to wait before it may be tried again.
func (v *reviewing) startReady(ctx context.Context, o opened) (Piece, error) {
	over := time.NewTimer(actFor)
	defer over.Stop()
	l := &look{drafting: v.cfg.Planner.Drafting()}
	for {
		wait, err := v.store.WaitForBudget(ctx, o.review.ID)
		if err != nil {
			return Piece{}, err
		}
		items, err := v.store.ReadyItems(ctx, o.review.ID, slices.Concat(o.disabled(), wait.Connections, l.left), l.waits, actPiece)
		if err != nil || len(items) == 0 {
			return v.nothingToStart(ctx, o, wait, err)
		}
		if p, err := v.startPiece(ctx, o, l, items); err != nil || p.Wait > 0 {
			return p, err
		}
		switch goOn, err := v.goesOn(ctx, o, over.C); {
		case err != nil:
			return Piece{}, err
		case !goOn && l.stuck():
			return v.polls(v.cfg.Clocks.BusyPoll), nil
		case !goOn:
			return Piece{More: true}, nil
		}
	}
}

// nothingToStart says how long items wait that are ready: for room in a budget, until
// there may be some; for a disabled connection, and for what cannot be read, longer
// with each look.
func (v *reviewing) nothingToStart(ctx context.Context, o opened, wait schema.BudgetWait, err error) (Piece, error) {
	var p Piece
	if err != nil {
		return p, err
	}
	left, err := v.store.ReadyItems(ctx, o.review.ID, wait.Connections, nil, 1)
	if len(left) > 0 {
		p = v.polls(v.cfg.Clocks.BusyPoll)
	}
	if wait.Accounts > 0 {
		p = p.until(wait.Until.Sub(v.now()))
	}
	return p, err
}

// polls is a piece after which a run looks again soon, then later and later: nobody
// tells it when it may go on.
func (v *reviewing) polls(first time.Duration) Piece {
	return Piece{Wait: first, Longest: v.cfg.Clocks.PollMax}
}

// disabled are the policy's connections that plans must not use.
func (o opened) disabled() []schema.ConnectionID {
	var ids []schema.ConnectionID
	for _, c := range o.conns {
		if c.State != schema.ConnectionEnabled {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// startPiece opens the cases of ready items, as far as there is room, and returns
// how long to wait for fresh facts or for room in a budget, 0 = not.
func (v *reviewing) startPiece(ctx context.Context, o opened, l *look, items []schema.ReviewItem) (Piece, error) {
	if fresh, err := v.freshEnough(ctx, o); err != nil || !fresh {
		return v.polls(v.cfg.Clocks.PollFirst), err
	}
	running, err := v.store.Running(ctx, o.review.ID)
	if err != nil {
		return Piece{}, err
	}
	if room := min(atOnce-running, len(items)); room > 0 {
		if down, err := v.start(ctx, o, l, items[:room]); err != nil || down {
			return v.polls(v.cfg.Clocks.BusyPoll), err
		}
		if room == len(items) {
			return Piece{}, nil
		}
	}
	return Piece{}, rest(ctx, roomEvery)
}

// goesOn tells whether a run may open more cases now, without its workflow asking
// again: it is still acting, it is not dark, and neither the time nor the worker is
// over.
func (v *reviewing) goesOn(ctx context.Context, o opened, over <-chan time.Time) (bool, error) {
	select {
	case <-over:
		return false, nil
	case <-activity.GetWorkerStopChannel(ctx):
		return false, nil
	default:
	}
	r, err := v.store.Review(ctx, o.review.ID)
	return r.State == schema.ReviewActing && v.dark(o.policy.Rule) == 0, err
}

// rest waits, or shorter when the activity or its worker is to end.
func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-activity.GetWorkerStopChannel(ctx):
	case <-timer.C:
	}
	return nil
}

// freshEnough asks for activity that is older than the policy allows: what was
// proven when the run was planned may be months ago by now.
func (v *reviewing) freshEnough(ctx context.Context, o opened) (bool, error) {
	basis, err := v.store.PopulationBasis(ctx, o.ids())
	if err != nil {
		return false, err
	}
	fresh := true
	for _, s := range v.tooOld(o.policy.Rule, basis) {
		if s.kind != schema.RunActivity {
			continue
		}
		fresh = false
		if err := v.store.AskRun(ctx, s.id, s.kind); err != nil && schema.CodeOf(err) != schema.CodeClosed {
			return false, err
		}
	}
	return fresh, nil
}

// start opens the cases of ready items, of each if everything that was approved is
// as it was. Otherwise the item ends with the difference (promise 5). It tells
// whether a connection could not be used at all, or a budget has no more room: what
// is left waits. So does what cannot be read now, which keeps no other from its turn.
func (v *reviewing) start(ctx context.Context, o opened, l *look, items []schema.ReviewItem) (down bool, err error) {
	requests := make([]schema.Request, 0, len(items))
	ready := make([]schema.ReviewItem, 0, len(items))
	for _, item := range items {
		if !o.enabled(item.ConnectionID) {
			down = true
			continue
		}
		r, ok, err := v.request(ctx, o, item)
		if err != nil {
			return false, err
		}
		if !ok {
			l.settled++
			continue
		}
		requests, ready = append(requests, r), append(ready, item)
	}
	drafts, err := v.drafts(ctx, o, l.drafting, requests, true)
	for i, d := range drafts {
		waits, err := v.unread(ctx, ready[i], d, v.cfg.Clocks.PlanWait(startPatience))
		if err != nil {
			return false, err
		}
		if waits {
			l.leave(ready[i], d)
			continue
		}
		if waits, err = v.startOne(ctx, ready[i], d.Draft); err != nil || waits {
			return waits, err
		}
		l.settled++
	}
	return down, err
}

// startOne opens the case of one item, or settles it; waits = a budget of 24 hours
// has no room for it now, or its connection was disabled, and it stays ready.
func (v *reviewing) startOne(ctx context.Context, item schema.ReviewItem, d schema.Draft) (waits bool, err error) {
	settle := func(to schema.ItemState, why string, drift []schema.Difference) error {
		return unlessStale(v.store.SettleItem(ctx, item.ReviewID, item.AccountID, to, why, drift))
	}
	if len(d.Accounts) == 1 && item.Facts != nil && d.Accounts[0].Facts.Hash() != item.Hash {
		diffs := differences(*item.Facts, d.Accounts[0].Facts)
		return false, settle(schema.ItemDrifted, "it is not what was approved: "+factNames(diffs), diffs)
	}
	if schema.Refused(d.AllFindings()) {
		return false, settle(schema.ItemRefused, "pre-flight refuses it now: "+codesOf(d.AllFindings()), nil)
	}
	_, err = v.store.StartItem(ctx, item.ReviewID, item.AccountID, d)
	if overBudget(err) {
		return true, nil
	}
	switch schema.CodeOf(err) {
	case schema.CodeConflict:
		now, readErr := v.store.Connection(ctx, item.ConnectionID)
		if readErr != nil || now.State != schema.ConnectionEnabled {
			return true, readErr
		}
		return false, settle(schema.ItemRefused, describeRefusal(err), nil)
	case schema.CodeHashDiffers, schema.CodeRefused, schema.CodeForbidden:
		return false, settle(schema.ItemRefused, describeRefusal(err), nil)
	}
	return false, unlessStale(err)
}

// overBudget tells whether a budget of 24 hours has no room for an account now.
func overBudget(err error) bool {
	var e *schema.Error
	return errors.As(err, &e) && slices.ContainsFunc(e.Problems, func(p schema.Problem) bool { return p.Code == string(schema.OverBudget) })
}

func describeRefusal(err error) string {
	if list := findingsOf(err); len(list) > 0 {
		return list[0].Message
	}
	return "it cannot be started"
}

func codesOf(findings []schema.Finding) string {
	var codes []string
	for _, f := range findings {
		if !f.Warning {
			codes = append(codes, string(f.Code))
		}
	}
	return strings.Join(codes, ", ")
}

func factNames(list []schema.Difference) string {
	names := make([]string, len(list))
	for i, d := range list {
		names[i] = d.Fact
	}
	return strings.Join(names, ", ")
}

// differences shows each fact that drifted as it was approved and as it is.
func differences(before, now schema.Facts) []schema.Difference {
	show := func(f schema.Facts, name string) string {
		switch name {
		case "enterprise_id":
			return f.EnterpriseID
		case "account_id":
			return string(f.AccountID)
		case "login":
			return f.Login
		case "role":
			return string(f.Role)
		case "kind":
			return string(f.Kind)
		case "receiver":
			return f.ReceiverLogin
		case "template":
			return fmt.Sprintf("%s version %d", f.Template, f.TemplateVersion)
		case "restrictions":
			return strings.Join(f.Restrictions, ", ")
		case "holds":
			return string(f.Holds)
		case "last_active_at":
			return f.LastActiveAt
		case "threshold_seconds":
			return (time.Duration(f.ThresholdSeconds) * time.Second).String()
		}
		return fmt.Sprintf("%d steps", len(f.Steps))
	}
	var out []schema.Difference
	for _, name := range before.Drift(now) {
		out = append(out, schema.Difference{Fact: name, Before: show(before, name), Now: show(now, name)})
	}
	return out
}
