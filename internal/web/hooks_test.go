package web_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"sendoff/internal/web"
	"sendoff/internal/web/webtest"
	"sendoff/schema"
)

const (
	hookSecret  = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	plainSecret = "0123456789abcdef"
	leaves      = `{"type":"employment.changed","data":{"external_id":"5","email":"canary@example.com","last_working_day":"2026-11-30"}}`
)

// inbox is a server with sources, an inbox of its own and a count of what came.
type inbox struct {
	webtest.HRFuncs
	mu      sync.Mutex
	events  map[string]schema.HREvent
	counted map[string]int
	fails   error // of AcceptEvent
	sources map[string]schema.Source
	logs    *observer.ObservedLogs
	handler http.Handler
}

func newInbox() *inbox {
	enabled := func(name string, kind schema.SourceKind) schema.Source {
		return schema.Source{ID: schema.SourceID("id-" + name), Name: name, Kind: kind, State: schema.ConnectionEnabled}
	}
	b := &inbox{events: map[string]schema.HREvent{}, counted: map[string]int{}, sources: map[string]schema.Source{}}
	off, vendor := enabled("off", schema.SourceStandardWebhooks), enabled("vendor", schema.SourceHMAC)
	off.State = schema.ConnectionDisabled
	vendor.Signature = &schema.Signature{Header: "X-Sig", Hash: "sha256", Encoding: "hex", Content: "{body}"}
	vendor.Mapping = &schema.Mapping{Fields: map[string]string{"external_id": "worker.id"}}
	for _, s := range []schema.Source{enabled("hris", schema.SourceStandardWebhooks), enabled("bamboo", schema.SourceBambooHR), enabled("okta", schema.SourceSCIM), enabled("files", schema.SourceCSV), off, vendor} {
		b.sources[s.Name] = s
	}
	b.SourceByNameFunc = func(name string) (schema.Source, error) {
		s, ok := b.sources[name]
		if !ok {
			return s, &schema.Error{Code: schema.CodeNotFound, Message: "there is no source of that name"}
		}
		return s, nil
	}
	b.SourceSecretsFunc = func(id schema.SourceID) (schema.SourceSecrets, error) {
		if id == "id-hris" || id == "id-off" {
			return schema.SourceSecrets{Current: hookSecret}, nil
		}
		return schema.SourceSecrets{Current: plainSecret}, nil
	}
	b.AcceptEventFunc = b.accept
	core, logs := observer.New(zapcore.DebugLevel)
	b.logs = logs
	b.handler = web.New(web.Config{
		Store: &webtest.Store{}, HR: b, Events: b, Log: zap.New(core), Now: func() time.Time { return now },
		Planner: webtest.Planner(nil), Checker: webtest.Checker(nil),
	})
	return b
}

// accept keeps the rules that the port states.
func (b *inbox) accept(e schema.HREvent) (schema.Accepted, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fails != nil {
		return schema.Accepted{}, b.fails
	}
	key := string(e.SourceID) + " " + e.EventID
	have, known := b.events[key]
	switch {
	case known && have.BodyHash != e.BodyHash:
		return schema.Accepted{}, &schema.Error{Code: schema.CodeConflict, Message: "the source told another event under this id", Fix: "send each event under an id of its own"}
	case known && (have.State != schema.EventRefused || e.State == schema.EventRefused):
		return schema.Accepted{Event: have, Duplicate: true}, nil
	}
	e.ID = schema.HREventID(fmt.Sprintf("row-%d", len(b.events)+1))
	b.events[key] = e
	return schema.Accepted{Event: e}, nil
}

func (b *inbox) CountHREvent(kind schema.SourceKind, via schema.EventVia, result string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counted[string(kind)+" "+string(via)+" "+result]++
}

// counts returns what was counted since it was last asked.
func (b *inbox) counts() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.counted
	b.counted = map[string]int{}
	return out
}

func (b *inbox) send(t *testing.T, name string, header http.Header, body io.Reader, change ...func(*http.Request)) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/hooks/"+name, body)
	for k, v := range header {
		r.Header[k] = v
	}
	for _, f := range change {
		f(r)
	}
	rec := httptest.NewRecorder()
	b.handler.ServeHTTP(rec, r)
	a := answer{status: rec.Code, header: rec.Header(), raw: rec.Body.String()}
	require.NoError(t, json.Unmarshal([]byte(a.raw), &a.json))
	return a
}

// sign signs as Standard Webhooks 1.0.0 says.
func sign(t *testing.T, id string, at time.Time, body string) http.Header {
	t.Helper()
	w, err := standardwebhooks.NewWebhook(hookSecret)
	require.NoError(t, err)
	sig, err := w.Sign(id, at, []byte(body))
	require.NoError(t, err)
	return http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {strconv.FormatInt(at.Unix(), 10)}, "Webhook-Signature": {sig}}
}

func hexMAC(text string) string {
	h := hmac.New(sha256.New, []byte(plainSecret))
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}

func TestWebhookIsKeptOnce(t *testing.T) {
	t.Parallel()
	b := newInbox()
	a := b.send(t, "hris", sign(t, "e1", now, leaves), strings.NewReader(leaves))
	require.Equal(t, http.StatusAccepted, a.status)
	require.Equal(t, map[string]any{"status": "accepted", "id": "row-1", "event_id": "e1"}, a.json)
	sum := sha256.Sum256([]byte(leaves))
	e := b.events["id-hris e1"]
	require.Equal(t, schema.HREvent{
		ID: "row-1", SourceID: "id-hris", Source: "hris", EventID: "e1", Via: schema.ViaWebhook, Body: []byte(leaves), BodyHash: hex.EncodeToString(sum[:]),
		State: schema.EventPending, Change: e.Change,
	}, e)
	require.Equal(t, "canary@example.com", e.Change.Roster.Employments[0].Email)

	later := now.Add(-time.Minute) // of another attempt
	a = b.send(t, "hris", sign(t, "e1", later, leaves), strings.NewReader(leaves))
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, map[string]any{"status": "duplicate", "id": "row-1", "event_id": "e1"}, a.json)

	other := strings.Replace(leaves, "11-30", "12-31", 1)
	a = b.send(t, "hris", sign(t, "e1", now, other), strings.NewReader(other))
	require.Equal(t, http.StatusConflict, a.status)
	require.Equal(t, "conflict", a.json["code"])
	require.Len(t, b.events, 1)
	require.Equal(t, map[string]int{
		"standard-webhooks webhook accepted": 1, "standard-webhooks webhook duplicate": 1, "standard-webhooks webhook conflict": 1,
	}, b.counts())
	logged := fmt.Sprint(b.logs.All())
	require.Contains(t, logged, "id-hris")
	for _, s := range []string{"canary", "hris\"", hookSecret[6:]} {
		require.NotContains(t, logged, s)
	}
}

func TestWebhooksOfEachKind(t *testing.T) {
	t.Parallel()
	b := newInbox()
	hint := `{"type":"employee.updated","timestamp":"2026-11-21T12:00:00+0000","data":{"companyId":"1","employeeId":"5"}}`
	at := strconv.FormatInt(now.Unix(), 10)
	bamboo := http.Header{"X-Bamboohr-Timestamp": {at}, "X-Bamboohr-Signature": {hexMAC(hint + at)}}
	require.Equal(t, http.StatusAccepted, b.send(t, "bamboo", bamboo, strings.NewReader(hint)).status)
	require.Equal(t, http.StatusOK, b.send(t, "bamboo", bamboo, strings.NewReader(hint)).status)

	mapped := `{"worker":{"id":17}}`
	vendor := http.Header{"X-Sig": {hexMAC(mapped)}}
	chunked := func(r *http.Request) { r.ContentLength = -1 }
	require.Equal(t, http.StatusAccepted, b.send(t, "vendor", vendor, strings.NewReader(mapped), chunked).status)
	kinds := map[schema.HRChangeKind]int{}
	for _, e := range b.events {
		kinds[e.Change.Kind]++
	}
	require.Equal(t, map[schema.HRChangeKind]int{schema.ChangeHint: 1, schema.ChangeEmployments: 1}, kinds)
}

// TestWebhooksThatNobodySigned are not read, not kept, and learn nothing.
func TestWebhooksThatNobodySigned(t *testing.T) {
	t.Parallel()
	b := newInbox()
	good := func() http.Header { return sign(t, "e1", now, leaves) }
	with := func(name string, values ...string) http.Header {
		h := good()
		if h[name] = values; values == nil {
			delete(h, name)
		}
		return h
	}
	var first string
	for name, c := range map[string]struct {
		header http.Header
		result string
	}{
		"id":              {with("Webhook-Id", "e2"), "bad_signature"},
		"time":            {with("Webhook-Timestamp", strconv.FormatInt(now.Unix()+1, 10)), "bad_signature"},
		"signature":       {with("Webhook-Signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="), "bad_signature"},
		"no signature":    {with("Webhook-Signature"), "missing_header"},
		"no id":           {with("Webhook-Id"), "missing_header"},
		"no time":         {with("Webhook-Timestamp"), "missing_header"},
		"nothing":         {http.Header{}, "missing_header"},
		"twice":           {with("Webhook-Id", "e1", "e1"), "malformed_header"},
		"time in words":   {with("Webhook-Timestamp", "now"), "malformed_header"},
		"from the future": {sign(t, "e1", now.Add(6*time.Minute), leaves), "future"},
		"old, not signed": {sign(t, "e1", now.Add(-time.Hour), "{}"), "bad_signature"},
	} {
		a := b.send(t, "hris", c.header, strings.NewReader(leaves))
		require.Equal(t, http.StatusUnauthorized, a.status, name)
		require.NotEmpty(t, a.header.Get("WWW-Authenticate"))
		if first == "" {
			first = a.raw
		}
		require.Equal(t, first, a.raw, "%s: every answer is the same", name)
		require.Equal(t, map[string]int{"standard-webhooks webhook " + c.result: 1}, b.counts(), name)
	}
	a := b.send(t, "hris", sign(t, "e1", now.Add(-6*time.Minute), leaves), strings.NewReader(leaves))
	require.Equal(t, http.StatusUnauthorized, a.status)
	require.Contains(t, a.json["detail"], "too old")
	require.Equal(t, map[string]int{"standard-webhooks webhook stale": 1}, b.counts())
	for i := range leaves {
		body := []byte(leaves)
		body[i] ^= 1
		require.Equal(t, http.StatusUnauthorized, b.send(t, "hris", good(), bytes.NewReader(body)).status)
	}
	require.Empty(t, b.events)
	b.SourceSecretsFunc = func(schema.SourceID) (schema.SourceSecrets, error) { return schema.SourceSecrets{}, nil }
	require.Equal(t, first, b.send(t, "hris", good(), strings.NewReader(leaves)).raw, "a source without a secret believes nobody")
}

// TestUnreadableWebhooks are signed, so they are kept for whoever mends the mapping.
func TestUnreadableWebhooks(t *testing.T) {
	t.Parallel()
	b := newInbox()
	for i, body := range []string{"", "{", "hello", leaves + leaves, "{\"type\":\"\xff\"}", `{"type":"x"}`, `{"type":"employment.changed","data":{"external_id":"1","hire_date":"soon"}}`, strings.Repeat("[", 5000)} {
		id := fmt.Sprintf("e%d", i)
		for range 2 {
			a := b.send(t, "hris", sign(t, id, now, body), strings.NewReader(body))
			require.Equal(t, http.StatusUnprocessableEntity, a.status, body)
			require.NotEmpty(t, a.problems())
			require.NotContains(t, a.raw, "canary")
		}
		e := b.events["id-hris "+id]
		require.Equal(t, schema.EventRefused, e.State)
		require.NotEmpty(t, e.Problems)
		require.Equal(t, body, string(e.Body))
		require.Empty(t, e.Change)
	}
	require.Equal(t, map[string]int{"standard-webhooks webhook unreadable": 16}, b.counts())
}

// TestUnknownSources are answered as paths that do not exist.
func TestUnknownSources(t *testing.T) {
	t.Parallel()
	b := newInbox()
	get := func(r *http.Request) { r.Method = http.MethodGet }
	nowhere := b.send(t, "", nil, nil).raw
	require.Contains(t, nowhere, "there is no such path")
	require.Empty(t, b.counts(), "it is no webhook")
	for _, name := range []string{"nobody", "okta", "files", "..%2Fhris", "%F0%9F%98%80", strings.Repeat("x", 64)} {
		a := b.send(t, name, sign(t, "e1", now, leaves), strings.NewReader(leaves))
		require.Equal(t, http.StatusNotFound, a.status, name)
		require.Equal(t, nowhere, a.raw, name)
		require.Equal(t, map[string]int{"unknown webhook unknown_source": 1}, b.counts(), name)
	}
	require.Equal(t, nowhere, b.send(t, "hris/x", nil, nil).raw)
	require.Equal(t, nowhere, b.send(t, "hris", nil, nil, get).raw)
	bare := web.New(web.Config{Store: &webtest.Store{}, Planner: webtest.Planner(nil), Checker: webtest.Checker(nil)})
	rec := httptest.NewRecorder()
	bare.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/hooks/hris", http.NoBody))
	require.Equal(t, nowhere, rec.Body.String())
}

// endless counts what is read of a body without an end.
type endless struct{ read, most int }

func (e *endless) Read(p []byte) (int, error) {
	if e.read >= e.most {
		return 0, io.EOF
	}
	n := min(len(p), e.most-e.read)
	e.read += n
	return n, nil
}

func TestLargeBodies(t *testing.T) {
	t.Parallel()
	b := newInbox()
	large := &endless{most: 50 << 20}
	a := b.send(t, "hris", nil, large, func(r *http.Request) { r.ContentLength = 50 << 20 })
	require.Equal(t, http.StatusRequestEntityTooLarge, a.status)
	require.Zero(t, large.read, "its length was said")
	a = b.send(t, "hris", nil, large, func(r *http.Request) { r.ContentLength = -1 })
	require.Equal(t, http.StatusRequestEntityTooLarge, a.status)
	require.LessOrEqual(t, large.read, 1<<20+4<<10)
	require.Equal(t, map[string]int{"standard-webhooks webhook too_large": 2}, b.counts())

	full := leaves + strings.Repeat(" ", 1<<20-len(leaves))
	require.Equal(t, http.StatusAccepted, b.send(t, "hris", sign(t, "full", now, full), strings.NewReader(full)).status)
	full += " "
	require.Equal(t, http.StatusRequestEntityTooLarge, b.send(t, "hris", sign(t, "over", now, full), strings.NewReader(full)).status)
}

// TestLargeBodyOverTheWire: the sender gets the answer while it still sends.
func TestLargeBodyOverTheWire(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(newInbox().handler)
	t.Cleanup(srv.Close)
	for _, length := range []int64{50 << 20, -1} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/hooks/hris", &endless{most: 50 << 20})
		require.NoError(t, err)
		r.ContentLength = length
		res, err := srv.Client().Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusRequestEntityTooLarge, res.StatusCode)
	}
}

func TestWebhooksWeAreNotUpTo(t *testing.T) {
	t.Parallel()
	b := newInbox()
	send := func(name string, change ...func(*http.Request)) answer {
		t.Helper()
		return b.send(t, name, sign(t, "e1", now, leaves), strings.NewReader(leaves), change...)
	}
	off := send("off")
	require.Equal(t, http.StatusConflict, off.status)
	require.NotEmpty(t, off.json["fix"])
	require.Equal(t, http.StatusUnsupportedMediaType, send("hris", func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }).status)
	require.Equal(t, http.StatusBadRequest, send("hris", func(r *http.Request) {
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader("{"), broken{}))
	}).status)
	require.Equal(t, http.StatusUnauthorized, b.send(t, "off", http.Header{}, strings.NewReader(leaves)).status, "what state it is in is for those who can sign")

	b.fails = &schema.Error{Code: schema.CodeUnavailable, Message: "the database does not answer", Fix: "try again"}
	down := send("hris")
	require.Equal(t, http.StatusServiceUnavailable, down.status)
	require.Equal(t, "30", down.header.Get("Retry-After"))
	b.fails = context.DeadlineExceeded
	require.Equal(t, http.StatusServiceUnavailable, send("hris").status)
	b.fails = errors.New("canary")
	fault := send("hris")
	require.Equal(t, http.StatusInternalServerError, fault.status)
	require.NotContains(t, fault.raw, "canary")
	require.Empty(t, b.events)
	require.Equal(t, map[string]int{
		"standard-webhooks webhook disabled": 1, "standard-webhooks webhook encoded": 1, "standard-webhooks webhook broken": 1, "standard-webhooks webhook missing_header": 1,
		"standard-webhooks webhook unavailable": 2, "standard-webhooks webhook failed": 1,
	}, b.counts())
	b.fails = nil
	require.Equal(t, http.StatusAccepted, send("hris", func(r *http.Request) { r.Header.Set("Content-Encoding", "identity") }).status)
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
