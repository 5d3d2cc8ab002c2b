package activities

import (
	"context"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
)

// heartbeatEvery is how often an activity with a heartbeat timeout tells Temporal
// that its worker lives, so that another takes over soon when it does not.
const heartbeatEvery = 10 * time.Second

// beat heartbeats until the function it returns is called.
func beat(ctx context.Context) (stop func()) {
	done := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(heartbeatEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				activity.RecordHeartbeat(ctx)
			}
		}
	})
	return func() { close(done); running.Wait() }
}
