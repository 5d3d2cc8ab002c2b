package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"sendoff/schema"
)

// landing is where a word brings its item.
type landing struct {
	stays  bool // where it is: a later stage has it
	state  schema.CampaignItemState
	stage  int
	place  int
	answer schema.ItemAnswer // of a decided one
	end    string            // why whoever has the item has it no longer
	drop   bool              // its removal has ended: it needs another one
}

// takenWord is a word that is taken.
type takenWord struct {
	schema.Decide
	item     liveItem
	stage    int
	corrects bool
	to       landing
}

// word judges one word.
func (j *judge) word(ctx context.Context, w schema.Decide) (schema.Decided, error) {
	w.Reason = strings.TrimSpace(w.Reason)
	out := schema.Decided{ItemID: w.ItemID}
	item, known := j.items[w.ItemID]
	if known {
		out.Version, out.State = item.Version, item.State
	}
	if d, ok := j.before[w.ID]; ok {
		if out.Duplicate = j.same(d, w); !out.Duplicate {
			refuse(&out, conflict("another decision was sent with that id", "give each decision an id of its own"))
			return out, nil
		}
		out.Answer = item.Answer
		out.Overtaken, out.Message, out.Fix = j.overtaken(d, item)
		return out, nil
	}
	out.Answer = item.Answer
	t := takenWord{Decide: w, item: item}
	if err := j.judge(&t, &out, known); err != nil {
		refuse(&out, err)
		return out, nil
	}
	if err := j.removal(ctx, &t); err != nil {
		if schema.CodeOf(err) == schema.CodeConflict {
			refuse(&out, err)
			return out, nil
		}
		return out, err
	}
	if !t.to.stays {
		out.State, out.Answer = t.to.state, t.to.answer
	}
	j.taken = append(j.taken, t)
	j.tell = j.tell || t.to.state == schema.ItemUnassigned ||
		t.to.answer == schema.AnswerRevoke && (j.c.Rule.Effect.When == schema.EffectAtOnce || j.c.State != schema.CampaignOpen)
	return out, nil
}

// overtaken tells whether a word that was taken before does not stand any more, and
// what does. One that abstained has done what it said, whatever came after it.
func (j *judge) overtaken(d saidRow, i liveItem) (bool, string, string) {
	switch {
	case d.Answer == schema.AnswerAbstain || i.Answer == d.Answer:
		return false, "", ""
	case d.Current && i.Answer == "": // a later stage has the item
		return false, "", ""
	case d.Current:
		return true, "it was taken before, and a later word is " + string(i.Answer), ""
	case i.Answer == "":
		return true, "it was taken before, and does not count any more: the item is " + string(i.State), j.again(d, i)
	}
	return true, "it was taken before, and corrected since: the item says " + string(i.Answer), j.again(d, i)
}

// again says how a word that does not stand any more is said anew, or why its
// reviewer cannot: a second look gave the item to others.
func (j *judge) again(d saidRow, i liveItem) string {
	err := j.turn(&takenWord{Decide: schema.Decide{ID: d.ID, ItemID: i.ID, Answer: d.Answer}, item: i})
	if e, refused := err.(*schema.Error); refused { //nolint:errorlint // those of judging are not wrapped
		return "it cannot be said again: " + e.Message
	}
	return "change the reason to say it again"
}

// refuse says why a word is not taken.
func refuse(out *schema.Decided, err error) {
	e, ok := err.(*schema.Error) //nolint:errorlint // those of judging are not wrapped
	if !ok {
		e = &schema.Error{Code: schema.CodeInternal, Message: "the word could not be judged"}
	}
	out.Code, out.Message, out.Fix = string(e.Code), e.Message, e.Fix
}

// same tells whether a word was taken before. What it is sent together with may be
// other then.
func (j *judge) same(d saidRow, w schema.Decide) bool {
	return d.CampaignID == j.c.ID && d.ItemID == w.ItemID && d.Version == w.Version && d.Answer == w.Answer && d.Reason == w.Reason && d.ReviewerID == j.me
}

// judge decides whether a word is taken: who may say it first, then whether what
// was shown is what is, then whether the rule allows it.
func (j *judge) judge(t *takenWord, out *schema.Decided, known bool) error {
	switch {
	case uuid.Validate(string(t.ID)) != nil:
		return invalidWord("a decision needs an id that is a UUID", "make one for each decision, and send it again with the same one")
	case !slices.Contains(schema.ItemAnswers(), t.Answer):
		return invalidWord("there is no such answer", fmt.Sprintf("use one of %v", schema.ItemAnswers()))
	case !known:
		return &schema.Error{Code: schema.CodeNotFound, Message: "the campaign has no such item", Fix: "list your items again"}
	}
	if err := j.turn(t); err != nil {
		return err
	}
	if t.item.Holds {
		return forbidden("nobody decides about an account that they hold", "have it reassigned")
	}
	if slices.ContainsFunc(j.said[t.item.ID], func(d saidRow) bool { return d.Stage != t.stage && d.ReviewerID == j.me }) {
		return forbidden("nobody decides in two stages of one item", "have it reassigned")
	}
	if t.corrects && t.item.Removal == schema.RemovalDone {
		return conflict("what was revoked is gone: the vendor says so", "ask an operator to give it back by hand")
	}
	if err := j.compare(t, out); err != nil {
		return err
	}
	if err := j.allowed(*t); err != nil {
		return err
	}
	return j.land(t)
}

func forbidden(message, fix string) error {
	return &schema.Error{Code: schema.CodeForbidden, Message: message, Fix: fix}
}

func invalidWord(message, fix string) error {
	return &schema.Error{Code: schema.CodeInvalid, Message: message, Fix: fix}
}

// takesCorrections are the states in which who decided may decide otherwise.
func takesCorrections(s schema.CampaignState) bool {
	switch s {
	case schema.CampaignOpen, schema.CampaignClosing, schema.CampaignRemoving, schema.CampaignHeld, schema.CampaignClosed:
		return true
	}
	return false
}

// turn finds out in which stage the word is, and whether it corrects one: the
// reviewer of an open item decides; who took the last decision corrects it, for as
// long as no later stage has decided.
func (j *judge) turn(t *takenWord) error {
	var last, mine *saidRow
	for n, d := range j.said[t.item.ID] {
		if d.Current && d.Answer != schema.AnswerAbstain {
			if row := &j.said[t.item.ID][n]; last == nil || d.Stage > last.Stage {
				last = row
			}
			if d.ReviewerID == j.me {
				mine = &d
			}
		}
	}
	switch {
	case t.item.State == schema.ItemOpen && t.item.ReviewerID == j.me && j.c.State == schema.CampaignOpen:
		t.stage = t.item.Stage
	case mine != nil && mine.ID == last.ID && takesCorrections(j.c.State):
		t.stage, t.corrects = mine.Stage, true
	case mine != nil && takesCorrections(j.c.State):
		return forbidden("a later stage has decided: only that one corrects", "ask whoever decided last")
	case j.c.State != schema.CampaignOpen:
		return takesNoAnswer(j.c.State)
	case t.item.State == schema.ItemGone:
		return ended()
	default:
		return forbidden("the item is not yours to decide", "list your items again; it may have been reassigned or escalated")
	}
	return nil
}

// ended is the error for a word on access that is not there: nobody is asked about it.
func ended() error { return conflict("the access has ended: there is nothing to decide", "") }

// present are the facts of an item as they are now.
func (j *judge) present(i liveItem) schema.ItemFacts {
	if f, other := j.fresh[i.ID]; other {
		return f.facts
	}
	return i.Facts
}

// takesNoAnswer is the error for a word on an item of a campaign in a state that
// takes none, with what can be done in that state.
func takesNoAnswer(s schema.CampaignState) error {
	e := &schema.Error{Code: schema.CodeClosed, Message: "the campaign is " + string(s) + ": it takes no such answer any more"}
	switch s {
	case schema.CampaignSigned, schema.CampaignEnded:
		e.Fix = "nothing opens it again; access that is to be looked at anew needs another campaign"
	case schema.CampaignDraft, schema.CampaignGathering, schema.CampaignListing, schema.CampaignAssigning:
		e.Message, e.Fix = "the campaign is "+string(s)+": it takes no answers yet", "wait until it is open"
	default:
		e.Fix = "its owner accepts with the signature what nobody decided; the campaign opens again only when access comes back or a second look has a reviewer's decisions done again"
	}
	return e
}

// compare refuses a word about other facts than those of now, and keeps these as
// the item's next version.
func (j *judge) compare(t *takenWord, out *schema.Decided) error {
	shown, known := t.item.Facts, true
	if t.Version != t.item.Version {
		shown, known = j.old[itemVersion{t.item.ID, t.Version}]
	}
	if !known {
		return invalidWord(fmt.Sprintf("the item never had a version %d", t.Version), "name the version that was shown")
	}
	now := j.present(t.item)
	if f, other := j.fresh[t.item.ID]; other {
		t.item.Risk = f.risk.Level // what the rule asks goes by what is so now
		j.stale = append(j.stale, f)
		switch out.Version++; {
		case !now.Held && (t.item.State == schema.ItemOpen || t.item.State == schema.ItemUnassigned):
			out.State = schema.ItemGone
		case now.Held && t.item.State == schema.ItemGone: // it needs a reviewer again
			out.State, j.tell = schema.ItemUnassigned, true
		}
	}
	switch out.Changed = shown.Differences(now); {
	case len(out.Changed) > 0:
		return &schema.Error{Code: schema.CodeStale, Message: "the item is not as it was shown", Fix: "look at what changed, then decide again"}
	case out.State == schema.ItemGone: // also for who decided in an earlier stage
		return ended()
	}
	return nil
}

// allowed asks the rule.
func (j *judge) allowed(t takenWord) error {
	rule := j.c.Rule.Decisions
	needs := slices.Contains(rule.ReasonFor, t.Answer) || rule.HighRiskReason && t.item.Risk == schema.RiskHigh
	switch {
	case t.Answer == schema.AnswerAbstain && !rule.Abstain:
		return invalidWord("nobody abstains in this review", "keep or revoke, or ask for somebody else")
	case t.Answer == schema.AnswerAbstain && t.corrects:
		return invalidWord("a decision is corrected to keep or revoke", "have the item reassigned")
	case needs && t.Reason == "":
		return invalidWord("this answer needs a reason", "say why")
	case t.Bulk && !t.item.Risk.Below(rule.BulkBelow):
		return invalidWord("an item of "+string(t.item.Risk)+" risk is not decided together with others, by one answer and one reason",
			"decide each on its own, with its own reason")
	}
	return nil
}

// land finds where the word brings its item: on to the next stage that takes it, or
// to its end.
func (j *judge) land(t *takenWord) error {
	i := t.item
	if t.Answer == schema.AnswerAbstain {
		t.to = landing{state: schema.ItemUnassigned, stage: t.stage, place: i.Place, end: "abstained"}
		return nil
	}
	end := "decided"
	if t.corrects {
		end = "corrected"
	}
	next, ok := nextStage(j.c.Rule.Stages, t.stage, t.Answer, i.Risk)
	switch {
	case !ok:
		t.to = landing{state: schema.ItemDecided, stage: t.stage, place: i.Place, answer: t.Answer, end: end}
	case t.corrects && i.Stage == next && slices.Contains(waitsInStage(), i.State):
		t.to = landing{stays: true}
	case t.corrects && !j.present(i).Held && i.Removal != schema.RemovalStarted && i.Removal != schema.RemovalUndone: // these give it back
		return ended()
	case j.c.State != schema.CampaignOpen:
		return &schema.Error{
			Code: schema.CodeClosed, Message: "another stage would have to decide after this answer, and the campaign is " + string(j.c.State),
			Fix: "let the answer stand, or have somebody else take a second look at your decisions that gives them to others: that opens the campaign again",
		}
	default:
		t.to = landing{state: schema.ItemUnassigned, stage: next, end: end}
	}
	return nil
}

// waitsInStage are the states of an item that a stage has: one that is gone by its last
// version, and is back by now, needs a reviewer there.
func waitsInStage() []schema.CampaignItemState {
	return []schema.CampaignItemState{schema.ItemUnassigned, schema.ItemOpen, schema.ItemUndecided, schema.ItemGone}
}

// nextStage is the next stage that an item comes to after an answer.
func nextStage(stages []schema.ReviewStage, after int, answer schema.ItemAnswer, risk schema.RiskLevel) (int, bool) {
	for n := after + 1; n < len(stages); n++ {
		of := stages[n].Of
		if of == schema.StageAll || of == schema.StageKept && answer == schema.AnswerKeep || of == schema.StageRevoked && answer == schema.AnswerRevoke ||
			of == schema.StageHigh && risk == schema.RiskHigh {
			return n, true
		}
	}
	return 0, false
}
