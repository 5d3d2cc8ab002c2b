package local

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// account is the system user that Postgres runs as. The zero value means: as
// we do.
type account struct {
	name     string
	uid, gid uint32
}

// serverAccount picks whom Postgres runs as. Postgres refuses to run as root,
// so root steps down to the user its packages make, else to nobody.
func serverAccount() (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	for _, name := range []string{"postgres", "_postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseInt(u.Uid, 10, 64)
		gid, gidErr := strconv.ParseInt(u.Gid, 10, 64)
		if err := errors.Join(uidErr, gidErr); err != nil {
			return account{}, fmt.Errorf("read the ids of user %s: %w", name, err)
		}
		// macOS gives nobody the id -2, which is this number in 32 bits.
		return account{name: name, uid: uint32(uid), gid: uint32(gid)}, nil
	}
	return account{}, errors.New("postgres does not run as root and there is no user postgres or nobody to run it as; " +
		"start sendoff as an ordinary user or create the user postgres")
}

// dropped reports whether the account differs from ours.
func (a account) dropped() bool { return a.name != "" }

// assume makes cmd run as the account, without our supplementary groups.
func (a account) assume(cmd *exec.Cmd) {
	if a.dropped() {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
}

// canReach reports whether the account may enter dir. It is tried rather than
// worked out from mode bits, so access lists and mounts count as well.
func (a account) canReach(dir string) bool {
	if !a.dropped() {
		return true
	}
	cmd := command("/bin/sh", "-c", `cd -- "$1"`, "sh", dir)
	a.assume(cmd)
	return cmd.Run() == nil
}

// own gives path to the account.
func (a account) own(path string) error {
	if !a.dropped() {
		return nil
	}
	return os.Chown(path, int(a.uid), int(a.gid))
}
