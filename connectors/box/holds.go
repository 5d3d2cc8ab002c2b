package box

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"sendoff/connectors"
	"sendoff/schema"
)

const opListHolds = "box.list_holds"

// holdPolicy is Box's legal hold policy, as far as it is read
// (https://developer.box.com/reference/resources/legal-hold-policy/).
type holdPolicy struct {
	ID     text   `json:"id"`
	Status string `json:"status"`
}

// over tells whether the policy holds nothing any more. One that is being
// released does still, and so does one in a state that Box does not document.
func (p holdPolicy) over() bool { return p.Status == "released" }

// holdAssignment ties a policy to what it holds
// (https://developer.box.com/reference/resources/legal-hold-policy-assignment/).
// One whose release was asked for holds until it is gone.
type holdAssignment struct {
	ID         text `json:"id"`
	AssignedTo *ref `json:"assigned_to"`
}

// custodianTypes are the ways in which a policy holds a user: all they may
// reach, what they own, and what they work on.
func custodianTypes() []string { return []string{"user", "ownership", "interactions"} }

// holdsOn lists the policies that hold a user. There is no such question at
// Box: each policy is asked for its assignments to that user. It needs the
// governance scope; without it Box answers 403. It fails when a policy cannot be
// asked, unless another one holds the user anyway.
func (c *client) holdsOn(ctx context.Context, user schema.ExternalID) ([]holdPolicy, error) {
	if user == "" {
		return nil, invalid(opListHolds, "the account's id is empty")
	}
	if err := checkIDs(opListHolds, user); err != nil {
		return nil, err
	}
	var live, held []holdPolicy
	k := call{op: opListHolds, path: "/legal_hold_policies", query: fields("id", "status")}
	err := eachByMarker(ctx, c, k, func(p holdPolicy) error {
		if p.ID == "" {
			return malformed(opListHolds, "a legal hold policy lacks its id")
		}
		if !p.over() {
			live = append(live, p)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var unread error
	for _, p := range live {
		yes, err := c.holdsUser(ctx, p, user)
		if err != nil && unread == nil {
			unread = err
		}
		if yes {
			held = append(held, p)
		}
	}
	if len(held) > 0 {
		// One hold is enough: what else could not be read must not hide it from
		// a connection for which somebody has declared that there are none.
		return held, nil
	}
	return nil, unread
}

func (c *client) holdsUser(ctx context.Context, p holdPolicy, user schema.ExternalID) (bool, error) {
	for _, as := range custodianTypes() {
		q := with(with(with(fields("id", "assigned_to"), "policy_id", string(p.ID)), "assign_to_type", as), "assign_to_id", string(user))
		err := eachByMarker(ctx, c, call{op: opListHolds, path: "/legal_hold_policy_assignments", query: q}, func(a holdAssignment) error {
			// An assignment that does not say whom it holds was asked for by id.
			if id := a.AssignedTo.id(); id == "" || id == user {
				return errFound
			}
			return nil
		})
		if errors.Is(err, errFound) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	return false, nil
}

// errFound ends a listing of which one entry suffices.
var errFound = errors.New("found")

// anyRetention tells whether the enterprise has a retention policy. A retired
// one counts: what it retained stays retained
// (https://support.box.com/hc/en-us/articles/360043694514).
func (c *client) anyRetention(ctx context.Context) (bool, error) {
	const op = "box.list_retention"
	err := eachByMarker(ctx, c, call{op: op, path: "/retention_policies", query: fields("id")}, func(ref) error { return errFound })
	if errors.Is(err, errFound) {
		return true, nil
	}
	return false, err
}

// notServed tells whether Box does not have the endpoint at all.
func notServed(err error) bool {
	var e *connectors.Error
	return errors.As(err, &e) && (e.Status == http.StatusMethodNotAllowed || e.Status == http.StatusGone)
}

// locked tells whether a folder is locked against moves, which keeps it from
// going to another owner. Only the owner may ask
// (https://developer.box.com/guides/folders/single/create-lock/).
func (c *client) locked(ctx context.Context, owner, folder schema.ExternalID) (bool, error) {
	const op = "box.list_folder_locks"
	if owner == "" || folder == "" {
		return false, invalid(op, "an id is empty")
	}
	if err := checkIDs(op, owner, folder); err != nil {
		return false, err
	}
	found := false
	k := call{op: op, path: "/folder_locks", query: url.Values{"folder_id": {string(folder)}}, asUser: owner}
	_, err := each(ctx, c, k, func(ref) error {
		found = true
		return nil
	})
	return found, err
}
