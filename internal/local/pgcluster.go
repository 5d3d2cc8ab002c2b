package local

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// OwnerRole is the superuser of a local cluster: it owns and migrates the
// databases. The application itself works as AppRole.
const OwnerRole = "sendoff_owner"

// cluster is one Postgres data directory and what identifies it as ours.
//
//	<data dir>/postgres/            home: 0700, ours
//	    cluster.json                id and place of the cluster
//	    password                    0600, the owner role's
//	    log                         what the server says
//	<place>/                        home, unless the server's user cannot enter it
//	    data/                       Postgres's own directory, owned by its user
//	    id                          same id as in cluster.json
//	    lock                        held while a sendoff runs on it
type cluster struct {
	home     string
	bin      binaries
	user     account
	password string
	record   clusterRecord
}

// clusterRecord is remembered in home, so that a cluster which had to be placed
// elsewhere is found again, and no other is taken for it.
type clusterRecord struct {
	ID    string `json:"id"`
	Place string `json:"place"`
	Major int    `json:"postgres_major"`
}

func (c *cluster) data() string { return filepath.Join(c.record.Place, "data") }

// makeHome creates the directories that a cluster is remembered in. Root's let
// others pass, though not look: the server's user may have to. A data directory
// that exists keeps its mode.
func makeHome(dataDir string) (string, error) {
	mode := fs.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o711
	}
	home := filepath.Join(dataDir, "postgres")
	return home, os.MkdirAll(home, mode)
}

// openCluster reads what is known of the cluster below dataDir, or decides
// where a new one goes. It creates no data.
func openCluster(dataDir string, bin binaries) (*cluster, error) {
	dataDir, err := filepath.Abs(dataDir)
	if err != nil {
		return nil, err
	}
	user, err := serverAccount()
	if err != nil {
		return nil, err
	}
	c := &cluster{home: filepath.Join(dataDir, "postgres"), bin: bin, user: user}
	raw, err := os.ReadFile(filepath.Join(c.home, "cluster.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return c, c.found(dataDir)
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &c.record); err != nil {
		return nil, fmt.Errorf("%s/cluster.json is damaged: %w; restore it, or remove %s to start empty", c.home, err, c.home)
	}
	return c, c.recognise()
}

// found gives a new cluster its id, place and password.
func (c *cluster) found(dataDir string) error {
	id := make([]byte, 8)
	_, _ = rand.Read(id) // never fails, crypto/rand ends the program instead
	c.record = clusterRecord{ID: hex.EncodeToString(id), Major: c.bin.major}
	place, err := c.choosePlace(dataDir)
	if err != nil {
		return err
	}
	c.record.Place = place
	c.password = rand.Text()
	raw, err := json.MarshalIndent(c.record, "", "  ")
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(place, "id"), []byte(c.record.ID), 0o600),
		os.WriteFile(filepath.Join(c.home, "password"), []byte(c.password), 0o600),
		os.WriteFile(filepath.Join(c.home, "cluster.json"), raw, 0o600),
	)
}

// choosePlace returns the directory that will hold the cluster. It is home
// unless we are root and the server's user cannot enter home: below /root, say,
// or in a private temporary directory. Then it goes to /var/lib/sendoff, or for
// a data directory that is itself temporary to a neighbour in the temporary
// directory, so that it lives no longer than what it belongs to.
func (c *cluster) choosePlace(dataDir string) (string, error) {
	if c.user.dropped() {
		// Root's files stay root's; the server's user only needs to pass.
		if err := os.Chmod(c.home, 0o711); err != nil {
			return "", err
		}
	}
	if c.user.canReach(c.home) {
		return c.home, nil
	}
	place := filepath.Join("/var/lib/sendoff", "postgres-"+c.record.ID)
	if within(os.TempDir(), dataDir) {
		place = filepath.Join(os.TempDir(), "sendoff-postgres-"+c.record.ID)
	}
	if err := os.MkdirAll(place, 0o711); err != nil {
		return "", fmt.Errorf("create %s, because user %s cannot enter %s: %w", place, c.user.name, dataDir, err)
	}
	if !c.user.canReach(place) {
		return "", fmt.Errorf("user %s, whom Postgres runs as, can enter neither %s nor %s; choose a data directory it can enter", c.user.name, dataDir, place)
	}
	return place, nil
}

func within(parent, path string) bool {
	rel, err := filepath.Rel(parent, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}

// recognise checks that the remembered place holds the remembered cluster.
func (c *cluster) recognise() error {
	id, err := os.ReadFile(filepath.Join(c.record.Place, "id"))
	if err != nil {
		return fmt.Errorf("the Postgres cluster of %s should be in %s: %w; bring it back, or remove %s to start empty", c.home, c.record.Place, err, c.home)
	}
	if string(id) != c.record.ID {
		return fmt.Errorf("%s holds another cluster than %s remembers (id %q, want %q); nothing was touched", c.record.Place, c.home, id, c.record.ID)
	}
	if c.record.Major != c.bin.major {
		return fmt.Errorf("the cluster in %s was made by Postgres %d but %s is version %d; put version %d on PATH, or move the data with pg_upgrade",
			c.record.Place, c.record.Major, c.bin.postgres, c.bin.major, c.record.Major)
	}
	password, err := os.ReadFile(filepath.Join(c.home, "password"))
	if err != nil {
		return fmt.Errorf("read the password of the local Postgres: %w", err)
	}
	c.password = string(password)
	return nil
}

// initialise runs initdb unless it has run. It works on a neighbour and renames
// it, so that a kill in between never leaves half a cluster.
func (c *cluster) initialise(durable bool, progress func(string)) error {
	if _, err := os.Stat(filepath.Join(c.data(), "PG_VERSION")); err == nil {
		return nil
	}
	progress("creating a Postgres cluster in " + c.record.Place)
	draft := c.data() + ".new"
	if err := os.RemoveAll(draft); err != nil {
		return err
	}
	if err := errors.Join(os.Mkdir(draft, 0o700), c.user.own(draft)); err != nil {
		return err
	}
	pwfile, err := c.passwordFile()
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(pwfile) }()
	// No locale: text sorts by code point, the same on every machine.
	args := []string{
		"--pgdata", draft, "--username", OwnerRole, "--pwfile", pwfile,
		"--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale", "--no-instructions",
	}
	if durable {
		args = append(args, "--data-checksums")
	} else {
		args = append(args, "--no-sync")
	}
	if err := c.runInitdb(args); err != nil {
		return err
	}
	return os.Rename(draft, c.data())
}

func (c *cluster) runInitdb(args []string) error {
	cmd := command(c.bin.initdb, args...)
	c.user.assume(cmd)
	log, err := openLog("")
	if err != nil {
		return err
	}
	proc, err := startChild(cmd, log, syscall.SIGKILL)
	if err != nil {
		return err
	}
	<-proc.done
	defer func() { _ = log.Close() }()
	if proc.err != nil {
		return fmt.Errorf("initdb: %w: %s", proc.err, proc.logTail())
	}
	return nil
}

// passwordFile writes the owner's password where initdb, running as the
// server's user, can read it once.
func (c *cluster) passwordFile() (string, error) {
	path := filepath.Join(c.record.Place, "initdb-password")
	if err := os.WriteFile(path, []byte(c.password+"\n"), 0o600); err != nil {
		return "", err
	}
	return path, c.user.own(path)
}

// remove deletes the cluster and everything remembered about it.
func (c *cluster) remove() error {
	err := os.RemoveAll(c.home)
	if c.record.Place != c.home {
		err = errors.Join(err, os.RemoveAll(c.record.Place))
	}
	return err
}
