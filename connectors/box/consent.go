package box

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"sendoff/connectors"
	"sendoff/connectors/httpx"
	"sendoff/schema"
)

var (
	_ connectors.Consent = Factory{}
	_ connectors.Revoker = (*Connector)(nil)
)

// AuthorizeURL implements connectors.Consent. Box's own base is
// https://account.box.com/api/oauth2/authorize
// (https://developer.box.com/reference/get-authorize/). Without scopes Box grants
// all that the application is configured with. Its error is a *schema.Error.
func (Factory) AuthorizeURL(base, clientID, redirectURL, state string, scopes []string) (string, error) {
	u, err := httpx.ParseURL(base)
	if err != nil {
		return "", &schema.Error{
			Code: schema.CodeInvalid, Message: "the authorize URL is not usable: " + err.Error(),
			Fix: "Box's own is https://account.box.com/api/oauth2/authorize",
		}
	}
	query := url.Values{
		"response_type": {"code"}, "client_id": {clientID}, "redirect_uri": {redirectURL}, "state": {state},
	}
	if len(scopes) > 0 {
		query.Set("scope", strings.Join(scopes, " "))
	}
	u.RawQuery = query.Encode()
	return u.String(), nil
}

// Exchange implements connectors.Consent. Box's codes are good for 30 seconds.
func (Factory) Exchange(ctx context.Context, x connectors.CodeExchange) (connectors.Grant, error) {
	return httpx.ExchangeCode(ctx, "box.exchange_code", x, time.Now)
}

const opRevoke = "box.revoke"

// Revoke implements connectors.Revoker: POST /oauth2/revoke at the token host,
// where either token ends its pair (https://developer.box.com/reference/post-oauth2-revoke/).
// Box answers 200 for whatever it is sent, so that the proof is a read which
// succeeds with the token before and is refused after. It is no write of the
// API: read-only connections revoke too (docs/adr/0005).
func (c *Connector) Revoke(ctx context.Context) (proven bool, err error) {
	target, err := revokeURL(c.conn.TokenURL)
	if err != nil {
		return false, err
	}
	token, release, err := c.seize(ctx)
	if errors.Is(err, connectors.ErrGrantRefused) {
		return true, nil // the vendor's refusal is the failing call
	}
	if err != nil {
		return false, err
	}
	ended := false
	defer func() { release(ended) }()
	reader, err := c.reader(httpx.FixedToken(token))
	if err != nil {
		return false, err
	}
	defer reader.http.Close()
	_, before := reader.me(ctx)
	if err := httpx.RevokeToken(ctx, opRevoke, target, c.creds, token, c.now); err != nil {
		return false, err
	}
	ended = true
	c.tokens.Drop(token)
	_, after := reader.me(ctx)
	return before == nil && connectors.KindOf(after) == connectors.Unauthorized, nil
}

// seize returns the token to end. While a grant is ended nobody may refresh it: its
// successor would live on.
func (c *Connector) seize(ctx context.Context) (string, func(ended bool), error) {
	if shared, ok := c.tokens.(*httpx.GrantSource); ok {
		return shared.Seize(ctx)
	}
	token, err := c.tokens.Token(ctx)
	return token, func(bool) {}, err
}

// unlimited lets the two reads of a revocation through: a connection that is
// closed for its removal is granted no rate.
type unlimited struct{}

func (unlimited) Wait(context.Context, schema.ConnectionID, schema.ExternalID, connectors.Priority) error {
	return nil
}

// reader calls Box with one token alone.
func (c *Connector) reader(token httpx.FixedToken) (*client, error) {
	fixed, err := httpx.New(httpx.Options{
		BaseURL: c.conn.BaseURL, Connection: c.conn.ID, ReadOnly: true, TokenUser: c.conn.AsUser, Tokens: token,
		Limiter: unlimited{}, Guard: c.guard, Observer: c.observer, Now: c.now, Explain: explain,
	})
	return &client{http: fixed}, err
}

// revokeURL is beside the token URL.
func revokeURL(tokenURL string) (string, error) {
	base, found := strings.CutSuffix(tokenURL, "/token")
	if !found {
		return "", &connectors.Error{
			Kind: connectors.Unsupported, Op: opRevoke,
			Detail: "the token URL does not end in /token, so that nobody knows where tokens are revoked; nothing was sent",
		}
	}
	return base + "/revoke", nil
}
