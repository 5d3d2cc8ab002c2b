package e2e_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"sendoff/internal/local"
	"sendoff/internal/temporalx"
)

// temporalServer is the official development server, as sendoff up runs it, but
// with fine timers: by default it fires those due within the same second
// together, and 300 looks at a transfer would take 300 seconds.
type temporalServer struct {
	address string
	process *child
}

func startTemporal() (*temporalServer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute) // it may have to be built
	defer cancel()
	cli, err := local.EnsureTemporalCLI(ctx, func(line string) { fmt.Fprintln(os.Stderr, line) })
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(shared.dir, "temporal.log"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the child has its own
	cmd := exec.Command(
		cli, "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", port, "--log-level", "warn",
		"--dynamic-config-value", "limit.maxIDLength=255",
		"--dynamic-config-value", `history.timerProcessorMaxTimeShift="5ms"`,
		"--dynamic-config-value", "history.timerProcessorMaxPollRPS=1000",
	)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/"} // none of the settings meant for servers elsewhere
	s := &temporalServer{address: "127.0.0.1:" + port}
	if s.process, err = startChild(cmd, log); err != nil {
		return nil, err
	}
	atEnd(s.process.kill)
	return s, s.await(ctx)
}

// await returns once the server answers.
func (s *temporalServer) await(ctx context.Context) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := client.DialContext(ctx, client.Options{HostPort: s.address, Logger: temporalx.NewLogger(zap.NewNop())})
		if err == nil {
			c.Close()
			return nil
		}
		select {
		case <-s.process.done:
			return fmt.Errorf("the Temporal server ended: %w", s.process.err)
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }() // its number is what was wanted
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
