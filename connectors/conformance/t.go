package conformance

import (
	"context"
	"testing"
)

// T is what the suite needs of a test. The suite runs over it instead of
// *testing.T so that Judge can watch a connector fail.
type T interface {
	Helper()
	Name() string
	Errorf(format string, args ...any)
	FailNow()
	Logf(format string, args ...any)
	Skipf(format string, args ...any)
	Cleanup(f func())
	Context() context.Context
	// Run runs a subtest. Subtests may run side by side, after f of their parent
	// has returned.
	Run(name string, f func(T))
}

// Run holds the connector of a world against everything a connector must do.
// Each subtest asks world for a fresh one.
func Run(t *testing.T, world func(T) World) {
	t.Helper()
	suite(real{t}, world)
}

// real is a *testing.T whose subtests run in parallel.
type real struct{ *testing.T }

// Run implements T.
func (r real) Run(name string, f func(T)) {
	r.T.Run(name, func(t *testing.T) {
		t.Parallel()
		f(real{t})
	})
}
