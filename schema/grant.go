package schema

import "time"

// Grant is what an authorization code was traded for. A refresh token is good
// for one use, whose answer holds its successor (RFC 6749 section 6; Box's ends
// after 60 days without one,
// https://developer.box.com/guides/authentication/tokens/refresh/).
type Grant struct {
	AccessToken  string
	RefreshToken string
	ExpiresAt    time.Time // of the access token
	RenewAt      time.Time // when a successor of the access token is due
	// Generation is raised with each successor.
	Generation int64
	// Unanswered tells that the refresh token may have been used: whoever sent it
	// never stored an answer.
	Unanswered bool
	// Lost is why no refresh can bring the grant back; empty = it is not lost.
	Lost GrantLoss
}

// GrantLoss is why a grant is of no use any more.
type GrantLoss string

// The ways to lose a grant.
const (
	GrantExpired    GrantLoss = "expired"    // the refresh token was not used in time
	GrantRevoked    GrantLoss = "revoked"    // by the vendor, the person or us, or the application was removed
	GrantUnanswered GrantLoss = "unanswered" // used by a refresh whose answer was never stored
)

// PendingConsent is a sign-in in the browser that has begun: what is done once
// the vendor sends the person back.
type PendingConsent struct {
	Connection   Connection // to make; with an ID, the one to renew
	ClientSecret string
	RedirectURL  string
	By           Principal // who began it
	ExpiresAt    time.Time
}

// Revocation is what became of a connection's tokens at its removal.
type Revocation struct {
	Revoked bool   `json:"revoked"` // the vendor accepted the request
	Proven  bool   `json:"proven"`  // a token that worked before was refused after
	Why     string `json:"why"`     // why not, or what stays valid; a text of ours
}
