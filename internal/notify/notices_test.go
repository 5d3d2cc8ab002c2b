package notify_test

import (
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/notices"
	"sendoff/internal/notify"
	"sendoff/schema"
)

// TestNoticesOfLeaversAsMail: from facts that HR wrote to what the mail server
// got, over a server that says later first.
func TestNoticesOfLeaversAsMail(t *testing.T) {
	t.Parallel()
	f := notices.DemoFacts(schema.NoticePlanned)
	f.Person = "Ада\r\nBcc: all@example.com\r\n\r\nHi <!channel>"
	text, err := notices.Render(schema.NoticeRules{}, f)
	require.NoError(t, err)
	notice := notify.Notice{Channel: schema.ChannelMail, To: []string{"boss@example.com"}, Message: text, CaseID: f.CaseID, Key: "notice-1"}

	var greylist atomic.Bool
	greylist.Store(true)
	s := &smtpServer{answer: func(command string) string {
		if greylist.Load() && strings.HasPrefix(command, "RCPT") {
			return "451 4.7.1 greylisted"
		}
		return ""
	}}
	s.start(t)
	n := notifier(t, unencrypted(s))
	requireCode(t, schema.CodeUnavailable, n.Notify(t.Context(), notice))
	greylist.Store(false)
	require.NoError(t, n.Notify(t.Context(), notice))
	require.NoError(t, n.Notify(t.Context(), notice))

	got := s.received()
	require.Len(t, got, 1)
	require.Equal(t, "boss@example.com", got[0].to)
	msg, err := mail.ReadMessage(strings.NewReader(got[0].data))
	require.NoError(t, err)
	require.Empty(t, msg.Header.Get("Bcc"))
	subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
	require.NoError(t, err)
	require.Equal(t, "Offboarding of Ада Bcc: all@example.com Hi <!channel> is planned", subject)
	body, err := io.ReadAll(quotedprintable.NewReader(msg.Body))
	require.NoError(t, err)
	require.Contains(t, string(body), "Begins: 2026-11-30 18:00 Europe/Berlin (UTC+01:00, the zone of the person)\r\n")
}
