package box

import (
	"context"

	"sendoff/schema"
)

// eachTrashed lists a user's trash
// (https://developer.box.com/reference/get-folders-trash-items/).
func (c *client) eachTrashed(ctx context.Context, op string, user schema.ExternalID, fn func(item) error) error {
	if user == "" {
		return invalid(op, "the account's id is empty")
	}
	q := with(fields("id", "type", "size", "owned_by"), "usemarker", "true")
	return eachByMarker(ctx, c, call{op: op, path: "/folders/trash/items", query: q, asUser: user}, fn)
}

// trashed tells whether an item lies in a user's trash and is owned by that user
// (https://developer.box.com/reference/get-files-id-trash/).
func (c *client) trashed(ctx context.Context, user schema.ExternalID, w schema.Witness) (bool, error) {
	const op = "box.read_trashed"
	path, err := itemPath(op, w, "/trash")
	if err != nil {
		return false, err
	}
	if user == "" {
		return false, invalid(op, "the account's id is empty")
	}
	var it item
	q := fields("id", "type", "owned_by")
	err = c.do(ctx, call{op: op, path: path, query: q, asUser: user}, &it)
	switch {
	case outOfReach(err):
		return false, nil
	case err != nil:
		return false, err
	case it.ID.id() != w.ID || it.OwnedBy.id() == "":
		return false, malformed(op, "the item's answer lacks its id or its owner")
	}
	return it.OwnedBy.id() == user, nil
}
