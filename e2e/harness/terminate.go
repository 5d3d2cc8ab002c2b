package harness

import "syscall"

// Terminate asks the child to stop, as a service manager does.
func (c *Child) Terminate() {
	select {
	case <-c.done:
	default:
		// Not yet waited for, so the number is still its own.
		_ = syscall.Kill(c.cmd.Process.Pid, syscall.SIGTERM)
	}
}
