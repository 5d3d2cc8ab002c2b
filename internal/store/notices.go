package store

import (
	"context"
	"slices"

	"sendoff/schema"
)

// noticeAbout is what a notice is about.
type noticeAbout struct {
	caseID   schema.CaseID
	planID   schema.PlanID
	leaverID schema.LeaverID
	batchID  schema.BatchID
	sourceID schema.SourceID
	askID    schema.AskID
	policyID schema.PolicyID
	reviewID schema.ReviewID
	campaign schema.CampaignID
	person   schema.PersonID // whom a campaign's notice is to
	cause    *schema.Cause
}

// notice queues the notices that the rules have for an event, with the state that
// they tell of. Each recipient gets one of their own, so that what one refuses is
// not sent to the others again; a manager's address is found when it is sent.
func (t *tx) notice(ctx context.Context, event schema.NoticeEvent, about noticeAbout) error {
	rules, ok, err := t.noticeRules(ctx)
	if err != nil || !ok {
		return err
	}
	leaves, err := t.ofLeaver(ctx, about)
	if err != nil {
		return err
	}
	for _, route := range rules.Routes {
		if !slices.Contains(route.Events, event) || !leaves && (event != schema.NoticeParked || route.Audience != schema.AudienceIT) {
			continue
		}
		if route.Audience == schema.AudienceManager {
			if err := t.queueNotice(ctx, rules.Version, event, about, route, []string{}); err != nil {
				return err
			}
			continue
		}
		for _, to := range route.To {
			if err := t.queueNotice(ctx, rules.Version, event, about, route, []string{to}); err != nil {
				return err
			}
		}
	}
	return nil
}

// ofLeaver tells whether a notice is about somebody who leaves, or about no case. A
// policy that cleans up accounts opens many cases of people who stay: of those IT
// alone is told, when one needs somebody.
func (t *tx) ofLeaver(ctx context.Context, about noticeAbout) (bool, error) {
	if about.caseID == "" {
		return true, nil
	}
	return scalar[bool](ctx, t, `select door <> 'inactivity' from lifecycle_case where id = @id`, args{"id": about.caseID})
}

func (t *tx) queueNotice(ctx context.Context, version int, event schema.NoticeEvent, about noticeAbout, route schema.NoticeRoute, to []string) error {
	id, err := newID[schema.NoticeID]()
	if err != nil {
		return err
	}
	err = t.run(ctx, `insert into notice (id, event, audience, channel, recipients, case_id, plan_id, leaver_id, batch_id, source_id,
			ask_id, policy_id, review_id, campaign_id, person_id, cause, version, state, created_at)
		values (@id, @event, @audience, @channel, @recipients, @case_id, @plan_id, @leaver_id, @batch_id, @source_id,
			@ask_id, @policy_id, @review_id, @campaign_id, @person_id, @cause, @version, 'pending', @now)`,
		args{
			"id": id, "event": event, "audience": route.Audience, "channel": route.Channel, "recipients": to,
			"case_id": about.caseID, "plan_id": about.planID, "leaver_id": about.leaverID, "batch_id": about.batchID, "source_id": about.sourceID,
			"ask_id": about.askID, "policy_id": about.policyID, "review_id": about.reviewID,
			"campaign_id": about.campaign, "person_id": about.person, "cause": about.cause, "version": orNull(version), "now": t.now,
		})
	if err != nil {
		return err
	}
	return t.enqueue(ctx, schema.OutboxRow{Kind: schema.OutboxNotice, NoticeID: id})
}

// orNull is nil for rules that there are none of.
func orNull(version int) *int {
	if version == 0 {
		return nil
	}
	return &version
}

// noticeAlarm tells of a source's alarm: who the rules name, and by mail its owner.
func (t *tx) noticeAlarm(ctx context.Context, a schema.Alarm) error {
	about := noticeAbout{sourceID: a.SourceID, cause: &schema.Cause{Code: schema.ParkCode(a.Code), Message: a.Message, Fix: a.Fix, At: t.now}}
	if err := t.notice(ctx, schema.NoticeAlarm, about); err != nil {
		return err
	}
	owner, err := scalar[string](ctx, t, `select owner from hr_source where id = @id`, args{"id": a.SourceID})
	if err != nil || owner == "" {
		return err
	}
	rules, _, err := t.noticeRules(ctx)
	if err != nil {
		return err
	}
	route := schema.NoticeRoute{Audience: schema.AudienceIT, Channel: schema.ChannelMail}
	return t.queueNotice(ctx, rules.Version, schema.NoticeAlarm, about, route, []string{owner})
}

// noticeRules returns the rules that count, read once in a transaction, and
// whether any tell somebody of something.
func (t *tx) noticeRules(ctx context.Context) (schema.NoticeRules, bool, error) {
	if t.rules == nil {
		r, _, err := newestNoticeRules(ctx, t)
		if err != nil {
			return schema.NoticeRules{}, false, err
		}
		t.rules = &r
	}
	return *t.rules, len(t.rules.Routes) > 0, nil
}

// noticePlanned tells of cases that were just opened.
func (t *tx) noticePlanned(ctx context.Context, cases []newCase) error {
	for _, c := range cases {
		if err := t.notice(ctx, schema.NoticePlanned, noticeAbout{caseID: c.ID}); err != nil {
			return err
		}
	}
	return nil
}

// noticeStarting tells once that a case begins, with the first of its plans. Two
// plans may begin at the same time, so the case's own lock decides which is first.
func (t *tx) noticeStarting(ctx context.Context, p planRow) error {
	if _, some, err := t.noticeRules(ctx); err != nil || !some {
		return err
	}
	if err := t.lockKey(ctx, "starting "+string(p.CaseID)); err != nil {
		return err
	}
	begun, err := scalar[bool](ctx, t, `select exists (select 1 from notice where case_id = @case_id and event = 'starting')
			or exists (select 1 from plan where case_id = @case_id and id <> @id and state in ('waiting', 'running', 'settling', 'parked', 'done'))`,
		args{"case_id": p.CaseID, "id": p.ID})
	if err != nil || begun {
		return err
	}
	return t.notice(ctx, schema.NoticeStarting, noticeAbout{caseID: p.CaseID, planID: p.ID})
}

// noticeParked tells that a locked plan was parked, for each cause once until
// somebody decides: causes may take turns while a plan stays parked.
func (t *tx) noticeParked(ctx context.Context, p planRow, from schema.PlanState, cause schema.Cause) error {
	if _, some, err := t.noticeRules(ctx); err != nil || !some {
		return err
	}
	if from == schema.PlanParked {
		told, err := scalar[bool](ctx, t, `select exists (select 1 from notice
				where case_id = @case_id and plan_id = @plan_id and event = 'parked' and cause->>'code' = @code
				and created_at >= coalesce((select max(created_at) from decision where case_id = @case_id), '-infinity'))`,
			args{"case_id": p.CaseID, "plan_id": p.ID, "code": cause.Code})
		if err != nil || told {
			return err
		}
	}
	return t.notice(ctx, schema.NoticeParked, noticeAbout{caseID: p.CaseID, planID: p.ID, cause: &cause})
}

// noticeClosed tells how a case ended. One whose plans were all taken over by
// another case tells nothing: that case did.
func (t *tx) noticeClosed(ctx context.Context, id schema.CaseID) error {
	ends, err := scalars[schema.PlanState](ctx, t, `select distinct state from plan where case_id = @id`, args{"id": id})
	switch {
	case err != nil:
		return err
	case slices.Contains(ends, schema.PlanDone):
		return t.notice(ctx, schema.NoticeDone, noticeAbout{caseID: id})
	case slices.Contains(ends, schema.PlanCancelled):
		return t.notice(ctx, schema.NoticeCancelled, noticeAbout{caseID: id})
	}
	return nil
}
