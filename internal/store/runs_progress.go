package store

import (
	"context"

	"sendoff/schema"
)

// CountRead adds what a run read of a data set that is not listed page by page: it
// shows how far the run is, and nothing depends on it. A data set that is through
// stays as it is.
func (s *Store) CountRead(ctx context.Context, id schema.RunID, d schema.Dataset, pages int, rows int64) error {
	_, err := s.pool.Exec(ctx, `update run_dataset set state = 'collecting', pages = pages + @pages, rows = rows + @rows, updated_at = now()
		where run_id = @id and dataset = @dataset and state in ('pending', 'collecting')`,
		args{"id": id, "dataset": d, "pages": pages, "rows": rows})
	return translate("count what was read", err)
}
