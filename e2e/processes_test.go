package e2e_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
	"sendoff/e2e/harness"
	"sendoff/internal/app"
	"sendoff/internal/local/localtest"
	"sendoff/internal/secret"
)

// process is the built program, running.
type process struct {
	*harness.Child
	t    *testing.T
	said string // file with what it wrote
}

// spawn starts the program; it is killed when the test ends.
func (s *stack) spawn(args ...string) *process {
	s.t.Helper()
	program, err := shared.program()
	require.NoError(s.t, err)
	said, err := os.CreateTemp(s.dir, args[0]+"-*.stderr")
	require.NoError(s.t, err)
	cmd := exec.Command(program, args...)
	cmd.Env = s.processEnv()
	started, err := harness.StartChild(cmd, said)
	require.NoError(s.t, err)
	require.NoError(s.t, said.Close()) // the child has its own
	s.t.Cleanup(started.Kill)
	return &process{Child: started, t: s.t, said: said.Name()}
}

func (p *process) output() string {
	p.t.Helper()
	text, err := os.ReadFile(p.said)
	require.NoError(p.t, err)
	return string(text)
}

// awaitText waits until the process has written what the pattern matches, and
// returns its first group.
func (p *process) awaitText(pattern string) (found string) {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	localtest.Wait(p.t, patience, "the process says "+pattern, func() bool {
		m := re.FindStringSubmatch(p.output())
		if m != nil {
			found = m[len(m)-1]
		}
		return m != nil
	})
	return found
}

func (s *stack) processEnv() []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"),
		"SENDOFF_SCHEDULES=off", "SENDOFF_TIME_SCALE=" + strconv.FormatInt(s.set.engineScale, 10), "SENDOFF_RATE_PER_MINUTE=600000", "SENDOFF_LOG_LEVEL=" + s.set.logLevel,
		"SENDOFF_HEALTH_LISTEN=127.0.0.1:0", // many run side by side
	}
	env = append(env, s.set.env...)
	if s.database == "" {
		return env // sendoff up brings its own
	}
	return append(append(env, s.temporalEnv()...), "SENDOFF_DATABASE_URL="+s.database,
		"SENDOFF_KEY_FILE="+filepath.Join(s.dir, app.KeyFileName))
}

// startServer is start with a server process; the workers are the test's to spawn.
func startServer(t *testing.T, set settings) *stack {
	t.Helper()
	s := &stack{t: t, set: set, dir: t.TempDir()}
	s.sim, s.vendor = startSim(t, boxsim.Config{Seed: 1, Scale: set.simScale})
	s.database, s.namespace = newDatabase(t), newNamespace(t)
	_, err := secret.LoadOrCreateKeyring(filepath.Join(s.dir, app.KeyFileName))
	require.NoError(t, err)
	migrate := s.spawn("migrate", "--admin-token-file", filepath.Join(s.dir, app.TokenFileName))
	require.NoError(t, migrate.Wait(), "%s", migrate.output())
	s.serve()
	s.connect("box", s.vendor)
	return s
}

// serve starts the server, and tells the commands where it is.
func (s *stack) serve() {
	s.t.Helper()
	s.server = s.spawn("server", "--listen", "127.0.0.1:0")
	s.api = s.server.awaitText(`"server is up".*"listen":"([^"]+)"`)
	s.address("http://" + s.api)
}

// address tells the commands where the server is.
func (s *stack) address(url string) {
	s.t.Helper()
	text, err := json.Marshal(app.Address{URL: url})
	require.NoError(s.t, err)
	require.NoError(s.t, os.WriteFile(filepath.Join(s.dir, app.ServerFileName), text, 0o600))
}
