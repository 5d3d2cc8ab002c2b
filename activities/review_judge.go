package activities

import (
	"context"
	"fmt"
	"strings"
	"time"

	"sendoff/internal/inactivity"
	"sendoff/schema"
)

// GatherFacts asks for what is too old to judge by, and begins the judging when
// everything is fresh. After the policy's patience the run ends as stale, with the
// reason: what is not known is no reason to act.
func (v *Reviews) GatherFacts(ctx context.Context, in ReviewInput) (Piece, error) {
	o, err := v.open(ctx, in.ReviewID)
	if err != nil || o.review.State != schema.ReviewGathering {
		return Piece{More: true}, err
	}
	if left := v.dark(o.policy.Rule); left > 0 {
		return Piece{More: true}, v.store.EndReview(ctx, o.review.ID, schema.ReviewDark, "it was to begin within a blackout of the policy")
	}
	basis, err := v.store.PopulationBasis(ctx, o.ids())
	if err != nil {
		return Piece{}, err
	}
	old := append(v.tooOld(o.policy.Rule, basis), v.groupsTooOld(o, basis)...)
	if len(old) == 0 {
		return Piece{More: true}, unlessStale(v.store.BeginJudging(ctx, o.review.ID))
	}
	patience := v.cfg.Clocks.PlanWait(o.policy.Rule.Freshness.Patience)
	if v.now().Sub(o.review.CreatedAt) >= patience {
		return Piece{More: true}, v.store.EndReview(ctx, o.review.ID, schema.ReviewStale, strings.Join(words(old), "; "))
	}
	for _, s := range old {
		if err := v.store.AskRun(ctx, s.id, s.kind); err != nil && schema.CodeOf(err) != schema.CodeClosed {
			return Piece{}, err
		}
	}
	return v.polls(v.cfg.Clocks.PollFirst).until(patience - v.now().Sub(o.review.CreatedAt)), nil
}

// stale is something of a connection that is too old to judge by.
type stale struct {
	id   schema.ConnectionID
	kind schema.RunKind
	what string
}

func words(list []stale) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = s.what
	}
	return out
}

func (v *reviewing) tooOld(rule schema.PolicyRule, basis []schema.PopulationBasis) []stale {
	var old []stale
	now := v.now()
	for _, b := range basis {
		why := ""
		if b.Why != "" {
			why = " (" + b.Why + ")"
		}
		if b.SyncedAt.IsZero() || now.Sub(b.SyncedAt) > rule.Freshness.Sync {
			old = append(old, stale{b.ConnectionID, schema.RunSync, "the accounts of " + b.Connection + " were not listed within " + rule.Freshness.Sync.String() + why})
		}
		// Activity that is not collected at all makes no candidates: the run says so.
		switch {
		case b.Covered.Empty():
		case b.Unread:
			old = append(old, stale{b.ConnectionID, schema.RunActivity, "the activity of " + b.Connection + " cannot be read any more" + why})
		case now.Sub(b.Covered.To) > rule.Freshness.Activity:
			old = append(old, stale{b.ConnectionID, schema.RunActivity, "the activity of " + b.Connection + " was not read within " + rule.Freshness.Activity.String() + why})
		}
	}
	return old
}

// groupsTooOld are the connections whose groups are not all known lately, for a
// policy that asks for groups: a group that is not known keeps nobody out.
func (v *reviewing) groupsTooOld(o opened, basis []schema.PopulationBasis) []stale {
	if !o.rule.Needs().Groups {
		return nil
	}
	var old []stale
	for _, b := range basis {
		if b.GroupsAsOf.IsZero() || v.now().Sub(b.GroupsAsOf) > o.policy.Rule.Freshness.Sync {
			old = append(old, stale{b.ConnectionID, schema.RunSync, "the groups of " + b.Connection + " and their members were not all listed within " + o.policy.Rule.Freshness.Sync.String()})
		}
	}
	return old
}

// JudgeAccounts judges every account of the policy's connections, keeps what it
// took and what was kept out, and goes on to planning.
func (v *Reviews) JudgeAccounts(ctx context.Context, in ReviewInput) error {
	o, err := v.open(ctx, in.ReviewID)
	if err != nil || o.review.State != schema.ReviewJudging {
		return err
	}
	keep := newKeeper(ctx, func(ctx context.Context, list []schema.Judged) error {
		return v.store.AddJudged(ctx, o.review.ID, list)
	})
	j, matched, err := v.judge(ctx, o.rule, o.ids(), keep.add)
	if kept := keep.end(err == nil); kept != nil {
		err = kept
	}
	if err != nil {
		return err
	}
	if tooMany(o.policy.Rule, matched, j.Looked) {
		return v.store.EndReview(ctx, o.review.ID, schema.ReviewTooMany, tooManyWords(matched, j.Looked))
	}
	_, err = v.store.BeginPlanning(ctx, o.review.ID, j)
	return unlessStale(err)
}

// unlessStale is err, but nil for a run or item that is elsewhere by now: a repeat,
// or somebody was faster. The row tells where it stands.
func unlessStale(err error) error {
	if schema.CodeOf(err) == schema.CodeStale {
		return nil
	}
	return err
}

// tooMany tells whether a rule takes more than half of what it looks at without
// saying that it may.
func tooMany(rule schema.PolicyRule, matched, looked int64) bool {
	return !rule.Allow.MostOfPopulation && matched*2 > looked
}

func tooManyWords(matched, looked int64) string {
	return fmt.Sprintf("it matches %d of %d accounts, more than half: if that is meant, write allow: {most_of_population: true}", matched, looked)
}

// judge judges a population, hands out what is to be kept, and returns the counts
// and how many matched.
func (v *reviewing) judge(ctx context.Context, rule *inactivity.Rule, conns []schema.ConnectionID, keep func([]schema.Judged) error) (schema.Judgement, int64, error) {
	j := schema.Judgement{At: v.now().UTC().Truncate(time.Microsecond)}
	counts := map[schema.VerdictReason]int64{}
	kept := make([]schema.Judged, 0, 1000)
	p, err := v.store.Population(ctx, rule.Query(conns, j.At), func(subjects []schema.Subject) error {
		kept = kept[:0]
		for i := range subjects {
			s := &subjects[i]
			verdict := rule.Judge(s, j.At)
			counts[verdict.Reason]++
			switch verdict.Reason {
			case schema.ReasonMatched, schema.ReasonKept, schema.ReasonExcluded:
				kept = append(kept, judgedOf(s, verdict))
			}
		}
		if len(kept) == 0 {
			return nil
		}
		return keep(kept)
	})
	if err != nil {
		return j, 0, err
	}
	for _, r := range schema.VerdictReasons() {
		if n := counts[r] + p.Count(r); n > 0 {
			j.Reasons = append(j.Reasons, schema.ReasonCount{Reason: r, Count: n})
		}
	}
	j.Looked, j.Basis = p.Total, p.Basis
	return j, counts[schema.ReasonMatched], nil
}

func judgedOf(s *schema.Subject, v schema.Verdict) schema.Judged {
	return schema.Judged{
		AccountID: s.Account.ID, ConnectionID: s.Account.ConnectionID, ExternalID: s.Account.ExternalID, Login: s.Account.Login,
		Privileged: s.Account.Role.Privileged(), Bytes: s.Account.SpaceUsed, Verdict: v, LastActiveAt: s.Activity.LastActiveAt,
	}
}
