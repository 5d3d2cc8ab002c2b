package boxsim

import (
	"fmt"
	"slices"
	"strings"
)

// PolicySpec describes a governance policy to seed. Kind is legal_hold_policy
// or retention_policy. Status defaults to active; a legal hold may also be
// applying, releasing or released, a retention policy retired.
type PolicySpec struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Status string `json:"status"`
}

// AssignmentSpec puts something under a policy. Type is one of Box's: file,
// file_version, folder, user, ownership or interactions for a legal hold,
// enterprise (without an ID), folder or metadata_template for a retention.
type AssignmentSpec struct {
	Policy string `json:"policy"`
	Type   string `json:"type"`
	ID     string `json:"id"`
}

// AddLegalHoldPolicy seeds an active legal hold policy and returns its id.
func (s *Sim) AddLegalHoldPolicy(name string) string { return s.addActive(policyLegalHold, name) }

// AddRetentionPolicy seeds a retention policy and returns its id.
func (s *Sim) AddRetentionPolicy(name string) string { return s.addActive(policyRetention, name) }

func (s *Sim) addActive(kind, name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newPolicy(kind, name, s.admin, s.clock.Now()).id
}

// AddPolicy seeds a policy and returns its id.
func (s *Sim) AddPolicy(spec PolicySpec) (string, error) {
	states := map[string][]string{
		policyLegalHold: {"", policyActive, policyApplying, policyReleasing, policyReleased},
		policyRetention: {"", policyActive, policyRetired},
	}[spec.Kind]
	switch {
	case states == nil:
		return "", fmt.Errorf("box simulator: policy kind %q is unknown: use %s or %s", spec.Kind, policyLegalHold, policyRetention)
	case !slices.Contains(states, spec.Status):
		return "", fmt.Errorf("box simulator: policy status %q is unknown: use one of %s", spec.Status, strings.Join(states[1:], ", "))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	p := s.newPolicy(spec.Kind, spec.Name, s.admin, now)
	switch spec.Status {
	case policyApplying:
		p.status, p.changesAt = spec.Status, now.Add(s.clock.Wall(holdApplies))
	case policyReleasing:
		p.status, p.changesAt = spec.Status, now.Add(s.clock.Wall(holdReleases))
	case policyReleased, policyRetired:
		p.status = spec.Status
	}
	return p.id, nil
}

// Assign puts something under a policy at once and returns the assignment's id.
func (s *Sim) Assign(spec AssignmentSpec) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.w.policies[spec.Policy]
	if p == nil {
		return "", fmt.Errorf("box simulator: policy %q does not exist", spec.Policy)
	}
	if problem := s.checkTarget(p.kind, spec.Type, spec.ID); problem != "" {
		return "", fmt.Errorf("box simulator: assignment: %s", problem)
	}
	return s.assign(p, spec.Type, spec.ID, s.admin, s.clock.Now()).id, nil
}

// Unassign takes an assignment away at once.
func (s *Sim) Unassign(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.w.assignments[id] == nil {
		return fmt.Errorf("box simulator: assignment %q does not exist", id)
	}
	delete(s.w.assignments, id)
	return nil
}
