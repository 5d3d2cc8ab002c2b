package accessreview

import (
	"slices"

	"go.yaml.in/yaml/v4"

	"sendoff/internal/yamlfile"
	"sendoff/schema"
)

// linter checks what the members of a review mean together.
type linter struct {
	*yamlfile.Reader
	rule schema.AccessReviewRule
	m    map[string]*yaml.Node // the members of the file
}

func (l linter) lint() {
	l.scope()
	l.silence()
	l.reviewers()
	if l.rule.Decisions.Carry != "" && l.rule.Scope.Changed {
		l.warn("decisions", "carry", "no_effect", "scope.changed leaves out all that could be carried over", "remove one of them")
	}
	if !l.rule.Decisions.Abstain && slices.Contains(l.rule.Decisions.ReasonFor, schema.AnswerAbstain) {
		l.warn("decisions", "reason_for", "no_effect", "nobody may abstain", "remove abstain from the list, or write abstain: true")
	}
}

// warn tells of a member of a map at the top.
func (l linter) warn(of, member, code, message, fix string) {
	l.Warn(yamlfile.Child(l.m[of], member), yamlfile.Under(of, member), code, message, fix)
}

func (l linter) scope() {
	s := l.rule.Scope
	if len(s.Roles) > 0 && !slices.Contains(s.Items, schema.ItemRole) {
		l.warn("scope", "roles", "no_effect", "scope.items has no role", "add it there, or remove the member")
	}
	if len(s.Groups) > 0 && !l.ofGroups() {
		l.warn("scope", "groups", "no_effect", "scope.items has neither group nor collaboration", "add one there, or remove the member")
	}
	if s.UnknownUse && s.UnusedFor == 0 {
		l.warn("scope", "unknown_use", "no_effect", "accounts are taken whatever their use", "write unused_for too, or remove the member")
	}
	if s.Holders == schema.HoldersUnmatched && slices.Contains(l.rule.Events, schema.CampaignMover) {
		l.Warn(l.m["events"], "events", "no_effect", "a mover holds no account that nobody holds", "remove mover, or write a review of its own for movers")
	}
}

func (l linter) ofGroups() bool {
	return slices.Contains(l.rule.Scope.Items, schema.ItemGroup) || slices.Contains(l.rule.Scope.Items, schema.ItemCollaboration)
}

// silence: what nobody knows is no reason to act, and neither is what nobody said
// (DESIGN promise 4).
func (l linter) silence() {
	at := func() *yaml.Node { return yamlfile.Child(l.m["time"], "silence") }
	switch {
	case l.rule.Time.Silence == schema.SilenceKeeps:
		l.Warn(at(), "time.silence", "silence_keeps", "what nobody looked at is kept: who says nothing approves", "write silence: escalate")
	case l.rule.Time.Silence != schema.SilenceRevokes:
	case l.rule.Scope.UnknownUse:
		l.Fault(at(), "time.silence", "unknown_revoked", "accounts of which nobody knows whether they are used would be taken away because nobody said anything",
			"write silence: escalate, or remove scope.unknown_use")
	case slices.ContainsFunc(l.rule.Effect.Account, func(s schema.StepFact) bool { return s.Kind == schema.StepDelete }):
		l.Warn(at(), "time.silence", "silence_deletes", "an account is deleted because nobody said anything", "write silence: escalate, or leave delete out of effect.account")
	}
}

// reviewers tells of owners that nobody asks.
func (l linter) reviewers() {
	asked := false
	for _, s := range l.rule.Stages {
		for _, c := range s.Who {
			asked = asked || c.Whom == schema.ReviewerEntitlementOwner
		}
	}
	switch {
	case asked && !l.ofGroups():
		l.Warn(l.m["reviewers"], "reviewers", "no_effect", "scope.items has neither group nor collaboration: nothing in it has an entitlement_owner",
			"add one there, or leave entitlement_owner out")
	case !asked && len(l.rule.Owners) > 0:
		l.Warn(l.m["owners"], "owners", "no_effect", "no stage asks an entitlement_owner", "add it to reviewers, or remove the member")
	}
	for _, o := range l.rule.Owners {
		if o.Connection != "" && len(l.rule.Scope.Connections) > 0 && !slices.Contains(l.rule.Scope.Connections, o.Connection) {
			l.Warn(l.m["owners"], "owners", "elsewhere", "a group of a connection that scope.connections does not name", "add the connection there, or remove the entry")
			return
		}
	}
}
