package activities

import (
	"cmp"
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"sendoff/connectors"
	"sendoff/internal/inactivity"
	"sendoff/schema"
)

// Rechecker is what activities need to judge the account of a review's plan again.
type Rechecker interface {
	PolicyAt(ctx context.Context, id schema.PolicyID, version int) (schema.Policy, error)
	ReviewItemOf(ctx context.Context, plan schema.PlanID) (schema.ReviewItem, schema.Review, error)
	CancelReviewCase(ctx context.Context, plan schema.PlanID, reason string) error
	Subject(ctx context.Context, id schema.AccountID, needs schema.Needs) (schema.Subject, error)
	AskRun(ctx context.Context, connection schema.ConnectionID, kind schema.RunKind) error
	// GroupNames are the names of those of the connection's groups that are known.
	GroupNames(ctx context.Context, connection schema.ConnectionID, ids []schema.ExternalID) (map[schema.ExternalID]string, error)
}

// activityPatience is how long a step waits for activity to be looked up before it
// parks.
const activityPatience = 4 * time.Hour

// leastPatience is what is left of it where time is scaled: reading a feed takes
// its time.
const leastPatience = 5 * time.Minute

// recheck judges the account of an inactivity review's plan again, directly before
// a write: by what is known now of its use, of answers and of the policy's
// exclusions (promise 4). One that the policy takes no more has its case
// cancelled, which gives back what was taken. What nobody knows parks. Before an
// irreversible step its use is looked up at the vendor again first.
func (a *Activities) recheck(ctx context.Context, w *work, now schema.Account) error {
	if w.plan.Facts.Cause != string(schema.DoorInactivity) {
		return nil
	}
	if a.rechecker == nil {
		return &Refusal{Code: schema.ParkInternal, Message: "this worker cannot judge accounts by policies", Fix: "report this as a fault of sendoff"}
	}
	item, review, err := a.rechecker.ReviewItemOf(ctx, w.plan.ID)
	if schema.CodeOf(err) == schema.CodeNotFound {
		return nil // a person began it by hand: no policy says what would end it
	}
	if err != nil {
		return err
	}
	p, err := a.rechecker.PolicyAt(ctx, review.PolicyID, review.Version)
	if err != nil {
		return err
	}
	rule, err := inactivity.Compile(p.Rule)
	if err != nil {
		return err
	}
	s, err := a.rechecker.Subject(ctx, w.plan.AccountID, rule.Query(nil, a.now()).Needs)
	if err != nil {
		return err
	}
	if kind := w.step(); kind == schema.StepTransfer || kind == schema.StepDelete {
		if err := a.lookedUp(ctx, w, s.Activity.Covered); err != nil {
			return err
		}
	}
	if err := a.asBefore(ctx, &s, *w, now); err != nil {
		return err
	}
	v := rule.Judge(&s, a.now())
	switch v.Reason {
	case schema.ReasonMatched:
		w.lastActive = &s.Activity.LastActiveAt
		return nil
	case schema.ReasonUnknown, schema.ReasonNotCollected:
		return &Refusal{
			Code: schema.ParkActivityUnknown, Message: "nobody knows whether the account was used: " + string(v.Reason),
			Fix: "see: sendoff doctor " + w.conn.Name + "; when its activity is collected again, resume; or cancel the case",
		}
	}
	_, why, _ := unmatched(item, s, v)
	if err := a.rechecker.CancelReviewCase(ctx, w.plan.ID, "before the step "+string(w.step())+": "+why); err != nil {
		return err
	}
	return &schema.Error{Code: schema.CodeStopped, Message: "the review has no reason for the case any more: " + string(v.Reason)}
}

// lookedUp makes sure that the vendor's feed was read since the step began, and
// within the time that counts as directly before it.
func (a *Activities) lookedUp(ctx context.Context, w *work, covered schema.Interval) error {
	step, _ := w.plan.Step(w.ref.Index)
	since := a.now().Add(-a.clocks.LookUp)
	if step.StartedAt.After(since) {
		since = step.StartedAt
	}
	if !covered.Empty() && !covered.To.Before(since.Add(-a.clocks.EventDelay)) {
		return nil
	}
	if info := activity.GetInfo(ctx); info.StartedTime.Sub(info.ScheduledTime) > max(a.clocks.PlanWait(activityPatience), leastPatience) {
		return &Refusal{
			Code: schema.ParkActivityUnknown, Message: "the vendor's activity could not be looked up directly before the step",
			Fix: "see: sendoff doctor " + w.conn.Name + "; when its activity is read again, resume",
		}
	}
	if err := a.rechecker.AskRun(ctx, w.conn.ID, schema.RunActivity); err != nil {
		return err
	}
	return a.notConfirmedYet(ctx, "its activity is being looked up")
}

// asBefore shows the account to the judge as it was before the plan's own steps:
// what they did to it is no reason to stop.
func (a *Activities) asBefore(ctx context.Context, s *schema.Subject, w work, now schema.Account) error {
	before := s.Account
	s.Account = now
	s.Account.ID, s.Account.ConnectionID, s.Account.PersonID = before.ID, before.ConnectionID, before.PersonID
	if w.plan.PriorStatus != "" || !w.plan.WindowOpen.IsZero() {
		vendor, err := connectors.Capability[connectors.Suspender](w.c, "suspend")
		if err != nil {
			return err
		}
		// Only a suspended account's window is opened.
		s.Account.VendorStatus = cmp.Or(w.plan.PriorStatus, vendor.SuspendedStatus())
		s.Account.Status = statusOf(vendor, s.Account.VendorStatus)
	}
	if w.plan.Snapshot != nil {
		s.Account.SpaceUsed = w.plan.Snapshot.SpaceUsed
	}
	return a.groupsBefore(ctx, s, w)
}

// groupsBefore adds the groups that the plan took the account out of, or is about
// to, by their names too: an exclusion may go by these.
func (a *Activities) groupsBefore(ctx context.Context, s *schema.Subject, w work) error {
	if len(w.plan.Memberships) == 0 {
		return nil
	}
	ids := make([]schema.ExternalID, len(w.plan.Memberships))
	for i, m := range w.plan.Memberships {
		ids[i] = m.GroupID
	}
	names, err := a.rechecker.GroupNames(ctx, w.conn.ID, ids)
	for _, m := range w.plan.Memberships {
		s.Groups = append(s.Groups, schema.HeldGroup{ID: string(m.GroupID), Name: names[m.GroupID], Role: m.Role})
	}
	return err
}

// statusOf is what a status of the vendor's means: one that is neither active nor
// suspended forbids something.
func statusOf(vendor connectors.Suspender, status string) schema.AccountStatus {
	switch status {
	case vendor.ActiveStatus():
		return schema.AccountActive
	case vendor.SuspendedStatus():
		return schema.AccountSuspended
	}
	return schema.AccountRestricted
}

// step is the kind of the step that is carried out.
func (w work) step() schema.StepKind {
	s, _ := w.plan.Step(w.ref.Index)
	return s.Kind
}
