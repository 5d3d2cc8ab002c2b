package box

import (
	"context"

	"sendoff/schema"
)

// collaboration is Box's Collaboration, as far as it is read.
type collaboration struct {
	ID           text   `json:"id"`
	Role         string `json:"role"`
	AccessibleBy *ref   `json:"accessible_by"` // null while an invitation is pending
}

// collaborations lists who an item is shared with, as its owner sees it. Web
// links cannot be shared
// (https://developer.box.com/reference/get-folders-id-collaborations/).
func (c *client) collaborations(ctx context.Context, owner schema.ExternalID, w schema.Witness) ([]collaboration, error) {
	const op = "box.list_collaborations"
	path, err := itemPath(op, w, "/collaborations")
	if err != nil || w.Type == "web_link" {
		return nil, err
	}
	if owner == "" {
		return nil, invalid(op, "the account's id is empty")
	}
	var all []collaboration
	k := call{op: op, path: path, query: fields("id", "accessible_by", "role"), asUser: owner}
	err = eachByMarker(ctx, c, k, func(co collaboration) error {
		if co.ID == "" || co.Role == "" {
			return malformed(op, "a collaboration lacks its id or its role")
		}
		all = append(all, co)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}
