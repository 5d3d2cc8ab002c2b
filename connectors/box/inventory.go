package box

import (
	"context"
	"time"

	"sendoff/connectors"
	"sendoff/schema"
)

var _ connectors.InventoryLister = (*Connector)(nil)

// ListAccounts implements connectors.InventoryLister: managed users, those with
// every status and application users among them. Box lists external users to
// nobody (https://developer.box.com/reference/get-users/).
func (c *Connector) ListAccounts(ctx context.Context, marker string) (connectors.Page[schema.Account], error) {
	k := call{op: opListUsers, path: "/users", query: with(userFields(), "user_type", "managed")}
	return pageByMarker(ctx, c.client, k, marker, func(u user) (schema.Account, error) {
		// Managed users are the enterprise's own: another's would be taken for external
		// ones, each of them, if the connection came to answer for somebody else.
		if id := string(u.Enterprise.id()); id != "" && id != c.conn.EnterpriseID {
			return schema.Account{}, malformed(opListUsers, "a managed user is of another enterprise than the connection")
		}
		return c.account(opListUsers, u)
	})
}

const opListGroups = "box.list_groups"

// ListGroups implements connectors.InventoryLister. Box pages groups by offset
// alone, which reaches about ten thousand of them: beyond that it fails
// (https://developer.box.com/reference/get-groups/).
func (c *Connector) ListGroups(ctx context.Context, marker string) (connectors.Page[schema.Group], error) {
	k := call{op: opListGroups, path: "/groups", query: fields("id", "name", "group_type", "provenance", "created_at")}
	return pageByOffset(ctx, c.client, k, marker, func(g group) (schema.Group, error) { return g.model(c.conn.ID) })
}

const opListMembers = "box.list_group_members"

// ListGroupMembers implements connectors.InventoryLister. The members of the
// group of everybody are not to be asked for: they are the accounts.
func (c *Connector) ListGroupMembers(ctx context.Context, id schema.ExternalID, marker string) (connectors.Page[schema.GroupMember], error) {
	path, err := groupPath(opListMembers, id, "/memberships")
	if err != nil {
		return connectors.Page[schema.GroupMember]{}, err
	}
	k := call{op: opListMembers, path: path}
	return pageByOffset(ctx, c.client, k, marker, func(m membership) (schema.GroupMember, error) {
		return c.member(ctx, id, m)
	})
}

// member maps a membership of a group. What an administrator of it may do is
// left out of listings and read one by one; of one that ended meanwhile nothing
// is said.
func (c *Connector) member(ctx context.Context, id schema.ExternalID, m membership) (schema.GroupMember, error) {
	switch {
	case m.ID == "" || m.User.id() == "" || m.Role == "":
		return schema.GroupMember{}, malformed(opListMembers, "a membership lacks its id, its account or its role")
	case m.Group != nil && m.Group.ID.id() != id:
		return schema.GroupMember{}, malformed(opListMembers, "a membership is of another group")
	}
	if m.Role == roleGroupAdmin && m.Permissions == nil {
		var err error
		m.Permissions, err = c.client.groupPermissions(ctx, opListMembers, m.ID.id())
		if err != nil && connectors.KindOf(err) != connectors.NotFound {
			return schema.GroupMember{}, err
		}
	}
	permissions, err := m.permissions(opListMembers)
	return schema.GroupMember{
		ExternalID: m.ID.id(), GroupID: id, AccountID: m.User.id(), Role: m.Role, Permissions: permissions,
	}, err
}

const opListAccess = "box.list_group_collaborations"

// ListGroupCollaborations implements connectors.InventoryLister. While an
// invitation is pending Box does not tell of what
// (https://developer.box.com/reference/get-groups-id-collaborations/).
func (c *Connector) ListGroupCollaborations(ctx context.Context, id schema.ExternalID, marker string) (connectors.Page[schema.GroupCollaboration], error) {
	path, err := groupPath(opListAccess, id, "/collaborations")
	if err != nil {
		return connectors.Page[schema.GroupCollaboration]{}, err
	}
	k := call{op: opListAccess, path: path}
	return pageByOffset(ctx, c.client, k, marker, func(a groupAccess) (schema.GroupCollaboration, error) { return a.model(id) })
}

// utc is the instant in UTC; zero when it could not be read.
func (i instant) utc() time.Time {
	if at := time.Time(i); !at.IsZero() {
		return at.UTC()
	}
	return time.Time{}
}
