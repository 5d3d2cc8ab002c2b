package connectors

import "errors"

// What is wrong with a grant that no refresh can bring back, in the chain of the
// Unauthorized error of whoever asks for a token.
var (
	// ErrGrantRefused: the vendor refused a refresh token that nobody had used.
	ErrGrantRefused = errors.New("the refresh token was refused")
	// ErrGrantLost: the vendor refused a refresh token that may have been used by a
	// request whose answer was never stored.
	ErrGrantLost = errors.New("the grant was lost by an unanswered refresh")
)
