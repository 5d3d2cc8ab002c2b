package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/converter"
	"go.uber.org/zap"

	"sendoff/connectors/box/boxsim"
	"sendoff/e2e/harness"
	"sendoff/internal/apiclient"
	"sendoff/internal/secret"
	"sendoff/internal/temporalx"
)

// unhurried is a rate at which nobody ever waits for a token.
const unhurried = 600_000

// patience bounds every wait but that for the leavers.
const patience = 2 * time.Minute

// place says how an installation is set up.
type place struct {
	name  string
	scale int64 // of the engine's clocks and of the vendor's jobs
	limit int   // the vendor's; 0 = none
}

// installation is a simulated vendor, a database, a Temporal namespace, and a
// server and a worker as processes of their own.
type installation struct {
	b              *bench
	place          place
	sim            *boxsim.Sim
	vendor         boxsim.Banner
	api            *apiclient.Client
	base           string       // of the API
	http           *http.Client // keeps a connection for each client of HR's events
	database       string       // owner's URL
	sql            *pgx.Conn
	server, worker *process
	env            []string
	keys           *secret.Keyring
	ends           []func() error
}

// install starts an installation without a connection.
func (b *bench) install(ctx context.Context, p place) (in *installation, err error) {
	in = &installation{b: b, place: p}
	defer func() {
		if err != nil {
			err = errors.Join(err, in.close())
		}
	}()
	dir := filepath.Join(b.dir, p.name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return in, err
	}
	if in.database, err = b.newDatabase(ctx, p.name); err != nil {
		return in, err
	}
	if in.sql, err = pgx.Connect(ctx, in.database); err != nil {
		return in, err
	}
	in.ends = append(in.ends, func() error { return in.sql.Close(context.Background()) })
	keyFile := filepath.Join(dir, "root.key")
	if in.keys, err = secret.LoadOrCreateKeyring(keyFile); err != nil {
		return in, err
	}
	if err := temporalx.EnsureNamespace(ctx, in.temporal(), 24*time.Hour); err != nil {
		return in, err
	}
	rate := unhurried
	if p.limit > 0 {
		rate = b.set.ownLimit()
	}
	in.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "SENDOFF_DATABASE_URL=" + in.database, "SENDOFF_KEY_FILE=" + keyFile,
		"TEMPORAL_ADDRESS=" + b.temporal.Address, "TEMPORAL_NAMESPACE=" + in.namespace(), "SENDOFF_HEALTH_LISTEN=127.0.0.1:0",
		"SENDOFF_SCHEDULES=off", "SENDOFF_TIME_SCALE=" + strconv.FormatInt(p.scale, 10), "SENDOFF_RATE_PER_MINUTE=" + strconv.Itoa(rate),
	}
	return in, in.up(ctx, dir)
}

func (in *installation) namespace() string { return "bench-" + in.place.name }

// temporal is how to reach the installation's namespace with its own keys.
func (in *installation) temporal() temporalx.Options {
	return temporalx.Options{
		LocalAddress: in.b.temporal.Address, Namespace: in.namespace(), Logger: zap.NewNop(), Identity: "bench",
		Converters: func(namespace string) (converter.DataConverter, converter.FailureConverter) {
			return secret.Converters(in.keys, namespace)
		},
	}
}

// up migrates and starts server and worker.
func (in *installation) up(ctx context.Context, dir string) error {
	tokenFile := filepath.Join(dir, "admin-token")
	migrate, err := in.spawn("migrate", "--admin-token-file", tokenFile)
	if err != nil {
		return err
	}
	if err := migrate.Wait(); err != nil {
		return migrate.explain(err)
	}
	if in.server, err = in.spawn("server", "--listen", "127.0.0.1:0"); err != nil {
		return err
	}
	listen, err := in.server.awaitText(ctx, `"server is up".*"listen":"([^"]+)"`)
	if err != nil {
		return err
	}
	if in.worker, err = in.spawn("worker"); err != nil {
		return err
	}
	if _, err := in.worker.awaitText(ctx, `"(worker is up)"`); err != nil {
		return err
	}
	token, err := os.ReadFile(tokenFile)
	if err != nil {
		return err
	}
	in.base, in.http = "http://"+listen, &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: in.b.set.clients}}
	in.api, err = apiclient.New(in.base, strings.TrimSpace(string(token)))
	return err
}

// connect starts a simulated vendor and connects it.
func (in *installation) connect(ctx context.Context) error {
	return in.connectTo(ctx, boxsim.Config{Seed: 1, Scale: float64(in.place.scale), Rate: in.place.limit})
}

func (in *installation) connectTo(ctx context.Context, cfg boxsim.Config) error {
	sim, err := boxsim.New(cfg)
	if err != nil {
		return err
	}
	server, vendor, err := sim.Start("127.0.0.1:0")
	if err != nil {
		return err
	}
	in.sim, in.vendor, in.ends = sim, vendor, append(in.ends, server.Close)
	_, err = in.api.Connect(ctx, apiclient.NewConnection{
		Name: "box", Vendor: "box", BaseURL: vendor.BaseURL, TokenURL: vendor.TokenURL, ClientID: vendor.ClientID,
		EnterpriseID: vendor.EnterpriseID, AsUser: vendor.AdminID, Secret: apiclient.Secret{ClientSecret: vendor.ClientSecret},
	})
	return err
}

// close ends what was started, the last first.
func (in *installation) close() error {
	var err error
	for i := len(in.ends) - 1; i >= 0; i-- {
		err = errors.Join(err, in.ends[i]())
	}
	return err
}

// process is the built program, running.
type process struct {
	*harness.Child
	cmd  *exec.Cmd
	name string
	said string // file with what it wrote
}

// spawn starts the program.
func (in *installation) spawn(args ...string) (*process, error) {
	said, err := os.CreateTemp(in.b.dir, args[0]+"-*.stderr")
	if err != nil {
		return nil, err
	}
	defer said.Close()
	cmd := exec.Command(in.b.program, args...)
	cmd.Env = in.env
	child, err := harness.StartChild(cmd, said)
	if err != nil {
		return nil, err
	}
	in.ends = append(in.ends, func() error { child.Kill(); return nil })
	return &process{Child: child, cmd: cmd, name: args[0], said: said.Name()}, nil
}

func (p *process) explain(err error) error {
	text, _ := os.ReadFile(p.said)
	return fmt.Errorf("sendoff %s: %w: %s", p.name, err, text)
}

// awaitText waits until the process has written what the pattern matches, and
// returns its first group.
func (p *process) awaitText(ctx context.Context, pattern string) (found string, err error) {
	re := regexp.MustCompile(pattern)
	err = await(ctx, patience, 20*time.Millisecond, p.name+" says "+pattern, func() (bool, error) {
		select {
		case <-p.Done():
			return false, p.explain(errors.New("it ended"))
		default:
		}
		text, err := os.ReadFile(p.said)
		if m := re.FindSubmatch(text); m != nil {
			found = string(m[1])
		}
		return found != "", err
	})
	return found, err
}

// memory reads a field of the kernel's account of the process (proc(5)), in MiB:
// VmRSS is what is in memory now, VmHWM the most that ever was.
func (p *process) memory(field string) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("memory is read from /proc, which only Linux has: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			kib, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			return kib / 1024, err
		}
	}
	return 0, fmt.Errorf("/proc tells no %s", field)
}
