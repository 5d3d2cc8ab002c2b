package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"sync"
	"time"

	"sendoff/connectors"
	"sendoff/internal/web"
	"sendoff/schema"
)

// secretSource hands out the secret of a connection with the connection as it was
// at the same instant.
type secretSource interface {
	ConnectionSecret(ctx context.Context, id schema.ConnectionID) (schema.Connection, string, error)
}

type openerConfig struct {
	Factories    []connectors.Factory
	Secrets      secretSource
	Grants       connectors.GrantStore // of connections that a person consented to; nil = there are none
	Guard        connectors.Guard
	Limiter      connectors.Limiter
	Observer     connectors.Observer // of each request; nil = none
	LoopbackOnly bool                // time is scaled: only simulators may be called
	Now          func() time.Time    // nil = time.Now
}

// openers opens connectors and keeps each until its connection changes. It is
// the port that activities and the API use.
type openers struct {
	cfg openerConfig

	mu   sync.Mutex
	open map[schema.ConnectionID]opened
}

type opened struct {
	version   int64
	connector connectors.Connector
}

func newOpeners(cfg openerConfig) *openers {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &openers{cfg: cfg, open: map[schema.ConnectionID]opened{}}
}

// Open returns the connector of a connection at its present version, which may be
// later than that of c: what is opened is what is stored.
func (o *openers) Open(ctx context.Context, c schema.Connection) (connectors.Connector, error) {
	if err := mustBeEnabled(c); err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if have, ok := o.open[c.ID]; ok && have.version >= c.Version {
		return have.connector, nil
	}
	stored, secret, err := o.cfg.Secrets.ConnectionSecret(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	if err := mustBeEnabled(stored); err != nil {
		return nil, err
	}
	connector, err := o.build(connectors.Config{
		Connection: stored, Secret: secret, Limiter: o.cfg.Limiter,
		Renew: func(ctx context.Context) (schema.Connection, string, error) {
			return o.cfg.Secrets.ConnectionSecret(ctx, c.ID)
		},
	})
	if err != nil {
		return nil, err
	}
	// The one before is left to the calls still using it and closes with them.
	o.open[c.ID] = opened{version: stored.Version, connector: connector}
	return connector, nil
}

func mustBeEnabled(c schema.Connection) error {
	if c.State == schema.ConnectionEnabled {
		return nil
	}
	return &schema.Error{
		Code: schema.CodeClosed, Message: "connection " + c.Name + " is " + string(c.State),
		Fix: "sendoff connections enable " + c.Name,
	}
}

// build opens a connector; the parts that all connectors share are filled in.
func (o *openers) build(cfg connectors.Config) (connectors.Connector, error) {
	c := cfg.Connection
	if o.cfg.LoopbackOnly && (!loopbackURL(c.BaseURL) || !loopbackURL(c.TokenURL)) {
		return nil, notOnLoopback("connection " + c.Name)
	}
	f, err := o.factory(c.Vendor)
	if err != nil {
		return nil, err
	}
	cfg.Guard, cfg.Observer, cfg.Now = o.cfg.Guard, o.cfg.Observer, o.cfg.Now
	if cfg.Grants == nil {
		cfg.Grants = o.cfg.Grants
	}
	return f.Open(cfg)
}

func notOnLoopback(what string) error {
	return &schema.Error{
		Code: schema.CodeInvalid, Message: "SENDOFF_TIME_SCALE is set and " + what + " is not on loopback",
		Fix: "unset SENDOFF_TIME_SCALE: scaled time is for simulators alone",
	}
}

func (o *openers) factory(vendor string) (connectors.Factory, error) {
	i := slices.IndexFunc(o.cfg.Factories, func(f connectors.Factory) bool { return f.Manifest().Vendor == vendor })
	if i < 0 {
		return nil, &schema.Error{
			Code: schema.CodeInvalid, Message: fmt.Sprintf("vendor %q is not known", vendor),
			Fix: fmt.Sprintf("use one of %v", o.Vendors()),
		}
	}
	return o.cfg.Factories[i], nil
}

// ReadConfigFile reads a vendor's own configuration file.
func (o *openers) ReadConfigFile(vendor, text string) (web.ConfigFile, error) {
	f, err := o.factory(vendor)
	if err != nil {
		return web.ConfigFile{}, err
	}
	reader, ok := f.(connectors.ConfigFileReader)
	if !ok {
		return web.ConfigFile{}, &schema.Error{
			Code: schema.CodeInvalid, Message: "vendor " + vendor + " has no configuration file", Fix: "give client id and client secret",
		}
	}
	file, err := reader.ReadConfigFile(text)
	return web.ConfigFile(file), err
}

// checkConnector asks the vendor whom a connector acts as.
func checkConnector(ctx context.Context, c schema.Connection, connector connectors.Connector) (web.ConnectionCheck, error) {
	id, err := connector.Check(connectors.WithPriority(ctx, connectors.PriorityPreflight))
	if err != nil {
		return web.ConnectionCheck{}, checkError(c, err)
	}
	return web.ConnectionCheck{ActsAs: id.ExternalID, Role: id.Role, EnterpriseID: id.EnterpriseID, Service: id.Service}, nil
}

// unlimited lets the few calls of a check through: a connection that is not
// stored yet has no bucket to share.
type unlimited struct{}

func (unlimited) Wait(context.Context, schema.ConnectionID, schema.ExternalID, connectors.Priority) error {
	return nil
}

// checkError says in one sentence what a failed check means and what to do.
func checkError(c schema.Connection, err error) error {
	e := &schema.Error{Code: schema.CodeVendor, Message: "the vendor refused the check: " + err.Error(), Fix: "see the code at the vendor"}
	switch connectors.KindOf(err) {
	case connectors.Unauthorized:
		e.Message = "the vendor does not accept these credentials"
		e.Fix = "check client id and secret or the configuration file, and that the application is authorized for enterprise " + c.EnterpriseID
		var refused *connectors.Error
		if errors.As(err, &refused) && refused.Detail != "" {
			e.Message += ": " + refused.Detail // a fixed text, which tells one cause from another
		}
	case connectors.Forbidden:
		e.Message, e.Fix = "the application may not read users", "grant it the scopes that docs/box.md lists, and authorize it again"
	case connectors.Unavailable:
		e.Code, e.Message, e.Fix = schema.CodeUnavailable, "the vendor does not answer", "check --base-url and --token-url, and the network between"
	case connectors.Malformed, connectors.NotFound:
		e.Message, e.Fix = "what answers is not the vendor's API", "check --base-url: it is the API's root, for example https://api.box.com"
	case "":
		return err
	}
	return e
}

// Vendors lists the connector types there are.
func (o *openers) Vendors() []string {
	names := make([]string, len(o.cfg.Factories))
	for i, f := range o.cfg.Factories {
		names[i] = f.Manifest().Vendor
	}
	return names
}

func (o *openers) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, have := range o.open {
		have.connector.Close()
	}
	clear(o.open)
}

func loopbackURL(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || (ip != nil && ip.IsLoopback())
}
