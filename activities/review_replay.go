package activities

import (
	"context"
	"time"

	"sendoff/internal/inactivity"
	"sendoff/schema"
)

// Replay says what a rule would have done in the past: the sums of all accounts,
// and a page of the hits. A page goes on after the account that the cursor names;
// its sums are those of the whole again.
func (v *PolicyJudge) Replay(ctx context.Context, rule schema.PolicyRule, since time.Duration, after string, limit int) (schema.Replay, error) {
	compiled, conns, err := v.compile(ctx, rule)
	if err != nil {
		return schema.Replay{}, err
	}
	ids := opened{conns: conns}.ids()
	coverage, err := v.cfg.History.ReplayCoverage(ctx, ids)
	if err != nil {
		return schema.Replay{}, err
	}
	in := inactivity.ReplayInput{To: v.now().UTC()}
	in.From = in.To.Add(-since)
	for _, c := range coverage {
		in.Connections = append(in.Connections, inactivity.ReplayConnection{ID: c.ConnectionID, Name: c.Connection, Covered: judgedBy(c)})
	}
	replayer := compiled.Replayer(in)
	sum := replayer.Begin()
	q := schema.ReplayQuery{Connections: ids, Kinds: rule.Kinds, From: in.From, To: in.To, Needs: compiled.Needs()}
	err = v.cfg.History.UseHistory(ctx, q, func(accounts []schema.UsedAccount) error {
		for i := range accounts {
			hits := replayer.Add(&sum, &accounts[i])
			keepHits(&sum, hits, string(accounts[i].Account.ID), after, limit)
		}
		return nil
	})
	return sum, err
}

// keepHits adds the hits of one account to the page, if they belong to it. An
// account's hits are never parted.
func keepHits(sum *schema.Replay, hits []schema.ReplayHit, account, after string, limit int) {
	switch {
	case len(hits) == 0 || account <= after || sum.Next != "":
	case len(sum.Hits) >= limit:
		sum.Next = string(sum.Hits[len(sum.Hits)-1].AccountID)
	default:
		sum.Hits = append(sum.Hits, hits...)
	}
}

// judgedBy are the spans of the first source that is collected: silence is judged
// by it.
func judgedBy(c schema.UseCoverage) []schema.Interval {
	for _, s := range c.Sources {
		if len(s.Covered) > 0 {
			return s.Covered
		}
	}
	return nil
}
