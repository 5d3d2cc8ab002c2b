package store

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// AddJudged keeps accounts whose verdict is matched, kept or excluded: those that
// matched as items, the others as verdicts. What is kept already stays, so that a
// repeat changes nothing, whatever it came to. Two that add to one run take turns.
func (s *Store) AddJudged(ctx context.Context, id schema.ReviewID, list []schema.Judged) error {
	if len(list) == 0 {
		return nil
	}
	return s.inTx(ctx, "keep what a review judged", func(ctx context.Context, t *tx) error {
		r, err := t.lockReview(ctx, id)
		if err != nil {
			return err
		}
		if r.State != schema.ReviewJudging {
			return staleItem("the review is " + string(r.State) + " by now")
		}
		added, err := t.notKept(ctx, id, list)
		if err != nil || len(added) == 0 {
			return err
		}
		var matched, others []schema.Judged
		for _, j := range added {
			if j.Verdict.Matched() {
				matched = append(matched, j)
			} else {
				others = append(others, j)
			}
		}
		t.record(audit.PolicyStream(string(r.PolicyID)), engine(), "review.judged", audit.Subject{PolicyID: string(r.PolicyID)}, map[string]string{
			"review": string(id), "kept": strconv.Itoa(len(added)), "matched": strconv.Itoa(len(matched)),
		})
		if err := t.copyMatched(ctx, id, matched); err != nil {
			return err
		}
		return t.copyOthers(ctx, id, others)
	})
}

// notKept are the accounts of a list that the locked run does not keep yet, each
// once, by id: indexes are written in their order.
func (t *tx) notKept(ctx context.Context, id schema.ReviewID, list []schema.Judged) ([]schema.Judged, error) {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b schema.Judged) int { return cmp.Compare(a.AccountID, b.AccountID) })
	list = slices.CompactFunc(list, func(a, b schema.Judged) bool { return a.AccountID == b.AccountID })
	ids := make([]schema.AccountID, len(list))
	for i, j := range list {
		ids[i] = j.AccountID
	}
	known, err := scalars[schema.AccountID](ctx, t, `select account_id from review_item where review_id = @id and account_id = any(@ids)
		union all select account_id from review_verdict where review_id = @id and account_id = any(@ids)`, args{"id": id, "ids": ids})
	if err != nil || len(known) == 0 {
		return list, err
	}
	there := make(map[schema.AccountID]bool, len(known))
	for _, k := range known {
		there[k] = true
	}
	return slices.DeleteFunc(list, func(j schema.Judged) bool { return there[j.AccountID] }), nil
}

func (t *tx) copyMatched(ctx context.Context, id schema.ReviewID, list []schema.Judged) error {
	columns := []string{
		"review_id", "account_id", "connection_id", "external_id", "login", "privileged", "state", "grade", "threshold_seconds", "last_active_at",
		"bytes", "updated_at",
	}
	return t.copyJudged(ctx, "review_item", columns, id, list, func(j schema.Judged) []any {
		var active any
		if !j.LastActiveAt.IsZero() {
			active = j.LastActiveAt
		}
		return []any{
			j.Privileged, string(schema.ItemMatched), string(j.Verdict.Grade), int64(j.Verdict.Threshold / time.Second), active, j.Bytes, t.now,
		}
	})
}

func (t *tx) copyOthers(ctx context.Context, id schema.ReviewID, list []schema.Judged) error {
	columns := []string{"review_id", "account_id", "connection_id", "external_id", "login", "reason", "exclusion"}
	return t.copyJudged(ctx, "review_verdict", columns, id, list, func(j schema.Judged) []any {
		return []any{string(j.Verdict.Reason), int32(j.Verdict.Exclusion)} //nolint:gosec // a place in a list of a file
	})
}

// copyJudged copies rows that begin with the same five columns.
func (t *tx) copyJudged(ctx context.Context, table string, columns []string, id schema.ReviewID, list []schema.Judged, rest func(schema.Judged) []any) error {
	if len(list) == 0 {
		return nil
	}
	review, err := uuid.Parse(string(id))
	if err != nil {
		return err
	}
	_, err = t.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromSlice(len(list), func(i int) ([]any, error) {
		j := list[i]
		account, err := uuid.Parse(string(j.AccountID))
		if err != nil {
			return nil, err
		}
		connection, err := uuid.Parse(string(j.ConnectionID))
		return append([]any{[16]byte(review), [16]byte(account), [16]byte(connection), string(j.ExternalID), j.Login}, rest(j)...), err
	}))
	return err
}
