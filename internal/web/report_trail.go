package web

import (
	"encoding/json"
	"strconv"
	"time"

	"sendoff/schema"
)

// writeBody is one request that changed, or may have changed, something at a
// vendor: journalled before it was sent, and with what became of it.
type writeBody struct {
	PlanID     schema.PlanID     `json:"plan_id"`
	Step       schema.StepKind   `json:"step"`
	Op         string            `json:"op"`
	N          int               `json:"n" doc:"The how manieth of its kind for the plan"`
	Undo       bool              `json:"undo" doc:"Whether it gave something back"`
	IntendedAt time.Time         `json:"intended_at"`
	Outcome    string            `json:"outcome" doc:"Empty = none was recorded: the process ended between"`
	OutcomeAt  *time.Time        `json:"outcome_at"`
	Details    map[string]string `json:"details" nullable:"false"`
}

// windowBody is a time in which a suspended account was active for a call.
type windowBody struct {
	PlanID   schema.PlanID `json:"plan_id"`
	OpenedAt time.Time     `json:"opened_at"`
	ClosedAt *time.Time    `json:"closed_at" doc:"null = it is open"`
}

// trailEvent is what a report reads of an audit record's body.
type trailEvent struct {
	At      time.Time         `json:"at"`
	Action  string            `json:"action"`
	Details map[string]string `json:"details"`
	Subject struct {
		PlanID schema.PlanID   `json:"plan_id"`
		Step   schema.StepKind `json:"step"`
	} `json:"subject"`
}

// trail is what the audit records of a case add up to, in their order.
type trail struct {
	writes  []writeBody
	windows []windowBody
	events  []trailEvent
}

// readTrail reads the records of a case. One that is no event of ours is left to
// the list of events, which shows it as it is.
func readTrail(records []json.RawMessage) trail {
	var t trail
	for _, body := range records {
		var e trailEvent
		if json.Unmarshal(body, &e) != nil {
			continue
		}
		t.events = append(t.events, e)
		switch e.Action {
		case "write.intended", "undo.intended":
			t.intended(e, e.Details["op"], e.Details["n"])
		case "write.outcome":
			t.outcome(e, e.Details["op"], e.Details["outcome"])
		case "transfer.sent":
			t.intended(e, "transfer", e.Details["attempt"])
		case "transfer.outcome":
			t.outcome(e, "transfer", e.Details["class"])
		case "window.opened":
			t.windows = append(t.windows, windowBody{PlanID: e.Subject.PlanID, OpenedAt: e.At})
		case "window.closed":
			t.closed(e)
		}
	}
	return t
}

func (t *trail) intended(e trailEvent, op, n string) {
	number, _ := strconv.Atoi(n) // ours; 0 for a record of another release
	t.writes = append(t.writes, writeBody{
		PlanID: e.Subject.PlanID, Step: e.Subject.Step, Op: op, N: number, Undo: e.Action == "undo.intended",
		IntendedAt: e.At, Details: without(e.Details, "op", "n", "attempt", "step_index"),
	})
}

// outcome belongs to the last write of its kind.
func (t *trail) outcome(e trailEvent, op, outcome string) {
	for i := len(t.writes) - 1; i >= 0; i-- {
		w := &t.writes[i]
		if w.PlanID != e.Subject.PlanID || w.Op != op {
			continue
		}
		w.Outcome, w.OutcomeAt = outcome, instant(e.At)
		for name, value := range without(e.Details, "op", "n", "attempt", "step_index", "outcome", "class") {
			w.Details[name] = value
		}
		return
	}
}

func (t *trail) closed(e trailEvent) {
	for i := len(t.windows) - 1; i >= 0; i-- {
		if w := &t.windows[i]; w.PlanID == e.Subject.PlanID && w.ClosedAt == nil {
			w.ClosedAt = instant(e.At)
			return
		}
	}
}

// without copies details but for some names and empty values.
func without(details map[string]string, names ...string) map[string]string {
	out := map[string]string{}
	for name, value := range details {
		if value != "" {
			out[name] = value
		}
	}
	for _, name := range names {
		delete(out, name)
	}
	return out
}
