package store

import (
	"context"
	"slices"

	"sendoff/internal/audit"
	"sendoff/schema"
)

const alarmColumns = `a.id, a.connection_id, a.source_id, a.policy_id, a.access_review_id, a.campaign_id, a.code, a.message, a.fix, a.raised_at, a.told_at, a.cleared_at`

// RaiseAlarm opens an alarm unless one of that subject and code is open.
func (s *Store) RaiseAlarm(ctx context.Context, a schema.Alarm) error {
	return s.inTx(ctx, "raise alarm", func(ctx context.Context, t *tx) error { return t.raiseAlarm(ctx, a) })
}

func (t *tx) raiseAlarm(ctx context.Context, a schema.Alarm) error {
	_, err := t.raiseAlarmOnce(ctx, a)
	return err
}

// raiseAlarmOnce tells whether the alarm was not open before.
func (t *tx) raiseAlarmOnce(ctx context.Context, a schema.Alarm) (bool, error) {
	if a.Code == "" || a.Message == "" {
		return false, &schema.Error{Code: schema.CodeInvalid, Message: "an alarm needs a code and a message"}
	}
	id, err := newID[schema.AlarmID]()
	if err != nil {
		return false, err
	}
	tag, err := t.Exec(ctx, `insert into alarm (id, connection_id, source_id, policy_id, access_review_id, campaign_id, code, message, fix, raised_at)
		values (@id, @connection, @source, @policy, @access_review, @campaign, @code, @message, @fix, @now)
		on conflict (connection_id, source_id, policy_id, access_review_id, campaign_id, code) where cleared_at is null do nothing`,
		args{
			"id": id, "connection": a.ConnectionID, "source": a.SourceID, "policy": a.PolicyID, "access_review": a.AccessReviewID, "campaign": a.CampaignID,
			"code": a.Code, "message": a.Message, "fix": a.Fix, "now": t.now,
		})
	if err != nil || tag.RowsAffected() == 0 || a.SourceID == "" {
		return err == nil && tag.RowsAffected() == 1, err
	}
	return true, t.noticeAlarm(ctx, a)
}

// ClearAlarm ends the open alarm of that code, if there is one.
func (s *Store) ClearAlarm(ctx context.Context, c schema.ConnectionID, code string) error {
	return s.inTx(ctx, "clear alarm", func(ctx context.Context, t *tx) error {
		return t.run(ctx, `update alarm set cleared_at = @now
			where connection_id is not distinct from @connection::uuid and source_id is null and policy_id is null and access_review_id is null and code = @code and cleared_at is null`,
			args{"now": t.now, "connection": c, "code": code})
	})
}

// ClearSourceAlarm ends the open alarm of that code about a source, if there is
// one.
func (s *Store) ClearSourceAlarm(ctx context.Context, source schema.SourceID, code string) error {
	return s.inTx(ctx, "clear alarm", func(ctx context.Context, t *tx) error { return t.clearSourceAlarm(ctx, source, code) })
}

func (t *tx) clearSourceAlarm(ctx context.Context, source schema.SourceID, code string) error {
	return t.run(ctx, `update alarm set cleared_at = @now
		where connection_id is null and source_id = @source and code = @code and cleared_at is null`,
		args{"now": t.now, "source": source, "code": code})
}

// EndAlarm ends an alarm by somebody's word. CodeConflict for one whose cause ends it
// (schema.AlarmsOfPeople are the others). Audited.
func (s *Store) EndAlarm(ctx context.Context, id schema.AlarmID, reason string, by schema.Principal) error {
	if err := checkPrincipal(by); err != nil {
		return err
	}
	return s.inTx(ctx, "end an alarm", func(ctx context.Context, t *tx) error {
		a, ok, err := maybe[struct {
			Code string
			Over bool
		}](ctx, t, `select code, cleared_at is not null as over from alarm where id = @id for no key update`, args{"id": id})
		switch {
		case err != nil:
			return err
		case !ok:
			return notFound("alarm", string(id))
		case a.Over:
			return conflict("the alarm is over", "")
		case !slices.Contains(schema.AlarmsOfPeople(), a.Code):
			return conflict("an alarm "+a.Code+" ends by itself when its cause does", "mend the cause, as the alarm says")
		}
		t.record(audit.SystemStream, principal(by), "alarm.ended", audit.Subject{}, map[string]string{"alarm": string(id), "code": a.Code, "reason": reason})
		return t.changeOne(ctx, `update alarm set cleared_at = @now where id = @id`, args{"id": id, "now": t.now})
	})
}

// UntoldAlarms returns the open alarms of the connection that its owner has not
// been told of, oldest first.
func (s *Store) UntoldAlarms(ctx context.Context, c schema.ConnectionID) ([]schema.Alarm, error) {
	list, err := all[schema.Alarm](ctx, s.pool, `select `+alarmColumns+` from alarm a
		where a.connection_id is not distinct from @connection::uuid and a.source_id is null and a.policy_id is null and a.access_review_id is null and a.cleared_at is null and a.told_at is null
		order by a.raised_at, a.id`, args{"connection": c})
	return list, translate("list alarms", err)
}

// AlarmTold records that the owner was told; the first time counts.
func (s *Store) AlarmTold(ctx context.Context, id schema.AlarmID) error {
	return s.inTx(ctx, "note that an alarm was told", func(ctx context.Context, t *tx) error {
		return t.run(ctx, `update alarm set told_at = @now where id = @id and told_at is null`, args{"now": t.now, "id": id})
	})
}

// ListAlarms lists alarms, newest first: with ended all, else those that are open,
// without those of removed connections and sources.
func (s *Store) ListAlarms(ctx context.Context, ended bool, after string, limit int) ([]schema.AlarmView, string, error) {
	if err := checkLimit(limit, maxPage); err != nil {
		return nil, "", err
	}
	from, err := parseCursor(after)
	if err != nil {
		return nil, "", err
	}
	list, err := all[schema.AlarmView](ctx, s.pool, `select `+alarmColumns+`, coalesce(c.name, '') as connection, coalesce(h.name, '') as source,
			coalesce(p.name, '') as policy, coalesce(r.name, '') as access_review
		from alarm a left join connection c on c.id = a.connection_id left join hr_source h on h.id = a.source_id
			left join policy p on p.id = a.policy_id left join access_review r on r.id = a.access_review_id
		where (@ended or a.cleared_at is null and coalesce(c.state, '') <> 'removed' and coalesce(h.state, '') <> 'removed')
			and (@first or (a.raised_at, a.id) < (@at, @id::uuid))
		order by a.raised_at desc, a.id desc limit @limit`,
		args{"ended": ended, "first": after == "", "at": from.At, "id": schema.AlarmID(from.ID), "limit": limit + 1})
	if err != nil {
		return nil, "", translate("list alarms", err)
	}
	list, next := page(list, limit, func(a schema.AlarmView) cursor { return cursor{a.RaisedAt, string(a.ID)} })
	return list, next, nil
}
