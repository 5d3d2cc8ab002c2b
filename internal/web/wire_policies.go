package web

import (
	"time"

	"sendoff/internal/intake"
	"sendoff/schema"
)

// PolicyBody is a policy as lists show it. (Exported, for huma leaves out unexported
// embedded structs.)
type PolicyBody struct {
	ID          schema.PolicyID    `json:"id"`
	Name        string             `json:"name"`
	Version     int                `json:"version" doc:"Raised with each change; runs and plans keep theirs"`
	Hash        string             `json:"hash" doc:"Hex SHA-256 of the rule"`
	Set         string             `json:"set" doc:"The set of files it was applied with; empty = alone"`
	State       schema.PolicyState `json:"state" enum:"active,paused"`
	PauseReason string             `json:"pause_reason" doc:"Empty = it is not paused"`
	PausedBy    string             `json:"paused_by"`
	Acts        bool               `json:"acts" doc:"Whether its next run by schedule may act: it has steps that write, is no shadow, and is past its cold start"`
	Stopped     bool               `json:"stopped" doc:"A run failed: the schedule makes none until the policy is resumed"`
	Acted       int                `json:"acted" doc:"Runs that were allowed to act, or reported as a cold start, since what it takes or does was changed; 0 = a cold start is before it"`
	Rule        policyRuleBody     `json:"rule"`
	UpdatedBy   string             `json:"updated_by"`
	UpdatedAt   time.Time          `json:"updated_at"`
	CreatedAt   time.Time          `json:"created_at"`
}

type showPolicyBody struct {
	PolicyBody
	Source string `json:"source" doc:"The file as it was applied"`
}

// policyRuleBody is what a policy file says, with its defaults.
type policyRuleBody struct {
	Title       string                 `json:"title"`
	Owner       string                 `json:"owner" doc:"An address"`
	Mode        schema.PolicyMode      `json:"mode" enum:"act,shadow"`
	ColdStart   schema.ColdStart       `json:"cold_start" enum:"report,act"`
	Connections []string               `json:"connections" nullable:"false"`
	Kinds       []schema.AccountKind   `json:"kinds" nullable:"false"`
	Statuses    []schema.AccountStatus `json:"statuses" nullable:"false"`
	Grades      []schema.Grade         `json:"grades" nullable:"false"`
	Match       string                 `json:"match" doc:"CEL; empty = all that the other members leave"`
	Threshold   thresholdBody          `json:"threshold"`
	Exclude     []exclusionBody        `json:"exclude" nullable:"false"`
	Ask         []ruleAskBody          `json:"ask" nullable:"false"`
	Steps       []templateStep         `json:"steps" nullable:"false"`
	Receivers   []string               `json:"receivers" nullable:"false"`
	Budget      schema.Budget          `json:"budget"`
	Approvals   int                    `json:"approvals"`
	Schedule    policyScheduleBody     `json:"schedule"`
	Freshness   freshnessBody          `json:"freshness"`
	Allow       schema.Allowances      `json:"allow"`
}

type thresholdBody struct {
	Default string          `json:"default"`
	Kinds   []kindThreshold `json:"kinds" nullable:"false"`
	Roles   []roleThreshold `json:"roles" nullable:"false"`
}

type kindThreshold struct {
	Kind schema.AccountKind `json:"kind"`
	For  string             `json:"for"`
}

type roleThreshold struct {
	Role schema.AccountRole `json:"role"`
	For  string             `json:"for"`
}

type exclusionBody struct {
	Group  string `json:"group,omitempty"`
	Person string `json:"person,omitempty"`
	Login  string `json:"login,omitempty"`
	When   string `json:"when,omitempty"`
	Until  string `json:"until" doc:"The last day it holds; empty = for ever"`
	Live   bool   `json:"live" doc:"Whether it holds today"`
	Reason string `json:"reason"`
}

type ruleAskBody struct {
	Whom    schema.AskWhom `json:"whom" enum:"holder,manager,owner,named"`
	To      []string       `json:"to" nullable:"false"`
	Channel schema.Channel `json:"channel"`
	Wait    string         `json:"wait"`
	Silence schema.Silence `json:"silence" enum:"nothing,proceeds"`
	Text    string         `json:"text" doc:"Empty = the built-in text"`
}

type policyScheduleBody struct {
	Every    string             `json:"every" doc:"0s = by times, or only when somebody asks for a run"`
	Times    []scheduleTimeBody `json:"times" nullable:"false"`
	Zone     string             `json:"zone"`
	Jitter   string             `json:"jitter"`
	Blackout []blackoutBody     `json:"blackout" nullable:"false"`
}

type scheduleTimeBody struct {
	Hour     int      `json:"hour"`
	Minute   int      `json:"minute"`
	Weekdays []string `json:"weekdays" nullable:"false" doc:"Empty = every one"`
	Days     []int    `json:"days" nullable:"false" doc:"Of the month; empty = every one"`
	Months   []string `json:"months" nullable:"false" doc:"Empty = every one"`
}

type blackoutBody struct {
	From   string `json:"from"`
	To     string `json:"to" doc:"Included"`
	Reason string `json:"reason"`
}

type freshnessBody struct {
	Sync     string `json:"sync"`
	Activity string `json:"activity"`
	Patience string `json:"patience"`
}

func (s *server) policyOf(p schema.Policy) PolicyBody {
	cold := p.Acted == 0 && p.Rule.ColdStart != schema.ColdActs
	return PolicyBody{
		ID: p.ID, Name: p.Name, Version: p.Version, Hash: p.Hash, Set: p.Set, State: p.State, PauseReason: p.PauseReason, PausedBy: p.PausedBy,
		Acts:    p.State == schema.PolicyActive && !p.Stopped && p.Rule.Mode == schema.PolicyActs && p.Rule.Acts() && !cold,
		Stopped: p.Stopped, Acted: p.Acted, Rule: ruleOf(p.Rule, schema.DateOf(s.now().UTC())), UpdatedBy: p.UpdatedBy, UpdatedAt: p.UpdatedAt.UTC(), CreatedAt: p.CreatedAt.UTC(),
	}
}

func ruleOf(r schema.PolicyRule, today schema.Date) policyRuleBody {
	return policyRuleBody{
		Title: r.Title, Owner: r.Owner, Mode: r.Mode, ColdStart: r.ColdStart, Connections: nonNil(r.Connections), Kinds: nonNil(r.Kinds),
		Statuses: nonNil(r.Statuses), Grades: nonNil(r.Grades), Match: r.Match, Threshold: thresholdOf(r.Threshold),
		Exclude: listOf(r.Exclude, func(e schema.Exclusion) exclusionBody {
			return exclusionBody{e.Group, e.Person, e.Login, e.When, e.Until.String(), e.Live(today), e.Reason}
		}),
		Ask: listOf(r.Ask, func(a schema.Ask) ruleAskBody {
			return ruleAskBody{a.Whom, nonNil(a.To), a.Channel, intake.FormatDuration(a.Wait), a.Silence, a.Text}
		}),
		Steps: listOf(r.Steps, stepOf), Receivers: nonNil(r.Receivers), Budget: r.Budget, Approvals: r.Approvals, Schedule: policyScheduleOf(r.Schedule),
		Freshness: freshnessBody{intake.FormatDuration(r.Freshness.Sync), intake.FormatDuration(r.Freshness.Activity), intake.FormatDuration(r.Freshness.Patience)},
		Allow:     r.Allow,
	}
}

func thresholdOf(t schema.Threshold) thresholdBody {
	return thresholdBody{
		Default: intake.FormatDuration(t.Default),
		Kinds:   listOf(t.Kinds, func(k schema.KindThreshold) kindThreshold { return kindThreshold{k.Kind, intake.FormatDuration(k.For)} }),
		Roles:   listOf(t.Roles, func(r schema.RoleThreshold) roleThreshold { return roleThreshold{r.Role, intake.FormatDuration(r.For)} }),
	}
}

func stepOf(f schema.StepFact) templateStep {
	st := templateStep{Kind: f.Kind, Irreversible: f.Kind.Irreversible(), StepParams: f.StepParams}
	if f.WaitSeconds > 0 {
		st.Wait = intake.FormatDuration(time.Duration(f.WaitSeconds) * time.Second)
	}
	return st
}

func policyScheduleOf(p schema.PolicySchedule) policyScheduleBody {
	return policyScheduleBody{
		Every: intake.FormatDuration(p.Every), Zone: p.Zone, Jitter: intake.FormatDuration(p.Jitter),
		Times: listOf(p.Times, func(t schema.ScheduleTime) scheduleTimeBody {
			return scheduleTimeBody{
				t.Hour, t.Minute, listOf(t.Weekdays, time.Weekday.String), nonNil(t.Days), listOf(t.Months, time.Month.String),
			}
		}),
		Blackout: listOf(p.Blackout, func(b schema.Blackout) blackoutBody { return blackoutBody{b.From.String(), b.To.String(), b.Reason} }),
	}
}

// PolicyVersionBody is one version of a policy.
type PolicyVersionBody struct {
	Version   int       `json:"version"`
	Hash      string    `json:"hash"`
	Set       string    `json:"set"`
	Source    string    `json:"source" doc:"The file as it was applied"`
	Diff      []string  `json:"diff" nullable:"false" doc:"What differs from the version before: \"path: before -> after\""`
	UpdatedBy string    `json:"updated_by"`
	UpdatedAt time.Time `json:"updated_at"`
}

type replayBody struct {
	Policy   string           `json:"policy"`
	From     time.Time        `json:"from"`
	To       time.Time        `json:"to"`
	Accounts int64            `json:"accounts" doc:"Looked at, on all pages together, as are the other sums"`
	Hits     []replayHitBody  `json:"hits" nullable:"false"`
	Returned int64            `json:"returned" doc:"Hits that were used again later: false positives"`
	Unproven int64            `json:"unproven" doc:"Silences that no coverage proves: the rule would not have taken those"`
	Limits   []string         `json:"limits" nullable:"false" doc:"What the record cannot tell"`
	Warnings []schema.Problem `json:"warnings" nullable:"false" doc:"Of the file"`
	Next     string           `json:"next"`
}

type replayHitBody struct {
	Account    schema.AccountID `json:"account" doc:"Our id"`
	Connection string           `json:"connection"`
	Login      string           `json:"login"`
	HitOn      string           `json:"hit_on"`
	LastUsedOn string           `json:"last_used_on" doc:"Empty = no use was seen before"`
	ReturnedOn string           `json:"returned_on" doc:"Empty = never: not a false positive that is known of"`
	SilentFor  int              `json:"silent_days" doc:"Until it was hit"`
}

func replayOf(r schema.Replay, warnings []schema.Problem) replayBody {
	return replayBody{
		Policy: r.Policy, From: r.From.UTC(), To: r.To.UTC(), Accounts: r.Accounts, Returned: r.Returned, Unproven: r.Unproven, Limits: nonNil(r.Limits),
		Hits: listOf(r.Hits, func(h schema.ReplayHit) replayHitBody {
			return replayHitBody{h.AccountID, h.Connection, h.Login, h.HitOn.String(), h.LastUsedOn.String(), h.ReturnedOn.String(), h.SilentForDay}
		}),
		Warnings: nonNil(warnings), Next: r.Next,
	}
}
