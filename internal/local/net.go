package local

import (
	"fmt"
	"net"
)

const loopback = "127.0.0.1"

// freePort returns a TCP port on 127.0.0.1 that was free a moment ago. If
// preferred is free it is taken. The gap until the server binds it is why each
// server proves its identity before it counts as started.
func freePort(preferred int) (int, error) {
	if preferred != 0 {
		if port, err := probePort(preferred); err == nil {
			return port, nil
		}
	}
	return probePort(0)
}

func probePort(port int) (int, error) {
	l, err := net.Listen("tcp4", fmt.Sprintf("%s:%d", loopback, port))
	if err != nil {
		return 0, fmt.Errorf("find a free port on %s: %w", loopback, err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}
