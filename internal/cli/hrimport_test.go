package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/cli"
	"sendoff/schema"
)

func leaverFor(id schema.LeaverID, state schema.LeaverState) schema.Leaver {
	l := schema.Leaver{
		ID: id, Email: string(id) + "@example.com", Source: "bamboohr", ExternalID: "7", State: state, Template: "leaver", Receivers: []string{"manager"}, UpdatedAt: now,
		Moment: schema.Moment{
			Starts: schema.StartsLastWorkingDay, Date: schema.Date{Year: 2026, Month: 12, Day: 1}, At: schema.LocalTime{Hour: 18},
			TimeZone: "Europe/Berlin", ZoneFrom: schema.ZoneOfPerson, DueAt: now,
		},
	}
	if state == schema.LeaverHeld {
		l.BatchID = "batch-1"
	}
	return l
}

// hears makes the store accept any event and, looked at for the second time, have
// applied it with the outcome given.
func (b *bundle) hears(state schema.EventState, outcome ...schema.EventOutcome) {
	var event schema.HREvent
	var looked atomic.Int32
	b.store.SourceByNameFunc = func(name string) (schema.Source, error) {
		return schema.Source{ID: "s1", Name: name, Kind: schema.SourceCSV, State: schema.ConnectionEnabled}, nil
	}
	b.store.AcceptEventFunc = func(e schema.HREvent) (schema.Accepted, error) {
		looked.Store(0)
		event = e
		event.ID, event.ReceivedAt = "e1", now
		return schema.Accepted{Event: event}, nil
	}
	b.store.HREventFunc = func(id schema.HREventID) (schema.HREvent, error) {
		e := event
		e.ID, e.ReceivedAt = id, now
		if looked.Add(1) > 1 {
			e.State, e.Outcome, e.AppliedAt = state, outcome, now
			if state == schema.EventRefused {
				e.Problems = []schema.Problem{{Where: "body", Code: "x", Message: "it cannot be read", Fix: "mend it"}}
			}
		}
		return e, nil
	}
	b.store.FindLeaverFunc = func(ref string) (schema.Leaver, error) {
		if strings.HasPrefix(ref, "held") {
			return leaverFor(schema.LeaverID(ref), schema.LeaverHeld), nil
		}
		return leaverFor(schema.LeaverID(ref), schema.LeaverPlanning), nil
	}
	b.store.FindBatchFunc = func(ref string) (schema.Batch, error) { return heldBatch(schema.BatchID(ref)), nil }
}

func heldBatch(id schema.BatchID) schema.Batch {
	return schema.Batch{
		ID: id, Scope: schema.BatchOfSource, ScopeName: "hris", State: schema.BatchHeld, Size: 12, Started: 1, Allowed: 5, Limit: schema.DefaultStartLimit(), CreatedAt: now,
		Releases: []schema.BatchDecision{{Kind: schema.BatchReleased, Reason: "a plant closes", Principal: "root", Size: 12, CreatedAt: now}},
	}
}

// TestImportHR waits until the file is applied, and says what it did.
func TestImportHR(t *testing.T) {
	t.Parallel()
	b := setup(t)
	file := b.file("roster.csv", "id,email,last_day,shoe\n1,ada@example.com,2026-12-01,38\n")
	b.hears(schema.EventApplied, schema.EventOutcome{ExternalID: "1", LeaverID: "ada", Effect: schema.EffectLeaver}, schema.EventOutcome{ExternalID: "2", Effect: schema.EffectRefused, Detail: "email_taken"})
	r := b.run("hr", "import", file, "--source", "hris")
	require.Equal(t, 0, r.code, r.errout)
	require.Contains(t, r.out, "Event e1 is applied: 1 leave, 1 rows refused.")
	require.Contains(t, r.out, "row 2 is not applied: email_taken")
	require.Regexp(t, `ada@example.com\s+planning\s+2026-12-01 18:00 Europe/Berlin \(last working day; zone of the person\)\s+bamboohr`, r.out)
	require.Contains(t, r.errout, "Columns that were not read: shoe")

	r, v := b.runJSON("hr", "import", file, "--source", "hris", "--no-wait")
	require.Equal(t, 0, r.code, r.errout)
	require.Equal(t, "pending", v["event"].(map[string]any)["state"])

	b.hears(schema.EventApplied, schema.EventOutcome{ExternalID: "1", LeaverID: "held-1", Effect: schema.EffectHeld})
	r = b.run("hr", "import", file, "--source", "hris", "--mode", "changes", "--again")
	require.Equal(t, cli.ExitParked, r.code, r.errout)
	require.Contains(t, r.out, "1 held")
	require.Contains(t, r.out, "Held: 12 leavers are more than hris lets start (5 or 2 % in 1d).")
	r, v = b.runJSON("hr", "import", file, "--source", "hris")
	require.Equal(t, cli.ExitParked, r.code)
	require.Equal(t, "batch-1", v["batch"].(map[string]any)["id"])

	b.hears(schema.EventRefused)
	r = b.run("hr", "import", file, "--source", "hris")
	require.Equal(t, cli.ExitRefused, r.code)
	require.Contains(t, r.out, "it cannot be read")

	b.store.AcceptEventFunc = func(e schema.HREvent) (schema.Accepted, error) {
		e.ID, e.ReceivedAt, e.State = "e0", now, schema.EventApplied
		return schema.Accepted{Event: e, Duplicate: true}, nil
	}
	r = b.run("hr", "import", file, "--source", "hris")
	require.Equal(t, 0, r.code, r.errout)
	require.Contains(t, r.out, "The same came before, 2026-11-21 12:00:00 UTC: nothing was done. It is event e0.")

	b.store.ImportRosterFunc = func(schema.Roster, bool) (schema.RosterResult, error) {
		return schema.RosterResult{DryRun: true, Rows: 1, Added: 1, NewPeople: 1}, nil
	}
	r = b.run("hr", "import", file, "--source", "hris", "--dry-run")
	require.Equal(t, 0, r.code, r.errout)
	require.Contains(t, r.out, "Nothing was written. It would import 1 employments of hris: 1 added")

	b.store.SourceByNameFunc = nil
	r = b.run("hr", "import", b.file("bad.csv", "id,last_day\n1,01/02/2026\n"), "--source", "hris")
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.errout, "--source: there is no source of that name")
	require.Contains(t, r.errout, "line 2, column 2 (last_day)")
	require.Contains(t, r.errout, "sendoff hr sources add hris --kind csv")
}

// TestByHand: what a person says is waited for as a file is.
func TestByHand(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.hears(schema.EventApplied, schema.EventOutcome{LeaverID: "ada", Effect: schema.EffectLeaver})
	r := b.run("hr", "leave", "ada@example.com", "--last-working-day", "2026-12-01", "--reason", "told by phone")
	require.Equal(t, 0, r.code, r.errout)
	require.Contains(t, r.out, "1 leave")
	b.hears(schema.EventApplied, schema.EventOutcome{LeaverID: "ada", Effect: schema.EffectWithdrawn})
	r = b.run("hr", "return", "ada@example.com", "--reason", "she stays")
	require.Equal(t, 0, r.code, r.errout)
	require.Contains(t, r.out, "1 do not leave after all")
	r = b.run("hr", "leave", "ada", "--termination-date", "1.12.2026", "--time-zone", "CEST", "--reason", " ")
	require.Equal(t, cli.ExitUsage, r.code)
	for _, want := range []string{"EMAIL: ", "--termination-date: ", "--time-zone: ", "--reason: "} {
		require.Contains(t, r.errout, want)
	}
	require.Contains(t, b.run("hr", "leave", "ada@example.com", "--reason", "x").errout, "--last-working-day: nothing says when")
	require.Equal(t, cli.ExitUsage, b.run("hr", "return", "ada@example.com").code, "a reason is needed")
}

func TestHREvents(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.ListHREventsFunc = func(f schema.HREventFilter) ([]schema.HREvent, string, error) {
		require.Equal(t, schema.EventRefused, f.State)
		return []schema.HREvent{{ID: "e1", Source: "hris", Via: schema.ViaWebhook, State: schema.EventRefused, ReceivedAt: now}}, "", nil
	}
	require.Regexp(t, `hris\s+webhook\s+-\s+refused\s+-\s+e1`, b.run("hr", "events", "list", "--state", "refused").out)
	require.Contains(t, b.run("hr", "events", "--state", "refused").out, "webhook", "a list is what is meant")
	require.Equal(t, cli.ExitUsage, b.run("hr", "events", "list", "--state", "lost").code)
	b.store.HREventFunc = func(id schema.HREventID) (schema.HREvent, error) {
		return schema.HREvent{
			ID: id, Source: "manual", Via: schema.ViaHand, EventID: "u1", State: schema.EventApplied, ReceivedAt: now, Body: []byte("\x00raw"),
			Change: schema.HRChange{Kind: schema.ChangeLeave, Hand: &schema.ByHand{Email: "ada@example.com", LastWorkingDay: schema.Date{Year: 2026, Month: 12, Day: 1}, Principal: "root", Reason: "told by phone"}},
		}, nil
	}
	body := filepath.Join(t.TempDir(), "body")
	r := b.run("hr", "events", "show", "e1", "--body", body)
	require.Equal(t, 0, r.code, r.errout)
	require.Contains(t, r.out, "tells      ada@example.com leaves, last working day 2026-12-01; by root: told by phone")
	require.Contains(t, r.out, "nobody leaves by it")
	kept, err := os.ReadFile(body)
	require.NoError(t, err)
	require.Equal(t, "\x00raw", string(kept))
	require.Equal(t, cli.ExitUsage, b.run("hr", "events", "show", "e1", "--body", "/nowhere/x").code)
}

func TestHRLeaversAndCases(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.ListLeaversFunc = func(f schema.LeaverFilter) ([]schema.Leaver, string, error) {
		require.True(t, f.Open)
		return []schema.Leaver{leaverFor("ada", schema.LeaverOpen)}, "", nil
	}
	require.Regexp(t, `ada@example.com\s+open\s+2026-12-01 18:00 Europe/Berlin`, b.run("hr", "leavers", "list", "--open").out)
	require.Contains(t, b.run("hr", "leavers", "list", "--email", "ada").errout, "--email: ")
	l := leaverFor("ada", schema.LeaverEnded)
	l.End, l.CaseID, l.Lost = schema.EndWithdrawn, "c1", []string{"sessions"}
	b.store.FindLeaverFunc = func(string) (schema.Leaver, error) { return l, nil }
	r := b.run("hr", "leavers", "show", "ada@example.com")
	require.Equal(t, 0, r.code, r.errout)
	begins := "begins 2026-12-01 18:00 Europe/Berlin (last working day; zone of the person), told by bamboohr"
	require.Contains(t, r.out, strings.Replace(begins, "begins ", "begins     ", 1))
	require.Contains(t, r.out, "state      ended: withdrawn")
	require.Contains(t, r.out, "opened for another reason")
	require.Contains(t, r.out, "does not come back: sessions")

	b.store.FindCaseFunc = func(string) (schema.Case, error) { return schema.Case{ID: "c1"}, nil }
	b.store.CaseViewFunc = func(id schema.CaseID) (schema.CaseView, error) {
		return viewFor(id, "ada@example.com", schema.PlanWaiting), nil
	}
	require.NotContains(t, b.run("cases", "show", "c1").out, "HR says")
	b.store.LeaverOfCaseFunc = func(schema.CaseID) (schema.Leaver, bool, error) { return l, true, nil }
	require.Contains(t, b.run("cases", "show", "c1").out, "HR says    ended: "+begins)
	l.Moment = schema.Moment{Starts: schema.StartsAtOnce, DueAt: now}
	l.ForCause = true
	require.Contains(t, b.run("cases", "show", "c1").out, "begins at once (heard 2026-11-21 12:00:00 UTC), told by bamboohr, for cause")
}

// TestBatches: whoever releases says how large the batch was.
func TestBatches(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.ListBatchesFunc = func(f schema.BatchFilter) ([]schema.Batch, string, error) {
		require.Equal(t, schema.BatchHeld, f.State)
		return []schema.Batch{heldBatch("batch-1")}, "", nil
	}
	require.Regexp(t, `batch-1\s+held\s+hris\s+12\s+1\s+5\s+1d\s+1 of 2`, b.run("batches", "list", "--state", "held").out)
	b.store.FindBatchFunc = func(ref string) (schema.Batch, error) { return heldBatch("batch-1"), nil }
	b.store.ListLeaversFunc = func(f schema.LeaverFilter) ([]schema.Leaver, string, error) {
		require.Equal(t, schema.BatchID("batch-1"), f.Batch)
		return []schema.Leaver{leaverFor("held-1", schema.LeaverHeld)}, "", nil
	}
	r := b.run("batches", "show", "batch-1")
	require.Equal(t, 0, r.code, r.errout)
	require.Contains(t, r.out, "size       12; 1 started before within 1d, allowed are 5")
	require.Contains(t, r.out, "released by root at a size of 12: a plant closes")
	require.Contains(t, r.out, "held-1@example.com")
	require.Contains(t, r.errout, "2 different people release it: sendoff batches release batch-1 --size 12 --reason TEXT")
	held := heldBatch("batch-1")
	b.store.FindBatchFunc = func(string) (schema.Batch, error) { return held, nil }
	held.Scope, held.ScopeName, held.Started, held.Allowed, held.Limit = schema.BatchOfAccessReview, "quarterly-box", 0, 3, schema.StartLimit{Number: 3}
	r = b.run("batches", "show", "batch-1")
	require.Contains(t, r.out, "size       12 accounts; allowed are 3 at a time\n")
	require.Contains(t, r.errout, "sendoff review list --review quarterly-box --state held")
	held.Allowed, held.Limit = 0, schema.StartLimit{}
	require.Contains(t, b.run("batches", "show", "batch-1").out, "size       12 accounts; more than the budget allows\n", "in bytes")
	held.Scope, held.Started, held.Allowed, held.Limit = schema.BatchOfPolicy, 4, 9, schema.StartLimit{Number: 9, Window: 24 * time.Hour}
	require.Contains(t, b.run("batches", "show", "batch-1").out, "size       12 accounts; 4 started before within 1d, allowed are 9\n")
	require.Contains(t, b.run("batches", "show", "batch-1").errout, "sendoff policy reviews list --policy quarterly-box --state held")

	state := schema.BatchHeld
	b.store.DecideBatchFunc = func(id schema.BatchID, d schema.BatchDecision, _ schema.Principal) (schema.Batch, error) {
		if d.Size != 12 {
			return schema.Batch{}, &schema.Error{Code: schema.CodeConflict, Message: "the batch has grown", Fix: "look at it again"}
		}
		got := heldBatch(id)
		got.State = state
		return got, nil
	}
	require.Contains(t, b.run("batches", "release", "batch-1", "--size", "12", "--reason", "seen").out, "still held: it has 1 of 2 releases")
	state = schema.BatchReleased
	require.Contains(t, b.run("batches", "release", "batch-1", "--size", "12", "--reason", "seen").out, "its 12 leavers start")
	state = schema.BatchDiscarded
	require.Contains(t, b.run("batches", "discard", "batch-1", "--size", "12", "--reason", "a wrong file").out, "nothing of it starts")
	require.Equal(t, cli.ExitRefused, b.run("batches", "release", "batch-1", "--size", "11", "--reason", "seen").code)
	require.Equal(t, cli.ExitUsage, b.run("batches", "release", "batch-1", "--reason", "seen").code, "nobody releases what they did not look at")
	require.Contains(t, b.run("batches", "release", "batch-1", "--size", "0", "--reason", " ").errout, "--size: ")
}
