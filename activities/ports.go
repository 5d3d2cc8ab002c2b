package activities

import (
	"context"
	"time"

	"sendoff/connectors"
	"sendoff/schema"
)

// Store is what activities need of Postgres. Each method that changes state is
// one transaction that checks and moves it by compare-and-set and appends the
// audit record. They return schema.Error with the codes named.
type Store interface {
	CaseStore
	StepStore
	TransferStore
}

// CaseStore reads and closes cases and plans.
type CaseStore interface {
	PeopleStore

	Case(ctx context.Context, id schema.CaseID) (schema.Case, error)
	Plan(ctx context.Context, id schema.PlanID) (schema.Plan, error)
	CasePlans(ctx context.Context, id schema.CaseID) ([]schema.Plan, error)
	Connection(ctx context.Context, id schema.ConnectionID) (schema.Connection, error)
	EnabledConnections(ctx context.Context) ([]schema.Connection, error)
	Account(ctx context.Context, id schema.AccountID) (schema.Account, error)

	// OpenPlanOf returns the open plan of the vendor's account, and whether
	// there is one.
	OpenPlanOf(ctx context.Context, c schema.ConnectionID, id schema.ExternalID) (schema.Plan, bool, error)
	// LaneHolder returns the case whose transfer is now open on the vendor's
	// account, in whatever role, and whether there is one.
	LaneHolder(ctx context.Context, c schema.ConnectionID, id schema.ExternalID) (schema.CaseID, bool, error)
	// UnsettledTransferOf returns the newest case that ended for the vendor's
	// account while its transfer had no verdict, and whether there is one.
	UnsettledTransferOf(ctx context.Context, c schema.ConnectionID, id schema.ExternalID) (schema.CaseID, bool, error)
	// PlannedBytes sums what open plans of the connection will still bring to
	// the receiver, in bytes.
	PlannedBytes(ctx context.Context, c schema.ConnectionID, receiver schema.ExternalID) (int64, error)
	// SaveAccount inserts or updates an account by connection and external id
	// and returns it with its id. A later observation wins.
	SaveAccount(ctx context.Context, a schema.Account) (schema.Account, error)

	// Template returns the template of that name as it is now, built in or from a
	// file; CodeNotFound.
	Template(ctx context.Context, name string) (schema.Template, error)
	// RestrictionsOn returns the live holds and protections that apply to the
	// vendor's account, by its id, its login, or its person's address, by id.
	RestrictionsOn(ctx context.Context, c schema.ConnectionID, id schema.ExternalID, login string) ([]schema.Restriction, error)

	// ReplacePlan renews the facts, the hash of plan and case, and the parameters
	// of steps not begun, of a plan that has not ended, when facts drifted; state
	// and fence stay. Approvals of the old hash lapse. Audited with the names of
	// the facts that drifted.
	ReplacePlan(ctx context.Context, id schema.PlanID, facts schema.Facts, drift []string) (schema.Plan, error)
	// EndPlan moves a plan to done, or from cancelling to cancelled.
	EndPlan(ctx context.Context, id schema.PlanID, to schema.PlanState) error
	// ParkPlan parks a plan with its cause; repeating it with the same code is
	// no change. CodeStopped for one that is being cancelled.
	ParkPlan(ctx context.Context, id schema.PlanID, cause schema.Cause) error
	// ParkUndo parks a plan whose undo needs an operator.
	ParkUndo(ctx context.Context, id schema.PlanID, cause schema.Cause) error
	// ResumedSince tells whether an operator resumed the plan, in whatever form,
	// since the instant.
	ResumedSince(ctx context.Context, id schema.PlanID, since time.Time) (bool, error)
	// HoldsDeclaredAt returns when the live declaration that the connection's
	// vendor has no legal holds was made; zero = there is none.
	HoldsDeclaredAt(ctx context.Context, c schema.ConnectionID) (time.Time, error)
	// CloseCase marks the case closed once all its plans have ended.
	CloseCase(ctx context.Context, id schema.CaseID) error
}

// StepStore moves a plan through its steps.
type StepStore interface {
	// BeginStep makes the step the plan's current one and raises the fence to
	// ref.Fence+1; a repeat for the same ref returns the same. It refuses with
	// CodeStateBehind, CodeStale, CodeNotApproved, CodeSuperseded, CodeStopped.
	BeginStep(ctx context.Context, ref schema.StepRef) (schema.Plan, error)
	// WaitStep records that the plan waits (for an instant, or for w's reason).
	WaitStep(ctx context.Context, ref schema.StepRef, until time.Time) error
	// IntendWrite journals a write directly before it is sent, after checking
	// everything again: approved, not superseded or stopped, hash and fence
	// match, engine not paused, connection enabled and not read-only.
	IntendWrite(ctx context.Context, ref schema.StepRef, w schema.VendorWrite) error
	// IntendUndo is IntendWrite for a plan that is cancelling.
	IntendUndo(ctx context.Context, id schema.PlanID, w schema.VendorWrite) error
	// LastWrite returns the journal of the plan's writes of that op, and whether
	// there is any.
	LastWrite(ctx context.Context, id schema.PlanID, op string) (schema.WriteRecord, bool, error)
	// RecordOutcome journals what became of the last write of w.Op: the detail
	// "outcome" is accepted, refused or unknown.
	RecordOutcome(ctx context.Context, id schema.PlanID, w schema.VendorWrite) error
	RecordEvidence(ctx context.Context, ref schema.StepRef, e schema.Evidence) error
	// SavePriorStatus keeps the vendor status that undo restores; the first one wins.
	SavePriorStatus(ctx context.Context, ref schema.StepRef, vendorStatus string) error
	// SaveDeep keeps what was read ahead of a plan that has not begun.
	SaveDeep(ctx context.Context, id schema.PlanID, d schema.DeepRead) error
	SaveSnapshot(ctx context.Context, ref schema.StepRef, s schema.Snapshot) error
	// SaveMemberships keeps the memberships that remove_from_groups is about to
	// take away and that undo makes again; the first ones win.
	SaveMemberships(ctx context.Context, ref schema.StepRef, m []schema.Membership) error
	// OpenWindow records that the suspended source is made active for a transfer's
	// call, before it is; CloseWindow that it is suspended again. A plan whose
	// window is open does nothing else before it is closed.
	OpenWindow(ctx context.Context, ref schema.StepRef) error
	CloseWindow(ctx context.Context, id schema.PlanID) error
	// AllowWindow lets the plan open a window, as its template says.
	AllowWindow(ctx context.Context, ref schema.StepRef) error
	// IntendClosing is IntendWrite for the closing of an open window, in whatever
	// state the plan is.
	IntendClosing(ctx context.Context, id schema.PlanID, w schema.VendorWrite) error
	// CountDeleteRefusal raises and returns the plan's refused deletes and, in
	// the same transaction, moves a proven or presumed transfer back to settling.
	CountDeleteRefusal(ctx context.Context, ref schema.StepRef) (int, error)
	CompleteStep(ctx context.Context, ref schema.StepRef, state schema.StepState, proof map[string]string) error
}

// TransferStore moves a plan's transfer (DESIGN section 6).
type TransferStore interface {
	Transfer(ctx context.Context, id schema.PlanID) (schema.Transfer, bool, error)
	// EnterLane makes the transfer's row, and takes both parties' lanes or a
	// place in the queue: it returns the state intended, or waiting with the
	// position. A transfer beyond those states is returned as it is.
	EnterLane(ctx context.Context, ref schema.StepRef, t schema.Transfer) (schema.Transfer, error)
	// MarkSent moves intended to sent with every check of IntendWrite, durably,
	// and counts the attempt. CodeConflict when the state was another, or the
	// receiver is not the one the request was prepared for.
	MarkSent(ctx context.Context, ref schema.StepRef, receiver schema.ExternalID) (schema.Transfer, error)
	// RecordTransferOutcome moves sent to o.Next(). A refusal frees the lane.
	RecordTransferOutcome(ctx context.Context, ref schema.StepRef, o schema.TransferOutcome) (schema.Transfer, error)
	// RearmTransfer moves busy to intended, or to settling when the source was
	// seen to be empty, or refused to waiting so that EnterLane can be asked again.
	RearmTransfer(ctx context.Context, ref schema.StepRef, moved bool) (schema.Transfer, error)
	RecordTransferRead(ctx context.Context, ref schema.StepRef, r schema.TransferRead) (schema.Transfer, error)
	// ConcludeTransfer moves settling to proven, presumed or stalled; the first
	// two free the lane and wake the next waiters.
	ConcludeTransfer(ctx context.Context, ref schema.StepRef, to schema.TransferState, proof map[string]string) (schema.Transfer, error)
	// ReopenTransfer moves stalled back to settling, for an operator who waits on.
	ReopenTransfer(ctx context.Context, ref schema.StepRef) (schema.Transfer, error)
	// SkipTransfer records that the source owns nothing.
	SkipTransfer(ctx context.Context, ref schema.StepRef, t schema.Transfer) error
	// LeaveLane frees the lane or the place in the queue of a transfer that is
	// waiting or intended, for a plan that is cancelled or parked.
	LeaveLane(ctx context.Context, id schema.PlanID) error
}

// Notice is one message to people or machines. It names cases and plans by id;
// the text is the template's.
type Notice struct {
	Channel schema.Channel
	To      []string
	Message string // the first line is a mail's subject
	CaseID  schema.CaseID
	PlanID  schema.PlanID
	Step    int
	// Key is the same for each try of one notice, so that a receiver can tell a
	// repeat.
	Key string
}

// Notifier sends notices.
type Notifier interface {
	// Notify returns once every recipient's server has accepted the notice. It
	// returns a schema.Error with CodeInvalid for a recipient or channel that is
	// not configured, CodeRefused when a server refuses for good, and
	// CodeUnavailable when trying again may help.
	Notify(ctx context.Context, n Notice) error
}

// Connectors opens the connector of a connection, with its secret, limiter and
// guard in place. The same connector serves all calls of one version.
type Connectors interface {
	Open(ctx context.Context, c schema.Connection) (connectors.Connector, error)
}
