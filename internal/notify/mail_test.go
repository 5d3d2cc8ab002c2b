package notify_test

import (
	"context"
	"crypto/x509"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/notify"
	"sendoff/schema"
)

var now = time.Date(2026, 12, 1, 17, 0, 0, 0, time.UTC)

// unencrypted is a mail server on loopback without TLS.
func unencrypted(s *smtpServer) notify.Config {
	return notify.Config{SMTP: &notify.SMTP{Host: s.host, Port: s.port, TLS: notify.TLSNone, From: "sendoff@example.com"}}
}

func notifier(t *testing.T, cfg notify.Config) *notify.Notifier {
	t.Helper()
	cfg.Now = func() time.Time { return now }
	n, err := notify.New(cfg)
	require.NoError(t, err)
	return n
}

func byMail(to ...string) notify.Notice {
	return notify.Notice{
		Channel: schema.ChannelMail, To: to, Key: "plan-1/5", CaseID: "case-1", PlanID: "plan-1", Step: 5,
		Message: "Content of account 111 has moved – für Sie\n\nCase case-1.\n.dot\nGrüße\n",
	}
}

func requireCode(t *testing.T, code schema.Code, err error) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, code, schema.CodeOf(err), err.Error())
	for _, private := range []string{"example.com", "hunter2", "Content of"} {
		require.NotContains(t, err.Error(), private)
	}
}

func TestMailHasTheFormOfANotice(t *testing.T) {
	t.Parallel()
	s := &smtpServer{}
	s.start(t)
	n := notifier(t, unencrypted(s))
	require.NoError(t, n.Notify(t.Context(), byMail("it@example.com", "hr@example.com")))

	got := s.received()
	require.Len(t, got, 2)
	require.Equal(t, "sendoff@example.com", got[0].from)
	require.Equal(t, []string{"it@example.com", "hr@example.com"}, []string{got[0].to, got[1].to})
	require.NotContains(t, got[0].data, "hr@example.com", "recipients do not see each other")
	msg, err := mail.ReadMessage(strings.NewReader(got[0].data))
	require.NoError(t, err)
	subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
	require.NoError(t, err)
	require.Equal(t, "Content of account 111 has moved – für Sie", subject)
	body, err := io.ReadAll(quotedprintable.NewReader(msg.Body))
	require.NoError(t, err)
	require.Equal(t, "Case case-1.\r\n.dot\r\nGrüße\r\n", strings.TrimRight(string(body), "\r\n")+"\r\n")
	require.Equal(t, "auto-generated", msg.Header.Get("Auto-Submitted"))
	require.Equal(t, "text/plain; charset=UTF-8", msg.Header.Get("Content-Type"))
	date, err := msg.Header.Date()
	require.NoError(t, err)
	require.True(t, date.Equal(now))
	require.Empty(t, msg.Header.Get("User-Agent"))
	require.Equal(t, 1, s.dials, "one conversation")
}

func TestARepeatHasTheSameMessageID(t *testing.T) {
	t.Parallel()
	s := &smtpServer{}
	s.start(t)
	id := func(r received) string {
		msg, err := mail.ReadMessage(strings.NewReader(r.data))
		require.NoError(t, err)
		return msg.Header.Get("Message-ID")
	}
	// Two processes: neither knows what the other sent.
	require.NoError(t, notifier(t, unencrypted(s)).Notify(t.Context(), byMail("it@example.com")))
	n := notifier(t, unencrypted(s))
	require.NoError(t, n.Notify(t.Context(), byMail("it@example.com")))
	other := byMail("it@example.com")
	other.Key = "plan-1/6"
	require.NoError(t, n.Notify(t.Context(), other))
	got := s.received()
	require.Len(t, got, 3)
	require.Regexp(t, `^<[0-9a-f]{32}@example\.com>$`, id(got[0]))
	require.Equal(t, id(got[0]), id(got[1]))
	require.NotEqual(t, id(got[0]), id(got[2]))
}

func TestMailServersAnswers(t *testing.T) {
	t.Parallel()
	only := func(prefix, answer string) func(string) string {
		return func(command string) string {
			if strings.HasPrefix(strings.ToUpper(command), prefix) {
				return answer
			}
			return ""
		}
	}
	for name, c := range map[string]struct {
		answer func(string) string
		code   schema.Code
		says   string
	}{
		"unknown recipient":       {only("RCPT", "550 no such user it@example.com"), schema.CodeRefused, "answered 550 to the message for the recipient"},
		"greylisted":              {only("RCPT", "450 try later, it@example.com"), schema.CodeUnavailable, "answered 450"},
		"sender refused":          {only("MAIL", "553 sendoff@example.com not allowed"), schema.CodeRefused, "answered 553"},
		"content refused":         {only("END", "554 Content of account: spam"), schema.CodeRefused, "answered 554"},
		"mailbox full, for now":   {only("END", "452 full"), schema.CodeUnavailable, "answered 452"},
		"turned away":             {only("CONNECT", "554 no"), schema.CodeRefused, "answered 554 before any message"},
		"closing":                 {only("CONNECT", "421 closing"), schema.CodeUnavailable, "answered 421 before any message"},
		"hangs up at the end":     {only("END", "close"), schema.CodeUnavailable, "fell silent"},
		"hangs up at the start":   {only("CONNECT", "close"), schema.CodeUnavailable, "does not answer"},
		"says nothing at the end": {only("END", "hang"), schema.CodeUnavailable, "fell silent"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &smtpServer{answer: c.answer}
			s.start(t)
			cfg := unencrypted(s)
			cfg.Timeout = 500 * time.Millisecond
			if c.answer("END") != "hang" {
				cfg.Timeout = 20 * time.Second
			}
			err := notifier(t, cfg).Notify(t.Context(), byMail("it@example.com"))
			requireCode(t, c.code, err)
			require.ErrorContains(t, err, c.says)
			require.Empty(t, s.received())
		})
	}

	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		s := &smtpServer{host: "127.0.0.1", port: 1}
		requireCode(t, schema.CodeUnavailable, notifier(t, unencrypted(s)).Notify(t.Context(), byMail("it@example.com")))
	})
	t.Run("what fails after it was accepted is no failure", func(t *testing.T) {
		t.Parallel()
		for _, prefix := range []string{"RSET", "QUIT"} {
			s := &smtpServer{answer: only(prefix, "close")}
			s.start(t)
			require.NoError(t, notifier(t, unencrypted(s)).Notify(t.Context(), byMail("it@example.com", "hr@example.com")))
			require.Len(t, s.received(), 2)
		}
	})
	t.Run("the caller's end ends the conversation", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		s := &smtpServer{answer: func(command string) string {
			if strings.HasPrefix(command, "END") {
				cancel()
				return "hang"
			}
			return ""
		}}
		s.start(t)
		began := time.Now()
		requireCode(t, schema.CodeUnavailable, notifier(t, unencrypted(s)).Notify(ctx, byMail("it@example.com")))
		require.Less(t, time.Since(began), 20*time.Second)
	})
}

func TestOneRecipientsFailureIsNotTheOthers(t *testing.T) {
	t.Parallel()
	var busy atomic.Bool
	busy.Store(true)
	s := &smtpServer{answer: func(command string) string {
		switch {
		case strings.Contains(command, "RCPT TO:<full@"):
			if busy.Load() {
				return "452 full"
			}
		case strings.Contains(command, "RCPT TO:<gone@"):
			return "550 gone"
		}
		return ""
	}}
	s.start(t)
	n := notifier(t, unencrypted(s))
	notice := byMail("gone@example.com", "full@example.com", "it@example.com")
	err := n.Notify(t.Context(), notice)
	requireCode(t, schema.CodeUnavailable, err)
	require.ErrorContains(t, err, "recipient 2 of 3")
	require.Len(t, s.received(), 1)

	busy.Store(false)
	err = n.Notify(t.Context(), notice)
	requireCode(t, schema.CodeRefused, err)
	require.ErrorContains(t, err, "recipient 1 of 3")
	got := s.received()
	require.Len(t, got, 2, "who has it does not get it again")
	require.Equal(t, "full@example.com", got[1].to)
}

func TestMailCrossesNetworksEncrypted(t *testing.T) {
	t.Parallel()
	cert, pool := certificate(t)
	over := func(s *smtpServer, mode notify.TLSMode, roots *x509.CertPool) notify.Config {
		cfg := unencrypted(s)
		cfg.SMTP.TLS, cfg.RootCAs = mode, roots
		cfg.SMTP.Username, cfg.SMTP.Password = "sendoff", "hunter2"
		return cfg
	}
	for mode, implicit := range map[notify.TLSMode]bool{notify.TLSStart: false, notify.TLSImplicit: true} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			s := &smtpServer{cert: cert, implicit: implicit, login: "sendoff:hunter2"}
			s.start(t)
			require.NoError(t, notifier(t, over(s, mode, pool)).Notify(t.Context(), byMail("it@example.com")))
			require.True(t, s.received()[0].tls)
			require.True(t, s.received()[0].signedIn)

			cfg := over(s, mode, pool)
			cfg.SMTP.Password = "wrong-hunter2"
			err := notifier(t, cfg).Notify(t.Context(), byMail("it@example.com"))
			requireCode(t, schema.CodeRefused, err)
			require.ErrorContains(t, err, "answered 535 before any message")

			err = notifier(t, over(s, mode, x509.NewCertPool())).Notify(t.Context(), byMail("it@example.com"))
			requireCode(t, schema.CodeUnavailable, err)
			require.ErrorContains(t, err, "cannot prove who it is")
			require.Len(t, s.received(), 1)
		})
	}
	t.Run("a server without STARTTLS gets nothing", func(t *testing.T) {
		t.Parallel()
		s := &smtpServer{}
		s.start(t)
		cfg := unencrypted(s)
		cfg.SMTP.TLS = notify.TLSStart
		err := notifier(t, cfg).Notify(t.Context(), byMail("it@example.com"))
		requireCode(t, schema.CodeRefused, err)
		require.ErrorContains(t, err, "STARTTLS")
	})
	t.Run("a server without sign-in is told no password", func(t *testing.T) {
		t.Parallel()
		s := &smtpServer{cert: cert}
		s.start(t)
		err := notifier(t, over(s, notify.TLSStart, pool)).Notify(t.Context(), byMail("it@example.com"))
		requireCode(t, schema.CodeRefused, err)
		require.ErrorContains(t, err, "sign in")
	})
	t.Run("without TLS only to this machine", func(t *testing.T) {
		t.Parallel()
		_, err := notify.New(notify.Config{SMTP: &notify.SMTP{Host: "192.0.2.1", Port: 25, TLS: notify.TLSNone, From: "a@example.com"}})
		require.Equal(t, schema.CodeInvalid, schema.CodeOf(err))
	})
}

func TestNoticesThatCannotBeSent(t *testing.T) {
	t.Parallel()
	s := &smtpServer{}
	s.start(t)
	n := notifier(t, unencrypted(s))
	for name, change := range map[string]func(*notify.Notice){
		"nobody":        func(n *notify.Notice) { n.To = nil },
		"nothing":       func(n *notify.Notice) { n.Message = " \n" },
		"no key":        func(n *notify.Notice) { n.Key = "" },
		"too long":      func(n *notify.Notice) { n.Message = strings.Repeat("x", 65<<10) },
		"pigeon":        func(n *notify.Notice) { n.Channel = "pigeon" },
		"no address":    func(n *notify.Notice) { n.To = []string{"it"} },
		"two addresses": func(n *notify.Notice) { n.To = []string{"it@example.com\r\nBcc: all@example.com"} },
		"no webhook":    func(n *notify.Notice) { n.Channel, n.To = schema.ChannelWebhook, []string{"tickets"} },
	} {
		notice := byMail("it@example.com")
		change(&notice)
		err := n.Notify(t.Context(), notice)
		require.Equal(t, schema.CodeInvalid, schema.CodeOf(err), name)
	}
	require.Equal(t, schema.CodeInvalid, schema.CodeOf(notifier(t, notify.Config{}).Notify(t.Context(), byMail("it@example.com"))))
	require.Empty(t, s.received())
}
