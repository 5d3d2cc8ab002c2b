package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func TestLeaverFromDraftToClosedCase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	p := b.leaver("1", "2", "leaver")
	require.Equal(t, schema.PlanPlanned, p.State)

	ref := b.through(p.ID, 3)
	tr, err := b.EnterLane(ctx, ref, schema.Transfer{Source: "1", Receiver: "2", BytesBefore: 1000, WitnessTotal: 3})
	require.NoError(t, err)
	require.Equal(t, schema.TransferIntended, tr.State)
	tr, err = b.markSent(ref)
	require.NoError(t, err)
	require.Equal(t, 1, tr.Attempts)
	tr, err = b.RecordTransferOutcome(ctx, ref, schema.TransferOutcome{Class: schema.OutcomeUnknown})
	require.NoError(t, err)
	require.Equal(t, schema.TransferSettling, tr.State)
	require.Equal(t, schema.PlanSettling, b.plan(p.ID).State)
	tr, err = b.ConcludeTransfer(ctx, ref, schema.TransferProven, map[string]string{"witnesses": "3"})
	require.NoError(t, err)
	require.Equal(t, schema.TransferProven, tr.State)
	require.NoError(t, b.CompleteStep(ctx, ref, schema.StepDone, nil))

	for i := 4; i < 6; i++ {
		require.NoError(t, b.CompleteStep(ctx, b.begin(p.ID, i), schema.StepDone, nil))
	}
	require.NoError(t, b.EndPlan(ctx, p.ID, schema.PlanDone))
	require.NoError(t, b.CloseCase(ctx, p.CaseID))
	view, err := b.CaseView(ctx, p.CaseID)
	require.NoError(t, err)
	require.Equal(t, schema.PlanDone, view.State)
	require.False(t, view.Case.ClosedAt.IsZero())
}
