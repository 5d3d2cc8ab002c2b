package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sendoff/connectors"
	"sendoff/internal/policy"
	"sendoff/schema"
)

const (
	// replanRefused is how often pre-flight is asked again about a leaver it refused.
	replanRefused = time.Hour
	// replanMissing is how often a leaver without an account is looked for.
	replanMissing = 24 * time.Hour
	// missingFor is how long after their moment.
	missingFor = 30 * 24 * time.Hour
	// staleTries bounds how often a leaver is read again that HR changes meanwhile.
	staleTries = 5
)

// LeaverInput names a leaver.
type LeaverInput struct {
	LeaverID schema.LeaverID `json:"leaver_id"`
}

// LeaverResult says when to look at a leaver again.
type LeaverResult struct {
	Ended bool          `json:"ended"`
	Wait  time.Duration `json:"wait"` // 0 = until told
}

// LeaversConfig is what Leavers is built from.
type LeaversConfig struct {
	Store interface {
		LeaverStore
		CaseStore
		TransferStore
	}
	Planner *Planner
	Now     func() time.Time // nil = the clock
}

// Leavers brings cases in line with what HR wants.
type Leavers struct {
	cfg LeaversConfig
	now func() time.Time
}

// NewLeavers returns the activities of leavers.
func NewLeavers(cfg LeaversConfig) *Leavers {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Leavers{cfg: cfg, now: cfg.Now}
}

// SettleLeaver does the one next thing that brings the leaver's case in line with
// what HR wants: plans and opens it, joins one that is there, moves or cancels it,
// or ends the leaver with it. Asked again, it finds where it stands.
func (a *Leavers) SettleLeaver(ctx context.Context, in LeaverInput) (LeaverResult, error) {
	defer beat(ctx)()
	ctx = connectors.WithPriority(ctx, connectors.PriorityPreflight)
	for range staleTries {
		l, err := a.cfg.Store.Leaver(ctx, in.LeaverID)
		if err != nil {
			return LeaverResult{}, err
		}
		r, err := a.settle(ctx, l)
		if schema.CodeOf(err) != schema.CodeStale {
			return r, err
		}
	}
	return LeaverResult{Wait: time.Second}, nil
}

func (a *Leavers) settle(ctx context.Context, l schema.Leaver) (LeaverResult, error) {
	switch l.State {
	case schema.LeaverEnded:
		return LeaverResult{Ended: true}, nil
	case schema.LeaverHeld:
		return a.takeBack(ctx, l)
	case schema.LeaverOpen:
		return a.follow(ctx, l)
	case schema.LeaverWithdrawn:
		return a.withdraw(ctx, l)
	default:
		return a.plan(ctx, l)
	}
}

// takeBack cancels the case of a held leaver that has not begun. One that began
// before it was held goes on: what was started is not undone for a count.
func (a *Leavers) takeBack(ctx context.Context, l schema.Leaver) (LeaverResult, error) {
	if l.CaseID == "" {
		return LeaverResult{}, nil
	}
	gone, err := a.partFromClosed(ctx, l)
	if err != nil || gone {
		return LeaverResult{Wait: time.Second}, err
	}
	err = a.cfg.Store.CancelLeaverCase(ctx, l.ID, l.Revision, "held: more leavers than the limit of "+l.Source+" allows", nil, true)
	if schema.CodeOf(err) == schema.CodeConflict {
		return LeaverResult{Wait: time.Second}, a.cfg.Store.JoinCase(ctx, l.ID, l.Revision, l.CaseID)
	}
	return LeaverResult{}, err
}

// partFromClosed parts the leaver from a case of its own that is closed.
func (a *Leavers) partFromClosed(ctx context.Context, l schema.Leaver) (bool, error) {
	c, err := a.cfg.Store.Case(ctx, l.CaseID)
	if err != nil || c.ClosedAt.IsZero() {
		return false, err
	}
	return true, a.cfg.Store.LeaveCase(ctx, l.ID, l.Revision)
}

// plan opens a case for the leaver, or joins the one that works for the person.
func (a *Leavers) plan(ctx context.Context, l schema.Leaver) (LeaverResult, error) {
	if l.CaseID != "" {
		gone, err := a.partFromClosed(ctx, l)
		if err != nil || !gone {
			return LeaverResult{}, err // its end is told
		}
		return LeaverResult{Wait: time.Second}, nil
	}
	c, open, err := a.cfg.Store.OpenCaseOf(ctx, l.PersonID)
	switch {
	case err != nil:
		return LeaverResult{}, err
	case open:
		return LeaverResult{}, a.cfg.Store.JoinCase(ctx, l.ID, l.Revision, c.ID)
	}
	request, err := a.request(ctx, l)
	if err != nil {
		return LeaverResult{}, err
	}
	if request.Email == "" {
		return a.missing(ctx, l)
	}
	drafts, err := a.cfg.Planner.Draft(ctx, []schema.Request{request})
	switch code := schema.CodeOf(err); {
	case code == schema.CodeNotFound:
		return a.missing(ctx, l)
	case code == schema.CodeAmbiguous, code == schema.CodeInvalid:
		return a.refused(ctx, l, findingsOf(err))
	case err != nil:
		return LeaverResult{}, err
	case schema.Refused(drafts[0].AllFindings()):
		return a.refused(ctx, l, drafts[0].AllFindings())
	}
	_, err = a.cfg.Store.OpenLeaverCase(ctx, l.ID, l.Revision, drafts[0])
	switch schema.CodeOf(err) {
	case schema.CodeConflict, schema.CodeHashDiffers, schema.CodeRefused:
		return a.refused(ctx, l, findingsOf(err))
	}
	return LeaverResult{}, err
}

// request asks for the case of a leaver. An address that nobody knows is no reason
// to miss accounts that are known to be theirs.
func (a *Leavers) request(ctx context.Context, l schema.Leaver) (schema.Request, error) {
	logins, err := a.cfg.Store.LoginsOf(ctx, l.PersonID)
	if err != nil {
		return schema.Request{}, err
	}
	r := schema.Request{
		Door: schema.DoorOffboarding, Email: l.Email, PersonID: l.PersonID, Logins: logins, Receivers: l.Receivers,
		EffectiveAt: l.Moment.DueAt, Grace: schema.DefaultGrace, Template: l.Template, Approvals: l.Approvals, Source: "hr",
	}
	if r.Email == "" && len(logins) > 0 {
		r.Email = logins[0]
	}
	return r, nil
}

// missing records that nobody has an account of the leaver. One may be made before
// they leave, or only be found after.
func (a *Leavers) missing(ctx context.Context, l schema.Leaver) (LeaverResult, error) {
	left := l.Moment.DueAt.Sub(a.now())
	if left < -missingFor {
		return LeaverResult{Ended: true}, a.cfg.Store.EndLeaver(ctx, l.ID, l.Revision, schema.EndNoAccount)
	}
	wait := replanMissing
	if left > 0 {
		wait = min(wait, left)
	}
	return LeaverResult{Wait: wait}, a.cfg.Store.MissLeaver(ctx, l.ID, l.Revision)
}

func (a *Leavers) refused(ctx context.Context, l schema.Leaver, findings []schema.Finding) (LeaverResult, error) {
	return LeaverResult{Wait: replanRefused}, a.cfg.Store.RefuseLeaver(ctx, l.ID, l.Revision, findings)
}

// findingsOf are the problems of an error in the form of findings.
func findingsOf(err error) []schema.Finding {
	var e *schema.Error
	if !errors.As(err, &e) {
		return nil
	}
	if len(e.Problems) == 0 {
		return []schema.Finding{{Code: schema.PlanImpossible, Message: e.Message, Fix: e.Fix}}
	}
	var out []schema.Finding
	for _, p := range e.Problems {
		out = append(out, schema.Finding{Code: schema.FindingCode(p.Code), Message: p.Message, Fix: p.Fix})
	}
	return out
}

// follow keeps the leaver's case at the leaver's moment, and ends with it.
func (a *Leavers) follow(ctx context.Context, l schema.Leaver) (LeaverResult, error) {
	c, err := a.cfg.Store.Case(ctx, l.CaseID)
	if err != nil {
		return LeaverResult{}, err
	}
	if !c.ClosedAt.IsZero() {
		end, err := a.endOf(ctx, c)
		if err != nil {
			return LeaverResult{}, err
		}
		return LeaverResult{Ended: true}, a.cfg.Store.EndLeaver(ctx, l.ID, l.Revision, end)
	}
	if !l.OwnCase || c.EffectiveAt.Equal(l.Moment.DueAt) {
		return LeaverResult{}, nil
	}
	err = a.cfg.Store.MoveLeaverCase(ctx, l.ID, l.Revision)
	if schema.CodeOf(err) != schema.CodeConflict || !l.Moment.DueAt.After(a.now()) {
		if schema.CodeOf(err) == schema.CodeConflict {
			err = nil // it runs already, as it should
		}
		return LeaverResult{}, err
	}
	// It has begun, and they stay for longer: what was done is undone, and the case
	// is opened anew for its time.
	return a.cancel(ctx, l, "the last day moved to "+l.Moment.DueAt.UTC().Format(time.RFC3339)+" after the case had begun")
}

// endOf tells how a closed case ended.
func (a *Leavers) endOf(ctx context.Context, c schema.Case) (schema.LeaverEnd, error) {
	plans, err := a.cfg.Store.CasePlans(ctx, c.ID)
	for _, p := range plans {
		if p.State == schema.PlanCancelled {
			return schema.EndCancelled, err
		}
	}
	return schema.EndDone, err
}

// withdraw cancels the leaver's own case and waits for its end. Another's is left
// to whoever opened it.
func (a *Leavers) withdraw(ctx context.Context, l schema.Leaver) (LeaverResult, error) {
	ended := func() (LeaverResult, error) {
		return LeaverResult{Ended: true}, a.cfg.Store.EndLeaver(ctx, l.ID, l.Revision, schema.EndWithdrawn)
	}
	if l.CaseID == "" || !l.OwnCase {
		return ended()
	}
	c, err := a.cfg.Store.Case(ctx, l.CaseID)
	if err != nil {
		return LeaverResult{}, err
	}
	if !c.ClosedAt.IsZero() {
		return ended()
	}
	return a.cancel(ctx, l, "they do not leave after all: "+l.Source)
}

// cancel cancels the leaver's case and keeps what will not come back.
func (a *Leavers) cancel(ctx context.Context, l schema.Leaver, reason string) (LeaverResult, error) {
	lost, err := a.lost(ctx, l.CaseID)
	if err != nil {
		return LeaverResult{}, err
	}
	return LeaverResult{}, a.cfg.Store.CancelLeaverCase(ctx, l.ID, l.Revision, reason, lost, false)
}

// lost says what cancelling a case now does not bring back (promise 7).
func (a *Leavers) lost(ctx context.Context, id schema.CaseID) ([]string, error) {
	plans, err := a.cfg.Store.CasePlans(ctx, id)
	if err != nil {
		return nil, err
	}
	var lost []string
	for _, p := range plans {
		conn, err := a.cfg.Store.Connection(ctx, p.ConnectionID)
		if err != nil {
			return nil, err
		}
		var transfer *schema.Transfer
		t, begun, err := a.cfg.Store.Transfer(ctx, p.ID)
		if err != nil {
			return nil, err
		}
		if begun {
			transfer = &t
		}
		if p.State.Ended() && p.State != schema.PlanDone {
			continue
		}
		for _, what := range policy.ForecastUndo(p, transfer).NotBroughtBack {
			lost = append(lost, fmt.Sprintf("%s: %s", conn.Name, what))
		}
	}
	return lost, nil
}
