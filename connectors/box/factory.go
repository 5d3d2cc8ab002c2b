package box

import (
	"strings"
	"time"

	"sendoff/connectors"
	"sendoff/connectors/httpx"
	"sendoff/schema"
)

// Factory opens connections to Box.
type Factory struct{}

var (
	_ connectors.Factory          = Factory{}
	_ connectors.ConfigFileReader = Factory{}
)

// Manifest implements connectors.Factory. The scopes are those of
// https://developer.box.com/guides/api-calls/permissions-and-errors/scopes/.
func (Factory) Manifest() connectors.Manifest {
	return connectors.Manifest{
		Vendor: "box", Title: "Box",
		Scopes: []string{"root_readwrite", "manage_managed_users", "manage_groups"},
		Docs:   "docs/box.md",
	}
}

// Open implements connectors.Factory. Its error is a *schema.Error with every
// problem.
func (Factory) Open(cfg connectors.Config) (connectors.Connector, error) {
	problems := check(cfg)
	var creds httpx.Credentials
	if cfg.Secret != "" {
		var faults []schema.Problem
		creds, faults = credentials(cfg.Connection, cfg.Secret)
		problems = append(problems, faults...)
	}
	if len(problems) > 0 {
		return nil, &schema.Error{
			Code: schema.CodeInvalid, Message: "the Box connection is not configured correctly",
			Problems: problems, Fix: "correct what is named and connect again",
		}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	tokens, err := newTokens(cfg, creds)
	if err != nil {
		return nil, err
	}
	hc, err := httpx.New(httpx.Options{
		BaseURL: cfg.Connection.BaseURL, Connection: cfg.Connection.ID, ReadOnly: cfg.Connection.ReadOnly,
		TokenUser: cfg.Connection.AsUser, Tokens: tokens, Limiter: cfg.Limiter, Guard: cfg.Guard,
		Observer: cfg.Observer, Now: cfg.Now, Explain: explain,
	})
	if err != nil {
		tokens.Close()
		return nil, err
	}
	return &Connector{
		client: &client{http: hc}, tokens: tokens, conn: cfg.Connection, now: cfg.Now,
		guard: cfg.Guard, observer: cfg.Observer, creds: creds,
	}, nil
}

// checkSignIn finds the faults of how a connection signs in.
func checkSignIn(cfg connectors.Config, problem func(where, message, fix string)) {
	switch kind := cfg.Connection.AuthKind.OrDefault(); {
	case kind != schema.AuthClientCredentials && kind != schema.AuthJWT && kind != schema.AuthCode:
		problem("auth-kind", "Box has no sign-in of this kind", "use "+string(schema.AuthClientCredentials)+", "+string(schema.AuthJWT)+" or "+string(schema.AuthCode))
	case kind == schema.AuthCode && cfg.Grants == nil:
		problem("", "the connector was given no store of grants", "this is a fault of sendoff: report it")
	case cfg.Secret == "" && kind == schema.AuthJWT:
		problem("config-file", "the configuration file is empty", "take the file that Box's developer console downloaded")
	case cfg.Secret == "":
		problem("client-secret-file", "the client secret is empty", "write the application's client secret to the file")
	}
}

// check finds every fault of a configuration.
func check(cfg connectors.Config) []schema.Problem {
	var all []schema.Problem
	problem := func(where, message, fix string) {
		all = append(all, schema.Problem{Where: where, Code: "invalid", Message: message, Fix: fix})
	}
	conn := cfg.Connection
	if u, err := httpx.ParseURL(conn.BaseURL); err != nil {
		problem("base-url", err.Error(), "Box's own is https://api.box.com")
	} else if strings.HasSuffix(strings.TrimRight(u.Path, "/"), "/2.0") {
		problem("base-url", "the base URL is the API's root and must not end in /2.0", "leave /2.0 out: https://api.box.com")
	}
	if _, err := httpx.ParseURL(conn.TokenURL); err != nil {
		problem("token-url", err.Error(), "Box's own is https://api.box.com/oauth2/token")
	}
	if conn.ClientID == "" {
		problem("client-id", "the client id is empty", "copy it from the application's configuration in Box's developer console")
	}
	checkSignIn(cfg, problem)
	if conn.EnterpriseID == "" && conn.AuthKind != schema.AuthCode { // which is asked whom the consent is of
		problem("enterprise-id", "the enterprise id is empty", "copy it from Box's admin console, Account & Billing")
	} else if checkIDs("", schema.ExternalID(conn.EnterpriseID)) != nil {
		problem("enterprise-id", "the enterprise id holds characters that no Box id has", "copy it from Box's admin console, Account & Billing")
	}
	if checkIDs("", conn.AsUser) != nil {
		problem("as", "the user id holds characters that no Box id has", "give the numeric user id")
	}
	if cfg.Limiter == nil || cfg.Guard == nil {
		problem("", "the connector was given no rate limiter or no guard", "this is a fault of sendoff: report it")
	}
	return all
}
