package boxsim

import (
	"bufio"
	"fmt"
	"math"
	"net/http"
	"time"
)

// EventSpec describes an event to record.
type EventSpec struct {
	// Type is any of Box's words, such as LOGIN.
	Type string `json:"type"`
	// CreatedBy and ActionBy are ids of users; "2" is somebody who was not signed
	// in, and empty is null.
	CreatedBy string `json:"created_by"`
	ActionBy  string `json:"action_by"`
	// Source is what the event is about, as Box's JSON has it; SourceUser is short
	// for the mini form of a user.
	Source     any    `json:"source"`
	SourceUser string `json:"source_user"`
	// Details are additional_details.
	Details any `json:"additional_details"`
	// Time is when it happened, ArrivesAt when Box knows of it; they default to
	// now and to Time.
	Time      time.Time `json:"time"`
	ArrivesAt time.Time `json:"arrives_at"`
}

// Emit records an event and returns its id.
func (s *Sim) Emit(spec EventSpec) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if spec.Type == "" {
		return "", fmt.Errorf("box simulator: an event needs a type")
	}
	for _, id := range []string{spec.CreatedBy, spec.ActionBy, spec.SourceUser} {
		if id != "" && id != anonymousID && s.w.users[id] == nil {
			return "", fmt.Errorf("box simulator: event: user %q was never there", id)
		}
	}
	e := event{typ: spec.Type, createdBy: spec.CreatedBy, actionBy: spec.ActionBy, source: spec.Source, details: spec.Details}
	if spec.SourceUser != "" {
		e.source = userSource(spec.SourceUser)
	}
	if e.at = spec.Time; e.at.IsZero() {
		e.at = s.clock.Now()
	}
	if e.arrived = spec.ArrivesAt; e.arrived.IsZero() {
		e.arrived = e.at
	}
	return s.w.log.record(e).id, nil
}

// getAllEvents writes one line of JSON for every event that ever was, in the
// order of their times, whatever the streams show of them: what a hand count is
// made from. Nothing else is served meanwhile.
func (s *Sim) getAllEvents(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := bufio.NewWriter(w)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(s.clock.Now())
	var line []byte
	for e := range s.w.log.from(math.MinInt64) {
		line = append(s.w.appendEvent(line[:0], e, s.switches.eventSkew()), '\n')
		if _, err := out.Write(line); err != nil {
			return // the reader has gone
		}
	}
	_ = out.Flush()
}
