package campaign

import "sendoff/schema"

// Carries tells whether the last answer about an access is taken over: a person
// kept it, nothing that their answer was about has changed, its risk is below the
// rule's level, and it was not taken over too often in a row. What is of high risk,
// or is recommended to be revoked by now, is always looked at.
func Carries(rule schema.DecisionRule, h *schema.Holding, risk schema.Risk) bool {
	last := h.Context.Last
	switch {
	case rule.Carry == "" || last == nil || last.Answer != schema.AnswerKeep || last.By == "":
		return false
	case h.Context.Changed || !h.Facts.Held || last.FactsHash != h.Facts.Hash():
		return false
	case !risk.Level.Below(rule.Carry): // nothing is above high, so high never is below
		return false
	}
	return last.Carried < rule.CarryTimes && Recommend(h).Answer != schema.AnswerRevoke
}
