package box

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"sendoff/schema"
)

// membership is Box's GroupMembership, as far as it is read.
type membership struct {
	ID    text `json:"id"`
	Group *struct {
		ID   text   `json:"id"`
		Type string `json:"group_type"`
	} `json:"group"`
	User *ref   `json:"user"`
	Role string `json:"role"`
	// Permissions is absent, null or an object: three different things.
	Permissions json.RawMessage `json:"configurable_permissions"`
}

const (
	opListMemberships = "box.list_memberships"
	roleGroupAdmin    = "admin"
	// allUsersGroup is the type of the group of everybody, which nobody leaves.
	allUsersGroup = "all_users_group"
)

// group is Box's Group, as far as it is read
// (https://developer.box.com/reference/resources/group--full/).
type group struct {
	ID         text    `json:"id"`
	Name       string  `json:"name"`
	Type       string  `json:"group_type"`
	Provenance string  `json:"provenance"`
	CreatedAt  instant `json:"created_at"`
}

func (g group) model(conn schema.ConnectionID) (schema.Group, error) {
	if g.ID == "" || g.Name == "" {
		return schema.Group{}, malformed(opListGroups, "a group lacks its id or its name")
	}
	return schema.Group{
		ConnectionID: conn, ExternalID: g.ID.id(), Name: g.Name, Everybody: g.Type == allUsersGroup,
		Provenance: g.Provenance, CreatedAt: g.CreatedAt.utc(),
	}, nil
}

// groupPath is the path of a group, with rest behind it.
func groupPath(op string, id schema.ExternalID, rest string) (string, error) {
	if id == "" {
		return "", invalid(op, "the group's id is empty")
	}
	if err := checkIDs(op, id); err != nil {
		return "", err
	}
	return "/groups/" + string(id) + rest, nil
}

// memberships lists the groups a user is in. The listing documents no fields
// parameter, and its standard fields hold all but what a group's administrator
// may do, which is read one by one
// (https://developer.box.com/reference/get-users-id-memberships/).
func (c *client) memberships(ctx context.Context, id schema.ExternalID) ([]membership, error) {
	path, err := userPath(opListMemberships, id, "/memberships")
	if err != nil {
		return nil, err
	}
	var all []membership
	err = eachByOffset(ctx, c, call{op: opListMemberships, path: path}, func(m membership) error {
		if m.ID == "" || m.Group == nil || m.Group.ID == "" {
			return malformed(opListMemberships, "a membership lacks its id or its group")
		}
		all = append(all, m)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, m := range all {
		if m.Role == roleGroupAdmin && m.Permissions == nil {
			if all[i].Permissions, err = c.groupPermissions(ctx, opListMemberships, m.ID.id()); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// groupPermissions reads what a group's administrator may do.
func (c *client) groupPermissions(ctx context.Context, op string, id schema.ExternalID) (json.RawMessage, error) {
	path, err := membershipPath(op, id)
	if err != nil {
		return nil, err
	}
	var m membership
	err = c.do(ctx, call{op: op, path: path, query: fields("id", "role", "group", "configurable_permissions")}, &m)
	return m.Permissions, err
}

func membershipPath(op string, id schema.ExternalID) (string, error) {
	if id == "" {
		return "", invalid(op, "the membership's id is empty")
	}
	if err := checkIDs(op, id); err != nil {
		return "", err
	}
	return "/group_memberships/" + string(id), nil
}

// model maps a membership of one user.
func (m membership) model() (schema.Membership, error) {
	permissions, err := m.permissions(opListMemberships)
	return schema.Membership{
		ID: m.ID.id(), GroupID: m.Group.ID.id(), Role: m.Role, Fixed: m.Group.Type == allUsersGroup, Permissions: permissions,
	}, err
}

// permissions is what a group's administrator may do, nil for a member. Those
// that are null are all off; those that are left out are at Box's default, which
// is on (https://developer.box.com/reference/post-group-memberships/).
func (m membership) permissions(op string) (map[string]bool, error) {
	if m.Role != roleGroupAdmin || m.Permissions == nil {
		return nil, nil
	}
	if string(m.Permissions) == "null" {
		return map[string]bool{
			"can_run_reports": false, "can_instant_login": false, "can_create_accounts": false, "can_edit_accounts": false,
		}, nil
	}
	var all map[string]bool
	if err := json.Unmarshal(m.Permissions, &all); err != nil {
		return nil, malformed(op, "a membership's permissions are not a list of yes and no")
	}
	return all, nil
}

// removeMembership takes a user out of a group
// (https://developer.box.com/reference/delete-group-memberships-id/).
func (c *client) removeMembership(ctx context.Context, id schema.ExternalID) error {
	const op = "box.remove_membership"
	path, err := membershipPath(op, id)
	if err != nil {
		return err
	}
	return c.do(ctx, call{op: op, method: http.MethodDelete, path: path}, nil)
}

// addMembership puts a user into a group. A repeat with a fresh token is safe:
// Box makes no second membership but answers 409
// (https://developer.box.com/reference/post-group-memberships/).
func (c *client) addMembership(ctx context.Context, user schema.ExternalID, m schema.Membership) error {
	const op = "box.add_membership"
	if user == "" || m.GroupID == "" {
		return invalid(op, "an id is empty")
	}
	if err := checkIDs(op, user, m.GroupID); err != nil {
		return err
	}
	type id struct {
		ID schema.ExternalID `json:"id"`
	}
	body := struct {
		User        id              `json:"user"`
		Group       id              `json:"group"`
		Role        string          `json:"role,omitempty"`
		Permissions map[string]bool `json:"configurable_permissions,omitempty"`
	}{id{user}, id{m.GroupID}, m.Role, m.Permissions}
	k := call{
		op: op, method: http.MethodPost, path: "/group_memberships", query: url.Values{"fields": {"id"}}, body: body, repeatable: true,
	}
	return c.do(ctx, k, nil)
}
