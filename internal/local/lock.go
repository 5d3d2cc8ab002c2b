package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// ErrInUse is returned when another live process runs on the same data
// directory. The lock is the kernel's, so a killed process leaves none behind.
var ErrInUse = errors.New("in use by another running sendoff")

// A child of this process that is being started has a copy of the lock from its
// fork to its exec: a lock that was just given up may seem to be held that long.
const (
	lockTries = 20
	lockPause = 50 * time.Millisecond
)

// lockFile takes the lock at path or returns ErrInUse within a second.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for range lockTries {
		if err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); !errors.Is(err, unix.EWOULDBLOCK) {
			break
		}
		<-time.After(lockPause)
	}
	if err == nil {
		return f, nil
	}
	_ = f.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, fmt.Errorf("%s: %w; stop that one, or choose another data directory", path, ErrInUse)
	}
	return nil, fmt.Errorf("lock %s: %w", path, err)
}

// waitForLock takes the lock at path, waiting for its holder.
func waitForLock(ctx context.Context, path string, progress func(string)) (*os.File, error) {
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	for told := false; ; told = true {
		f, err := lockFile(path)
		if !errors.Is(err, ErrInUse) {
			return f, err
		}
		if !told {
			progress("waiting for another process that holds " + path)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for lock %s: %w", path, ctx.Err())
		case <-ticker.C:
		}
	}
}
