package webhooks_test

import (
	"testing"
	"time"

	"sendoff/internal/local/localtest"
)

const driverDir = "driver"

// driver is the Standard Webhooks library, and the program that signs by it.
func driver() localtest.Node {
	return localtest.Node{Dir: driverDir, Cache: "sdk/webhooks", Patience: 2 * time.Minute, Undone: "nobody else signed webhooks"}
}

func TestLockNamesNoRegistry(t *testing.T) {
	t.Parallel()
	driver().RequireLock(t, "standardwebhooks")
}
