package app

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/schema"
)

// fakeFactory makes connectors whose check answers as told.
type fakeFactory struct {
	vendor string
	id     connectors.Identity
	check  error
	opened []connectors.Config
	closed atomic.Int32
}

func (f *fakeFactory) Manifest() connectors.Manifest { return connectors.Manifest{Vendor: f.vendor} }

func (f *fakeFactory) Open(cfg connectors.Config) (connectors.Connector, error) {
	f.opened = append(f.opened, cfg)
	if cfg.Connection.ClientID == "" {
		return nil, &schema.Error{Code: schema.CodeInvalid, Message: "no client id"}
	}
	return &fakeConnector{f, len(f.opened)}, nil
}

type fakeConnector struct {
	*fakeFactory
	number int
}

func (c *fakeConnector) Check(ctx context.Context) (connectors.Identity, error) {
	if connectors.PriorityOf(ctx) != connectors.PriorityPreflight {
		return connectors.Identity{}, errors.New("a check goes with pre-flight")
	}
	return c.id, c.check
}

func (c *fakeConnector) Close() { c.closed.Add(1) }

// secrets is the store: connections and one secret each.
type secrets struct {
	conns map[schema.ConnectionID]schema.Connection
	texts map[schema.ConnectionID]string
}

func (s *secrets) ConnectionSecret(_ context.Context, id schema.ConnectionID) (schema.Connection, string, error) {
	if text, ok := s.texts[id]; ok {
		return s.conns[id], text, nil
	}
	return schema.Connection{}, "", &schema.Error{Code: schema.CodeNotFound, Message: "no secret"}
}

func (s *secrets) put(c schema.Connection) schema.Connection {
	s.conns[c.ID] = c
	return c
}

func newFake() (*openers, *fakeFactory, schema.Connection) {
	f := &fakeFactory{vendor: "fake", id: connectors.Identity{ExternalID: "1", Role: schema.RoleCoadmin, EnterpriseID: "900", Service: true}}
	s := &secrets{
		conns: map[schema.ConnectionID]schema.Connection{},
		texts: map[schema.ConnectionID]string{"c1": "hunter2", "c2": "hunter3"},
	}
	o := newOpeners(openerConfig{Factories: []connectors.Factory{f, &fakeFactory{vendor: "other"}}, Secrets: s})
	return o, f, s.put(schema.Connection{
		ID: "c1", Name: "main", Vendor: "fake", State: schema.ConnectionEnabled, Version: 1, ClientID: "client", EnterpriseID: "900",
		BaseURL: "https://api.example.com", TokenURL: "https://api.example.com/token",
	})
}

// stored puts a changed connection into the openers' store.
func stored(o *openers, c schema.Connection) schema.Connection {
	s, _ := o.cfg.Secrets.(*secrets)
	return s.put(c)
}

func code(t *testing.T, want schema.Code, err error) *schema.Error {
	t.Helper()
	var e *schema.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, want, e.Code, e.Error())
	return e
}

func TestOpenersKeepConnectors(t *testing.T) {
	t.Parallel()
	o, f, c := newFake()
	open := func(c schema.Connection) connectors.Connector {
		got, err := o.Open(t.Context(), c)
		require.NoError(t, err)
		return got
	}
	first := open(c)
	require.Same(t, first, open(c), "one version, one connector")
	require.Len(t, f.opened, 1)
	require.Equal(t, "hunter2", f.opened[0].Secret)

	other := c
	other.ID = "c2"
	stored(o, other)
	require.NotSame(t, first, open(other))
	require.Equal(t, "hunter3", f.opened[1].Secret)

	before := c
	c.Version = 2
	stored(o, c)
	second := open(c)
	require.Same(t, second, open(before), "who read the row before gets the present one too")
	require.NotSame(t, first, second, "a changed connection is opened anew")
	require.Same(t, second, open(c))
	require.Len(t, f.opened, 3)
	require.Zero(t, f.closed.Load(), "calls may still use the one before")

	o.close()
	require.EqualValues(t, 2, f.closed.Load())
	open(c)
	require.Len(t, f.opened, 4)
}

func TestOpenersRefuse(t *testing.T) {
	t.Parallel()
	for name, cse := range map[string]struct {
		change func(c *schema.Connection)
		want   schema.Code
		fix    string
	}{
		"a disabled connection":  {func(c *schema.Connection) { c.State = schema.ConnectionDisabled }, schema.CodeClosed, "sendoff connections enable main"},
		"a removed connection":   {func(c *schema.Connection) { c.State = schema.ConnectionRemoved }, schema.CodeClosed, ""},
		"an unknown vendor":      {func(c *schema.Connection) { c.Vendor = "fox" }, schema.CodeInvalid, "use one of [fake other]"},
		"no secret":              {func(c *schema.Connection) { c.ID = "c3" }, schema.CodeNotFound, ""},
		"a faulty configuration": {func(c *schema.Connection) { c.ClientID = "" }, schema.CodeInvalid, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, _, c := newFake()
			cse.change(&c)
			stored(o, c)
			_, err := o.Open(t.Context(), c)
			require.Contains(t, code(t, cse.want, err).Fix, cse.fix)
		})
	}
}

// TestOpenersScaledTime: with scaled time only simulators on loopback are
// called, by either URL.
func TestOpenersScaledTime(t *testing.T) {
	t.Parallel()
	for name, cse := range map[string]struct {
		base, token string
		ok          bool
	}{
		"both on loopback":          {"http://127.0.0.1:8000", "http://localhost:8000/token", true},
		"IPv6 loopback":             {"http://[::1]:8000", "http://[::1]:8000/token", true},
		"the vendor":                {"https://api.example.com", "http://127.0.0.1/token", false},
		"the vendor's token server": {"http://127.0.0.1", "https://api.example.com/token", false},
		"a name that looks alike":   {"http://localhost.example.com", "http://127.0.0.1/token", false},
		"a user that looks alike":   {"http://127.0.0.1@api.example.com", "http://127.0.0.1/token", false},
		"no URL":                    {"", "", false},
		"not a URL":                 {"http://[", "http://127.0.0.1/token", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, f, c := newFake()
			o.cfg.LoopbackOnly = true
			c.BaseURL, c.TokenURL = cse.base, cse.token
			stored(o, c)
			_, openErr := o.Open(t.Context(), c)
			_, checkErr := o.Diagnose(t.Context(), c, "hunter2")
			if cse.ok {
				require.NoError(t, openErr)
				require.NoError(t, checkErr)
				return
			}
			for _, err := range []error{openErr, checkErr} {
				require.Contains(t, code(t, schema.CodeInvalid, err).Fix, "SENDOFF_TIME_SCALE")
			}
			require.Empty(t, f.opened)
		})
	}
}

func TestDiagnose(t *testing.T) {
	t.Parallel()

	t.Run("with the secret given, or the stored one", func(t *testing.T) {
		t.Parallel()
		o, f, c := newFake()
		got, err := o.Diagnose(t.Context(), c, "fresh")
		require.NoError(t, err)
		require.Equal(t, schema.HealthActive, got.Health)
		require.Equal(t, schema.DiagnosedIdentity{ExternalID: "1", Role: schema.RoleCoadmin, EnterpriseID: "900", Service: true}, got.Identity)
		_, err = o.Diagnose(t.Context(), c, "")
		require.NoError(t, err)
		require.Equal(t, "fresh", f.opened[0].Secret)
		require.Equal(t, "hunter2", f.opened[1].Secret)
		require.EqualValues(t, 2, f.closed.Load(), "the doctor's connectors are his own")
		require.NoError(t, f.opened[0].Limiter.Wait(t.Context(), "", "", connectors.PrioritySync), "it has no bucket to share yet")

		c.State = schema.ConnectionDisabled
		stored(o, c)
		_, err = o.Diagnose(t.Context(), c, "")
		code(t, schema.CodeClosed, err)
		c.State = schema.ConnectionEnabled // as somebody read it before
		_, err = o.Diagnose(t.Context(), c, "")
		code(t, schema.CodeClosed, err)
		require.Len(t, f.opened, 2, "nothing goes out over a disabled connection")
		c.ID = "c3"
		_, err = o.Diagnose(t.Context(), c, "")
		code(t, schema.CodeNotFound, err)
	})
	t.Run("what the vendor refuses is found, what is ours is an error", func(t *testing.T) {
		t.Parallel()
		o, f, c := newFake()
		f.check = &connectors.Error{Kind: connectors.Forbidden, Op: "vendor.check"}
		got, err := o.Diagnose(t.Context(), c, "fresh")
		require.NoError(t, err)
		require.Equal(t, schema.HealthFailed, got.Health)
		f.check = &schema.Error{Code: schema.CodePaused, Message: "the engine is paused"}
		_, err = o.Diagnose(t.Context(), c, "fresh")
		code(t, schema.CodePaused, err)
		require.EqualValues(t, 2, f.closed.Load())
	})
	t.Run("abilities are those of the vendor", func(t *testing.T) {
		t.Parallel()
		o, _, _ := newFake()
		list, err := o.Abilities("fake", true)
		require.NoError(t, err)
		require.Empty(t, list, "this vendor names none")
		_, err = o.Abilities("fox", true)
		code(t, schema.CodeInvalid, err)
	})
}

// TestCheckError says what each kind of refusal means, for checks that look at
// nothing but whom a connection acts as.
func TestCheckError(t *testing.T) {
	t.Parallel()
	for kind, cse := range map[connectors.Kind]struct {
		code    schema.Code
		message string
		fix     string
	}{
		connectors.Unauthorized: {schema.CodeVendor, "does not accept these credentials", "enterprise 900"},
		connectors.Forbidden:    {schema.CodeVendor, "may not read users", "scopes"},
		connectors.Unavailable:  {schema.CodeUnavailable, "does not answer", "--base-url"},
		connectors.Malformed:    {schema.CodeVendor, "not the vendor's API", "--base-url"},
		connectors.NotFound:     {schema.CodeVendor, "not the vendor's API", "--base-url"},
		connectors.RateLimited:  {schema.CodeVendor, "refused the check: vendor.check: rate_limited", "code"},
		connectors.Invalid:      {schema.CodeVendor, "refused the check: vendor.check: invalid", "code"},
	} {
		_, _, c := newFake()
		e := code(t, cse.code, checkError(c, &connectors.Error{Kind: kind, Op: "vendor.check"}))
		require.Contains(t, e.Message, cse.message)
		require.Contains(t, e.Fix, cse.fix)
	}
}
