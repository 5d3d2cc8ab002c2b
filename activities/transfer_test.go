package activities_test

import (
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/schema"
)

func (b *bundle) enter(ref schema.StepRef) (activities.TransferStatus, error) {
	return call[activities.StepInput, activities.TransferStatus](b, b.acts.EnterTransfer, activities.StepInput{Ref: ref})
}

func (b *bundle) send(ref schema.StepRef) (activities.TransferStatus, error) {
	return call[activities.StepInput, activities.TransferStatus](b, b.acts.SendTransfer, activities.StepInput{Ref: ref})
}

func (b *bundle) settle(ref schema.StepRef) (activities.TransferStatus, error) {
	return call[activities.StepInput, activities.TransferStatus](b, b.acts.SettleTransfer, activities.StepInput{Ref: ref})
}

// transfer carries a transfer step through: all of the leaver's content arrives,
// which is proven by witnesses, or presumed a day later without.
func (b *bundle) transfer(ref schema.StepRef) {
	b.t.Helper()
	b.vendor.outcome = schema.TransferOutcome{Class: schema.OutcomeAccepted}
	s, err := b.enter(ref)
	require.NoError(b.t, err)
	if s.State == schema.TransferIntended {
		s, err = b.send(ref)
		require.NoError(b.t, err)
		require.Equal(b.t, schema.TransferSettling, s.State)
		tr, _, err := b.Transfer(b.t.Context(), ref.PlanID)
		require.NoError(b.t, err)
		b.vendor.moved(leaver, tr.Receiver)
		_, err = b.settle(ref)
		requireType(b.t, err, activities.TypeNotYet, true)
		b.later(25 * time.Hour)
		s, err = b.settle(ref)
		require.NoError(b.t, err)
	}
	require.True(b.t, s.State.Settled(), s.State)
	require.NoError(b.t, b.step(b.acts.CompleteTransfer, ref))
}
