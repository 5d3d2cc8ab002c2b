package boxsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"sendoff/connectors/simkit"
)

// request is one authenticated API call while it is being served; the
// simulator's lock is held.
type request struct {
	*Sim
	call  *simkit.Call
	now   time.Time
	token *token
	actor *user // whom the call runs as
	owner *user // whom the token belongs to
}

// reply is what a handler answers: a body, an error, a wait, or nothing at all.
type reply struct {
	status int
	body   any
	err    *apiError
	html   string
	raw    []byte // JSON that is written already
	drop   bool
	wait   *wait
}

// wait suspends a call, without the lock, until an instant. then runs with the
// lock again; left tells that the client has gone.
type wait struct {
	until time.Time
	then  func(now time.Time, left bool) reply
}

func ok(body any) reply { return reply{status: http.StatusOK, body: body} }

// written answers 200 with JSON that is written already.
func written(raw []byte) reply { return reply{status: http.StatusOK, raw: raw} }

func created(body any) reply { return reply{status: http.StatusCreated, body: body} }

func noContent() reply { return reply{status: http.StatusNoContent} }

func failed(e *apiError) reply { return reply{err: e} }

func (q *request) id() string { return q.call.Request.PathValue("id") }

func (q *request) param(name string) string { return q.call.Request.URL.Query().Get(name) }

// decode reads the JSON body; Box answers anything else with this 400.
func (q *request) decode(v any) *apiError {
	if err := json.Unmarshal(q.call.Body, v); err != nil {
		return badRequest("entity-body", "Invalid value. Entity body should be a correctly nested resource attribute name/value pair")
	}
	return nil
}

// serve is the path of every API call: identity for the log, faults, then the
// handler under the lock.
func (s *Sim) serve(rt route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		call, err := simkit.NewCall(r, rt.op, r.PathValue("id"))
		if err != nil {
			http.Error(w, "request body too large", http.StatusRequestEntityTooLarge)
			return
		}
		s.mu.Lock()
		requestID := s.head(call)
		s.nameCaller(call)
		if rt.op == opTransfer {
			s.countTransferRequest(call.Subject)
		}
		s.mu.Unlock()
		s.pipe.Serve(w, call, func(c *simkit.Call) { s.effect(rt, c, requestID) })
	}
}

// head sets the headers of every answer: an id of the request and, where the
// simulator's clock is off, the date that it shows.
func (s *Sim) head(c *simkit.Call) (requestID string) {
	s.requests++
	requestID = fmt.Sprintf("sim%013x", s.requests)
	c.Header().Set("box-request-id", requestID)
	if s.switches.ClockSkewSeconds != 0 {
		c.Header().Set("Date", s.skewed().Format(http.TimeFormat))
	}
	return requestID
}

// skewed is the time by the simulator's clock, which a switch may set wrong.
func (s *Sim) skewed() time.Time { return s.clock.Now().Add(s.switches.clockSkew()) }

func (s *Sim) effect(rt route, c *simkit.Call, requestID string) {
	s.mu.Lock()
	now := s.clock.Now()
	s.advance(now)
	rep := s.handle(rt, c, now)
	for rep.wait != nil {
		pause := rep.wait
		s.mu.Unlock()
		reached := s.clock.WaitUntil(c.Context(), pause.until)
		s.mu.Lock()
		now = s.clock.Now()
		s.advance(now)
		rep = pause.then(now, !reached)
	}
	s.mu.Unlock()
	s.answer(c, rep, requestID)
}

func (s *Sim) handle(rt route, c *simkit.Call, now time.Time) reply {
	q := &request{Sim: s, call: c, now: now}
	if err := s.authorize(q, rt); err != nil {
		return failed(err)
	}
	if err := q.checkFields(); err != nil {
		return failed(err)
	}
	rep := rt.handle(q)
	q.tell(rt, rep)
	return rep
}

func (s *Sim) answer(c *simkit.Call, rep reply, requestID string) {
	switch {
	case rep.drop:
		c.Drop()
	case rep.html != "":
		c.Raw(rep.status, "text/html", []byte(rep.html))
	case rep.raw != nil:
		c.Raw(rep.status, "application/json", rep.raw)
	case rep.err == nil:
		c.JSON(rep.status, rep.body)
	default:
		e := rep.err
		e.RequestID = requestID
		if e.authenticate != "" {
			c.Header().Set("WWW-Authenticate", e.authenticate)
		}
		if e.retryAfter > 0 {
			c.Header().Set("Retry-After", fmt.Sprint(e.retryAfter))
		}
		if e.empty {
			c.JSON(e.Status, nil)
			return
		}
		c.JSON(e.Status, e)
	}
}
