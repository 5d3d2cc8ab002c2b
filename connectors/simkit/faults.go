package simkit

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Action is what a fault does to a call.
type Action string

// Actions of a fault. "Before" means the call has no effect, "after" that the
// effect stands although the client is not told so.
const (
	ActionStatus      Action = "status"       // answer Status before the effect
	ActionStatusAfter Action = "status_after" // answer Status after the effect
	ActionDelay       Action = "delay"        // serve the call DelayMS later
	ActionDropBefore  Action = "drop_before"  // close the connection before the effect
	ActionDropAfter   Action = "drop_after"   // close the connection after the effect
	ActionTruncate    Action = "truncate"     // cut the answer in half after the effect
	ActionHang        Action = "hang"         // no effect, no answer until the client leaves
)

// Fault spoils calls of one operation. It is chosen by operation, subject and
// attempt number alone, never by the order in which goroutines run.
type Fault struct {
	// Op is the operation's name as the request log shows it. Required.
	Op string `json:"op"`
	// Subject narrows the fault to one subject (the id in the path). Attempts
	// are then counted per operation and subject, otherwise per operation.
	Subject string `json:"subject,omitempty"`
	// Attempt is the first attempt that is spoilt, from 1; 0 means every one.
	Attempt int `json:"attempt,omitempty"`
	// LastAttempt is the last attempt that is spoilt; 0 means Attempt alone.
	LastAttempt int    `json:"last_attempt,omitempty"`
	Action      Action `json:"action"`
	Status      int    `json:"status,omitempty"`
	// Body is the JSON answer of a status fault; without one the simulator's
	// own error envelope is sent.
	Body    json.RawMessage   `json:"body,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	// DelayMS is wall time in milliseconds, never scaled. It delays the call
	// under any action.
	DelayMS int64 `json:"delay_ms,omitempty"`
}

func (f Fault) check() error {
	actions := []Action{ActionStatus, ActionStatusAfter, ActionDelay, ActionDropBefore, ActionDropAfter, ActionTruncate, ActionHang}
	needsStatus := f.Action == ActionStatus || f.Action == ActionStatusAfter
	switch {
	case f.Op == "":
		return fmt.Errorf("fault: op is empty: name an operation as the request log shows it")
	case !slices.Contains(actions, f.Action):
		return fmt.Errorf("fault: action %q is unknown: use one of %s", f.Action, joinActions(actions))
	case needsStatus && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("fault: status %d is out of range: use 200 to 599", f.Status)
	case f.Action == ActionDelay && f.DelayMS <= 0:
		return fmt.Errorf("fault: delay_ms must be above 0 for action %q", ActionDelay)
	case f.Attempt < 0 || f.LastAttempt < 0 || f.DelayMS < 0:
		return fmt.Errorf("fault: attempt, last_attempt and delay_ms must not be negative")
	case f.LastAttempt != 0 && f.LastAttempt < f.Attempt:
		return fmt.Errorf("fault: last_attempt %d is before attempt %d", f.LastAttempt, f.Attempt)
	}
	return nil
}

func joinActions(actions []Action) string {
	names := make([]string, len(actions))
	for i, a := range actions {
		names[i] = string(a)
	}
	return strings.Join(names, ", ")
}

func (f Fault) hits(op, subject string, perOp, perSubject int) bool {
	if f.Op != op || (f.Subject != "" && f.Subject != subject) {
		return false
	}
	if f.Attempt == 0 && f.LastAttempt == 0 {
		return true
	}
	n := perOp
	if f.Subject != "" {
		n = perSubject
	}
	return n >= f.Attempt && n <= max(f.LastAttempt, f.Attempt)
}

type attemptKey struct{ op, subject string }

// Faults is a schedule of faults and the counter of attempts. Its zero value is
// ready for use; it is safe for concurrent use.
type Faults struct {
	mu         sync.Mutex
	scheduled  []Fault
	perOp      map[string]int
	perSubject map[attemptKey]int
}

// Add appends faults to the schedule; where several hit one call, the one that
// was added first wins. It adds all of them or, with an error, none.
func (s *Faults) Add(faults ...Fault) error {
	for _, f := range faults {
		if err := f.check(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scheduled = append(s.scheduled, faults...)
	return nil
}

// List returns the schedule.
func (s *Faults) List() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.scheduled)
}

// Clear removes all faults and starts counting attempts anew, so that a test
// can say "the first delete from now on".
func (s *Faults) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scheduled, s.perOp, s.perSubject = nil, nil, nil
}

// Next counts one attempt of op on subject. It returns the number of that
// attempt on the subject and the fault that hits it, if any.
func (s *Faults) Next(op, subject string) (attempt int, hit *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.perOp == nil {
		s.perOp, s.perSubject = map[string]int{}, map[attemptKey]int{}
	}
	key := attemptKey{op, subject}
	s.perOp[op]++
	s.perSubject[key]++
	for _, f := range s.scheduled {
		if f.hits(op, subject, s.perOp[op], s.perSubject[key]) {
			return s.perSubject[key], &f
		}
	}
	return s.perSubject[key], nil
}
