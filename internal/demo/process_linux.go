package demo

import (
	"os/exec"
	"syscall"
)

// endWithParent makes the kernel interrupt the child when the demo is killed.
func endWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGINT}
}
