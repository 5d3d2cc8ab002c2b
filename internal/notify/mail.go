package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"sendoff/schema"
)

// TLSMode is how a mail server is reached.
type TLSMode string

// The modes. None is for loopback alone.
const (
	TLSStart    TLSMode = "starttls"
	TLSImplicit TLSMode = "implicit"
	TLSNone     TLSMode = "none"
)

// SMTP is a mail server that takes mail for others.
type SMTP struct {
	Host     string
	Port     int
	TLS      TLSMode
	From     string // the address mail comes from
	Username string // empty = without sign-in
	Password string
}

func (s *SMTP) check() error {
	switch {
	case s.TLS == TLSNone && !loopback(s.Host):
		return invalid("mail would cross a network without TLS", "use tls: starttls or implicit")
	case s.TLS != TLSNone && s.TLS != TLSStart && s.TLS != TLSImplicit:
		return invalid("the way to reach the mail server is unknown", "use tls: starttls or implicit")
	case !strings.Contains(s.From, "@"):
		return invalid("mail has no sender", "set from")
	}
	return nil
}

// mail sends to each recipient a message of its own over one connection.
func (n *Notifier) mail(ctx context.Context, notice Notice) []*schema.Error {
	if n.smtp == nil {
		return []*schema.Error{invalid("no mail server is configured", "add notify.smtp to the settings of server and worker")}
	}
	m := mailer{notifier: n, notice: notice}
	defer m.close()
	var failures []*schema.Error
	for i, to := range notice.To {
		id := messageID(notice.Key, to)
		if n.remembered(id) {
			continue
		}
		if err := m.send(ctx, id, to, nth(i, len(notice.To))); err != nil {
			failures = append(failures, err)
			continue
		}
		n.remember(id)
	}
	return failures
}

// mailer is one conversation with the mail server; it begins with the first
// message, and again after one that broke it.
type mailer struct {
	notifier *Notifier
	notice   Notice
	client   *mail.Client
	session  *smtp.Client
	hangUp   func()
}

func (m *mailer) close() {
	if m.session != nil {
		_ = m.client.CloseWithSMTPClient(m.session) // what was accepted is accepted
	}
	if m.hangUp != nil {
		m.hangUp()
	}
	m.session, m.hangUp = nil, nil
}

func (m *mailer) send(ctx context.Context, id, to, who string) *schema.Error {
	msg, err := m.message(id, to)
	if err != nil {
		return invalid(who+" has an address that mail cannot be sent to", "mend the template")
	}
	if m.session == nil {
		if err := m.dial(ctx); err != nil {
			m.close()
			return dialFailed(err)
		}
	}
	err = m.client.SendWithSMTPClient(m.session, msg)
	if msg.IsDelivered() { // what failed after that is no more about this message
		if err != nil {
			m.close()
		}
		return nil
	}
	var failed *mail.SendError
	code := 0
	if errors.As(err, &failed) {
		code = failed.ErrorCode()
	}
	if code == 0 {
		m.close() // silence: what the connection would say next is unknown
	}
	return answered(code, who)
}

// message is plain text in UTF-8 that no program answers (RFC 3834 section 5).
func (m *mailer) message(id, to string) (*mail.Msg, error) {
	from := m.notifier.smtp.From
	subject, body, _ := strings.Cut(strings.ReplaceAll(strings.TrimSpace(m.notice.Message), "\r", ""), "\n")
	if body = strings.TrimSpace(body); body == "" {
		body = subject
	}
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent(), mail.WithEncoding(mail.EncodingQP))
	if err := errors.Join(msg.From(from), msg.To(to)); err != nil {
		return nil, err
	}
	msg.Subject(strings.TrimSpace(subject))
	msg.SetMessageIDWithValue(id + from[strings.LastIndexByte(from, '@'):])
	msg.SetDateWithValue(m.notifier.now())
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(mail.TypeTextPlain, body+"\n")
	return msg, nil
}

func (m *mailer) dial(ctx context.Context) error {
	s := m.notifier.smtp
	security := &tls.Config{ServerName: s.Host, RootCAs: m.notifier.roots, MinVersion: tls.VersionTLS12}
	options := []mail.Option{
		mail.WithPort(s.Port), mail.WithTimeout(m.notifier.timeout), mail.WithTLSConfig(security), mail.WithDialContextFunc(m.connect(ctx, security)),
	}
	switch s.TLS {
	case TLSStart:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	default:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS)) // implicit: connect has it already
	}
	if s.Username != "" {
		options = append(options, mail.WithUsername(s.Username), mail.WithPassword(s.Password),
			mail.WithOpportunisticSMTPAuth(mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthPlain, mail.SMTPAuthLogin))
	}
	var err error
	if m.client, err = mail.NewClient(s.Host, options...); err != nil {
		return err
	}
	m.session, err = m.client.DialToSMTPClientWithContext(ctx)
	return err
}

// connect dials, and hangs up when ctx ends: the library looks at no context once
// it is connected, and leaves a connection open that it could not use.
func (m *mailer) connect(ctx context.Context, security *tls.Config) mail.DialContextFunc {
	return func(dialing context.Context, network, address string) (net.Conn, error) {
		d := net.Dialer{}
		raw, err := d.DialContext(dialing, network, address)
		if err != nil {
			return nil, err
		}
		hangUp := func() { _ = raw.Close() }
		ended := context.AfterFunc(ctx, hangUp)
		m.hangUp = func() { ended(); hangUp() }
		if m.notifier.smtp.TLS != TLSImplicit {
			return raw, nil
		}
		secure := tls.Client(raw, security)
		return secure, secure.HandshakeContext(dialing)
	}
}

// dialFailed tells what kept the conversation from beginning. What the server
// said is left out: it may repeat what it was told.
func dialFailed(err error) *schema.Error {
	var answer *textproto.Error
	var unproven *tls.CertificateVerificationError
	var broken net.Error
	switch {
	case errors.As(err, &answer) && answer.Code >= 500:
		return refused(fmt.Sprintf("the mail server answered %d before any message", answer.Code), "check user name, password and what the server allows, then resume")
	case errors.As(err, &answer):
		return unavailable(fmt.Sprintf("the mail server answered %d before any message", answer.Code))
	case errors.As(err, &unproven):
		return unavailable("the mail server cannot prove who it is (TLS)")
	case errors.As(err, &broken), errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
		return unavailable("the mail server does not answer")
	case strings.Contains(err.Error(), "STARTTLS"):
		return refused("the mail server does not offer STARTTLS, so nothing was sent", "use a port that has it, or tls: implicit, then resume")
	case strings.Contains(err.Error(), "AUTH"):
		return refused("the mail server offers no way to sign in that is safe here", "allow PLAIN, LOGIN or SCRAM-SHA-256, or leave the user name out, then resume")
	}
	return unavailable("the mail server does not answer")
}

// answered is nil for no failure, by the server's reply code (RFC 5321 section
// 4.2.1): 5 is for good, anything else may change.
func answered(code int, who string) *schema.Error {
	switch {
	case code >= 500:
		return refused(fmt.Sprintf("the mail server answered %d to the message for %s", code, who), "mend the address or what the server allows, then resume")
	case code >= 400:
		return unavailable(fmt.Sprintf("the mail server answered %d to the message for %s", code, who))
	}
	return unavailable("the mail server fell silent over the message for " + who)
}
