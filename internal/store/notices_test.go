package store_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// tells applies rules with the routes given; to whom, every one that has nobody.
func (b *bundle) tells(routes ...schema.NoticeRoute) schema.NoticeRules {
	b.t.Helper()
	now, err := b.NoticeRules(b.t.Context())
	require.NoError(b.t, err)
	r, err := b.ApplyNoticeRules(b.t.Context(), schema.NoticeRules{Version: now.Version, Routes: routes, Source: fmt.Sprint(routes)}, b.admin)
	require.NoError(b.t, err)
	return r
}

// toIT tells IT of everything.
func toIT(to ...string) schema.NoticeRoute {
	return schema.NoticeRoute{Audience: schema.AudienceIT, Events: schema.NoticeEvents(), Channel: schema.ChannelMail, To: to}
}

func toManager() schema.NoticeRoute {
	return schema.NoticeRoute{Audience: schema.AudienceManager, Events: schema.NoticeEvents(), Channel: schema.ChannelMail}
}

// queued returns the notices of a case, oldest first.
func (b *bundle) queued(id schema.CaseID) []schema.QueuedNotice {
	b.t.Helper()
	list, _, err := b.ListNotices(b.t.Context(), schema.NoticeFilter{CaseID: id, Limit: 100})
	require.NoError(b.t, err)
	var out []schema.QueuedNotice
	for _, n := range list {
		out = append([]schema.QueuedNotice{n}, out...)
	}
	return out
}

// news are the events that a case was told of, in order.
func (b *bundle) news(id schema.CaseID) string {
	b.t.Helper()
	var out []string
	for _, n := range b.queued(id) {
		text := string(n.Event)
		if n.Cause != nil {
			text += ":" + string(n.Cause.Code)
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}

func TestNobodyIsToldWithoutRules(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rules, err := b.NoticeRules(t.Context())
	require.NoError(t, err)
	require.Zero(t, rules.Version)
	p := b.leaver("1", "", "suspend")
	b.tells()
	b.begin(p.ID, 0)
	b.park(p.ID, schema.ParkUnauthorized)
	require.Empty(t, b.queued(p.CaseID))
}

func TestEachEventIsToldOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.tells(toIT("it@example.com"))
	p := b.leaver("1", "", "suspend")
	require.Equal(t, "planned", b.news(p.CaseID))
	ref := b.begin(p.ID, 0)
	_, err := b.BeginStep(t.Context(), ref)
	require.NoError(t, err, "a repeat of the beginning")
	require.NoError(t, b.CompleteStep(t.Context(), ref, schema.StepDone, nil))
	b.begin(p.ID, 1)
	require.Equal(t, "planned starting", b.news(p.CaseID))

	b.park(p.ID, schema.ParkUnauthorized)
	b.park(p.ID, schema.ParkUnauthorized)
	b.park(p.ID, schema.ParkVendorFailing)
	b.park(p.ID, schema.ParkUnauthorized) // back and forth within one episode
	require.Equal(t, "planned starting parked:UNAUTHORIZED parked:VENDOR_FAILING", b.news(p.CaseID))
	b.decide(p, schema.DecideResume)
	b.park(p.ID, schema.ParkUnauthorized) // again: somebody decided meanwhile
	b.park(p.ID, schema.ParkVendorFailing)
	require.Equal(t, "planned starting parked:UNAUTHORIZED parked:VENDOR_FAILING parked:UNAUTHORIZED parked:VENDOR_FAILING", b.news(p.CaseID))

	b.decide(p, schema.DecideCancel)
	b.parkUndo(p.ID, schema.ParkWindowOpen)
	b.decide(p, schema.DecideResume)
	require.NoError(t, b.EndPlan(t.Context(), p.ID, schema.PlanCancelled))
	require.NoError(t, b.CloseCase(t.Context(), p.CaseID))
	require.NoError(t, b.CloseCase(t.Context(), p.CaseID))
	require.True(t, strings.HasSuffix(b.news(p.CaseID), " parked:WINDOW_OPEN cancelled"), b.news(p.CaseID))
}

func TestMovedAndDone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.tells(toIT("it@example.com"))
	d := b.draft("1", "", "suspend")
	d.Request.EffectiveAt = time.Now().Add(time.Hour)
	p := b.write(d)
	to := time.Now().Add(48 * time.Hour).Truncate(time.Second)
	require.NoError(t, b.told(p, schema.Decision{Kind: schema.DecideMoveDate, To: to}))
	require.Equal(t, "planned moved", b.news(p.CaseID))
	require.NoError(t, b.told(p, schema.Decision{Kind: schema.DecideMoveDate, To: to}))
	require.Equal(t, "planned moved", b.news(p.CaseID), "the same date is no other one")
	f, err := b.NoticeFacts(t.Context(), b.queued(p.CaseID)[0].ID)
	require.NoError(t, err)
	require.True(t, to.Equal(f.DueAt), "what is true when it is sent")

	require.NoError(t, b.told(p, schema.Decision{Kind: schema.DecideMoveDate, To: time.Now().Add(-time.Second)}))
	for i := range b.plan(p.ID).Steps {
		require.NoError(t, b.CompleteStep(t.Context(), b.begin(p.ID, i), schema.StepDone, nil))
	}
	require.NoError(t, b.EndPlan(t.Context(), p.ID, schema.PlanDone))
	require.NoError(t, b.CloseCase(t.Context(), p.CaseID))
	require.Equal(t, "planned moved moved starting done", b.news(p.CaseID))
}

// TestStartingIsToldOnceWhenPlansBeginTogether: the plans of a case are workflows
// of their own.
func TestStartingIsToldOnceWhenPlansBeginTogether(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.tells(toIT("it@example.com"))
	d := b.draft("1", "", "suspend")
	var hashes []string
	for _, id := range []string{"2", "3", "4"} {
		d.Accounts = append(d.Accounts, b.draft(id, "", "suspend").Accounts...)
	}
	for _, a := range d.Accounts {
		hashes = append(hashes, a.Facts.Hash())
	}
	d.Hash = schema.CaseHash(hashes)
	first := b.write(d)
	plans, err := b.CasePlans(t.Context(), first.CaseID)
	require.NoError(t, err)
	var wg sync.WaitGroup
	errs := make([]error, len(plans))
	for i, p := range plans {
		wg.Go(func() { _, errs[i] = b.BeginStep(t.Context(), schema.StepRef{PlanID: p.ID}) })
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.Equal(t, "planned starting", b.news(first.CaseID))
}

// TestNoticesStandOrFallWithWhatTheyTell: what was rolled back is not told.
func TestNoticesStandOrFallWithWhatTheyTell(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.tells(toIT("it@example.com", "night@example.com"), toManager())
	p := b.leaver("1", "", "suspend")
	require.Len(t, b.queued(p.CaseID), 3, "one for each recipient")
	_, err := b.CreateCases(t.Context(), []schema.Draft{b.draft("2", "", "suspend"), b.draft("1", "", "suspend")}, b.admin)
	requireCode(t, schema.CodeConflict, err)
	require.Equal(t, 3, b.count(`select count(*) from notice`))

	var announced []schema.NoticeID
	for _, row := range b.drain() {
		if row.Kind == schema.OutboxNotice {
			require.Empty(t, row.CaseID)
			announced = append(announced, row.NoticeID)
		}
	}
	require.Len(t, announced, 3)
	n, err := b.QueuedNotice(t.Context(), announced[0])
	require.NoError(t, err)
	require.Equal(t, []any{schema.NoticePlanned, schema.AudienceIT, schema.ChannelMail, []string{"it@example.com"}, p.CaseID, schema.NoticePending, 1},
		[]any{n.Event, n.Audience, n.Channel, n.To, n.CaseID, n.State, n.Version})
	_, err = b.QueuedNotice(t.Context(), "0197c0de-0000-7000-8000-000000000009")
	requireCode(t, schema.CodeNotFound, err)
}

func TestApplyNoticeRules(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	one := schema.NoticeRules{
		Routes: []schema.NoticeRoute{toIT("it@example.com"), toManager()}, Source: "one", Texts: map[schema.NoticeEvent]string{"done": "x\ny"},
	}
	first, err := b.ApplyNoticeRules(ctx, one, b.admin)
	require.NoError(t, err)
	require.Equal(t, 1, first.Version)
	require.Equal(t, "admin", first.UpdatedBy)
	got, err := b.NoticeRules(ctx)
	require.NoError(t, err)
	require.Equal(t, first, got)

	_, err = b.ApplyNoticeRules(ctx, one, b.admin)
	requireCode(t, schema.CodeConflict, err)
	one.Version = 1
	same, err := b.ApplyNoticeRules(ctx, one, b.admin)
	require.NoError(t, err)
	require.Equal(t, 1, same.Version)
	two := schema.NoticeRules{Version: 1, Source: "two"}
	errs := make([]error, 4)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			r := two
			r.Source = fmt.Sprint("two", i)
			_, errs[i] = b.ApplyNoticeRules(ctx, r, b.admin)
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		}
	}
	require.Equal(t, 1, won)
	old, err := b.NoticeRulesVersion(ctx, 1)
	require.NoError(t, err)
	require.Equal(t, "one", old.Source)
	_, err = b.NoticeRulesVersion(ctx, 7)
	requireCode(t, schema.CodeNotFound, err)

	said := b.systemActions("notice_rules.")
	require.Len(t, said, 2)
	require.NotContains(t, fmt.Sprint(b.auditOf(audit.SystemStream)), "it@example.com")
	_, err = b.ApplyNoticeRules(ctx, two, schema.Principal{})
	requireCode(t, schema.CodeUnauthorized, err)
}

func TestRecordNotice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	b.tells(toIT("it@example.com"))
	p := b.leaver("1", "", "suspend")
	id := b.queued(p.CaseID)[0].ID
	try := func(o schema.NoticeOutcome) schema.QueuedNotice {
		require.NoError(t, b.RecordNotice(ctx, id, o))
		n, err := b.QueuedNotice(ctx, id)
		require.NoError(t, err)
		return n
	}
	notices := func() (out []string) {
		for _, e := range b.events(p.CaseID) {
			if strings.HasPrefix(e.Action, "notice.") {
				out = append(out, e.Action+" "+e.Details["event"]+" "+e.Details["audience"]+" "+e.Details["channel"]+" "+e.Details["tries"]+" "+e.Details["text_sha256"])
			}
			require.NotContains(t, fmt.Sprint(e), "it@example.com")
		}
		return out
	}
	n := try(schema.NoticeOutcome{State: schema.NoticePending, Error: "451", TextHash: "aa"})
	require.Equal(t, []any{schema.NoticePending, 1, "451"}, []any{n.State, n.Attempts, n.LastError})
	require.Empty(t, notices())
	n = try(schema.NoticeOutcome{State: schema.NoticeFailed, Error: "550", TextHash: "bb"})
	require.Equal(t, []any{schema.NoticeFailed, 2, "550", "bb"}, []any{n.State, n.Attempts, n.LastError, n.TextHash})
	require.Equal(t, n, try(schema.NoticeOutcome{State: schema.NoticeDelivered, TextHash: "cc"}), "it has ended")

	b.drain()
	again, err := b.RetryNotice(ctx, id, b.admin)
	require.NoError(t, err)
	require.Equal(t, schema.NoticePending, again.State)
	require.Equal(t, id, b.drain()[0].NoticeID)
	_, err = b.RetryNotice(ctx, id, b.admin)
	requireCode(t, schema.CodeConflict, err)
	n = try(schema.NoticeOutcome{State: schema.NoticeDelivered, TextHash: "cc"})
	require.Equal(t, []any{schema.NoticeDelivered, 3, "", "cc"}, []any{n.State, n.Attempts, n.LastError, n.TextHash})
	require.False(t, n.DeliveredAt.IsZero())
	require.Equal(t, n, try(schema.NoticeOutcome{State: schema.NoticeFailed, Error: "late"}))
	require.Equal(t, []string{"notice.failed planned it mail 2 bb", "notice.retried planned it mail 2 ", "notice.delivered planned it mail 3 cc"}, notices())
	requireCode(t, schema.CodeNotFound, b.RecordNotice(ctx, "0197c0de-0000-7000-8000-000000000009", schema.NoticeOutcome{State: schema.NoticeFailed}))
}

// TestANoticeIsDeliveredOnce: workers that both believe to have sent it record it
// once.
func TestANoticeIsDeliveredOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.tells(toIT("it@example.com"))
	p := b.leaver("1", "", "suspend")
	id := b.queued(p.CaseID)[0].ID
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			_ = b.RecordNotice(context.WithoutCancel(t.Context()), id, schema.NoticeOutcome{State: schema.NoticeDelivered})
		})
	}
	wg.Wait()
	n, err := b.QueuedNotice(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, 1, n.Attempts)
	told := 0
	for _, a := range b.actions(p.CaseID) {
		if a == "notice.delivered" {
			told++
		}
	}
	require.Equal(t, 1, told)
}

func TestListNotices(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.tells(toIT("a@example.com", "b@example.com", "c@example.com"))
	first, second := b.leaver("1", "", "suspend"), b.leaver("2", "", "suspend")
	require.NoError(t, b.RecordNotice(t.Context(), b.queued(first.CaseID)[1].ID, schema.NoticeOutcome{State: schema.NoticeFailed}))
	walk := func(f schema.NoticeFilter) (ids []schema.NoticeID) {
		for f.Limit = 2; ; {
			list, next, err := b.ListNotices(t.Context(), f)
			require.NoError(t, err)
			for _, n := range list {
				ids = append(ids, n.ID)
			}
			if f.After = next; next == "" {
				return ids
			}
		}
	}
	require.Len(t, walk(schema.NoticeFilter{}), 6)
	require.Len(t, walk(schema.NoticeFilter{CaseID: second.CaseID}), 3)
	require.Len(t, walk(schema.NoticeFilter{State: schema.NoticePending}), 5)
	require.Equal(t, []schema.NoticeID{b.queued(first.CaseID)[1].ID}, walk(schema.NoticeFilter{State: schema.NoticeFailed}))
	require.Empty(t, walk(schema.NoticeFilter{State: schema.NoticeFailed, CaseID: second.CaseID}))
	_, _, err := b.ListNotices(t.Context(), schema.NoticeFilter{Limit: 0})
	requireCode(t, schema.CodeInvalid, err)
}

// TestTheOwnerOfASourceIsTold: an alarm of a source is told once by mail to who
// owns it, without any rules.
func TestTheOwnerOfASourceIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	src, err := b.CreateSource(t.Context(), schema.Source{
		Name: "payroll", Kind: schema.SourceCSV, State: schema.ConnectionEnabled, TimeZone: "UTC", Template: "leaver", Limit: schema.DefaultStartLimit(),
		Owner: "hr.it@example.com",
	}, schema.SourceSecrets{}, b.admin)
	require.NoError(t, err)
	alarm := schema.Alarm{SourceID: src.ID, Code: schema.AlarmEventRefused, Message: "events of source payroll cannot be read", Fix: "see: sendoff hr events list"}
	require.NoError(t, b.RaiseAlarm(t.Context(), alarm))
	require.NoError(t, b.RaiseAlarm(t.Context(), alarm), "it is open")

	open, _, err := b.ListAlarms(t.Context(), false, "", 10)
	require.NoError(t, err)
	require.Len(t, open, 1)
	requireCode(t, schema.CodeConflict, b.EndAlarm(t.Context(), open[0].ID, "looked", b.admin))

	list, _, err := b.ListNotices(t.Context(), schema.NoticeFilter{Limit: 10})
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, schema.NoticeAlarm, list[0].Event)
	facts, err := b.NoticeFacts(t.Context(), list[0].ID)
	require.NoError(t, err)
	require.Equal(t, []string{"hr.it@example.com"}, facts.To)
	require.Equal(t, "payroll", facts.Source)
	require.Equal(t, alarm.Message, facts.Alarm)
	require.Equal(t, alarm.Fix, facts.AlarmFix)
	rules, err := b.NoticeRulesVersion(t.Context(), list[0].Version)
	require.NoError(t, err)
	require.Empty(t, rules.Routes)
}

// TestAnAlarmOfPeopleEndsByTheirWord: what happened once is over when somebody says
// so, and may be raised again.
func TestAnAlarmOfPeopleEndsByTheirWord(t *testing.T) {
	t.Parallel()
	b := setup(t)
	src := b.source("payroll", schema.SourceHMAC)
	alarm := schema.Alarm{SourceID: src.ID, Code: schema.AlarmEventReused, Message: "an id came again with another body", Fix: "ask"}
	for range 2 {
		require.NoError(t, b.RaiseAlarm(t.Context(), alarm))
		open, _, err := b.ListAlarms(t.Context(), false, "", 10)
		require.NoError(t, err)
		require.Len(t, open, 1)
		require.NoError(t, b.EndAlarm(t.Context(), open[0].ID, "looked", b.admin))
		requireCode(t, schema.CodeConflict, b.EndAlarm(t.Context(), open[0].ID, "looked", b.admin))
	}
	requireCode(t, schema.CodeNotFound, b.EndAlarm(t.Context(), "0197c0de-0000-7000-8000-000000000009", "looked", b.admin))
}
