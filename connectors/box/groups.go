package box

import (
	"context"

	"sendoff/schema"
)

// membership is Box's GroupMembership, as far as it is read. Its standard
// fields hold all of that, and the endpoint documents no fields parameter.
type membership struct {
	ID    text   `json:"id"`
	Group *ref   `json:"group"`
	Role  string `json:"role"`
}

// memberships lists the groups a user is in
// (https://developer.box.com/reference/get-users-id-memberships/).
func (c *client) memberships(ctx context.Context, id schema.ExternalID) ([]membership, error) {
	const op = "box.list_memberships"
	path, err := userPath(op, id, "/memberships")
	if err != nil {
		return nil, err
	}
	var all []membership
	err = eachByOffset(ctx, c, call{op: op, path: path}, func(m membership) error {
		if m.ID == "" || m.Group.id() == "" {
			return malformed(op, "a membership lacks its id or its group")
		}
		all = append(all, m)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}
