package sdk_test

import (
	"testing"
	"time"

	"sendoff/internal/local/localtest"
)

const driverDir = "driver"

// driver is Box's own SDK, some 60 packages, and the program that drives us by it.
func driver() localtest.Node {
	return localtest.Node{Dir: driverDir, Cache: "sdk/box", Patience: 3 * time.Minute, Undone: "Box's SDK was not driven"}
}

func TestLockNamesNoRegistry(t *testing.T) {
	t.Parallel()
	driver().RequireLock(t, "box-node-sdk")
}
