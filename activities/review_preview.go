package activities

import (
	"context"

	"sendoff/schema"
)

// HistoryStore reads what is recorded of the use of accounts, and of budgets.
type HistoryStore interface {
	// UseHistory hands out the accounts of a span with their days of use, in batches:
	// their slice is used again.
	UseHistory(ctx context.Context, q schema.ReplayQuery, each func([]schema.UsedAccount) error) error
	// ReplayCoverage returns for which spans every use is known, in the order asked.
	ReplayCoverage(ctx context.Context, connections []schema.ConnectionID) ([]schema.UseCoverage, error)
	EngineBudget(ctx context.Context) (schema.EngineBudget, error)
}

// PolicyJudge says what rules come to, for people who ask. It is no activity: what
// it returns names people.
type PolicyJudge struct{ *reviewing }

// NewPolicyJudge returns a judge over the ports given.
func NewPolicyJudge(cfg ReviewsConfig) *PolicyJudge { return &PolicyJudge{newReviewing(cfg)} }

// Preview judges everything by a rule that need not have been applied, and plans
// the first rows accounts that match. It writes nothing but the accounts it saw.
func (v *PolicyJudge) Preview(ctx context.Context, rule schema.PolicyRule, rows int) (schema.Preview, error) {
	p := schema.Preview{Policy: rule.Name, Wanted: schema.Spending{Connection: map[schema.ConnectionID]int{}}}
	compiled, conns, err := v.compile(ctx, rule)
	if err != nil {
		return p, err
	}
	o := opened{policy: schema.Policy{Name: rule.Name, Rule: rule}, rule: compiled, conns: conns}
	j, matched, err := v.judge(ctx, compiled, o.ids(), func(list []schema.Judged) error {
		addPreview(&p, o, list, rows)
		return nil
	})
	if err != nil {
		return p, err
	}
	p.At, p.Looked, p.Reasons, p.Basis, p.Matched = j.At, j.Looked, j.Reasons, j.Basis, matched
	p.TooMany = tooMany(rule, matched, j.Looked)
	engine, err := v.cfg.History.EngineBudget(ctx)
	if err != nil {
		return p, err
	}
	// What was used today is counted when a run takes its budget; a preview promises
	// nothing about tomorrow.
	p.Overruns = rule.Budget.Overruns(engine, p.Looked, p.Wanted, schema.BudgetUsed{})
	return p, v.previewPlans(ctx, o, &p)
}

// addPreview counts what would be used by accounts that matched, and keeps the
// first rows of them.
func addPreview(p *schema.Preview, o opened, list []schema.Judged, rows int) {
	writes, moves := o.policy.Rule.Acts(), movesContent(schema.Facts{Steps: o.policy.Rule.Steps})
	for _, j := range list {
		if !j.Verdict.Matched() {
			continue
		}
		if writes {
			p.Wanted.Accounts++
			p.Wanted.Connection[j.ConnectionID]++
			if j.Privileged {
				p.Wanted.Privileged++
			}
		}
		if moves {
			p.Wanted.Bytes += j.Bytes
		}
		if len(p.Rows) < rows {
			row := schema.PreviewRow{Judged: j}
			for _, c := range o.conns {
				if c.ID == j.ConnectionID {
					row.Connection = c.Name
				}
			}
			p.Rows = append(p.Rows, row)
		}
	}
}

// previewPlans plans the rows of a preview.
func (v *PolicyJudge) previewPlans(ctx context.Context, o opened, p *schema.Preview) error {
	requests := make([]schema.Request, len(p.Rows))
	for i, row := range p.Rows {
		s, verdict, err := v.again(ctx, o, row.AccountID, p.At)
		if err != nil {
			return err
		}
		requests[i] = requestOf(o.policy.Rule, s, verdict)
	}
	drafts, err := v.drafts(ctx, o, v.cfg.Planner.Drafting(), requests, false)
	if err != nil {
		return err
	}
	for i, d := range drafts {
		p.Rows[i].Findings = d.AllFindings()
		if len(d.Accounts) == 1 {
			facts := d.Accounts[0].Facts
			p.Rows[i].Facts, p.Rows[i].Hash = &facts, facts.Hash()
		}
	}
	return nil
}

// Explain judges one account by a policy now, and says by what.
func (v *PolicyJudge) Explain(ctx context.Context, p schema.Policy, account schema.AccountID) (schema.Explanation, error) {
	compiled, conns, err := v.compile(ctx, p.Rule)
	if err != nil {
		return schema.Explanation{}, err
	}
	o := opened{policy: p, rule: compiled, conns: conns}
	now := v.now().UTC()
	s, err := v.store.Subject(ctx, account, schema.Needs{Person: true, Groups: true})
	if err != nil {
		return schema.Explanation{}, err
	}
	e := compiled.Explain(&s, now)
	e.Policy, e.Version, e.At = p.Name, p.Version, now
	e.AccountID, e.Connection, e.Login = account, s.Connection, s.Account.Login
	for _, id := range o.ids() {
		if id == s.Account.ConnectionID {
			return e, nil
		}
	}
	e.Verdict = schema.Verdict{Reason: schema.ReasonElsewhere, Exclusion: -1}
	return e, nil
}
