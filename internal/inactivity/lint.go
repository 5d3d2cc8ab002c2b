package inactivity

import (
	"slices"

	"go.yaml.in/yaml/v4"

	"sendoff/internal/template"
	"sendoff/internal/yamlfile"
	"sendoff/schema"
)

// lint checks what the members of a policy mean together.
func (r policyReader) lint(rule schema.PolicyRule, m map[string]*yaml.Node, steps template.Steps) {
	r.lintThreshold(rule, m["threshold"])
	r.lintDelete(rule, steps)
}

// lintThreshold tells of thresholds that no account the policy takes can have.
func (r policyReader) lintThreshold(rule schema.PolicyRule, n *yaml.Node) {
	for _, of := range rule.Threshold.Kinds {
		if path := "threshold.kinds." + string(of.Kind); !slices.Contains(rule.Kinds, of.Kind) {
			r.Warn(yamlfile.Child(n, "kinds", string(of.Kind)), path, "no_effect", "match.kinds does not take this kind", "add it there, or remove the threshold")
		}
	}
	if rule.Budget.Privileged > 0 || !rule.Acts() {
		return
	}
	for _, of := range rule.Threshold.Roles {
		if of.Role.Privileged() {
			r.Warn(yamlfile.Child(n, "roles", string(of.Role)), "threshold.roles."+string(of.Role), "no_effect",
				"budget.privileged is 0: a run that matches such an account is held", "raise budget.privileged, or leave the role out by match.when")
		}
	}
}

// lintDelete tells of a delete that nothing goes before. Where a transfer does,
// template.ReadFlow has told.
func (r policyReader) lintDelete(rule schema.PolicyRule, steps template.Steps) {
	at, transfer := steps.Find(schema.StepDelete), steps.Find(schema.StepTransfer)
	if at < 0 || steps.Waits(0, at) || rule.Approvals == 0 || (transfer >= 0 && transfer < at) {
		return
	}
	s := steps[at]
	r.Warn(s.Node, s.Path, "wait_missing", "nothing is waited for before delete: a mistake cannot be taken back", "put - wait: {for: 30d} before it")
}
