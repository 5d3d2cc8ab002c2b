package box

import (
	"context"
	"net/url"

	"sendoff/connectors"
	"sendoff/connectors/httpx"
	"sendoff/schema"
)

// credentials makes what a connection proves itself with, by signed assertion
// or by client secret; a consent says itself who its subject is. Else the subject is the user the connection names, or the
// enterprise, whose service account then acts
// (https://developer.box.com/guides/authentication/client-credentials/). A key
// is opened here, once. It returns every fault.
func credentials(conn schema.Connection, secret string) (httpx.Credentials, []schema.Problem) {
	if conn.AuthKind == schema.AuthCode {
		return httpx.Credentials{ClientID: conn.ClientID, ClientSecret: secret}, nil
	}
	if conn.AuthKind.OrDefault() != schema.AuthJWT {
		subject := url.Values{"box_subject_type": {"enterprise"}, "box_subject_id": {conn.EnterpriseID}}
		if conn.AsUser != "" {
			subject = url.Values{"box_subject_type": {"user"}, "box_subject_id": {string(conn.AsUser)}}
		}
		return httpx.Credentials{ClientID: conn.ClientID, ClientSecret: secret, Params: subject}, nil
	}
	key, problems := readAppKey(secret)
	if len(problems) > 0 {
		return httpx.Credentials{}, problems
	}
	if string(key.EnterpriseID) != conn.EnterpriseID {
		return httpx.Credentials{}, []schema.Problem{{
			Where: "config-file:enterpriseID", Code: string(schema.EnterpriseMismatch), Message: "the file is of another enterprise than the connection",
			Fix: "take the file of an application in the connection's enterprise",
		}}
	}
	return httpx.Credentials{
		ClientID: string(key.AppSettings.ClientID), ClientSecret: string(key.AppSettings.ClientSecret),
		Assert: newSigner(key, conn.AsUser).sign,
	}, nil
}

// renewal finds the credentials that were stored since the present ones were
// read. URLs, enterprise and subject never change in the life of a connection.
func renewal(cfg connectors.Config) func(context.Context) (httpx.Credentials, bool, error) {
	if cfg.Renew == nil {
		return nil
	}
	version := cfg.Connection.Version
	return func(ctx context.Context) (httpx.Credentials, bool, error) {
		conn, secret, err := cfg.Renew(ctx)
		if err != nil {
			return httpx.Credentials{}, false, err
		}
		if conn.Version == version || conn.State != schema.ConnectionEnabled {
			return httpx.Credentials{}, false, nil
		}
		creds, problems := credentials(conn, secret)
		if len(problems) > 0 {
			return httpx.Credentials{}, false, nil
		}
		version = conn.Version
		return creds, true, nil
	}
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
