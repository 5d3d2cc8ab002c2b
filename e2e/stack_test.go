package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
	"sendoff/internal/apiclient"
	"sendoff/internal/app"
	"sendoff/internal/cli"
	"sendoff/internal/config"
	"sendoff/internal/local/localtest"
)

// patience bounds every wait of a test; nothing waits that long unless it fails.
// It is longer than what the engine takes to find a task again whose answer was
// lost, which happens on a starved machine: half a minute to a minute each time.
const patience = 3 * time.Minute

// settings are what tests vary. The zero value is a company at 600 times the
// real speed, and an engine as fast.
type settings struct {
	simScale    float64 // how fast the vendor is
	engineScale int64   // how fast our clocks are
	switches    boxsim.Switches
	logLevel    string
	bare        bool     // make no connection
	schedules   bool     // let runs begin by themselves
	file        string   // a settings file, for where notices go
	env         []string // more of the environment of processes
}

// fast divides an hour of the vendor and of the engine to six seconds.
const fast = 600

// stack is a whole installation of a test's own: a simulated vendor, a database,
// a Temporal namespace, server and worker.
type stack struct {
	t         *testing.T
	set       settings
	dir       string // data directory
	sim       *boxsim.Sim
	vendor    boxsim.Banner
	database  string // owner's URL
	namespace string

	stop func() // ends server and worker

	server *process // with startServer
	api    string   // host:port of its API
}

// start starts a stack and connects the vendor as "box", acting as its admin.
func start(t *testing.T, set settings) *stack {
	t.Helper()
	if set.simScale == 0 {
		set.simScale = fast
	}
	if set.engineScale == 0 {
		set.engineScale = fast
	}
	if set.logLevel == "" {
		set.logLevel = "info"
	}
	s := &stack{t: t, set: set, dir: t.TempDir()}
	s.sim, s.vendor = startSim(t, boxsim.Config{Seed: 1, Scale: set.simScale, Switches: set.switches})
	s.database = newDatabase(t)
	s.namespace = newNamespace(t)
	s.up()
	if !set.bare {
		s.connect("box", s.vendor)
	}
	return s
}

func startSim(t *testing.T, cfg boxsim.Config) (*boxsim.Sim, boxsim.Banner) {
	t.Helper()
	sim, err := boxsim.New(cfg)
	require.NoError(t, err)
	server, banner, err := sim.Start("127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	return sim, banner
}

// newDatabase returns the owner's URL of a migrated database of the test's own.
func newDatabase(t *testing.T) string {
	t.Helper()
	p, err := shared.postgres()
	require.NoError(t, err)
	name := localtest.Name("e2e")
	url, err := p.CloneDatabase(t.Context(), name, templateDatabase)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.DropDatabase(context.Background(), name)) })
	return url
}

// up starts server and worker in this process.
func (s *stack) up() {
	s.t.Helper()
	log, err := app.NewLogger(s.set.logLevel, filepath.Join(s.dir, app.LogFileName))
	require.NoError(s.t, err)
	told, err := config.Load(config.Sources{File: s.set.file, Env: func(string) (string, bool) { return "", false }})
	require.NoError(s.t, err)
	l, err := app.StartLocal(s.t.Context(), app.UpConfig{
		Config: config.Config{
			DatabaseURL: s.database, DataDir: s.dir, TimeScale: s.set.engineScale, RatePerMinute: 600_000, Notify: told.Notify, PublicURL: told.PublicURL, NoSchedules: !s.set.schedules,
		},
		Env: s.temporalEnv(), Log: log, Version: "e2e", Fresh: true, Progress: func(string) {},
	})
	require.NoError(s.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	stopped := false
	s.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		err := <-ended
		l.Close()
		require.NoError(s.t, err)
	}
	s.t.Cleanup(s.stop)
}

func (s *stack) temporalEnv() []string {
	return []string{"TEMPORAL_ADDRESS=" + temporalAddress(s.t), "TEMPORAL_NAMESPACE=" + s.namespace}
}

// ran is what became of one command.
type ran struct {
	code     int
	out, err string
}

// run types a command.
func (s *stack) run(args ...string) ran { return s.runAs("", args...) }

// runAs types a command with another API token than the admin's.
func (s *stack) runAs(token string, args ...string) ran {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*patience)
	defer cancel()
	var env []string
	if token != "" {
		env = []string{"SENDOFF_TOKEN=" + token}
	}
	var out, errout bytes.Buffer
	code := cli.Run(ctx, append(args, "--data", s.dir), strings.NewReader(""), &out, &errout, env)
	return ran{code, out.String(), errout.String()}
}

// must runs a command that has to work.
func (s *stack) must(args ...string) ran {
	s.t.Helper()
	r := s.run(args...)
	require.Zero(s.t, r.code, "sendoff %s\n%s%s", strings.Join(args, " "), r.out, r.err)
	return r
}

// ask runs a command that has to end with the code, and decodes its answer.
func ask[T any](s *stack, code int, args ...string) (v T) {
	s.t.Helper()
	r := s.run(append(args, "--output", "json")...)
	require.Equal(s.t, code, r.code, "sendoff %s\n%s%s", strings.Join(args, " "), r.out, r.err)
	require.NoError(s.t, json.Unmarshal([]byte(r.out), &v), r.out)
	return v
}

// offboard starts a case and waits for it to end with the code.
func (s *stack) offboard(code int, args ...string) apiclient.Case {
	s.t.Helper()
	return ask[apiclient.Case](s, code, append([]string{"offboard", "--wait"}, args...)...)
}

// begin starts a case and returns at once.
func (s *stack) begin(args ...string) apiclient.Case {
	s.t.Helper()
	return ask[apiclient.Case](s, cli.ExitDone, append([]string{"offboard"}, args...)...)
}

func (s *stack) show(id string) apiclient.Case {
	s.t.Helper()
	return ask[apiclient.Case](s, cli.ExitDone, "cases", "show", id)
}

// connect connects a simulator under a name, acting as its admin.
func (s *stack) connect(name string, vendor boxsim.Banner, more ...string) {
	s.t.Helper()
	s.must(s.connectArgs(name, vendor, more...)...)
}

func (s *stack) connectArgs(name string, vendor boxsim.Banner, more ...string) []string {
	s.t.Helper()
	secret := s.file("client-secret", vendor.ClientSecret+"\n")
	return append([]string{
		"connect", "box", "--name", name, "--base-url", vendor.BaseURL, "--token-url", vendor.TokenURL,
		"--client-id", vendor.ClientID, "--client-secret-file", secret, "--enterprise-id", vendor.EnterpriseID, "--as", vendor.AdminID,
	}, more...)
}

// file writes a file into a directory of its own.
func (s *stack) file(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), name)
	require.NoError(s.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}
