package web_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

const askToken = "QUESTION-4f1c9a<&>" //nolint:gosec // a made-up one

var (
	askSum  = sha256.Sum256([]byte(askToken))
	askHash = hex.EncodeToString(askSum[:])
)

// asking makes the store hold one question, and counts its answers.
func asking(b *bundle) (page *schema.AskPage, answers *int) {
	page, answers = &schema.AskPage{
		AskRow: schema.AskRow{ID: "a1", State: schema.AskDelivered, TokenHash: askHash, ExpiresAt: now.Add(24 * time.Hour)},
		Policy: "Dormant <b>accounts</b>", Connection: "box-main", Login: "ada@example.com", LastActiveAt: now.Add(-100 * 24 * time.Hour),
		Steps: []schema.StepFact{
			{Kind: schema.StepSnapshot},
			{Kind: schema.StepSuspend},
			{Kind: schema.StepTransfer},
			{Kind: schema.StepWait, WaitSeconds: 30 * 86400},
			{Kind: schema.StepDelete},
		},
		Until: now.Add(24 * time.Hour),
	}, new(int)
	b.store.AskPageFunc = func(hash string) (schema.AskPage, error) {
		if hash != askHash {
			return schema.AskPage{}, &schema.Error{Code: schema.CodeNotFound, Message: "none"}
		}
		return *page, nil
	}
	b.store.AnswerAskFunc = func(hash string, answer schema.Answer, reason string) (schema.AskPage, error) {
		require.Equal(b.t, askHash, hash, "a store never sees the token")
		*answers++
		page.Answer, page.Reason, page.State, page.Closed = answer, reason, schema.AskAnswered, "it was answered on 2026-11-21"
		return *page, nil
	}
	return page, answers
}

// visit sends what a browser would, without a token of the API.
func (b *bundle) visit(method, path string, form url.Values, header ...string) answer {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.srv.URL+path, strings.NewReader(form.Encode()))
	require.NoError(b.t, err)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := b.srv.Client().Do(req)
	require.NoError(b.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	return answer{status: res.StatusCode, header: res.Header, raw: string(raw)}
}

var (
	askPath   = "/answer/" + url.PathEscape(askToken)
	needed    = url.Values{"answer": {"needed"}, "reason": {" on leave\r\nuntil May "}}
	notNeeded = url.Values{"answer": {"not_needed"}}
)

func TestAnswerPageShowsAndChangesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, answers := asking(b)
	first := b.visit("GET", askPath, nil)
	require.Equal(t, http.StatusOK, first.status, first.raw)
	for _, text := range []string{
		`<html lang="en">`, `name="viewport"`, "Dormant &lt;b&gt;accounts&lt;/b&gt;", "ada@example.com", "box-main", "13 August 2026",
		"nobody can sign in to it", "transferred", "30 days", "This cannot be undone", "22 November 2026, 12:00 UTC", `<label for="reason">`, "<legend>",
	} {
		require.Contains(t, first.raw, text)
	}
	require.NotContains(t, first.raw, "checked", "neither answer is chosen beforehand")
	require.NotContains(t, first.raw, "QUESTION-", "the page does not repeat the secret")
	for _, again := range []answer{
		b.visit("GET", askPath, nil, "Sec-Purpose", "prefetch"), b.visit("GET", askPath+"?answer=needed&reason=x", nil), b.visit("GET", askPath, nil),
	} {
		require.Equal(t, first.raw, again.raw)
	}
	require.Empty(t, b.visit("HEAD", askPath, nil).raw)
	require.Zero(t, *answers)
	require.Equal(t, http.StatusNotFound, b.visit("PUT", askPath, needed).status)
	require.Zero(t, *answers)
}

func TestAnswerPageKeepsTheSecret(t *testing.T) {
	t.Parallel()
	b := setup(t)
	asking(b)
	a := b.visit("GET", askPath, nil)
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(a.raw)
	require.Len(t, style, 2)
	sum := sha256.Sum256([]byte(style[1]))
	require.Equal(t, "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+
		"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'", a.header.Get("Content-Security-Policy"), "the browser takes this style and nothing else")
	require.Equal(t, "no-referrer", a.header.Get("Referrer-Policy"))
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	require.Contains(t, a.header.Get("X-Robots-Tag"), "noindex")
	require.Empty(t, a.header.Values("Set-Cookie"))
	require.NotRegexp(t, `(?i)<script|<img|<link|https?://| src=| href=| on[a-z]+=`, a.raw)

	b.visit("POST", askPath, needed)
	b.visit("POST", askPath, needed)
	b.visit("GET", askPath+"/more", nil)
	b.visit("DELETE", askPath, nil)
	b.store.AskPageFunc = func(string) (schema.AskPage, error) { return schema.AskPage{}, errors.New("the database is gone") }
	require.Equal(t, http.StatusInternalServerError, b.visit("GET", askPath, nil).status)
	b.store.AskPageFunc = func(string) (schema.AskPage, error) { panic("oh no") }
	require.Equal(t, http.StatusInternalServerError, b.visit("GET", askPath, nil).status)
	require.NotEmpty(t, b.logs.FilterField(zapRoute("GET /answer/{token}")).All())
	require.NotEmpty(t, b.logs.FilterField(zapRoute("POST /answer/{token}")).All())
	for _, e := range b.logs.All() {
		var line bytes.Buffer
		require.NoError(t, json.NewEncoder(&line).Encode(e.ContextMap()))
		require.NotContains(t, e.Message+line.String(), "QUESTION-")
		require.NotContains(t, line.String(), askHash)
	}
}

func TestAnswerIsTakenOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	page, answers := asking(b)
	for name, form := range map[string]url.Values{
		"as it came":        {"reason": {""}},
		"no reason":         {"answer": {"needed"}, "reason": {" \r\n"}},
		"another answer":    {"answer": {"perhaps"}, "reason": {"x"}},
		"both":              {"answer": {"needed", "not_needed"}, "reason": {"x"}},
		"too long a reason": {"answer": {"needed"}, "reason": {strings.Repeat("x", 501)}},
		"too large":         {"answer": {"needed"}, "reason": {strings.Repeat("x", 9<<10)}},
	} {
		a := b.visit("POST", askPath, form)
		require.Equal(t, http.StatusUnprocessableEntity, a.status, name)
		require.Contains(t, a.raw, `<form method="post"`, name)
		require.Contains(t, a.raw, "Please", name)
	}
	require.Equal(t, http.StatusUnprocessableEntity, b.visit("POST", askPath+"?"+needed.Encode(), url.Values{}).status, "an answer stands in the body")
	require.Zero(t, *answers)

	a := b.visit("POST", askPath, needed, "Origin", b.srv.URL)
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.Contains(t, a.raw, "Thank you")
	require.Equal(t, schema.AnswerNeeded, page.Answer)
	require.Equal(t, "on leave\nuntil May", page.Reason)
	for _, method := range []string{"GET", "POST"} {
		a = b.visit(method, askPath, notNeeded)
		require.Equal(t, http.StatusGone, a.status)
		require.Contains(t, a.raw, "The account is still needed.")
		require.Contains(t, a.raw, "on leave")
		require.NotContains(t, a.raw, "<form")
	}
	require.Equal(t, 1, *answers)
}

func TestAnswerThatLostARaceIsShownWhatWon(t *testing.T) {
	t.Parallel()
	b := setup(t)
	page, _ := asking(b)
	b.store.AnswerAskFunc = func(string, schema.Answer, string) (schema.AskPage, error) {
		page.Answer, page.Closed = schema.AnswerNotNeeded, "it was answered"
		return schema.AskPage{}, &schema.Error{Code: schema.CodeClosed, Message: "it is answered"}
	}
	a := b.visit("POST", askPath, needed)
	require.Equal(t, http.StatusGone, a.status)
	require.Contains(t, a.raw, "The account is not needed any more.")
	page.Closed = ""
	b.store.AnswerAskFunc = func(string, schema.Answer, string) (schema.AskPage, error) {
		return schema.AskPage{}, &schema.Error{Code: schema.CodeClosed, Message: "its time is over"}
	}
	a = b.visit("POST", askPath, needed)
	require.Equal(t, http.StatusGone, a.status)
	require.NotContains(t, a.raw, "<form")
	b.store.AnswerAskFunc = func(string, schema.Answer, string) (schema.AskPage, error) {
		return schema.AskPage{}, &schema.Error{Code: schema.CodeUnavailable, Message: "the database does not answer"}
	}
	a = b.visit("POST", askPath, needed)
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.Contains(t, a.raw, "Nothing was changed")
}

func TestAnswerRefusesStrangers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, answers := asking(b)
	for _, path := range []string{"/answer/unknown", "/answer/" + askHash, "/answer/" + strings.Repeat("x", 257), "/answer/" + url.PathEscape(askToken+"/")} {
		for _, method := range []string{"GET", "POST"} {
			a := b.visit(method, path, needed)
			require.Equal(t, http.StatusNotFound, a.status, path)
			require.Contains(t, a.raw, "leads to no question")
		}
	}
	for _, header := range [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}} {
		a := b.visit("POST", askPath, needed, header[0], header[1])
		require.Equal(t, http.StatusForbidden, a.status)
		require.Contains(t, a.raw, "Open the link from the message")
		require.Equal(t, "text/html; charset=utf-8", a.header.Get("Content-Type"))
	}
	require.Zero(t, *answers)
}
