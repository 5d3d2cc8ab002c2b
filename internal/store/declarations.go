package store

import (
	"context"
	"strings"
	"time"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// maxDeclaration is the longest that a declaration counts: whoever made it is
// asked again each year.
const maxDeclaration = 365 * 24 * time.Hour

const declarationColumns = `d.connection_id, d.reason, d.declared_by, d.declared_at, d.expires_at, d.withdrawn_at`

// DeclareNoHolds keeps an admin's word that the connection's vendor has no legal
// holds, until it expires; it takes the place of an earlier one. CodeInvalid when
// it gives no reason, or an expiry that has passed or is over a year away.
func (s *Store) DeclareNoHolds(ctx context.Context, name string, d schema.Declaration, by schema.Principal) (schema.Declaration, error) {
	if err := checkPrincipal(by); err != nil {
		return d, err
	}
	if strings.TrimSpace(d.Reason) == "" {
		return d, &schema.Error{Code: schema.CodeInvalid, Message: "a declaration needs a reason", Fix: "say how you know; it is kept in the audit trail"}
	}
	err := s.inTx(ctx, "declare no legal holds", func(ctx context.Context, t *tx) error {
		c, err := t.lockConnection(ctx, name)
		if err != nil {
			return err
		}
		if !d.ExpiresAt.After(t.now) || d.ExpiresAt.Sub(t.now) > maxDeclaration {
			return &schema.Error{Code: schema.CodeInvalid, Message: "a declaration counts for a year at most, and from now on", Fix: "let it expire within 365 days, such as --expires 30d"}
		}
		d.ConnectionID, d.DeclaredBy, d.DeclaredAt, d.WithdrawnAt = c.ID, by.Name, t.now, time.Time{}
		d.ExpiresAt = d.ExpiresAt.UTC()
		t.recordDeclaration(c, by, "connection.no_holds_declared", map[string]string{"reason": d.Reason, "expires_at": schema.FormatInstant(d.ExpiresAt)})
		return t.run(ctx, `insert into no_holds_declaration (connection_id, reason, declared_by, declared_at, expires_at)
			values (@id, @reason, @by, @now, @expires)
			on conflict (connection_id) do update set reason = @reason, declared_by = @by, declared_at = @now, expires_at = @expires, withdrawn_at = null`,
			args{"id": c.ID, "reason": d.Reason, "by": by.Name, "now": t.now, "expires": d.ExpiresAt})
	})
	if err != nil {
		return schema.Declaration{}, err
	}
	return d, nil
}

// WithdrawDeclaration ends a live declaration before its time. CodeConflict when
// there is none.
func (s *Store) WithdrawDeclaration(ctx context.Context, name, reason string, by schema.Principal) (schema.Declaration, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.Declaration{}, err
	}
	var d schema.Declaration
	err := s.inTx(ctx, "withdraw declaration", func(ctx context.Context, t *tx) error {
		c, err := t.lockConnection(ctx, name)
		if err != nil {
			return err
		}
		var ok bool
		d, ok, err = maybe[schema.Declaration](ctx, t, `update no_holds_declaration d set withdrawn_at = @now
			where d.connection_id = @id and d.withdrawn_at is null and d.expires_at > @now returning `+declarationColumns,
			args{"id": c.ID, "now": t.now})
		if err == nil && !ok {
			err = conflict("connection "+name+" has no live declaration", "nothing is left to withdraw")
		}
		t.recordDeclaration(c, by, "connection.no_holds_withdrawn", map[string]string{"reason": reason})
		return err
	})
	return d, err
}

func (t *tx) lockConnection(ctx context.Context, name string) (schema.Connection, error) {
	c, ok, err := maybe[schema.Connection](ctx, t, `select `+connectionColumns+` from connection
		where name = @name and state <> 'removed' for no key update`, args{"name": name})
	if err == nil && !ok {
		err = notFound("connection", name)
	}
	return c, err
}

func (t *tx) recordDeclaration(c schema.Connection, by schema.Principal, action string, details map[string]string) {
	t.record(audit.ConnectionStream(string(c.ID)), principal(by), action, audit.Subject{ConnectionID: string(c.ID)}, details)
}

// Declarations returns the last declaration of each connection that has one, by
// connection; Live tells which count.
func (s *Store) Declarations(ctx context.Context) (map[schema.ConnectionID]schema.Declaration, error) {
	list, err := all[schema.Declaration](ctx, s.pool, `select `+declarationColumns+` from no_holds_declaration d
		join connection c on c.id = d.connection_id where c.state <> 'removed'`, nil)
	if err != nil {
		return nil, translate("read declarations", err)
	}
	byConnection := make(map[schema.ConnectionID]schema.Declaration, len(list))
	for _, d := range list {
		byConnection[d.ConnectionID] = d
	}
	return byConnection, nil
}
