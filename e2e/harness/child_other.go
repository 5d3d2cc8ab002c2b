//go:build !linux

package harness

import "os/exec"

// endWithUs does nothing here: a killed test run leaves its children.
func endWithUs(*exec.Cmd) {}
