package store_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// polled are the outbox rows that ask for polls.
func (b *bundle) polled() (ids []schema.SourceID) {
	b.t.Helper()
	for _, row := range b.drain() {
		require.Equal(b.t, schema.OutboxPoll, row.Kind)
		ids = append(ids, row.SourceID)
	}
	return ids
}

func TestAcceptPoll(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.source("bamboo", schema.SourceBambooHR)
	require.NoError(t, b.PollFailed(t.Context(), s.ID, "401 un\x00authorized"))
	failed, err := b.Source(t.Context(), s.ID)
	require.NoError(t, err)
	require.Equal(t, "401 unauthorized", failed.PollError)
	require.Equal(t, schema.AlarmPollFailed, b.alarms()[0].Code)
	require.Equal(t, "bamboo", b.alarms()[0].Source)

	events := make([]schema.HREvent, 600)
	for i := range events {
		events[i] = event(s, fmt.Sprint("e", i), "body")
	}
	n, err := b.AcceptPoll(t.Context(), s.ID, "", "m1", events)
	require.NoError(t, err)
	require.Equal(t, len(events), n)
	require.Empty(t, b.alarms(), "it went well")
	now, err := b.Source(t.Context(), s.ID)
	require.NoError(t, err)
	require.Equal(t, "m1", now.PollMarker)
	require.Empty(t, now.PollError)
	require.False(t, now.LastHeardAt.IsZero())
	require.Equal(t, now.LastHeardAt, now.LastEventAt)
	require.Equal(t, 1, b.count(`select count(distinct group_id) from hr_event where group_id <> ''`))
	require.Equal(t, 600, b.count(`select count(*) from hr_event where via = 'poll' and kind = 'employments' and group_id <> ''`))
	require.Equal(t, 0, b.count(`select count(*) from (select event_id, lag(event_id) over (order by seq) as before from hr_event) e
		where substr(event_id, 2)::int <> substr(before, 2)::int + 1`), "in the order they were read")

	_, err = b.AcceptPoll(t.Context(), s.ID, "", "m2", []schema.HREvent{event(s, "late", "body")})
	requireCode(t, schema.CodeConflict, err)
	require.Equal(t, 600, b.count(`select count(*) from hr_event`), "nothing of it is written")

	again := []schema.HREvent{events[0], event(s, "e1", "it says more now"), event(s, "new", "body"), event(s, "new", "body")}
	for range 2 { // read twice
		n, err = b.AcceptPoll(t.Context(), s.ID, "m1", "m1", again)
		require.NoError(t, err)
	}
	require.Zero(t, n)
	require.Equal(t, 602, b.count(`select count(*) from hr_event`), "one was known, one known otherwise, one new and twice there")
	require.Equal(t, 1, b.count(`select count(*) from hr_event where event_id like 'e1~%'`))

	b.exec(`update hr_source set last_heard_at = now() - interval '2 days', last_event_at = now() - interval '2 days'`)
	n, err = b.AcceptPoll(t.Context(), s.ID, "m1", "m3", nil)
	require.NoError(t, err)
	require.Zero(t, n)
	quiet, err := b.Source(t.Context(), s.ID)
	require.NoError(t, err)
	require.Less(t, time.Since(quiet.LastHeardAt), time.Hour, "it was asked with success")
	require.Greater(t, time.Since(quiet.LastEventAt), time.Hour)

	n, err = b.AcceptPoll(t.Context(), s.ID, "m3", "m4", []schema.HREvent{refused(s, "r", "body")})
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, schema.AlarmEventRefused, b.alarms()[0].Code)

	_, err = b.SetSourceState(t.Context(), "bamboo", schema.ConnectionDisabled, "r", b.admin)
	require.NoError(t, err)
	_, err = b.AcceptPoll(t.Context(), s.ID, "m4", "m5", nil)
	requireCode(t, schema.CodeConflict, err)
	require.NoError(t, b.PollFailed(t.Context(), s.ID, "x"))
	require.Empty(t, b.alarms(), "nobody waits for it")
}

func TestAcceptPollAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.source("bamboo", schema.SourceBambooHR)
	var won atomic.Int32
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			_, err := b.AcceptPoll(t.Context(), s.ID, "", fmt.Sprint("m", i), []schema.HREvent{event(s, fmt.Sprint("e", i), "body")})
			if err == nil {
				won.Add(1)
			} else if schema.CodeOf(err) != schema.CodeConflict {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.Equal(t, int32(1), won.Load())
	require.Equal(t, 1, b.count(`select count(*) from hr_event`))
}

func TestDuePolls(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a, c := b.source("a", schema.SourceBambooHR), b.source("c", schema.SourceBambooHR)
	b.source("hooks", schema.SourceHMAC)
	other := b.open()
	var started atomic.Int32
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			s := b.Store
			if i%2 == 0 {
				s = other
			}
			n, err := s.StartDuePolls(t.Context(), 10)
			if err != nil {
				t.Error(err)
			}
			started.Add(int32(n))
		})
	}
	wg.Wait()
	require.Equal(t, int32(2), started.Load(), "each is one server's")
	require.ElementsMatch(t, []schema.SourceID{a.ID, c.ID}, b.polled())
	next, err := b.Source(t.Context(), a.ID)
	require.NoError(t, err)
	require.InDelta(t, time.Hour.Seconds(), time.Until(next.NextPollAt).Seconds(), 60)

	b.exec(`update hr_source set next_poll_at = now() - interval '9 days' where id = $1`, a.ID)
	n, err := b.StartDuePolls(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	polled, err := b.PollSource(t.Context(), "a", b.admin)
	require.NoError(t, err)
	require.Equal(t, a.ID, polled.ID)
	require.Equal(t, []schema.SourceID{a.ID}, b.polled(), "it is asked once")
	_, err = b.PollSource(t.Context(), "a", b.admin)
	require.NoError(t, err)
	require.Equal(t, []schema.SourceID{a.ID}, b.polled())
	require.Equal(t, "a", b.said("source.polled").Details["source"])

	_, err = b.PollSource(t.Context(), "hooks", b.admin)
	requireCode(t, schema.CodeConflict, err)
	_, err = b.PollSource(t.Context(), "nobody", b.admin)
	requireCode(t, schema.CodeNotFound, err)
	_, err = b.SetSourceState(t.Context(), "a", schema.ConnectionDisabled, "r", b.admin)
	require.NoError(t, err)
	_, err = b.PollSource(t.Context(), "a", b.admin)
	requireCode(t, schema.CodeConflict, err)
	b.exec(`update hr_source set next_poll_at = now()  - interval '1 second' where name = 'a'`)
	n, err = b.StartDuePolls(t.Context(), 10)
	require.NoError(t, err)
	require.Zero(t, n)
}

func TestCheckRhythms(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.source("payroll", schema.SourceHMAC)
	okta := b.source("okta", schema.SourceSCIM)
	check := func() int {
		n, err := b.CheckRhythms(t.Context())
		require.NoError(t, err)
		return n
	}
	require.Zero(t, check(), "it was made just now")
	b.exec(`update hr_source set created_at = now() - interval '30 hours' where name = 'payroll'`)
	var wg sync.WaitGroup
	var fell atomic.Int32
	for range 5 {
		wg.Go(func() {
			n, err := b.CheckRhythms(t.Context())
			if err != nil {
				t.Error(err)
			}
			fell.Add(int32(n))
		})
	}
	wg.Wait()
	require.Equal(t, int32(1), fell.Load())
	require.Zero(t, check(), "once per silence")
	alarm := b.alarms()[0]
	require.Equal(t, schema.AlarmFeedSilent, alarm.Code)
	require.Contains(t, alarm.Message, "payroll told nothing for 30h")
	require.NotEmpty(t, alarm.Fix)

	_, err := b.AcceptEvent(t.Context(), event(s, "e1", "body"))
	require.NoError(t, err)
	require.Empty(t, b.alarms(), "it is heard again")

	b.exec(`update hr_source set last_heard_at = now() - interval '25 hours', last_event_at = now() - interval '25 hours' where name = 'payroll'`)
	require.Zero(t, check(), "its newest event counts")
	b.exec(`update hr_event set received_at = now() - interval '25 hours'`)
	require.Equal(t, 1, check(), "a new silence")
	_, err = b.SetSourceState(t.Context(), "payroll", schema.ConnectionDisabled, "r", b.admin)
	require.NoError(t, err)
	require.Zero(t, check())
	require.Empty(t, b.alarms())

	_, err = b.CreateSourceToken(t.Context(), "okta", [32]byte{1}, time.Time{}, b.admin)
	require.NoError(t, err)
	b.exec(`update hr_source set created_at = now() - interval '2 days' where id = $1`, okta.ID)
	require.Equal(t, 1, check())
	_, err = b.AuthenticateSource(t.Context(), [32]byte{1})
	require.NoError(t, err)
	require.Empty(t, b.alarms(), "any request that proves itself is a sign of life")

	bamboo := b.source("bamboo", schema.SourceBambooHR)
	b.exec(`update hr_source set created_at = now() - interval '2 days' where id = $1`, bamboo.ID)
	require.Equal(t, 1, check())
	_, err = b.AcceptPoll(t.Context(), bamboo.ID, "", "m", nil)
	require.NoError(t, err)
	require.Empty(t, b.alarms())
	b.exec(`update hr_source set last_heard_at = now() - interval '2 days' where id = $1`, bamboo.ID)
	require.Equal(t, 1, check())
	bamboo, err = b.Source(t.Context(), bamboo.ID)
	require.NoError(t, err)
	bamboo.Rhythm = 0
	_, err = b.UpdateSource(t.Context(), bamboo, b.admin)
	require.NoError(t, err)
	check()
	require.Empty(t, b.alarms(), "it may be silent for ever")

	_, err = b.RotateSource(t.Context(), "bamboo", schema.SourceSecrets{Current: "two"}, time.Hour, b.admin)
	require.NoError(t, err)
	b.exec(`update hr_source set previous_until = now() - interval '1 second' where name = 'bamboo'`)
	check()
	require.Equal(t, 0, b.count(`select count(*) from hr_source where previous_secret is not null`))
}

func TestSourceAlarms(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.source("payroll", schema.SourceHMAC)
	const code = "SOMETHING"
	for _, a := range []schema.Alarm{
		{Code: code, Message: "m"},
		{SourceID: s.ID, Code: code, Message: "m"},
		{SourceID: s.ID, Code: code, Message: "again"},
		{ConnectionID: b.conn.ID, Code: code, Message: "m"},
	} {
		require.NoError(t, b.RaiseAlarm(t.Context(), a))
	}
	require.Len(t, b.alarms(), 3)
	untold, err := b.UntoldAlarms(t.Context(), "")
	require.NoError(t, err)
	require.Len(t, untold, 1)
	require.NoError(t, b.ClearAlarm(t.Context(), "", code))
	require.NoError(t, b.ClearAlarm(t.Context(), b.conn.ID, code))
	require.Len(t, b.alarms(), 1)
	require.Equal(t, "m", b.alarms()[0].Message)
	require.NoError(t, b.RaiseAlarm(t.Context(), schema.Alarm{SourceID: s.ID, Code: schema.AlarmBatchHeld, Message: "m"}))
	_, err = b.SetSourceState(t.Context(), "payroll", schema.ConnectionRemoved, "r", b.admin)
	require.NoError(t, err)
	require.Empty(t, b.alarms(), "those of removed sources are not listed")
	all, _, err := b.ListAlarms(t.Context(), true, "", 10)
	require.NoError(t, err)
	require.Len(t, all, 4)
}

func TestSites(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, name := range []string{"Tokyo", "Berlin"} {
		set, err := b.SetSite(t.Context(), schema.Site{Name: name, TimeZone: "Asia/Tokyo"}, b.admin)
		require.NoError(t, err)
		require.Equal(t, "admin", set.UpdatedBy)
	}
	_, err := b.SetSite(t.Context(), schema.Site{Name: "Berlin", TimeZone: "Europe/Berlin"}, b.admin)
	require.NoError(t, err)
	first, next, err := b.ListSites(t.Context(), "", 1)
	require.NoError(t, err)
	require.Equal(t, "Europe/Berlin", first[0].TimeZone)
	rest, next, err := b.ListSites(t.Context(), next, 1)
	require.NoError(t, err)
	require.Equal(t, "Tokyo", rest[0].Name)
	require.Empty(t, next)
	require.Equal(t, 1, b.count(`select count(*) from audit_record where convert_from(body, 'UTF8')::jsonb->'details' =
		'{"site": "Berlin", "from": "Asia/Tokyo", "to": "Europe/Berlin"}'`))

	_, err = b.SetSite(t.Context(), schema.Site{Name: "Tokyo"}, b.admin)
	require.NoError(t, err)
	_, err = b.SetSite(t.Context(), schema.Site{Name: "Tokyo"}, b.admin)
	requireCode(t, schema.CodeNotFound, err)
	for _, bad := range []schema.Site{{Name: "X", TimeZone: "Local"}, {Name: "X", TimeZone: "Mars/Base"}, {TimeZone: "UTC"}} {
		_, err = b.SetSite(t.Context(), bad, b.admin)
		requireCode(t, schema.CodeInvalid, err)
	}
	_, err = b.SetSite(t.Context(), schema.Site{Name: "X", TimeZone: "UTC"}, schema.Principal{})
	requireCode(t, schema.CodeUnauthorized, err)
}
