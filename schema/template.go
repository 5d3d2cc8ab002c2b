package schema

import (
	"slices"
	"time"
)

// Template is a named list of steps from which plans are made.
type Template struct {
	Name    string
	Version int // raised with each change; plans keep the one they were made from
	Title   string
	Steps   []StepFact
	// Approvals is how many principals must approve before the first write.
	Approvals int
	// Receivers are logins to try after those that the request names, in order;
	// the last may be an archive account.
	Receivers []string
	// Moment says when the clock of a leaver starts whom HR tells of; zero = the
	// default.
	Moment MomentRule
	// Builtin tells the templates every installation has from those of files.
	Builtin   bool
	Source    string // the file's text, of one that was applied; "" = built in
	UpdatedBy string
	UpdatedAt time.Time
}

// DefaultGrace is how long a leaver's suspended account waits before its
// delete, unless the template or the request says otherwise.
const DefaultGrace = 30 * 24 * time.Hour

// BuiltinTemplates are the templates every installation has.
func BuiltinTemplates() []Template {
	builtin := func(name string, kinds ...StepKind) Template {
		t := Template{Name: name, Version: 1, Builtin: true}
		for _, k := range kinds {
			t.Steps = append(t.Steps, StepFact{Kind: k})
		}
		return t
	}
	return []Template{
		builtin("leaver", StepSnapshot, StepSuspend, StepRevokeSessions, StepTransfer, StepWait, StepDelete),
		builtin("suspend", StepSnapshot, StepSuspend, StepRevokeSessions),
		builtin("transfer", StepSnapshot, StepTransfer),
		builtin("delete", StepSnapshot, StepSuspend, StepRevokeSessions, StepDelete),
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

// MomentOrDefault is the template's rule, or the default where it says none.
func (t Template) MomentOrDefault() MomentRule {
	if t.Moment.Starts == "" {
		return DefaultMoment()
	}
	return t.Moment
}

// Has tells whether the template contains a step of that kind.
func (t Template) Has(k StepKind) bool {
	return slices.ContainsFunc(t.Steps, func(s StepFact) bool { return s.Kind == k })
}

// MovesContent tells whether the template transfers or deletes.
func (t Template) MovesContent() bool {
	return slices.ContainsFunc(t.Steps, func(s StepFact) bool { return s.Kind.MovesContent() })
}

// Resolve turns the template into steps. Grace is the length of its wait steps
// that give none themselves.
func (t Template) Resolve(grace time.Duration) []Step {
	steps := make([]Step, len(t.Steps))
	for i, f := range t.Steps {
		steps[i] = f.Step(i)
		if f.Kind == StepWait && f.WaitSeconds == 0 && f.Until == "" {
			steps[i].WaitSeconds = int64(grace / time.Second)
		}
	}
	return steps
}
