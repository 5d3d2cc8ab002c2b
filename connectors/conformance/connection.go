package conformance

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/schema"
)

// manifest: people find out what the connector is and what it needs.
func (b bench) manifest(t T) {
	s := b.open(t)
	m := s.world.Factory.Manifest()
	require.Equal(t, m, s.conn.Manifest(), "the connector's manifest is its factory's")
	require.Regexp(t, "^[a-z][a-z0-9_]*$", m.Vendor)
	require.NotEmpty(t, m.Title)
	require.NotEmpty(t, m.Scopes, "name what the vendor's application must be granted")
	require.NotEmpty(t, m.Docs)
	require.Equal(t, m.Vendor, s.cfg.Connection.Vendor, "World.Config must name the vendor")
	page, err := os.ReadFile(filepath.Join(root(t), filepath.FromSlash(m.Docs)))
	require.NoError(t, err, "the page that the manifest names must exist")
	require.NotEmpty(t, page)
	for _, scope := range m.Scopes {
		require.Contains(t, string(page), scope, "the page says what each scope is for")
	}
}

// root is the folder of go.mod.
func root(t T) string {
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		require.NotEqual(t, dir, parent, "no go.mod above the test")
		dir = parent
	}
}

// factory: Open finds every fault at once and calls nobody.
func (b bench) factory(t T) {
	t.Run("calls_nobody", func(t T) {
		s := b.open(t)
		require.Empty(t, s.wire.since(0), "Open must not call the vendor")
	})
	t.Run("names_every_fault", func(t T) {
		s := b.build(t)
		broken := s.cfg
		seen := map[string]bool{}
		for _, f := range configFaults() {
			one := s.cfg
			f.spoil(&one)
			err := b.refuses(s, one)
			if err == nil && !f.needed {
				continue // this vendor has no use for it
			}
			require.Error(t, err, "a connection with %s must be refused", f.name)
			for _, p := range problems(t, err) {
				seen[p.Where] = true
			}
			f.spoil(&broken)
		}
		var have []string
		err := b.refuses(s, broken)
		require.Error(t, err)
		for _, p := range problems(t, err) {
			require.NotEmpty(t, p.Message)
			require.NotEmpty(t, p.Fix, "a problem says what to do about it")
			have = append(have, p.Where)
		}
		for where := range seen {
			require.Contains(t, have, where, "with several faults, each is named")
		}
		require.Empty(t, s.wire.since(0), "Open must not call the vendor")
	})
	t.Run("plain_http", func(t T) {
		s := b.build(t)
		for _, url := range []string{"http://vendor.example.com", "ftp://127.0.0.1", "https://user:pass@vendor.example.com", "//vendor.example.com"} {
			one := s.cfg
			one.Connection.BaseURL = url
			require.Error(t, b.refuses(s, one), "base URL %s", url)
		}
	})
}

// configFault is one thing wrong with a connection. A vendor need not use what is
// not needed.
type configFault struct {
	name   string
	needed bool
	spoil  func(*connectors.Config)
}

func configFaults() []configFault {
	return []configFault{
		{"a base URL that is none", true, func(c *connectors.Config) { c.Connection.BaseURL = "base x" }},
		{"a token URL that is none", false, func(c *connectors.Config) { c.Connection.TokenURL = "token x" }},
		{"no client id", false, func(c *connectors.Config) { c.Connection.ClientID = "" }},
		{"no enterprise id", false, func(c *connectors.Config) { c.Connection.EnterpriseID = "" }},
		{"no secret", true, func(c *connectors.Config) { c.Secret = "" }},
		{"no guard", true, func(c *connectors.Config) { c.Guard = nil }},
		{"no limiter", true, func(c *connectors.Config) { c.Limiter = nil }},
	}
}

// refuses opens a connection and returns the error, which tells no secret.
func (b bench) refuses(s *scene, cfg connectors.Config) error {
	s.Helper()
	conn, err := s.world.Factory.Open(cfg)
	if err != nil {
		s.clean(err)
		return err
	}
	conn.Close()
	return nil
}

func problems(t T, err error) []schema.Problem {
	t.Helper()
	var e *schema.Error
	require.ErrorAs(t, err, &e, "Open's error is a *schema.Error")
	require.NotEmpty(t, e.Problems)
	return e.Problems
}

// identity: Check tells who the connection acts as, and whether it may.
func (b bench) identity(t T) {
	t.Run("who", func(t T) {
		s := b.open(t)
		who, err := s.conn.Check(t.Context())
		require.NoError(t, err)
		require.NotEmpty(t, who.ExternalID)
		require.Contains(t, []schema.AccountRole{schema.RoleMember, schema.RoleCoadmin, schema.RoleOwner}, who.Role)
		require.Equal(t, s.cfg.Connection.EnterpriseID, who.EnterpriseID)
		if as := s.cfg.Connection.AsUser; as != "" {
			require.Equal(t, as, who.ExternalID)
		}
	})
	t.Run("wrong_secret", func(t T) {
		s := b.build(t)
		s.cfg.Secret = "wrong-" + canary + s.cfg.Secret
		conn, err := s.world.Factory.Open(s.cfg)
		if err != nil {
			s.clean(err)
			t.Skipf("the factory itself refuses a secret that is not well formed")
		}
		s.conn = conn
		t.Cleanup(conn.Close)
		_, err = conn.Check(t.Context())
		require.False(t, s.fails(err, connectors.Unauthorized).Sent, "the call itself was not sent")
	})
	t.Run("host_gone", func(t T) {
		s := b.open(t)
		s.cfg.Connection.BaseURL, s.cfg.Connection.TokenURL = nowhere, nowhere+"/token"
		conn, err := s.world.Factory.Open(s.cfg)
		require.NoError(t, err)
		t.Cleanup(conn.Close)
		_, err = conn.Check(t.Context())
		require.False(t, s.fails(err, connectors.Unavailable).Sent)
	})
}

// nowhere is where nobody listens: port 1 is reserved and needs root.
const nowhere = "http://127.0.0.1:1"

var errStop = errors.New("the caller has seen enough")
