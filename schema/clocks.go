package schema

import "time"

// Clocks are the engine's waits (DESIGN section 6). Scaled divides them for
// simulators; heartbeats, HTTP timeouts and Retry-After are never scaled.
type Clocks struct {
	PollFirst     time.Duration // first wait between settle reads
	PollMax       time.Duration // longest wait between them; each is 1.5 of the last
	QuietFor      time.Duration // two clear reads at least this far apart
	PresumeAfter  time.Duration // since the call ended, without witnesses
	StallAfter    time.Duration // since the call ended, with evidence missing
	DeleteRetry   time.Duration // between deletes that met content
	ReadBack      time.Duration // how long a write may take to show in reads
	ReadBackFirst time.Duration
	BusyPoll      time.Duration // wait after "busy"
	LaneCheck     time.Duration // a waiter looks itself in case its wake-up was lost
	EventDelay    time.Duration // how late an event may reach a vendor's log
	LookUp        time.Duration // how fresh activity must be directly before an irreversible step; never scaled, reading it takes its time
	Scale         int64         // plan waits are divided by it; 1 = real time
}

// DefaultClocks are the clocks in real time.
func DefaultClocks() Clocks {
	return Clocks{
		PollFirst: 15 * time.Second, PollMax: 30 * time.Minute,
		QuietFor: 10 * time.Minute, PresumeAfter: 24 * time.Hour, StallAfter: 24 * time.Hour,
		DeleteRetry: time.Hour, ReadBack: 15 * time.Minute, ReadBackFirst: 2 * time.Second,
		BusyPoll: 2 * time.Minute, EventDelay: 2 * time.Minute, LookUp: time.Hour, LaneCheck: 6 * time.Hour, Scale: 1,
	}
}

// Scaled returns the clocks divided by n; n below 2 changes nothing.
func (c Clocks) Scaled(n int64) Clocks {
	if n < 2 {
		return c
	}
	for _, d := range []*time.Duration{
		&c.PollFirst, &c.PollMax, &c.QuietFor, &c.PresumeAfter, &c.StallAfter,
		&c.DeleteRetry, &c.ReadBack, &c.ReadBackFirst, &c.BusyPoll, &c.LaneCheck, &c.EventDelay,
	} {
		*d /= time.Duration(n)
	}
	c.Scale = n
	return c
}

// PlanWait scales a wait of a plan.
func (c Clocks) PlanWait(d time.Duration) time.Duration {
	if c.Scale < 2 {
		return d
	}
	return d / time.Duration(c.Scale)
}

// PollDelay is the wait after the attempt-th read (counted from 1): PollFirst
// times 1.5 for each read before, PollMax at most.
func (c Clocks) PollDelay(attempt int32) time.Duration {
	return backoff(c.PollFirst, c.PollMax, attempt)
}

// ReadBackDelay is the wait after the attempt-th read-back.
func (c Clocks) ReadBackDelay(attempt int32) time.Duration {
	return backoff(c.ReadBackFirst, c.PollFirst*4, attempt)
}

func backoff(first, longest time.Duration, attempt int32) time.Duration {
	d := first
	for i := int32(1); i < attempt && d < longest; i++ {
		d += d / 2
	}
	return min(d, longest)
}
