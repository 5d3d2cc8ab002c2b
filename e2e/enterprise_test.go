package e2e_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
	"sendoff/internal/cli"
)

// otherEnterprise has the same number of characters as the simulator's own.
const otherEnterprise = "900002"

// asOtherEnterprise stands before a simulator, which knows one enterprise only,
// and gives it another id in every answer that holds the text; "" is any.
func asOtherEnterprise(t *testing.T, vendor boxsim.Banner, holding string) boxsim.Banner {
	t.Helper()
	target, err := url.Parse(vendor.BaseURL)
	require.NoError(t, err)
	own := []byte(`"` + vendor.EnterpriseID + `"`)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(res *http.Response) error {
		body, err := io.ReadAll(res.Body)
		if err != nil {
			return err
		}
		if bytes.Contains(body, []byte(holding)) {
			body = bytes.ReplaceAll(body, own, []byte(`"`+otherEnterprise+`"`))
		}
		err = res.Body.Close()
		res.Body = io.NopCloser(bytes.NewReader(body))
		return err
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	vendor.BaseURL, vendor.UploadURL, vendor.TokenURL = server.URL, server.URL, server.URL+"/oauth2/token"
	if holding == "" {
		vendor.EnterpriseID = otherEnterprise
	}
	return vendor
}

// Content never goes to somebody of another enterprise, nor is an account there
// anybody's to offboard.
func TestAccountOfAnotherEnterprise(t *testing.T) {
	t.Parallel()
	s := start(t, settings{bare: true})
	leaver := s.hire("Lea Ver")
	partner := hireAt(t, s.sim, boxsim.UserSpec{Name: "Part Ner", Login: "partner@example.net", External: true})
	s.fill(leaver)
	s.connect("box", asOtherEnterprise(t, s.vendor, partner.login))

	requireOneMessage(t, s.run("offboard", leaver.login, "--transfer-to", partner.login), cli.ExitRefused, "RECEIVER_EXTERNAL")
	requireOneMessage(t, s.run("offboard", partner.login), cli.ExitRefused, "ENTERPRISE_MISMATCH")
	require.Empty(t, s.cases())
	require.Empty(t, writes(s.sim))
}
