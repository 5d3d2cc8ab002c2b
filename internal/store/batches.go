package store

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// batchScope is whose batches are held: one at a time.
type batchScope struct {
	kind schema.BatchScope
	id   string
	name string
}

// stream is where what becomes of a batch is recorded.
func (s batchScope) stream() string {
	switch s.kind {
	case schema.BatchOfPolicy:
		return audit.PolicyStream(s.id)
	case schema.BatchOfAccessReview:
		return audit.CampaignStream(s.id)
	}
	return audit.SystemStream
}

// heldBatch returns the batch that is held of a scope, locked, and whether there
// is one.
func (t *tx) heldBatch(ctx context.Context, scope batchScope) (schema.BatchID, bool, error) {
	found, err := scalars[schema.BatchID](ctx, t, `select id from batch where scope = @scope and scope_id = @id and state = 'held' for no key update`,
		args{"scope": scope.kind, "id": scope.id})
	if err != nil || len(found) == 0 {
		return "", false, err
	}
	return found[0], true, nil
}

// holdBatch makes a held batch. What is in it names it.
func (t *tx) holdBatch(ctx context.Context, scope batchScope, b schema.Batch) (schema.BatchID, error) {
	id, err := newID[schema.BatchID]()
	if err != nil {
		return "", err
	}
	t.record(scope.stream(), engine(), "batch.held", audit.Subject{}, map[string]string{
		"batch": string(id), "scope": string(scope.kind), "scope_id": scope.id, "size": strconv.Itoa(b.Size), "started": strconv.Itoa(b.Started),
		"allowed": strconv.Itoa(b.Allowed), "limit_number": strconv.Itoa(b.Limit.Number), "limit_percent": strconv.Itoa(b.Limit.Percent),
		"window": b.Limit.Window.String(),
	})
	return id, t.run(ctx, `insert into batch (id, scope, scope_id, scope_name, state, size, started, allowed, limit_number, limit_percent,
			limit_window_seconds, grown_at, created_at)
		values (@id, @scope, @scope_id, @scope_name, 'held', @size, @started, @allowed, @number, @percent, @window, @now, @now)`,
		args{
			"id": id, "scope": scope.kind, "scope_id": scope.id, "scope_name": scope.name, "size": b.Size, "started": b.Started, "allowed": b.Allowed,
			"number": b.Limit.Number, "percent": b.Limit.Percent, "window": int64(b.Limit.Window / time.Second), "now": t.now,
		})
}

// growBatch notes that more joined a held batch: who released it before did not see
// them. Whoever waited for the batch's row reads the clock after that.
func (t *tx) growBatch(ctx context.Context, id schema.BatchID, by int) error {
	return t.changeOne(ctx, `update batch set size = size + @by, grown_at = clock_timestamp() where id = @id and state = 'held'`, args{"id": id, "by": by})
}

// shrinkBatch notes that some are no longer in a held batch. One that gets empty
// is discarded: there is nothing to decide.
func (t *tx) shrinkBatch(ctx context.Context, id schema.BatchID, by int) error {
	row, held, err := maybe[batchRow](ctx, t, `update batch set size = size - @by where id = @id and state = 'held' returning `+batchColumns,
		args{"id": id, "by": by})
	if err != nil || !held || row.Size > 0 {
		return err
	}
	t.record(row.batchScope().stream(), engine(), "batch.discarded", audit.Subject{}, map[string]string{"batch": string(id), "reason": "nobody is left in it"})
	return t.endBatch(ctx, row, schema.BatchDiscarded)
}

// endBatch ends a held batch and its alarm.
func (t *tx) endBatch(ctx context.Context, b batchRow, to schema.BatchState) error {
	err := t.changeOne(ctx, `update batch set state = @to, ended_at = @now where id = @id and state = 'held'`, args{"id": b.ID, "to": to, "now": t.now})
	switch {
	case err != nil:
		return err
	case b.Scope == schema.BatchOfPolicy:
		return t.clearPolicyAlarm(ctx, schema.PolicyID(b.ScopeID), schema.AlarmOverBudget)
	case b.Scope == schema.BatchOfAccessReview:
		return t.clearHeldAlarm(ctx, schema.CampaignID(b.ScopeID))
	}
	return t.clearSourceAlarm(ctx, schema.SourceID(b.ScopeID), schema.AlarmBatchHeld)
}

const batchColumns = `id, scope, scope_id, scope_name, state, size, started, allowed, limit_number, limit_percent, limit_window_seconds,
	grown_at, created_at, ended_at`

// batchRow is a batch as it is stored.
type batchRow struct {
	ID                        schema.BatchID
	Scope                     schema.BatchScope
	ScopeID, ScopeName        string
	State                     schema.BatchState
	Size, Started, Allowed    int
	LimitNumber, LimitPercent int
	LimitWindowSeconds        int64
	GrownAt                   time.Time
	CreatedAt, EndedAt        time.Time
}

func (r batchRow) batchScope() batchScope { return batchScope{r.Scope, r.ScopeID, r.ScopeName} }

func (r batchRow) batch() schema.Batch {
	return schema.Batch{
		ID: r.ID, Scope: r.Scope, ScopeID: r.ScopeID, ScopeName: r.ScopeName, State: r.State, Size: r.Size, Started: r.Started, Allowed: r.Allowed,
		Limit: schema.StartLimit{
			Number: r.LimitNumber, Percent: r.LimitPercent, Window: time.Duration(r.LimitWindowSeconds) * time.Second,
		},
		Releases: []schema.BatchDecision{}, CreatedAt: r.CreatedAt, EndedAt: r.EndedAt,
	}
}

// ListBatches lists batches, newest first.
func (s *Store) ListBatches(ctx context.Context, f schema.BatchFilter) ([]schema.Batch, string, error) {
	if err := checkLimit(f.Limit, maxPage); err != nil {
		return nil, "", err
	}
	from, err := parseCursor(f.After)
	if err != nil {
		return nil, "", err
	}
	where, a := ` where true`, args{"limit": f.Limit + 1}
	if f.State != "" {
		where, a["state"] = where+` and state = @state`, f.State
	}
	if f.After != "" {
		where, a["at"], a["id"] = where+` and (created_at, id) < (@at, @id::uuid)`, from.At, schema.BatchID(from.ID)
	}
	rows, err := all[batchRow](ctx, s.pool, `select `+batchColumns+` from batch`+where+` order by created_at desc, id desc limit @limit`, a)
	if err != nil {
		return nil, "", translate("list batches", err)
	}
	list := make([]schema.Batch, len(rows))
	for i, r := range rows {
		list[i] = r.batch()
	}
	list, next := page(list, f.Limit, func(b schema.Batch) cursor { return cursor{b.CreatedAt, string(b.ID)} })
	return list, next, translate("list batches", s.addDecisions(ctx, list))
}

// addDecisions adds the words said on batches.
func (s *Store) addDecisions(ctx context.Context, list []schema.Batch) error {
	ids, place := make([]schema.BatchID, len(list)), make(map[schema.BatchID]int, len(list))
	for i, b := range list {
		ids[i], place[b.ID] = b.ID, i
	}
	rows, err := decisionsOn(ctx, s.pool, ids)
	for _, r := range rows {
		b := &list[place[r.BatchID]]
		if b.State != schema.BatchDiscarded || r.Kind == schema.BatchDiscarded {
			b.Releases = append(b.Releases, r.BatchDecision)
		}
	}
	return err
}

type decisionRow struct {
	schema.BatchDecision
	BatchID schema.BatchID
}

func decisionsOn(ctx context.Context, q querier, ids []schema.BatchID) ([]decisionRow, error) {
	return all[decisionRow](ctx, q, `select batch_id, kind, reason, size, principal, token_id, created_at from batch_decision
		where batch_id = any(@ids) order by batch_id, created_at, principal`, args{"ids": ids})
}

// minRef is how many characters of an id name it.
const minRef = 8

// FindBatch returns the batch of an id or of 8 or more characters of one.
func (s *Store) FindBatch(ctx context.Context, ref string) (schema.Batch, error) {
	ref = strings.ToLower(strings.TrimSpace(ref))
	none := &schema.Error{Code: schema.CodeNotFound, Message: "there is no such batch", Fix: "sendoff batches list shows them"}
	if len(ref) < minRef || strings.Trim(ref, "0123456789abcdef-") != "" {
		return schema.Batch{}, none
	}
	rows, err := all[batchRow](ctx, s.pool, `select `+batchColumns+` from batch where id::text like @ref || '%' limit 2`, args{"ref": ref})
	switch {
	case err != nil:
		return schema.Batch{}, translate("find batch", err)
	case len(rows) == 0:
		return schema.Batch{}, none
	case len(rows) > 1:
		return schema.Batch{}, &schema.Error{Code: schema.CodeAmbiguous, Message: "several batches have ids that begin so", Fix: "give more characters"}
	}
	list := []schema.Batch{rows[0].batch()}
	return list[0], translate("find batch", errors.Join(s.addDecisions(ctx, list)))
}
