package simkit

import (
	"context"
	"time"
)

// Clock maps durations of the simulated vendor to wall time. A vendor's ten
// minutes last ten minutes divided by the scale. Instants are always wall
// instants, so two clocks never disagree about what happened first.
type Clock struct{ scale float64 }

// NewClock returns a clock that runs scale times as fast as the wall; a scale
// of zero or less means 1.
func NewClock(scale float64) Clock {
	if scale <= 0 {
		scale = 1
	}
	return Clock{scale: scale}
}

// Now is the present instant in UTC.
func (c Clock) Now() time.Time { return time.Now().UTC() }

// Scale is how many simulated seconds pass in one wall second.
func (c Clock) Scale() float64 {
	if c.scale <= 0 {
		return 1
	}
	return c.scale
}

// Wall is the wall time that the simulated duration d takes.
func (c Clock) Wall(d time.Duration) time.Duration {
	return time.Duration(float64(d) / c.Scale())
}

// WaitUntil blocks until the wall instant t or until ctx ends, and reports
// whether t was reached.
func (c Clock) WaitUntil(ctx context.Context, t time.Time) bool {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
