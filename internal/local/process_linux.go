package local

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// startBound starts cmd with a parent-death signal: the kernel delivers it when
// the calling thread ends, which covers SIGKILL and panics alike. The caller
// holds its thread until the child has ended.
func startBound(cmd *exec.Cmd, onOrphan syscall.Signal) (release func(), err error) {
	cmd.SysProcAttr.Pdeathsig = onOrphan
	return func() {}, cmd.Start()
}

// commandLine returns the arguments a live process was started with, or nil if
// there is no such process or it may not be inspected.
func commandLine(pid int) []string {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || len(raw) == 0 {
		return nil
	}
	return strings.Split(string(bytes.TrimRight(raw, "\x00")), "\x00")
}
