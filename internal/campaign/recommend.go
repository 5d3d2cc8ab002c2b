package campaign

import (
	"time"

	"sendoff/schema"
)

// NeverFor is how long an account must have been unused since it was made before
// that speaks for revoking: a new one has not been needed yet.
const NeverFor = 90 * 24 * time.Hour

// Recommend says what the facts speak for. Anything that speaks for revoking
// outweighs what speaks for keeping. Use that is unknown or not collected speaks
// for neither; nor does the silence of somebody on leave.
func Recommend(h *schema.Holding) schema.Recommendation {
	if !h.Facts.Held {
		return schema.Recommendation{Reasons: []string{}}
	}
	if list := revokeReasons(h); len(list) > 0 {
		return schema.Recommendation{Answer: schema.AnswerRevoke, Reasons: list}
	}
	f := h.Facts
	used := f.Grade == schema.GradeActive && live(f.AccountStatus)
	employed := f.HolderID != "" && (f.Employment == schema.StatusActive || f.Employment == schema.StatusOnLeave)
	if used && employed && f.AccountKind == schema.KindPerson && usual(h.Context.Peers) && !cameBack(h) {
		return schema.Recommendation{Answer: schema.AnswerKeep, Reasons: []string{Active, Usual, Employed}}
	}
	return schema.Recommendation{Reasons: []string{}}
}

// revokeReasons are reasons that each would do, but for the unusual: that alone may
// be somebody's special task, and counts beside silence only.
func revokeReasons(h *schema.Holding) []string {
	f, list := h.Facts, []string{}
	when := func(code string, so bool) {
		if so {
			list = append(list, code)
		}
	}
	when(Unmatched, f.HolderID == "" && f.AccountKind == schema.KindPerson)
	when(Left, left(f))
	waits := f.Employment == schema.StatusOnLeave
	silent, never := dormant(h) && !waits, longUnused(h) && !waits
	when(Dormant, silent)
	when(NeverUsed, never)
	when(Unusual, (silent || never) && unusual(h.Context.Peers))
	return list
}

// longUnused tells whether an account that was never used is proven to have had the
// time. It goes by the coverage, whose end is no later than now.
func longUnused(h *schema.Holding) bool {
	created := h.Subject.Account.CreatedAt
	return h.Facts.Grade == schema.GradeNever && !created.IsZero() && h.Context.CoveredTo.Sub(created) >= NeverFor
}
