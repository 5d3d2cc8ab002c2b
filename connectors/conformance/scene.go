package conformance

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/schema"
)

// Every person of the suite has the canary in login and name.
const (
	canary      = "x7q"
	canaryLogin = "canary-x7q@example.com"
)

// promptly bounds what must not wait for the vendor.
const promptly = 5 * time.Second

// bench makes scenes.
type bench struct {
	world func(T) World
}

// scene is one world with a connection to it.
type scene struct {
	T
	world World
	wire  *wire
	gate  *gate
	cfg   connectors.Config
	conn  connectors.Connector
	ahead atomic.Int64 // how far the connector's clock is ahead, in nanoseconds

	people int
}

// open makes a world and a connection to it. What holds for every request is
// checked when the scene ends.
func (b bench) open(t T, change ...func(*connectors.Config)) *scene {
	t.Helper()
	s := b.build(t, change...)
	conn, err := s.world.Factory.Open(s.cfg)
	require.NoError(t, err)
	s.conn = conn
	t.Cleanup(conn.Close)
	return s
}

// build makes a world and what would open a connection to it.
func (b bench) build(t T, change ...func(*connectors.Config)) *scene {
	t.Helper()
	s := &scene{T: t, world: b.world(t), gate: &gate{}}
	s.wire = newWire(s.world, s.gate)
	t.Cleanup(s.wire.close)
	t.Cleanup(s.inspect)
	s.cfg = s.world.Config(s.wire.srv.URL)
	s.cfg.Limiter, s.cfg.Guard = s.gate, s.gate
	s.cfg.Now = func() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }
	for _, f := range change {
		f(&s.cfg)
	}
	return s
}

// inspect checks what holds for every request of every scene.
func (s *scene) inspect() {
	for _, r := range s.wire.since(0) {
		if r.forced() {
			s.Errorf("a request would force the vendor: %s %s", r.method, r.path)
		}
		if r.path == trap {
			s.Errorf("a redirect was followed")
		}
		if s.cfg.Connection.ReadOnly && r.writes() {
			s.Errorf("a read-only connection sent %s %s", r.method, r.path)
		}
	}
}

// person makes an account. Its login and name hold the canary.
func (s *scene) person(change ...func(*Person)) schema.ExternalID {
	s.Helper()
	p := s.newPerson(change...)
	id, err := s.world.People.Add(p)
	require.NoError(s, err)
	return id
}

func (s *scene) newPerson(change ...func(*Person)) Person {
	s.people++
	p := Person{Login: fmt.Sprintf("canary-x7q-%d@example.com", s.people), Name: fmt.Sprintf("Canary X7Q %d", s.people)}
	for _, f := range change {
		f(&p)
	}
	return p
}

// item makes an item of an owner's.
func (s *scene) item(i Item) schema.Witness {
	s.Helper()
	require.NotNil(s, s.world.Content, "the connector handles content, so World.Content is needed")
	w, err := s.world.Content.Add(i)
	require.NoError(s, err)
	return w
}

func (s *scene) folder(owner schema.ExternalID) schema.Witness {
	s.Helper()
	return s.item(Item{Owner: owner, Folder: true})
}

// group makes a group with the account in it and returns what is true of that
// membership.
func (s *scene) group(account schema.ExternalID, privileged bool) schema.Membership {
	s.Helper()
	require.NotNil(s, s.world.Groups, "the connector handles groups, so World.Groups is needed")
	group, err := s.world.Groups.Add(account, privileged)
	require.NoError(s, err)
	m, ok := s.member(group, account)
	require.True(s, ok, "World.Groups.Add must put the account into the group")
	return m
}

func (s *scene) member(group, account schema.ExternalID) (schema.Membership, bool) {
	s.Helper()
	m, ok, err := s.world.Groups.Member(group, account)
	require.NoError(s, err)
	return m, ok
}

func (s *scene) truth(account schema.ExternalID) Truth {
	s.Helper()
	truth, err := s.world.People.Truth(account)
	require.NoError(s, err)
	return truth
}

// fails requires a *connectors.Error of one of the kinds that tells nothing it
// must not, and returns what it says.
func (s *scene) fails(err error, kinds ...connectors.Kind) connectors.Error {
	s.Helper()
	require.Error(s, err)
	s.clean(err)
	var e *connectors.Error
	require.ErrorAs(s, err, &e, "a connector's error is a *connectors.Error, so that the engine knows what to do")
	require.Contains(s, kinds, e.Kind, "of %v", err)
	vendor := s.conn.Manifest().Vendor
	require.True(s, strings.HasPrefix(e.Op, vendor+"."), "Op %q names the operation: %s.SOMETHING", e.Op, vendor)
	return *e
}

// clean requires that neither the text of an error nor that of any it wraps
// tells a secret, a login or a name.
func (s *scene) clean(err error) {
	s.Helper()
	secrets := []string{canary, strings.ToLower(s.cfg.Secret)}
	for _, r := range s.wire.since(0) {
		if len(r.bearer) >= 8 {
			secrets = append(secrets, strings.ToLower(r.bearer))
		}
	}
	for _, text := range texts(err) {
		for _, secret := range secrets {
			if secret != "" && strings.Contains(strings.ToLower(text), secret) {
				s.Errorf("an error's text holds a login, a name, a token or the secret")
				s.FailNow()
			}
		}
	}
}

// texts returns the texts of an error and of all it wraps.
func texts(err error) []string {
	if err == nil {
		return nil
	}
	out := []string{err.Error(), fmt.Sprintf("%+v", err)}
	var e *connectors.Error
	if errors.As(err, &e) {
		out = append(out, e.Op, e.Code, e.RequestID, e.Detail)
	}
	switch w := err.(type) { //nolint:errorlint // walks the chain itself
	case interface{ Unwrap() error }:
		out = append(out, texts(w.Unwrap())...)
	case interface{ Unwrap() []error }:
		for _, inner := range w.Unwrap() {
			out = append(out, texts(inner)...)
		}
	}
	return slices.Compact(out)
}

// as returns the connector as a capability, and skips without it.
func as[C any](s *scene, name string) C {
	s.Helper()
	c, ok := s.conn.(C)
	if !ok {
		s.Skipf("the connector lacks the capability %s", name)
	}
	return c
}
