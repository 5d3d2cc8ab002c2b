package box

import (
	"context"
	"errors"
	"net/url"

	"sendoff/connectors"
	"sendoff/schema"
)

// item is a file, folder or web link, as far as it is read.
type item struct {
	ID             text   `json:"id"`
	Type           string `json:"type"`
	Size           *int64 `json:"size"` // bytes; web links have none
	OwnedBy        *ref   `json:"owned_by"`
	ItemStatus     string `json:"item_status"`
	PathCollection *struct {
		Entries []ref `json:"entries"`
	} `json:"path_collection"`
}

func (i item) witness(op string) (schema.Witness, error) {
	w := schema.Witness{ID: i.ID.id(), Type: i.Type}
	if _, err := itemPath(op, w, ""); err != nil {
		return w, malformed(op, "the listing holds an item without a usable id or type")
	}
	return w, nil
}

// eachRootItem lists the items at a user's root, the user's own and those that
// others gave access to
// (https://developer.box.com/reference/get-folders-id-items/).
func (c *client) eachRootItem(ctx context.Context, op string, user schema.ExternalID, fn func(item) error) error {
	if user == "" {
		return invalid(op, "the account's id is empty")
	}
	q := with(fields("id", "type", "owned_by"), "usemarker", "true")
	return eachByMarker(ctx, c, call{op: op, path: "/folders/0/items", query: q, asUser: user}, fn)
}

// ownerOf asks an item itself for its owner, where a listing does not tell; ""
// when Box names nobody or the user does not see the item.
func (c *client) ownerOf(ctx context.Context, user schema.ExternalID, w schema.Witness) (schema.ExternalID, error) {
	const op = "box.read_owner"
	path, err := itemPath(op, w, "")
	if err != nil {
		return "", err
	}
	var q url.Values
	if w.Type != "web_link" {
		q = fields("id", "owned_by")
	}
	var it item
	err = c.do(ctx, call{op: op, path: path, query: q, asUser: user}, &it)
	if outOfReach(err) {
		return "", nil
	}
	return it.OwnedBy.id(), err
}

// readItem reads where an item is, as a user sees it; found is false when that
// user does not see it or it is in the trash.
func (c *client) readItem(ctx context.Context, user schema.ExternalID, w schema.Witness) (it item, found bool, err error) {
	const op = "box.read_item"
	path, err := itemPath(op, w, "")
	if err != nil {
		return item{}, false, err
	}
	if user == "" {
		return item{}, false, invalid(op, "the account's id is empty")
	}
	var q url.Values
	if w.Type != "web_link" { // documents no fields parameter; its standard fields hold these
		q = fields("id", "type", "owned_by", "path_collection", "item_status")
	}
	err = c.do(ctx, call{op: op, path: path, query: q, asUser: user}, &it)
	switch {
	case outOfReach(err):
		return item{}, false, nil
	case err != nil:
		return item{}, false, err
	case it.ID.id() != w.ID || it.OwnedBy.id() == "" || it.PathCollection == nil:
		return item{}, false, malformed(op, "the item's answer lacks its id, its owner or its path")
	case it.ItemStatus == "trashed" || it.ItemStatus == "deleted":
		return item{}, false, nil
	}
	return it, true, nil
}

// outOfReach tells whether the user acted as cannot see an item now: unknown,
// or closed as the content of a suspended owner or of a running transfer is
// (https://developer.box.com/guides/users/transfer-folders/). A missing scope
// is the application's fault and nothing the user will outgrow.
func outOfReach(err error) bool {
	var e *connectors.Error
	if !errors.As(err, &e) {
		return false
	}
	return e.Kind == connectors.NotFound || e.Kind == connectors.Forbidden && e.Code != "insufficient_scope"
}

// folder is the folder that the item lies in; empty when that is the root. It is
// not the one at the root: the new owner may have moved what arrived into a folder
// of their own, and whoever gets access to that one gets all that is in it.
func (i item) folder() schema.ExternalID {
	path := i.PathCollection.Entries
	for n, f := range path {
		if f.ID == "0" && n+1 < len(path) {
			return path[len(path)-1].ID.id()
		}
	}
	return ""
}
