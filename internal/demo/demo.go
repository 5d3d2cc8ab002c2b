// Package demo shows sendoff at work: it runs the program's own commands, as a
// person would type them, against a simulated company, and judges the end by the
// simulator's books.
package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// Config is what Run needs.
type Config struct {
	Program string // the sendoff to run
	Out     io.Writer
	Env     []string
	Leave   bool // end at once instead of keeping the web pages up until ctx ends
}

// The demo's size and pace. Scale divides what would take hours; the vendor's
// and our clocks are divided alike.
const (
	users = 200
	scale = 120
	seed  = 7
	grace = "10m" // of real time; 5 s at this scale
)

// banner is what the simulator says of itself.
type banner struct {
	BaseURL      string `json:"base_url"`
	TokenURL     string `json:"token_url"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	EnterpriseID string `json:"enterprise_id"`
	AdminID      string `json:"admin_id"`
}

// address is what the stack says of itself.
type address struct {
	URL        string `json:"url"`
	TemporalUI string `json:"temporal_ui"`
}

type demo struct {
	Config
	dir     string
	sim     banner
	stack   address
	leavers []leaver
	failed  int
}

// Run runs the demo. It tells whether every expectation held; the error is for
// a demo that could not be run.
func Run(ctx context.Context, cfg Config) (bool, error) {
	// Children are told to end when the thread that started them does, so that
	// thread has to last as long as they.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	dir, err := os.MkdirTemp("", "sendoff-demo-")
	if err != nil {
		return false, err
	}
	// Passable, so that Postgres as its own user reaches its cluster in it.
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // files in it are 0600
		return false, err
	}
	d := &demo{Config: cfg, dir: dir}
	defer func() { _ = os.RemoveAll(dir) }() // left behind only if the system keeps it
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	began := time.Now()
	children, err := d.start(ctx)
	defer func() { stop(); children.wait() }()
	if err != nil {
		return false, err
	}
	if err := d.offboard(ctx); err != nil {
		return false, err
	}
	if err := d.judge(ctx); err != nil {
		return false, err
	}
	d.say("\nThe demo took %s. %s", time.Since(began).Round(time.Second), d.verdict())
	if !d.Leave {
		d.say("Temporal's web UI: %s   API: %s/openapi.json   Ctrl-C ends everything.", d.stack.TemporalUI, d.stack.URL)
		<-ctx.Done()
	}
	return d.failed == 0, nil
}

func (d *demo) say(format string, args ...any) { _, _ = fmt.Fprintf(d.Out, format+"\n", args...) }

func (d *demo) path(name string) string { return filepath.Join(d.dir, name) }

// start starts the simulated vendor and the stack.
func (d *demo) start(ctx context.Context) (*children, error) {
	c := &children{}
	d.say("A simulated Box enterprise of %d people, %d times as fast as the real one:", users, scale)
	out, err := d.child(ctx, c, nil, "sim", "box", "--users", fmt.Sprint(users), "--seed", fmt.Sprint(seed), "--scale", fmt.Sprint(scale))
	if err != nil {
		return c, err
	}
	if err := json.NewDecoder(out).Decode(&d.sim); err != nil {
		return c, fmt.Errorf("the simulator did not start: %w", err)
	}
	d.say("\nPostgres, Temporal, the server and a worker, all on this machine:")
	pace := []string{fmt.Sprintf("SENDOFF_TIME_SCALE=%d", scale)}
	out, err = d.child(ctx, c, pace, "up", "--data", d.dir, "--listen", "127.0.0.1:0", "--output", "json")
	if err != nil {
		return c, err
	}
	if err := json.NewDecoder(out).Decode(&d.stack); err != nil {
		return c, fmt.Errorf("the stack did not start: %w", err)
	}
	d.say("Temporal's web UI: %s", d.stack.TemporalUI)
	return c, nil
}

// offboard connects the vendor and sends the leavers off.
func (d *demo) offboard(ctx context.Context) error {
	if err := os.WriteFile(d.path("client-secret"), []byte(d.sim.ClientSecret+"\n"), 0o600); err != nil {
		return err
	}
	d.say("\nThe connection, acting as the company's admin:")
	code, err := d.run(ctx, "connect", "box", "--name", "box", "--base-url", d.sim.BaseURL, "--token-url", d.sim.TokenURL,
		"--client-id", d.sim.ClientID, "--client-secret-file", d.path("client-secret"),
		"--enterprise-id", d.sim.EnterpriseID, "--as", d.sim.AdminID)
	if err != nil {
		return err
	}
	d.expect(code == 0, "the vendor could be connected")
	if err := d.hire(ctx); err != nil {
		return err
	}
	d.say("\nThe leavers, and what Box will do to their transfers:")
	for _, l := range d.leavers {
		d.say("  %-34s %s", l.Login, l.story)
	}
	d.say("\nOne command:")
	code, err = d.run(ctx, "offboard", "--from", d.path("leavers.csv"), "--grace", grace, "--wait")
	d.expect(code == 0, "every case ended done")
	return err
}
