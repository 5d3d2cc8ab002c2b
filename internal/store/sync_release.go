package store

import (
	"context"
	"strings"

	"sendoff/schema"
)

// ReleaseRun applies a quarantined sync after all: an admin looked, and so many
// accounts are gone. CodeConflict when it is not quarantined, or a later sync was
// applied since. Audited.
func (s *Store) ReleaseRun(ctx context.Context, id schema.RunID, reason string, by schema.Principal) (schema.Run, error) {
	if err := checkReason(reason, by); err != nil {
		return schema.Run{}, err
	}
	run, err := s.publish(ctx, "release a sync", id, func(ctx context.Context, p *publication) error {
		if err := p.requireQuarantined(ctx); err != nil {
			return err
		}
		return p.apply(ctx, principal(by), map[string]string{"released": reason})
	})
	if err != nil {
		return schema.Run{}, err
	}
	// What it brought is matched now rather than by the next sync.
	_, err = s.Correlate(ctx, run.ConnectionID)
	return run, err
}

// DiscardRun gives a quarantined sync up: what it staged is dropped and the next
// one may begin. CodeConflict when it is not quarantined. Audited.
func (s *Store) DiscardRun(ctx context.Context, id schema.RunID, reason string, by schema.Principal) (schema.Run, error) {
	if err := checkReason(reason, by); err != nil {
		return schema.Run{}, err
	}
	return s.publish(ctx, "discard a sync", id, func(ctx context.Context, p *publication) error {
		if err := p.requireQuarantined(ctx); err != nil {
			return err
		}
		p.recordRun(p.sync, principal(by), "sync.discarded", map[string]string{"reason": reason})
		if err := p.changeOne(ctx, `update run set state = 'discarded' where id = @id`, args{"id": id}); err != nil {
			return err
		}
		return p.clearAlarm(ctx, p.sync.ConnectionID, schema.AlarmSyncQuarantined)
	})
}

func checkReason(reason string, by schema.Principal) error {
	if err := checkPrincipal(by); err != nil {
		return err
	}
	if strings.TrimSpace(reason) == "" {
		return &schema.Error{Code: schema.CodeInvalid, Message: "this needs a reason", Fix: "say what you found at the vendor; it is kept in the audit trail"}
	}
	return nil
}

// requireQuarantined refuses a sync that does not wait for an admin. One that was
// overtaken is told apart: it is older than what is known.
func (p *publication) requireQuarantined(ctx context.Context) error {
	if p.sync.State == schema.RunQuarantined {
		return nil
	}
	later, err := scalar[string](ctx, p, `select coalesce(max(id::text), '') from run
		where connection_id = @connection and kind = 'sync' and state in ('done', 'quarantined') and id > @id`,
		args{"connection": p.sync.ConnectionID, "id": p.sync.ID})
	switch {
	case err != nil:
		return err
	case p.sync.State == schema.RunDiscarded && later != "":
		return conflict("run "+string(p.sync.ID)+" is older than what is known: run "+later+" listed the vendor since", "nothing is left to do with it")
	}
	return conflict("run "+string(p.sync.ID)+" is "+string(p.sync.State)+", not quarantined", "sendoff runs list --state quarantined shows those that wait")
}
