package cli

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"time"

	"sendoff/internal/apiclient"
	"sendoff/internal/app"
	"sendoff/internal/config"
	"sendoff/schema"
)

type doctorCommand struct {
	settingFlags
}

// Run looks at everything and fails when something is broken.
func (c *doctorCommand) Run(in *invocation) error {
	cfg, err := config.Load(c.sources(in, map[string]string{config.Data: in.data}))
	if c.DatabaseURL != "" {
		err = &schema.Error{Code: schema.CodeInvalid, Problems: []schema.Problem{{
			Where: "--database-url", Message: "is a flag and holds a password", Fix: "set SENDOFF_DATABASE_URL",
		}}}
	}
	found := app.Doctor(in.ctx, app.DoctorConfig{Config: cfg, Loading: err, Env: in.env})
	found = append(found, in.checkServer()...)
	worst := exitStatus(ExitDone)
	for _, f := range found {
		if f.Verdict == app.VerdictFail {
			worst = ExitInternal
		}
	}
	shown := map[string]any{"ok": worst == ExitDone, "checks": found}
	if err := in.result(shown, func() { in.printDoctor(found) }); err != nil {
		return err
	}
	return worst.orNil()
}

func (in *invocation) printDoctor(found []app.Finding) {
	width := 0
	for _, f := range found {
		width = max(width, len(f.Check))
	}
	for _, f := range found {
		in.print("%-4s  %s%s  %s", f.Verdict, f.Check, strings.Repeat(" ", width-len(f.Check)), f.Fact)
		if f.Fix != "" {
			in.print("      %s  fix: %s", strings.Repeat(" ", width), f.Fix)
		}
	}
}

// serverCheck asks a server about itself and what it knows.
type serverCheck struct {
	in    *invocation
	api   *apiclient.Client
	found []app.Finding
}

func (s *serverCheck) say(check string, v app.Verdict, fact, fix string) {
	if v == app.VerdictOK {
		fix = ""
	}
	s.found = append(s.found, app.Finding{Check: check, Verdict: v, Fact: fact, Fix: fix})
}

// fails says why something could not be asked. A part of the API that this token
// may not use is no fault of the server.
func (s *serverCheck) fails(check string, err error) {
	e := asAPIError(err)
	v := app.VerdictFail
	if e.Code == string(schema.CodeForbidden) {
		v = app.VerdictWarn
	}
	s.say(check, v, e.Message, e.Fix)
}

// checkServer is the part of doctor that goes through the API. A server that is
// down is one finding.
func (in *invocation) checkServer() []app.Finding {
	s := &serverCheck{in: in}
	var err error
	if s.api, err = in.client(); err != nil {
		s.fails("server", err)
		return s.found
	}
	if !s.server() {
		return s.found
	}
	s.connections()
	s.tokens()
	return s.found
}

// asAPIError gives any error the form that a server's errors have.
func asAPIError(err error) *apiclient.Error {
	var e *apiclient.Error
	if errors.As(err, &e) {
		return e
	}
	return &apiclient.Error{Message: err.Error()}
}

// serverPatience bounds a question about the server itself.
const serverPatience = 10 * time.Second

// server asks whether the server answers, is ready and has the same clock.
func (s *serverCheck) server() bool {
	ctx, cancel := context.WithTimeout(s.in.ctx, serverPatience)
	defer cancel()
	about, asked, err := s.api.About(ctx)
	if err != nil {
		s.fails("server", err)
		return false
	}
	s.say("server", app.VerdictOK, s.api.URL()+" answers, version "+about.Version, "")
	s.say("server-tls", app.VerdictOK, transportOf(s.api.URL()), "") // the client refuses anything else
	skew := time.Since(about.Date).Abs() - asked
	v := app.VerdictOK
	if skew > mostSkew {
		v = app.VerdictWarn
	}
	s.say("clock-server", v, "this machine and the server differ by "+max(skew, 0).Round(time.Second).String()+" at most", "set both clocks by NTP")
	if about.Version != Version() {
		s.say("version", app.VerdictWarn, "this program is "+Version()+", the server is "+about.Version, "run the same release everywhere")
	}
	if missing := s.api.Ready(ctx); missing != nil {
		e := asAPIError(missing)
		s.say("ready", app.VerdictFail, e.Error(), e.Fix)
	} else {
		s.say("ready", app.VerdictOK, "the server reaches its database and Temporal", "")
	}
	return true
}

// mostSkew is how far two clocks may differ; the Date header has whole seconds.
const mostSkew = 3 * time.Second

func (s *serverCheck) connections() {
	list, err := s.api.Connections(s.in.ctx)
	if err != nil {
		s.fails("connections", err)
		return
	}
	for _, c := range list {
		check := "connection " + c.Name
		if plain(c.BaseURL) || plain(c.TokenURL) {
			s.say(check, app.VerdictFail, "a URL is neither https nor on loopback", "connect again with https")
		}
		if c.State == string(schema.ConnectionDisabled) {
			s.say(check, app.VerdictWarn, "is "+c.State, "sendoff connections enable "+c.Name+", or remove it")
			continue
		}
		checked, err := s.api.TestConnection(s.in.ctx, c.Name)
		if err != nil {
			s.fails(check, err)
			continue
		}
		verdict, fact, fix := verdictOf(checked)
		s.say(check, verdict, fact, fix)
	}
}

// verdictOf is what the connection's own doctor found, in a line.
func verdictOf(c apiclient.Checked) (app.Verdict, string, string) {
	look := "sendoff connections test " + c.Connection.Name
	switch d := c.Diagnosis; {
	case d == nil, d.Health == string(schema.HealthActive):
		return app.VerdictOK, "works as " + c.Check.Role + " of enterprise " + c.Check.EnterpriseID, ""
	case d.Usable:
		return app.VerdictWarn, "is " + d.Health + ": " + d.Code, look
	default:
		return app.VerdictFail, "is " + d.Health + ": " + d.Code, look
	}
}

// expirySoon is how long before its end a token is worth a line.
const expirySoon = 14 * 24 * time.Hour

func (s *serverCheck) tokens() {
	list, err := s.api.Tokens(s.in.ctx)
	if err != nil {
		s.fails("tokens", err)
		return
	}
	soon := 0
	for _, t := range list {
		if t.RevokedAt != nil || t.ExpiresAt == nil || time.Until(*t.ExpiresAt) > expirySoon || time.Until(*t.ExpiresAt) < 0 {
			continue
		}
		soon++
		s.say("tokens", app.VerdictWarn, "token "+t.Name+" expires at "+at(*t.ExpiresAt), "make another: sendoff tokens create, and revoke this one")
	}
	if soon == 0 {
		s.say("tokens", app.VerdictOK, "no API token expires within 14 days", "")
	}
}

func plain(raw string) bool {
	u, err := url.Parse(raw)
	return err != nil || u.Scheme != "https" && !onLoopback(u.Hostname())
}

func onLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func transportOf(raw string) string {
	if strings.HasPrefix(raw, "https://") {
		return "reached over TLS"
	}
	return "reached on loopback"
}
