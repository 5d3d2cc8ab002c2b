// Package config turns flags, environment and one strict YAML file into the
// settings of a process, and reports every fault of them at once.
package config

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"sendoff/schema"
)

// Config is the settings of a server, a worker, or both.
type Config struct {
	// DatabaseURL is what server and worker connect with; empty = local Postgres.
	DatabaseURL string
	// DatabaseOwnerURL is what migrate connects with; empty = DatabaseURL.
	DatabaseOwnerURL string
	// KeyFile holds the root key, base64 of 32 bytes, readable by its owner alone.
	KeyFile string
	// Listen is host:port of the API; loopback unless a TLS proxy stands before it.
	Listen string
	// PublicURL is where browsers reach the server's API; empty = nowhere.
	PublicURL string
	// HealthListen is host:port of the pages for health and metrics; empty = the
	// process's default on loopback, "off" = none.
	HealthListen string
	// DataDir is where `up` keeps everything.
	DataDir string
	// TimeScale divides the engine's waits; above 1 only for simulators.
	TimeScale int64
	// RatePerMinute is how many calls a minute one acting user may make.
	RatePerMinute int
	// NoSchedules keeps this server from starting runs by their schedules: they
	// begin by command alone.
	NoSchedules bool
	// LogLevel is debug, info, warn or error.
	LogLevel string
	// LogFormat is json or console.
	LogFormat string
	// Traces tells that spans are to be sent where the environment's
	// OTEL_EXPORTER_OTLP_ENDPOINT, or ..._TRACES_ENDPOINT, points to.
	Traces bool
	// Version is the program's; whoever loads the settings sets it.
	Version string
	// TemporalPlaintext accepts a Temporal server without TLS on a private network.
	TemporalPlaintext bool
	// Notify is where notices can go; from the file and its secrets.
	Notify Notify
}

// The names of settings: as environment variables SENDOFF_<NAME> in upper case,
// in the file and as flags with dashes.
const (
	DatabaseURL       = "database_url"
	DatabaseOwnerURL  = "database_owner_url"
	KeyFile           = "key_file"
	Listen            = "listen"
	PublicURL         = "public_url"
	HealthListen      = "health_listen"
	Data              = "data"
	TimeScale         = "time_scale"
	RatePerMinute     = "rate_per_minute"
	Schedules         = "schedules"
	LogLevel          = "log_level"
	LogFormat         = "log_format"
	TemporalPlaintext = "temporal_plaintext"
)

var names = []string{DatabaseURL, DatabaseOwnerURL, KeyFile, Listen, PublicURL, HealthListen, Data, TimeScale, RatePerMinute, Schedules, LogLevel, LogFormat, TemporalPlaintext}

// Sources are where settings come from; a later one wins over an earlier one:
// defaults, File, Env, Flags.
type Sources struct {
	// File is the path of a YAML file; empty = none.
	File string
	// Env looks a variable up, as os.LookupEnv.
	Env func(string) (string, bool)
	// Flags are the settings given on the command line, by name.
	Flags map[string]string
}

// Load reads and checks the settings. The error is a schema.Error with a problem
// for each fault: where it stands, the rule, and the fix.
func Load(s Sources) (Config, error) {
	values := map[string]string{Listen: "127.0.0.1:8080", Data: ".sendoff", TimeScale: "1", RatePerMinute: "960", Schedules: "on", LogLevel: "info", LogFormat: "json"}
	from := map[string]string{}
	var problems []schema.Problem
	notices := noticeReader{path: s.File, env: s.Env}
	var notify Notify
	if s.File != "" {
		found, node := readFile(s.File, values, from)
		problems = append(problems, found...)
		if node != nil {
			notify = notices.read(node)
		}
	}
	for _, name := range names {
		variable := "SENDOFF_" + strings.ToUpper(name)
		if v, ok := s.Env(variable); ok && v != "" {
			values[name], from[name] = v, "$"+variable
		}
		if v, ok := s.Flags[name]; ok && v != "" {
			values[name], from[name] = v, "--"+strings.ReplaceAll(name, "_", "-")
		}
	}
	p := parser{values: values, from: from}
	cfg := p.config()
	cfg.Traces, cfg.Notify = tracesWanted(s.Env), notify
	if problems = slices.Concat(problems, p.problems, notices.problems); len(problems) > 0 {
		return cfg, &schema.Error{Code: schema.CodeInvalid, Message: "the configuration is not usable", Problems: problems}
	}
	return cfg, nil
}

// readFile reads the single values of the file, and returns the node of notify,
// nil when there is none.
func readFile(path string, values, from map[string]string) ([]schema.Problem, *yaml.Node) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return []schema.Problem{{Where: path, Message: "cannot be read", Fix: "check the path and its permissions"}}, nil
	}
	var file map[string]yaml.Node
	if err := yaml.Unmarshal(raw, &file); err != nil {
		return []schema.Problem{{Where: path, Message: "is not a YAML map of settings", Fix: "write one `name: value` a line"}}, nil
	}
	var problems []schema.Problem
	var notices *yaml.Node
	for name, node := range file {
		where := fmt.Sprintf("%s line %d (%s)", path, node.Line, name)
		switch {
		case name == notifySetting:
			notices = &node
		case !slices.Contains(names, name):
			problems = append(problems, schema.Problem{Where: where, Message: "is not a setting", Fix: "use one of " + strings.Join(names, ", ") + ", " + notifySetting})
		case node.Kind != yaml.ScalarNode:
			problems = append(problems, schema.Problem{Where: where, Message: "is not a single value"})
		default:
			values[name], from[name] = node.Value, where
		}
	}
	slices.SortFunc(problems, func(a, b schema.Problem) int { return strings.Compare(a.Where, b.Where) })
	return problems, notices
}

type parser struct {
	values, from map[string]string
	problems     []schema.Problem
}

func (p *parser) config() Config {
	return Config{
		DatabaseURL: p.url(DatabaseURL), DatabaseOwnerURL: p.url(DatabaseOwnerURL),
		KeyFile: p.values[KeyFile], Listen: p.address(Listen), PublicURL: p.publicURL(), HealthListen: p.pages(),
		DataDir: p.values[Data], TimeScale: p.number(TimeScale, 1, 1_000_000),
		RatePerMinute: int(p.number(RatePerMinute, 1, 1_000_000)), LogLevel: p.oneOf(LogLevel, "debug", "info", "warn", "error"), LogFormat: p.oneOf(LogFormat, "json", "console"),
		TemporalPlaintext: p.truth(TemporalPlaintext), NoSchedules: p.oneOf(Schedules, "on", "off") == "off",
	}
}

func (p *parser) fault(name, message, fix string) {
	where := p.from[name]
	if where == "" {
		where = name
	}
	p.problems = append(p.problems, schema.Problem{Where: where, Message: message, Fix: fix})
}

// url checks a connection string. The value is never repeated: it may hold a
// password.
func (p *parser) url(name string) string {
	v := p.values[name]
	if v == "" {
		return ""
	}
	u, err := url.Parse(v)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		p.fault(name, "is not a Postgres URL", "write postgres://user:password@host:5432/database")
		return ""
	}
	if mode := u.Query().Get("sslmode"); !isPrivate(u) && (mode == "" || mode == "disable" || mode == "allow" || mode == "prefer") {
		p.fault(name, "reaches another host without TLS", "add sslmode=verify-full (or require); a private network may say sslmode=disable&private=1")
		return ""
	}
	q := u.Query()
	q.Del("private")
	u.RawQuery = q.Encode()
	return u.String()
}

// isPrivate tells whether the traffic stays on this machine, or the operator
// said that its network is private, as that of one compose file is.
func isPrivate(u *url.URL) bool {
	host := u.Hostname()
	if host == "" || host == "localhost" || u.Query().Get("private") == "1" || strings.HasPrefix(u.Query().Get("host"), "/") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func (p *parser) address(name string) string {
	v := p.values[name]
	if v == "" {
		return ""
	}
	if _, port, err := net.SplitHostPort(v); err != nil || port == "" {
		p.fault(name, "is not host:port", "write for example 127.0.0.1:8080")
	}
	return v
}

// publicURL is scheme, host and perhaps a path; plain http is for loopback, since
// authorization codes come this way.
func (p *parser) publicURL() string {
	v := strings.TrimRight(p.values[PublicURL], "/")
	if v == "" {
		return ""
	}
	u, err := url.Parse(v)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		p.fault(PublicURL, "is not an absolute URL without user, query and fragment", "write for example https://sendoff.example.com")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		p.fault(PublicURL, "is plain http, over which sign-ins would be seen", "use https; http is for 127.0.0.1")
	}
	return v
}

func (p *parser) number(name string, low, high int64) int64 {
	n, err := strconv.ParseInt(p.values[name], 10, 64)
	if err != nil || n < low || n > high {
		p.fault(name, fmt.Sprintf("is not a whole number from %d to %d", low, high), "give such a number")
	}
	return n
}

// pages is the address of the pages for health and metrics, or "off".
func (p *parser) pages() string {
	if p.values[HealthListen] == "off" {
		return "off"
	}
	return p.address(HealthListen)
}

func (p *parser) oneOf(name string, words ...string) string {
	v := p.values[name]
	if !slices.Contains(words, v) {
		p.fault(name, "is not one of the words there are", "use "+strings.Join(words, " or "))
	}
	return v
}

func (p *parser) truth(name string) bool {
	v := p.values[name]
	if v == "" {
		return false
	}
	b, err := strconv.ParseBool(v)
	if err != nil {
		p.fault(name, "is neither true nor false", "write true or false")
	}
	return b
}

// tracesWanted follows OpenTelemetry's own variables
// (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
func tracesWanted(env func(string) (string, bool)) bool {
	get := func(name string) string { v, _ := env(name); return v }
	if strings.EqualFold(get("OTEL_SDK_DISABLED"), "true") || get("OTEL_TRACES_EXPORTER") == "none" {
		return false
	}
	return get("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
}
