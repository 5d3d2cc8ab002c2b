package store

import (
	"context"
	"fmt"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// accessReviewRow is an access review with what only the store needs of it.
type accessReviewRow struct {
	schema.AccessReview
	// Withdrawn is one that is paused because its file left its set.
	Withdrawn bool
	// Up to which changes it was looked for what begins a small campaign.
	SeenChange       int64
	SeenPersonChange int64
}

func (d accessReviewRow) definition() definition[schema.AccessReviewRule] {
	return definition[schema.AccessReviewRule]{
		string(d.ID), d.Name, d.Version, d.Rule, d.Hash, d.Source, d.Set, d.State, d.PauseReason, d.PausedBy, d.Withdrawn,
		d.UpdatedBy, d.UpdatedID, d.UpdatedAt, d.CreatedAt,
	}
}

func (d accessReviewRow) with(n definition[schema.AccessReviewRule]) accessReviewRow {
	return accessReviewRow{
		schema.AccessReview{
			ID: schema.AccessReviewID(n.ID), Name: n.Name, Version: n.Version, Rule: n.Rule, Hash: n.Hash, Source: n.Source, Set: n.Set, State: n.State,
			PauseReason: n.PauseReason, PausedBy: n.PausedBy, UpdatedBy: n.UpdatedBy, UpdatedID: n.UpdatedID, UpdatedAt: n.UpdatedAt, CreatedAt: n.CreatedAt,
		},
		n.Withdrawn, d.SeenChange, d.SeenPersonChange,
	}
}

func (d accessReviewRow) plain() schema.AccessReview { return d.AccessReview }

func accessReviews() definitions[accessReviewRow, schema.AccessReviewRule] {
	return definitions[accessReviewRow, schema.AccessReviewRule]{
		one: "access review", a: "an access review", many: "access reviews", shownBy: "sendoff review definitions",
		table: "access_review", reference: "review_id", own: `d.seen_change, d.seen_person_change`, action: "access_review",
		alarmed: `policy_id is null and access_review_id = @id`,
		says:    func(r schema.AccessReviewRule) (string, []string) { return r.Name, r.Scope.Connections },
		tells: func(id string) schema.OutboxRow {
			return schema.OutboxRow{Kind: schema.OutboxAccessReview, AccessReviewID: schema.AccessReviewID(id)}
		},
		changed: func(ctx context.Context, t *tx, before, after accessReviewRow) error {
			if len(before.Rule.Events) > 0 || len(after.Rule.Events) == 0 {
				return nil
			}
			return t.lookFromNow(ctx, after.ID)
		},
	}
}

// AccessReviews lists access reviews by name. The cursor is the last name of the
// page before.
func (s *Store) AccessReviews(ctx context.Context, f schema.AccessReviewFilter) ([]schema.AccessReview, string, error) {
	rows, next, err := accessReviews().list(ctx, s.pool, schema.PolicyFilter{State: f.State, Set: f.Set, After: f.After, Limit: f.Limit})
	return each(rows, accessReviewRow.plain), next, err
}

// AccessReview returns the access review of a name or id, as it is now.
func (s *Store) AccessReview(ctx context.Context, ref string) (schema.AccessReview, error) {
	d, err := findAccessReview(ctx, s.pool, ref)
	return d.AccessReview, translate("read access review", err)
}

func findAccessReview(ctx context.Context, q querier, ref string) (accessReviewRow, error) {
	return accessReviews().find(ctx, q, ref)
}

func (t *tx) lockAccessReview(ctx context.Context, ref string) (accessReviewRow, error) {
	return accessReviews().lock(ctx, t, ref)
}

// AccessReviewAt returns an access review as it was at a version: its state is that
// of now.
func (s *Store) AccessReviewAt(ctx context.Context, id schema.AccessReviewID, version int) (schema.AccessReview, error) {
	d, err := accessReviewAt(ctx, s.pool, id, version)
	return d.AccessReview, translate("read access review", err)
}

func accessReviewAt(ctx context.Context, q querier, id schema.AccessReviewID, version int) (accessReviewRow, error) {
	return accessReviews().at(ctx, q, string(id), version)
}

// AccessReviewHistory lists the versions of an access review, newest first. The
// cursor is the last version of the page before.
func (s *Store) AccessReviewHistory(ctx context.Context, ref, after string, limit int) ([]schema.AccessReview, string, error) {
	rows, next, err := accessReviews().history(ctx, s.pool, ref, after, limit)
	return each(rows, accessReviewRow.plain), next, err
}

// SetAccessReviewState pauses or resumes an access review by somebody's word: a file
// that comes back does not resume it. Resuming also lets a schedule go on that a
// failed campaign has stopped. Campaigns that have begun go on. CodeConflict for one
// that is paused already.
func (s *Store) SetAccessReviewState(ctx context.Context, ref string, state schema.PolicyState, reason string, by schema.Principal) (schema.AccessReview, error) {
	d, err := accessReviews().setState(ctx, s, ref, state, reason, by)
	return d.AccessReview, err
}

// ApplyAccessReviews makes what the files say so, all of them or none, and returns
// what changed: the files in their order, then the reviews that were withdrawn, by
// name. CodeStale when another version is there than was looked at.
func (s *Store) ApplyAccessReviews(ctx context.Context, a schema.ApplyAccessReviews, by schema.Principal) ([]schema.AppliedAccessReview, error) {
	changes, err := accessReviews().apply(ctx, s, applying[accessReviewRow, schema.AccessReviewRule]{
		set: a.Set, dryRun: a.DryRun,
		files: each(a.Rules, func(f schema.AccessReviewFile) definitionFile[schema.AccessReviewRule] {
			return definitionFile[schema.AccessReviewRule](f)
		}),
		seen: func(known map[string]definition[schema.AccessReviewRule]) error { return unseenVersions(a, known) },
	}, by)
	if err != nil {
		return nil, err
	}
	out := make([]schema.AppliedAccessReview, 0, len(changes))
	for _, c := range changes {
		if c.what != "" {
			out = append(out, schema.AppliedAccessReview{Name: c.after.Name, Change: c.what, Review: c.row.with(c.after).AccessReview, Before: c.replaced()})
		}
	}
	return out, nil
}

// unseenVersions is CodeStale when something else is applied now than what the
// difference was shown for.
func unseenVersions(a schema.ApplyAccessReviews, known map[string]definition[schema.AccessReviewRule]) error {
	if a.Seen == nil {
		return nil
	}
	seen := map[string]int{}
	for _, s := range a.Seen {
		seen[s.Name] = s.Version
	}
	for _, f := range a.Rules {
		if now := known[f.Rule.Name].Version; now != seen[f.Rule.Name] {
			return &schema.Error{
				Code:    schema.CodeStale,
				Message: fmt.Sprintf("access review %s is at version %d, the difference was shown for %d; nothing was changed", f.Rule.Name, now, seen[f.Rule.Name]),
				Fix:     "look at the difference again",
			}
		}
	}
	return nil
}

// lookFromNow lets an access review that begins to listen to changes leave those
// that were before.
func (t *tx) lookFromNow(ctx context.Context, id schema.AccessReviewID) error {
	return t.changeOne(ctx, `update access_review set seen_change = coalesce((select max(id) from inventory_change), 0),
			seen_person_change = coalesce((select max(id) from person_change), 0) where id = @id`, args{"id": id})
}

func (t *tx) recordAccessReview(d accessReviewRow, actor audit.Actor, action string, details map[string]string) {
	accessReviews().record(t, d.definition(), actor, action, details)
}

func (t *tx) clearAccessReviewAlarm(ctx context.Context, id schema.AccessReviewID, code string) error {
	return accessReviews().clearAlarm(ctx, t, string(id), code)
}
