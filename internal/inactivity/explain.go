package inactivity

import (
	"time"

	"sendoff/internal/match"
	"sendoff/schema"
)

// Explain says why the rule takes an account or leaves it: the verdict with the
// facts it was found by. Ids, version and what reviews recorded are the caller's
// to fill in.
func (r *Rule) Explain(s *schema.Subject, now time.Time) schema.Explanation {
	v := r.Judge(s, now)
	e := schema.Explanation{
		Policy: r.rule.Name, AccountID: s.Account.ID, Connection: s.Connection, Login: s.Account.Login,
		At: now, Verdict: v, Facts: match.Facts(s, v.Grade, now),
	}
	if v.Exclusion >= 0 {
		e.Excluded = r.exclude[v.Exclusion].Reason
	}
	if r.match != nil {
		e.Parts = r.match.Parts(s, v.Grade, now)
	}
	return e
}
