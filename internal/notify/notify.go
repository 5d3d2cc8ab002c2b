// Package notify sends notices by mail, by signed webhooks and to Slack. A notice
// counts as sent when every recipient's server has accepted it. Nothing it
// returns repeats an address, a secret or a message.
package notify

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"sendoff/schema"
)

// Config is where notices can go. Without a part, notices through it are refused.
type Config struct {
	SMTP     *SMTP              // nil = no mail
	Webhooks map[string]Webhook // by the names that templates use
	Slack    map[string]Slack   // as above
	// RootCAs prove servers, beside none other; nil = the system's.
	RootCAs *x509.CertPool
	// Timeout bounds one conversation with one server; 0 = 30 s.
	Timeout time.Duration
	Now     func() time.Time // nil = the clock
}

// Notice is one message to one or more recipients.
type Notice struct {
	Channel schema.Channel
	To      []string // mail addresses, or names of webhooks, or of Slack's
	Message string   // the first line is a mail's subject
	CaseID  schema.CaseID
	PlanID  schema.PlanID
	Step    int
	// Key is the same for each try of one notice.
	Key string
}

const (
	defaultTimeout = 30 * time.Second
	maxMessage     = 64 << 10 // bytes
	// maxRemembered bounds how many accepted messages a process remembers.
	maxRemembered = 10_000
)

// Notifier sends notices. It is safe for concurrent use.
type Notifier struct {
	smtp    *SMTP
	hooks   map[string]hook
	slack   map[string]slackChannel
	roots   *x509.CertPool
	timeout time.Duration
	now     func() time.Time

	mu sync.Mutex
	// accepted are the messages that a server took, so that a repeat for the sake
	// of one recipient does not reach the others again.
	accepted map[string]struct{}
	pauses   map[string]time.Time // until when Slack wants no message, by webhook
}

// New returns a notifier. CodeInvalid for a configuration that would send a
// secret or a message over a network without TLS.
func New(cfg Config) (*Notifier, error) {
	n := &Notifier{
		smtp: cfg.SMTP, hooks: map[string]hook{}, slack: map[string]slackChannel{}, roots: cfg.RootCAs, timeout: cfg.Timeout, now: cfg.Now,
		accepted: map[string]struct{}{}, pauses: map[string]time.Time{},
	}
	if n.timeout == 0 {
		n.timeout = defaultTimeout
	}
	if n.now == nil {
		n.now = time.Now
	}
	if n.smtp != nil {
		if err := n.smtp.check(); err != nil {
			return nil, err
		}
	}
	client := newHTTPClient(n.timeout, n.roots)
	for name, w := range cfg.Webhooks {
		h, err := newHook(name, w, client)
		if err != nil {
			return nil, err
		}
		n.hooks[name] = h
	}
	for name, w := range cfg.Slack {
		s, err := newSlack(name, w, client)
		if err != nil {
			return nil, err
		}
		n.slack[name] = s
	}
	return n, nil
}

// Notify returns once every recipient's server has accepted the notice. One that
// fails keeps none of the others from being tried. CodeInvalid for a channel or
// recipient that is not configured, CodeRefused when a server refuses for good,
// CodeUnavailable when trying again may help.
func (n *Notifier) Notify(ctx context.Context, notice Notice) error {
	if len(notice.To) == 0 || notice.Key == "" || strings.TrimSpace(notice.Message) == "" || len(notice.Message) > maxMessage {
		return invalid("the notice has no recipient, no key, no text, or more than 64 KiB", "mend the template")
	}
	var failures []*schema.Error
	switch notice.Channel {
	case schema.ChannelMail:
		failures = n.mail(ctx, notice)
	case schema.ChannelWebhook:
		failures = n.webhooks(ctx, notice)
	case schema.ChannelSlack:
		failures = n.slacks(ctx, notice)
	default:
		return invalid("the channel is neither mail nor webhook nor slack", "mend the template")
	}
	return worst(failures)
}

// worst is the failure that decides what happens next: as long as trying again
// may help anybody, it is tried again.
func worst(failures []*schema.Error) error {
	for _, code := range []schema.Code{schema.CodeUnavailable, schema.CodeInvalid, schema.CodeRefused} {
		for _, f := range failures {
			if f.Code == code {
				return f
			}
		}
	}
	return nil
}

// remembered tells whether this process saw the message accepted.
func (n *Notifier) remembered(id string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, ok := n.accepted[id]
	return ok
}

func (n *Notifier) remember(id string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.accepted) >= maxRemembered {
		clear(n.accepted)
	}
	n.accepted[id] = struct{}{}
}

// messageID is the same for each try of one notice to one recipient, and says
// nothing about either.
func messageID(key, recipient string) string {
	sum := sha256.Sum256([]byte(key + "\x00" + recipient))
	return hex.EncodeToString(sum[:16])
}

// nth names a recipient without its address.
func nth(i, of int) string {
	if of == 1 {
		return "the recipient"
	}
	return fmt.Sprintf("recipient %d of %d", i+1, of)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || (ip != nil && ip.IsLoopback())
}

func invalid(message, fix string) *schema.Error {
	return &schema.Error{Code: schema.CodeInvalid, Message: message, Fix: fix}
}

func refused(message, fix string) *schema.Error {
	return &schema.Error{Code: schema.CodeRefused, Message: message, Fix: fix}
}

func unavailable(message string) *schema.Error {
	return &schema.Error{Code: schema.CodeUnavailable, Message: message, Fix: "it is tried again; see the server's own log"}
}
