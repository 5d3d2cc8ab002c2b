package simkit

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
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
	ActionHangAfter   Action = "hang_after"   // the effect, and no answer until the client leaves
	ActionHTML        Action = "html"         // a gateway's HTML page with Status (502 if none) before the effect
	ActionHTMLAfter   Action = "html_after"   // the same after the effect
	ActionWrongTypes  Action = "wrong_types"  // the answer after the effect, with the type of every value changed
	ActionEmptyAfter  Action = "empty_after"  // the answer's status after the effect, without its body
	ActionExpire      Action = "expire"       // the caller's token ends before the call, which then goes on
)

// AnyOp is the operation of a fault that hits all operations; attempts are then
// counted over all of them.
const AnyOp = "*"

func actions() []Action {
	return []Action{
		ActionStatus, ActionStatusAfter, ActionDelay, ActionDropBefore, ActionDropAfter, ActionTruncate, ActionHang,
		ActionHangAfter, ActionHTML, ActionHTMLAfter, ActionWrongTypes, ActionEmptyAfter, ActionExpire,
	}
}

// Fault spoils calls of one operation. It is chosen by operation, subject and
// attempt number alone, never by the order in which goroutines run.
type Fault struct {
	// Op is the operation's name as the request log shows it, or AnyOp.
	// Required.
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
	// Share spoils only that share (above 0, up to 1) of the attempts that the
	// fault would hit; 0 means all. Which ones follows from Seed, operation,
	// subject and attempt, so that a run can be repeated.
	Share float64 `json:"share,omitempty"`
	Seed  uint64  `json:"seed,omitempty"`
}

func (f Fault) check() error {
	switch {
	case f.Op == "":
		return fmt.Errorf("fault: op is empty: name an operation as the request log shows it")
	case !slices.Contains(actions(), f.Action):
		return fmt.Errorf("fault: action %q is unknown: use one of %s", f.Action, joinActions(actions()))
	case !f.statusFits():
		return fmt.Errorf("fault: status %d is out of range: use 200 to 599", f.Status)
	case f.Action == ActionDelay && f.DelayMS <= 0:
		return fmt.Errorf("fault: delay_ms must be above 0 for action %q", ActionDelay)
	case f.Attempt < 0 || f.LastAttempt < 0 || f.DelayMS < 0:
		return fmt.Errorf("fault: attempt, last_attempt and delay_ms must not be negative")
	case f.Share < 0 || f.Share > 1:
		return fmt.Errorf("fault: share %v is out of range: use above 0 up to 1", f.Share)
	case f.LastAttempt != 0 && f.LastAttempt < f.Attempt:
		return fmt.Errorf("fault: last_attempt %d is before attempt %d", f.LastAttempt, f.Attempt)
	}
	return nil
}

// statusFits tells whether a fault that answers with a status has a good one; a
// page has one of its own.
func (f Fault) statusFits() bool {
	switch f.Action {
	case ActionHTML, ActionHTMLAfter:
		return f.Status == 0 || f.Status >= 200 && f.Status <= 599
	case ActionStatus, ActionStatusAfter:
		return f.Status >= 200 && f.Status <= 599
	}
	return true
}

func joinActions(actions []Action) string {
	names := make([]string, len(actions))
	for i, a := range actions {
		names[i] = string(a)
	}
	return strings.Join(names, ", ")
}

// counts are the attempts made so far of an operation, of it on one subject, of
// all operations, and of all on one subject.
type counts struct{ op, subject, all, allSubject int }

func (c counts) of(f Fault) int {
	switch {
	case f.Op == AnyOp && f.Subject != "":
		return c.allSubject
	case f.Op == AnyOp:
		return c.all
	case f.Subject != "":
		return c.subject
	}
	return c.op
}

func (f Fault) hits(op, subject string, made counts) bool {
	if f.Op != op && f.Op != AnyOp || f.Subject != "" && f.Subject != subject {
		return false
	}
	n := made.of(f)
	if f.Attempt != 0 || f.LastAttempt != 0 {
		if n < f.Attempt || n > max(f.LastAttempt, f.Attempt) {
			return false
		}
	}
	return f.Share == 0 || f.draw(op, subject, n) < f.Share
}

// draw is a number from 0 up to 1 that belongs to one attempt.
func (f Fault) draw(op, subject string, attempt int) float64 {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%d/%s/%s/%d", f.Seed, op, subject, attempt)
	return rand.New(rand.NewPCG(h.Sum64(), f.Seed)).Float64() //nolint:gosec // one seed must give one schedule
}

type attemptKey struct{ op, subject string }

// Faults is a schedule of faults and the counter of attempts. Its zero value is
// ready for use; it is safe for concurrent use.
type Faults struct {
	mu         sync.Mutex
	known      []string
	scheduled  []Fault
	perOp      map[string]int
	perSubject map[attemptKey]int
}

// Know tells which operations there are; from then on a fault of any other is
// refused, as it could never hit.
func (s *Faults) Know(ops []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = slices.Clone(ops)
}

// Add appends faults to the schedule; where several hit one call, the one that
// was added first wins. It adds all of them or, with an error, none.
func (s *Faults) Add(faults ...Fault) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		if err := f.check(); err != nil {
			return err
		}
		if s.known != nil && f.Op != AnyOp && !slices.Contains(s.known, f.Op) {
			return fmt.Errorf("fault: op %q is unknown: use %q or one of %s", f.Op, AnyOp, strings.Join(s.known, ", "))
		}
	}
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
	key, anyKey := attemptKey{op, subject}, attemptKey{AnyOp, subject}
	s.perOp[op]++
	s.perOp[AnyOp]++
	s.perSubject[key]++
	s.perSubject[anyKey]++
	made := counts{s.perOp[op], s.perSubject[key], s.perOp[AnyOp], s.perSubject[anyKey]}
	for _, f := range s.scheduled {
		if f.hits(op, subject, made) {
			return made.subject, &f
		}
	}
	return made.subject, nil
}
