package e2e_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/apiclient"
	"sendoff/internal/cli"
)

// directory is an identity provider that keeps its users with us.
type directory struct {
	s     *stack
	token string
}

func (s *stack) directory(template string, receiver person) directory {
	s.t.Helper()
	s.source("idp", "scim", template, receiver)
	made := ask[apiclient.MadeSourceToken](s, cli.ExitDone, "hr", "tokens", "create", "idp", "--expires", "30d")
	return directory{s, made.Token}
}

// call sends a request as the provider does and returns the resource.
func (d directory) call(want int, method, path string, body any) map[string]any {
	t := d.s.t
	t.Helper()
	text, err := json.Marshal(body)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), method, d.s.base()+"/scim/v2"+path, bytes.NewReader(text))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+d.token)
	req.Header.Set("Content-Type", "application/scim+json")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	var out map[string]any
	if res.StatusCode != http.StatusNoContent {
		require.NoError(t, json.NewDecoder(res.Body).Decode(&out))
	}
	require.Equal(t, want, res.StatusCode, "%v", out)
	return out
}

// add makes a user and returns its id.
func (d directory) add(p person) string {
	d.s.t.Helper()
	found := d.call(http.StatusOK, http.MethodGet, "/Users?filter="+url.QueryEscape(`userName eq "`+p.login+`"`), nil)
	require.EqualValues(d.s.t, 0, found["totalResults"])
	made := d.call(http.StatusCreated, http.MethodPost, "/Users", map[string]any{
		"schemas":  []string{"urn:ietf:params:scim:schemas:core:2.0:User"},
		"userName": p.login, "name": map[string]string{"givenName": "Lea", "familyName": "Ver"},
		"emails": []any{map[string]any{"primary": true, "value": p.login, "type": "work"}}, "displayName": "Lea Ver",
		"externalId": "00u1" + p.id, "groups": []any{}, "password": "unused1", "active": true,
	})
	return made["id"].(string)
}

// patch is a PATCH with one operation.
func (d directory) patch(id string, operation map[string]any) {
	d.s.t.Helper()
	body := map[string]any{
		"schemas":    []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
		"Operations": []any{operation},
	}
	d.call(http.StatusOK, http.MethodPatch, "/Users/"+id, body)
}

// A deactivation, as each identity provider sends it, ends in a deletion that is
// proven.
func TestDeactivationBySCIMToProof(t *testing.T) {
	t.Parallel()
	for name, operation := range map[string]map[string]any{
		"Okta":               {"op": "replace", "value": map[string]any{"active": false}},
		"Entra, as it was":   {"op": "Replace", "path": "active", "value": "False"},
		"Entra, by the flag": {"op": "replace", "path": "active", "value": false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, settings{})
			leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
			s.fill(leaver)
			s.apply("gone", "transfer", "delete")
			d := s.directory("gone", boss)
			id := d.add(leaver)
			d.add(boss)

			d.patch(id, operation)

			require.Equal(t, "done", s.leaverIn(leaver, "ended").End)
			s.requireGone(leaver, boss, 6)
			require.Equal(t, false, d.call(http.StatusOK, http.MethodGet, "/Users/"+id, nil)["active"], "an inactive user stays readable")
			s.must("audit", "verify")
		})
	}
}

// Somebody who is active again within the grace gets everything back that comes
// back, and the leaver says what does not.
func TestRehireInTheGraceBringsAllBack(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
	s.fill(leaver)
	d := s.directory("leaver", boss) // a grace of 30 days: more than an hour here
	id := d.add(leaver)
	d.add(boss)
	d.patch(id, map[string]any{"op": "replace", "value": map[string]any{"active": false}})
	l := s.leaverIn(leaver, "open")
	s.await(l.CaseID, "the case waits for the grace", func(c apiclient.Case) bool { return c.State == "waiting" && c.Accounts[0].Step == "wait" })
	require.Equal(t, "inactive", status(t, s.sim, leaver))
	require.Equal(t, map[string]int{boss.id: 6}, owned(s.sim, leaver))

	d.patch(id, map[string]any{"op": "replace", "value": map[string]any{"active": true}})

	ended := s.leaverIn(leaver, "ended")
	require.Equal(t, "withdrawn", ended.End)
	require.NotEmpty(t, ended.Lost, "it says what does not come back: ownership and place")
	s.awaitState(l.CaseID, "cancelled")
	require.Equal(t, "active", status(t, s.sim, leaver))
	requireHarmless(t, s.sim)
	s.must("audit", "verify")
}
