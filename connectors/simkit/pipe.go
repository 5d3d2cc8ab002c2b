package simkit

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxBodyBytes caps what a simulator reads of one request.
const maxBodyBytes = 8 << 20

// Pipe serves calls: it logs each of them, applies the faults, and sends what
// the simulator answered. An answer is buffered whole, so that a call either
// has its effect before a byte is sent or is dropped without one.
type Pipe struct {
	Log    Log
	Faults Faults
	// ErrorBody is the vendor's error envelope for a status fault without a
	// body of its own. Nil sends no body.
	ErrorBody func(status int) any
	// Expire ends the token that a call came with, for the action expire. Nil
	// lets such a call through unharmed.
	Expire func(*Call)
}

// Call is one request on its way through a Pipe.
type Call struct {
	Request *http.Request
	// Body is the whole request body; Request.Body reads the same bytes.
	Body []byte
	// Op and Subject name what is called and what it is called on.
	Op, Subject string
	// ActingUser is who the call runs as, TokenUser whom the token belongs to.
	ActingUser, TokenUser string

	seq     int
	answer  answer
	dropped bool
}

type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// NewCall reads the request's body and makes a call of it. Reading the body to
// its end is also what lets the server notice a client that leaves.
func NewCall(r *http.Request, op, subject string) (*Call, error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBodyBytes))
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return &Call{Request: r, Body: body, Op: op, Subject: subject, answer: answer{header: http.Header{}}}, nil
}

// Context ends when the client leaves or the server stops.
func (c *Call) Context() context.Context { return c.Request.Context() }

// Header is the header of the answer.
func (c *Call) Header() http.Header { return c.answer.header }

// JSON answers with status and v as JSON; a nil v sends no body. A later
// answer replaces an earlier one.
func (c *Call) JSON(status int, v any) {
	if v == nil {
		c.Raw(status, "", nil)
		return
	}
	c.Raw(status, "application/json", encode(v))
}

// Raw answers with status and body as they are.
func (c *Call) Raw(status int, contentType string, body []byte) {
	c.answer.status = status
	c.answer.body.Reset()
	c.answer.body.Write(body)
	if contentType == "" {
		c.answer.header.Del("Content-Type")
		return
	}
	c.answer.header.Set("Content-Type", contentType)
}

// Drop closes the connection without an answer once the handler returns.
func (c *Call) Drop() { c.dropped = true }

// Status is the answer's status so far, 0 before there is one.
func (c *Call) Status() int { return c.answer.status }

// Serve logs the call, applies the fault that hits it, runs effect and sends
// its answer. A dropped or truncated answer ends by http.ErrAbortHandler, the
// server's own way to close a connection.
func (p *Pipe) Serve(w http.ResponseWriter, c *Call, effect func(*Call)) {
	started := time.Now().UTC()
	attempt, fault := p.Faults.Next(c.Op, c.Subject)
	rec := Record{
		Time: started, Method: c.Request.Method, Path: c.Request.URL.Path, Query: c.Request.URL.RawQuery,
		ActingUser: c.ActingUser, TokenUser: c.TokenUser, Op: c.Op, Subject: c.Subject, Attempt: attempt,
	}
	if fault != nil {
		rec.Fault = string(fault.Action)
	}
	c.seq = p.Log.Add(rec)
	truncate := p.run(c, fault, effect)
	ended := p.ended(c, truncate)
	p.Log.Update(c.seq, func(r *Record) {
		r.Ended, r.ActingUser, r.TokenUser = ended, c.ActingUser, c.TokenUser
		r.DurationMS = time.Since(started).Milliseconds()
		if ended == EndedAnswered || ended == EndedTruncated {
			r.Status = c.answer.status
		}
	})
	p.send(w, c, ended)
}

// run applies the fault around the effect and reports whether the answer is to
// be truncated.
func (p *Pipe) run(c *Call, fault *Fault, effect func(*Call)) bool {
	if fault == nil {
		effect(c)
		return false
	}
	if fault.DelayMS > 0 {
		NewClock(1).WaitUntil(c.Context(), time.Now().Add(time.Duration(fault.DelayMS)*time.Millisecond))
	}
	switch fault.Action {
	case ActionStatus:
		p.spoil(c, fault)
	case ActionDropBefore:
		c.Drop()
	case ActionHang:
		<-c.Context().Done()
	case ActionHangAfter:
		effect(c)
		<-c.Context().Done()
	case ActionHTML:
		c.gateway(fault)
	case ActionHTMLAfter:
		effect(c)
		c.gateway(fault)
	case ActionWrongTypes:
		effect(c)
		c.wrongTypes()
	case ActionEmptyAfter:
		effect(c)
		c.Raw(c.answer.status, "", nil)
	case ActionExpire:
		if p.Expire != nil {
			p.Expire(c)
		}
		effect(c)
	case ActionStatusAfter:
		effect(c)
		p.spoil(c, fault)
	case ActionDropAfter:
		effect(c)
		c.Drop()
	default: // delay and truncate
		effect(c)
	}
	return fault.Action == ActionTruncate
}

func (p *Pipe) spoil(c *Call, fault *Fault) {
	switch {
	case len(fault.Body) > 0:
		c.Raw(fault.Status, "application/json", fault.Body)
	case p.ErrorBody != nil:
		c.JSON(fault.Status, p.ErrorBody(fault.Status))
	default:
		c.JSON(fault.Status, nil)
	}
	c.headers(fault)
}

func (p *Pipe) ended(c *Call, truncate bool) string {
	switch {
	case c.Context().Err() != nil:
		return EndedClientLeft
	case c.dropped || c.answer.status == 0:
		return EndedDropped
	case truncate:
		return EndedTruncated
	}
	return EndedAnswered
}

func (p *Pipe) send(w http.ResponseWriter, c *Call, ended string) {
	if ended == EndedDropped || ended == EndedClientLeft {
		panic(http.ErrAbortHandler)
	}
	body := c.answer.body.Bytes()
	for name, values := range c.answer.header {
		w.Header()[name] = values
	}
	if c.answer.status != http.StatusNoContent && c.answer.status != http.StatusNotModified {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(c.answer.status)
	if ended == EndedTruncated {
		body = body[:len(body)/2]
	}
	if _, err := w.Write(body); err != nil && len(body) > 0 {
		panic(http.ErrAbortHandler)
	}
	if ended == EndedTruncated {
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		panic(http.ErrAbortHandler)
	}
}
