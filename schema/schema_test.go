package schema_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func TestClocks(t *testing.T) {
	t.Parallel()
	c := schema.DefaultClocks()
	require.Equal(t, 15*time.Second, c.PollDelay(1))
	require.Equal(t, 22500*time.Millisecond, c.PollDelay(2))
	require.Equal(t, 30*time.Minute, c.PollDelay(50))
	fast := c.Scaled(60)
	require.Equal(t, 250*time.Millisecond, fast.PollDelay(1))
	require.Equal(t, 12*time.Hour, fast.PlanWait(30*24*time.Hour))
	require.Equal(t, c, c.Scaled(1))
}

func TestHash(t *testing.T) {
	t.Parallel()
	facts := schema.Facts{AccountID: "1", Login: "a@example.com", Role: schema.RoleMember, Steps: []schema.StepFact{{Kind: schema.StepDelete}}}

	t.Run("a changed fact changes the hash and is named", func(t *testing.T) {
		t.Parallel()
		changed := facts
		changed.Role = schema.RoleCoadmin
		require.NotEqual(t, facts.Hash(), changed.Hash())
		require.Equal(t, []string{"role"}, facts.Drift(changed))
		require.Empty(t, facts.Drift(facts))
	})

	t.Run("a case's hash does not depend on the order of its plans", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, schema.CaseHash([]string{"a", "b"}), schema.CaseHash([]string{"b", "a"}))
		require.NotEqual(t, schema.CaseHash([]string{"a"}), schema.CaseHash([]string{"a", "b"}))
	})
}

func TestLeastFinished(t *testing.T) {
	t.Parallel()
	require.Equal(t, schema.PlanRunning, schema.LeastFinished(schema.PlanDone, schema.PlanRunning, schema.PlanParked))
	require.Equal(t, schema.PlanParked, schema.LeastFinished(schema.PlanDone, schema.PlanParked))
	require.Equal(t, schema.PlanDone, schema.LeastFinished())
}

// TestTransferMoves pins that no move leads from a request that may be at work
// back to one that may be sent (promise 2).
func TestTransferMoves(t *testing.T) {
	t.Parallel()
	for _, from := range []schema.TransferState{schema.TransferSettling, schema.TransferStalled, schema.TransferProven, schema.TransferPresumed} {
		for _, to := range []schema.TransferState{schema.TransferIntended, schema.TransferSent, schema.TransferWaiting} {
			require.False(t, from.CanMove(to), "%s -> %s", from, to)
		}
	}
	for _, class := range []schema.OutcomeClass{schema.OutcomeAccepted, schema.OutcomeUnknown, "something new"} {
		require.Equal(t, schema.TransferSettling, schema.TransferOutcome{Class: class}.Next(), class)
	}
}
