package store

import (
	"context"

	"sendoff/schema"
)

// identitySQL names the database such that a restored, copied or promoted one is
// another: the cluster, its timeline, the database and the table itself, which a
// dump makes anew.
const identitySQL = `select (select system_identifier from pg_control_system())::text
	|| '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8)
	|| '/' || (select oid from pg_database where datname = current_database())
	|| '/' || 'database_identity'::regclass::oid`

// EnsureIdentity records which database this is in a new one, and refuses every
// other than the one recorded with CodeStateBehind: rows of a restored backup may
// say of a transfer that was sent that it was not. Copies of the files of a
// stopped server look like the original; nothing here can tell them apart.
func (s *Store) EnsureIdentity(ctx context.Context) error {
	var now, recorded string
	err := s.inTx(ctx, "recognize the database", func(ctx context.Context, t *tx) (err error) {
		if now, err = scalar[string](ctx, t, identitySQL, nil); err != nil {
			return err
		}
		err = t.run(ctx, `insert into database_identity (identity, recorded_at) values (@identity, @now) on conflict (one) do nothing`,
			args{"identity": now, "now": t.now})
		if err == nil {
			recorded, err = scalar[string](ctx, t, `select identity from database_identity`, nil)
		}
		return err
	})
	if err != nil || now == recorded {
		return err
	}
	return &schema.Error{
		Code:    schema.CodeStateBehind,
		Message: "this is not the database that sendoff last worked with: it was restored, copied or promoted, and may not know what was sent since",
		Fix:     "stop every server and worker and run sendoff recover --after-restore; if nothing can be missing, sendoff recover --nothing-lost (docs/recover.md)",
	}
}

// recordIdentity makes the present database the one to work with.
func (t *tx) recordIdentity(ctx context.Context) error {
	return t.run(ctx, `insert into database_identity (identity, recorded_at) select (`+identitySQL+`), @now
		on conflict (one) do update set identity = excluded.identity, recorded_at = excluded.recorded_at`, args{"now": t.now})
}
