package local_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/local"
)

// TestMain lets the test binary also be the process that owns servers, or that
// looks for them in another environment, so that tests can kill it.
func TestMain(m *testing.M) {
	var err error
	switch os.Getenv("SENDOFF_TEST_PROCESS") {
	case "":
		os.Exit(m.Run())
	case "stack":
		err = runStack(os.Getenv("SENDOFF_TEST_DIR"))
	case "temporal cli":
		err = findCLI()
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stdout, err)
		os.Exit(1)
	}
}

// stack is what a process that owns both servers tells about them.
type stack struct {
	PostgresPID, TemporalPID         int
	PostgresURL, TemporalAddress, UI string
}

// runStack starts both servers, tells about them, and waits to be killed.
func runStack(dir string) error {
	ctx := context.Background()
	p, err := local.StartPostgres(ctx, local.PostgresConfig{DataDir: dir, Durable: true})
	if err != nil {
		return err
	}
	s, err := local.StartTemporal(ctx, temporalConfig(dir))
	if err != nil {
		return err
	}
	told := stack{PostgresPID: p.PID(), TemporalPID: s.PID(), PostgresURL: p.URL(), TemporalAddress: s.Address(), UI: s.UIURL()}
	if err := json.NewEncoder(os.Stdout).Encode(told); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin) // ends if the test does
	return err
}

func temporalConfig(dir string) local.TemporalConfig {
	return local.TemporalConfig{
		DataDir:          dir,
		Namespace:        "sendoff",
		SearchAttributes: map[string]string{"SendoffCase": "Keyword", "SendoffDue": "Datetime"},
	}
}

func findCLI() error {
	path, err := local.EnsureTemporalCLI(context.Background(), func(line string) { _, _ = fmt.Fprintln(os.Stdout, line) })
	if errors.Is(err, local.ErrNoTemporal) {
		return fmt.Errorf("ErrNoTemporal %w", err)
	}
	_, _ = fmt.Fprintln(os.Stdout, "found", path)
	return err
}

// self returns a command that runs the test binary as one of the processes
// above, in the given environment.
func self(t *testing.T, process string, env ...string) *exec.Cmd {
	t.Helper()
	binary, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Env = append(env, "SENDOFF_TEST_PROCESS="+process)
	return cmd
}

// startStack runs a process that owns both servers on dir.
func startStack(t *testing.T, dir string) (*exec.Cmd, stack) {
	t.Helper()
	cmd := self(t, "stack", append(os.Environ(), "SENDOFF_TEST_DIR="+dir)...)
	_, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	var told stack
	require.NoError(t, json.Unmarshal([]byte(line), &told), line)
	return cmd, told
}

// gone reports whether no process has the number. One that has ended but was
// not waited for, by an init that is lax about it, has no command line left.
func gone(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	out, err := exec.Command("ps", "-o", "stat=", "-p", fmt.Sprint(pid)).Output()
	return err != nil || strings.HasPrefix(strings.TrimSpace(string(out)), "Z")
}

// wait polls a condition.
func wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	require.Eventually(t, done, 30*time.Second, 20*time.Millisecond, what)
}

// script writes an executable shell script.
func script(t *testing.T, dir, name, body string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+body+"\n"), 0o755))
}
