package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/connectors"
	"sendoff/schema"
)

func TestEnterTransfer(t *testing.T) {
	t.Parallel()

	t.Run("takes the lane of both", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.vendor.root[leaver] = []schema.Witness{{ID: "100", Type: "file"}}
		ref := b.leave(schema.StepTransfer, "leaver", heirLogin)
		s, err := b.enter(ref)
		require.NoError(t, err)
		require.Equal(t, activities.TransferStatus{State: schema.TransferIntended, Missing: 1}, s)
		tr := b.transferOf(ref)
		require.Equal(t, heir, tr.Receiver)
		require.Equal(t, leaver, tr.Source)
		require.EqualValues(t, 1000, tr.BytesBefore)
	})

	t.Run("queues behind another transfer of the receiver and is let in after it", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		const other = "other@example.com"
		b.vendor.add("40", other, 10)
		first := b.leave(schema.StepTransfer, "leaver", heirLogin)
		_, err := b.enter(first)
		require.NoError(t, err)
		r := request("leaver", heirLogin)
		r.Email = other
		ref := b.carry(b.open(r).ID, schema.StepTransfer)
		s, err := b.enter(ref)
		require.NoError(t, err)
		require.Equal(t, schema.TransferWaiting, s.State)
		require.Equal(t, 6*time.Hour, s.Again)
		require.Equal(t, 1, b.transferOf(ref).Position)
		_, err = call[activities.StepInput, activities.TransferStatus](b, b.acts.StopTransfer, activities.StepInput{Ref: first})
		require.NoError(t, err)
		s, err = b.enter(ref)
		require.NoError(t, err)
		require.Equal(t, schema.TransferIntended, s.State)
	})

	t.Run("a source that owns nothing is skipped and needs no receiver", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.vendor.change(leaver, func(a *schema.Account) { a.SpaceUsed = 0 })
		ref := b.leave(schema.StepTransfer, "leaver")
		s, err := b.enter(ref)
		require.NoError(t, err)
		require.Equal(t, schema.TransferSkipped, s.State)
		require.NoError(t, b.step(b.acts.CompleteTransfer, ref))
		require.Equal(t, schema.StepSkipped, b.plan(ref.PlanID).Steps[ref.Index].State)
	})

	t.Run("an open transfer is not completed", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.intended()
		requireParks(t, b.step(b.acts.CompleteTransfer, ref), schema.ParkInternal)
	})
}

// TestReceiverBetweenLaneAndSend: the receiver is judged again directly before
// the send.
func TestReceiverBetweenLaneAndSend(t *testing.T) {
	t.Parallel()
	suspend := func(v *vendor, id schema.ExternalID) {
		v.change(id, func(a *schema.Account) { a.VendorStatus = inactive })
	}

	t.Run("another one has another lane", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.leave(schema.StepTransfer, "leaver", heirLogin, secondLogin)
		_, err := b.enter(ref)
		require.NoError(t, err)
		suspend(b.vendor, heir)
		s, err := b.send(ref)
		require.NoError(t, err)
		require.Equal(t, schema.TransferWaiting, s.State)
		require.Zero(t, b.vendor.count("send"))
		require.Equal(t, "receiver", b.audited(ref.PlanID, "plan.replaced")[0]["drift"])
		_, err = b.enter(ref)
		require.NoError(t, err)
		require.Equal(t, second, b.transferOf(ref).Receiver)
		b.vendor.outcome.Class = schema.OutcomeAccepted
		_, err = b.send(ref)
		require.NoError(t, err)
		require.Equal(t, 1, b.vendor.count("send 10 30"))
	})

	t.Run("none left parks without anybody's address", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.leave(schema.StepTransfer, "leaver", heirLogin)
		_, err := b.enter(ref)
		require.NoError(t, err)
		suspend(b.vendor, heir)
		_, err = b.send(ref)
		cause := requireParks(t, err, schema.ParkReceiverMissing)
		require.Contains(t, cause.Message, schema.ReceiverInactive)
		for _, text := range []string{err.Error(), cause.Message, cause.Fix} {
			require.NotContains(t, text, "@example.com")
		}
		require.Zero(t, b.vendor.count("send"))
	})

	t.Run("content that came after a plan without a receiver", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.vendor.change(leaver, func(a *schema.Account) { a.SpaceUsed = 0 })
		id := b.open(request("leaver")).ID
		b.vendor.change(leaver, func(a *schema.Account) { a.SpaceUsed = 5 })
		_, err := b.enter(b.carry(id, schema.StepTransfer))
		requireParks(t, err, schema.ParkReceiverMissing)
	})

	for name, change := range map[string]func(v *vendor){
		"gone":      func(v *vendor) { v.remove(heir) },
		"ambiguous": func(v *vendor) { v.add("21", heirLogin, 0) },
		"full": func(v *vendor) {
			v.change(heir, func(a *schema.Account) { a.SpaceAmount = 1000 })
		},
		"external": func(v *vendor) {
			v.change(heir, func(a *schema.Account) { a.EnterpriseID = "901" })
		},
	} {
		t.Run("a receiver that is "+name+" gets nothing", func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ref := b.leave(schema.StepTransfer, "leaver", heirLogin)
			_, err := b.enter(ref)
			require.NoError(t, err)
			change(b.vendor)
			_, err = b.send(ref)
			requireParks(t, err, schema.ParkReceiverMissing)
			require.NotContains(t, err.Error(), "@example.com")
			require.Zero(t, b.vendor.count("send"))
		})
	}

	t.Run("this plan's own bytes count once", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.vendor.change(heir, func(a *schema.Account) { a.SpaceAmount = 1050 }) // 1000 and 5 %
		b.vendor.outcome.Class = schema.OutcomeAccepted
		ref := b.leave(schema.StepTransfer, "leaver", heirLogin)
		_, err := b.enter(ref)
		require.NoError(t, err)
		_, err = b.send(ref)
		require.NoError(t, err)
		require.Equal(t, 1, b.vendor.count("send"))
	})

	t.Run("a look-up that fails is tried again", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.leave(schema.StepTransfer, "leaver", heirLogin)
		b.vendor.errs["find"] = []error{failure(connectors.Unavailable)}
		_, err := b.enter(ref)
		requireType(t, err, activities.TypeUnavailable, true)
		_, err = b.enter(ref)
		require.NoError(t, err)
	})
}
