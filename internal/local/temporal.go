package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"google.golang.org/protobuf/types/known/durationpb"
)

// DefaultRetention is how long a closed workflow stays readable in Temporal.
// The development server's own default is one day.
const DefaultRetention = 30 * 24 * time.Hour

// TemporalConfig says how a local Temporal server is run.
type TemporalConfig struct {
	// DataDir holds the server's database and log, in a folder "temporal" of
	// its own. Empty: everything is kept in memory.
	DataDir string
	// Namespace that is made at the start; required.
	Namespace string
	// Retention of closed workflows; 0 means DefaultRetention.
	Retention time.Duration
	// SearchAttributes to register: name to type, such as "Keyword".
	SearchAttributes map[string]string
	// Port and UIPort on 127.0.0.1; if taken, or 0, free ones.
	Port, UIPort int
	// Headless leaves the web UI out.
	Headless bool
	// Progress, if set, is told about slow steps, one line each.
	Progress func(string)
}

// Temporal is a running development server. It ends with this process.
type Temporal struct {
	cfg    TemporalConfig
	cli    string
	proc   *child
	lock   *os.File // nil if in memory
	port   int
	uiPort int
}

// StartTemporal runs Temporal's development server and returns once the
// namespace answers. ErrNoTemporal means that the CLI is missing and cannot be
// built, ErrInUse that another process runs on the data directory.
func StartTemporal(ctx context.Context, cfg TemporalConfig) (*Temporal, error) {
	if cfg.Progress == nil {
		cfg.Progress = func(string) {}
	}
	if cfg.Retention == 0 {
		cfg.Retention = DefaultRetention
	}
	if cfg.Namespace == "" {
		return nil, errors.New("local Temporal: a namespace is required")
	}
	cli, err := EnsureTemporalCLI(ctx, cfg.Progress)
	if err != nil {
		return nil, err
	}
	s := &Temporal{cfg: cfg, cli: cli}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("local Temporal: %w", err), s.unlock())
	}
	return s, nil
}

func (s *Temporal) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	if err := s.claimDataDir(ctx); err != nil {
		return err
	}
	preferred, preferredUI := s.cfg.Port, s.cfg.UIPort
	// A port may be taken between our look and the server's bind.
	for attempt := 1; ; attempt++ {
		err := s.launch(ctx, preferred, preferredUI)
		if err == nil || attempt == 3 || ctx.Err() != nil {
			return err
		}
		preferred, preferredUI = 0, 0
	}
}

// claimDataDir takes the data directory's lock and ends a server that outlived
// an earlier run on it; two on one database file would ruin it.
func (s *Temporal) claimDataDir(ctx context.Context) (err error) {
	if s.cfg.DataDir == "" {
		return nil
	}
	if s.cfg.DataDir, err = filepath.Abs(s.cfg.DataDir); err != nil {
		return err
	}
	if err := os.MkdirAll(s.home(), 0o700); err != nil {
		return err
	}
	if s.lock, err = lockFile(filepath.Join(s.home(), "lock")); err != nil {
		return err
	}
	raw, err := os.ReadFile(s.pidFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil || !s.isOurServer(pid) {
		return nil // gone, and its number perhaps given to a stranger
	}
	s.cfg.Progress("stopping the Temporal server of an earlier run")
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stop the earlier server, process %d: %w", pid, err)
	}
	return waitUntil(ctx, 20*time.Millisecond, func() bool { return !s.isOurServer(pid) })
}

// isOurServer reports whether the live process pid is a server started on our
// database file.
func (s *Temporal) isOurServer(pid int) bool {
	args := commandLine(pid)
	return len(args) > 0 && filepath.Base(args[0]) == "temporal" && slices.Contains(args, s.database())
}

func (s *Temporal) home() string     { return filepath.Join(s.cfg.DataDir, "temporal") }
func (s *Temporal) database() string { return filepath.Join(s.home(), "temporal.db") }
func (s *Temporal) pidFile() string  { return filepath.Join(s.home(), "pid") }

// launch starts the server once and waits until its namespace answers.
func (s *Temporal) launch(ctx context.Context, port, uiPort int) (err error) {
	if s.port, err = freePort(port); err != nil {
		return err
	}
	if s.uiPort, err = freePort(uiPort); err != nil {
		return err
	}
	logFile, err := openLog(s.Log())
	if err != nil {
		return err
	}
	cmd := command(s.cli, s.arguments()...)
	// The CLI reads settings below HOME, which are meant for talking to servers
	// elsewhere. The root directory has none, and everybody may look.
	cmd.Env = append(cmd.Env, "HOME=/")
	// SIGKILL when orphaned: it is certain, and the database file survives it.
	if s.proc, err = startChild(cmd, logFile, syscall.SIGKILL); err != nil {
		return err
	}
	if err := s.await(ctx); err != nil {
		return errors.Join(err, s.proc.stop(syscall.SIGKILL, stopPatience))
	}
	if s.cfg.DataDir == "" {
		return nil
	}
	return os.WriteFile(s.pidFile(), []byte(strconv.Itoa(s.proc.pid())), 0o600)
}

func (s *Temporal) arguments() []string {
	args := []string{
		"server", "start-dev",
		"--ip", loopback, "--port", strconv.Itoa(s.port),
		"--namespace", s.cfg.Namespace,
		"--log-level", "warn", "--log-format", "json",
		// The production stores hold 255 characters; fail here as well.
		"--dynamic-config-value", "limit.maxIDLength=255",
	}
	if s.cfg.Headless {
		args = append(args, "--headless")
	} else {
		args = append(args, "--ui-ip", loopback, "--ui-port", strconv.Itoa(s.uiPort))
	}
	if s.cfg.DataDir != "" {
		args = append(args, "--db-filename", s.database())
	}
	for _, name := range slices.Sorted(maps.Keys(s.cfg.SearchAttributes)) {
		args = append(args, "--search-attribute", name+"="+s.cfg.SearchAttributes[name])
	}
	return args
}

// await returns once the namespace exists and keeps what it should.
func (s *Temporal) await(ctx context.Context) error {
	var last error
	err := waitUntil(ctx, 50*time.Millisecond, func() bool {
		last = s.ensureRetention(ctx)
		return last == nil || s.proc.exited()
	})
	if s.proc.exited() {
		return fmt.Errorf("the server ended at once: %s", s.proc.logTail())
	}
	if err != nil {
		return fmt.Errorf("the server does not answer on port %d: %w", s.port, errors.Join(err, last))
	}
	return nil
}

// ensureRetention sets the namespace's retention where it differs.
func (s *Temporal) ensureRetention(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	c, err := client.NewNamespaceClient(client.Options{
		HostPort: s.Address(),
		Logger:   log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	if err != nil {
		return err
	}
	defer c.Close()
	got, err := c.Describe(ctx, s.cfg.Namespace)
	if err != nil {
		return err
	}
	if got.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration() == s.cfg.Retention {
		return nil
	}
	return c.Update(ctx, &workflowservice.UpdateNamespaceRequest{
		Namespace: s.cfg.Namespace,
		Config:    &namespace.NamespaceConfig{WorkflowExecutionRetentionTtl: durationpb.New(s.cfg.Retention)},
	})
}

// Address returns host and port of the gRPC frontend.
func (s *Temporal) Address() string { return fmt.Sprintf("%s:%d", loopback, s.port) }

// Namespace returns the namespace that was asked for.
func (s *Temporal) Namespace() string { return s.cfg.Namespace }

// UIURL returns the address of the web UI, empty if there is none.
func (s *Temporal) UIURL() string {
	if s.cfg.Headless {
		return ""
	}
	return fmt.Sprintf("http://%s:%d", loopback, s.uiPort)
}

// Log returns the path of the server's log, empty if it runs in memory.
func (s *Temporal) Log() string {
	if s.cfg.DataDir == "" {
		return ""
	}
	return filepath.Join(s.home(), "log")
}

// PID returns the server's process id.
func (s *Temporal) PID() int { return s.proc.pid() }

// Done is closed when the server has ended, for whatever reason.
func (s *Temporal) Done() <-chan struct{} { return s.proc.done }

// Stop ends the server and waits until it is gone, at most 30 seconds or until
// ctx ends; then it is killed, which its database survives.
func (s *Temporal) Stop(ctx context.Context) error {
	patience := stopPatience
	if deadline, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(deadline))
	}
	err := s.proc.stop(syscall.SIGTERM, patience)
	if s.cfg.DataDir != "" {
		_ = os.Remove(s.pidFile())
	}
	return errors.Join(err, s.unlock())
}

func (s *Temporal) unlock() error {
	if s.lock == nil {
		return nil
	}
	err := s.lock.Close()
	s.lock = nil // so that stopping twice is harmless
	return err
}
