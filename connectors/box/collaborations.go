package box

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"sendoff/schema"
)

// collaboration is Box's Collaboration, as far as it is read.
type collaboration struct {
	ID           text   `json:"id"`
	Role         string `json:"role"`
	AccessibleBy *ref   `json:"accessible_by"` // null while an invitation is pending
}

// groupAccess is a Collaboration as a group's listing has it.
type groupAccess struct {
	ID        text           `json:"id"`
	Role      string         `json:"role"`
	Status    string         `json:"status"`
	Item      *collaborateOn `json:"item"`     // null while an invitation is pending
	AppItem   *collaborateOn `json:"app_item"` // in place of item, for things of applications
	ExpiresAt instant        `json:"expires_at"`
	By        granter        `json:"created_by"`
}

// granter is who made a collaboration. It tells and decides nothing, and Box does
// not say what is left of somebody whose account was deleted: what is not a text is
// left out (https://developer.box.com/reference/resources/user--collaborations/).
type granter struct {
	Login, Name string
}

// UnmarshalJSON implements json.Unmarshaler.
func (g *granter) UnmarshalJSON(b []byte) error {
	var raw map[string]json.RawMessage
	if json.Unmarshal(b, &raw) != nil {
		return nil
	}
	for name, into := range map[string]*string{"login": &g.Login, "name": &g.Name} {
		var s string
		if json.Unmarshal(raw[name], &s) == nil {
			*into = s
		}
	}
	return nil
}

type collaborateOn struct {
	Type string `json:"type"`
	ID   text   `json:"id"`
	Name string `json:"name"`
}

func (a groupAccess) model(group schema.ExternalID) (schema.GroupCollaboration, error) {
	if a.ID == "" || a.Role == "" || a.Status == "" {
		return schema.GroupCollaboration{}, malformed(opListAccess, "a collaboration lacks its id, its role or its status")
	}
	out := schema.GroupCollaboration{
		ExternalID: a.ID.id(), GroupID: group, Role: a.Role, Status: a.Status, ExpiresAt: a.ExpiresAt.utc(),
		GrantedBy: a.By.Login, GrantedByName: a.By.Name,
	}
	on := a.Item
	if on == nil {
		on = a.AppItem
	}
	if on == nil {
		return out, nil
	}
	if on.ID == "" || on.Type == "" {
		return schema.GroupCollaboration{}, malformed(opListAccess, "an item of a collaboration lacks its id or its type")
	}
	out.ItemType, out.ItemID, out.ItemName = on.Type, on.ID.id(), on.Name
	return out, nil
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

// roleCoOwner may do everything but give the item away.
const roleCoOwner = "co-owner"

// typed names a thing in a request body.
type typed struct {
	Type string            `json:"type"`
	ID   schema.ExternalID `json:"id"`
}

// makeCoOwner shares a folder, acting as its owner. The user must be active: Box
// refuses to invite others. It is no repeatable call, for a repeat is answered
// with 400 user_already_collaborator
// (https://developer.box.com/reference/post-collaborations/).
func (c *client) makeCoOwner(ctx context.Context, owner, folder, user schema.ExternalID) error {
	const op = "box.make_co_owner"
	for _, id := range []schema.ExternalID{owner, folder, user} {
		if id == "" {
			return invalid(op, "an id is empty")
		}
	}
	if err := checkIDs(op, owner, folder, user); err != nil {
		return err
	}
	body := struct {
		Item         typed  `json:"item"`
		AccessibleBy typed  `json:"accessible_by"`
		Role         string `json:"role"`
	}{typed{"folder", folder}, typed{"user", user}, roleCoOwner}
	k := call{op: op, method: http.MethodPost, path: "/collaborations", query: url.Values{"notify": {"false"}}, body: body, asUser: owner}
	return c.do(ctx, k, nil)
}
