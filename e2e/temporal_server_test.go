package e2e_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"sendoff/e2e/harness"
	"sendoff/internal/local"
)

func startTemporal() (*harness.Temporal, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute) // it may have to be built
	defer cancel()
	cli, err := local.EnsureTemporalCLI(ctx, func(line string) { fmt.Fprintln(os.Stderr, line) })
	if err != nil {
		return nil, err
	}
	s, err := harness.StartTemporal(ctx, harness.TemporalConfig{CLI: cli, Log: filepath.Join(shared.dir, "temporal.log")})
	if err == nil {
		atEnd(s.Kill)
	}
	return s, err
}
