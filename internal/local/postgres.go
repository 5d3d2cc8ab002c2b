package local

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// PostgresConfig says how a local Postgres is run.
type PostgresConfig struct {
	// DataDir holds the cluster, in a folder "postgres" of its own. When we run
	// as root and Postgres's user cannot enter it, the cluster itself goes to a
	// place it can, which is remembered here.
	DataDir string
	// Durable makes commits survive a crash of the machine (fsync). Only tests
	// may leave it off: sendoff's promises rest on committed rows.
	Durable bool
	// Port on 127.0.0.1; if it is taken, or 0, a free one.
	Port int
	// MaxConnections that the server accepts; 0 means 200.
	MaxConnections int
	// Progress, if set, is told about slow steps, one line each.
	Progress func(string)
}

// Postgres is a running local server. It ends with this process.
type Postgres struct {
	cluster *cluster
	locks   []*os.File
	proc    *child
	port    int
	sockets string
}

const (
	startPatience = 60 * time.Second // long enough for crash recovery
	stopPatience  = 30 * time.Second
)

// StartPostgres runs a Postgres server on the cluster below cfg.DataDir, which
// it makes on first use, and returns once it answers. ErrNoPostgres means that
// nothing suitable is installed, ErrInUse that another process runs the cluster.
func StartPostgres(ctx context.Context, cfg PostgresConfig) (*Postgres, error) {
	if cfg.Progress == nil {
		cfg.Progress = func(string) {}
	}
	if cfg.MaxConnections == 0 {
		cfg.MaxConnections = 200
	}
	bin, err := findPostgres()
	if err != nil {
		return nil, err
	}
	home, err := makeHome(cfg.DataDir)
	if err != nil {
		return nil, fmt.Errorf("create the Postgres directory: %w", err)
	}
	lock, err := lockFile(filepath.Join(home, "lock"))
	if err != nil {
		return nil, err
	}
	p := &Postgres{locks: []*os.File{lock}}
	if err := p.start(ctx, cfg, bin); err != nil {
		return nil, errors.Join(fmt.Errorf("local Postgres: %w", err), p.unlock())
	}
	return p, nil
}

func (p *Postgres) start(ctx context.Context, cfg PostgresConfig, bin binaries) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	c, err := openCluster(cfg.DataDir, bin)
	if err != nil {
		return err
	}
	p.cluster = c
	if err := p.lockPlace(); err != nil {
		return err
	}
	if err := c.clearLeftover(ctx, cfg.Progress); err != nil {
		return err
	}
	if err := c.initialise(cfg.Durable, cfg.Progress); err != nil {
		return err
	}
	if p.sockets, err = c.socketDir(); err != nil {
		return err
	}
	// The port may be taken between our look and the server's bind.
	for attempt := 1; ; attempt++ {
		err = p.launch(ctx, cfg)
		if err == nil || attempt == 3 || ctx.Err() != nil {
			return err
		}
		cfg.Port = 0
	}
}

// lockPlace takes a second lock where the cluster lies apart from its data
// directory: a copied data directory leads to the same cluster.
func (p *Postgres) lockPlace() error {
	if p.cluster.record.Place == p.cluster.home {
		return nil
	}
	lock, err := lockFile(filepath.Join(p.cluster.record.Place, "lock"))
	if err != nil {
		return err
	}
	p.locks = append(p.locks, lock)
	return nil
}

func (p *Postgres) unlock() error {
	var err error
	for _, lock := range p.locks {
		err = errors.Join(err, lock.Close())
	}
	p.locks = nil // so that stopping twice is harmless
	return err
}

// launch starts the server once and waits until it has proved to be ours.
func (p *Postgres) launch(ctx context.Context, cfg PostgresConfig) (err error) {
	if p.port, err = freePort(cfg.Port); err != nil {
		return err
	}
	log, err := openLog(filepath.Join(p.cluster.home, "log"))
	if err != nil {
		return err
	}
	cmd := command(p.cluster.bin.postgres, p.arguments(cfg)...)
	p.cluster.user.assume(cmd)
	// SIGINT is Postgres's fast shutdown: sessions end, a checkpoint is
	// written, and nothing is left to recover.
	if p.proc, err = startChild(cmd, log, syscall.SIGINT); err != nil {
		return err
	}
	var last error
	waitErr := waitUntil(ctx, 20*time.Millisecond, func() bool {
		last = p.identify(ctx)
		return last == nil || p.proc.exited()
	})
	switch {
	case p.proc.exited():
		err = fmt.Errorf("the server ended at once: %s", p.proc.logTail())
	case waitErr != nil:
		err = fmt.Errorf("the server does not answer on port %d: %w", p.port, errors.Join(waitErr, last))
	default:
		return nil
	}
	return errors.Join(err, p.proc.stop(syscall.SIGINT, stopPatience))
}

func (p *Postgres) arguments(cfg PostgresConfig) []string {
	args := []string{"-D", p.cluster.data()}
	set := func(name, value string) { args = append(args, "-c", name+"="+value) }
	set("listen_addresses", loopback)
	set("port", strconv.Itoa(p.port))
	set("unix_socket_directories", p.sockets)
	set("max_connections", strconv.Itoa(cfg.MaxConnections))
	set("timezone", "UTC")
	set("logging_collector", "off")
	// Statements can hold credentials and people; errors must not quote them.
	set("log_min_error_statement", "panic")
	if !cfg.Durable {
		set("fsync", "off")
		set("synchronous_commit", "off")
		set("full_page_writes", "off")
	}
	return args
}

// identify connects and compares the server's data directory with ours, so that
// a stranger who took the port is not mistaken for our server.
func (p *Postgres) identify(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, p.URL())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	var dir string
	if err := conn.QueryRow(ctx, "show data_directory").Scan(&dir); err != nil {
		return err
	}
	if dir != p.cluster.data() {
		return fmt.Errorf("the Postgres on port %d serves %s, not %s", p.port, dir, p.cluster.data())
	}
	return nil
}

// socketDir returns a directory for the Unix socket. A socket's address holds
// about 100 bytes (unix(7): 108 on Linux, 104 on macOS), so a deep data
// directory needs a short one elsewhere.
func (c *cluster) socketDir() (string, error) {
	const longest = 100 - len("/.s.PGSQL.65535.lock")
	if len(c.data()) <= longest {
		return c.data(), nil
	}
	dir := filepath.Join("/tmp", "sendoff-"+c.record.ID)
	if err := os.Mkdir(dir, 0o700); err == nil {
		return dir, c.user.own(dir)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	uid := uint32(os.Geteuid())
	if c.user.dropped() {
		uid = c.user.uid
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || info.Mode().Perm() != 0o700 || stat.Uid != uid {
		return "", fmt.Errorf("%s should be a private directory of Postgres's user; remove it", dir)
	}
	return dir, nil
}

// URL returns the connection string of the owner role for the maintenance
// database. It holds the password: do not log it.
func (p *Postgres) URL() string { return p.databaseURL("postgres") }

func (p *Postgres) databaseURL(name string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(OwnerRole, p.cluster.password),
		Host:     fmt.Sprintf("%s:%d", loopback, p.port),
		Path:     "/" + name,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Log returns the path of the server's log.
func (p *Postgres) Log() string { return filepath.Join(p.cluster.home, "log") }

// PID returns the server's process id.
func (p *Postgres) PID() int { return p.proc.pid() }

// Done is closed when the server has ended, for whatever reason.
func (p *Postgres) Done() <-chan struct{} { return p.proc.done }

// Stop ends all sessions and the server, and waits until it is gone, at most 30
// seconds or until ctx ends; then it is killed and recovers at the next start.
func (p *Postgres) Stop(ctx context.Context) error {
	patience := stopPatience
	if deadline, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(deadline))
	}
	err := p.proc.stop(syscall.SIGINT, patience)
	if p.sockets != p.cluster.data() {
		_ = os.RemoveAll(p.sockets)
	}
	return errors.Join(err, p.unlock())
}

// Destroy stops the server and deletes the cluster with all its data.
func (p *Postgres) Destroy(ctx context.Context) error {
	return errors.Join(p.Stop(ctx), p.cluster.remove())
}
