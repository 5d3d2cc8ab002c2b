package web

import (
	"time"

	"sendoff/internal/inactivity"
	"sendoff/schema"
)

// parsePolicy reads a policy file.
func parsePolicy(file, source string, now time.Time) (rule schema.PolicyRule, errs, warnings []schema.Problem) {
	rule, report := inactivity.Parse(file, []byte(source), now)
	return rule, report.Errors, report.Warnings
}

// diffPolicies says what differs between two rules.
func diffPolicies(before, after schema.PolicyRule) []string { return inactivity.Diff(before, after) }
