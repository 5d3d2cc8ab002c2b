package conformance

import (
	"strings"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/schema"
)

// suite is everything a connector must do. A subtest for something that the
// connector cannot do is skipped and says so.
func suite(t T, world func(T) World) {
	b := bench{world: world}
	b.equipment(t)
	t.Run("manifest", b.manifest)
	t.Run("factory", b.factory)
	t.Run("check", b.identity)
	t.Run("accounts", b.accounts)
	t.Run("listing", b.listing)
	t.Run("inventory", b.inventory)
	t.Run("feed", b.feed)
	t.Run("errors", b.errors)
	t.Run("sign_in", b.signIn)
	t.Run("cancelled", b.cancelled)
	t.Run("hostile_ids", b.hostileIDs)
	t.Run("suspend", b.suspend)
	t.Run("role", b.role)
	t.Run("sessions", b.sessions)
	t.Run("groups", b.groups)
	t.Run("holds", b.holds)
	t.Run("content", b.content)
	t.Run("access", b.access)
	t.Run("transfer", b.transfer)
	t.Run("delete", b.remove)
	t.Run("read_only", b.readOnly)
	t.Run("guard", b.guard)
	t.Run("limiter", b.limiter)
	t.Run("life", b.life)
}

// capabilities names every capability and tells whether a connector has it.
func capabilities() []struct {
	name string
	has  func(connectors.Connector) bool
} {
	return []struct {
		name string
		has  func(connectors.Connector) bool
	}{
		{"AccountReader", having[connectors.AccountReader]},
		{"AccountLister", having[connectors.AccountLister]},
		{"InventoryLister", having[connectors.InventoryLister]},
		{"ActivityFeed", having[connectors.ActivityFeed]},
		{"Suspender", having[connectors.Suspender]},
		{"RoleWriter", having[connectors.RoleWriter]},
		{"SessionRevoker", having[connectors.SessionRevoker]},
		{"GroupReader", having[connectors.GroupReader]},
		{"MembershipWriter", having[connectors.MembershipWriter]},
		{"HoldReader", having[connectors.HoldReader]},
		{"ContentReader", having[connectors.ContentReader]},
		{"ContentSurveyor", having[connectors.ContentSurveyor]},
		{"Transferer", having[connectors.Transferer]},
		{"AccessGranter", having[connectors.AccessGranter]},
		{"Deleter", having[connectors.Deleter]},
	}
}

// equipment reports which capabilities were found, and fails where the world
// lacks what would show that one of them works.
func (b bench) equipment(t T) {
	s := b.open(t)
	var found, absent []string
	for _, c := range capabilities() {
		if c.has(s.conn) {
			found = append(found, c.name)
		} else {
			absent = append(absent, c.name)
		}
	}
	t.Logf("capabilities found: %s; absent: %s", list(found), list(absent))
	require.NotNil(t, s.world.People, "World.People is needed")
	require.NotNil(t, s.world.IsToken, "World.IsToken is needed")
	require.NotNil(t, s.world.ErrorBody, "World.ErrorBody is needed")
	require.NotEmpty(t, s.world.Nobody, "World.Nobody is needed")
	for _, part := range []struct {
		name string
		used bool
		have bool
	}{
		{"Groups", having[connectors.GroupReader](s.conn) || having[connectors.InventoryLister](s.conn), s.world.Groups != nil},
		{"Inventory", having[connectors.InventoryLister](s.conn), s.world.Inventory != nil},
		{"Events", having[connectors.ActivityFeed](s.conn), s.world.Events != nil},
		{"Holds", having[connectors.HoldReader](s.conn), s.world.Holds != nil},
		{"Content", having[connectors.ContentReader](s.conn) || having[connectors.Transferer](s.conn) || having[connectors.Deleter](s.conn) || having[connectors.InventoryLister](s.conn), s.world.Content != nil},
		{"Transfers", having[connectors.Transferer](s.conn), s.world.Transfers != nil},
	} {
		if part.used && !part.have {
			t.Errorf("the connector has capabilities that are about it, so World.%s is needed", part.name)
		}
	}
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// eachCall runs a subtest for every call of the connector, the chosen ones.
func (b bench) eachCall(t T, chosen func(call) bool, f func(T, call)) {
	probe := b.open(t)
	for _, k := range calls() {
		if !chosen(k) {
			continue
		}
		can := k.can(probe.conn)
		t.Run(k.name, func(t T) {
			if !can {
				t.Skipf("the connector lacks the capability of %s", k.name)
			}
			f(t, k)
		})
	}
}

func every(call) bool { return true }

func writing(k call) bool { return k.writes }

// mustRun makes the call once and requires that it works.
func (s *scene) mustRun(do action) {
	s.Helper()
	require.NoError(s, do(s.Context()))
}

// read reads an account back.
func (s *scene) read(id schema.ExternalID) schema.Account {
	s.Helper()
	a, err := as[connectors.AccountReader](s, "AccountReader").ReadAccount(s.Context(), id)
	require.NoError(s, err)
	return a
}
