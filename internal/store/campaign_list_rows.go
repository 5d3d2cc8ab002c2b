package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"sendoff/schema"
)

// itemRow is a new item of a campaign as it is stored.
type itemRow struct {
	schema.NewItem
	id       schema.ItemID
	campaign schema.CampaignID
	control  string // of a control item: what should be seen through it by
	state    schema.CampaignItemState
	answer   schema.ItemAnswer
	reason   string
	by       string
	decided  time.Time
	carried  int
	why      string
	at       time.Time
	// Of a control item, which is open from its beginning.
	reviewer schema.PersonID
	place    int
	assigned time.Time
	escalate time.Time
}

// copyItems stores new items.
func (t *tx) copyItems(ctx context.Context, rows []itemRow) error {
	columns := []string{
		"id", "campaign_id", "account_id", "kind", "ref", "connection_id", "holder_id", "login", "facts", "facts_hash", "context",
		"recommended", "recommended_for", "risk", "score", "risk_for", "applies", "control", "state", "reviewer_id", "place", "assigned_at", "escalate_at",
		"answer", "reason", "decided_by", "decided_at", "carried", "why", "updated_at",
	}
	_, err := t.CopyFrom(ctx, pgx.Identifier{"campaign_item"}, columns, pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) {
		r := &rows[i]
		f := r.Facts
		return []any{
			string(r.id), string(r.campaign), string(f.AccountID), string(f.Kind), f.Ref, string(f.ConnectionID), string(f.HolderID), f.Login, f, f.Hash(), r.Context,
			string(r.Recommendation.Answer), some(r.Recommendation.Reasons), string(r.Risk.Level), r.Risk.Score, some(r.Risk.Reasons), some(r.Applies),
			r.control, string(r.state), string(r.reviewer), r.place, r.assigned, r.escalate,
			string(r.answer), r.reason, r.by, r.decided, r.carried, r.why, r.at,
		}, nil
	}))
	return err
}
