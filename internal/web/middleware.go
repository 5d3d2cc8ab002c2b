package web

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"

	"sendoff/schema"
)

// maxTokenLength bounds what is hashed for a caller who has not proven anything.
const maxTokenLength = 256

// exchange is what one request is known by, for the log.
type exchange struct {
	principal schema.Principal
	route     string
	err       error
	trace     trace.SpanContext
}

type exchangeKey struct{}

func exchangeOf(ctx context.Context) *exchange {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return x
	}
	return &exchange{}
}

// statusWriter remembers the status that was written.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// observe logs each request by its route's pattern, never by its path, query or
// body: those hold addresses. A panic becomes a problem and a log entry.
func (s *server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began, id, x := time.Now(), uuid.NewString(), &exchange{}
		ctx, end := s.watch.BeginRequest(r)
		x.trace = trace.SpanContextFromContext(ctx)
		sw := &statusWriter{ResponseWriter: w}
		sw.Header().Set("X-Request-Id", id)
		defer func() {
			failure := recover()
			if failure != nil && sw.status == 0 && failure != http.ErrAbortHandler { //nolint:errorlint // a sentinel passed to panic
				writeProblem(sw, errors.New("panic"))
			}
			s.logExchange(r.Method, id, x, sw.status, time.Since(began), failure)
			end(x.route, sw.status)
			if failure == http.ErrAbortHandler { //nolint:errorlint // as above
				panic(failure)
			}
		}()
		next.ServeHTTP(sw, r.WithContext(context.WithValue(ctx, exchangeKey{}, x)))
	})
}

func (s *server) logExchange(method, id string, x *exchange, status int, took time.Duration, failure any) {
	fields := []zap.Field{
		zap.String("request_id", id), zap.String("method", method), zap.String("route", x.route),
		zap.Int("status", status), zap.Duration("took", took), zap.String("token_id", string(x.principal.TokenID)),
	}
	if x.trace.IsValid() {
		fields = append(fields, zap.String("trace_id", x.trace.TraceID().String()))
	}
	switch {
	case failure != nil && failure != http.ErrAbortHandler: //nolint:errorlint // as above
		s.log.Error("request panicked", append(fields, zap.Stack("stack"))...)
	case status >= http.StatusInternalServerError:
		s.log.Error("request failed", append(fields, zap.String("error", scrub(x.err)))...)
	case x.route == "GET /healthz" || x.route == "GET /readyz" || x.route == "GET /metrics":
	default:
		s.log.Info("request", fields...)
	}
}

// personal is what must not reach a log although an error of a library may
// quote it: addresses, tokens and secrets.
var personal = regexp.MustCompile(`[^\s"'<>()=,;]+@[^\s"'<>()=,;]+|` + tokenPrefix + `[A-Za-z0-9_-]+|` + whsec + `[A-Za-z0-9+/=]+`)

func scrub(err error) string {
	if err == nil {
		return ""
	}
	return personal.ReplaceAllString(err.Error(), "[removed]")
}

// harden sets the headers of an API that no page may frame, sniff or cache.
func harden(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		if r.TLS != nil {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if strings.ContainsRune(r.URL.Path, 0) || !utf8.ValidString(r.URL.Path) || strings.Contains(r.URL.RawQuery, "%00") {
			writeProblem(w, oneFault("url", "encoding", "the path or query is not text", "escape it as UTF-8 without NUL"))
			return
		}
		most := int64(maxBody)
		if r.URL.Path == rosterPath || r.URL.Path == importPath {
			most = maxRosterBody
		}
		r.Body = http.MaxBytesReader(w, r.Body, most+1)
		next.ServeHTTP(w, r)
	})
}

// public tells which paths need no token: they say nothing about anybody, or, as
// the callback, SCIM, webhooks and links of questions, ask for a secret of their own.
func public(path string) bool {
	switch path {
	case "/healthz", "/readyz", "/openapi.json", "/openapi.yaml", callbackPath:
		return true
	}
	return strings.HasPrefix(path, scimPrefix) || strings.HasPrefix(path, hooksPrefix) || strings.HasPrefix(path, answerPrefix)
}

// authenticate finds the principal of a request or ends it. Whatever was sent is
// hashed and looked up, so that the time taken says nothing about its form.
func (s *server) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if public(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > maxTokenLength {
			deny(w, errNoToken())
			return
		}
		principal, err := s.store.Authenticate(r.Context(), HashToken(strings.TrimSpace(token)))
		if err != nil {
			exchangeOf(r.Context()).err = err
			deny(w, err)
			return
		}
		exchangeOf(r.Context()).principal = principal
		next.ServeHTTP(w, r)
	})
}

func deny(w http.ResponseWriter, err error) {
	if schema.CodeOf(err) == schema.CodeUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="sendoff"`)
	}
	writeProblem(w, err)
}

func errNoToken() error {
	return &schema.Error{
		Code: schema.CodeUnauthorized, Message: "this needs an API token",
		Fix: "send the header \"Authorization: Bearer sendoff_...\"; an admin makes tokens with: sendoff tokens create",
	}
}
