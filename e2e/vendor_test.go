package e2e_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
)

// byHand does at the vendor what its admin does in the browser: no matter of
// ours, and nothing we are told. It returns the answer's status.
func byHand(t *testing.T, vendor boxsim.Banner, method, path string, body any) int {
	t.Helper()
	return byHandAs(t, vendor, "", method, path, body)
}

// byHandAs is byHand acting as a user.
func byHandAs(t *testing.T, vendor boxsim.Banner, user, method, path string, body any) int {
	t.Helper()
	text, err := json.Marshal(body)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), method, vendor.BaseURL+"/2.0/"+path, strings.NewReader(string(text)))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+adminToken(t, vendor))
	req.Header.Set("Content-Type", "application/json")
	if user != "" {
		req.Header.Set("As-User", user)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode
}

func adminToken(t *testing.T, vendor boxsim.Banner) string {
	t.Helper()
	res, err := http.PostForm(vendor.TokenURL, url.Values{
		"grant_type": {"client_credentials"}, "client_id": {vendor.ClientID}, "client_secret": {vendor.ClientSecret},
		"box_subject_type": {"user"}, "box_subject_id": {vendor.AdminID},
	})
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(t, json.NewDecoder(res.Body).Decode(&token))
	require.NotEmpty(t, token.AccessToken)
	return token.AccessToken
}

// ownedBy is the body of a transfer.
func ownedBy(p person) any { return map[string]any{"owned_by": map[string]string{"id": p.id}} }
