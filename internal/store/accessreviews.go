package store

import (
	"context"
	"strconv"
	"strings"

	"github.com/google/uuid"

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

// selectAccessReviews reads access reviews d with one of their versions v.
const selectAccessReviews = `select d.id, d.name, v.version, v.rule, v.hash, v.source, d.set_name as "set", d.state, d.pause_reason, d.paused_by,
		v.updated_by, v.updated_id, v.updated_at, d.created_at, d.withdrawn, d.seen_change, d.seen_person_change
	from access_review d join access_review_version v on v.review_id = d.id`

const presentReviewVersion = ` and v.version = d.version`

func plainAccessReviews(rows []accessReviewRow) []schema.AccessReview {
	list := make([]schema.AccessReview, len(rows))
	for i, r := range rows {
		list[i] = r.AccessReview
	}
	return list
}

// AccessReviews lists access reviews by name. The cursor is the last name of the
// page before.
func (s *Store) AccessReviews(ctx context.Context, f schema.AccessReviewFilter) ([]schema.AccessReview, string, error) {
	if err := checkLimit(f.Limit, maxPage); err != nil {
		return nil, "", err
	}
	where, a := ` where d.name > @after`, args{"after": f.After, "limit": f.Limit + 1}
	if f.State != "" {
		where, a["state"] = where+` and d.state = @state`, f.State
	}
	if f.Set != "" {
		where, a["set"] = where+` and d.set_name = @set`, f.Set
	}
	rows, err := all[accessReviewRow](ctx, s.pool, selectAccessReviews+presentReviewVersion+where+` order by d.name limit @limit`, a)
	list := plainAccessReviews(rows)
	if err != nil || len(list) <= f.Limit {
		return list, "", translate("list access reviews", err)
	}
	return list[:f.Limit], list[f.Limit-1].Name, nil
}

// AccessReview returns the access review of a name or id, as it is now.
func (s *Store) AccessReview(ctx context.Context, ref string) (schema.AccessReview, error) {
	d, err := findAccessReview(ctx, s.pool, ref)
	return d.AccessReview, translate("read access review", err)
}

// findAccessReview returns the access review of a name or id, as it is now.
func findAccessReview(ctx context.Context, q querier, ref string) (accessReviewRow, error) {
	match := ` where d.name = @ref`
	if uuid.Validate(ref) == nil {
		match = ` where d.id = @ref::text::uuid`
	}
	d, ok, err := maybe[accessReviewRow](ctx, q, selectAccessReviews+presentReviewVersion+match, args{"ref": ref})
	if err == nil && !ok {
		err = noAccessReview(ref)
	}
	return d, err
}

func noAccessReview(ref string) error {
	return &schema.Error{Code: schema.CodeNotFound, Message: "there is no access review " + ref, Fix: "sendoff review list shows all access reviews"}
}

// lockAccessReview locks the access review of a name or id and reads it. The read is
// a statement of its own, because only that sees the version that came with the lock.
func (t *tx) lockAccessReview(ctx context.Context, ref string) (accessReviewRow, error) {
	d, err := findAccessReview(ctx, t, ref)
	if err != nil {
		return d, err
	}
	if err := t.run(ctx, `select 1 from access_review where id = @id for no key update`, args{"id": d.ID}); err != nil {
		return d, err
	}
	return findAccessReview(ctx, t, string(d.ID))
}

// AccessReviewAt returns an access review as it was at a version: its state is that
// of now.
func (s *Store) AccessReviewAt(ctx context.Context, id schema.AccessReviewID, version int) (schema.AccessReview, error) {
	d, err := accessReviewAt(ctx, s.pool, id, version)
	return d.AccessReview, translate("read access review", err)
}

func accessReviewAt(ctx context.Context, q querier, id schema.AccessReviewID, version int) (accessReviewRow, error) {
	d, ok, err := maybe[accessReviewRow](ctx, q, selectAccessReviews+` where d.id = @id and v.version = @version`, args{"id": id, "version": version})
	if err == nil && !ok {
		err = noAccessReview(string(id) + " version " + strconv.Itoa(version))
	}
	return d, err
}

// AccessReviewHistory lists the versions of an access review, newest first. The
// cursor is the last version of the page before.
func (s *Store) AccessReviewHistory(ctx context.Context, ref, after string, limit int) ([]schema.AccessReview, string, error) {
	if err := checkLimit(limit, maxPage); err != nil {
		return nil, "", err
	}
	d, err := findAccessReview(ctx, s.pool, ref)
	if err != nil {
		return nil, "", translate("read access review", err)
	}
	before := d.Version + 1
	if after != "" {
		if before, err = strconv.Atoi(after); err != nil {
			return nil, "", errCursor()
		}
	}
	rows, err := all[accessReviewRow](ctx, s.pool, selectAccessReviews+` where d.id = @id and v.version < @before order by v.version desc limit @limit`,
		args{"id": d.ID, "before": before, "limit": limit + 1})
	list := plainAccessReviews(rows)
	if err != nil || len(list) <= limit {
		return list, "", translate("list versions of an access review", err)
	}
	return list[:limit], strconv.Itoa(list[limit-1].Version), nil
}

// SetAccessReviewState pauses or resumes an access review by somebody's word: a file
// that comes back does not resume it. Resuming also lets a schedule go on that a
// failed campaign has stopped. Campaigns that have begun go on. CodeConflict for one
// that is paused already.
func (s *Store) SetAccessReviewState(ctx context.Context, ref string, state schema.PolicyState, reason string, by schema.Principal) (schema.AccessReview, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.AccessReview{}, err
	}
	if state != schema.PolicyActive && state != schema.PolicyPaused {
		return schema.AccessReview{}, &schema.Error{Code: schema.CodeInvalid, Message: "an access review is active or paused, not " + strconv.Quote(string(state))}
	}
	if strings.TrimSpace(reason) == "" {
		return schema.AccessReview{}, &schema.Error{Code: schema.CodeInvalid, Message: "an access review is paused and resumed with a reason", Fix: "say why"}
	}
	var d accessReviewRow
	err := s.inTx(ctx, "change access review", func(ctx context.Context, t *tx) (err error) {
		if d, err = t.lockAccessReview(ctx, ref); err != nil {
			return err
		}
		return t.setAccessReviewState(ctx, &d, state, reason, by)
	})
	return d.AccessReview, err
}

func (t *tx) setAccessReviewState(ctx context.Context, d *accessReviewRow, state schema.PolicyState, reason string, by schema.Principal) error {
	action := "access_review.resumed"
	switch {
	case state == schema.PolicyActive:
		d.PauseReason, d.PausedBy = "", ""
		if err := t.clearAccessReviewAlarm(ctx, d.ID, schema.AlarmReviewFailed); err != nil {
			return err
		}
	case d.State == schema.PolicyPaused && !d.Withdrawn:
		return conflict("access review "+d.Name+" is paused already", "")
	default:
		action, d.PauseReason, d.PausedBy = "access_review.paused", reason, by.Name
	}
	t.recordAccessReview(*d, principal(by), action, map[string]string{"from": string(d.State), "reason": reason})
	d.State, d.Withdrawn = state, false
	return t.saveAccessReview(ctx, *d)
}

// saveAccessReview stores what changes of a locked access review, and lets its
// schedule be brought in line.
func (t *tx) saveAccessReview(ctx context.Context, d accessReviewRow) error {
	err := t.changeOne(ctx, `update access_review set version = @version, set_name = @set, state = @state, pause_reason = @reason, paused_by = @by,
			withdrawn = @withdrawn, updated_at = @now where id = @id`,
		args{
			"id": d.ID, "version": d.Version, "set": d.Set, "state": d.State, "reason": d.PauseReason, "by": d.PausedBy,
			"withdrawn": d.Withdrawn, "now": t.now,
		})
	if err != nil {
		return err
	}
	return t.enqueue(ctx, schema.OutboxRow{Kind: schema.OutboxAccessReview, AccessReviewID: d.ID})
}

// recordAccessReview appends an event about an access review to its stream. The text
// of its file is never among the details: it holds addresses, and the log is for ever.
func (t *tx) recordAccessReview(d accessReviewRow, actor audit.Actor, action string, details map[string]string) {
	t.record(audit.PolicyStream(string(d.ID)), actor, action, audit.Subject{PolicyID: string(d.ID)},
		with(details, "name", d.Name, "version", strconv.Itoa(d.Version), "hash", d.Hash, "set", d.Set))
}

// clearAccessReviewAlarm ends the open alarm of that code about an access review, if
// there is one.
func (t *tx) clearAccessReviewAlarm(ctx context.Context, id schema.AccessReviewID, code string) error {
	return t.run(ctx, `update alarm set cleared_at = @now where connection_id is null and source_id is null and policy_id is null
		and access_review_id = @review and code = @code and cleared_at is null`, args{"now": t.now, "review": id, "code": code})
}
