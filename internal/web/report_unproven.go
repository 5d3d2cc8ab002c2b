package web

import (
	"fmt"
	"strings"

	"sendoff/schema"
)

// doubts collects what a case cannot prove about one account, and why.
type doubts struct {
	plan schema.PlanID
	list []unprovenBody
}

func (d *doubts) say(step schema.StepKind, format string, args ...any) {
	d.list = append(d.list, unprovenBody{PlanID: d.plan, Step: step, Message: fmt.Sprintf(format, args...)})
}

// unproven lists what the case cannot prove about an account: in the order of the
// steps, then what concerns the whole plan.
func unproven(a schema.AccountView, decisions []schema.Decision, t trail) []unprovenBody {
	d := &doubts{plan: a.Plan.ID}
	for _, step := range a.Plan.Steps {
		d.step(a, step, decisions)
	}
	d.holds(a.Plan.Facts.Holds)
	d.trail(t)
	return d.list
}

func (d *doubts) step(a schema.AccountView, step schema.Step, decisions []schema.Decision) {
	if step.State == schema.StepWaived {
		d.say(step.Kind, "the step was waived by %s, so it was not done: %s", step.Proof["waived_by"], reasonOf(decisions, step.Proof["decision"]))
	}
	switch step.Kind {
	case schema.StepSnapshot:
		d.snapshot(a.Plan.Snapshot)
	case schema.StepTransfer:
		d.transfer(a.Transfer)
	}
	if step.State != schema.StepDone {
		return
	}
	switch step.Kind {
	case schema.StepRevokeSessions:
		d.say(step.Kind, "the vendor accepted the end of all sessions; it offers no way to read them back")
	case schema.StepNotify:
		d.say(step.Kind, "the notice was accepted for %s recipients; whether anybody read it is not known", step.Proof["recipients"])
	case schema.StepManual:
		d.say(step.Kind, "the task was done by hand: its proof is the word of %s", step.Proof["completed_by"])
	}
}

// reasonOf is the reason of the decision of that id.
func reasonOf(decisions []schema.Decision, id string) string {
	for _, d := range decisions {
		if string(d.ID) == id {
			return d.Reason
		}
	}
	return "the reason is in the audit trail"
}

func (d *doubts) snapshot(sn *schema.Snapshot) {
	if sn == nil {
		return
	}
	if !sn.WitnessesOK {
		d.say(schema.StepSnapshot, "what the account owned could not be listed: %s", sn.WitnessNote)
	}
	if sn.DeepDone < sn.DeepTotal {
		d.say(schema.StepSnapshot, "collaborations were read for %d of %d items", sn.DeepDone, sn.DeepTotal)
	}
}

func (d *doubts) transfer(t *schema.Transfer) {
	if t == nil {
		return
	}
	missing := t.WitnessTotal - t.WitnessFound
	switch t.State {
	case schema.TransferPresumed:
		d.say(schema.StepTransfer, "the transfer is presumed: the account reads as empty, but no item could be followed to its new place")
	case schema.TransferStalled:
		d.say(schema.StepTransfer, "the transfer stopped with %d of %d items not found at the receiver", missing, t.WitnessTotal)
	case schema.TransferGivenUp:
		d.say(schema.StepTransfer, "the transfer was given up with %d of %d items not found at the receiver", missing, t.WitnessTotal)
	case schema.TransferSent, schema.TransferSettling:
		d.say(schema.StepTransfer, "the transfer was sent and is not proven yet")
	}
}

func (d *doubts) holds(known schema.HoldsKnown) {
	switch known {
	case schema.HoldsDeclared:
		d.say("", "the vendor's legal holds were not read: an admin declared that there are none")
	case schema.HoldsUnreadable:
		d.say("", "the vendor's legal holds could not be read")
	}
}

// notGivenBack are the kinds of evidence with which an undo says why it left
// something as it is.
func notGivenBack() map[string]string {
	return map[string]string{
		"account_gone": "the account is gone", "receiver_gone": "the receiver is gone",
		"receiver_inactive": "the receiver is suspended", "folder_gone": "a destination folder is gone", "group_gone": "a group is gone",
	}
}

// trail tells of windows, of writes nobody knows the outcome of, and of what a
// delete or an undo gave up.
func (d *doubts) trail(t trail) {
	for _, w := range t.windows {
		if w.PlanID != d.plan {
			continue
		}
		until := "and still can"
		if w.ClosedAt != nil {
			until = "until " + schema.FormatInstant(*w.ClosedAt)
		}
		d.say(schema.StepTransfer, "the account was active for the call: its holder could sign in from %s %s", schema.FormatInstant(w.OpenedAt), until)
	}
	for _, w := range t.writes {
		if w.PlanID == d.plan && (w.Outcome == "" || w.Outcome == schema.WriteUnknown) {
			d.say(w.Step, "the answer to %s, sent %s, is not known: what it did is known from the reads after it alone", w.Op, schema.FormatInstant(w.IntendedAt))
		}
	}
	for _, e := range t.events {
		if e.Subject.PlanID != d.plan || e.Action != "evidence.read" {
			continue
		}
		kind := e.Details["evidence"]
		if why, ok := notGivenBack()[kind]; ok {
			d.say("", "cancel could not give everything back: %s (%s)", why, e.Details["id"])
		}
		if kind == "trash_discarded" {
			d.say(schema.StepDelete, "%d trashed items did not arrive at the receiver and went with the account, as its plan says", strings.Count(e.Details["missing"], ",")+1)
		}
	}
}
