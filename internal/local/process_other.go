//go:build !linux

package local

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// startBound starts cmd and beside it a shell that waits on a pipe only we hold
// open. When we die, in whatever way, the pipe closes and the shell sends
// onOrphan. After the child has ended release tells the shell to go without
// sending anything, so that a reused process id is never signalled.
func startBound(cmd *exec.Cmd, onOrphan syscall.Signal) (release func(), err error) {
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	const script = `read -r word; [ "$word" = released ] || kill -"$2" "$1"`
	guard := exec.Command("/bin/sh", "-c", script, "sh", strconv.Itoa(cmd.Process.Pid), strconv.Itoa(int(onOrphan)))
	guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	pipe, err := guard.StdinPipe()
	if err == nil {
		err = guard.Start()
	}
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return nil, err
	}
	return func() {
		_, _ = pipe.Write([]byte("released\n"))
		_ = guard.Wait()
	}, nil
}

// commandLine returns the arguments a live process was started with, or nil if
// there is no such process. ps joins them with spaces; none of ours holds one
// that matters to a comparison by containment.
func commandLine(pid int) []string {
	out, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return nil
	}
	return strings.Fields(string(out))
}
