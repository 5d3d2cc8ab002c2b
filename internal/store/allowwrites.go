package store

import (
	"context"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// AllowConnectionWrites lets a read-only connection write, as after a recovery
// that took the right away. CodeConflict when another connection writes to its
// enterprise or has open plans there. A connection that may write already stays as it is.
func (s *Store) AllowConnectionWrites(ctx context.Context, name, reason string, by schema.Principal) (schema.Connection, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.Connection{}, err
	}
	if reason == "" {
		return schema.Connection{}, &schema.Error{Code: schema.CodeInvalid, Message: "allowing writes needs a reason", Fix: "say what was looked at, so that others can follow"}
	}
	var c schema.Connection
	err := s.inTx(ctx, "allow writes", func(ctx context.Context, t *tx) error {
		var ok bool
		var err error
		c, ok, err = maybe[schema.Connection](ctx, t, `select `+connectionColumns+` from connection
			where name = @name and state <> 'removed' for no key update`, args{"name": name})
		if err == nil && !ok {
			err = notFound("connection", name)
		}
		if err != nil || !c.ReadOnly {
			return err
		}
		return t.allowWrites(ctx, &c, reason, by)
	})
	return c, err
}

func (t *tx) allowWrites(ctx context.Context, c *schema.Connection, reason string, by schema.Principal) error {
	writer, ok, err := maybe[struct{ Name string }](ctx, t, `select name from connection
		where vendor = @vendor and enterprise_id = @enterprise and state <> 'removed' and not read_only`,
		args{"vendor": c.Vendor, "enterprise": c.EnterpriseID})
	if err != nil {
		return err
	}
	if ok {
		return conflict("connection "+writer.Name+" already writes to "+c.Vendor+" enterprise "+c.EnterpriseID+
			": with two, one account could be worked on twice at once", "remove "+writer.Name+" first")
	}
	if err := t.refuseBesideOpenPlans(ctx, *c); err != nil {
		return err
	}
	*c, err = one[schema.Connection](ctx, t, `update connection set read_only = false, version = version + 1, updated_at = @now
		where id = @id returning `+connectionColumns, args{"id": c.ID, "now": t.now})
	t.record(audit.ConnectionStream(string(c.ID)), principal(by), "connection.writes_allowed", audit.Subject{ConnectionID: string(c.ID)},
		map[string]string{"reason": reason})
	return err
}
