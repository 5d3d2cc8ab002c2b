package box

import (
	"bytes"
	"encoding/json"
	"time"

	"sendoff/schema"
)

// event is Box's Event, as far as it is read
// (https://developer.box.com/reference/resources/event/). Source and details are
// of many shapes, and looked into only where they matter.
type event struct {
	ID       text            `json:"event_id"`
	Type     string          `json:"event_type"`
	At       instant         `json:"created_at"`
	Recorded instant         `json:"recorded_at"` // not documented, yet served
	By       *actor          `json:"created_by"`
	ActionBy *actor          `json:"action_by"` // not documented, yet served
	Source   json.RawMessage `json:"source"`
	Details  json.RawMessage `json:"additional_details"`
}

// actor is who an event names.
type actor struct {
	Type string `json:"type"`
	ID   text   `json:"id"`
}

// anonymous is the id of whoever opened a shared link without signing in.
const anonymous = "2"

// user is the account that is named; "" when none is, or not one of a user's.
func (a *actor) user() schema.ExternalID {
	if a == nil || a.ID == anonymous || a.Type != "user" && a.Type != "" {
		return ""
	}
	return a.ID.id()
}

// judge keeps the events that prove somebody's use or tell of a deletion.
func (c *Connector) judge(op string, wire []event) ([]schema.ActivityEvent, error) {
	known := meanings()
	kept := make([]schema.ActivityEvent, 0, len(wire))
	for i := range wire {
		w := &wire[i]
		if w.empty() {
			continue
		}
		if w.ID == "" || w.Type == "" {
			return nil, malformed(op, "an event lacks its id or its type")
		}
		means := known[w.Type]
		if means == irrelevant {
			continue
		}
		e := schema.ActivityEvent{ID: string(w.ID), Type: w.Type, At: w.at(c.now())}
		if means == deletion {
			if e.Deleted = w.subject(); e.Deleted != "" {
				e.DeletedBy = w.By.user()
			}
		} else if by := w.By.user(); by != "" && !c.ours(w, by, means) {
			e.Actor = by
		}
		if e.Actor != "" || e.Deleted != "" {
			kept = append(kept, e)
		}
	}
	return kept, nil
}

// empty tells whether the entry is a null, which tells of nobody.
func (w *event) empty() bool {
	return w.ID == "" && w.Type == "" && w.By == nil && w.Source == nil
}

// at is when the event happened. One that does not say, or not legibly, did happen
// at the latest now: to leave it out could make somebody look inactive, and to
// refuse the page would stop the feed for as long as Box keeps the event.
func (w *event) at(now time.Time) time.Time {
	for _, told := range []instant{w.At, w.Recorded} {
		if at := told.utc(); !at.IsZero() {
			return at
		}
	}
	return now.UTC()
}

// ours tells whether the work was done through an account and not by whoever
// holds it: by an administrator, or by this program. UNVERIFIED: Box does not
// document who created_by names where an application acts as a user; that
// action_by then names who acted, and service_id the application by its client
// id, is what is known of the stream. Where neither is told, nothing tells such
// work from a person's, and the account looks used: it is left alone.
// A connection without a user acts as the application's service account, which is
// nobody's to use.
func (c *Connector) ours(w *event, by schema.ExternalID, means meaning) bool {
	if acted := w.ActionBy.user(); acted != "" && acted != by {
		return true
	}
	if by == c.conn.AsUser && means != signIn {
		return true
	}
	if !bytes.Contains(w.Details, []byte(c.conn.ClientID)) {
		return false
	}
	var details struct {
		ServiceID text `json:"service_id"`
	}
	return json.Unmarshal(w.Details, &details) == nil && string(details.ServiceID) == c.conn.ClientID
}

// subject is the user that an event is about; "" when it does not say. What kind
// of thing the source is may be left out of the one that a deleted user leaves.
func (w *event) subject() schema.ExternalID {
	var about actor
	if json.Unmarshal(w.Source, &about) != nil {
		return ""
	}
	return about.user()
}
