package schema

import (
	"reflect"
	"time"
)

// StepKind is what a step does (the table of DESIGN section 5).
type StepKind string

// The kinds of step. Only delete cannot be undone.
const (
	StepSnapshot         StepKind = "snapshot"
	StepSuspend          StepKind = "suspend"
	StepRevokeSessions   StepKind = "revoke_sessions"
	StepReactivate       StepKind = "reactivate"
	StepRemoveFromGroups StepKind = "remove_from_groups"
	StepSetRole          StepKind = "set_role"
	StepTransfer         StepKind = "transfer"
	StepWait             StepKind = "wait"
	StepDelete           StepKind = "delete"
	StepNotify           StepKind = "notify"
	StepManual           StepKind = "manual"
)

// StepKinds lists every kind of step.
func StepKinds() []StepKind {
	return []StepKind{
		StepSnapshot, StepSuspend, StepRevokeSessions, StepReactivate, StepRemoveFromGroups, StepSetRole, StepTransfer, StepWait, StepDelete, StepNotify, StepManual,
	}
}

// Irreversible tells whether nothing brings back what the step takes away.
func (k StepKind) Irreversible() bool { return k == StepDelete }

// MovesContent tells whether the step moves or destroys what the account owns:
// a hold forbids those, and only those.
func (k StepKind) MovesContent() bool { return k == StepTransfer || k == StepDelete }

// Writes tells whether the step changes something at the vendor.
func (k StepKind) Writes() bool {
	switch k {
	case StepSuspend, StepRevokeSessions, StepReactivate, StepRemoveFromGroups, StepSetRole, StepTransfer, StepDelete:
		return true
	}
	return false
}

// Waivable tells whether an operator may leave the step out of a running plan.
// Without the snapshot or the suspend nothing later could be proven: such a plan
// is cancelled instead.
func (k StepKind) Waivable() bool { return k != StepSnapshot && k != StepSuspend }

// StepState is how far a step is.
type StepState string

// The states of a step.
const (
	StepPending   StepState = "pending"
	StepRunning   StepState = "running"
	StepDone      StepState = "done"
	StepSkipped   StepState = "skipped"
	StepWaived    StepState = "waived" // an operator left it out, with a reason
	StepCancelled StepState = "cancelled"
)

// Finished tells whether the plan may go on to the step after it.
func (s StepState) Finished() bool { return s == StepDone || s == StepSkipped || s == StepWaived }

// Step is one step of a plan. Kind and parameters are part of the plan's hash;
// the rest is progress.
type Step struct {
	Index int
	Kind  StepKind
	// WaitSeconds is the length of a wait step, or the time until a manual step is
	// due, in seconds of real time.
	WaitSeconds int64
	Params      StepParams

	State      StepState
	StartedAt  time.Time         // zero = not begun
	FinishedAt time.Time         // zero = not finished
	Proof      map[string]string // what proves the step, by name
}

// StepParams are the parameters that only some kinds of step have.
type StepParams struct {
	// Until is the instant a wait ends at, RFC 3339 in UTC; empty = WaitSeconds
	// after its begin.
	Until string `json:"until,omitempty"`
	// Trash is what a delete does about trashed items that did not arrive at the
	// receiver; empty = keep.
	Trash TrashRule `json:"trash,omitempty"`
	// Reactivate lets a transfer whose suspended source the vendor refuses make
	// the source active for the time of the call.
	Reactivate bool `json:"reactivate,omitempty"`
	// Channel is how a notify step tells: mail or webhook.
	Channel Channel `json:"channel,omitempty"`
	// To is who is told: mail addresses, or the names of configured webhooks.
	To []string `json:"to,omitempty"`
	// Message is the text of a notice: its first line is a mail's subject.
	Message string `json:"message,omitempty"`
	// Title is what somebody has to do in a manual step, and Owner who.
	Title string `json:"title,omitempty"`
	Owner string `json:"owner,omitempty"`
	// Groups are those that remove_from_groups takes the account out of; empty = all.
	Groups []ExternalID `json:"groups,omitempty"`
	// Role is what set_role gives the account.
	Role AccountRole `json:"role,omitempty"`
}

// TrashRule says what a delete does about trash that did not arrive.
type TrashRule string

// The rules.
const (
	TrashKeep    TrashRule = "keep"    // park: nothing may be lost
	TrashDiscard TrashRule = "discard" // whoever approves the plan gives it up
)

// Channel is how a notice is sent.
type Channel string

// The channels.
const (
	ChannelMail    Channel = "mail"
	ChannelWebhook Channel = "webhook"
)

// Wait is the length of a wait step, or the time until a manual step is due.
func (s Step) Wait() time.Duration { return time.Duration(s.WaitSeconds) * time.Second }

// Fact is the approved part of the step.
func (s Step) Fact() StepFact {
	return StepFact{Kind: s.Kind, WaitSeconds: s.WaitSeconds, StepParams: s.Params}
}

// StepFact is the approved part of a step.
type StepFact struct {
	Kind        StepKind `json:"kind"`
	WaitSeconds int64    `json:"wait_seconds,omitempty"`
	StepParams
}

// Equal tells whether two facts say the same.
func (f StepFact) Equal(other StepFact) bool {
	if len(f.To) == 0 && len(other.To) == 0 {
		f.To, other.To = nil, nil
	}
	if len(f.Groups) == 0 && len(other.Groups) == 0 {
		f.Groups, other.Groups = nil, nil
	}
	return reflect.DeepEqual(f, other)
}

// Step is the fact as a step that has not begun.
func (f StepFact) Step(index int) Step {
	return Step{Index: index, Kind: f.Kind, WaitSeconds: f.WaitSeconds, Params: f.StepParams, State: StepPending}
}

// StepFacts returns the approved part of steps.
func StepFacts(steps []Step) []StepFact {
	facts := make([]StepFact, len(steps))
	for i, s := range steps {
		facts[i] = s.Fact()
	}
	return facts
}
