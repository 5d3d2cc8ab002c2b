package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
	"sendoff/internal/apiclient"
	"sendoff/internal/cli"
)

// browse does what a person does in the browser at the address: look at the page,
// choose whom to sign in as, decide, and follow the vendor back. It returns the
// last page.
func browse(t *testing.T, address, user, decision string) string {
	t.Helper()
	get := func(req *http.Request) *http.Response {
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		return res
	}
	page, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	res := get(page)
	form, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Contains(t, string(form), `value="`+user+`"`)
	decided, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(url.Values{"user": {user}, "decision": {decision}}.Encode()))
	require.NoError(t, err)
	decided.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res = get(decided) // follows the redirect
	last, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return string(last)
}

// signIn types a command that waits for a consent, and consents to it.
func (s *stack) signIn(user, decision string, args ...string) ran {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	said, notes := io.Pipe()
	var out bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Run(ctx, append(args, "--data", s.dir, "--output", "json"), strings.NewReader(""), &out, notes, nil)
		_ = notes.Close()
	}()
	var heard strings.Builder
	for lines := bufio.NewScanner(said); lines.Scan(); {
		heard.WriteString(lines.Text() + "\n")
		if address := strings.TrimSpace(lines.Text()); strings.HasPrefix(address, s.vendor.AuthorizeURL+"?") {
			wrong, err := url.Parse(address)
			require.NoError(s.t, err)
			stray, err := http.Get(wrong.Query().Get("redirect_uri") + "?state=guessed&code=x") //nolint:noctx // as a stray page would
			require.NoError(s.t, err)
			require.NoError(s.t, stray.Body.Close())
			require.Equal(s.t, http.StatusBadRequest, stray.StatusCode)
			require.Contains(s.t, browse(s.t, address, user, decision), "The terminal tells how it ended")
		}
	}
	return ran{<-ended, out.String(), heard.String()}
}

// TestConsentInTheBrowser: connect by a consent, offboard somebody over it, lose
// the consent, renew it, and remove the connection.
func TestConsentInTheBrowser(t *testing.T) {
	t.Parallel()
	s := start(t, settings{bare: true})
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte(s.vendor.ClientSecret), 0o600))
	connect := []string{
		"connect", "box", "--browser", "--name", "box", "--base-url", s.vendor.BaseURL, "--token-url", s.vendor.TokenURL,
		"--authorize-url", s.vendor.AuthorizeURL, "--client-id", s.vendor.ClientID, "--client-secret-file", secret, "--owner", "owner@example.com",
	}
	denied := s.signIn(s.vendor.AdminID, "deny", connect...)
	require.Equal(t, cli.ExitRefused, denied.code, denied.err)
	require.Contains(t, denied.err, "access was denied")

	made := s.signIn(s.vendor.AdminID, "grant", connect...)
	require.Zero(t, made.code, made.err)
	var checked apiclient.Checked
	require.NoError(t, json.Unmarshal([]byte(made.out), &checked), made.out)
	require.Equal(t, "authorization_code", checked.Connection.AuthKind)
	require.Equal(t, s.vendor.EnterpriseID, checked.Connection.EnterpriseID)
	require.Equal(t, s.vendor.AdminID, checked.Connection.AsUser)

	leaver, receiver := s.hire("Lea Ver"), s.hire("Bo Ss")
	s.offboard(cli.ExitDone, leaver.login, "--transfer-to", receiver.login, "--grace", "0s")

	require.NoError(t, s.sim.ChangeApp(boxsim.AppChange{ClientID: s.vendor.ClientID, Action: boxsim.AppRevoke}))
	renewed := s.signIn(s.vendor.AdminID, "grant", "connect", "box", "--browser", "--renew", "box",
		"--authorize-url", s.vendor.AuthorizeURL, "--client-secret-file", secret)
	require.Zero(t, renewed.code, renewed.err)
	s.must("connections", "test", "box")

	gone := ask[apiclient.Removed](s, cli.ExitDone, "connections", "remove", "box", "--reason", "moved")
	require.True(t, gone.Revocation.Revoked)
	require.True(t, gone.Revocation.Proven)
	log, err := os.ReadFile(filepath.Join(s.dir, "sendoff.log"))
	require.NoError(t, err)
	require.NotContains(t, string(log), "code=")
}
