package policy

import (
	"strconv"

	"sendoff/schema"
)

// Undo is what cancelling a plan now would give back, and what it would not
// (promise 7), each in words for people.
type Undo struct {
	BroughtBack    []string
	NotBroughtBack []string
}

func (u *Undo) back(what string) { u.BroughtBack = append(u.BroughtBack, what) }
func (u *Undo) lost(what string) { u.NotBroughtBack = append(u.NotBroughtBack, what) }

// ForecastUndo tells what cancelling the plan now would do, from what the plan
// has done so far; t is its transfer, nil for none. Nothing at all is said of a
// plan that changed nothing yet.
func ForecastUndo(p schema.Plan, t *schema.Transfer) Undo {
	var u Undo
	if p.State.Ended() {
		u.lost("anything: the plan has ended as " + string(p.State))
		return u
	}
	if begun(p, schema.StepDelete) == schema.StepDone {
		u.lost("the account: it is deleted")
		return u
	}
	if p.PriorStatus != "" {
		u.back("status '" + p.PriorStatus + "'")
	}
	if n := removable(p.Memberships); n > 0 && begun(p, schema.StepRemoveFromGroups) != "" {
		u.back(count(n, "group membership", "group memberships") + ", made again with role and permissions")
	}
	u.transfer(t)
	if begun(p, schema.StepRevokeSessions) != "" {
		u.lost("sessions ended: the person signs in again")
	}
	if begun(p, schema.StepDelete) != "" {
		u.lost("the account, if the vendor has accepted its delete by then")
	}
	if n := done(p, schema.StepNotify); n > 0 {
		u.lost(count(n, "notice sent", "notices sent"))
	}
	if n := done(p, schema.StepManual); n > 0 {
		u.lost(count(n, "task done by hand", "tasks done by hand"))
	}
	return u
}

// transfer says what becomes of content. A request that may still run is watched
// to its end before anything is undone, so its content counts as moved.
func (u *Undo) transfer(t *schema.Transfer) {
	if t == nil || t.SentAt.IsZero() {
		return
	}
	items := "the items"
	if t.WitnessTotal > 0 {
		items = count(t.WitnessTotal, "item", "items")
	}
	switch t.State {
	case schema.TransferSent, schema.TransferSettling:
		u.back("access as co-owner to the folders that the transfer fills; cancel waits for its end first")
		u.lost("ownership of " + items + ", as far as the transfer moves them")
		u.lost("their place: they are in folders of the receiver")
	case schema.TransferProven, schema.TransferPresumed, schema.TransferStalled, schema.TransferGivenUp:
		if n := len(t.FolderIDs); n > 0 {
			u.back("access to " + count(n, "folder", "folders") + " as co-owner")
		} else {
			u.lost("access to what was moved: no destination folder is known")
		}
		if t.State == schema.TransferStalled || t.State == schema.TransferGivenUp {
			items = "what was moved of " + items
		}
		u.lost("ownership of " + items)
		u.lost("their place: they are in folders of the receiver")
	}
}

// begun is the state of the plan's step of that kind, "" when it was not begun.
func begun(p schema.Plan, kind schema.StepKind) schema.StepState {
	step, ok := p.StepOf(kind)
	if !ok || (step.State != schema.StepRunning && step.State != schema.StepDone) {
		return ""
	}
	return step.State
}

func done(p schema.Plan, kind schema.StepKind) int {
	n := 0
	for _, s := range p.Steps {
		if s.Kind == kind && s.State == schema.StepDone {
			n++
		}
	}
	return n
}

// removable counts the memberships that a plan takes away.
func removable(list []schema.Membership) int {
	n := 0
	for _, m := range list {
		if !m.Fixed {
			n++
		}
	}
	return n
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
