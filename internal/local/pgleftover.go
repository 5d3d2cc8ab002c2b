package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// clearLeftover deals with the postmaster.pid of an earlier run. The caller
// holds the cluster's lock, so no sendoff is running on it.
//
//   - No such process: Postgres recovers by itself.
//   - The process is the server of this very cluster, outliving a killed
//     sendoff: it is asked to stop and waited for. Taking it over would leave
//     it bound to a parent that is gone, so it would outlive us too.
//   - The process is anything else, the number having been given out again: it
//     is left alone, and the file is made harmless.
func (c *cluster) clearLeftover(ctx context.Context, progress func(string)) error {
	path := filepath.Join(c.data(), "postmaster.pid")
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	first, rest, _ := bytes.Cut(raw, []byte("\n"))
	pid, err := strconv.Atoi(string(bytes.TrimSpace(first)))
	if err != nil || pid <= 1 {
		return fmt.Errorf("%s is damaged; make sure that no Postgres runs on %s, then remove it", path, c.data())
	}
	if c.isOurServer(pid) {
		progress("stopping the Postgres of an earlier run on " + c.data())
		return c.stopLeftover(ctx, pid)
	}
	if !alive(pid) {
		return nil
	}
	// Postgres refuses to start while the process named in the file lives,
	// whoever that is, unless it is its own parent (CreateLockFile in
	// src/backend/utils/init/miscinit.c). With our number in it Postgres goes
	// on to its other check, shared memory still in use, which removing the
	// file would switch off.
	own := strconv.AppendInt(nil, int64(os.Getpid()), 10)
	return overwrite(path, slices.Concat(own, []byte("\n"), rest))
}

// overwrite changes a file's content, not its owner, and never creates it: a
// server that ends just now removes its lock file by itself, and one made by us
// instead would not be Postgres's to open.
func overwrite(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

// isOurServer reports whether the live process pid is a postmaster started on
// this cluster.
func (c *cluster) isOurServer(pid int) bool {
	args := commandLine(pid)
	if len(args) == 0 || filepath.Base(args[0]) != "postgres" {
		return false
	}
	at := slices.Index(args, "-D")
	return at >= 0 && at+1 < len(args) && args[at+1] == c.data()
}

func (c *cluster) stopLeftover(ctx context.Context, pid int) error {
	if err := syscall.Kill(pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stop the earlier Postgres, process %d: %w", pid, err)
	}
	err := waitUntil(ctx, 50*time.Millisecond, func() bool { return !c.isOurServer(pid) })
	if err != nil {
		return fmt.Errorf("the earlier Postgres, process %d, does not stop: %w", pid, err)
	}
	return nil
}

// alive reports whether any process has the number.
func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

// waitUntil polls a condition.
func waitUntil(ctx context.Context, every time.Duration, done func() bool) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
	return nil
}
