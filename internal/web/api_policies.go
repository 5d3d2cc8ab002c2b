package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"sendoff/schema"
)

// PolicyRef is the path parameter of operations on one policy.
type PolicyRef struct {
	Ref string `path:"ref" doc:"Name or id of the policy" maxLength:"63"`
}

type applyPoliciesInput struct {
	Body struct {
		Set     string       `json:"set,omitempty" maxLength:"63" doc:"Policies of the set that are not among the files are paused; empty = the files stand alone"`
		Files   []policyFile `json:"files" nullable:"false"`
		DryRun  bool         `json:"dry_run,omitempty" doc:"Tell what would change and change nothing"`
		Confirm string       `json:"confirm,omitempty" maxLength:"64" doc:"The confirm of the dry run that was looked at: refused when something else would change by now"`
	}
}

type applyPoliciesOutput struct {
	Body struct {
		Applied  bool            `json:"applied"`
		Confirm  string          `json:"confirm" doc:"Names what would change, for an apply of exactly that"`
		Policies []appliedPolicy `json:"policies" nullable:"false"`
	}
}

type appliedPolicy struct {
	File     string              `json:"file" doc:"Empty = it is not among the files"`
	Name     string              `json:"name"`
	Change   schema.PolicyChange `json:"change" enum:"added,changed,unchanged,paused,resumed"`
	Version  int                 `json:"version"`
	State    schema.PolicyState  `json:"state" enum:"active,paused"`
	Diff     []string            `json:"diff" nullable:"false" doc:"The members that differ: \"path: before -> after\""`
	Warnings []schema.Problem    `json:"warnings" nullable:"false"`
}

type listPoliciesInput struct {
	Page
	State schema.PolicyState `query:"state" enum:"active,paused," doc:"Empty = every state"`
	Set   string             `query:"set" doc:"Only those of this set of files" maxLength:"63"`
}

type listPoliciesOutput struct {
	Body struct {
		Policies []PolicyBody `json:"policies" nullable:"false"`
		Next     string       `json:"next"`
	}
}

type policyPageInput struct {
	PolicyRef
	Page
}

type policyHistoryOutput struct {
	Body struct {
		Versions []PolicyVersionBody `json:"versions" nullable:"false"`
		Next     string              `json:"next"`
	}
}

type policyReasonInput struct {
	PolicyRef
	Body struct {
		Reason string `json:"reason"`
	}
}

type policyOutput struct{ Body showPolicyBody }

// registerPolicies registers everything of inactivity policies: files, what rules
// come to, review runs, and budgets.
func (s *server) registerPolicies() {
	if s.policies == nil {
		return
	}
	handle(s, route{
		id: "apply-policies", method: http.MethodPost, path: "/v1/policies/apply", roles: adminsOnly(),
		summary: "Check policy files and make what they say so, all of them or none",
	}, s.applyPolicies)
	handle(s, route{
		id: "list-policies", method: http.MethodGet, path: "/v1/policies", roles: readers(), summary: "List policies by name",
	}, s.listPolicies)
	handle(s, route{
		id: "show-policy", method: http.MethodGet, path: "/v1/policies/{ref}", roles: readers(), summary: "Show a policy, with its file",
	}, func(ctx context.Context, _ schema.Principal, in *PolicyRef) (*policyOutput, error) {
		return s.policyShown(s.policies.Policy(ctx, in.Ref))
	})
	handle(s, route{
		id: "list-policy-versions", method: http.MethodGet, path: "/v1/policies/{ref}/history", roles: readers(),
		summary: "List the versions of a policy, newest first, with what each changed",
	}, s.policyHistory)
	handle(s, route{
		id: "pause-policy", method: http.MethodPost, path: "/v1/policies/{ref}/pause", roles: adminsOnly(),
		summary: "Let a policy make no more runs by its schedule; needs a reason",
	}, func(ctx context.Context, by schema.Principal, in *policyReasonInput) (*policyOutput, error) {
		return s.setPolicyState(ctx, by, in, schema.PolicyPaused)
	})
	handle(s, route{
		id: "resume-policy", method: http.MethodPost, path: "/v1/policies/{ref}/resume", roles: adminsOnly(),
		summary: "Let a paused policy make runs by its schedule again; needs a reason",
	}, func(ctx context.Context, by schema.Principal, in *policyReasonInput) (*policyOutput, error) {
		return s.setPolicyState(ctx, by, in, schema.PolicyActive)
	})
	s.registerReviews()
	s.registerBudget()
	if s.judge != nil {
		s.registerJudge()
	}
}

func (s *server) policyShown(p schema.Policy, err error) (*policyOutput, error) {
	return &policyOutput{Body: showPolicyBody{PolicyBody: s.policyOf(p), Source: p.Source}}, err
}

func (s *server) listPolicies(ctx context.Context, _ schema.Principal, in *listPoliciesInput) (*listPoliciesOutput, error) {
	list, next, err := s.policies.Policies(ctx, schema.PolicyFilter{State: in.State, Set: in.Set, After: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &listPoliciesOutput{}
	out.Body.Policies, out.Body.Next = listOf(list, s.policyOf), next
	return out, nil
}

func (s *server) policyHistory(ctx context.Context, _ schema.Principal, in *policyPageInput) (*policyHistoryOutput, error) {
	page := func(cursor string, limit int) ([]schema.Policy, string, error) {
		return s.policies.PolicyHistory(ctx, in.Ref, cursor, limit)
	}
	diff := func(before, after schema.Policy) []string { return diffPolicies(before.Rule, after.Rule) }
	out := &policyHistoryOutput{}
	var err error
	out.Body.Versions, out.Body.Next, err = historyOf(page, in.Cursor, in.Limit, diff, func(p schema.Policy, diff []string) PolicyVersionBody {
		return PolicyVersionBody{p.Version, p.Hash, p.Set, p.Source, diff, p.UpdatedBy, p.UpdatedAt.UTC()}
	})
	return out, err
}

func (s *server) setPolicyState(ctx context.Context, by schema.Principal, in *policyReasonInput, to schema.PolicyState) (*policyOutput, error) {
	var f faults
	reason := f.reason(in.Body.Reason)
	if err := f.err("the request is not valid; nothing was changed"); err != nil {
		return nil, err
	}
	return s.policyShown(s.policies.SetPolicyState(ctx, in.Ref, to, reason, by))
}

// applyPolicies tells what changes, or has exactly what was confirmed changed: the
// store compares both in the transaction that applies.
func (s *server) applyPolicies(ctx context.Context, by schema.Principal, in *applyPoliciesInput) (*applyPoliciesOutput, error) {
	apply, read, err := s.readPolicies(in.Body.Set, in.Body.Files)
	if err != nil {
		return nil, err
	}
	apply.DryRun, apply.Confirm = in.Body.DryRun, strings.ToLower(in.Body.Confirm)
	changes, err := s.policies.ApplyPolicies(ctx, apply, by)
	if err != nil {
		return nil, err
	}
	out := &applyPoliciesOutput{}
	out.Body.Applied, out.Body.Confirm = !in.Body.DryRun, schema.ConfirmOf(apply.Set, changes)
	out.Body.Policies = listOf(changes, read.policy)
	return out, nil
}

func (r readSet) policy(a schema.AppliedPolicy) appliedPolicy {
	return appliedPolicy{
		File: r.files[a.Name], Name: a.Name, Change: a.Change, Version: a.Policy.Version, State: a.Policy.State, Diff: nonNil(diffOf(a)),
		Warnings: nonNil(r.warnings[a.Name]),
	}
}

func diffOf(a schema.AppliedPolicy) []string {
	if len(a.Diff) == 0 && a.Before != nil {
		return diffPolicies(*a.Before, a.Policy.Rule)
	}
	return a.Diff
}

func (s *server) readPolicies(set string, files []policyFile) (schema.ApplyPolicies, readSet, error) {
	apply := schema.ApplyPolicies{Set: set}
	reader := fileReader[schema.PolicyRule]{"policy", "policies", s.parsePolicy, func(r schema.PolicyRule) string { return r.Name }}
	read, err := reader.read(set, files, s.now(), func(rule schema.PolicyRule, source string) {
		apply.Files = append(apply.Files, schema.PolicyFile{Rule: rule, Source: source})
	})
	return apply, read, err
}

// parsePolicy also warns of what this server cannot do for a policy.
func (s *server) parsePolicy(file, source string, now time.Time) (rule schema.PolicyRule, errs, warnings []schema.Problem) {
	rule, errs, warnings = parsePolicy(file, source, now)
	return rule, errs, append(warnings, s.unansweredWarnings(file, rule)...)
}

// unansweredWarnings warn of silence that is never an answer, because questions have
// no link to answer by.
func (s *server) unansweredWarnings(file string, rule schema.PolicyRule) []schema.Problem {
	proceeds := slices.ContainsFunc(rule.Ask, func(a schema.Ask) bool { return a.Silence == schema.SilenceProceeds })
	if s.publicURL != "" || !proceeds {
		return nil
	}
	return []schema.Problem{{
		Where: file, Code: "no_public_url", Message: "questions have no link to answer by, so that silence means nothing whatever the file says: this server has no public_url",
		Fix: "give servers and workers public_url, where browsers reach the API",
	}}
}
