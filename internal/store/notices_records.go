package store

import (
	"context"
	"strconv"
	"strings"

	"sendoff/internal/audit"
	"sendoff/schema"
)

const selectNotices = `select n.id, n.event, n.audience, n.channel, n.recipients as "to", n.case_id, n.plan_id, n.leaver_id, n.batch_id, n.source_id,
		n.ask_id, n.policy_id, n.review_id, n.campaign_id, n.person_id, n.cause, coalesce(n.version, 0) as version, n.state, n.attempts, n.last_error, n.text_hash, n.created_at, n.delivered_at from notice n `

// QueuedNotice returns a notice; CodeNotFound.
func (s *Store) QueuedNotice(ctx context.Context, id schema.NoticeID) (schema.QueuedNotice, error) {
	n, err := loadNotice(ctx, s.pool, id)
	return n, translate("read notice", err)
}

func loadNotice(ctx context.Context, q querier, id schema.NoticeID) (schema.QueuedNotice, error) {
	n, ok, err := maybe[schema.QueuedNotice](ctx, q, selectNotices+`where n.id = @id`, args{"id": id})
	if err == nil && !ok {
		err = notFound("notice", string(id))
	}
	return n, err
}

// lockNotice locks a notice and reads it.
func (t *tx) lockNotice(ctx context.Context, id schema.NoticeID) (schema.QueuedNotice, error) {
	if err := t.run(ctx, `select 1 from notice where id = @id for no key update`, args{"id": id}); err != nil {
		return schema.QueuedNotice{}, err
	}
	return loadNotice(ctx, t, id)
}

// ListNotices lists notices, newest first.
func (s *Store) ListNotices(ctx context.Context, f schema.NoticeFilter) ([]schema.QueuedNotice, string, error) {
	if err := checkLimit(f.Limit, maxPage); err != nil {
		return nil, "", err
	}
	from, err := parseCursor(f.After)
	if err != nil {
		return nil, "", err
	}
	where, a := []string{"true"}, args{"limit": f.Limit + 1}
	if f.State != "" {
		where, a["state"] = append(where, `n.state = @state`), f.State
	}
	if f.CaseID != "" {
		where, a["case_id"] = append(where, `n.case_id = @case_id`), f.CaseID
	}
	if f.After != "" {
		where, a["at"], a["id"] = append(where, `(n.created_at, n.id) < (@at, @id::text::uuid)`), from.At, from.ID
	}
	list, err := all[schema.QueuedNotice](ctx, s.pool, selectNotices+`where `+strings.Join(where, " and ")+` order by n.created_at desc, n.id desc limit @limit`, a)
	list, next := page(list, f.Limit, func(n schema.QueuedNotice) cursor { return cursor{n.CreatedAt, string(n.ID)} })
	return list, next, translate("list notices", err)
}

// RecordNotice keeps what a try to deliver a notice came to, and audits its end.
// One that has ended stays as it is: it is delivered once.
func (s *Store) RecordNotice(ctx context.Context, id schema.NoticeID, o schema.NoticeOutcome) error {
	return s.inTx(ctx, "record notice", func(ctx context.Context, t *tx) error {
		n, err := t.lockNotice(ctx, id)
		if err != nil || n.State != schema.NoticePending {
			return err
		}
		if o.State != schema.NoticePending {
			if err := t.recordNotice(ctx, n, engine(), "notice."+string(o.State), map[string]string{"tries": strconv.Itoa(n.Attempts + 1), "text_sha256": o.TextHash}); err != nil {
				return err
			}
			if err := t.askNoticed(ctx, n, o); err != nil {
				return err
			}
		}
		return t.changeOne(ctx, `update notice set state = @state, attempts = attempts + 1, last_error = @error, text_hash = @hash,
				delivered_at = case when @state = 'delivered' then @now::timestamptz end
			where id = @id and state = 'pending'`,
			args{"id": id, "state": string(o.State), "error": o.Error, "hash": o.TextHash, "now": t.now})
	})
}

// recordNotice appends an event about a notice to the stream of its case, else of
// its leaver, else of its source or policy. It says to which audience and never to whom.
func (t *tx) recordNotice(ctx context.Context, n schema.QueuedNotice, actor audit.Actor, action string, details map[string]string) error {
	stream, subject := audit.SystemStream, audit.Subject{CaseID: string(n.CaseID), PlanID: string(n.PlanID)}
	switch {
	case n.CaseID != "":
		stream = audit.CaseStream(string(n.CaseID))
	case n.LeaverID != "":
		person, err := scalar[schema.PersonID](ctx, t, `select person_id from leaver where id = @id`, args{"id": n.LeaverID})
		if err != nil {
			return err
		}
		stream, subject.PersonID = audit.PersonStream(string(person)), string(person)
	case n.SourceID != "":
		stream = audit.SourceStream(string(n.SourceID))
	case n.CampaignID != "":
		stream, subject.CampaignID, subject.PersonID = audit.CampaignStream(string(n.CampaignID)), string(n.CampaignID), string(n.PersonID)
	case n.PolicyID != "":
		stream, subject.PolicyID = audit.PolicyStream(string(n.PolicyID)), string(n.PolicyID)
		details = with(details, "review", string(n.ReviewID), "ask", string(n.AskID))
	}
	t.record(stream, actor, action, subject, with(details, "notice", string(n.ID), "event", string(n.Event), "audience", string(n.Audience), "channel", string(n.Channel)))
	return nil
}

// RetryNotice queues a notice that failed again. CodeConflict for one that did not.
func (s *Store) RetryNotice(ctx context.Context, id schema.NoticeID, by schema.Principal) (schema.QueuedNotice, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.QueuedNotice{}, err
	}
	var n schema.QueuedNotice
	err := s.inTx(ctx, "retry notice", func(ctx context.Context, t *tx) (err error) {
		if n, err = t.lockNotice(ctx, id); err != nil {
			return err
		}
		if n.State != schema.NoticeFailed {
			return conflict("the notice is "+string(n.State), "only one that failed is sent again")
		}
		if err := t.recordNotice(ctx, n, principal(by), "notice.retried", map[string]string{"tries": strconv.Itoa(n.Attempts)}); err != nil {
			return err
		}
		n.State = schema.NoticePending
		if err := t.changeOne(ctx, `update notice set state = 'pending' where id = @id and state = 'failed'`, args{"id": id}); err != nil {
			return err
		}
		return t.enqueue(ctx, schema.OutboxRow{Kind: schema.OutboxNotice, NoticeID: id})
	})
	return n, err
}
