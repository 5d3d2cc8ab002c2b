package boxsim

import "fmt"

// workflow is a Relay workflow. Box shows none of it by the API that this
// simulator has; it counts as content of its owner, without any bytes.
type workflow struct {
	id, name, owner, originalOwner string
	destroyedBy                    string
}

// WorkflowSpec describes a Relay workflow to seed.
type WorkflowSpec struct {
	Owner string `json:"owner"`
	Name  string `json:"name"`
}

// AddWorkflow seeds a Relay workflow and returns its id.
func (s *Sim) AddWorkflow(spec WorkflowSpec) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.w.user(spec.Owner) == nil || spec.Name == "" {
		return "", fmt.Errorf("box simulator: a workflow needs a name and an owner that exists")
	}
	f := &workflow{id: s.w.id("workflow"), name: spec.Name, owner: spec.Owner, originalOwner: spec.Owner}
	s.w.workflows[f.id] = f
	return f.id, nil
}

// workflowsOf lists the workflows that an account owns.
func (w *world) workflowsOf(owner string) []*workflow {
	var out []*workflow
	for _, f := range byID(w.workflows) {
		if f.owner == owner && f.destroyedBy == "" {
			out = append(out, f)
		}
	}
	return out
}

func (w *world) handOverWorkflows(from, to string) {
	for _, f := range w.workflowsOf(from) {
		f.owner = to
	}
}

// LedgerWorkflow is one Relay workflow ever made. State is alive or destroyed.
type LedgerWorkflow struct {
	ID            string `json:"id"`
	Name          string `json:"name"`
	Owner         string `json:"owner"`
	OriginalOwner string `json:"original_owner"`
	State         string `json:"state"`
	DestroyedBy   string `json:"destroyed_by"`
}

func (w *world) ledgerWorkflows() []LedgerWorkflow {
	out := []LedgerWorkflow{}
	for _, f := range byID(w.workflows) {
		state := stateAlive
		if f.destroyedBy != "" {
			state = stateDestroyed
		}
		out = append(out, LedgerWorkflow{
			ID: f.id, Name: f.name, Owner: f.owner, OriginalOwner: f.originalOwner, State: string(state), DestroyedBy: f.destroyedBy,
		})
	}
	return out
}
