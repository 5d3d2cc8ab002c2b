package box

import (
	"context"
	"net/url"
	"time"

	"sendoff/connectors/httpx"
	"sendoff/schema"
)

// newTokens returns the source of access tokens. The subject is the user the
// connection names, or the enterprise, whose service account then acts
// (https://developer.box.com/guides/authentication/client-credentials/).
func newTokens(conn schema.Connection, secret string, now func() time.Time) (*httpx.CredentialSource, error) {
	subject := url.Values{"box_subject_type": {"enterprise"}, "box_subject_id": {conn.EnterpriseID}}
	if conn.AsUser != "" {
		subject = url.Values{"box_subject_type": {"user"}, "box_subject_id": {string(conn.AsUser)}}
	}
	return httpx.NewClientCredentials(httpx.ClientCredentials{
		Op: "box.token", TokenURL: conn.TokenURL, ClientID: conn.ClientID, ClientSecret: secret,
		Params: subject, Now: now,
	})
}

// me reads who the token acts as.
func (c *client) me(ctx context.Context) (user, error) {
	var u user
	const op = "box.check"
	if err := c.do(ctx, call{op: op, path: "/users/me", query: fields("id", "role", "login", "status", "enterprise")}, &u); err != nil {
		return user{}, err
	}
	if u.ID == "" {
		return user{}, malformed(op, "the answer names no user")
	}
	return u, nil
}
