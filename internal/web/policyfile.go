package web

import (
	"time"

	"sendoff/schema"
)

// parsePolicy reads a policy file.
func parsePolicy(file, source string, now time.Time) (rule schema.PolicyRule, errs, warnings []schema.Problem) {
	_, _ = source, now
	return schema.PolicyRule{}, []schema.Problem{{Where: file, Code: "unreadable", Message: "policies cannot be read yet", Fix: "wait"}}, nil
}

// diffPolicies says what differs between two rules.
func diffPolicies(_, _ schema.PolicyRule) []string { return nil }
