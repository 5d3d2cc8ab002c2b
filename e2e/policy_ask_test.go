package e2e_test

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/cli"
)

// outside is where people reach a stack that sends links.
const outside = "https://sendoff.example.com"

// answerLink is a link to answer in a mail.
var answerLink = regexp.MustCompile(regexp.QuoteMeta(outside) + `(/answer/[A-Za-z0-9_-]+)`)

// withMail is a stack whose notices go to a mail server.
func withMail(t *testing.T, set settings) (*stack, *mailServer) {
	t.Helper()
	mails := startMail(t)
	host, port, err := net.SplitHostPort(mails.address)
	require.NoError(t, err)
	set.file = (&stack{t: t}).file("sendoff.yaml", "public_url: "+outside+"\nnotify:\n  smtp: {host: "+host+", port: "+port+", tls: none, from: sendoff@example.com}\n")
	return start(t, set), mails
}

// link is the address of the page in the newest mail to somebody.
func (s *stack) link(mails *mailServer, to person) string {
	s.t.Helper()
	var path string
	s.eventually(patience, to.login+" is asked", func() bool {
		got := mails.to(to.login)
		if len(got) == 0 {
			return false
		}
		// A mail's lines are folded by "=" at their ends.
		found := answerLink.FindStringSubmatch(strings.ReplaceAll(strings.ReplaceAll(got[len(got)-1], "=\r\n", ""), "=\n", ""))
		if found != nil {
			path = found[1]
		}
		return found != nil
	})
	return s.base() + path
}

// openPage opens a page as a browser, or a mail scanner, does.
func (s *stack) openPage(page string) (int, string) {
	s.t.Helper()
	res, err := http.Get(page) //nolint:gosec,noctx // a link of ours
	require.NoError(s.t, err)
	return answered(s.t, res)
}

// answer sends the page's form.
func (s *stack) answer(page, answer, reason string) (int, string) {
	s.t.Helper()
	res, err := http.PostForm(page, url.Values{"answer": {answer}, "reason": {reason}}) //nolint:gosec,noctx // a link of ours
	require.NoError(s.t, err)
	return answered(s.t, res)
}

func answered(t *testing.T, res *http.Response) (int, string) {
	t.Helper()
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(text)
}

// Who holds a dormant account is asked. Opening the link answers nothing; "still
// needed" keeps the account, also after its case has begun, and "not needed" ends
// the wait; silence means nothing.
func TestHoldersAreAsked(t *testing.T) {
	t.Parallel()
	s, mails := withMail(t, settings{engineScale: 2000})
	boss := s.hire("Bo Ss")
	s.staff(6)
	needs, gives, sleeps, regrets := s.dormant("Ne Eds"), s.dormant("Gi Ves"), s.dormant("Sle Eps"), s.dormant("Re Grets")
	s.synced("box")
	s.policy(dormantPolicy(boss, "ask: [{whom: holder, wait: 10h}]", "steps: [snapshot, suspend, {wait: {for: 30d}}, transfer, delete]"))
	r := s.begunReview()

	page := s.link(mails, needs)
	code, text := s.openPage(page)
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, text, needs.login)
	s.openPage(page)
	require.Equal(t, "asking", s.item(r, needs).State, "a GET answers nothing")
	code, _ = s.answer(page, "needed", "the yearly report")
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, "kept", s.item(r, needs).State)
	code, _ = s.answer(page, "not_needed", "")
	require.Equal(t, http.StatusGone, code, "each link answers once")
	code, _ = s.openPage(page[:len(page)-1] + "x")
	require.Equal(t, http.StatusNotFound, code)

	for _, p := range []person{gives, regrets} {
		code, _ = s.answer(s.link(mails, p), "not_needed", "")
		require.Equal(t, http.StatusOK, code)
	}
	s.reviewIn(r, "ended")
	require.Equal(t, "silent", s.item(r, sleeps).State)
	require.Equal(t, "active", status(t, s.sim, sleeps))
	for _, p := range []person{gives, regrets} {
		s.await(s.item(r, p).CaseID, "the wait", inStep("wait"))
	}

	// Somebody else may still say that it is needed: an operator, told by phone.
	s.must("policy", "reviews", "answer", r, s.item(r, regrets).Account, "--needed", "--reason", "came back from leave")
	s.awaitState(s.item(r, regrets).CaseID, "cancelled")
	require.Equal(t, "active", status(t, s.sim, regrets))
	require.Equal(t, "inactive", status(t, s.sim, gives))

	again := s.reviewed()
	require.Equal(t, "ended", again.State, again.Why)
	text = s.must("policy", "reviews", "verdicts", again.ID).out
	require.Contains(t, text, needs.login)
	require.Contains(t, text, "kept")
	require.Equal(t, cli.ExitNotFound, s.run("policy", "explain", "dormant", "nobody@example.com").code)
	require.Contains(t, s.must("policy", "explain", "dormant", needs.login).out, "kept")
}
