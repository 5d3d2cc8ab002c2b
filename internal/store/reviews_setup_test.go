package store_test

import (
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/internal/audit"
	"sendoff/internal/store"
	"sendoff/internal/web"
	"sendoff/schema"
)

var (
	_ activities.ReviewRuns = (*store.Store)(nil)
	_ web.PolicyStore       = (*store.Store)(nil)
)

// policies is a store with policies whose runs a test takes through their states.
type policies struct {
	*bundle
	author schema.Principal // who applies the policies
	day    atomic.Int64     // of the next scheduled run
}

func policySetup(t *testing.T) *policies {
	t.Helper()
	b := setup(t)
	return &policies{bundle: b, author: b.holder("author", "author@example.com")}
}

// suspends is a rule that suspends accounts on the connection box.
func suspends(name string, edit ...func(*schema.PolicyRule)) schema.PolicyRule {
	r := schema.PolicyRule{
		Name: name, Owner: "owner@example.com", Mode: schema.PolicyActs, ColdStart: schema.ColdActs, Connections: []string{"box"},
		Kinds: []schema.AccountKind{schema.KindPerson}, Statuses: []schema.AccountStatus{schema.AccountActive}, Grades: []schema.Grade{schema.GradeInactive},
		Threshold: schema.Threshold{Default: 90 * 24 * time.Hour}, Steps: []schema.StepFact{{Kind: schema.StepSnapshot}, {Kind: schema.StepSuspend}},
		Exclude:  []schema.Exclusion{{Login: "ceo@*", Until: schema.Date{Year: 2030, Month: 1, Day: 2}, Reason: "travels"}},
		Schedule: schema.PolicySchedule{Every: 24 * time.Hour}, Freshness: schema.Freshness{Sync: time.Hour},
	}
	for _, e := range edit {
		e(&r)
	}
	return r
}

// applies applies rules as a set, and returns what changed.
func (p *policies) applies(set string, rules ...schema.PolicyRule) []schema.AppliedPolicy {
	p.t.Helper()
	applied, err := p.ApplyPolicies(p.t.Context(), files(set, rules...), p.author)
	require.NoError(p.t, err)
	return applied
}

func files(set string, rules ...schema.PolicyRule) schema.ApplyPolicies {
	a := schema.ApplyPolicies{Set: set}
	for _, r := range rules {
		a.Files = append(a.Files, schema.PolicyFile{Rule: r, Source: "name: " + r.Name + " # secret text"})
	}
	return a
}

// has applies one rule alone and returns its policy.
func (p *policies) has(rule schema.PolicyRule) schema.Policy {
	p.t.Helper()
	return p.applies("", rule)[0].Policy
}

// begins begins the next scheduled run of a policy.
func (p *policies) begins(policy schema.Policy) schema.Review {
	p.t.Helper()
	at := time.Date(2026, 1, int(p.day.Add(1)), 3, 0, 0, 0, time.UTC)
	r, err := p.BeginReview(p.t.Context(), policy.ID, at, fmt.Sprintf("review/%s/%s", policy.ID, at.Format(time.DateOnly)))
	require.NoError(p.t, err)
	return r
}

// judged is a verdict on an account that exists.
func (p *policies) judged(external string, reason schema.VerdictReason) schema.Judged {
	p.t.Helper()
	a := p.account(external)
	return schema.Judged{
		AccountID: a.ID, ConnectionID: p.conn.ID, ExternalID: a.ExternalID, Login: a.Login, Bytes: 10,
		Verdict: schema.Verdict{Reason: reason, Grade: schema.GradeInactive, Threshold: time.Hour, Exclusion: -1},
	}
}

func (p *policies) matched(externals ...string) []schema.Judged {
	p.t.Helper()
	var list []schema.Judged
	for _, e := range externals {
		list = append(list, p.judged(e, schema.ReasonMatched))
	}
	return list
}

// numbers are the external ids from..to.
func numbers(from, to int) []string {
	var out []string
	for n := from; n <= to; n++ {
		out = append(out, strconv.Itoa(n))
	}
	return out
}

// judges takes a run that has begun to planning, or to its end.
func (p *policies) judges(r schema.Review, list ...schema.Judged) schema.Review {
	p.t.Helper()
	require.NoError(p.t, p.BeginJudging(p.t.Context(), r.ID))
	require.NoError(p.t, p.AddJudged(p.t.Context(), r.ID, list))
	matched := int64(0)
	for _, j := range list {
		if j.Verdict.Matched() {
			matched++
		}
	}
	r, err := p.BeginPlanning(p.t.Context(), r.ID, schema.Judgement{
		At: time.Now(), Looked: 100, Reasons: []schema.ReasonCount{{Reason: schema.ReasonMatched, Count: matched}},
		Basis: []schema.PopulationBasis{{ConnectionID: p.conn.ID, Connection: "box", Why: "WHOLE"}},
	})
	require.NoError(p.t, err)
	return r
}

// facts are those of the plan of an account of a run.
func (p *policies) facts(policy schema.Policy, j schema.Judged) schema.Facts {
	return schema.Facts{
		Cause: string(schema.DoorInactivity), ConnectionID: j.ConnectionID, EnterpriseID: "900", AccountID: j.ExternalID, Login: j.Login,
		Role: schema.RoleMember, Kind: schema.KindPerson, Steps: policy.Rule.Steps, Template: schema.PolicyTemplatePrefix + policy.Name,
		TemplateVersion: policy.Version, LastActiveAt: "never", ThresholdSeconds: 3600,
	}
}

// plans begins a run, judges it and plans what matched; EndPlanning is next.
func (p *policies) plans(policy schema.Policy, list ...schema.Judged) schema.Review {
	p.t.Helper()
	r := p.judges(p.begins(policy), list...)
	for _, j := range list {
		require.NoError(p.t, p.PlanItem(p.t.Context(), r.ID, schema.PlannedItem{AccountID: j.AccountID, Facts: p.facts(policy, j), Bytes: j.Bytes}))
	}
	return r
}

// ends ends the planning of a run.
func (p *policies) ends(r schema.Review) schema.Review {
	p.t.Helper()
	r, err := p.EndPlanning(p.t.Context(), r.ID)
	require.NoError(p.t, err)
	return r
}

func (p *policies) run(id schema.ReviewID) schema.Review {
	p.t.Helper()
	r, err := p.Review(p.t.Context(), id)
	require.NoError(p.t, err)
	return r
}

// starts opens the case of an item that nobody is asked about.
func (p *policies) starts(policy schema.Policy, r schema.Review, j schema.Judged) schema.Case {
	p.t.Helper()
	require.NoError(p.t, p.AskAbout(p.t.Context(), r.ID, j.AccountID, nil, time.Time{}))
	d, err := p.draftOf(policy, j)
	require.NoError(p.t, err)
	c, err := p.StartItem(p.t.Context(), r.ID, j.AccountID, d)
	require.NoError(p.t, err)
	return c
}

// draftOf is the plan of an account of a run as a draft.
func (p *policies) draftOf(policy schema.Policy, j schema.Judged) (schema.Draft, error) {
	facts := p.facts(policy, j)
	a, err := p.Account(p.t.Context(), j.AccountID)
	return schema.Draft{
		Request: schema.Request{Door: schema.DoorInactivity, Email: a.Login, Template: facts.Template, Source: "policy", Receivers: []string{}},
		Accounts: []schema.DraftAccount{{
			Connection: p.conn, Account: a, Facts: facts, TemplateRecord: policy.Template(),
		}},
		Hash: schema.CaseHash([]string{facts.Hash()}),
	}, err
}

// items counts the items of a run by state.
func (p *policies) items(id schema.ReviewID) map[schema.ItemState]int {
	p.t.Helper()
	out := map[schema.ItemState]int{}
	for _, state := range schema.ItemStates() {
		list, err := p.Items(p.t.Context(), id, state, 500)
		require.NoError(p.t, err)
		if len(list) > 0 {
			out[state] = len(list)
		}
	}
	return out
}

// used is how many accounts count against budgets.
func (p *policies) used() int {
	p.t.Helper()
	s, err := p.BudgetUsed(p.t.Context(), time.Now().Add(-24*time.Hour))
	require.NoError(p.t, err)
	sum := 0
	for _, n := range s.Connection {
		sum += n
	}
	require.Equal(p.t, s.Accounts, sum)
	return sum
}

// actionsOf are what the audit log says of a policy, without what its items did.
func (p *policies) actionsOf(id schema.PolicyID) []string {
	p.t.Helper()
	var out []string
	for _, e := range p.auditOf(audit.PolicyStream(string(id))) {
		require.NotContains(p.t, fmt.Sprint(e), "secret text")
		out = append(out, e.Action)
	}
	return slices.DeleteFunc(out, func(a string) bool { return a == "review.item_planned" || a == "review.judged" })
}

// problemsOf are the problems that an error names.
func problemsOf(t *testing.T, err error) []schema.Problem {
	t.Helper()
	var e *schema.Error
	require.ErrorAs(t, err, &e)
	return e.Problems
}

// outbox dispatches the outbox and returns what it says of policies and runs.
func (p *policies) outbox() []string {
	p.t.Helper()
	var out []string
	for _, row := range p.drain() {
		switch row.Kind {
		case schema.OutboxPolicy:
			out = append(out, "policy "+string(row.PolicyID))
		case schema.OutboxReview:
			out = append(out, "review "+string(row.ReviewID))
		}
	}
	return out
}
