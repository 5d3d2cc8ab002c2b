package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// PolicyID names a policy.
type PolicyID string

// PolicyState tells whether a policy's schedule runs.
type PolicyState string

// The states of a policy.
const (
	PolicyActive PolicyState = "active"
	// PolicyPaused: its schedule makes no runs; an operator may still ask for one
	// that only reports.
	PolicyPaused PolicyState = "paused"
)

// Policy is an inactivity policy as it was applied.
type Policy struct {
	ID          PolicyID
	Name        string
	Version     int // raised with each change; runs and plans keep the one they were made by
	Rule        PolicyRule
	Hash        string // of the rule
	Source      string // the file's text
	Set         string // the set of files it was applied with; empty = alone
	State       PolicyState
	PauseReason string // of a paused one
	PausedBy    string
	Stopped     bool // a run failed: the schedule makes none until somebody resumes the policy
	Acted       int  // runs that were allowed to act since what it takes or does was changed; 0 = a cold start is before it
	UpdatedBy   string
	UpdatedAt   time.Time
	CreatedAt   time.Time
}

// PolicyTemplatePrefix begins the template name of a policy's plans.
const PolicyTemplatePrefix = "policy:"

// Template is what plans of the policy are made from.
func (p Policy) Template() Template {
	return Template{
		Name: PolicyTemplatePrefix + p.Name, Version: p.Version, Title: p.Rule.Title, Steps: p.Rule.Steps,
		Approvals: p.Rule.Approvals, Receivers: p.Rule.Receivers, Source: p.Source, UpdatedBy: p.UpdatedBy, UpdatedAt: p.UpdatedAt,
	}
}

// PolicyMode is whether a policy acts.
type PolicyMode string

// The modes.
const (
	PolicyActs   PolicyMode = "act"
	PolicyShadow PolicyMode = "shadow" // scheduled, reporting, never acting
)

// ColdStart is what the first run of a policy does.
type ColdStart string

// The cold starts.
const (
	ColdReports ColdStart = "report" // it only reports
	ColdActs    ColdStart = "act"
)

// PolicyRule is what a policy file says. The type has neither maps nor floats, so
// that its JSON is one byte string for one meaning.
type PolicyRule struct {
	Name        string          `json:"name"`
	Title       string          `json:"title,omitempty"`
	Owner       string          `json:"owner"` // an address
	Mode        PolicyMode      `json:"mode"`
	ColdStart   ColdStart       `json:"cold_start"`
	Connections []string        `json:"connections"` // by name
	Kinds       []AccountKind   `json:"kinds"`
	Statuses    []AccountStatus `json:"statuses"`
	// Grades are those that the rule takes: never unknown or not_collected.
	Grades    []Grade        `json:"grades"`
	Match     string         `json:"match,omitempty"` // CEL; empty = all that the other members leave
	Threshold Threshold      `json:"threshold"`
	Exclude   []Exclusion    `json:"exclude,omitempty"`
	Ask       []Ask          `json:"ask,omitempty"`
	Steps     []StepFact     `json:"steps"`
	Receivers []string       `json:"receivers,omitempty"`
	Budget    Budget         `json:"budget"`
	Approvals int            `json:"approvals"`
	Schedule  PolicySchedule `json:"schedule"`
	Freshness Freshness      `json:"freshness"`
	Allow     Allowances     `json:"allow,omitzero"`
}

// Hash is the SHA-256 of the rule's JSON, in hex.
func (r PolicyRule) Hash() string {
	b, _ := json.Marshal(r) // strings, integers and dates alone: Marshal cannot fail
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Scheduled tells whether runs of the rule begin by themselves.
func (r PolicyRule) Scheduled() bool { return r.Schedule.Every > 0 || len(r.Schedule.Times) > 0 }

// TakesAs tells whether two rules take the same accounts and do the same to them, so
// that a run which reported on one says what the other would do. Exclusions, owners,
// questions, budgets and schedules are no part of it: these take nobody in.
func (r PolicyRule) TakesAs(o PolicyRule) bool {
	part := func(r PolicyRule) PolicyRule {
		return PolicyRule{
			Connections: r.Connections, Kinds: r.Kinds, Statuses: r.Statuses, Grades: r.Grades, Match: r.Match, Threshold: r.Threshold, Steps: r.Steps,
		}
	}
	return part(r).Hash() == part(o).Hash()
}

// Acts tells whether the steps of the rule write to a vendor.
func (r PolicyRule) Acts() bool {
	for _, s := range r.Steps {
		if s.Kind.Writes() {
			return true
		}
	}
	return false
}

// Allowances are what a policy may do only because it says so.
type Allowances struct {
	DeleteWithoutTransfer bool `json:"delete_without_transfer,omitempty"`
	ZeroThreshold         bool `json:"zero_threshold,omitempty"`
	// MostOfPopulation lets a match take more than half of the population.
	MostOfPopulation bool `json:"most_of_population,omitempty"`
}

// Threshold is how long an account must be silent, by what it is. The longest of
// those that apply counts.
type Threshold struct {
	Default time.Duration   `json:"default"`
	Kinds   []KindThreshold `json:"kinds,omitempty"`
	Roles   []RoleThreshold `json:"roles,omitempty"`
}

// KindThreshold is the threshold of a kind of account.
type KindThreshold struct {
	Kind AccountKind   `json:"kind"`
	For  time.Duration `json:"for"`
}

// RoleThreshold is the threshold of a role.
type RoleThreshold struct {
	Role AccountRole   `json:"role"`
	For  time.Duration `json:"for"`
}

// Of is the threshold of an account. A kind or role that is named has its own in
// place of the default; of both, the longer counts.
func (t Threshold) Of(k AccountKind, r AccountRole) time.Duration {
	own, named := time.Duration(0), false
	for _, of := range t.Kinds {
		if of.Kind == k {
			own, named = max(own, of.For), true
		}
	}
	for _, of := range t.Roles {
		if of.Role == r {
			own, named = max(own, of.For), true
		}
	}
	if named {
		return own
	}
	return t.Default
}

// Exclusion keeps accounts out of a policy: exactly one of Group, Person, Login
// and When says which.
type Exclusion struct {
	Group  string `json:"group,omitempty"`  // a group's name or vendor id
	Person string `json:"person,omitempty"` // an address
	Login  string `json:"login,omitempty"`  // a pattern of * and ?
	When   string `json:"when,omitempty"`   // CEL
	Until  Date   `json:"until,omitzero"`   // the last day it holds; zero = for ever
	Reason string `json:"reason"`
}

// Live tells whether the exclusion holds on a day.
func (e Exclusion) Live(on Date) bool { return e.Until.IsZero() || !e.Until.Before(on) }

// Freshness is how old what a run judges by may be.
type Freshness struct {
	// Sync: a connection's accounts must have been listed within it; a run asks for
	// a sync that is older and waits for it, for Patience at most.
	Sync time.Duration `json:"sync"`
	// Activity: its feed must have been read up to within it.
	Activity time.Duration `json:"activity"`
	Patience time.Duration `json:"patience"`
}

// The defaults of a policy file.
const (
	DefaultSyncFreshness     = 24 * time.Hour
	DefaultActivityFreshness = 6 * time.Hour
	DefaultPatience          = 12 * time.Hour
)

// PolicySchedule is when a policy's reviews begin. Exactly one of Every and Times
// is set, or neither: then only an operator starts one.
type PolicySchedule struct {
	Every    time.Duration  `json:"every,omitempty"`
	Times    []ScheduleTime `json:"times,omitempty"`
	Zone     string         `json:"zone,omitempty"` // IANA; of Times and Blackout
	Jitter   time.Duration  `json:"jitter,omitempty"`
	Blackout []Blackout     `json:"blackout,omitempty"`
}

// ScheduleTime is a time of day on days of a calendar.
type ScheduleTime struct {
	Hour     int            `json:"hour"`
	Minute   int            `json:"minute"`
	Weekdays []time.Weekday `json:"weekdays,omitempty"` // empty = every one
	Days     []int          `json:"days,omitempty"`     // of the month, 1 to 31; empty = every one
	Months   []time.Month   `json:"months,omitempty"`   // empty = every one
}

// Blackout is a span of days on which no review begins and none acts.
type Blackout struct {
	From   Date   `json:"from"`
	To     Date   `json:"to"` // included
	Reason string `json:"reason"`
}

// DarkOn returns the blackout that a day lies in, and whether there is one.
func (s PolicySchedule) DarkOn(day Date) (Blackout, bool) {
	for _, b := range s.Blackout {
		if !day.Before(b.From) && !b.To.Before(day) {
			return b, true
		}
	}
	return Blackout{}, false
}

// AppliedPolicy is what applying one file did, or would do.
type AppliedPolicy struct {
	Name   string
	Change PolicyChange
	Policy Policy // as it is then
	// Before is the rule that a changed one has replaced; nil = the same, or none.
	Before *PolicyRule
	Diff   []string // the members that differ, "path: before -> after"
}

// PolicyChange is what an apply does to a policy.
type PolicyChange string

// The changes.
const (
	PolicyAdded     PolicyChange = "added"
	PolicyChanged   PolicyChange = "changed"
	PolicyUnchanged PolicyChange = "unchanged"
	PolicyWithdrawn PolicyChange = "paused" // its file is no longer in the set
	PolicyRestored  PolicyChange = "resumed"
)
