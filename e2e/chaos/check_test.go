package chaos_test

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"sendoff/connectors/simkit"
	"sendoff/internal/audit"
	"sendoff/internal/local/localtest"
)

// drained bounds the wait for what trails the end of the last plan: its outbox
// rows, and the case that its workflow closes.
const drained = 30 * time.Second

// check holds a wave against the promises that no kill and no fault may break:
// first what is true of the whole stack, then of each leaver.
func (w *wave) check() {
	t := w.t
	db, err := pgx.Connect(context.Background(), w.database)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close(context.Background())) }()
	var events map[string][]audit.Event
	failed := w.failed()
	if !failed {
		w.checkDrained(t, db)
	}
	w.checkAudit(t)
	events = readAudit(t, db)
	w.checkBooks(t)
	for _, l := range w.leavers {
		t.Run(l.name, func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Logf("run %d: %s\nparked: %v\nagain: %s", l.run, l.recipe, l.parked, command(l.run))
				}
			}()
			require.Empty(t, l.problem)
			w.checkEnd(t, l)
			w.checkWrites(t, l, events[l.planID])
		})
	}
}

// failed tells whether a leaver did not end as it should: then the stack is not
// at rest either.
func (w *wave) failed() bool {
	for _, l := range w.leavers {
		if l.problem != "" {
			return true
		}
	}
	return false
}

// checkDrained waits until nothing is left to do: no lane is held, no row waits
// to be dispatched, no plan is open, no case.
func (w *wave) checkDrained(t *testing.T, db *pgx.Conn) {
	for what, query := range map[string]string{
		"lanes are held":           `select count(*) from transfer_party`,
		"outbox rows wait":         `select count(*) from outbox where dispatched_at is null`,
		"plans are open":           `select count(*) from plan where state not in ('done', 'cancelled', 'superseded')`,
		"cases are open":           `select count(*) from lifecycle_case where closed_at is null`,
		"audit records are unseen": `select count(*) from audit_pending`,
	} {
		n := -1
		localtest.Wait(t, drained, "no "+what, func() bool {
			return db.QueryRow(context.Background(), query).Scan(&n) == nil && n == 0
		})
	}
	var twice int
	require.NoError(t, db.QueryRow(context.Background(),
		`select count(*) from (select account_id from plan group by account_id having count(*) > 1) x`).Scan(&twice))
	require.Zero(t, twice, "accounts with more than one plan")
}

// checkAudit verifies the audit log as anybody with an export and its key can.
func (w *wave) checkAudit(t *testing.T) {
	var export bytes.Buffer
	require.NoError(t, w.api.ExportAudit(context.Background(), &export))
	var header struct {
		Key string `json:"key"`
	}
	first, _, _ := bytes.Cut(export.Bytes(), []byte("\n"))
	require.NoError(t, json.Unmarshal(first, &header))
	report, err := audit.Verify(&export, header.Key, nil)
	require.NoError(t, err)
	require.True(t, report.OK(), "the audit log: %v", report.Problems)
	require.Positive(t, report.Sealed)
}

// readAudit reads the events of each plan in their order.
func readAudit(t *testing.T, db *pgx.Conn) map[string][]audit.Event {
	rows, err := db.Query(context.Background(), `select body from audit_record order by stream, seq`)
	require.NoError(t, err)
	bodies, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	require.NoError(t, err)
	by := map[string][]audit.Event{}
	for _, body := range bodies {
		e, err := audit.ParseEvent(body)
		require.NoError(t, err)
		by[e.Subject.PlanID] = append(by[e.Subject.PlanID], e)
	}
	return by
}

// checkBooks holds the vendor's own books against what must never happen.
func (w *wave) checkBooks(t *testing.T) {
	books := w.sim.Ledger()
	require.Empty(t, books.Forced, "forced requests")
	require.Zero(t, books.Totals.DestroyedByRequests(), "items destroyed")
	require.Equal(t, books.Totals.OwnedBefore, books.Totals.Alive, "items owned before and alive after")
	for _, a := range books.Accounts {
		require.LessOrEqual(t, a.MaxConcurrentJobs, 1, "jobs at once touching %s", a.ID)
		require.Zero(t, a.DeletesWhileJobRan, "deletes of %s while a job ran", a.ID)
	}
}

// checkEnd requires of a leaver whose plan is done that the vendor agrees: the
// account is gone, and all content is the receiver's.
func (w *wave) checkEnd(t *testing.T, l *leaver) {
	books := w.sim.Ledger()
	for _, a := range books.Accounts {
		if a.ID == l.source.id {
			require.True(t, a.Deleted, "the account is gone")
		}
	}
	items := 0
	for _, it := range books.Items {
		if it.OriginalOwner == l.source.id {
			items++
			require.Equal(t, "alive", it.State)
			require.Equal(t, l.receiver.id, it.Owner, "owner of %s", it.Name)
		}
	}
	require.Equal(t, 3, items)
}

// checkWrites compares the writes that the vendor got about a leaver with the
// audit log: an intent before each, an outcome after it, and one transfer.
func (w *wave) checkWrites(t *testing.T, l *leaver, events []audit.Event) {
	sent := 0
	for _, r := range w.gate.of(l, opTransfer) {
		require.NotContains(t, r.Query, "force")
		if !refused(r) {
			sent++
		}
	}
	require.LessOrEqual(t, sent, 1, "transfer requests whose answer was no refusal")
	for _, o := range []struct{ op, intent, outcome, word string }{
		{opSetStatus, "write.intended", "write.outcome", "suspend"},
		{opSessions, "write.intended", "write.outcome", "revoke_sessions"},
		{opLeaveGroup, "write.intended", "write.outcome", "remove_from_group"},
		{opDelete, "write.intended", "write.outcome", "delete"},
		{opTransfer, "transfer.sent", "transfer.outcome", ""},
	} {
		intents, outcomes := instants(events, o.intent, o.word), instants(events, o.outcome, o.word)
		writes := w.gate.of(l, o.op)
		if o.op != opTransfer || l.recipe.victim() != killWorker || l.recipe.point() != afterMarkSent {
			require.NotEmpty(t, writes, "the vendor was asked for %s", o.op)
		}
		requireIntended(t, o.op, writes, intents)
		lost := 0 // a kill or a fault between the request and its record
		if l.recipe.victim() == killWorker || l.recipe.victim() == killPostgres {
			lost = 1
		}
		require.LessOrEqual(t, len(outcomes), len(intents), o.op)
		require.GreaterOrEqual(t, len(outcomes), len(intents)-lost, "outcomes of %s", o.op)
	}
}

// requireIntended requires at least as many intents before each request as there
// were requests up to it, each sent once or again with a fresh token.
func requireIntended(t *testing.T, op string, writes []simkit.Record, intents []time.Time) {
	seen := 0
	for _, r := range writes {
		if r.Status != 401 || op == opTransfer {
			seen++ // a call that met an expired token is sent again under the same intent
		}
		before := 0
		for _, at := range intents {
			if !at.After(r.Time) {
				before++
			}
		}
		require.GreaterOrEqual(t, before, max(seen, 1), "%s at %s was not intended", op, r.Time)
	}
}

// instants are the instants of a plan's events of one action, and of one
// operation where the action is about several.
func instants(events []audit.Event, action, op string) []time.Time {
	var at []time.Time
	for _, e := range events {
		word, _, _ := strings.Cut(e.Details["op"], "/") // "remove_from_group/" and the group
		if e.Action == action && (op == "" || word == op) {
			at = append(at, e.At)
		}
	}
	return at
}

// shown are the pairs that a run did show: that its victim died while it was at
// its point, that its fault hit, and that its transfer was asked for.
func (w *wave) shown(l *leaver) []pair {
	hit := w.hit(l)
	moved := len(w.gate.of(l, opTransfer)) > 0
	var out []pair
	for _, p := range l.recipe.pairs() {
		at := func(factor int) bool { return p.i == factor || p.j == factor }
		switch {
		case at(pointFactor) && !l.wasHeld():
		case (at(faultFactor) || at(opFactor)) && !hit:
		case at(modeFactor) && !moved:
		default:
			out = append(out, p)
		}
	}
	return out
}

// hit tells whether the vendor did wrong what the recipe says.
func (w *wave) hit(l *leaver) bool {
	return l.recipe.fault() == faultNone ||
		slices.ContainsFunc(w.gate.of(l, l.recipe.op()), func(r simkit.Record) bool { return r.Fault != "" })
}
