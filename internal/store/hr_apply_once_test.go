package store_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// TestEventsAreAppliedOnce: by four appliers at once, of which some lose their
// database in the middle.
func TestEventsAreAppliedOnce(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	sources := []schema.Source{h.src, h.source("second", schema.SourceHMAC), h.source("third", schema.SourceHMAC)}
	const each, people = 400, 40
	for i := range each {
		for _, src := range sources {
			id := i % people
			row := employment(fmt.Sprint(id), fmt.Sprintf("%s%d@example.com", src.Name, id), fmt.Sprintf("department=%d", i))
			if i >= each-people && id < 5 {
				row = employment(fmt.Sprint(id), row.Email, last(3))
			}
			h.tells(src, changes(row))
		}
	}
	var judged, failed atomic.Int64
	killer := h.sql()
	var kill sync.Mutex
	killing := func(f schema.LeaverFacts) (schema.Leaving, error) {
		if n := judged.Add(1); n == 20 || n == 150 {
			kill.Lock()
			defer kill.Unlock()
			_, err := killer.Exec(t.Context(), `select pg_terminate_backend(pid) from pg_stat_activity
				where datname = current_database() and state = 'idle in transaction' and pid <> pg_backend_pid()`)
			require.NoError(t, err)
		}
		return judge(f)
	}
	var appliers sync.WaitGroup
	for range 4 {
		appliers.Go(func() { applyAll(t.Context(), h, killing, &failed) })
	}
	appliers.Wait()
	require.Positive(t, failed.Load(), "nobody lost the database")
	total := each * len(sources)
	require.Equal(t, total, h.count(`select count(*) from hr_event where state = 'applied'`))
	require.Equal(t, total, h.count(`select count(*) from audit_record where convert_from(body, 'UTF8') like '%"hr_event.applied"%'`))
	require.Equal(t, total, h.count(`select count(distinct convert_from(body, 'UTF8')::jsonb->'details'->>'event') from audit_record
		where convert_from(body, 'UTF8') like '%"hr_event.applied"%'`))
	require.Equal(t, 5*len(sources), h.count(`select count(*) from leaver where revision = 1`))
	require.Equal(t, 5*len(sources), h.count(`select count(*) from outbox where kind = 'leaver'`))
	require.Equal(t, 35*len(sources), h.count(`select count(*) from employment where department::int = 400 - 40 + external_id::int
		and department <> ''`), "the last of each counts")
}

// applyAll applies until nothing is pending, whatever fails.
func applyAll(ctx context.Context, h *hr, judge schema.LeaverJudge, failed *atomic.Int64) {
	for ctx.Err() == nil {
		_, took, err := h.ApplyEvents(ctx, judge)
		if err != nil {
			failed.Add(1)
			continue
		}
		if took {
			continue
		}
		var pending bool
		list, _, err := h.ListHREvents(ctx, schema.HREventFilter{State: schema.EventPending, Limit: 1})
		if pending = err != nil || len(list) > 0; !pending {
			return
		}
	}
}
