package web

import (
	"time"

	"sendoff/internal/intake"
	"sendoff/schema"
)

// AccessReviewBody is the definition of an access review as lists show it.
type AccessReviewBody struct {
	ID          schema.AccessReviewID `json:"id"`
	Name        string                `json:"name"`
	Version     int                   `json:"version" doc:"Raised with each change; campaigns keep the one they were made by"`
	Hash        string                `json:"hash" doc:"Hex SHA-256 of the rule"`
	Set         string                `json:"set" doc:"The set of files it was applied with; empty = alone"`
	State       schema.PolicyState    `json:"state" enum:"active,paused"`
	PauseReason string                `json:"pause_reason" doc:"Empty = it is not paused"`
	PausedBy    string                `json:"paused_by"`
	Rule        accessReviewRuleBody  `json:"rule"`
	UpdatedBy   string                `json:"updated_by"`
	UpdatedAt   time.Time             `json:"updated_at"`
	CreatedAt   time.Time             `json:"created_at"`
}

type showAccessReviewBody struct {
	AccessReviewBody
	Source *string `json:"source" doc:"The file as it was applied; null for reviewers, whom it would tell the control items"`
}

// AccessReviewVersionBody is one version of a definition.
type AccessReviewVersionBody PolicyVersionBody

// accessReviewRuleBody is what a file of the kind AccessReview says, with its defaults.
type accessReviewRuleBody struct {
	Title     string                   `json:"title"`
	Owner     string                   `json:"owner" doc:"The address of who signs"`
	Scope     campaignScopeBody        `json:"scope"`
	Freshness campaignFreshnessBody    `json:"freshness"`
	Schedule  policyScheduleBody       `json:"schedule"`
	Events    []schema.CampaignTrigger `json:"events" nullable:"false" doc:"What begins small campaigns: mover, privileged_role"`
	Stages    []stageBody              `json:"stages" nullable:"false"`
	Owners    []entitlementOwnerBody   `json:"owners" nullable:"false"`
	LoadCap   int                      `json:"load_cap" doc:"Items of one reviewer in one campaign; 0 = no cap"`
	Decisions decisionRuleBody         `json:"decisions"`
	Time      campaignTimeBody         `json:"time"`
	Quality   qualityBody              `json:"quality"`
	Effect    effectBody               `json:"effect"`
	Watch     string                   `json:"watch" doc:"How long after a removal the following syncs look whether the access came back"`
}

type campaignScopeBody struct {
	Connections []string             `json:"connections" nullable:"false"`
	Items       []schema.ItemKind    `json:"items" nullable:"false"`
	Kinds       []schema.AccountKind `json:"kinds" nullable:"false" doc:"Of accounts; empty = all"`
	Roles       []schema.AccountRole `json:"roles" nullable:"false" doc:"Of items of the kind role; empty = the privileged ones"`
	Groups      []string             `json:"groups" nullable:"false" doc:"Patterns of group names; empty = all"`
	Match       string               `json:"match" doc:"CEL; empty = all that the other members leave"`
	UnusedFor   string               `json:"unused_for" doc:"0s = used or not"`
	UnknownUse  bool                 `json:"unknown_use" doc:"Besides the unused ones those whose use is not known"`
	Changed     bool                 `json:"changed" doc:"Only what is new or other than in the last signed campaign"`
	Privileged  bool                 `json:"privileged" doc:"Only accounts with a privileged role"`
	Holders     schema.HolderScope   `json:"holders" enum:"all,matched,unmatched"`
}

type campaignFreshnessBody struct {
	Sync     string           `json:"sync"`
	Activity string           `json:"activity"`
	Doctor   bool             `json:"doctor"`
	Patience string           `json:"patience"`
	Stale    schema.StaleRule `json:"stale" enum:"block,warn"`
}

type stageBody struct {
	Name string              `json:"name"`
	Of   schema.StageOf      `json:"of" enum:"all,kept,revoked,high"`
	Who  []stageReviewerBody `json:"who" nullable:"false" doc:"A chain: the first that names somebody who may decide has the item"`
}

type stageReviewerBody struct {
	Whom       schema.ReviewerKind `json:"whom"`
	To         []string            `json:"to" nullable:"false"`
	Connection string              `json:"connection"`
	Group      string              `json:"group"`
	When       string              `json:"when" doc:"CEL; empty = always"`
}

type entitlementOwnerBody struct {
	Connection string   `json:"connection"`
	Group      string   `json:"group"`
	To         []string `json:"to" nullable:"false"`
}

type decisionRuleBody struct {
	ReasonFor      []schema.ItemAnswer `json:"reason_for" nullable:"false" doc:"Answers that need a reason"`
	HighRiskReason bool                `json:"high_risk_reason"`
	BulkBelow      schema.RiskLevel    `json:"bulk_below" doc:"Several items by one answer only if each is below it; empty = never"`
	Abstain        bool                `json:"abstain"`
	Carry          schema.RiskLevel    `json:"carry" doc:"The last keep of unchanged items below it is taken over; empty = never"`
	CarryTimes     int                 `json:"carry_times"`
}

type campaignTimeBody struct {
	Due           string                 `json:"due"`
	Remind        []string               `json:"remind" nullable:"false" doc:"Before the deadline"`
	EscalateAfter string                 `json:"escalate_after" doc:"0s = at the deadline alone"`
	EscalateFor   string                 `json:"escalate_for"`
	Silence       schema.CampaignSilence `json:"silence" enum:"escalate,keep,revoke"`
	WorkingDays   bool                   `json:"working_days"`
}

type qualityBody struct {
	MinItems   int           `json:"min_items"`
	MinSeconds int           `json:"min_seconds"`
	ApproveAll int           `json:"approve_all" doc:"Percent"`
	Against    int           `json:"against" doc:"Percent"`
	Controls   *controlsBody `json:"controls" doc:"null for reviewers"`
}

type controlsBody struct {
	Each   int         `json:"each"`
	Decoys []decoyBody `json:"decoys" nullable:"false"`
}

type decoyBody struct {
	Login string `json:"login"`
	Name  string `json:"name"`
	Note  string `json:"note"`
}

type effectBody struct {
	When      schema.EffectTime  `json:"when" enum:"at_once,at_close"`
	Account   []templateStep     `json:"account" nullable:"false"`
	Role      schema.AccountRole `json:"role"`
	Receivers []string           `json:"receivers" nullable:"false"`
	Approvals int                `json:"approvals"`
	Budget    schema.Budget      `json:"budget"`
}

// accessReviewOf renders a definition. What would tell control items is left out for
// those who may be asked about them.
func accessReviewOf(d schema.AccessReview, secret bool) AccessReviewBody {
	return AccessReviewBody{
		ID: d.ID, Name: d.Name, Version: d.Version, Hash: d.Hash, Set: d.Set, State: d.State, PauseReason: d.PauseReason, PausedBy: d.PausedBy,
		Rule: accessReviewRuleOf(d.Rule, secret), UpdatedBy: d.UpdatedBy, UpdatedAt: d.UpdatedAt.UTC(), CreatedAt: d.CreatedAt.UTC(),
	}
}

func accessReviewRuleOf(r schema.AccessReviewRule, secret bool) accessReviewRuleBody {
	return accessReviewRuleBody{
		Title: r.Title, Owner: r.Owner, Scope: campaignScopeOf(r.Scope),
		Freshness: campaignFreshnessBody{
			intake.FormatDuration(r.Freshness.Sync), intake.FormatDuration(r.Freshness.Activity), r.Freshness.Doctor,
			intake.FormatDuration(r.Freshness.Patience), r.Freshness.Stale,
		},
		Schedule: policyScheduleOf(r.Schedule), Events: nonNil(r.Events), Stages: listOf(r.Stages, stageOf),
		Owners: listOf(r.Owners, func(o schema.EntitlementOwner) entitlementOwnerBody {
			return entitlementOwnerBody{o.Connection, o.Group, nonNil(o.To)}
		}),
		LoadCap: r.LoadCap,
		Decisions: decisionRuleBody{
			nonNil(r.Decisions.ReasonFor), r.Decisions.HighRiskReason, r.Decisions.BulkBelow, r.Decisions.Abstain, r.Decisions.Carry, r.Decisions.CarryTimes,
		},
		Time: campaignTimeBody{
			intake.FormatDuration(r.Time.Due), listOf(r.Time.Remind, intake.FormatDuration), intake.FormatDuration(r.Time.EscalateAfter),
			intake.FormatDuration(r.Time.EscalateFor), r.Time.Silence, r.Time.WorkingDays,
		},
		Quality: qualityOf(r.Quality, secret),
		Effect: effectBody{
			r.Effect.When, listOf(r.Effect.Account, stepOf), r.Effect.Role, nonNil(r.Effect.Receivers), r.Effect.Approvals, r.Effect.Budget,
		},
		Watch: intake.FormatDuration(r.Watch),
	}
}

func campaignScopeOf(c schema.CampaignScope) campaignScopeBody {
	return campaignScopeBody{
		Connections: nonNil(c.Connections), Items: nonNil(c.Items), Kinds: nonNil(c.Kinds), Roles: nonNil(c.Roles), Groups: nonNil(c.Groups), Match: c.Match,
		UnusedFor: intake.FormatDuration(c.UnusedFor), UnknownUse: c.UnknownUse, Changed: c.Changed, Privileged: c.Privileged, Holders: c.Holders,
	}
}

func stageOf(st schema.ReviewStage) stageBody {
	return stageBody{st.Name, st.Of, listOf(st.Who, func(c schema.ReviewerCandidate) stageReviewerBody {
		return stageReviewerBody{c.Whom, nonNil(c.To), c.Connection, c.Group, c.When}
	})}
}

func qualityOf(q schema.QualityRule, secret bool) qualityBody {
	b := qualityBody{MinItems: q.MinItems, MinSeconds: q.MinSeconds, ApproveAll: q.ApproveAll, Against: q.Against}
	if !secret {
		b.Controls = &controlsBody{q.Controls.Each, listOf(q.Controls.Decoys, func(d schema.Decoy) decoyBody { return decoyBody(d) })}
	}
	return b
}
