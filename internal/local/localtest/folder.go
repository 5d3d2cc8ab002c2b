package localtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// inMemory is where Linux keeps files in memory. A database is hundreds of
	// files: on a disk, making and dropping one for each test costs more
	// processor time than what the tests do, and with fsync on they wait for it.
	inMemory = "/dev/shm"
	// roomInMemory is what has to be free there: several times what the servers
	// of two packages hold. Containers often have 64 MiB.
	roomInMemory = 4 << 30
	// perKind is how many directories of a kind, or test clusters, there may be.
	perKind = 16
)

// Folder returns an empty directory for the data of servers, in memory where
// there is room, and what removes it. Processes that are killed leave theirs to
// the next that asks for the kind.
func Folder(kind string) (dir string, remove func() error, err error) {
	root, err := scratch()
	if err != nil {
		return "", nil, err
	}
	for n := range perKind {
		dir := filepath.Join(root, fmt.Sprintf("%s-%d", kind, n))
		lock, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return "", nil, err
		}
		err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			// Postgres's own user has to pass.
			err = errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o711))
		}
		if err == nil {
			return dir, func() error { return errors.Join(os.RemoveAll(dir), lock.Close()) }, nil
		}
		_ = lock.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return "", nil, err
		}
	}
	return "", nil, fmt.Errorf("all %d directories %s-* in %s are in use", perKind, kind, root)
}

// scratch returns this user's directory for test servers. Its name is known to
// everybody, so it has to be ours.
func scratch() (string, error) {
	dir := filepath.Join(roomy(), fmt.Sprintf("sendoff-test-%d", os.Geteuid()))
	// Root's servers run as another user, who must be able to pass.
	if err := os.Mkdir(dir, 0o711); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || int(stat.Uid) != os.Geteuid() || info.Mode().Perm()&0o022 != 0 {
		return "", fmt.Errorf("%s is not a directory of this user alone; remove it", dir)
	}
	return dir, nil
}

// roomy is the memory if it has room, else the system's temporary directory,
// which is also taken when TMPDIR says where.
func roomy() string {
	var fs unix.Statfs_t
	if os.Getenv("TMPDIR") != "" || unix.Statfs(inMemory, &fs) != nil || unix.Access(inMemory, unix.W_OK) != nil {
		return os.TempDir()
	}
	if fs.Bavail*uint64(fs.Bsize) < roomInMemory { //nolint:gosec,unconvert // its type differs between systems
		return os.TempDir()
	}
	return inMemory
}
