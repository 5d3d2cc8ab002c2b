package template

import (
	"cmp"
	"time"

	"go.yaml.in/yaml/v4"

	"sendoff/internal/yamlfile"
	"sendoff/schema"
)

// Flow is what a file of any kind says of the steps of a plan and of whom they
// give content to. Nodes are nil where the member is absent.
type Flow struct {
	At                 string // path of the map that has the members; empty = the file itself
	Member             string // what the steps are called there; empty = steps
	Of                 string // what has the steps, for messages: "the template"
	Root               *yaml.Node
	Steps              *yaml.Node // the member steps
	Receivers, Archive *yaml.Node // those members
	Approvals          int
	Now                time.Time // tells whether an instant has passed
	// Allow is the member that lets a delete go without a transfer, AllowText how it
	// is written, empty = there is none, and Allowed whether it says so.
	Allow     *yaml.Node
	AllowPath string
	AllowText string
	Allowed   bool
}

// stepsPath is the path of the steps.
func (f Flow) stepsPath() string { return yamlfile.Under(f.At, cmp.Or(f.Member, "steps")) }

// Steps are those that were read.
type Steps []Placed

// Placed is a step and where it stands.
type Placed struct {
	schema.StepFact
	Node  *yaml.Node
	Path  string
	Known bool // whether there is such a kind
}

// ReadFlow reads and checks the steps and receivers of a file, each alone and
// what they mean together.
func ReadFlow(r *yamlfile.Reader, f Flow) (Steps, []string) {
	receivers := f.receivers(r)
	steps := f.steps(r)
	if len(steps) > 0 {
		linter{r, f, steps}.lint()
	}
	return steps, receivers
}

// Facts are the steps without their places.
func (s Steps) Facts() []schema.StepFact {
	var out []schema.StepFact
	for _, p := range s {
		out = append(out, p.StepFact)
	}
	return out
}

// Find returns the place of the first step of that kind, or -1.
func (s Steps) Find(k schema.StepKind) int {
	for i, p := range s {
		if p.Known && p.Kind == k {
			return i
		}
	}
	return -1
}

// Waits tells whether a wait or a person's task stands between two places.
func (s Steps) Waits(from, to int) bool {
	for _, p := range s[from:to] {
		if p.Known && (p.Kind == schema.StepWait || p.Kind == schema.StepManual) {
			return true
		}
	}
	return false
}
