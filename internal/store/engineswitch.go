package store

import (
	"context"

	"sendoff/internal/audit"
	"sendoff/schema"
)

const switchColumns = `paused, reason, changed_by, changed_at`

// Switch returns the engine's one switch (promise 12).
func (s *Store) Switch(ctx context.Context) (schema.Switch, error) {
	state, err := one[schema.Switch](ctx, s.pool, `select `+switchColumns+` from engine_switch`, nil)
	return state, translate("read the switch", err)
}

// SetSwitch pauses or unpauses all writes of the engine. A pause needs a reason.
func (s *Store) SetSwitch(ctx context.Context, to schema.Switch, by schema.Principal) (schema.Switch, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.Switch{}, err
	}
	if to.Paused && to.Reason == "" {
		return schema.Switch{}, &schema.Error{Code: schema.CodeInvalid, Message: "a pause needs a reason", Fix: "say why, so that the next person knows when to unpause"}
	}
	var state schema.Switch
	err := s.inTx(ctx, "set the switch", func(ctx context.Context, t *tx) (err error) {
		state, err = one[schema.Switch](ctx, t, `update engine_switch
			set paused = @paused, reason = @reason, changed_by = @by, changed_at = @now returning `+switchColumns,
			args{"paused": to.Paused, "reason": to.Reason, "by": by.Name, "now": t.now})
		action := "engine.unpaused"
		if to.Paused {
			action = "engine.paused"
		}
		t.record(audit.SystemStream, principal(by), action, audit.Subject{}, map[string]string{"reason": to.Reason})
		return err
	})
	return state, err
}

// AllowWrite tells whether a write may be sent over the connection now:
// CodePaused, CodeReadOnly, or CodeClosed when it is disabled or removed. An
// error of any kind means no: without an answer nothing is sent.
func (s *Store) AllowWrite(ctx context.Context, id schema.ConnectionID) error {
	return translate("check whether writing is allowed", allowWrite(ctx, s.pool, id))
}

func allowWrite(ctx context.Context, q querier, id schema.ConnectionID) error {
	row, err := one[struct {
		Paused   bool
		State    schema.ConnectionState
		ReadOnly bool
	}](ctx, q, `select s.paused, coalesce(c.state, '') as state, coalesce(c.read_only, true) as read_only
		from engine_switch s left join connection c on c.id = @id`, args{"id": id})
	if err != nil {
		return err
	}
	switch {
	case row.Paused:
		return &schema.Error{Code: schema.CodePaused, Message: "the engine is paused", Fix: "sendoff unpause"}
	case row.State == "":
		return notFound("connection", string(id))
	case row.State != schema.ConnectionEnabled:
		return &schema.Error{Code: schema.CodeClosed, Message: "connection " + string(id) + " is " + string(row.State), Fix: "enable the connection"}
	case row.ReadOnly:
		return &schema.Error{
			Code: schema.CodeReadOnly, Message: "connection " + string(id) + " is read-only",
			Fix: "remove it and connect again without --read-only",
		}
	}
	return nil
}
