package harness

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"sendoff/internal/temporalx"
)

// TemporalConfig says how a Temporal server is run.
type TemporalConfig struct {
	CLI      string // path of Temporal's command line tool
	Log      string // path of the file its output is appended to
	Database string // path of its database; empty = in memory
	Port     string // on 127.0.0.1; empty = a free one
}

// Temporal is the official development server, as sendoff up runs it, but with
// fine timers: by default it fires those due within the same second together,
// and 300 looks at a transfer would take 300 seconds. Its task queues have one part
// each instead of four, which serve many workers and cost processors meanwhile.
type Temporal struct {
	Address string // host:port
	process *Child
}

// StartTemporal starts a server and returns once it answers.
func StartTemporal(ctx context.Context, cfg TemporalConfig) (*Temporal, error) {
	if cfg.Port == "" {
		var err error
		if cfg.Port, err = FreePort(); err != nil {
			return nil, err
		}
	}
	log, err := os.OpenFile(cfg.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the child has its own
	args := []string{
		"server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", cfg.Port, "--log-level", "warn",
		"--dynamic-config-value", "limit.maxIDLength=255",
		"--dynamic-config-value", `history.timerProcessorMaxTimeShift="5ms"`,
		"--dynamic-config-value", "history.timerProcessorMaxPollRPS=1000",
		"--dynamic-config-value", "matching.numTaskqueueReadPartitions=1",
		"--dynamic-config-value", "matching.numTaskqueueWritePartitions=1",
	}
	if cfg.Database != "" {
		args = append(args, "--db-filename", cfg.Database)
	}
	cmd := exec.Command(cfg.CLI, args...)
	// None of the settings meant for servers elsewhere; memory is cheaper than processors.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/", "GOGC=400"}
	s := &Temporal{Address: "127.0.0.1:" + cfg.Port}
	if s.process, err = StartChild(cmd, log); err != nil {
		return nil, err
	}
	if err := s.await(ctx); err != nil {
		s.Kill()
		return nil, err
	}
	return s, nil
}

// Kill ends the server as a power cut would.
func (s *Temporal) Kill() { s.process.Kill() }

// await returns once the server answers.
func (s *Temporal) await(ctx context.Context) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := client.DialContext(ctx, client.Options{HostPort: s.Address, Logger: temporalx.NewLogger(zap.NewNop())})
		if err == nil {
			c.Close()
			return nil
		}
		select {
		case <-s.process.Done():
			return fmt.Errorf("the Temporal server ended: %w", s.process.Wait())
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}
