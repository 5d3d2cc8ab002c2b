package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func TestALeaverByAFeed(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	h.employs(employment("1", "ada@example.com"), employment("2", "bob@example.com"))
	require.Equal(t, []schema.Applied{{Source: "payroll", Events: 1}}, h.applies())
	h.nobody("ada@example.com")
	h.drain()

	e := h.employs(employment("1", "ada@example.com", last(3)))
	require.Equal(t, []schema.Applied{{Source: "payroll", Events: 1, Leavers: 1}}, h.applies())
	l := h.who("ada@example.com")
	require.Equal(t, schema.LeaverPlanning, l.State)
	require.Equal(t, inDays(3), l.Moment.Date)
	require.Equal(t, []any{"payroll", "1", int64(1), h.src.Template, false}, []any{l.Source, l.ExternalID, l.Revision, l.Template, l.ByHand})
	require.Equal(t, []string{"1 leaver"}, h.effects(e))
	rows := h.drain()
	require.Len(t, rows, 1)
	require.Equal(t, []any{schema.OutboxLeaver, l.ID}, []any{rows[0].Kind, rows[0].LeaverID})
	h.nobody("bob@example.com")

	e = h.employs(employment("1", "ada@example.com", last(3), "department=R&D"))
	h.applies()
	require.Equal(t, []string{"1 none"}, h.effects(e))
	require.Equal(t, l.Revision, h.who("ada@example.com").Revision)
	require.Empty(t, h.drain())
}
