package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// leave lets the source say of people that they leave, in one event each.
func (h *hr) leave(ids ...int) {
	h.t.Helper()
	for _, id := range ids {
		h.employs(employment(fmt.Sprint(id), address(id), last(3)))
	}
	h.applies()
}

func address(id int) string { return fmt.Sprintf("p%d@example.com", id) }

// states counts the leavers by state.
func (h *hr) states() map[schema.LeaverState]int {
	h.t.Helper()
	list, _, err := h.ListLeavers(h.t.Context(), schema.LeaverFilter{Limit: 500})
	require.NoError(h.t, err)
	out := map[schema.LeaverState]int{}
	for _, l := range list {
		out[l.State]++
	}
	return out
}

func (h *hr) heldBatch() schema.Batch {
	h.t.Helper()
	list, next, err := h.ListBatches(h.t.Context(), schema.BatchFilter{State: schema.BatchHeld, Limit: 10})
	require.NoError(h.t, err)
	require.Empty(h.t, next)
	require.Len(h.t, list, 1)
	return list[0]
}

func (h *hr) decides(b schema.Batch, kind schema.BatchState, by schema.Principal) (schema.Batch, error) {
	return h.DecideBatch(h.t.Context(), b.ID, schema.BatchDecision{Kind: kind, Reason: "looked", Size: b.Size}, by)
}

// toldLeavers dispatches the outbox and counts the leavers that were to be looked at.
func (h *hr) toldLeavers() int {
	h.t.Helper()
	n := 0
	for _, row := range h.drain() {
		if row.Kind == schema.OutboxLeaver {
			n++
		}
	}
	return n
}

// heldOf sets a batch of seven up: two that have begun before it stay out of it.
func heldOf(t *testing.T) (*hr, schema.Batch) {
	t.Helper()
	h := hrSetup(t)
	h.leave(1, 2, 3, 4, 5)
	require.Equal(t, map[schema.LeaverState]int{schema.LeaverPlanning: 5}, h.states())
	d := h.draft("1", "", "suspend")
	begun := h.who(address(1))
	c, err := h.OpenLeaverCase(t.Context(), begun.ID, begun.Revision, d)
	require.NoError(t, err)
	plans, err := h.CasePlans(t.Context(), c.ID)
	require.NoError(t, err)
	h.begin(plans[0].ID, 0)
	unbegun := h.who(address(2))
	_, err = h.OpenLeaverCase(t.Context(), unbegun.ID, unbegun.Revision, h.draft("2", "", "suspend"))
	require.NoError(t, err)
	h.drain()
	h.leave(6)
	return h, h.heldBatch()
}

func TestMoreThanTheLimitIsHeld(t *testing.T) {
	t.Parallel()
	h, b := heldOf(t)
	require.Equal(t, map[schema.LeaverState]int{schema.LeaverOpen: 1, schema.LeaverHeld: 5}, h.states(), "one had begun")
	require.Equal(t, []any{5, 1, 5, "payroll", h.src.Limit}, []any{b.Size, b.Started, b.Allowed, b.ScopeName, b.Limit})
	require.Equal(t, schema.LeaverOpen, h.who(address(1)).State)
	two := h.who(address(2))
	require.Equal(t, []any{schema.LeaverHeld, b.ID, true, int64(2)}, []any{two.State, two.BatchID, two.OwnCase, two.Revision}, "its case is taken back")
	require.Equal(t, 5, h.toldLeavers(), "each of them is told")
	require.Equal(t, []string{"heard", "case_opened", "held"}, h.leaverActions(address(2)))
	require.Equal(t, []string{"heard", "held"}, h.leaverActions(address(6)))
	require.Len(t, h.alarms(), 1)
	require.Equal(t, schema.AlarmBatchHeld, h.alarms()[0].Code)
	require.Equal(t, []string{"batch.held"}, h.systemActions("batch."))

	e := h.employs(employment("7", address(7), last(3)))
	require.Equal(t, []schema.Applied{{Source: "payroll", Events: 1, Held: 1}}, h.applies())
	require.Equal(t, []string{"7 held"}, h.effects(e), "what comes meanwhile joins it")
	require.Equal(t, 6, h.heldBatch().Size)
	require.Equal(t, []string{"batch.held"}, h.systemActions("batch."), "said once")

	h.employs(employment("7", address(7), last(4)), employment("6", address(6)))
	h.applies()
	require.Equal(t, inDays(4), h.who(address(7)).Moment.Date, "a held one is moved")
	six := h.who(address(6))
	require.Equal(t, []any{schema.LeaverEnded, schema.EndWithdrawn}, []any{six.State, six.End})
	require.Equal(t, 5, h.heldBatch().Size)

	manual := h.byHand(schema.ChangeLeave, schema.ByHand{Email: address(7), LastWorkingDay: inDays(1)})
	h.applies()
	require.Equal(t, []string{" leaver"}, h.effects(manual))
	seven := h.who(address(7))
	require.Equal(t, []any{schema.LeaverPlanning, schema.BatchID("")}, []any{seven.State, seven.BatchID}, "somebody's word takes one out of it")
	require.Equal(t, 4, h.heldBatch().Size)
	found, err := h.FindBatch(t.Context(), string(b.ID)[:13])
	require.NoError(t, err)
	require.Equal(t, b.ID, found.ID)
}

func TestAShareOfManyMayLeave(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	var rows []schema.Employment
	for i := range 400 {
		rows = append(rows, employment(fmt.Sprint(i), address(i)))
	}
	h.employs(rows...)
	h.leave(1, 2, 3, 4, 5, 6, 7, 8)
	require.Equal(t, map[schema.LeaverState]int{schema.LeaverPlanning: 8}, h.states(), "2 % of 400")
	h.leave(9)
	require.Equal(t, map[schema.LeaverState]int{schema.LeaverHeld: 9}, h.states())
	require.Equal(t, 8, h.heldBatch().Allowed)
}

func TestTwoReleaseABatch(t *testing.T) {
	t.Parallel()
	h, b := heldOf(t)
	h.drain()
	eve := h.holder("eve", "")
	own := h.holder("own", address(3))
	_, err := h.decides(b, schema.BatchReleased, own)
	requireCode(t, schema.CodeForbidden, err)
	_, err = h.DecideBatch(t.Context(), b.ID, schema.BatchDecision{Kind: schema.BatchReleased, Size: b.Size}, eve)
	requireCode(t, schema.CodeInvalid, err)

	b, err = h.decides(b, schema.BatchReleased, h.admin)
	require.NoError(t, err)
	require.Equal(t, []any{schema.BatchHeld, 1}, []any{b.State, len(b.Releases)})
	for _, again := range []schema.Principal{h.admin, {Name: h.admin.Name, TokenID: eve.TokenID}, {Name: "eve", TokenID: h.admin.TokenID}} {
		_, err = h.decides(b, schema.BatchReleased, again)
		requireCode(t, schema.CodeConflict, err)
	}
	require.Equal(t, 5, h.states()[schema.LeaverHeld])

	h.leave(7)
	_, err = h.decides(b, schema.BatchReleased, eve)
	requireCode(t, schema.CodeConflict, err)
	b = h.heldBatch()
	b, err = h.decides(b, schema.BatchReleased, eve)
	require.NoError(t, err)
	require.Equal(t, schema.BatchHeld, b.State, "the first saw fewer")
	h.drain()
	b, err = h.decides(b, schema.BatchReleased, h.admin)
	require.NoError(t, err)
	require.Equal(t, []any{schema.BatchReleased, 3, false}, []any{b.State, len(b.Releases), b.EndedAt.IsZero()})
	require.Equal(t, map[schema.LeaverState]int{schema.LeaverOpen: 2, schema.LeaverPlanning: 5}, h.states(), "one goes on with a case that was not taken back yet")
	require.Equal(t, 6, h.toldLeavers())
	require.Empty(t, h.alarms())
	_, err = h.decides(b, schema.BatchReleased, h.holder("joe", ""))
	requireCode(t, schema.CodeConflict, err)

	h.leave(8, 9, 10, 11)
	require.Equal(t, 0, h.states()[schema.LeaverHeld], "who was released does not count")
	h.leave(12)
	require.Equal(t, 5, h.heldBatch().Size)
}

func TestOneDiscardsABatch(t *testing.T) {
	t.Parallel()
	h, b := heldOf(t)
	_, err := h.decides(b, schema.BatchReleased, h.admin)
	require.NoError(t, err)
	b, err = h.decides(b, schema.BatchDiscarded, h.admin)
	require.NoError(t, err)
	require.Equal(t, schema.BatchDiscarded, b.State)
	require.Len(t, b.Releases, 1)
	require.Equal(t, schema.BatchDiscarded, b.Releases[0].Kind)
	require.Empty(t, h.alarms())
	require.Equal(t, map[schema.LeaverState]int{schema.LeaverOpen: 1, schema.LeaverWithdrawn: 1, schema.LeaverEnded: 4}, h.states())
	require.Equal(t, schema.EndDiscarded, h.who(address(3)).End)

	e := h.employs(employment("3", address(3), last(3), "department=X"))
	h.applies()
	require.Equal(t, []string{"3 none"}, h.effects(e), "the same is not started again")
}

func TestAnEmptyBatchIsDiscarded(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	h.leave(1, 2, 3, 4, 5, 6)
	b := h.heldBatch()
	for i := range 6 {
		h.employs(employment(fmt.Sprint(i+1), address(i+1)))
	}
	h.applies()
	b, err := h.FindBatch(t.Context(), string(b.ID))
	require.NoError(t, err)
	require.Equal(t, []any{schema.BatchDiscarded, 0}, []any{b.State, b.Size})
	require.Empty(t, h.alarms())
	require.Equal(t, map[schema.LeaverState]int{schema.LeaverEnded: 6}, h.states())
}

func TestLeaversAreListed(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	h.leave(1, 2, 3)
	first, next, err := h.ListLeavers(t.Context(), schema.LeaverFilter{Source: "payroll", Open: true, State: schema.LeaverPlanning, Limit: 2})
	require.NoError(t, err)
	require.Len(t, first, 2)
	rest, end, err := h.ListLeavers(t.Context(), schema.LeaverFilter{Source: "payroll", Open: true, After: next, Limit: 2})
	require.NoError(t, err)
	require.Len(t, rest, 1)
	require.Empty(t, end)
	require.NotContains(t, first, rest[0])
	none, _, err := h.ListLeavers(t.Context(), schema.LeaverFilter{Source: "other", Limit: 2})
	require.NoError(t, err)
	require.Empty(t, none)
	_, found, err := h.LeaverOfCase(t.Context(), schema.CaseID(first[0].ID))
	require.NoError(t, err)
	require.False(t, found)
}

// A release is of those whom its principal saw: when one goes and another comes,
// the size is the same and the release does not count.
func TestAReleaseIsOfThoseWhoWereSeen(t *testing.T) {
	t.Parallel()
	h, b := heldOf(t)
	first, second := h.holder("first", ""), h.holder("second", "")
	_, err := h.decides(b, schema.BatchReleased, first)
	require.NoError(t, err)
	h.employs(employment("6", address(6)))
	h.applies()
	h.leave(7)
	grown := h.heldBatch()
	require.Equal(t, b.Size, grown.Size)

	_, err = h.decides(grown, schema.BatchReleased, second)
	require.NoError(t, err)
	require.Equal(t, schema.BatchHeld, h.heldBatch().State, "one has seen the seventh")
	done, err := h.decides(grown, schema.BatchReleased, first)
	require.NoError(t, err)
	require.Equal(t, schema.BatchReleased, done.State)
}

// TestLeaversAreSwept: a leaver who waits without a case and of whom nothing was
// heard for long is told to be looked at, once.
func TestLeaversAreSwept(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	h.leave(1)
	h.drain()
	n, err := h.SweepLeavers(t.Context(), time.Hour)
	require.NoError(t, err)
	require.Zero(t, n, "it was just heard of")
	n, err = h.SweepLeavers(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, 1, h.toldLeavers())
	n, err = h.SweepLeavers(t.Context(), time.Hour)
	require.NoError(t, err)
	require.Zero(t, n, "it was just told")
	require.NoError(t, h.RetryLeaver(t.Context(), h.who(address(1)).ID, h.admin))
	require.Equal(t, 1, h.toldLeavers(), "somebody asked")
}
