package schema

import (
	"slices"
	"time"
)

// StepKind is what a step does (the table of DESIGN section 5).
type StepKind string

// The kinds of step. Only delete cannot be undone.
const (
	StepSnapshot       StepKind = "snapshot"
	StepSuspend        StepKind = "suspend"
	StepRevokeSessions StepKind = "revoke_sessions"
	StepTransfer       StepKind = "transfer"
	StepWait           StepKind = "wait"
	StepDelete         StepKind = "delete"
)

// Irreversible tells whether nothing brings back what the step takes away.
func (k StepKind) Irreversible() bool { return k == StepDelete }

// StepState is how far a step is.
type StepState string

// The states of a step.
const (
	StepPending   StepState = "pending"
	StepRunning   StepState = "running"
	StepDone      StepState = "done"
	StepSkipped   StepState = "skipped"
	StepCancelled StepState = "cancelled"
)

// Step is one step of a plan. The parameters are part of the plan's hash; the
// rest is progress.
type Step struct {
	Index int
	Kind  StepKind
	// WaitSeconds is the length of a wait step, in seconds of real time.
	WaitSeconds int64

	State      StepState
	StartedAt  time.Time         // zero = not begun
	FinishedAt time.Time         // zero = not finished
	Proof      map[string]string // what the vendor said that proves the step, by name
}

// Wait is the length of a wait step.
func (s Step) Wait() time.Duration { return time.Duration(s.WaitSeconds) * time.Second }

// Template is a named list of steps from which plans are made.
type Template struct {
	Name      string
	Version   int
	Steps     []StepKind
	Approvals int // how many principals must approve before the first write
}

// DefaultGrace is how long a leaver's suspended account waits before its
// delete, unless the request says otherwise.
const DefaultGrace = 30 * 24 * time.Hour

// BuiltinTemplates are the templates every installation has.
func BuiltinTemplates() []Template {
	return []Template{
		{Name: "leaver", Version: 1, Steps: []StepKind{StepSnapshot, StepSuspend, StepRevokeSessions, StepTransfer, StepWait, StepDelete}},
		{Name: "suspend", Version: 1, Steps: []StepKind{StepSnapshot, StepSuspend, StepRevokeSessions}},
		{Name: "transfer", Version: 1, Steps: []StepKind{StepSnapshot, StepTransfer}},
		{Name: "delete", Version: 1, Steps: []StepKind{StepSnapshot, StepSuspend, StepRevokeSessions, StepDelete}},
	}
}

// FindTemplate returns the built-in template of that name.
func FindTemplate(name string) (Template, bool) {
	all := BuiltinTemplates()
	i := slices.IndexFunc(all, func(t Template) bool { return t.Name == name })
	if i < 0 {
		return Template{}, false
	}
	return all[i], true
}

// Has tells whether the template contains a step of that kind.
func (t Template) Has(k StepKind) bool { return slices.Contains(t.Steps, k) }

// Resolve turns the template into steps. Grace is the length of its wait steps.
func (t Template) Resolve(grace time.Duration) []Step {
	steps := make([]Step, len(t.Steps))
	for i, k := range t.Steps {
		steps[i] = Step{Index: i, Kind: k, State: StepPending}
		if k == StepWait {
			steps[i].WaitSeconds = int64(grace / time.Second)
		}
	}
	return steps
}
