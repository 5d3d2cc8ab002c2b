package conformance_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"sendoff/connectors"
	"sendoff/connectors/httpx"
	"sendoff/schema"
)

// deskGroup is a group as Desk lists it.
type deskGroup struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (d *desk) listGroups(r *http.Request) (int, any) {
	all := map[string]deskGroup{}
	for id := range d.groups {
		all[id] = deskGroup{id, "Group " + id}
	}
	return listed(r, "groups", all, func(deskGroup) bool { return true })
}

func (d *desk) listMembers(r *http.Request) (int, any) {
	if !d.groups[r.PathValue("id")] {
		return refuse(404, "no_such_group")
	}
	return listed(r, "members", d.places, func(m *deskPlace) bool { return m.Group == r.PathValue("id") })
}

// deskAccess is a group's share of an item. By is null of somebody who was deleted.
type deskAccess struct {
	ID   string     `json:"id"`
	Item string     `json:"item"`
	Kind string     `json:"kind"`
	Role string     `json:"role"`
	By   *deskGiver `json:"by"`
}

type deskGiver struct {
	Login string `json:"login"`
	Name  string `json:"name"`
}

func (d *desk) listAccess(r *http.Request) (int, any) {
	if !d.groups[r.PathValue("id")] {
		return refuse(404, "no_such_group")
	}
	all := map[string]deskAccess{}
	for id, i := range d.items {
		if role := i.shares[r.PathValue("id")]; role != "" {
			all[id] = deskAccess{"a" + id[1:], id, i.Kind, role, d.giver(i.givers[r.PathValue("id")])}
		}
	}
	return listed(r, "access", all, func(deskAccess) bool { return true })
}

func (d *desk) giver(id string) *deskGiver {
	if p := d.people[id]; p != nil {
		return &deskGiver{p.Login, p.Name}
	}
	return nil
}

type deskInventory desk

func (d *deskInventory) Join(group, account schema.ExternalID) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := &deskPlace{ID: (*desk)(d).id("m"), Person: string(account), Group: string(group), Role: "member"}
	d.places[m.ID] = m
	return nil
}

func (d *deskInventory) Share(item schema.Witness, group, by schema.ExternalID) (string, error) {
	role, err := (*deskContent)(d).Share(item, group)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.items[string(item.ID)].givers = map[string]string{string(group): string(by)}
	return role, err
}

func (d *deskInventory) Track(account schema.ExternalID, name, value string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.people[string(account)]
	if p.Tags == nil {
		p.Tags = tags{}
	}
	p.Tags[name] = value
	return nil
}

// pageOf reads one page of a listing.
func pageOf[W, V any](ctx context.Context, c *deskConn, name, marker string, model func(W) (V, error), r httpx.Request, err error) (connectors.Page[V], error) {
	if err != nil {
		return connectors.Page[V]{}, err
	}
	r.Query = url.Values{"limit": {"100"}}
	if marker != "" {
		r.Query.Set("after", marker)
	}
	var page map[string]json.RawMessage
	if err := c.http.Do(ctx, r, &page); err != nil {
		var e *connectors.Error
		if errors.As(err, &e) && e.Status == http.StatusGone && marker != "" {
			e.Err = connectors.ErrMarkerExpired
		}
		return connectors.Page[V]{}, err
	}
	var entries []W
	out := connectors.Page[V]{}
	if json.Unmarshal(page[name], &entries) != nil || json.Unmarshal(page["next"], &out.Next) != nil || entries == nil || marker != "" && out.Next == marker {
		return connectors.Page[V]{}, senseless(r.Op)
	}
	for _, e := range entries {
		v, err := model(e)
		if err != nil {
			return connectors.Page[V]{}, err
		}
		out.Entries = append(out.Entries, v)
	}
	return out, nil
}

func senseless(op string) error {
	return &connectors.Error{Kind: connectors.Malformed, Op: op, Sent: true, Detail: "the listing is not what Desk documents"}
}

func (c *deskConn) ListAccounts(ctx context.Context, marker string) (connectors.Page[schema.Account], error) {
	r, err := c.request("list_accounts", http.MethodGet, "/people", nil, nil, "")
	return pageOf(ctx, c, "people", marker, func(p person) (schema.Account, error) { return c.account("list_accounts", p) }, r, err)
}

func (c *deskConn) ListGroups(ctx context.Context, marker string) (connectors.Page[schema.Group], error) {
	r, err := c.request("list_groups", http.MethodGet, "/groups", nil, nil, "")
	return pageOf(ctx, c, "groups", marker, func(g deskGroup) (schema.Group, error) {
		if g.ID == "" {
			return schema.Group{}, senseless(r.Op)
		}
		return schema.Group{ConnectionID: c.cfg.Connection.ID, ExternalID: schema.ExternalID(g.ID), Name: g.Name}, nil
	}, r, err)
}

func (c *deskConn) ListGroupMembers(ctx context.Context, group schema.ExternalID, marker string) (connectors.Page[schema.GroupMember], error) {
	r, err := c.request("list_members", http.MethodGet, "/groups/"+string(group)+"/members", nil, nil, "", group)
	return pageOf(ctx, c, "members", marker, func(m deskPlace) (schema.GroupMember, error) {
		if m.ID == "" || m.Person == "" {
			return schema.GroupMember{}, senseless(r.Op)
		}
		return schema.GroupMember{
			ExternalID: schema.ExternalID(m.ID), GroupID: group, AccountID: schema.ExternalID(m.Person), Role: m.Role, Permissions: m.Rights,
		}, nil
	}, r, err)
}

func (c *deskConn) ListGroupCollaborations(ctx context.Context, group schema.ExternalID, marker string) (connectors.Page[schema.GroupCollaboration], error) {
	r, err := c.request("list_access", http.MethodGet, "/groups/"+string(group)+"/access", nil, nil, "", group)
	return pageOf(ctx, c, "access", marker, func(a deskAccess) (schema.GroupCollaboration, error) {
		if a.ID == "" || a.Item == "" {
			return schema.GroupCollaboration{}, senseless(r.Op)
		}
		out := schema.GroupCollaboration{
			ExternalID: schema.ExternalID(a.ID), GroupID: group, ItemType: a.Kind, ItemID: schema.ExternalID(a.Item), Role: a.Role, Status: "accepted",
		}
		if a.By != nil {
			out.GrantedBy, out.GrantedByName = a.By.Login, a.By.Name
		}
		return out, nil
	}, r, err)
}
