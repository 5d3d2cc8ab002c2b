package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"sendoff/internal/apiclient"
	"sendoff/internal/app"
	"sendoff/internal/config"
	"sendoff/internal/demo"
	"sendoff/schema"
)

// serveCommands are the commands that run sendoff itself.
type serveCommands struct {
	Up      upCommand      `cmd:"" help:"Run the whole stack on this machine: database, Temporal, server and worker."`
	Server  serverCommand  `cmd:"" help:"Run the API server of an installation."`
	Worker  workerCommand  `cmd:"" help:"Run a worker of an installation."`
	Recover recoverCommand `cmd:"" help:"Make a restored database safe to work with. Needs no server."`
	Migrate migrateCommand `cmd:"" help:"Bring the database up to this program."`
	Doctor  doctorCommand  `cmd:"" help:"Look at everything sendoff stands on, and say what is wrong and what to do."`
	Health  healthCommand  `cmd:"" help:"Ask a server or worker whether it is well; for containers."`
	Demo    demoCommand    `cmd:"" help:"Offboard leavers of a simulated company, live."`
}

// settingFlags are the settings that every part of sendoff has. Each may stand
// in the environment as SENDOFF_<NAME> or in the file instead.
type settingFlags struct {
	Config        string `placeholder:"FILE" help:"YAML file of settings."`
	DatabaseURL   string `name:"database-url" hidden:"" help:"Refused: a password does not belong in the process list."`
	KeyFile       string `placeholder:"FILE" help:"File with the root key."`
	TimeScale     string `placeholder:"N" help:"Divide the engine's waits; for simulators alone."`
	RatePerMinute string `placeholder:"N" help:"Calls per minute and acting user."`
	Schedules     string `placeholder:"on|off" help:"Whether this server starts syncs, reads of events and probes by their schedules; on unless said."`
	LogLevel      string `placeholder:"LEVEL" help:"debug, info, warn or error."`
	LogFormat     string `placeholder:"FORMAT" help:"json or console."`
}

func (f settingFlags) load(in *invocation, more map[string]string) (config.Config, error) {
	if f.DatabaseURL != "" {
		return config.Config{}, usage("a database URL holds a password and must not be a flag", "set SENDOFF_DATABASE_URL")
	}
	cfg, err := config.Load(f.sources(in, more))
	cfg.Version = Version()
	return cfg, ownError(err)
}

// sources are flags, environment and file.
func (f settingFlags) sources(in *invocation, more map[string]string) config.Sources {
	flags := map[string]string{
		config.KeyFile: f.KeyFile, config.TimeScale: f.TimeScale,
		config.RatePerMinute: f.RatePerMinute, config.Schedules: f.Schedules, config.LogLevel: f.LogLevel, config.LogFormat: f.LogFormat,
	}
	for k, v := range more {
		flags[k] = v
	}
	return config.Sources{File: f.Config, Env: in.lookup, Flags: flags}
}

// lookup is getenv in the form of os.LookupEnv.
func (in *invocation) lookup(name string) (string, bool) {
	v := in.getenv(name)
	return v, v != ""
}

// ownError gives an error of this process the form that a server's errors have.
func ownError(err error) error {
	var e *schema.Error
	if !errors.As(err, &e) {
		return err
	}
	out := &apiclient.Error{Code: string(e.Code), Message: e.Message, Fix: e.Fix}
	for _, p := range e.Problems {
		out.Problems = append(out.Problems, apiclient.Problem{Where: p.Where, Code: p.Code, Message: p.Message, Fix: p.Fix})
	}
	return out
}

type upCommand struct {
	settingFlags
	Listen    string `placeholder:"HOST:PORT" help:"Where the API listens (default 127.0.0.1:8080)."`
	PublicURL string `placeholder:"URL" help:"Where browsers reach the API; for consents that end at its callback."`
}

// Run runs the stack until the invocation ends.
func (c *upCommand) Run(in *invocation) error {
	cfg, err := c.load(in, map[string]string{config.Listen: c.Listen, config.PublicURL: c.PublicURL, config.Data: in.data})
	if err != nil {
		return err
	}
	// Passable, so that Postgres as its own user reaches its cluster; each file in
	// it is readable by its owner alone.
	if err := os.MkdirAll(cfg.DataDir, 0o711); err != nil {
		return usage("the data directory "+cfg.DataDir+" cannot be made", "choose another with --data")
	}
	log, err := app.NewLoggerAs(cfg.LogFormat, cfg.LogLevel, filepath.Join(cfg.DataDir, app.LogFileName))
	if err != nil {
		return err
	}
	defer func() { _ = log.Sync() }() // the file is closed with us
	stack, err := app.StartLocal(in.ctx, app.UpConfig{
		Config: cfg, Env: in.env, Log: log, Version: Version(),
		Progress: func(line string) { in.note("%s", line) },
	})
	if err != nil {
		return ownError(err)
	}
	defer stack.Close()
	c.announce(in, cfg, stack)
	return ownError(stack.Run(in.ctx))
}

func (c *upCommand) announce(in *invocation, cfg config.Config, stack *app.Local) {
	if in.json {
		in.writeJSON(stack.Address)
	} else {
		in.print("API          %s", stack.Address.URL)
		if stack.Address.TemporalUI != "" {
			in.print("Temporal UI  %s", stack.Address.TemporalUI)
		}
		in.print("admin token  %s", filepath.Join(cfg.DataDir, app.TokenFileName))
		in.print("log          %s", filepath.Join(cfg.DataDir, app.LogFileName))
	}
	in.note("sendoff is up. Ctrl-C ends it; start it again and every case goes on.")
}

type serverCommand struct {
	settingFlags
	PublicURL    string `placeholder:"URL" help:"Where browsers reach the API; for consents that end at its callback."`
	Listen       string `placeholder:"HOST:PORT" help:"Where the API listens (default 127.0.0.1:8080)."`
	HealthListen string `placeholder:"HOST:PORT" help:"Where /healthz, /readyz and /metrics listen (default 127.0.0.1:8082), or off."`
}

// Run serves until the invocation ends.
func (c *serverCommand) Run(in *invocation) error {
	return c.process(in, map[string]string{config.Listen: c.Listen, config.PublicURL: c.PublicURL, config.HealthListen: c.HealthListen}, func(ctx context.Context, cfg config.Config, log *zap.Logger) error {
		return app.Server(ctx, cfg, log, Version())
	})
}

type workerCommand struct {
	settingFlags
	HealthListen string `placeholder:"HOST:PORT" help:"Where /healthz, /readyz and /metrics listen (default 127.0.0.1:8081), or off."`
}

// Run works until the invocation ends.
func (c *workerCommand) Run(in *invocation) error {
	return c.process(in, map[string]string{config.HealthListen: c.HealthListen}, app.Worker)
}

// process runs a part of an installation, which logs to stderr.
func (f settingFlags) process(in *invocation, more map[string]string, run func(context.Context, config.Config, *zap.Logger) error) error {
	cfg, err := f.load(in, more)
	if err != nil {
		return err
	}
	log, err := app.NewLoggerAs(cfg.LogFormat, cfg.LogLevel, "stderr")
	if err != nil {
		return err
	}
	defer func() { _ = log.Sync() }() // stderr may not be syncable
	return ownError(run(in.ctx, cfg, log))
}

type migrateCommand struct {
	settingFlags
	AdminTokenFile string `placeholder:"FILE" help:"Make the first admin token in this file, if there is no token yet."`
}

// Run migrates and ends.
func (c *migrateCommand) Run(in *invocation) error {
	cfg, err := c.load(in, nil)
	if err != nil {
		return err
	}
	return ownError(app.Migrate(in.ctx, cfg, c.AdminTokenFile, func(line string) { in.note("%s", line) }))
}

type healthCommand struct {
	URL string `default:"http://127.0.0.1:8080/readyz" help:"The page to ask: /healthz (it lives) or /readyz (it can work)."`
}

// Run asks once.
func (c *healthCommand) Run(in *invocation) error {
	ctx, cancel := context.WithTimeout(in.ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL, nil)
	if err != nil {
		return usage("the URL cannot be used", "give one such as http://127.0.0.1:8080/readyz")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return &apiclient.Error{Code: apiclient.CodeUnreachable, Message: "nothing answers at " + c.URL, Fix: "see the log of the process"}
	}
	defer func() { _ = res.Body.Close() }() // read to the end or not: we end
	if res.StatusCode != http.StatusOK {
		return unwell(c.URL, res)
	}
	return nil
}

// maxProblem bounds what is read of a page's answer, in bytes.
const maxProblem = 64 << 10

// unwell says what the page says is missing.
func unwell(url string, res *http.Response) error {
	e := &apiclient.Error{Code: apiclient.CodeUnreachable, Message: fmt.Sprintf("%s answers %d", url, res.StatusCode), Fix: "see the log of the process"}
	var said struct {
		Problems []apiclient.Problem `json:"problems"`
	}
	if json.NewDecoder(io.LimitReader(res.Body, maxProblem)).Decode(&said) == nil {
		e.Problems = said.Problems
	}
	return e
}

type demoCommand struct{}

// Run runs the demo; it fails when an expectation did not hold.
func (c *demoCommand) Run(in *invocation) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	ok, err := demo.Run(in.ctx, demo.Config{Program: program, Out: in.stdout, Env: in.env, Leave: in.getenv("DEMO_EXIT") == "1"})
	if err == nil && !ok {
		return exitStatus(ExitInternal)
	}
	return err
}
