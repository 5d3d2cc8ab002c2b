package conformance_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"sync/atomic"

	"sendoff/connectors"
	"sendoff/schema"
)

// listing lists accounts in another way.
type listing struct {
	*deskConn
	list func(c *deskConn, ctx context.Context, marker string) (connectors.Page[schema.Account], error)
}

func (l listing) ListAccounts(ctx context.Context, marker string) (connectors.Page[schema.Account], error) {
	return l.list(l.deskConn, ctx, marker)
}

// amendedPage changes what a page of accounts says.
func amendedPage(change func(p *connectors.Page[schema.Account], err *error, marker string)) func(*deskConn) connectors.Connector {
	return func(c *deskConn) connectors.Connector {
		return listing{c, func(c *deskConn, ctx context.Context, marker string) (connectors.Page[schema.Account], error) {
			p, err := c.ListAccounts(ctx, marker)
			change(&p, &err, marker)
			return p, err
		}}
	}
}

// mindful keeps in the connection where its listing is.
type mindful struct {
	*deskConn
	at atomic.Pointer[string]
}

func (c *mindful) ListAccounts(ctx context.Context, marker string) (connectors.Page[schema.Account], error) {
	if at := c.at.Load(); marker != "" && at != nil {
		marker = *at
	} else {
		marker = ""
	}
	p, err := c.deskConn.ListAccounts(ctx, marker)
	if next := p.Next; next != "" {
		c.at.Store(&next)
		p.Next = "more"
	}
	return p, err
}

// unwary believes whatever a listing says: where it goes on, and how long it is.
type unwary struct{ *deskConn }

type unwaryPage[W any] struct {
	People []W    `json:"people"`
	Groups []W    `json:"groups"`
	Next   string `json:"next"`
	Count  int    `json:"count"`
}

func (c unwary) ListAccounts(ctx context.Context, marker string) (out connectors.Page[schema.Account], err error) {
	var page unwaryPage[person]
	r, err := c.request("list_accounts", http.MethodGet, "/people", url.Values{"limit": {"100"}, "after": {marker}}, nil, "")
	if err := c.do(ctx, &page, r, err); err != nil {
		return out, err
	}
	for _, p := range page.People {
		a, err := c.account("list_accounts", p)
		if err != nil {
			return out, err
		}
		out.Entries = append(out.Entries, a)
	}
	out.Next = page.Next
	return out, nil
}

func (c unwary) ListGroups(ctx context.Context, marker string) (out connectors.Page[schema.Group], err error) {
	var page unwaryPage[deskGroup]
	r, err := c.request("list_groups", http.MethodGet, "/groups", url.Values{"limit": {"100"}, "after": {marker}}, nil, "")
	if err := c.do(ctx, &page, r, err); err != nil {
		return out, err
	}
	for _, g := range page.Groups {
		out.Entries = append(out.Entries, schema.Group{ConnectionID: c.cfg.Connection.ID, ExternalID: schema.ExternalID(g.ID), Name: g.Name})
	}
	if out.Next = page.Next; len(out.Entries) >= page.Count {
		out.Next = ""
	}
	return out, nil
}

// coarse lists groups without what is to be known of them.
type coarse struct{ *deskConn }

func (c coarse) ListGroupMembers(ctx context.Context, group schema.ExternalID, marker string) (connectors.Page[schema.GroupMember], error) {
	p, err := c.deskConn.ListGroupMembers(ctx, group, marker)
	for i := range p.Entries {
		p.Entries[i].Permissions = nil
	}
	if connectors.KindOf(err) == connectors.NotFound {
		err = nil
	}
	return p, err
}

func (c coarse) ListGroupCollaborations(ctx context.Context, group schema.ExternalID, marker string) (connectors.Page[schema.GroupCollaboration], error) {
	p, err := c.deskConn.ListGroupCollaborations(ctx, group, marker)
	for i := range p.Entries {
		p.Entries[i].Role = "reader or more"
	}
	return p, err
}

// gossip changes who is said to have given access.
type gossip struct {
	*deskConn
	change func(*schema.GroupCollaboration)
}

func (c gossip) ListGroupCollaborations(ctx context.Context, group schema.ExternalID, marker string) (connectors.Page[schema.GroupCollaboration], error) {
	p, err := c.deskConn.ListGroupCollaborations(ctx, group, marker)
	for i := range p.Entries {
		c.change(&p.Entries[i])
	}
	return p, err
}

func brokenInventories() []broken {
	asExpired := func(err *error, when bool) {
		var e *connectors.Error
		if when && errors.As(*err, &e) {
			e.Err = connectors.ErrMarkerExpired
		}
	}
	return []broken{
		{"lists_one_page", "inventory/accounts/pages", amendedPage(func(p *connectors.Page[schema.Account], _ *error, _ string) { p.Next = "" })},
		{"remembers_where_it_is", "inventory/accounts/pages", func(c *deskConn) connectors.Connector { return &mindful{deskConn: c} }},
		{"leaves_out_the_suspended", "inventory/accounts/pages", amendedPage(func(p *connectors.Page[schema.Account], _ *error, _ string) {
			var rest []schema.Account
			for _, a := range p.Entries {
				if a.Status != schema.AccountSuspended {
					rest = append(rest, a)
				}
			}
			p.Entries = rest
		})},
		{"lists_less_than_it_reads", "inventory/same_as_read", amendedPage(func(p *connectors.Page[schema.Account], _ *error, _ string) {
			for i := range p.Entries {
				p.Entries[i].Role = schema.RoleMember
			}
		})},
		{"forgets_attributes", "inventory/tracking", amendedPage(func(p *connectors.Page[schema.Account], _ *error, _ string) {
			for i := range p.Entries {
				p.Entries[i].Tracking = nil
			}
		})},
		{"believes_the_total", "inventory/groups/total_too_low", func(c *deskConn) connectors.Connector { return unwary{c} }},
		{"sees_no_permissions", "inventory/members/pages", func(c *deskConn) connectors.Connector { return coarse{c} }},
		{"guesses_roles", "inventory/access/pages", func(c *deskConn) connectors.Connector { return coarse{c} }},
		{"forgets_who_gave_access", "inventory/granters", func(c *deskConn) connectors.Connector {
			return gossip{c, func(a *schema.GroupCollaboration) { a.GrantedBy, a.GrantedByName = "", "" }}
		}},
		{"makes_up_who_gave_access", "inventory/granters", func(c *deskConn) connectors.Connector {
			return gossip{c, func(a *schema.GroupCollaboration) { a.GrantedByName = cmp.Or(a.GrantedByName, "somebody") }}
		}},
		{"takes_a_group_that_is_gone_for_empty", "inventory/absent_group", func(c *deskConn) connectors.Connector { return coarse{c} }},
		{"takes_an_expired_marker_for_the_end", "inventory/expired_marker", amendedPage(func(_ *connectors.Page[schema.Account], err *error, _ string) {
			if errors.Is(*err, connectors.ErrMarkerExpired) {
				*err = nil
			}
		})},
		{"takes_an_outage_for_an_expired_marker", "inventory/expired_marker", amendedPage(func(_ *connectors.Page[schema.Account], err *error, marker string) {
			asExpired(err, marker != "")
		})},
		{"hides_what_kind_of_error", "inventory/expired_marker", amendedPage(func(_ *connectors.Page[schema.Account], err *error, _ string) {
			if errors.Is(*err, connectors.ErrMarkerExpired) {
				*err = connectors.ErrMarkerExpired
			}
		})},
		{"begins_anew_for_ever", "inventory/refused_start", amendedPage(func(_ *connectors.Page[schema.Account], err *error, _ string) {
			var e *connectors.Error
			asExpired(err, errors.As(*err, &e) && e.Status == http.StatusGone)
		})},
		{"goes_round_in_circles", "inventory/stuck", func(c *deskConn) connectors.Connector { return unwary{c} }},
		{"takes_half_a_page_for_the_last", "inventory/cut", amendedPage(func(_ *connectors.Page[schema.Account], err *error, _ string) {
			if connectors.KindOf(*err) == connectors.Unavailable {
				*err = nil
			}
		})},
		{"lists_whatever_id", "hostile_ids/list_group_members", func(c *deskConn) connectors.Connector { return pathless{c} }},
	}
}

// pathless joins ids into paths as they come.
type pathless struct{ *deskConn }

func (c pathless) ListGroupMembers(ctx context.Context, group schema.ExternalID, _ string) (out connectors.Page[schema.GroupMember], err error) {
	if _, err := c.ListGroups(ctx, ""); err != nil { // for the rate and the token
		return out, err
	}
	status, body, err := c.raw(ctx, http.MethodGet, "/groups/"+string(group)+"/members?limit=100", "")
	if err := rawError("desk.list_members", status, err); err != nil {
		return out, err
	}
	return out, json.Unmarshal([]byte(body), &struct{}{})
}
