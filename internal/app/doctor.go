package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"sendoff/internal/config"
	"sendoff/internal/secret"
	"sendoff/internal/temporalx"
	"sendoff/schema"
)

// Verdict is what a check came to.
type Verdict string

// The verdicts.
const (
	VerdictOK   Verdict = "ok"
	VerdictWarn Verdict = "warn" // works and should not stay so, or could not be asked
	VerdictFail Verdict = "fail"
)

// Finding is what one check of Doctor measured.
type Finding struct {
	Check   string  `json:"check"`
	Verdict Verdict `json:"verdict"`
	Fact    string  `json:"fact"` // what was measured
	Fix     string  `json:"fix,omitempty"`
}

// DoctorConfig is what Doctor looks at.
type DoctorConfig struct {
	Config config.Config
	// Loading is what was wrong with the configuration, nil if nothing.
	Loading error
	Env     []string // as os.Environ
}

// doctorPatience bounds each part of a look.
const doctorPatience = 20 * time.Second

// Doctor looks at the parts that servers and workers stand on: configuration,
// database, key, Temporal, audit log and disk. It changes nothing, and a part
// that is missing is a finding.
func Doctor(ctx context.Context, cfg DoctorConfig) []Finding {
	d := &doctor{cfg: cfg.Config, env: cfg.Env}
	d.configuration(cfg.Loading)
	d.local()
	d.key()
	d.database(ctx)
	d.temporal(ctx)
	d.disk()
	return d.found
}

type doctor struct {
	cfg     config.Config
	env     []string
	address temporalx.Options // of a local Temporal
	keys    *secret.Keyring   // nil = none could be read
	found   []Finding
}

func (d *doctor) say(check string, v Verdict, fix, fact string, args ...any) {
	if v == VerdictOK {
		fix = ""
	}
	d.found = append(d.found, Finding{Check: check, Verdict: v, Fact: fmt.Sprintf(fact, args...), Fix: fix})
}

// fails says what an error of ours says, and of others only that it failed.
func (d *doctor) fails(check string, err error, fix string) {
	p := problemWith(check, err, fix)
	d.say(check, VerdictFail, p.Fix, "%s", p.Message)
}

func (d *doctor) configuration(loading error) {
	const check = "configuration"
	var e *schema.Error
	switch {
	case loading == nil:
		d.say(check, VerdictOK, "", "every setting can be used")
	case errors.As(loading, &e) && len(e.Problems) > 0:
		for _, p := range e.Problems {
			d.say(check, VerdictFail, p.Fix, "%s %s", p.Where, p.Message)
		}
	default:
		d.fails(check, loading, "see docs/operations.md")
	}
	if d.cfg.TimeScale > 1 {
		d.say(check, VerdictWarn, "unset SENDOFF_TIME_SCALE unless this works with a simulator", "time runs %d times as fast", d.cfg.TimeScale)
	}
}

// local takes from a running local stack what the environment does not name.
func (d *doctor) local() {
	stack, err := readStack(d.cfg.DataDir)
	if err != nil {
		return
	}
	if d.cfg.DatabaseURL == "" {
		d.cfg.DatabaseURL = stack.DatabaseURL
	}
	if d.cfg.KeyFile == "" {
		d.cfg.KeyFile = stack.KeyFile
	}
	if _, ok := environment(d.env).LookupEnv("TEMPORAL_ADDRESS"); !ok {
		d.address = temporalx.Options{LocalAddress: stack.TemporalAddress, Namespace: stack.Namespace}
	}
}

func (d *doctor) key() {
	const check = "key"
	if d.cfg.KeyFile == "" {
		d.say(check, VerdictWarn, "set SENDOFF_KEY_FILE as the server has it", "no key file is named here")
		return
	}
	keys, err := secret.LoadKeyring(d.cfg.KeyFile)
	if err != nil { // its text names the file and the fix, never the key
		d.say(check, VerdictFail, "put the right key there, readable by its owner alone", "%s", err)
		return
	}
	d.keys = keys
}

// The server versions that sendoff was tested with; older ones may lack what
// updates need, and nothing newer is required.
const temporalFrom = "1.29"

// leastRetention is how long closed workflows must be kept: the default grace
// period, so that a restarted case still finds its history.
const leastRetention = 30 * 24 * time.Hour

func (d *doctor) temporal(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, doctorPatience)
	defer cancel()
	o := d.address
	if o.LocalAddress == "" {
		if _, ok := environment(d.env).LookupEnv("TEMPORAL_ADDRESS"); !ok && d.cfg.DatabaseURL == "" {
			d.say("temporal", VerdictWarn, "set TEMPORAL_ADDRESS as the server has it", "no Temporal server is named here")
			return
		}
		o.Environment = environment(d.env)
	}
	o.Logger, o.Identity, o.AllowPlaintext = zap.NewNop(), "doctor", d.cfg.TemporalPlaintext
	keys := d.keys
	if keys == nil { // it seals nothing: the server is only asked about itself
		var err error
		if keys, err = secret.NewKeyring(secret.GenerateKey()); err != nil {
			d.fails("temporal", err, "try again")
			return
		}
	}
	o.Converters = converters(keys)
	s, err := temporalx.Inspect(ctx, o, queues()...)
	if err != nil {
		fact := "does not answer"
		if errors.Is(err, temporalx.ErrPlaintext) {
			fact = "would be reached without TLS"
		}
		d.say("temporal", VerdictFail, "check TEMPORAL_ADDRESS and TEMPORAL_TLS, and that the server runs", "%s %s", s.Address, fact)
		return
	}
	d.judgeTemporal(s)
}

func (d *doctor) judgeTemporal(s temporalx.Server) {
	d.say("temporal", VerdictOK, "", "%s answers", s.Address)
	d.say("temporal-tls", verdict(s.Encrypted || s.Loopback), "use TEMPORAL_TLS=true unless the network between is private", "%s", transport(s.Encrypted, s.Loopback))
	v := VerdictOK
	if olderThan(s.Version, temporalFrom) {
		v = VerdictWarn
	}
	d.say("temporal-version", v, "upgrade the server to "+temporalFrom+" or newer", "version %s; nothing newer than %s is required", s.Version, temporalFrom)
	if !s.Known {
		d.say("namespace", VerdictFail, "create it: temporal operator namespace create --retention 30d "+s.Namespace, "there is no namespace %s, or it may not be seen", s.Namespace)
		return
	}
	v = VerdictOK
	if s.Retention < leastRetention {
		v = VerdictWarn
	}
	d.say("namespace", v, "temporal operator namespace update --retention 30d "+s.Namespace, "%s keeps closed workflows for %s", s.Namespace, days(s.Retention))
	for _, queue := range queues() {
		v := VerdictOK
		if s.Pollers[queue] == 0 {
			v = VerdictFail
		}
		d.say("task-queue", v, "start a worker: sendoff worker; its log says why it does not poll", "%s has %d pollers", queue, s.Pollers[queue])
	}
}

func verdict(good bool) Verdict {
	if good {
		return VerdictOK
	}
	return VerdictWarn
}

func transport(encrypted, loopback bool) string {
	switch {
	case encrypted:
		return "reached over TLS"
	case loopback:
		return "reached on loopback"
	default:
		return "reached in plain over a network that was declared private"
	}
}

func days(d time.Duration) string {
	if d >= 48*time.Hour {
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
	return d.String()
}

// olderThan compares versions such as 1.29.1 by their first two numbers.
func olderThan(version, than string) bool {
	var a, b, c, e int
	if n, _ := fmt.Sscanf(strings.TrimPrefix(version, "v"), "%d.%d", &a, &b); n < 2 {
		return false // a build without a number says nothing
	}
	_, _ = fmt.Sscanf(than, "%d.%d", &c, &e) // a constant of ours
	return a < c || a == c && b < e
}
