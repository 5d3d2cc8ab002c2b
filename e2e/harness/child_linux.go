package harness

import (
	"os/exec"
	"syscall"
)

// endWithUs makes the kernel kill the child when its thread, or we, end.
func endWithUs(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
