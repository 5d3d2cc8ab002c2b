package schema

import "time"

// ConnectionState says whether the engine may use a connection.
type ConnectionState string

// The states of a connection.
const (
	ConnectionEnabled  ConnectionState = "enabled"
	ConnectionDisabled ConnectionState = "disabled"
	ConnectionRemoved  ConnectionState = "removed"
)

// AuthKind is how a connection proves itself to its vendor.
type AuthKind string

// The kinds of sign-in. An empty one means client credentials.
const (
	AuthClientCredentials AuthKind = "client_credentials" // client id and secret
	AuthJWT               AuthKind = "jwt"                // an assertion signed with a private key
	AuthCode              AuthKind = "authorization_code" // a person consented in the browser
)

// OrDefault returns the kind, or client credentials for an empty one.
func (k AuthKind) OrDefault() AuthKind {
	if k == "" {
		return AuthClientCredentials
	}
	return k
}

// Connection is a named, configured instance of a connector. Its secret is not
// part of it: the store hands that out only to the code that opens connectors.
type Connection struct {
	ID           ConnectionID
	Name         string // unique among connections not removed
	Vendor       string // the connector's type, as in connectors/all
	State        ConnectionState
	ReadOnly     bool // nothing but GET and the token request leaves (promise 11)
	BaseURL      string
	TokenURL     string
	AuthKind     AuthKind
	ClientID     string
	EnterpriseID string     // checked against the vendor before every irreversible call
	AsUser       ExternalID // subject of the token; empty = the enterprise's service account
	CreatedAt    time.Time
	UpdatedAt    time.Time
	Version      int64     // raised at each change; open connectors are keyed by it
	Owner        string    // e-mail address of who looks after it; empty = nobody named
	Health       Health    // as the doctor last saw it
	HealthCode   ProbeCode // the first fault it found; empty or OK = none
	HealthAt     time.Time // zero = not looked at yet
}
