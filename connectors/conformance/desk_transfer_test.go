package conformance_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"sendoff/connectors"
	"sendoff/connectors/httpx"
	"sendoff/schema"
)

func (c *deskConn) Memberships(ctx context.Context, id schema.ExternalID) ([]schema.Membership, error) {
	var all []schema.Membership
	r, err := c.request("list_memberships", http.MethodGet, "/people/"+string(id)+"/memberships", nil, nil, "", id)
	err = each(ctx, c, "memberships", func(m place) error {
		all = append(all, schema.Membership{ID: m.ID, GroupID: m.Group, Role: m.Role, Permissions: m.Rights})
		return nil
	}, r, err)
	return all, err
}

type place struct {
	ID     schema.ExternalID `json:"id,omitempty"`
	Person schema.ExternalID `json:"person"`
	Group  schema.ExternalID `json:"group"`
	Role   string            `json:"role"`
	Rights map[string]bool   `json:"rights,omitempty"`
}

func (c *deskConn) RemoveMembership(ctx context.Context, m schema.Membership) error {
	r, err := c.request("remove_membership", http.MethodDelete, "/memberships/"+string(m.ID), nil, nil, "", m.ID)
	return c.do(ctx, nil, r, err)
}

func (c *deskConn) AddMembership(ctx context.Context, account schema.ExternalID, m schema.Membership) error {
	body := place{Person: account, Group: m.GroupID, Role: m.Role, Rights: m.Permissions}
	r, err := c.request("add_membership", http.MethodPost, "/memberships", nil, body, "", account, m.GroupID)
	return c.do(ctx, nil, r, err)
}

type thing struct {
	ID     schema.ExternalID `json:"id"`
	Kind   string            `json:"kind"`
	Owner  schema.ExternalID `json:"owner"`
	Folder schema.ExternalID `json:"folder"`
	Size   int64             `json:"size"`
}

func (c *deskConn) items(ctx context.Context, op, trashed string, owner schema.ExternalID, fn func(thing)) error {
	r, err := c.request(op, http.MethodGet, "/items", url.Values{"trashed": {trashed}}, nil, owner, owner)
	return each(ctx, c, "items", func(i thing) error { fn(i); return nil }, r, err)
}

func (c *deskConn) RootItems(ctx context.Context, owner schema.ExternalID) (owned []schema.Witness, foreign int, err error) {
	err = c.items(ctx, "list_root", "false", owner, func(i thing) {
		if i.Owner != owner {
			foreign++
			return
		}
		owned = append(owned, schema.Witness{ID: i.ID, Type: i.Kind})
	})
	return owned, foreign, err
}

func (c *deskConn) TrashItems(ctx context.Context, owner schema.ExternalID) (trash []schema.Witness, bytes int64, err error) {
	err = c.items(ctx, "list_trash", "true", owner, func(i thing) {
		trash = append(trash, schema.Witness{ID: i.ID, Type: i.Kind})
		bytes += i.Size
	})
	return trash, bytes, err
}

func (c *deskConn) ItemCollaborations(ctx context.Context, owner schema.ExternalID, w schema.Witness) ([]schema.SharedBy, error) {
	var all []schema.SharedBy
	type share struct {
		With schema.ExternalID `json:"with"`
		Role string            `json:"role"`
	}
	r, err := c.request("list_shares", http.MethodGet, "/items/"+string(w.ID)+"/shares", nil, nil, owner, owner, w.ID)
	err = each(ctx, c, "shares", func(s share) error {
		all = append(all, schema.SharedBy{ItemID: w.ID, Type: w.Type, With: s.With, Role: s.Role})
		return nil
	}, r, err)
	return all, err
}

func (c *deskConn) HasFolderAccess(ctx context.Context, owner, folder, account schema.ExternalID) (bool, error) {
	all, err := c.ItemCollaborations(ctx, owner, schema.Witness{ID: folder, Type: "folder"})
	for _, s := range all {
		if s.With == account && s.Role == "co-owner" {
			return true, err
		}
	}
	return false, err
}

func (c *deskConn) GrantFolderAccess(ctx context.Context, owner, folder, account schema.ExternalID) error {
	body := map[string]string{"with": string(account), "role": "co-owner"}
	r, err := c.request("grant_access", http.MethodPost, "/items/"+string(folder)+"/shares", nil, body, owner, owner, folder, account)
	return c.do(ctx, nil, r, err)
}

// locate reads an item as its receiver sees it; not found is an answer.
func (c *deskConn) locate(ctx context.Context, receiver schema.ExternalID, w schema.Witness) (i thing, found bool, err error) {
	r, err := c.request("locate_item", http.MethodGet, "/items/"+string(w.ID), nil, nil, receiver, receiver, w.ID)
	err = c.do(ctx, &i, r, err)
	switch connectors.KindOf(err) {
	case connectors.NotFound, connectors.Forbidden:
		return thing{}, false, nil
	}
	if err == nil && i.ID != w.ID {
		err = &connectors.Error{Kind: connectors.Malformed, Op: "desk.locate_item", Sent: true, Detail: "the answer is about another item"}
	}
	return i, err == nil, err
}

func (c *deskConn) LocateWitness(ctx context.Context, receiver schema.ExternalID, w schema.Witness) (schema.WitnessPlace, error) {
	i, found, err := c.locate(ctx, receiver, w)
	return schema.WitnessPlace{Found: found, Owner: i.Owner, FolderID: i.Folder}, err
}

func (c *deskConn) LocateTrashed(ctx context.Context, receiver schema.ExternalID, w schema.Witness) (bool, error) {
	i, found, err := c.locate(ctx, receiver, w)
	return found && i.Owner == receiver, err
}

func (c *deskConn) PrepareTransfer(ctx context.Context, source, receiver schema.ExternalID) (connectors.PreparedTransfer, error) {
	body := map[string]string{"to": string(receiver)}
	r, err := c.request("transfer", http.MethodPost, "/people/"+string(source)+"/hand-over", nil, body, "", source, receiver)
	if err == nil && source == receiver {
		err = &connectors.Error{Kind: connectors.Invalid, Op: r.Op, Detail: "source and receiver are the same account"}
	}
	if err != nil {
		return nil, err
	}
	r.Timeout = 15 * time.Minute
	shot, err := c.http.Prepare(ctx, r)
	if err != nil {
		return nil, err
	}
	return &deskTransfer{shot: shot, now: c.cfg.Now}, nil
}

type deskTransfer struct {
	shot *httpx.OneShot
	now  func() time.Time
}

func (p *deskTransfer) Send(ctx context.Context) schema.TransferOutcome {
	o := deskOutcome(p.shot.Send(ctx))
	o.EndedAt = p.now().UTC()
	return o
}

// deskOutcome sorts the answer: what does not say for certain that nothing was
// started is unknown.
func deskOutcome(a httpx.Answer) schema.TransferOutcome {
	o := schema.TransferOutcome{Class: schema.OutcomeUnknown, HTTPStatus: a.Status, RetryAfter: a.RetryAfter, Reason: "the answer does not tell"}
	var env deskEnvelope
	told := a.Whole && json.Unmarshal(a.Body, &env) == nil && env.Error.Code != ""
	var accepted struct {
		Folder schema.ExternalID `json:"folder"`
	}
	switch {
	case !a.Written:
		o.Class, o.Reason = schema.OutcomeNotStarted, "nothing was sent"
	case a.Status >= 200 && a.Status < 300:
		o.Class, o.Reason = schema.OutcomeAccepted, "Desk accepted the request"
		if json.Unmarshal(a.Body, &accepted) == nil {
			o.FolderID = accepted.Folder
		}
	case a.Status == http.StatusTooManyRequests:
		o.Class, o.Reason = schema.OutcomeRateLimited, "Desk asks for fewer calls"
	case a.ExpiredToken:
		o.Class, o.Reason = schema.OutcomeUnauthorized, "Desk did not accept the token"
	case a.Status == http.StatusConflict:
		o.Class, o.Reason = schema.OutcomeBusy, "another job runs"
	case told && a.Status >= 400 && a.Status < 500:
		o.Class, o.Reason = schema.OutcomeRefused, "Desk refused the transfer"
		o.Cause = map[string]schema.RefusalCause{"no_room": schema.RefusedReceiverFull, "source_is_shut": schema.RefusedInactiveSource}[env.Error.Code]
	}
	return o
}
