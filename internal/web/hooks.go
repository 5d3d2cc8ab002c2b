package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"

	"sendoff/internal/hooks"
	"sendoff/schema"
)

const (
	// hooksPrefix is where sources of HR events post. What they post is signed with
	// the source's own secret: there is no token.
	hooksPrefix = "/hooks/"
	// hookPatience is less than the time after which senders give up and send again
	// (Standard Webhooks 1.0.0 advises them 15 to 30 s).
	hookPatience = 10 * time.Second
	// hookRetryAfter are the seconds after which a sender may try again when we are
	// not up to it.
	hookRetryAfter = "30"
)

// EventCounter counts what sources tell by what became of it at the door.
type EventCounter interface {
	// CountHREvent is called once for each. kind is "unknown" where no source was
	// found; result is one of EventResult.
	CountHREvent(kind schema.SourceKind, via schema.EventVia, result EventResult)
}

// EventResult is what became of an event at the door. Besides these, the reasons of
// hooks.Failure are results.
type EventResult = string

// The results.
const (
	EventAccepted      EventResult = "accepted"
	EventDuplicate     EventResult = "duplicate"
	EventConflict      EventResult = "conflict"       // the same id came with another body
	EventUnreadable    EventResult = "unreadable"     // signed well and kept, and it cannot be read
	EventTooLarge      EventResult = "too_large"      // beyond maxBody
	EventBroken        EventResult = "broken"         // the body did not come whole
	EventEncoded       EventResult = "encoded"        // compressed
	EventUnknownSource EventResult = "unknown_source" // or one that takes no webhooks
	EventDisabled      EventResult = "disabled"
	EventUnavailable   EventResult = "unavailable" // the database was not up to it
	EventFailed        EventResult = "failed"      // a fault of ours
)

// uncounted counts nothing.
type uncounted struct{}

func (uncounted) CountHREvent(schema.SourceKind, schema.EventVia, EventResult) {}

// hook is one webhook on its way in.
type hook struct {
	source schema.Source
	event  schema.HREvent // as it was kept
	result EventResult
}

// serveHooks takes the webhooks of sources.
func (s *server) serveHooks(mux *http.ServeMux) {
	if s.hr == nil {
		return
	}
	mux.HandleFunc("POST "+hooksPrefix+"{source}", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), hookPatience)
		defer cancel()
		h := &hook{source: schema.Source{Kind: "unknown"}}
		err := s.takeHook(ctx, r, h)
		s.noteHook(r, h, err)
		answerHook(w, h, err)
	})
}

// takeHook proves a webhook, reads it and keeps it, in this order. What is not
// proven is neither parsed nor written down.
func (s *server) takeHook(ctx context.Context, r *http.Request, h *hook) error {
	if err := s.findHookSource(ctx, r.PathValue("source"), h); err != nil {
		return err
	}
	body, err := readHook(r, h)
	if err != nil {
		return err
	}
	secrets, err := s.hr.SourceSecrets(ctx, h.source.ID)
	if err != nil {
		return err
	}
	proof, err := hooks.Verify(h.source, secrets, r.Header, body, s.now())
	if err != nil {
		return disbelieved(h, err)
	}
	if h.source.State != schema.ConnectionEnabled {
		h.result = EventDisabled
		return &schema.Error{Code: schema.CodeClosed, Message: "the source is disabled", Fix: "enable it, then send the event again: sendoff hr sources enable NAME"}
	}
	return s.keepHook(ctx, h, proof, body)
}

// findHookSource finds an enabled or disabled source that takes webhooks. Any other
// name is answered as a path that does not exist.
func (s *server) findHookSource(ctx context.Context, name string, h *hook) error {
	if !nameForm.MatchString(name) {
		h.result = EventUnknownSource
		return errNoPath()
	}
	source, err := s.hr.SourceByName(ctx, name)
	switch {
	case schema.CodeOf(err) == schema.CodeNotFound:
		h.result = EventUnknownSource
		return errNoPath()
	case err != nil:
		return err
	}
	switch source.Kind {
	case schema.SourceStandardWebhooks, schema.SourceBambooHR, schema.SourceHMAC:
		h.source = source
		return nil
	default:
		h.result = EventUnknownSource
		return errNoPath()
	}
}

// readHook reads the body as it came, which is what is signed.
func readHook(r *http.Request, h *hook) ([]byte, error) {
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		h.result = EventEncoded
		return nil, &errorBody{
			Title: http.StatusText(http.StatusUnsupportedMediaType), Status: http.StatusUnsupportedMediaType, Code: schema.CodeInvalid,
			Detail: "the body is compressed", Fix: "send it as it is signed",
		}
	}
	tooLarge := &errorBody{
		Title: http.StatusText(http.StatusRequestEntityTooLarge), Status: http.StatusRequestEntityTooLarge, Code: schema.CodeInvalid,
		Detail: "a webhook has 1 MiB at most", Fix: "send what has changed alone; a whole roster is imported as a file",
	}
	if r.ContentLength > maxBody {
		h.result = EventTooLarge
		return nil, tooLarge
	}
	body, err := io.ReadAll(r.Body)
	var limit *http.MaxBytesError
	switch {
	case errors.As(err, &limit), len(body) > maxBody:
		h.result = EventTooLarge
		return nil, tooLarge
	case err != nil:
		h.result = EventBroken
		return nil, &errorBody{
			Title: http.StatusText(http.StatusBadRequest), Status: http.StatusBadRequest, Code: schema.CodeInvalid,
			Detail: "the body did not come to its end", Fix: "send it again",
		}
	}
	return body, nil
}

// disbelieved is the answer to what is not believed: the same for all reasons, so that
// it helps nobody to find out, but for a webhook that the source did sign.
func disbelieved(h *hook, err error) error {
	var f *hooks.Failure
	if !errors.As(err, &f) {
		return err
	}
	h.result = string(f.Reason)
	if f.Reason == hooks.Stale {
		return &schema.Error{Code: schema.CodeUnauthorized, Message: "the webhook is too old", Fix: "sign it again with the present time; check the sender's clock"}
	}
	return &schema.Error{
		Code: schema.CodeUnauthorized, Message: "the signature does not prove that the webhook comes from its source",
		Fix: "sign the body as it is sent, with the source's secret and the present time",
	}
}

// keepHook writes the event. One that cannot be read is kept too, for those who mend
// the source's mapping.
func (s *server) keepHook(ctx context.Context, h *hook, proof hooks.Proof, body []byte) error {
	e := schema.HREvent{
		SourceID: h.source.ID, Source: h.source.Name, EventID: proof.EventID, Via: schema.ViaWebhook,
		Body: body, BodyHash: hexSum(body), State: schema.EventPending,
	}
	e.Change, e.Problems = hooks.Read(h.source, body)
	if len(e.Problems) > 0 {
		e.State = schema.EventRefused
	}
	accepted, err := s.hr.AcceptEvent(ctx, e)
	if err != nil {
		if schema.CodeOf(err) == schema.CodeConflict {
			h.result = EventConflict
		}
		return err
	}
	h.event = accepted.Event
	switch {
	case len(e.Problems) > 0:
		h.result = EventUnreadable
		return &schema.Error{
			Code: schema.CodeInvalid, Message: "the webhook comes from its source, and cannot be read; it is kept",
			Fix: "mend what is sent or the source's mapping, then send it again", Problems: e.Problems,
		}
	case accepted.Duplicate:
		h.result = EventDuplicate
	default:
		h.result = EventAccepted
	}
	return nil
}

// noteHook counts and logs a webhook, by ids alone.
func (s *server) noteHook(r *http.Request, h *hook, err error) {
	if h.result == "" {
		h.result = EventFailed
		if problemOf(err).Status == http.StatusServiceUnavailable {
			h.result = EventUnavailable
		}
	}
	exchangeOf(r.Context()).err = err
	s.counter.CountHREvent(h.source.Kind, schema.ViaWebhook, h.result)
	if h.source.ID != "" {
		s.log.Info("webhook", zap.String("source_id", string(h.source.ID)), zap.String("result", h.result), zap.String("event_id", string(h.event.ID)))
	}
}

// hookBody is the answer to a webhook that is kept.
type hookBody struct {
	Status  EventResult      `json:"status"` // accepted or duplicate
	ID      schema.HREventID `json:"id"`
	EventID string           `json:"event_id"` // the source's own
}

func answerHook(w http.ResponseWriter, h *hook, err error) {
	if err != nil {
		switch problemOf(err).Status {
		case http.StatusUnauthorized:
			w.Header().Set("WWW-Authenticate", `Signature realm="sendoff"`)
		case http.StatusServiceUnavailable:
			w.Header().Set("Retry-After", hookRetryAfter)
		}
		writeProblem(w, err)
		return
	}
	status := http.StatusAccepted
	if h.result == EventDuplicate {
		status = http.StatusOK
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(hookBody{Status: h.result, ID: h.event.ID, EventID: h.event.EventID}) // the sender may be gone
}
