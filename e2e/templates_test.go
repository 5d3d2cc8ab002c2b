package e2e_test

import (
	"strings"
)

// apply applies a template that begins with a snapshot, suspends and ends
// sessions, and then does the steps given.
func (s *stack) apply(name string, steps ...string) {
	s.t.Helper()
	lines := append([]string{"snapshot", "suspend", "revoke_sessions"}, steps...)
	if len(steps) == 1 && strings.HasPrefix(steps[0], "transfer") {
		lines = append(lines, "wait", "delete")
	}
	file := s.file(name+".yaml", "apiVersion: sendoff/v1\nkind: Template\nname: "+name+"\nsteps:\n  - "+strings.Join(lines, "\n  - ")+"\n")
	s.must("templates", "apply", file, "--yes")
}
