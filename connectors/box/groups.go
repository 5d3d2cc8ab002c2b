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
			if all[i].Permissions, err = c.groupPermissions(ctx, m.ID.id()); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// groupPermissions reads what a group's administrator may do.
func (c *client) groupPermissions(ctx context.Context, id schema.ExternalID) (json.RawMessage, error) {
	path, err := membershipPath(opListMemberships, id)
	if err != nil {
		return nil, err
	}
	var m membership
	err = c.do(ctx, call{op: opListMemberships, path: path, query: fields("id", "role", "group", "configurable_permissions")}, &m)
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

// model maps a membership. Permissions that are null are all off; those that are
// left out are at Box's default, which is on
// (https://developer.box.com/reference/post-group-memberships/).
func (m membership) model() (schema.Membership, error) {
	out := schema.Membership{
		ID: m.ID.id(), GroupID: m.Group.ID.id(), Role: m.Role, Fixed: m.Group.Type == allUsersGroup,
	}
	if m.Role != roleGroupAdmin || m.Permissions == nil {
		return out, nil
	}
	if string(m.Permissions) == "null" {
		out.Permissions = map[string]bool{
			"can_run_reports": false, "can_instant_login": false, "can_create_accounts": false, "can_edit_accounts": false,
		}
		return out, nil
	}
	if err := json.Unmarshal(m.Permissions, &out.Permissions); err != nil {
		return out, malformed(opListMemberships, "a membership's permissions are not a list of yes and no")
	}
	return out, nil
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
