package conformance

import (
	"context"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/schema"
)

// action is one call of a connector on a scene made for it.
type action func(ctx context.Context) error

// call is one method of a connector that speaks to the vendor.
type call struct {
	name   string
	writes bool
	// lookup marks a question to which "not there" and "out of reach" are answers.
	lookup bool
	can    func(connectors.Connector) bool
	// prepare makes what the call needs and names who it acts as, "" where it acts
	// as nobody else.
	prepare func(*scene) (action, schema.ExternalID)
	// hostile makes the call with an id that the caller chose.
	hostile func(c connectors.Connector, id schema.ExternalID) action
}

// having tells whether a connector has the capability C.
func having[C any](c connectors.Connector) bool {
	_, ok := c.(C)
	return ok
}

// calls lists every call but the transfer itself.
func calls() []call {
	all := []call{{
		name: "check", can: having[connectors.Connector],
		prepare: func(s *scene) (action, schema.ExternalID) {
			return func(ctx context.Context) error { _, err := s.conn.Check(ctx); return err }, ""
		},
	}}
	for _, part := range [][]call{accountCalls(), groupCalls(), inventoryCalls(), feedCalls(), contentCalls(), placeCalls()} {
		all = append(all, part...)
	}
	return all
}

// onAccount is a call about one account.
func onAccount[C any](name string, writes bool, do func(C, context.Context, schema.ExternalID) error) call {
	return call{
		name: name, writes: writes, can: having[C],
		prepare: func(s *scene) (action, schema.ExternalID) {
			c, id := s.conn.(C), s.person()
			return func(ctx context.Context) error { return do(c, ctx, id) }, ""
		},
		hostile: func(c connectors.Connector, id schema.ExternalID) action {
			return func(ctx context.Context) error { return do(c.(C), ctx, id) }
		},
	}
}

func accountCalls() []call {
	return []call{
		{
			name: "find_by_login", can: having[connectors.AccountReader],
			prepare: func(s *scene) (action, schema.ExternalID) {
				p := s.newPerson()
				_, err := s.world.People.Add(p)
				require.NoError(s, err)
				c := s.conn.(connectors.AccountReader)
				return func(ctx context.Context) error { _, err := c.FindByLogin(ctx, p.Login); return err }, ""
			},
		},
		onAccount("read_account", false, func(c connectors.AccountReader, ctx context.Context, id schema.ExternalID) error {
			_, err := c.ReadAccount(ctx, id)
			return err
		}),
		{
			name: "each_account", can: having[connectors.AccountLister],
			prepare: func(s *scene) (action, schema.ExternalID) {
				s.person()
				c := s.conn.(connectors.AccountLister)
				return func(ctx context.Context) error {
					return c.EachAccount(ctx, func(schema.Account) error { return nil })
				}, ""
			},
		},
		onAccount("set_status", true, func(c connectors.Suspender, ctx context.Context, id schema.ExternalID) error {
			return c.SetStatus(ctx, id, c.SuspendedStatus())
		}),
		onAccount("set_role", true, func(c connectors.RoleWriter, ctx context.Context, id schema.ExternalID) error {
			return c.SetRole(ctx, id, schema.RoleMember)
		}),
		onAccount("revoke_sessions", true, connectors.SessionRevoker.RevokeSessions),
		onAccount("holds", false, func(c connectors.HoldReader, ctx context.Context, id schema.ExternalID) error {
			_, err := c.Holds(ctx, id)
			return err
		}),
		onAccount("delete_account", true, connectors.Deleter.DeleteAccount),
	}
}

func groupCalls() []call {
	return []call{
		{
			name: "memberships", can: having[connectors.GroupReader],
			prepare: func(s *scene) (action, schema.ExternalID) {
				id, c := s.person(), s.conn.(connectors.GroupReader)
				s.group(id, false)
				return func(ctx context.Context) error { _, err := c.Memberships(ctx, id); return err }, ""
			},
			hostile: func(c connectors.Connector, id schema.ExternalID) action {
				return func(ctx context.Context) error { _, err := c.(connectors.GroupReader).Memberships(ctx, id); return err }
			},
		},
		{
			name: "remove_membership", writes: true, can: having[connectors.MembershipWriter],
			prepare: func(s *scene) (action, schema.ExternalID) {
				c, m := s.conn.(connectors.MembershipWriter), s.group(s.person(), false)
				return func(ctx context.Context) error { return c.RemoveMembership(ctx, m) }, ""
			},
			hostile: func(c connectors.Connector, id schema.ExternalID) action {
				return func(ctx context.Context) error {
					return c.(connectors.MembershipWriter).RemoveMembership(ctx, schema.Membership{ID: id, GroupID: id, Role: "member"})
				}
			},
		},
		{
			name: "add_membership", writes: true, can: having[connectors.MembershipWriter],
			prepare: func(s *scene) (action, schema.ExternalID) {
				c, m, joiner := s.conn.(connectors.MembershipWriter), s.group(s.person(), false), s.person()
				return func(ctx context.Context) error { return c.AddMembership(ctx, joiner, m) }, ""
			},
			hostile: func(c connectors.Connector, id schema.ExternalID) action {
				return func(ctx context.Context) error {
					return c.(connectors.MembershipWriter).AddMembership(ctx, id, schema.Membership{ID: id, GroupID: id, Role: "member"})
				}
			},
		},
	}
}
