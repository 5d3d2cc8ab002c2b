//go:build linux || darwin

package app

import "golang.org/x/sys/unix"

// diskFree is the room at path that an ordinary user may fill, in bytes.
func diskFree(path string) (bytes uint64, ok bool) {
	var s unix.Statfs_t
	if unix.Statfs(path, &s) != nil {
		return 0, false
	}
	return s.Bavail * uint64(s.Bsize), true //nolint:gosec // a block's size is positive
}
