package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"sendoff/e2e/harness"
	"sendoff/internal/local"
)

// bench is what all groups share: one Postgres that keeps what it commits, one
// Temporal server with its database on disk, and the built program.
type bench struct {
	set      settings
	stderr   io.Writer
	dir      string
	program  string
	postgres *local.Postgres
	temporal *harness.Temporal
}

// temporalPatience covers building Temporal's command line tool.
const temporalPatience = 15 * time.Minute

func start(ctx context.Context, set settings, stderr io.Writer) (b *bench, err error) {
	b = &bench{set: set, stderr: stderr, program: set.program}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	if b.dir, err = os.MkdirTemp("", "sendoff-bench-"); err != nil {
		return b, err
	}
	if err := os.Chmod(b.dir, 0o711); err != nil { //nolint:gosec // Postgres's own user has to pass
		return b, err
	}
	if err := b.build(ctx); err != nil {
		return b, err
	}
	b.postgres, err = local.StartPostgres(ctx, local.PostgresConfig{DataDir: filepath.Join(b.dir, "pg"), Durable: true, Progress: b.progress})
	if err != nil {
		return b, err
	}
	if err := local.EnsureRoles(ctx, b.postgres.URL()); err != nil {
		return b, err
	}
	patient, cancel := context.WithTimeout(ctx, temporalPatience)
	defer cancel()
	cli, err := local.EnsureTemporalCLI(patient, b.progress)
	if err != nil {
		return b, err
	}
	b.temporal, err = harness.StartTemporal(patient, harness.TemporalConfig{
		CLI: cli, Log: filepath.Join(b.dir, "temporal.log"), Database: filepath.Join(b.dir, "temporal.db"),
	})
	return b, err
}

func (b *bench) build(ctx context.Context) error {
	if b.program != "" {
		path, err := filepath.Abs(b.program)
		b.program = path
		return err
	}
	b.say("building the program")
	b.program = filepath.Join(b.dir, "sendoff")
	out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", b.program, "sendoff/cmd/sendoff").CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build: %w: %s", err, out)
	}
	return nil
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.stderr, time.Now().Format(time.TimeOnly)+" "+format+"\n", args...)
}

func (b *bench) progress(line string) { b.say("%s", line) }

// close ends the servers and removes what they wrote.
func (b *bench) close() error {
	if b.temporal != nil {
		b.temporal.Kill()
	}
	var err error
	if b.postgres != nil {
		err = b.postgres.Destroy(context.Background())
	}
	return errors.Join(err, os.RemoveAll(b.dir))
}

// newDatabase returns the owner's URL of an empty database.
func (b *bench) newDatabase(ctx context.Context, name string) (string, error) {
	return b.postgres.CreateDatabase(ctx, "bench_"+name)
}

// await asks until something is so, every few milliseconds.
func await(ctx context.Context, atMost, every time.Duration, what string, done func() (bool, error)) error {
	deadline := time.NewTimer(atMost)
	defer deadline.Stop()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			return fmt.Errorf("waited %s for: %s", atMost, what)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
