package store

import (
	"context"
	"time"

	"sendoff/schema"
)

// Absent returns up to limit accounts that are known and that the listing left
// out, and that this run did not read by id yet: those longest not read first.
// Listings leave out service accounts and external ones: those are never absent.
func (s *Store) Absent(ctx context.Context, id schema.RunID, limit int) ([]schema.ExternalID, error) {
	list, err := scalars[schema.ExternalID](ctx, s.pool, `select a.external_id from run r join account a on a.connection_id = r.connection_id
		where r.id = @id and a.status <> 'deleted' and a.kind in ('person', 'app')
			and not exists (select 1 from staged_account s where s.run_id = r.id and s.external_id = a.external_id)
			and not exists (select 1 from staged_absence x where x.run_id = r.id and x.external_id = a.external_id)
		order by a.checked_at nulls first, a.external_id limit @limit`, args{"id": id, "limit": limit})
	return list, translate("look for absent accounts", err)
}

// StageRead stages an account that was read by id because the listing left it
// out. It counts as listed.
func (s *Store) StageRead(ctx context.Context, id schema.RunID, a schema.Account) error {
	return s.inTx(ctx, "stage a read", func(ctx context.Context, t *tx) error {
		now, err := t.lockDataset(ctx, id, schema.DataAccounts)
		if err != nil {
			return err
		}
		if err := t.run(ctx, `delete from staged_absence where run_id = @id and external_id = @account`, args{"id": id, "account": a.ExternalID}); err != nil {
			return err
		}
		_, err = t.stageAccounts(ctx, id, now.Generation, 0, []schema.Account{a})
		return err
	})
}

// StageAbsence stages that a read by id did not find an account.
func (s *Store) StageAbsence(ctx context.Context, id schema.RunID, account schema.ExternalID, readAt time.Time) error {
	return s.inTx(ctx, "stage an absence", func(ctx context.Context, t *tx) error {
		if _, err := t.lockDataset(ctx, id, schema.DataAccounts); err != nil {
			return err
		}
		return t.run(ctx, `insert into staged_absence (run_id, external_id, read_at) values (@id, @account, @at)
			on conflict (run_id, external_id) do update set read_at = excluded.read_at`,
			args{"id": id, "account": account, "at": readAt})
	})
}
