package inactivity

import (
	"cmp"
	"time"

	"go.yaml.in/yaml/v4"

	"sendoff/internal/intake"
	"sendoff/internal/template"
	"sendoff/internal/yamlfile"
	"sendoff/schema"
)

// The head that every policy file has.
const (
	APIVersion = yamlfile.APIVersion
	Kind       = "InactivityPolicy"
)

// MaxBytes is the size of the largest policy file, in bytes.
const MaxBytes = yamlfile.MaxBytes

const maxDepth = 16 // a policy needs six levels

// Report is what reading a file found. A policy with errors is not usable; one
// with warnings alone is.
type Report = yamlfile.Report

// policyReader reads one policy file.
type policyReader struct {
	*yamlfile.Reader
	now time.Time
}

// Parse reads the policy file of that name; now tells which of its dates have
// passed. The rule is complete only without errors in the report.
func Parse(file string, source []byte, now time.Time) (schema.PolicyRule, Report) {
	r := policyReader{yamlfile.New(file, "the policy is not usable"), now}
	root := r.Load(source, MaxBytes, maxDepth)
	if root == nil {
		return schema.PolicyRule{}, r.Report()
	}
	rule := r.document(root)
	return rule, r.Report()
}

func (r policyReader) document(root *yaml.Node) schema.PolicyRule {
	var rule schema.PolicyRule
	m := r.Mapping(root, "", "apiVersion", "kind", "name", "title", "owner", "mode", "cold_start", "connections", "match", "threshold", "exclude",
		"ask", "steps", "receivers", "archive", "budget", "approvals", "schedule", "freshness", "allow")
	if m == nil {
		return rule
	}
	r.Constant(root, m, "apiVersion", APIVersion)
	r.Constant(root, m, "kind", Kind)
	r.head(&rule, root, m)
	r.match(&rule, m["match"])
	allow := r.allow(&rule, m["allow"])
	r.threshold(&rule, root, m["threshold"], allow)
	rule.Exclude = r.exclusions(m["exclude"])
	rule.Ask = r.asks(m["ask"])
	rule.Approvals = template.ReadApprovals(r.Reader, m["approvals"], 1)
	steps := r.steps(&rule, root, m, allow)
	rule.Budget = r.Budget(m["budget"], "budget", "a policy that only reports says mode: shadow")
	rule.Schedule = r.Schedule(m["schedule"], r.now)
	rule.Freshness = r.freshness(m["freshness"])
	r.lint(rule, m, steps)
	return rule
}

func (r policyReader) head(rule *schema.PolicyRule, root *yaml.Node, m map[string]*yaml.Node) {
	rule.Name = template.ReadName(r.Reader, root, m["name"], "the policy", "dormant-accounts")
	if n := m["title"]; n != nil {
		rule.Title = r.Line(n, "title")
	}
	if n := r.Need(root, m, "", "owner", "write the mail address of who answers for the policy"); n != nil {
		rule.Owner, _ = r.Address(n, "owner", intake.ParseAddress)
	}
	rule.Mode = cmp.Or(yamlfile.Word(r.Reader, m, "", "mode", schema.PolicyActs, schema.PolicyShadow), schema.PolicyActs)
	rule.ColdStart = cmp.Or(yamlfile.Word(r.Reader, m, "", "cold_start", schema.ColdReports, schema.ColdActs), schema.ColdReports)
	if n := r.Need(root, m, "", "connections", "name those whose accounts are looked at"); n != nil {
		rule.Connections = r.Connections(n, "connections")
	}
}

// allow reads what the policy may do only because it says so.
func (r policyReader) allow(rule *schema.PolicyRule, n *yaml.Node) map[string]*yaml.Node {
	if n == nil {
		return nil
	}
	m := r.Some(n, "allow", "delete_without_transfer", "zero_threshold", "most_of_population")
	for member, to := range map[string]*bool{
		"delete_without_transfer": &rule.Allow.DeleteWithoutTransfer, "zero_threshold": &rule.Allow.ZeroThreshold,
		"most_of_population": &rule.Allow.MostOfPopulation,
	} {
		if m[member] != nil {
			*to = r.Truth(m[member], yamlfile.Under("allow", member))
		}
	}
	return m
}

// steps reads the steps and who receives content. A wait without a length lasts
// as long as a template's does: no request gives another.
func (r policyReader) steps(rule *schema.PolicyRule, root *yaml.Node, m, allow map[string]*yaml.Node) template.Steps {
	steps, receivers := template.ReadFlow(r.Reader, template.Flow{
		Of: "the policy", Root: root, Steps: m["steps"], Receivers: m["receivers"], Archive: m["archive"], Approvals: rule.Approvals, Now: r.now,
		Allow: allow["delete_without_transfer"], AllowPath: "allow.delete_without_transfer", AllowText: "allow: {delete_without_transfer: true}",
		Allowed: rule.Allow.DeleteWithoutTransfer,
	})
	rule.Steps, rule.Receivers = steps.Facts(), receivers
	for i, s := range rule.Steps {
		if s.Kind == schema.StepWait && s.WaitSeconds == 0 && s.Until == "" {
			rule.Steps[i].WaitSeconds = int64(schema.DefaultGrace / time.Second)
		}
	}
	return steps
}
