package store_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// event tells an employment that ends.
func event(s schema.Source, id, body string) schema.HREvent {
	return schema.HREvent{
		SourceID: s.ID, EventID: id, Via: schema.ViaWebhook, Body: []byte(body), State: schema.EventPending,
		Change: schema.HRChange{Kind: schema.ChangeEmployments, Roster: &schema.Roster{
			Source: s.Name, Mode: schema.RosterChanges, Fields: []string{"last_working_day"},
			Employments: []schema.Employment{{EmploymentKey: schema.EmploymentKey{ExternalID: id}, LastWorkingDay: schema.Date{Year: 2026, Month: 3, Day: 31}, ForCause: true}},
		}},
	}
}

func refused(s schema.Source, id, body string) schema.HREvent {
	e := event(s, id, body)
	e.State, e.Change = schema.EventRefused, schema.HRChange{}
	e.Problems = []schema.Problem{{Where: "na\x00me", Code: "unreadable", Message: "it says \xff"}}
	return e
}

func (b *bundle) alarms() []schema.AlarmView {
	b.t.Helper()
	list, _, err := b.ListAlarms(b.t.Context(), false, "", 100)
	require.NoError(b.t, err)
	return list
}

func TestAcceptEvent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.source("payroll", schema.SourceHMAC)

	t.Run("keeps what came", func(t *testing.T) {
		e := event(s, "e1", "bo\x00dy\xff")
		e.GroupID = "g"
		got, err := b.AcceptEvent(t.Context(), e)
		require.NoError(t, err)
		require.False(t, got.Duplicate)
		stored, err := b.HREvent(t.Context(), got.Event.ID)
		require.NoError(t, err)
		require.Equal(t, got.Event, stored)
		sum := sha256.Sum256([]byte("bo\x00dy\xff"))
		require.Equal(t, hex.EncodeToString(sum[:]), stored.BodyHash)
		require.Equal(t, []byte("bo\x00dy\xff"), stored.Body)
		require.Equal(t, e.Change, stored.Change)
		require.Equal(t, "payroll", stored.Source)
		require.Equal(t, "g", stored.GroupID)
		require.Equal(t, schema.EventPending, stored.State)
		require.Positive(t, stored.Seq)

		heard, err := b.SourceByName(t.Context(), "payroll")
		require.NoError(t, err)
		require.WithinDuration(t, stored.ReceivedAt, heard.LastEventAt, time.Minute)
		require.Equal(t, heard.LastEventAt, heard.LastHeardAt)

		again, err := b.AcceptEvent(t.Context(), e)
		require.NoError(t, err)
		require.True(t, again.Duplicate)
		require.Equal(t, stored, again.Event)
		require.Empty(t, b.alarms())
	})

	t.Run("refuses another body under the id, and says so once", func(t *testing.T) {
		for range 2 {
			_, err := b.AcceptEvent(t.Context(), event(s, "e1", "other"))
			requireCode(t, schema.CodeConflict, err)
		}
		_, err := b.AcceptEvent(t.Context(), refused(s, "e1", "third"))
		requireCode(t, schema.CodeConflict, err)
		alarms := b.alarms()
		require.Len(t, alarms, 1)
		require.Equal(t, schema.AlarmEventReused, alarms[0].Code)
		require.Equal(t, "payroll", alarms[0].Source)
		require.Equal(t, s.ID, alarms[0].SourceID)
		require.Equal(t, 1, b.count(`select count(*) from hr_event`))
		require.NoError(t, b.ClearSourceAlarm(t.Context(), s.ID, schema.AlarmEventReused))
		require.Empty(t, b.alarms())
	})

	t.Run("takes a refused event that is readable now", func(t *testing.T) {
		first, err := b.AcceptEvent(t.Context(), refused(s, "e2", "body"))
		require.NoError(t, err)
		require.Equal(t, schema.EventRefused, first.Event.State)
		require.Equal(t, "na\ufffdme", first.Event.Problems[0].Where)
		require.Equal(t, schema.AlarmEventRefused, b.alarms()[0].Code)
		again, err := b.AcceptEvent(t.Context(), refused(s, "e2", "body"))
		require.NoError(t, err)
		require.True(t, again.Duplicate, "it is as unreadable as before")

		now, err := b.AcceptEvent(t.Context(), event(s, "e2", "body"))
		require.NoError(t, err)
		require.False(t, now.Duplicate)
		require.Equal(t, first.Event.ID, now.Event.ID)
		require.Equal(t, first.Event.Seq, now.Event.Seq)
		require.Equal(t, schema.EventPending, now.Event.State)
		require.Empty(t, now.Event.Problems)
		require.NotNil(t, now.Event.Change.Roster)
		require.Empty(t, b.alarms(), "none is refused any more")
		later, err := b.AcceptEvent(t.Context(), refused(s, "e2", "body"))
		require.NoError(t, err)
		require.True(t, later.Duplicate)
		require.Equal(t, schema.EventPending, later.Event.State, "it was read once")
	})

	t.Run("refuses ids that cannot be kept, and writes nothing", func(t *testing.T) {
		before := b.count(`select count(*) from hr_event`)
		for _, id := range []string{"", "a\x00b", "\xff", strings.Repeat("x", 1001)} {
			_, err := b.AcceptEvent(t.Context(), event(s, id, "body"))
			requireCode(t, schema.CodeInvalid, err)
		}
		e := event(s, "ok", "body")
		e.State = schema.EventApplied
		_, err := b.AcceptEvent(t.Context(), e)
		requireCode(t, schema.CodeInvalid, err)
		e.State, e.Via = schema.EventPending, "pigeon"
		_, err = b.AcceptEvent(t.Context(), e)
		require.Error(t, err)
		e = event(schema.Source{ID: "0197c0de-0000-7000-8000-000000000000"}, "e9", "body")
		_, err = b.AcceptEvent(t.Context(), e)
		requireCode(t, schema.CodeNotFound, err)
		require.Equal(t, before, b.count(`select count(*) from hr_event`))
	})

	t.Run("knows ids of each source apart", func(t *testing.T) {
		other := b.source("other", schema.SourceHMAC)
		got, err := b.AcceptEvent(t.Context(), event(other, "e1", "its own"))
		require.NoError(t, err)
		require.False(t, got.Duplicate)
	})
}

func TestAcceptEventAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.source("payroll", schema.SourceHMAC)
	const each, ids = 20, 5
	var mu sync.Mutex
	fresh, conflicts := map[string]int{}, 0
	var wg sync.WaitGroup
	for i := range each * ids {
		wg.Go(func() {
			id := fmt.Sprint("e", i%ids)
			body := "body"
			if i/ids == 7 {
				body = "other"
			}
			got, err := b.AcceptEvent(t.Context(), event(s, id, body))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case schema.CodeOf(err) == schema.CodeConflict:
				conflicts++
			case err != nil:
				t.Error(err)
			case !got.Duplicate:
				fresh[id]++
			}
		})
	}
	wg.Wait()
	require.Len(t, fresh, ids)
	for id, n := range fresh {
		require.Equal(t, 1, n, id)
	}
	require.Equal(t, ids, b.count(`select count(*) from hr_event`))
	// Either the one with the other body came first, or it conflicted.
	require.GreaterOrEqual(t, conflicts, ids)
	require.Len(t, b.alarms(), 1)
}

// TestAcceptEventBesideChanges accepts events while their source is changed: the
// source's row is taken by others, and is another one when it is free.
func TestAcceptEventBesideChanges(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.source("payroll", schema.SourceHMAC)
	done := make(chan struct{})
	var changes, writers sync.WaitGroup
	changes.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			_, err := b.RotateSource(t.Context(), "payroll", schema.SourceSecrets{Current: "next"}, time.Hour, b.admin)
			if err != nil {
				t.Error(err)
				return
			}
			b.exec(`update hr_source set last_event_at = null`)
		}
	})
	for i := range 4 {
		writers.Go(func() {
			for j := range 50 {
				if _, err := b.AcceptEvent(t.Context(), event(s, fmt.Sprint(i, "/", j), "body")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	close(done)
	changes.Wait()
	require.Equal(t, 200, b.count(`select count(*) from hr_event`))
}

func TestAcceptEventIsWhole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.source("payroll", schema.SourceHMAC)
	// A fault after the event was written, in the same transaction.
	b.exec(`create function fail() returns trigger language plpgsql as $$ begin raise 'fault' using errcode = '58030'; end $$`)
	b.exec(`create trigger fail before insert on alarm for each row execute function fail()`)
	_, err := b.AcceptEvent(t.Context(), refused(s, "e1", "body"))
	require.Error(t, err)
	require.Equal(t, 0, b.count(`select count(*) from hr_event`))
	b.exec(`create trigger fail before update on hr_source for each row execute function fail()`)
	got, err := b.AcceptEvent(t.Context(), event(s, "e1", "body"))
	require.NoError(t, err, "it is written: what only goes with it must not say otherwise")
	require.False(t, got.Duplicate)
	_, err = b.AcceptEvent(t.Context(), event(s, "e1", "other"))
	require.Error(t, err)
	require.False(t, schema.CodeOf(err) == schema.CodeConflict, "the alarm could not be raised")
}

func TestWaitEvents(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.source("payroll", schema.SourceHMAC)
	waiter := b.open()
	require.NoError(t, waiter.WaitEvents(t.Context(), time.Minute), "it listens")
	woken := make(chan error, 1)
	go func() {
		began := time.Now()
		err := waiter.WaitEvents(t.Context(), 50*time.Second)
		if err == nil && time.Since(began) > 40*time.Second {
			err = errors.New("nobody woke it")
		}
		woken <- err
	}()
	_, err := b.AcceptEvent(t.Context(), event(s, "e1", "body"))
	require.NoError(t, err)
	require.NoError(t, <-woken)
	require.NoError(t, waiter.WaitEvents(t.Context(), time.Millisecond), "the time is over")
}

func TestListHREvents(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s, other := b.source("payroll", schema.SourceHMAC), b.source("other", schema.SourceHMAC)
	for i := range 5 {
		_, err := b.AcceptEvent(t.Context(), event(s, fmt.Sprint("e", i), "body"))
		require.NoError(t, err)
	}
	_, err := b.AcceptEvent(t.Context(), refused(other, "r", "body"))
	require.NoError(t, err)
	b.exec(`update hr_event set state = 'applied', applied_at = now(), outcome = '[{"effect": "leaver"}]' where event_id in ('e0', 'e1')`)

	list := func(f schema.HREventFilter) (ids []string) {
		for {
			f.Limit = 2
			events, next, err := b.ListHREvents(t.Context(), f)
			require.NoError(t, err)
			for _, e := range events {
				ids = append(ids, e.EventID)
				require.Empty(t, e.Body)
				require.Nil(t, e.Change.Roster)
			}
			if next == "" {
				return ids
			}
			f.After = next
		}
	}
	require.Equal(t, []string{"r", "e4", "e3", "e2", "e1", "e0"}, list(schema.HREventFilter{}))
	require.Equal(t, []string{"e4", "e3", "e2", "e1", "e0"}, list(schema.HREventFilter{Source: "payroll"}))
	require.Equal(t, []string{"e4", "e3", "e2"}, list(schema.HREventFilter{State: schema.EventPending}))
	require.Equal(t, []string{"e1", "e0"}, list(schema.HREventFilter{Source: "payroll", State: schema.EventApplied}))
	require.Equal(t, []string{"r"}, list(schema.HREventFilter{State: schema.EventRefused}))
	require.Empty(t, list(schema.HREventFilter{Source: "payroll", State: schema.EventRefused}))
	events, _, err := b.ListHREvents(t.Context(), schema.HREventFilter{State: schema.EventApplied, Limit: 1})
	require.NoError(t, err)
	require.Equal(t, schema.EffectLeaver, events[0].Outcome[0].Effect)
	require.Equal(t, schema.ChangeEmployments, events[0].Change.Kind)

	_, _, err = b.ListHREvents(t.Context(), schema.HREventFilter{Source: "nobody", Limit: 1})
	requireCode(t, schema.CodeNotFound, err)
	_, _, err = b.ListHREvents(t.Context(), schema.HREventFilter{After: "x", Limit: 1})
	requireCode(t, schema.CodeInvalid, err)
	_, err = b.HREvent(t.Context(), "0197c0de-0000-7000-8000-000000000000")
	requireCode(t, schema.CodeNotFound, err)
}
