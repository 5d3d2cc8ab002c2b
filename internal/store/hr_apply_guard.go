package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sendoff/schema"
)

// limitStarts holds new leavers of a source that would start more than its limit
// allows, and with them those of its window that have not begun (DESIGN: guards on
// input).
func (t *tx) limitStarts(ctx context.Context, set *leaverSet) error {
	starts := map[schema.SourceID][]*leaverChange{}
	var sources []schema.SourceID
	for _, p := range set.order {
		c := set.changes[p]
		if !c.starts {
			continue
		}
		if starts[c.source.ID] = append(starts[c.source.ID], c); len(starts[c.source.ID]) == 1 {
			sources = append(sources, c.source.ID)
		}
	}
	slices.Sort(sources)
	for _, id := range sources {
		if err := t.limitSource(ctx, set, starts[id][0].source, starts[id]); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) limitSource(ctx context.Context, set *leaverSet, src tellingSource, starts []*leaverChange) error {
	scope := batchScope{schema.BatchOfSource, string(src.ID), src.Name}
	if held, ok, err := t.heldBatch(ctx, scope); err != nil || ok {
		if err == nil {
			err = t.growBatch(ctx, held, holdAll(held, starts))
		}
		return err
	}
	limit, err := t.startLimit(ctx, src.ID)
	if err != nil {
		return err
	}
	since := t.now.Add(-limit.Window)
	started, err := t.startedSince(ctx, src.ID, since, starts)
	if err != nil || started+len(starts) <= limit.Number {
		return err
	}
	population, err := scalar[int](ctx, t, `select count(*)::int from employment where source = @source and status <> 'ended'
		and (coalesce(last_working_day, terminated_on) < @today::date) is not true`, args{"source": src.Name, "today": schema.DateOf(t.now.UTC())})
	if err != nil || started+len(starts) <= limit.Allows(population) {
		return err
	}
	unbegun, err := t.unbegun(ctx, set, src, since)
	if err != nil {
		return err
	}
	held := append(starts, unbegun...)
	b := schema.Batch{Size: len(held), Started: started - len(unbegun), Allowed: limit.Allows(population), Limit: limit}
	if b.ID, err = t.holdBatch(ctx, scope, b); err != nil {
		return err
	}
	holdAll(b.ID, held)
	return t.tellHeld(ctx, src, b)
}

// holdAll puts leavers into a held batch, and returns how many.
func holdAll(id schema.BatchID, changes []*leaverChange) int {
	for _, c := range changes {
		c.after.State, c.after.BatchID, c.held = schema.LeaverHeld, id, true
	}
	return len(changes)
}

func (t *tx) startLimit(ctx context.Context, id schema.SourceID) (schema.StartLimit, error) {
	row, err := one[struct {
		LimitNumber, LimitPercent int
		LimitWindowSeconds        int64
	}](ctx, t, `select limit_number, limit_percent, limit_window_seconds from hr_source where id = @id`, args{"id": id})
	return schema.StartLimit{Number: row.LimitNumber, Percent: row.LimitPercent, Window: time.Duration(row.LimitWindowSeconds) * time.Second}, err
}

// startedSince counts the leavers of a source who started in its window, but those
// who start now. Who is or was in a batch is counted by those who decided on it.
func (t *tx) startedSince(ctx context.Context, id schema.SourceID, since time.Time, but []*leaverChange) (int, error) {
	ids := []schema.LeaverID{}
	for _, c := range but {
		ids = append(ids, c.after.ID)
	}
	return scalar[int](ctx, t, `select count(*)::int from leaver
		where source_id = @source and counted_at > @since and batch_id is null and id <> all(@but::uuid[])`,
		args{"source": id, "since": since, "but": ids})
}

// unbegun are the leavers of a source's window of whom nothing has begun, as the
// round leaves them.
func (t *tx) unbegun(ctx context.Context, set *leaverSet, src tellingSource, since time.Time) ([]*leaverChange, error) {
	rows, err := all[leaverRow](ctx, t, `select `+leaverRowColumns+` from leaver l
		where l.source_id = @source and l.counted_at > @since and l.batch_id is null
			and (l.state in ('planning', 'no_account', 'refused') or l.state = 'open' and l.own_case
				and not exists (select 1 from plan p where p.case_id = l.case_id and p.state <> 'planned'))
		order by l.id`, args{"source": src.ID, "since": since})
	if err != nil {
		return nil, err
	}
	var out []*leaverChange
	for i := range rows {
		l := &rows[i]
		c := set.changes[l.PersonID]
		switch {
		case c == nil || !c.told:
			heard := l.Heard
			if c != nil {
				heard = c.after.Heard
			}
			c = &leaverChange{before: l, after: *l, source: src, actor: engine(), told: true}
			c.after.Heard = heard
			c.after.Revision++
			set.add(l.PersonID, c)
		case c.starts || c.after.SourceID != src.ID || c.after.State == schema.LeaverWithdrawn || c.after.State == schema.LeaverEnded:
			continue // counted already, or no leaver of the source any more
		}
		out = append(out, c)
	}
	return out, nil
}

// tellHeld says once that a batch is held.
func (t *tx) tellHeld(ctx context.Context, src tellingSource, b schema.Batch) error {
	err := t.raiseAlarm(ctx, schema.Alarm{
		SourceID: src.ID, Code: schema.AlarmBatchHeld,
		Message: fmt.Sprintf("source %s would start %d leavers, %d more than its limit allows: none of them starts", src.Name, b.Size, b.Started+b.Size-b.Allowed),
		Fix:     "look at them with sendoff batches show " + string(b.ID) + "; two people release it, one discards it",
	})
	if err != nil {
		return err
	}
	return t.notice(ctx, schema.NoticeBatchHeld, noticeAbout{batchID: b.ID, sourceID: src.ID})
}
