package activities

import (
	"context"

	"sendoff/connectors"
	"sendoff/internal/policy"
	"sendoff/schema"
)

// restraintOf reads what forbids to touch an account, or to move its content: our
// holds and protections, and when vendor is set the vendor's own legal holds. A
// connection that may not read those is no failure: it is known to be unknown.
func restraintOf(ctx context.Context, s Store, c connectors.Connector, conn schema.Connection, account schema.Account, vendor bool) (policy.Restraint, error) {
	var r policy.Restraint
	var err error
	if r.Own, err = s.RestrictionsOn(ctx, conn.ID, account.ExternalID, account.Login); err != nil || !vendor {
		return r, err
	}
	reader, err := connectors.Capability[connectors.HoldReader](c, "read_holds")
	if err == nil {
		r.Vendor, err = reader.Holds(ctx, account.ExternalID)
	}
	switch connectors.KindOf(err) {
	case "":
		r.Known = schema.HoldsRead
		return r, err
	case connectors.Unsupported, connectors.Forbidden, connectors.NotFound, connectors.Invalid:
	default:
		return r, err
	}
	r.Known = schema.HoldsUnreadable
	if r.DeclaredAt, err = s.HoldsDeclaredAt(ctx, conn.ID); !r.DeclaredAt.IsZero() {
		r.Known = schema.HoldsDeclared
	}
	return r, err
}

// restrain reads the plan's restraint afresh and refuses what it forbids: it
// stands directly before every call that moves or destroys content (promise 6).
func (a *Activities) restrain(ctx context.Context, w work, now schema.Account, e policy.Effects) (policy.Restraint, error) {
	r, err := restraintOf(ctx, a.store, w.c, w.conn, now, true)
	if err != nil {
		return r, err
	}
	if w.plan.Facts.Holds == schema.HoldsRead && r.Known == schema.HoldsDeclared && r.DeclaredAt.Before(w.plan.CreatedAt) {
		r.Known = schema.HoldsUnreadable // they could be read: a word given before that does not cover it
	}
	for _, f := range policy.CheckRestraint(w.conn, w.source(), e, r) {
		if f.Warning {
			continue
		}
		code, fix := schema.ParkOnHold, "wait until it is released (sendoff hold release, or at the vendor), then resume"
		switch f.Code {
		case schema.SourceProtected:
			code, fix = schema.ParkSourceProtected, f.Fix+"; then resume"
		case schema.HoldsUnreadableNow:
			code, fix = schema.ParkHoldsUnreadable, f.Fix+"; then resume"
		}
		return r, &Refusal{Code: code, Message: f.Message, Fix: fix}
	}
	return r, nil
}
