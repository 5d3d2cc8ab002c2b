package harness

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// Child is a program that this process runs and that ends with it.
type Child struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // of Wait; read only after done
}

// StartChild starts cmd with its output in a file. The thread that starts it
// stays until it has ended: where the kernel ends orphans, it goes by the thread
// (golang.org/issue/27505).
func StartChild(cmd *exec.Cmd, output *os.File) (*Child, error) {
	cmd.Stdout, cmd.Stderr = output, output
	endWithUs(cmd)
	c := &Child{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			c.err = cmd.Wait()
			close(c.done)
		}
	}()
	return c, <-started
}

// Done is closed when the child has ended.
func (c *Child) Done() <-chan struct{} { return c.done }

// Wait waits for the child's own end.
func (c *Child) Wait() error {
	<-c.done
	return c.err
}

// Kill ends the child as a power cut would: it gets no word in.
func (c *Child) Kill() {
	select {
	case <-c.done:
	default:
		// Not yet waited for, so the number is still its own.
		_ = syscall.Kill(c.cmd.Process.Pid, syscall.SIGKILL)
		<-c.done
	}
}
