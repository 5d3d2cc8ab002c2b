package store_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// facts returns what the case's notice of an event, by a channel, tells now.
func (b *bundle) facts(id schema.CaseID, event schema.NoticeEvent, audience schema.Audience) schema.NoticeFacts {
	b.t.Helper()
	for _, n := range b.queued(id) {
		if n.Event == event && n.Audience == audience {
			f, err := b.NoticeFacts(b.t.Context(), n.ID)
			require.NoError(b.t, err)
			return f
		}
	}
	require.Fail(b.t, "there is no notice of "+string(event))
	return schema.NoticeFacts{}
}

func TestFactsOfACase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.whole(employment("1", "user1@example.com", "name=Ada", "manager=2"), employment("2", "boss@example.com"))
	b.tells(toManager(), toIT("it@example.com"))
	p := b.leaver("1", "", "suspend")
	b.begin(p.ID, 0)
	require.NoError(t, b.ParkPlan(t.Context(), p.ID, schema.Cause{
		Code: schema.ParkVendorRefused, Step: schema.StepSnapshot, Message: "canary: secret plans.docx", Fix: "canary",
	}))
	want := schema.NoticeFacts{
		Event: schema.NoticeParked, To: []string{"boss@example.com"}, Person: "Ada", CaseID: p.CaseID, Door: schema.DoorOffboarding, PlanID: p.ID,
		Accounts: []schema.NoticeAccount{{Connection: "box", State: schema.PlanParked}}, Cause: schema.ParkVendorRefused, CauseOf: schema.StepSnapshot,
	}
	got := b.facts(p.CaseID, schema.NoticeParked, schema.AudienceManager)
	require.Equal(t, want, got, "the cause's message is not among them")
	require.Equal(t, []string{"it@example.com"}, b.facts(p.CaseID, schema.NoticePlanned, schema.AudienceIT).To)
}

func TestTheLeaverIsNeverTold(t *testing.T) {
	t.Parallel()
	today := schema.DateOf(time.Now().UTC())
	before := today.In(time.UTC).AddDate(0, 0, -2).Format(time.DateOnly)
	b := setup(t)
	b.tells(toManager(), toIT("user1@example.com", "it@example.com"))
	p := b.leaver("1", "", "suspend")
	manager := func() []string { return b.facts(p.CaseID, schema.NoticePlanned, schema.AudienceManager).To }
	require.Empty(t, manager(), "nobody knows the manager")

	b.whole(employment("1", "user1@example.com", "manager=1"))
	require.Empty(t, manager(), "one's own manager is none")
	b.whole(employment("1", "user1@example.com", "manager=2"), employment("2", ""))
	require.Empty(t, manager(), "a manager without an address")
	b.whole(employment("1", "user1@example.com", "manager=2"), employment("2", "boss@example.com", "last="+before))
	require.Empty(t, manager(), "a manager who has left")
	b.whole(employment("1", "user1@example.com", "manager=2"), employment("2", "boss@example.com"))
	require.Equal(t, []string{"boss@example.com"}, manager())

	b.whole(employment("1", "ada.new@example.com", "manager=2"), employment("2", "boss@example.com"))
	var told [][]string
	for _, n := range b.queued(p.CaseID) {
		f, err := b.NoticeFacts(t.Context(), n.ID)
		require.NoError(t, err)
		told = append(told, f.To)
	}
	require.ElementsMatch(t, [][]string{{"boss@example.com"}, {}, {"it@example.com"}}, told, "an old address is the leaver's too")
}

// hrLeaver stands in for a leaver that HR told of.
func (b *bundle) hrLeaver(source schema.Source, email string, moment schema.Moment, caseID schema.CaseID, findings ...schema.Finding) schema.LeaverID {
	b.t.Helper()
	m, err := json.Marshal(moment)
	require.NoError(b.t, err)
	if findings == nil {
		findings = []schema.Finding{}
	}
	found, err := json.Marshal(findings)
	require.NoError(b.t, err)
	return schema.LeaverID(b.text(`insert into leaver (id, person_id, source_id, external_id, moment, due_at, for_cause, reason, by_hand, state, case_id, findings,
			revision, template, receivers, approvals, counted_at, created_at, updated_at)
		values (new_id(), (select person_id from person_email where email = $1), $2, '1', $3, $4, false, '', false, 'planning', $5, $6, 1, 'leaver', '{}', 0, now(), now(), now())
		returning id::text`, email, source.ID, m, moment.DueAt, nullable(caseID), found))
}

func nullable(id schema.CaseID) any {
	if id == "" {
		return nil
	}
	return string(id)
}

func TestFactsOfALeaverOfHR(t *testing.T) {
	t.Parallel()
	b := setup(t)
	src := b.source("bamboo", schema.SourceCSV)
	b.whole(employment("1", "user1@example.com", "name=Ada", "manager=2"), employment("2", "boss@example.com"),
		employment("3", "c@example.com", "manager=1"), employment("4", "d@example.com", "manager=1"))
	b.tells(toManager())
	due := time.Now().Add(48 * time.Hour).UTC().Truncate(time.Second)
	moment := schema.Moment{Starts: schema.StartsLastWorkingDay, Date: schema.DateOf(due), At: schema.DefaultLocalTime(), TimeZone: "Europe/Berlin", ZoneFrom: schema.ZoneOfSite, DueAt: due}
	d := b.draft("1", "", "suspend")
	d.Request.EffectiveAt = due
	p := b.write(d)
	b.hrLeaver(src, "user1@example.com", moment, p.CaseID)
	f := b.facts(p.CaseID, schema.NoticePlanned, schema.AudienceManager)
	require.Equal(t, []any{"bamboo", "Europe/Berlin", schema.ZoneOfSite}, []any{f.Source, f.TimeZone, f.ZoneFrom})
	require.True(t, due.Equal(f.DueAt))
	require.NoError(t, b.told(p, schema.Decision{Kind: schema.DecideMoveDate, To: due.Add(time.Hour)}))
	require.True(t, due.Add(time.Hour).Equal(b.facts(p.CaseID, schema.NoticePlanned, schema.AudienceManager).DueAt), "an operator moved the case")
}

func TestFactsOfWhatIsNoCase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	src := b.source("bamboo", schema.SourceCSV)
	b.whole(employment("1", "user1@example.com", "name=Ada", "manager=2"), employment("2", "boss@example.com"),
		employment("3", "c@example.com", "manager=1"), employment("4", "d@example.com", "manager=1"))
	rules := b.tells(toManager(), toIT("it@example.com"))
	giver := b.leaver("9", "1", "leaver") // whose content account 1 gets
	b.account("1")
	b.exec(`update account set person_id = (select person_id from person_email where email = 'user1@example.com') where external_id = '1'`)
	now := schema.Moment{Starts: schema.StartsAtOnce, DueAt: time.Now()}
	leaver := b.hrLeaver(src, "user1@example.com", now, "", schema.Finding{Code: schema.ReceiverMissing, Message: "canary"}, schema.Finding{Code: schema.OpenLinks, Warning: true})
	queue := func(event schema.NoticeEvent, audience schema.Audience, column string, id any) schema.NoticeFacts {
		notice := b.text(`insert into notice (id, event, audience, channel, recipients, `+column+`, version, state, created_at)
			values (new_id(), $1, $2, 'mail', case when $2 = 'manager' then '{}'::text[] else '{it@example.com}' end, $3, $4, 'pending', now()) returning id::text`,
			event, audience, id, rules.Version)
		f, err := b.NoticeFacts(t.Context(), schema.NoticeID(notice))
		require.NoError(t, err)
		return f
	}
	require.Equal(t, schema.NoticeFacts{
		Event: schema.NoticeRefused, To: []string{"boss@example.com"}, Person: "Ada", Source: "bamboo", Findings: []schema.FindingCode{schema.ReceiverMissing},
	}, queue(schema.NoticeRefused, schema.AudienceManager, "leaver_id", leaver))
	affected := queue(schema.NoticeAffected, schema.AudienceIT, "leaver_id", leaver)
	require.Equal(t, []int{2, 1}, []int{affected.Reports, affected.Receives})
	b.finish(giver)
	require.Zero(t, queue(schema.NoticeAffected, schema.AudienceIT, "leaver_id", leaver).Receives)

	silent := queue(schema.NoticeFeedSilent, schema.AudienceIT, "source_id", src.ID)
	require.Equal(t, []any{"bamboo", schema.ZoneOfCompany, src.TimeZone}, []any{silent.Source, silent.ZoneFrom, silent.TimeZone})
	batch := b.text(`insert into batch (id, scope, scope_id, scope_name, state, size, started, allowed, limit_number, limit_percent, limit_window_seconds, created_at)
		values (new_id(), 'hr_source', $1, 'bamboo', 'held', 12, 0, 5, 5, 2, 86400, now()) returning id::text`, src.ID)
	held := queue(schema.NoticeBatchHeld, schema.AudienceIT, "batch_id", batch)
	require.Equal(t, schema.NoticeFacts{Event: schema.NoticeBatchHeld, To: []string{"it@example.com"}, BatchID: schema.BatchID(batch), Size: 12, Source: "bamboo"}, held)
}
