package harness

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports below those that systems give to outgoing connections (from 32768 on
// Linux): while a server is dead, one of its own clients that tries to reach it
// could otherwise be given its port.
const firstPort, lastPort = 20_000, 32_000

// FreePort returns a port of 127.0.0.1 that was free a moment ago, and that
// nobody gets by chance while its server is down.
func FreePort() (string, error) {
	const tries = 100
	for range tries {
		port := strconv.Itoa(firstPort + rand.IntN(lastPort-firstPort)) //nolint:gosec // any port will do
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err == nil {
			return port, l.Close()
		}
	}
	return "", errors.New("no free port was found on 127.0.0.1")
}
