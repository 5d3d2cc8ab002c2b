package store

import (
	"context"
	"fmt"

	"sendoff/schema"
)

// Ready tells whether this process can work with the database now: it answers,
// its schema is the one this program was built with, and the key is the one it
// was sealed with. It writes nothing. CodeUnavailable or the checker's own error.
func (s *Store) Ready(ctx context.Context, k KeyChecker) error {
	row, err := one[struct {
		Have   int64
		Sealed []byte
	}](ctx, s.pool, `select (select coalesce(max(version_id), 0) from goose_db_version where is_applied) as have,
		(select sealed from key_check) as sealed`, nil)
	if err != nil {
		return translate("ask the database", err)
	}
	want, err := latestMigration()
	if err != nil {
		return err
	}
	if row.Have != want {
		return &schema.Error{
			Code:    schema.CodeUnavailable,
			Message: fmt.Sprintf("the database is at migration %d, this program needs %d", row.Have, want),
			Fix:     "run sendoff migrate with the newest release, and run that release everywhere",
		}
	}
	return k.VerifyKeyCheck(row.Sealed)
}
