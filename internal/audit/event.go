package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// eventVersion is the layout of an event body; readers refuse any other.
const eventVersion = 1

// ActorKind says what sort of actor caused an event.
type ActorKind string

// The actors there are.
const (
	ActorPrincipal ActorKind = "principal" // a person or program with a token; ID is the principal's id
	ActorEngine    ActorKind = "engine"    // sendoff itself: a workflow, the dispatcher, a schedule
	ActorHR        ActorKind = "hr"        // an HR system's event; ID is the source's id
)

// Actor is who caused an event.
type Actor struct {
	Kind ActorKind `json:"kind"`
	ID   string    `json:"id,omitempty"`
	Name string    `json:"name,omitempty"` // a principal's own name ("ci", "night shift"), not a leaver's
}

// Subject holds the ids an event is about; empty ones are left out.
type Subject struct {
	CaseID       string `json:"case_id,omitempty"`
	PlanID       string `json:"plan_id,omitempty"`
	Step         string `json:"step,omitempty"`
	AttemptID    string `json:"attempt_id,omitempty"`
	DecisionID   string `json:"decision_id,omitempty"`
	ConnectionID string `json:"connection_id,omitempty"`
	AccountID    string `json:"account_id,omitempty"`
	ReceiverID   string `json:"receiver_id,omitempty"`
	PersonID     string `json:"person_id,omitempty"`
	PolicyID     string `json:"policy_id,omitempty"`
	CampaignID   string `json:"campaign_id,omitempty"`
	ItemID       string `json:"item_id,omitempty"`
	HoldID       string `json:"hold_id,omitempty"`
	PrincipalID  string `json:"principal_id,omitempty"`
	TokenID      string `json:"token_id,omitempty"`
}

// Event is what a record's body says: who did what to which subject, when. Details are short facts as text
// (states before and after, a reason, a vendor's status); they carry ids, never secrets.
type Event struct {
	At      time.Time
	Actor   Actor
	Action  string // lower-case words joined by dots and underscores, such as "plan.approved"
	Subject Subject
	Details map[string]string
}

// wireEvent fixes the order of fields; encoding/json sorts the keys of Details.
type wireEvent struct {
	V       int               `json:"v"`
	At      string            `json:"at"`
	Actor   Actor             `json:"actor"`
	Action  string            `json:"action"`
	Subject Subject           `json:"subject"`
	Details map[string]string `json:"details,omitempty"`
}

// Body returns the canonical JSON of e, the bytes a record stores and hashes: fixed field order, sorted details,
// the instant in UTC (RFC 3339 with nanoseconds), no HTML escaping, no trailing newline. It refuses an event
// without time, actor or action and text that is not UTF-8, because such text would not survive JSON unchanged.
func (e Event) Body() ([]byte, error) {
	if err := e.validate(); err != nil {
		return nil, err
	}
	return marshalCanonical(wireEvent{
		V: eventVersion, At: e.At.UTC().Format(time.RFC3339Nano),
		Actor: e.Actor, Action: e.Action, Subject: e.Subject, Details: e.Details,
	})
}

func (e Event) validate() error {
	switch e.Actor.Kind {
	case ActorPrincipal, ActorEngine, ActorHR:
	default:
		return fmt.Errorf("audit: event actor kind must be %s, %s or %s", ActorPrincipal, ActorEngine, ActorHR)
	}
	if e.Actor.Kind == ActorPrincipal && e.Actor.ID == "" {
		return errors.New("audit: event by a principal needs the principal's id")
	}
	if e.At.IsZero() {
		return errors.New("audit: event needs the instant it happened (At)")
	}
	if e.Action == "" || strings.ContainsFunc(e.Action, notInAction) {
		return errors.New("audit: event action must be lower-case letters, digits, dots and underscores, such as plan.approved")
	}
	for k, v := range e.Details {
		if k == "" || !utf8.ValidString(k) || !utf8.ValidString(v) {
			return errors.New("audit: event details need non-empty keys and valid UTF-8")
		}
	}
	s := e.Subject
	for _, text := range []string{
		e.Actor.ID, e.Actor.Name, s.CaseID, s.PlanID, s.Step, s.AttemptID, s.DecisionID, s.ConnectionID, s.AccountID,
		s.ReceiverID, s.PersonID, s.PolicyID, s.CampaignID, s.ItemID, s.HoldID, s.PrincipalID, s.TokenID,
	} {
		if !utf8.ValidString(text) {
			return errors.New("audit: event actor and subject must be valid UTF-8")
		}
	}
	return nil
}

func notInAction(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.' && r != '_'
}

// ParseEvent reads a body written by [Event.Body]. It refuses other versions, unknown fields and any spelling
// that is not the canonical one.
func ParseEvent(body []byte) (Event, error) {
	var w wireEvent
	if err := unmarshalCanonical(body, &w); err != nil {
		return Event{}, fmt.Errorf("audit: event body: %w", err)
	}
	if w.V != eventVersion {
		return Event{}, fmt.Errorf("audit: event body has version %d, this program reads %d", w.V, eventVersion)
	}
	at, err := time.Parse(time.RFC3339Nano, w.At)
	if err != nil {
		return Event{}, errors.New("audit: event body: at is not an RFC 3339 instant")
	}
	e := Event{At: at.UTC(), Actor: w.Actor, Action: w.Action, Subject: w.Subject, Details: w.Details}
	return e, e.validate()
}

// marshalCanonical returns the one JSON spelling of v this package writes and accepts.
func marshalCanonical(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

var errNotCanonical = errors.New("not in canonical form: field names, order, spacing or escapes differ from what sendoff writes")

// unmarshalCanonical decodes data into v and refuses data that would be written differently. encoding/json alone
// forgives case, duplicate keys, broken UTF-8 and spacing, and every such freedom hides a changed byte.
func unmarshalCanonical(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("not valid JSON of this type at byte %d", dec.InputOffset())
	}
	again, err := marshalCanonical(v)
	if err != nil {
		return err
	}
	if !bytes.Equal(data, again) {
		return errNotCanonical
	}
	return nil
}
