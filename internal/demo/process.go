package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// children are the processes that end with the demo.
type children struct {
	mu   sync.Mutex
	cmds []*exec.Cmd
}

// endWithin is how long a child may take to end by itself.
const endWithin = 45 * time.Second

// wait waits until all have ended, the last one started first: the stack ends
// before the vendor it calls.
func (c *children) wait() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := len(c.cmds) - 1; i >= 0; i-- {
		_ = c.cmds[i].Wait() // killed or interrupted by us
	}
}

// child starts a command that runs along and returns its standard output.
func (d *demo) child(ctx context.Context, c *children, env []string, args ...string) (io.Reader, error) {
	d.say("$ %s", strings.Join(append(env, d.typed(args)), " "))
	cmd := d.command(ctx, args)
	cmd.Env = append(cmd.Env, env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = endWithin
	endWithParent(cmd)
	cmd.Stderr = indented(d.Out)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.cmds = append(c.cmds, cmd)
	c.mu.Unlock()
	return out, nil
}

// run runs a command to its end, showing what it says as it says it, and returns
// its exit code.
func (d *demo) run(ctx context.Context, args ...string) (int, error) {
	d.say("$ %s", d.typed(args))
	cmd := d.command(ctx, args)
	show := indented(d.Out) // one for both, so that lines keep their order
	cmd.Stdout, cmd.Stderr = show, show
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		d.say("  (exit code %d)", exit.ExitCode())
		return exit.ExitCode(), nil
	}
	return 0, err
}

// ask runs a command whose JSON answer is for the demo, not for the screen.
func (d *demo) ask(ctx context.Context, args ...string) ([]byte, error) {
	out, err := d.command(ctx, append(args, "--output", "json")).Output()
	if err != nil {
		return nil, fmt.Errorf("sendoff %s: %w", strings.Join(args, " "), err)
	}
	return out, nil
}

func (d *demo) command(ctx context.Context, args []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, d.Program, args...)
	for _, pair := range d.Env {
		// What configures the caller's own installation is not the demo's.
		if !strings.HasPrefix(pair, "SENDOFF_") && !strings.HasPrefix(pair, "TEMPORAL_") {
			cmd.Env = append(cmd.Env, pair)
		}
	}
	if args[0] != "up" && args[0] != "sim" {
		cmd.Args = append(cmd.Args, "--data", d.dir)
	}
	return cmd
}

// typed is the command as a person would type it.
func (d *demo) typed(args []string) string {
	return "sendoff " + strings.ReplaceAll(strings.Join(args, " "), d.dir+string(os.PathSeparator), "")
}

// indent sets a command's output apart from the demo's words.
type indent struct {
	mu    sync.Mutex
	to    io.Writer
	start bool // at the start of a line
}

func indented(to io.Writer) io.Writer { return &indent{to: to, start: true} }

func (w *indent) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, line := range bytes.SplitAfter(p, []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		if w.start {
			line = append([]byte("  "), line...)
		}
		w.start = bytes.HasSuffix(line, []byte("\n"))
		if _, err := w.to.Write(line); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}
