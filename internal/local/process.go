package local

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// child is a server process that ends with us. See startBound for how.
type child struct {
	cmd  *exec.Cmd
	log  *os.File
	done chan struct{} // closed once the process has been waited for
	err  error         // what Wait returned; read only after done
}

// command prepares a process with a short environment of its own, so that no
// credential in ours reaches a server or its logs.
func command(path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Dir = "/"
	cmd.Env = []string{"LC_ALL=C", "TZ=UTC"}
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	return cmd
}

// startChild starts cmd so that it receives onOrphan when this process dies.
// Standard output and error go to log, which the child owns from here on.
func startChild(cmd *exec.Cmd, log *os.File, onOrphan syscall.Signal) (*child, error) {
	cmd.Stdout, cmd.Stderr = log, log
	// A group of its own: a Ctrl-C in the terminal is ours to answer, in our
	// order, and must not reach the servers at the same moment.
	cmd.SysProcAttr.Setpgid = true
	c := &child{cmd: cmd, log: log, done: make(chan struct{})}
	started := make(chan error, 1)
	go c.run(onOrphan, started)
	if err := <-started; err != nil {
		_ = log.Close()
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return c, nil
}

// run starts the process and waits for it on one locked thread: on Linux the
// parent-death signal fires when the thread that forked ends, not the process,
// and Go ends idle threads (golang.org/issue/27505).
func (c *child) run(onOrphan syscall.Signal, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	release, err := startBound(c.cmd, onOrphan)
	started <- err
	if err != nil {
		return
	}
	c.err = c.cmd.Wait()
	release()
	close(c.done)
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// exited reports whether the process has ended.
func (c *child) exited() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// stop sends sig, waits, and kills the process after the given time.
func (c *child) stop(sig syscall.Signal, patience time.Duration) error {
	defer func() { _ = c.log.Close() }()
	if c.exited() {
		return nil
	}
	if err := c.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", c.cmd.Path, err)
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-c.done:
		return nil
	case <-timer.C:
	}
	_ = c.cmd.Process.Kill()
	<-c.done
	return fmt.Errorf("stop %s: still running %s after %s, killed", c.cmd.Path, patience, sig)
}

// logTail returns the end of the child's log, for an error message.
func (c *child) logTail() string { return tail(c.log) }

func tail(f *os.File) string {
	const tailBytes = 2 << 10
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	from := max(0, info.Size()-tailBytes)
	text, _ := io.ReadAll(io.NewSectionReader(f, from, tailBytes))
	return strings.TrimSpace(string(text))
}

// openLog opens a log for appending, readable by us for error messages; a large
// one is put aside first. An empty path gives a nameless file, which vanishes
// with its last user.
func openLog(path string) (*os.File, error) {
	const largeBytes = 16 << 20
	if path != "" {
		if info, err := os.Stat(path); err == nil && info.Size() > largeBytes {
			if err := os.Rename(path, path+".1"); err != nil {
				return nil, err
			}
		}
		return os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	}
	f, err := os.CreateTemp("", "sendoff-log-")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}
