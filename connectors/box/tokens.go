package box

import (
	"context"

	"sendoff/connectors"
	"sendoff/connectors/httpx"
	"sendoff/schema"
)

const opToken = "box.token"

// tokenSource is a source of access tokens that is closed with its connector.
type tokenSource interface {
	httpx.TokenSource
	Close()
}

// newTokens returns the source of access tokens.
func newTokens(cfg connectors.Config, creds httpx.Credentials) (tokenSource, error) {
	if cfg.Connection.AuthKind == schema.AuthCode {
		return httpx.NewGrantSource(httpx.GrantOptions{
			Op: opToken, TokenURL: cfg.Connection.TokenURL, Connection: cfg.Connection.ID,
			Store: cfg.Grants, Client: presentClient(cfg, creds), Now: cfg.Now,
		})
	}
	return httpx.NewCredentialSource(httpx.CredentialOptions{
		Op: opToken, TokenURL: cfg.Connection.TokenURL, Now: cfg.Now, Credentials: creds, Renew: renewal(cfg),
	})
}

// presentClient reads client id and secret as they are stored now: a renewed
// consent may have come with others than those the connection was opened with.
func presentClient(cfg connectors.Config, opened httpx.Credentials) func(context.Context) (httpx.Credentials, error) {
	return func(ctx context.Context) (httpx.Credentials, error) {
		if cfg.Renew == nil {
			return opened, nil
		}
		conn, secret, err := cfg.Renew(ctx)
		if err != nil {
			return httpx.Credentials{}, err
		}
		if conn.State != schema.ConnectionEnabled {
			return httpx.Credentials{}, &schema.Error{Code: schema.CodeClosed, Message: "connection " + conn.Name + " is " + string(conn.State)}
		}
		return httpx.Credentials{ClientID: conn.ClientID, ClientSecret: secret}, nil
	}
}
