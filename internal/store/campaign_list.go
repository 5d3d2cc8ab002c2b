package store

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"sendoff/schema"
)

// snapshotTx is inTx in which all statements see the same state of the database.
func (s *Store) snapshotTx(ctx context.Context, op string, fn func(ctx context.Context, t *tx) error) error {
	var err error
	for range maxTries {
		err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(inner pgx.Tx) error {
			t := &tx{Tx: inner, traceparent: traceparentOf(ctx), weigh: s.weigh}
			var err error
			if t.now, err = scalar[time.Time](ctx, t, `select now()`, nil); err != nil {
				return err
			}
			if err := fn(ctx, t); err != nil {
				return err
			}
			return t.finish(ctx)
		})
		if code := sqlState(err); code != codeSerializationFailure && code != codeDeadlockDetected {
			break
		}
	}
	return translate(op, err)
}

// ListHoldings takes the snapshot of a campaign: it hands out what the accounts hold
// in batches whose slice is used again, and keeps as items what judge makes of them,
// all or none. It moves listing to assigning, or ends a campaign without items as
// empty. A repeat of one that is listed changes nothing. Judge may be called again
// from the beginning, when another transaction was in the way.
func (s *Store) ListHoldings(ctx context.Context, id schema.CampaignID, q schema.HoldingQuery, judge func([]schema.Holding) ([]schema.NewItem, error)) error {
	return s.snapshotTx(ctx, "list what a campaign is about", func(ctx context.Context, t *tx) error {
		c, err := t.lockCampaign(ctx, id)
		if err != nil || !c.SnapshotAt.IsZero() {
			return err
		}
		if c.State != schema.CampaignListing {
			return staleCampaign(c)
		}
		q.Connections, q.Now = some(orAll(q.Connections, nil)), q.Now.Truncate(time.Microsecond)
		basis, err := populationBasis(ctx, t, q.Connections, q.Now)
		if err != nil {
			return err
		}
		l := listing{t: t, campaign: c, q: q, judge: judge, last: firstItem(t.now)}
		if err := l.take(ctx, basis); err != nil {
			return err
		}
		return l.end(ctx, basis)
	})
}

// listing is a snapshot that is being taken.
type listing struct {
	t        *tx
	campaign schema.Campaign
	q        schema.HoldingQuery
	judge    func([]schema.Holding) ([]schema.NewItem, error)
	items    int64
	looked   int64
	last     itemNumber // that was given
}

// take reads the accounts of each connection by login and keeps what judge takes.
func (l *listing) take(ctx context.Context, basis []schema.PopulationBasis) error {
	if err := l.t.run(ctx, freshPlans, nil); err != nil {
		return err
	}
	h, err := newHoldingSource(ctx, l.t, basis, l.q.Needs, l.q.Threshold, l.q.Now)
	if err != nil {
		return err
	}
	h.kinds = orAll(l.q.Items, schema.ItemKinds())
	if err := l.t.countPeers(ctx, l.q, h.kinds); err != nil {
		return err
	}
	before, err := scalar[bool](ctx, l.t, `select exists (select from campaign where review_id = @review and (state in ('closed', 'signed') or end_kind = 'done'))`,
		args{"review": l.q.Review})
	if err != nil {
		return err
	}
	if before {
		h.review = l.q.Review
	}
	for _, c := range l.q.Connections {
		if err := l.connection(ctx, h, c); err != nil {
			return err
		}
	}
	return nil
}

// connection takes the accounts of one connection.
func (l *listing) connection(ctx context.Context, h holdingSource, id schema.ConnectionID) error {
	where, a := l.accounts()
	login, last := "", "00000000-0000-0000-0000-000000000000"
	for {
		page := args{"connection": id, "after": login, "after_id": last}
		for k, v := range a {
			page[k] = v
		}
		list, err := h.subjects(ctx, l.t, ` where a.connection_id = @connection and (a.login_key, a.id) > (@after, @after_id::text::uuid)`+where+`
			order by a.login_key, a.id limit 1000`, page)
		if err != nil || len(list) == 0 {
			return err
		}
		if err := h.each(ctx, l.t, list, func(held []schema.Holding) error { return l.keep(ctx, held) }); err != nil {
			return err
		}
		if len(list) < subjectsAtOnce {
			return nil
		}
		last = string(list[len(list)-1].Account.ID)
		if login, err = scalar[string](ctx, l.t, `select login_key from account where id = @id::text::uuid`, args{"id": last}); err != nil {
			return err
		}
	}
}

// accounts narrows the accounts that are looked at.
func (l *listing) accounts() (string, args) {
	where, a := ` and a.status not in ('missing', 'deleted')`, args{}
	add := func(condition, name string, value any) { where, a[name] = where+` and `+condition, value }
	if len(l.q.Kinds) > 0 {
		add(`a.kind = any(@kinds)`, "kinds", l.q.Kinds)
	}
	// A small campaign about people and accounts is about the accounts of either.
	if len(l.q.Accounts)+len(l.q.Persons) > 0 {
		add(`(a.id = any(@accounts) or a.person_id = any(@persons))`, "accounts", some(l.q.Accounts))
		a["persons"] = some(l.q.Persons)
	}
	switch l.q.Holders {
	case schema.HoldersMatched:
		where += ` and not a.unmatched`
	case schema.HoldersUnmatched:
		where += ` and a.unmatched`
	}
	if l.q.Privileged {
		where += ` and a.privileged`
	}
	return where, a
}

// keep keeps what judge takes of a batch.
func (l *listing) keep(ctx context.Context, held []schema.Holding) error {
	l.looked += int64(len(held))
	items, err := l.judge(held)
	if err != nil || len(items) == 0 {
		return err
	}
	rows := make([]itemRow, len(items))
	for i, n := range items {
		rows[i] = l.row(n)
	}
	l.items += int64(len(items))
	return l.t.copyItems(ctx, rows)
}

// row is a new item as it is stored. One whose last decision is taken over is
// decided as it was then.
func (l *listing) row(n schema.NewItem) itemRow {
	l.last = l.last.next()
	r := itemRow{NewItem: n, id: l.last.id(), campaign: l.campaign.ID, state: schema.ItemUnassigned, at: l.t.now}
	if last := n.Context.Last; n.Carried && last != nil {
		r.state, r.answer, r.reason, r.by, r.decided, r.carried = schema.ItemCarried, last.Answer, last.Reason, last.By, last.At, last.Carried+1
		r.why = "nothing of it changed since campaign " + string(last.CampaignID)
	}
	return r
}

// end moves a campaign on whose snapshot is taken.
func (l *listing) end(ctx context.Context, basis []schema.PopulationBasis) error {
	t, c := l.t, &l.campaign
	err := t.changeOne(ctx, `update campaign set snapshot_at = @now, basis = @basis where id = @id`, args{"id": c.ID, "now": t.now, "basis": basis})
	if err != nil {
		return err
	}
	if err := t.tellUnseen(ctx, *c); err != nil {
		return err
	}
	details := map[string]string{"items": strconv.FormatInt(l.items, 10), "looked": strconv.FormatInt(l.looked, 10), "snapshot_at": schema.FormatInstant(t.now)}
	if l.items == 0 {
		t.recordCampaign(*c, engine(), "campaign.listed", details)
		return t.endCampaign(ctx, c, schema.CampaignEmpty, "nothing is in its scope", engine())
	}
	if err := t.moveCampaign(ctx, c, schema.CampaignAssigning, ``, args{}); err != nil {
		return err
	}
	t.recordCampaign(*c, engine(), "campaign.listed", details)
	return nil
}
