package store_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func TestWhatIsSaidByHandStands(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	h.employs(employment("1", "ada@example.com", last(9)))
	h.applies()
	said := h.byHand(schema.ChangeLeave, schema.ByHand{Email: "ADA@example.com", LastWorkingDay: inDays(2)})
	h.applies()
	require.Equal(t, []string{" moved"}, h.effects(said))
	l := h.who("ada@example.com")
	require.Equal(t, []any{true, schema.ManualSource, "", inDays(2), int64(2)}, []any{l.ByHand, l.Source, l.ExternalID, l.Moment.Date, l.Revision})

	for _, more := range [][]string{{last(20)}, {}} {
		e := h.employs(employment("1", "ada@example.com", more...))
		h.applies()
		require.Equal(t, []string{"1 by_hand"}, h.effects(e))
	}
	require.Equal(t, l.Revision, h.who("ada@example.com").Revision)
	require.Equal(t, []string{"heard", "moved"}, h.leaverActions("ada@example.com"))
	records := h.auditOf("person/" + string(l.PersonID))
	require.Equal(t, h.admin.Name, records[len(records)-1].Actor.Name)
	require.Equal(t, "said so", records[len(records)-1].Details["why"])

	h.byHand(schema.ChangeLeave, schema.ByHand{Email: "new@example.com", ForCause: true})
	h.applies()
	require.Equal(t, schema.StartsAtOnce, h.who("new@example.com").Moment.Starts, "somebody whom no source knows")
}

// TestWhoReturnsByHandStays: until the feed says something else than before.
func TestWhoReturnsByHandStays(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	h.employs(employment("1", "ada@example.com", last(9)))
	h.applies()
	h.byHand(schema.ChangeLeave, schema.ByHand{Email: "ada@example.com", LastWorkingDay: inDays(2)})
	h.applies()
	back := h.byHand(schema.ChangeReturn, schema.ByHand{Email: "ada@example.com"})
	h.applies()
	require.Equal(t, []string{" withdrawn"}, h.effects(back))
	l := h.who("ada@example.com")
	require.Equal(t, schema.LeaverWithdrawn, l.State)

	stays := func() {
		for _, more := range []string{"department=A", "department=B"} {
			e := h.employs(employment("1", "ada@example.com", last(9), more))
			h.applies()
			require.Equal(t, []string{"1 by_hand"}, h.effects(e))
		}
		_, err := h.RejudgeLeavers(t.Context(), judge, 10)
		require.NoError(t, err)
	}
	stays()
	require.NoError(t, h.EndLeaver(t.Context(), l.ID, l.Revision, schema.EndWithdrawn))
	stays()
	require.Equal(t, schema.LeaverEnded, h.who("ada@example.com").State)

	e := h.employs(employment("1", "ada@example.com", last(10)))
	h.applies()
	require.Equal(t, []string{"1 leaver"}, h.effects(e))
	again := h.who("ada@example.com")
	require.NotEqual(t, l.ID, again.ID)
	require.False(t, again.ByHand)
}

func TestTheLastWordByHandCounts(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	h.byHand(schema.ChangeLeave, schema.ByHand{Email: "ada@example.com", LastWorkingDay: inDays(2)})
	h.byHand(schema.ChangeReturn, schema.ByHand{Email: "ada@example.com"})
	h.byHand(schema.ChangeLeave, schema.ByHand{Email: "bob@example.com", LastWorkingDay: inDays(2)})
	h.byHand(schema.ChangeLeave, schema.ByHand{Email: "bob@example.com", LastWorkingDay: inDays(4)})
	h.applies()
	h.nobody("ada@example.com")
	require.Equal(t, inDays(4), h.who("bob@example.com").Moment.Date)
	require.Equal(t, int64(1), h.who("bob@example.com").Revision)
}

// TestALeaverByHandWhoTurnsOutToBeKnown: a roster gives the address to somebody who
// leaves by a feed.
func TestALeaverByHandWhoTurnsOutToBeKnown(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	h.employs(employment("1", "ada@example.com", last(9)))
	h.byHand(schema.ChangeLeave, schema.ByHand{Email: "ada.king@example.com", LastWorkingDay: inDays(2)})
	h.byHand(schema.ChangeLeave, schema.ByHand{Email: "bob.ng@example.com", LastWorkingDay: inDays(3)})
	h.applies()
	h.employs(employment("1", "ada.king@example.com", last(9)), employment("2", "bob@example.com"))
	h.applies()
	h.employs(employment("2", "bob.ng@example.com"))
	h.applies()
	ada := h.who("ada@example.com")
	require.Equal(t, []any{true, inDays(2)}, []any{ada.ByHand, ada.Moment.Date})
	list, _, err := h.ListLeavers(t.Context(), schema.LeaverFilter{Email: "ada.king@example.com", Limit: 10})
	require.NoError(t, err)
	require.Len(t, list, 2)
	ended := list[slices.IndexFunc(list, func(l schema.Leaver) bool { return l.ID != ada.ID })]
	require.Equal(t, []any{schema.LeaverEnded, schema.EndWithdrawn}, []any{ended.State, ended.End})
	require.Equal(t, inDays(3), h.who("bob@example.com").Moment.Date)
}
