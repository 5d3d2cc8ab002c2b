package connectors

import (
	"errors"
	"fmt"

	"sendoff/schema"
)

// Abilities that every Prober lists first. What else there is depends on both.
const (
	AbilitySignIn   = "sign_in"  // the token host hands out a token
	AbilityIdentity = "identity" // the API says who the token acts as
)

// What an Error wraps where its kind and code leave open what happened and the
// vendor's answer does not.
var (
	// ErrIntegrationRemoved: the vendor knows the token, and its customer has
	// switched the application off.
	ErrIntegrationRemoved = errors.New("the application is switched off at the vendor")
	// ErrActorInactive: who the call acts as is deactivated.
	ErrActorInactive = errors.New("who the call acts as is deactivated")
	// ErrScopeMissing: the token lacks the scope; a plain code says so too
	// (insufficient_scope, RFC 6750 section 3.1).
	ErrScopeMissing = errors.New("the token lacks the scope")
	// ErrNotInPlan: the right is there and the vendor's plan does not serve it.
	ErrNotInPlan = errors.New("the vendor's plan does not serve this")
	// ErrNotTheAPI: what answers is not the vendor's API, such as a page for people.
	ErrNotTheAPI = errors.New("what answers is not the vendor's API")
	// ErrNothingToProbe: the vendor has nothing that a probe could be made with.
	ErrNothingToProbe = errors.New("there is nothing to probe with")
	// ErrAssertionTime: the token host finds the times of a signed assertion wrong.
	ErrAssertionTime = errors.New("the times of the signed assertion are refused")
	// ErrTokenExpired: the refresh token was not used in time.
	ErrTokenExpired = fmt.Errorf("%w: it has run out", ErrGrantRefused)
)

// ScopeLister is a Factory that says what its connections want before there is
// one.
type ScopeLister interface {
	// Abilities lists what a connection wants, required ones first: one that may
	// write wants more.
	Abilities(readOnly bool) []schema.Ability
}

// Refusal is an answer of the vendor that has several possible causes.
type Refusal struct {
	Ability  schema.Ability
	Err      *Error
	Identity Identity // as far as it is known
	// Worked tells that the connection once did what is refused now.
	Worked bool
}

// CauseLister is a Prober that knows what its vendor's refusals may mean.
type CauseLister interface {
	// Causes lists them, likeliest first, with what to look at for each.
	Causes(r Refusal) []schema.Candidate
}
