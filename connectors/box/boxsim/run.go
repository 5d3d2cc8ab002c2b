package boxsim

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"

	"sendoff/connectors/simkit"
)

// RunOptions are the flags of a simulator that runs as a command.
type RunOptions struct {
	Addr   string  // loopback HOST:PORT; empty is 127.0.0.1:0
	Users  int     // 0 is 200
	Volume Volume  // a big company on top; see Config.Volume
	Seed   int64   // of the company
	Scale  float64 // see Config.Scale
	Rate   int     // see Config.Rate
	// Switches and Logger as in Config.
	Switches Switches
	Logger   *slog.Logger
}

// defaultUsers is the size of the company of a simulator that runs as a command.
const defaultUsers = 200

// Run prints the banner as one line of JSON and serves until ctx ends.
func Run(ctx context.Context, opts RunOptions, stdout io.Writer) error {
	if opts.Addr == "" {
		opts.Addr = "127.0.0.1:0"
	}
	if opts.Users == 0 {
		opts.Users = defaultUsers
	}
	s, err := New(Config{
		Seed: opts.Seed, Users: opts.Users, Volume: opts.Volume, Scale: opts.Scale, Rate: opts.Rate,
		Switches: opts.Switches, Logger: opts.Logger,
	})
	if err != nil {
		return err
	}
	ln, err := simkit.ListenLoopback(opts.Addr)
	if err != nil {
		return fmt.Errorf("box simulator: %w", err)
	}
	line, err := json.Marshal(s.Banner("http://" + ln.Addr().String()))
	if err == nil {
		_, err = fmt.Fprintf(stdout, "%s\n", line)
	}
	if err != nil {
		_ = ln.Close()
		return fmt.Errorf("box simulator: print the banner: %w", err)
	}
	return s.Serve(ctx, ln)
}
