package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// TestWhomALeaverAffects: the receiver of an open plan leaves, and somebody who
// manages people who stay.
func TestWhomALeaverAffects(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	h.bundle.tells(toIT("it@example.com"))
	receiver := h.account("2")
	p := h.leaver("1", "2", "leaver")
	h.employs(employment("2", receiver.Login), employment("3", "boss@example.com"), employment("4", "report@example.com", "manager=3"),
		employment("5", "alone@example.com", "manager=5"))
	h.applies()
	told := func() (out []schema.LeaverID) {
		list, _, err := h.ListNotices(t.Context(), schema.NoticeFilter{Limit: 100})
		require.NoError(t, err)
		for _, n := range list {
			if n.Event == schema.NoticeAffected {
				out = append(out, n.LeaverID)
			}
		}
		return out
	}
	h.employs(employment("5", "alone@example.com", "manager=5", last(3)))
	h.applies()
	require.Empty(t, told())
	h.employs(employment("2", receiver.Login, last(3)))
	h.employs(employment("3", "boss@example.com", last(3)))
	h.applies()
	require.ElementsMatch(t, []schema.LeaverID{h.who(receiver.Login).ID, h.who("boss@example.com").ID}, told())
	var records []string
	for _, e := range h.auditOf("case/" + string(p.CaseID)) {
		if e.Action == "plan.receiver_leaving" {
			records = append(records, e.Subject.PlanID)
		}
	}
	require.Equal(t, []string{string(p.ID)}, records)
	h.employs(employment("2", receiver.Login, last(4)))
	h.applies()
	require.Len(t, told(), 2, "said once")
}
