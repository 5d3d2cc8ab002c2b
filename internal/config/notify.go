package config

import (
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"sendoff/internal/intake"
	"sendoff/schema"
)

// notifySetting is the one setting that is a map, and stands in the file alone.
const notifySetting = "notify"

// Notify is where notices can go.
type Notify struct {
	SMTP     *SMTP // nil = no mail
	Webhooks map[string]Webhook
	Slack    map[string]Slack
}

// Slack is an incoming webhook of Slack; who has its URL can post by it.
type Slack struct{ URL Secret }

// SMTP is the mail server that takes notices.
type SMTP struct {
	Host     string
	Port     int
	TLS      string // starttls, implicit, or on loopback none
	From     string
	Username string // empty = without sign-in
	Password Secret
}

// Webhook is a program that is told by a signed POST.
type Webhook struct {
	URL    string
	Secret Secret
}

// Secret is a text that no log and no message shows.
type Secret struct{ text string }

// Reveal returns the text.
func (s Secret) Reveal() string { return s.text }

// String hides the text.
func (Secret) String() string { return "[secret]" }

// GoString hides the text.
func (Secret) GoString() string { return "[secret]" }

const (
	maxSecretFile = 4096 // bytes: anything longer is another file
	// The bytes of a webhook's secret (Standard Webhooks, "Signature scheme").
	minWebhookSecret = 24
	maxWebhookSecret = 64
)

var webhookName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// noticeReader reads the setting notify of the file at path.
type noticeReader struct {
	path     string
	env      func(string) (string, bool)
	problems []schema.Problem
}

func (r *noticeReader) fault(n *yaml.Node, at, message, fix string) {
	r.problems = append(r.problems, schema.Problem{Where: fmt.Sprintf("%s line %d (%s)", r.path, n.Line, at), Message: message, Fix: fix})
}

func (r *noticeReader) read(n *yaml.Node) Notify {
	var out Notify
	m := r.members(n, notifySetting, "smtp", "webhooks", "slack")
	if m["smtp"] != nil {
		out.SMTP = r.smtp(m["smtp"], "notify.smtp")
	}
	if m["webhooks"] != nil {
		out.Webhooks = r.webhooks(m["webhooks"], "notify.webhooks")
	}
	if m["slack"] != nil {
		out.Slack = r.slack(m["slack"], "notify.slack")
	}
	return out
}

// members returns what a map holds; allowed lists its names, none = any.
func (r *noticeReader) members(n *yaml.Node, at string, allowed ...string) map[string]*yaml.Node {
	if n.Kind != yaml.MappingNode {
		r.fault(n, at, "is not a map of settings", "write its members on lines of their own, indented")
		return nil
	}
	m := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i].Value
		if len(allowed) > 0 && !slices.Contains(allowed, key) {
			r.fault(n.Content[i], at+"."+key, "is not a setting", "use one of "+strings.Join(allowed, ", "))
			continue
		}
		if m[key] != nil {
			r.fault(n.Content[i], at+"."+key, "stands twice", "keep one of them")
			continue
		}
		m[key] = n.Content[i+1]
	}
	return m
}

// scalar returns a member's text, "" when it is absent.
func (r *noticeReader) scalar(m map[string]*yaml.Node, at, name string) string {
	n := m[name]
	if n == nil {
		return ""
	}
	if n.Kind != yaml.ScalarNode {
		r.fault(n, at+"."+name, "is not a single value", "write one value")
		return ""
	}
	return n.Value
}

func (r *noticeReader) smtp(n *yaml.Node, at string) *SMTP {
	m := r.members(n, at, "host", "port", "tls", "from", "username", "password_file")
	if m == nil {
		return nil
	}
	s := &SMTP{
		Host: r.scalar(m, at, "host"), TLS: r.scalar(m, at, "tls"), From: r.scalar(m, at, "from"), Username: r.scalar(m, at, "username"),
	}
	if s.TLS == "" {
		s.TLS = "starttls"
	}
	if s.Host == "" {
		r.fault(n, at+".host", "is not set", "name the mail server")
	}
	switch {
	case !slices.Contains([]string{"starttls", "implicit", "none"}, s.TLS):
		r.fault(m["tls"], at+".tls", "is not a way to reach a mail server", "write starttls or implicit")
	case s.TLS == "none" && !isLoopback(s.Host):
		r.fault(m["tls"], at+".tls", "would send mail over a network without TLS", "write starttls or implicit; none is for 127.0.0.1")
	}
	s.Port = r.port(m, at, s.TLS)
	if _, err := intake.ParseAddress(s.From); err != nil {
		r.fault(n, at+".from", "is not an e-mail address", "write the address that mail comes from")
	}
	s.Password = r.secret(n, m, at, "password_file", "SENDOFF_SMTP_PASSWORD")
	if (s.Username == "") != (s.Password.text == "") {
		r.fault(n, at+".username", "a user name and a password go together", "give both, the password by password_file or SENDOFF_SMTP_PASSWORD, or neither")
	}
	return s
}

func (r *noticeReader) port(m map[string]*yaml.Node, at, mode string) int {
	text := r.scalar(m, at, "port")
	if text == "" {
		if mode == "implicit" {
			return 465 // RFC 8314 section 3.3
		}
		return 587 // RFC 6409 section 3.1
	}
	port, err := strconv.Atoi(text)
	if err != nil || port < 1 || port > 65535 {
		r.fault(m["port"], at+".port", "is not a port", "write a number from 1 to 65535")
	}
	return port
}

func (r *noticeReader) webhooks(n *yaml.Node, at string) map[string]Webhook {
	out := map[string]Webhook{}
	named := r.members(n, at)
	for _, name := range slices.Sorted(maps.Keys(named)) {
		node, in := named[name], at+"."+name
		if !webhookName.MatchString(name) {
			r.fault(node, in, "is not a name for a webhook", "use 1 to 63 lower-case letters, digits and dashes")
			continue
		}
		m := r.members(node, in, "url", "secret_file")
		if m == nil {
			continue
		}
		w := Webhook{URL: r.scalar(m, in, "url")}
		u, err := url.Parse(w.URL)
		switch {
		case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
			r.fault(node, in+".url", "is not an absolute URL", "write one such as https://hooks.example.com/sendoff")
		case u.Scheme == "http" && !isLoopback(u.Hostname()):
			r.fault(node, in+".url", "would show notices to the network", "use https; http is for 127.0.0.1")
		}
		w.Secret = r.secret(node, m, in, "secret_file", "SENDOFF_WEBHOOK_SECRET_"+variableOf(name))
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(w.Secret.text, "whsec_"))
		if err != nil || len(key) < minWebhookSecret || len(key) > maxWebhookSecret {
			r.fault(node, in+".secret_file", "gives no secret of 24 to 64 bytes in base64", "make one with: openssl rand -base64 32")
		}
		out[name] = w
	}
	return out
}

// slack reads incoming webhooks of Slack. A map without members is one whose URL
// is in the environment.
func (r *noticeReader) slack(n *yaml.Node, at string) map[string]Slack {
	out := map[string]Slack{}
	named := r.members(n, at)
	for _, name := range slices.Sorted(maps.Keys(named)) {
		node, in := named[name], at+"."+name
		if !webhookName.MatchString(name) {
			r.fault(node, in, "is not a name for a webhook", "use 1 to 63 lower-case letters, digits and dashes")
			continue
		}
		m := r.members(node, in, "url_file")
		if m == nil {
			continue
		}
		variable := "SENDOFF_SLACK_URL_" + variableOf(name)
		secret := r.secret(node, m, in, "url_file", variable)
		u, err := url.Parse(secret.text) // whose text repeats the URL
		switch {
		case secret.text == "":
			r.fault(node, in+".url_file", "gives no URL", "put the URL that Slack shows for the webhook into a file or into "+variable)
		case err != nil || u.Host == "" || u.User != nil || (u.Scheme != "https" && u.Scheme != "http"):
			r.fault(node, in+".url_file", "gives no absolute URL", "copy the URL that Slack shows for the webhook")
		case u.Scheme == "http" && !isLoopback(u.Hostname()):
			r.fault(node, in+".url_file", "gives an URL that would show notices to the network", "use https; http is for 127.0.0.1")
		}
		out[name] = Slack{URL: secret}
	}
	return out
}

// variableOf is the part of a variable's name that a webhook's name becomes.
func variableOf(name string) string { return strings.ToUpper(strings.ReplaceAll(name, "-", "_")) }

// secret reads what a file or a variable holds; the variable wins. Absent is
// empty; the caller knows whether that may be.
func (r *noticeReader) secret(n *yaml.Node, m map[string]*yaml.Node, at, member, variable string) Secret {
	if v, ok := r.env(variable); ok && v != "" {
		return Secret{v}
	}
	path := r.scalar(m, at, member)
	if path == "" {
		return Secret{}
	}
	text, err := readSecret(path)
	if err != nil || text == "" || strings.ContainsAny(text, "\r\n") {
		r.fault(n, at+"."+member, "names a file that cannot be read or does not hold one line", "put the secret alone into the file")
		return Secret{}
	}
	return Secret{text}
}

func readSecret(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSecretFile))
	return strings.TrimSpace(string(b)), err
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || (ip != nil && ip.IsLoopback())
}
