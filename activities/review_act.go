package activities

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"sendoff/schema"
)

// ActOnItems settles the items whose time to be answered is over, and opens the
// cases of a piece of those that are ready, as far as there is room. When nothing
// is left to wait for it ends the run.
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
	started, waits, err := v.startReady(ctx, o)
	if err != nil || started == actPiece {
		return Piece{More: true}, err
	}
	next, err := v.store.NextAnswer(ctx, o.review.ID)
	switch {
	case err != nil:
		return Piece{}, err
	case waits > 0 && (next.IsZero() || next.Sub(v.now()) > waits):
		return Piece{Wait: waits}, nil
	case !next.IsZero():
		return Piece{Wait: max(next.Sub(v.now()), time.Millisecond)}, nil
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

// startReady opens the cases of up to actPiece ready items and returns how many it
// settled so, and how long to wait before there may be room or fresh facts.
func (v *reviewing) startReady(ctx context.Context, o opened) (int, time.Duration, error) {
	items, err := v.store.Items(ctx, o.review.ID, schema.ItemReady, actPiece)
	if err != nil || len(items) == 0 {
		return 0, 0, err
	}
	if fresh, err := v.freshEnough(ctx, o); err != nil || !fresh {
		return 0, v.cfg.Clocks.PollFirst, err
	}
	running, err := v.store.Running(ctx, o.review.ID)
	if err != nil {
		return 0, 0, err
	}
	room := min(atOnce-running, len(items))
	if room <= 0 {
		return 0, v.cfg.Clocks.PollFirst, nil
	}
	if down, err := v.start(ctx, o, items[:room]); err != nil || down {
		return 0, v.cfg.Clocks.BusyPoll, err
	}
	if room < len(items) {
		return room, v.cfg.Clocks.PollFirst, nil
	}
	return room, 0, nil
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
// whether a connection could not be used at all: its items wait.
func (v *reviewing) start(ctx context.Context, o opened, items []schema.ReviewItem) (down bool, err error) {
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
		if ok {
			requests, ready = append(requests, r), append(ready, item)
		}
	}
	drafts, err := v.drafts(ctx, o, requests, true)
	for i, d := range drafts {
		if unusable(d) {
			down = true
			continue
		}
		if err := v.startOne(ctx, ready[i], d); err != nil {
			return false, err
		}
	}
	return down, err
}

// unusable tells whether a draft could not be made because its connection does not
// answer: that says nothing of the account.
func unusable(d schema.Draft) bool {
	return len(d.Accounts) == 0 && slices.ContainsFunc(d.Findings, func(f schema.Finding) bool { return f.Code == schema.ConnectionDegraded })
}

func (v *reviewing) startOne(ctx context.Context, item schema.ReviewItem, d schema.Draft) error {
	settle := func(to schema.ItemState, why string, drift []schema.Difference) error {
		return unlessStale(v.store.SettleItem(ctx, item.ReviewID, item.AccountID, to, why, drift))
	}
	if len(d.Accounts) == 1 && item.Facts != nil && d.Accounts[0].Facts.Hash() != item.Hash {
		diffs := differences(*item.Facts, d.Accounts[0].Facts)
		return settle(schema.ItemDrifted, "it is not what was approved: "+factNames(diffs), diffs)
	}
	if schema.Refused(d.AllFindings()) {
		return settle(schema.ItemRefused, "pre-flight refuses it now: "+codesOf(d.AllFindings()), nil)
	}
	_, err := v.store.StartItem(ctx, item.ReviewID, item.AccountID, d)
	switch schema.CodeOf(err) {
	case schema.CodeConflict, schema.CodeHashDiffers, schema.CodeRefused, schema.CodeForbidden:
		return settle(schema.ItemRefused, describeRefusal(err), nil)
	}
	return unlessStale(err)
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
