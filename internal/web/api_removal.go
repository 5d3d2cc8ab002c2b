package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"sendoff/schema"
)

type removeConnectionInput struct {
	ConnectionName
	Reason    string `query:"reason"`
	Unrevoked bool   `query:"unrevoked" doc:"Remove it also when its tokens cannot be revoked at the vendor"`
}

type removeConnectionOutput struct {
	Body struct {
		Connection connectionBody    `json:"connection"`
		Revocation schema.Revocation `json:"revocation"`
	}
}

// removalPatience bounds what follows a revocation.
const removalPatience = 30 * time.Second

func (s *server) registerRemoval() {
	handle(s, route{
		id: "remove-connection", method: http.MethodDelete, path: "/v1/connections/{name}", roles: adminsOnly(),
		summary: "Revoke a connection's tokens at the vendor, with proof, and forget the connection and its secrets; refused while plans are open on it",
	}, s.removeConnection)
}

// removeConnection revokes, proves and forgets, in that order. The connection is
// disabled meanwhile: nothing new begins on it that would lose its token.
func (s *server) removeConnection(ctx context.Context, by schema.Principal, in *removeConnectionInput) (*removeConnectionOutput, error) {
	if err := reasonFault(in.Reason); err != nil {
		return nil, err
	}
	c, err := s.removable(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	if c.State == schema.ConnectionEnabled {
		if _, err := s.store.SetConnectionState(ctx, c.Name, schema.ConnectionDisabled, "its removal began", by); err != nil {
			return nil, err
		}
	}
	r, failure := s.checker.RevokeConnection(ctx, c)
	// What was revoked is removed, also when the caller is gone.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removalPatience)
	defer cancel()
	if failure != nil && !in.Unrevoked {
		return nil, s.unremoved(ctx, by, c, failure)
	}
	if failure != nil && r.Why == "" {
		r.Why = problemOf(failure).Detail
	}
	removed, err := s.store.RemoveConnection(ctx, c.Name, strings.TrimSpace(in.Reason), r, by)
	if err != nil {
		return nil, err
	}
	out := &removeConnectionOutput{}
	out.Body.Connection, out.Body.Revocation = connectionOf(removed), r
	return out, nil
}

// removable refuses before anything is asked of the vendor.
func (s *server) removable(ctx context.Context, name string) (schema.Connection, error) {
	c, err := s.store.ConnectionByName(ctx, name)
	if err != nil {
		return c, err
	}
	open, err := s.store.OpenPlansOn(ctx, c.ID)
	if err == nil && open > 0 {
		err = &schema.Error{
			Code: schema.CodeConflict, Message: strconv.Itoa(open) + " plans are open on connection " + c.Name,
			Fix: "cancel them or wait for their end; disable the connection to stop its writes now",
		}
	}
	return c, err
}

// unremoved puts the connection back to what it was.
func (s *server) unremoved(ctx context.Context, by schema.Principal, c schema.Connection, failure error) error {
	left := "is stored as before"
	if c.State == schema.ConnectionEnabled {
		if _, err := s.store.SetConnectionState(ctx, c.Name, schema.ConnectionEnabled, "its tokens could not be revoked, so it was not removed", by); err != nil {
			left = "is disabled"
		}
	}
	return &schema.Error{
		Code:    schema.CodeVendor,
		Message: "the tokens of connection " + c.Name + " were not shown to be revoked at the vendor, so it was not removed and " + left + ": " + problemOf(failure).Detail,
		Fix:     "mend that and remove it again; or remove it with --unrevoked and end the application's access in the vendor's console",
	}
}
