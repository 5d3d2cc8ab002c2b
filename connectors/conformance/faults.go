package conformance

import (
	"net/http"
	"strings"
	"time"

	"sendoff/connectors"
	"sendoff/schema"
)

// canaryText names a person, as vendors' refusals do. Nothing of it may be in an
// error.
const canaryText = canaryLogin + " (Canary X7Q) may not do this"

// fault is one way for a call to go wrong, in nobody's terms but HTTP's.
type fault struct {
	name  string
	serve func(*exchange)
	// kinds are what the error may be. With accepted, the status was a 2xx: what
	// reads must fail, what writes may have been done.
	kinds    []connectors.Kind
	accepted bool
	// after is the least that RetryAfter must say, and a second more the most;
	// 0 = nothing.
	after time.Duration
	// fresh marks the refusal of a token, after which the call may be made once
	// more.
	fresh bool
	// lost marks a connection that ended without an answer, where net/http may
	// repeat a GET.
	lost bool
	// outcomes are what a transfer that meets it may be.
	outcomes []schema.OutcomeClass
}

const (
	retryWait  = 7 * time.Second
	retryUntil = time.Hour
)

// faults lists every way for a call to go wrong.
func faults() []fault {
	return append(refusals(), breakages()...)
}

// refusals are whole answers that say no.
func refusals() []fault {
	told := func(status int) func(*exchange) {
		return func(x *exchange) { x.refuse(status); x.answer() }
	}
	bare := func(status int) func(*exchange) {
		return func(x *exchange) { x.status, x.body = status, nil; x.answer() }
	}
	gateway := func(status int) func(*exchange) {
		return func(x *exchange) { x.page(status); x.answer() }
	}
	waits := func(status int, wait func() string) func(*exchange) {
		return func(x *exchange) {
			x.refuse(status)
			x.rw.Header().Set("Retry-After", wait())
			x.answer()
		}
	}
	seconds := func() string { return "7" }
	date := func() string { return time.Now().Add(retryUntil).UTC().Format(http.TimeFormat) }
	kinds := func(k ...connectors.Kind) []connectors.Kind { return k }
	is := func(c ...schema.OutcomeClass) []schema.OutcomeClass { return c }
	// What does not come in the vendor's envelope may come from something between:
	// a connector that can tell calls it unavailable.
	return []fault{
		{name: "unauthorized_empty", serve: bare(401), kinds: kinds(connectors.Unauthorized), fresh: true, outcomes: is(schema.OutcomeUnauthorized)},
		{name: "unauthorized_told", serve: told(401), kinds: kinds(connectors.Unauthorized), outcomes: is(schema.OutcomeRefused, schema.OutcomeUnauthorized)},
		{name: "forbidden", serve: told(403), kinds: kinds(connectors.Forbidden), outcomes: is(schema.OutcomeRefused)},
		{name: "forbidden_by_gateway", serve: gateway(403), kinds: kinds(connectors.Forbidden, connectors.Unavailable), outcomes: is(schema.OutcomeUnknown)},
		{name: "not_found", serve: told(404), kinds: kinds(connectors.NotFound), outcomes: is(schema.OutcomeRefused)},
		// A 404 that is not the vendor's own proves nobody's absence: Unavailable is the better answer.
		{name: "not_found_empty", serve: bare(404), kinds: []connectors.Kind{connectors.NotFound, connectors.Unavailable}, outcomes: is(schema.OutcomeUnknown)},
		{name: "bad_request", serve: told(400), kinds: kinds(connectors.Invalid), outcomes: is(schema.OutcomeRefused)},
		{name: "conflict", serve: told(409), kinds: kinds(connectors.Conflict), outcomes: is(schema.OutcomeBusy)},
		{name: "rate_limited", serve: waits(429, seconds), kinds: kinds(connectors.RateLimited), after: retryWait, outcomes: is(schema.OutcomeRateLimited)},
		{name: "rate_limited_until", serve: waits(429, date), kinds: kinds(connectors.RateLimited), after: retryUntil - time.Minute, outcomes: is(schema.OutcomeRateLimited)},
		{name: "internal_error", serve: told(500), kinds: kinds(connectors.Unavailable), outcomes: is(schema.OutcomeUnknown)},
		{name: "bad_gateway", serve: gateway(502), kinds: kinds(connectors.Unavailable), outcomes: is(schema.OutcomeUnknown)},
		{name: "unavailable_wait", serve: waits(503, seconds), kinds: kinds(connectors.Unavailable), after: retryWait, outcomes: is(schema.OutcomeUnknown)},
		{name: "unavailable_applied", serve: func(x *exchange) { x.effect(); x.refuse(503); x.answer() }, kinds: kinds(connectors.Unavailable), outcomes: is(schema.OutcomeUnknown)},
		{name: "gateway_timeout", serve: gateway(504), kinds: kinds(connectors.Unavailable), outcomes: is(schema.OutcomeUnknown)},
		{name: "redirect_302", serve: redirect(302), kinds: kinds(connectors.Malformed), outcomes: is(schema.OutcomeUnknown)},
		{name: "redirect_307", serve: redirect(307), kinds: kinds(connectors.Malformed), outcomes: is(schema.OutcomeUnknown)},
		{name: "redirect_308", serve: redirect(308), kinds: kinds(connectors.Malformed), outcomes: is(schema.OutcomeUnknown)},
	}
}

func redirect(status int) func(*exchange) {
	return func(x *exchange) {
		x.rw.Header().Set("Location", trap)
		x.status = status
		x.answer()
	}
}

// breakages are answers that are none, or none that can be understood.
func breakages() []fault {
	broken := []connectors.Kind{connectors.Unavailable, connectors.Malformed}
	senseless := []connectors.Kind{connectors.Malformed}
	gone := []connectors.Kind{connectors.Unavailable}
	settles := []schema.OutcomeClass{schema.OutcomeAccepted, schema.OutcomeUnknown}
	unknown := []schema.OutcomeClass{schema.OutcomeUnknown}
	return []fault{
		{name: "reset_before", serve: func(*exchange) { drop() }, kinds: gone, lost: true, outcomes: unknown},
		{name: "reset_after", serve: func(x *exchange) { x.effect(); drop() }, kinds: gone, lost: true, outcomes: unknown},
		{name: "truncated", serve: func(x *exchange) { x.effect(); x.cut() }, kinds: broken, accepted: true, outcomes: settles},
		{name: "wrong_types", serve: func(x *exchange) { x.effect(); x.mistype(); x.answer() }, kinds: senseless, accepted: true, outcomes: settles},
		{name: "html_200", serve: func(x *exchange) { x.page(200); x.answer() }, kinds: senseless, accepted: true, outcomes: settles},
		{name: "empty_200", serve: func(x *exchange) { x.status, x.body = 200, nil; x.answer() }, kinds: senseless, accepted: true, outcomes: settles},
		{name: "endless_200", serve: endless, kinds: broken, accepted: true, outcomes: settles},
	}
}

// endless answers with more than anybody should read into memory.
func endless(x *exchange) {
	x.rw.WriteHeader(http.StatusOK)
	chunk := []byte(strings.Repeat(" ", 1<<20))
	for range 64 {
		if _, err := x.rw.Write(chunk); err != nil {
			return
		}
	}
}

// hangs is a call that is never answered.
func hangs() fault { return fault{name: "hang", serve: (*exchange).hang} }
