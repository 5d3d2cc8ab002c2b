package activities_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/worker"

	"sendoff/activities"
	"sendoff/schema"
)

// TestSendWhileWorkerStops: a stopping worker waits for the answer for 45 s and
// then leaves the transfer to evidence. Time is the bubble's, the database real.
func TestSendWhileWorkerStops(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		takes time.Duration
		want  schema.TransferState
		ends  time.Duration
	}{
		"and the answer comes in time": {40 * time.Second, schema.TransferRefused, 40 * time.Second},
		"and the answer does not come": {time.Hour, schema.TransferSettling, 45 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ref := b.intended()
			b.vendor.sending = func(ctx context.Context) schema.TransferOutcome {
				select {
				case <-time.After(c.takes):
					return schema.TransferOutcome{Class: schema.OutcomeRefused}
				case <-ctx.Done():
					return schema.TransferOutcome{Class: schema.OutcomeUnknown, Reason: "we hung up"}
				}
			}
			synctest.Test(t, func(t *testing.T) {
				inside := openStore(t, b.url)
				defer inside.Close()
				b.acts = activities.New(activities.Config{Store: inside, Connectors: b.vendors, Clocks: schema.DefaultClocks()})
				stopping := make(chan struct{})
				close(stopping)
				env := b.activityEnv(worker.Options{})
				env.SetWorkerStopChannel(stopping)
				var beats atomic.Int32
				env.SetOnActivityHeartbeatListener(func(*activity.Info, converter.EncodedValues) { beats.Add(1) })
				began := time.Now()
				_, err := env.ExecuteActivity(b.acts.SendTransfer, activities.StepInput{Ref: ref})
				require.NoError(t, err)
				require.Equal(t, c.ends, time.Since(began).Truncate(time.Second))
				require.NotZero(t, beats.Load(), "Temporal must see that it lives")
			})
			require.Equal(t, c.want, b.transferOf(ref).State)
			require.Equal(t, 1, b.vendor.count("send"))
		})
	}
}
