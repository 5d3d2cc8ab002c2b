package reviewer

import (
	"slices"
	"strings"

	"sendoff/schema"
)

// reason is why somebody was passed over, in words that name nobody.
type reason string

const (
	nobodyKnown reason = "nobody is known"
	cycle       reason = "manages themselves or is managed by whom they manage"
	unknown     reason = "is not a known person"
	holds       reason = "holds the account"
	left        reason = "has left"
	decided     reason = "decided in another stage"
	past        reason = "had the item before"
	load        reason = "has as many items as one may have"
	absent      reason = "is absent, and nobody decides for them"
)

// What a reason is said of besides the kinds of candidate.
const (
	reassigned = "reassigned"
	ownerPlace = string(schema.ReviewerOwner)
)

// nobodyLeft is said of an item that nobody may decide.
const nobodyLeft = "nobody is left to decide: reassign it to somebody who does not hold the account and has not decided about it"

// reasons are kept in the order in which they were met, each once.
type reasons []said

type said struct {
	of  string
	why []reason
}

func (r *reasons) add(of string, why reason) {
	i := slices.IndexFunc(*r, func(s said) bool { return s.of == of })
	if i < 0 {
		*r = append(*r, said{of: of, why: []reason{why}})
		return
	}
	if !slices.Contains((*r)[i].why, why) {
		(*r)[i].why = append((*r)[i].why, why)
	}
}

// text joins them; end comes last.
func (r reasons) text(end string) string {
	var list []string
	for _, s := range r {
		var words []string
		for _, w := range s.why {
			words = append(words, string(w))
		}
		list = append(list, s.of+": "+strings.Join(words, ", "))
	}
	if end != "" {
		list = append(list, end)
	}
	return strings.Join(list, "; ")
}
