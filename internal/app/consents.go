package app

import (
	"context"
	"errors"

	"sendoff/connectors"
	"sendoff/internal/web"
	"sendoff/schema"
)

// consent is a vendor's sign-in in the browser.
func (o *openers) consent(vendor string) (connectors.Consent, error) {
	f, err := o.factory(vendor)
	if err != nil {
		return nil, err
	}
	consent, ok := f.(connectors.Consent)
	if !ok {
		return nil, &schema.Error{
			Code: schema.CodeInvalid, Message: "vendor " + vendor + " has no sign-in in the browser", Fix: "connect with the application's credentials",
		}
	}
	return consent, nil
}

// AuthorizeURL is where a person consents.
func (o *openers) AuthorizeURL(vendor, base, clientID, redirectURL, state string, scopes []string) (string, error) {
	consent, err := o.consent(vendor)
	if err != nil {
		return "", err
	}
	if o.cfg.LoopbackOnly && !loopbackURL(base) {
		return "", notOnLoopback("the authorize URL")
	}
	return consent.AuthorizeURL(base, clientID, redirectURL, state, scopes)
}

// ExchangeCode trades an authorization code for a grant.
func (o *openers) ExchangeCode(ctx context.Context, c schema.Connection, secret, redirectURL, code string) (schema.Grant, error) {
	consent, err := o.consent(c.Vendor)
	if err != nil {
		return schema.Grant{}, err
	}
	if o.cfg.LoopbackOnly && !loopbackURL(c.TokenURL) {
		return schema.Grant{}, notOnLoopback("the token URL")
	}
	g, err := consent.Exchange(ctx, connectors.CodeExchange{
		TokenURL: c.TokenURL, ClientID: c.ClientID, ClientSecret: secret, RedirectURL: redirectURL, Code: code,
	})
	var refused *connectors.Error
	if errors.As(err, &refused) && refused.Kind == connectors.Unauthorized {
		return schema.Grant{}, &schema.Error{
			Code: schema.CodeVendor, Message: "the vendor did not accept the consent's code: " + refused.Detail,
			Fix: "check client id, client secret and redirect URL against the vendor's console, then begin the sign-in again: a code is good for seconds",
		}
	}
	if err != nil {
		return schema.Grant{}, checkError(c, err)
	}
	if g.RefreshToken == "" {
		return schema.Grant{}, &schema.Error{
			Code: schema.CodeVendor, Message: "the vendor gave no refresh token, so that the consent would end within the hour",
			Fix: "let the application have refresh tokens, then begin the sign-in again",
		}
	}
	return g, nil
}

// CheckGrant asks the vendor whom a grant that is not stored yet acts as.
func (o *openers) CheckGrant(ctx context.Context, c schema.Connection, secret string, g schema.Grant) (web.ConnectionCheck, error) {
	connector, err := o.build(connectors.Config{Connection: c, Secret: secret, Limiter: unlimited{}, Grants: unstored{g}})
	if err != nil {
		return web.ConnectionCheck{}, err
	}
	defer connector.Close()
	return checkConnector(ctx, c, connector)
}

// RevokeGrant ends a grant that is not stored.
func (o *openers) RevokeGrant(ctx context.Context, c schema.Connection, secret string, g schema.Grant) error {
	connector, err := o.build(connectors.Config{Connection: c, Secret: secret, Limiter: unlimited{}, Grants: unstored{g}})
	if err != nil {
		return err
	}
	defer connector.Close()
	_, err = revoke(ctx, connector)
	return err
}

// RevokeConnection ends the tokens of a stored connection. It is the one call that
// a disabled connection makes: whoever removes it asks for it.
func (o *openers) RevokeConnection(ctx context.Context, c schema.Connection) (schema.Revocation, error) {
	// The connector that this process uses holds the token that is to end, if the
	// connection keeps none in the store.
	o.mu.Lock()
	have, isOpen := o.open[c.ID]
	o.mu.Unlock()
	if isOpen && c.AuthKind != schema.AuthCode {
		r, err := revoke(ctx, have.connector)
		if err == nil {
			o.forget(c.ID)
		}
		return r, err
	}
	stored, secret, err := o.cfg.Secrets.ConnectionSecret(ctx, c.ID)
	if err != nil {
		return schema.Revocation{}, err
	}
	connector, err := o.build(connectors.Config{Connection: stored, Secret: secret, Limiter: unlimited{}})
	if err != nil {
		return schema.Revocation{}, err
	}
	defer connector.Close()
	r, err := revoke(ctx, connector)
	if err == nil {
		o.forget(c.ID)
	}
	return r, err
}

// forget drops the connector of a connection that is to be removed, and the
// secrets it holds. Calls still using it are refused anyhow.
func (o *openers) forget(id schema.ConnectionID) {
	o.mu.Lock()
	have, ok := o.open[id]
	delete(o.open, id)
	o.mu.Unlock()
	if ok {
		have.connector.Close()
	}
}

// What the vendor cannot end: whoever has the application's secret can sign in
// again until it is removed there.
const secretStays = "the application and its secret stay valid at the vendor until they are removed in its console; a token that another process fetched ends by itself"

func revoke(ctx context.Context, c connectors.Connector) (schema.Revocation, error) {
	revoker, ok := c.(connectors.Revoker)
	if !ok {
		return schema.Revocation{Why: "the vendor has no way to revoke tokens"}, nil
	}
	proven, err := revoker.Revoke(connectors.WithPriority(ctx, connectors.PriorityPreflight))
	var failed *connectors.Error
	switch {
	case errors.As(err, &failed):
		return schema.Revocation{Why: failed.Error()}, &schema.Error{
			Code: schema.CodeVendor, Message: "the revocation failed: " + failed.Error(), Fix: "see the code at the vendor",
		}
	case err != nil:
		return schema.Revocation{}, err
	case !proven:
		why := "the vendor accepted the revocation, and that the token is refused since could not be shown"
		return schema.Revocation{Revoked: true, Why: why}, &schema.Error{Code: schema.CodeVendor, Message: why, Fix: "remove the application's access in the vendor's console"}
	}
	return schema.Revocation{Revoked: true, Proven: true, Why: secretStays}, nil
}

// unstored is the grant of a sign-in under way, which nobody else knows: it is
// never refreshed.
type unstored struct{ grant schema.Grant }

// LoadGrant implements connectors.GrantStore.
func (u unstored) LoadGrant(context.Context, schema.ConnectionID) (schema.Grant, error) {
	return u.grant, nil
}

// ClaimRefresh implements connectors.GrantStore; a claim stands for a revocation.
func (u unstored) ClaimRefresh(context.Context, schema.ConnectionID, int64) (claimed, crashed bool, err error) {
	return true, false, nil
}

// StoreGrant implements connectors.GrantStore.
func (unstored) StoreGrant(context.Context, schema.ConnectionID, schema.Grant) error {
	return &schema.Error{Code: schema.CodeConflict, Message: "the grant of a sign-in under way is not refreshed"}
}

// ReleaseRefresh implements connectors.GrantStore.
func (unstored) ReleaseRefresh(context.Context, schema.ConnectionID, int64, schema.GrantLoss) error {
	return nil
}
