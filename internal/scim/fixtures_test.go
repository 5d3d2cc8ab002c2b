package scim_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// exchange is one recorded request with its answer.
type exchange struct {
	Request    json.RawMessage `json:"request"`
	Response   map[string]any  `json:"response"`
	Method     string          `json:"method"`
	Path       string          `json:"path"`
	StatusCode int             `json:"statusCode"`
}

// reference reads a file beside the repository, or skips.
func reference(t *testing.T, name, what string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "reference", name))
	if os.IsNotExist(err) {
		t.Skip(what + " are not beside the repository: nothing was held against them")
	}
	require.NoError(t, err)
	return raw
}

// TestRecordedExchanges plays exchanges of Okta and Entra that the project
// github.com/elimity-com/scim (MIT) keeps in internal/idp_test.
func TestRecordedExchanges(t *testing.T) {
	t.Parallel()
	var all map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(reference(t, "scim-idp-fixtures.json", "the recorded exchanges"), &all))
	played := 0
	for name, raw := range all {
		if !strings.HasSuffix(name, ".json") {
			continue
		}
		played++
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var x exchange
			require.NoError(t, json.Unmarshal(raw, &x))
			x.play(t)
		})
	}
	require.Equal(t, 18, played)
}

// play brings the server into the state before, and sends the request.
func (x exchange) play(t *testing.T) {
	t.Helper()
	b := setup(t)
	u, err := url.Parse(x.Path)
	require.NoError(t, err)
	ids := map[string]string{} // of the recording, to ours
	path := x.Path
	if first, id, deeper := strings.Cut(strings.Trim(u.Path, "/"), "/"); deeper {
		ids[id] = b.before(t, "/"+first, x, ids)
		path = "/" + first + "/" + ids[id]
	} else if x.Method == http.MethodGet {
		list, _ := x.Response["Resources"].([]any)
		for _, r := range list {
			before := exchange{Response: r.(map[string]any)}
			ids[before.Response["id"].(string)] = b.before(t, "/"+first, before, ids)
		}
	}
	request := string(x.Request)
	for theirs, ours := range ids {
		request = strings.ReplaceAll(request, theirs, ours)
	}
	got := b.do(x.Method, path, request)
	require.Equal(t, x.StatusCode, got.status, "%s", got.raw)
	require.NotEmpty(t, got.body)
	agree(t, x, x.Response, got.body, ids)
}

// before makes the resource that an exchange is about, as far as its answer tells,
// with the users that its request names.
func (b *bundle) before(t *testing.T, endpoint string, x exchange, ids map[string]string) string {
	t.Helper()
	was := map[string]any{}
	for k, v := range x.Response {
		if k != "members" && k != "roles" && k != "active" {
			was[k] = v
		}
	}
	if was["userName"] == nil && was["displayName"] == nil {
		was = map[string]any{"displayName": "before"}
	}
	for _, id := range membersNamed(x) {
		if ids[id] == "" {
			ids[id] = b.user(id + "@example.com")
		}
	}
	if members, ok := x.Response["members"].([]any); ok {
		var list []any
		for _, m := range members {
			list = append(list, map[string]any{"value": ids[dig(m, "value").(string)], "display": dig(m, "display")})
		}
		was["members"] = list
	}
	raw, err := json.Marshal(was)
	require.NoError(t, err)
	return b.do(http.MethodPost, endpoint, string(raw)).is(http.StatusCreated).id()
}

// membersNamed lists the users that a recording of a group names.
func membersNamed(x exchange) []string {
	var out []string
	members, _ := x.Response["members"].([]any)
	for _, m := range members {
		out = append(out, dig(m, "value").(string))
	}
	var patch struct {
		Operations []struct {
			Path  string
			Value json.RawMessage
		}
	}
	_ = json.Unmarshal(x.Request, &patch)
	for _, op := range patch.Operations {
		var list []struct{ Value string }
		if !strings.HasPrefix(op.Path, "members") {
			continue
		}
		if _, after, ok := strings.Cut(op.Path, `"`); ok {
			out = append(out, strings.TrimSuffix(after, `"]`))
		}
		_ = json.Unmarshal(op.Value, &list)
		for _, m := range list {
			out = append(out, m.Value)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// agree holds what was recorded against the answer. Ours to choose are id,
// instants, addresses and the extensions without values in schemas; null is what
// is not there. One name in the recording is not what its request says.
func agree(t *testing.T, x exchange, want, got map[string]any, ids map[string]string) {
	t.Helper()
	for k, v := range want {
		switch {
		case k == "id" || k == "meta" || k == "itemsPerPage" || v == nil:
		case k == "displayName" && v == "Test SCIMv20":
			require.Equal(t, "Test SCIMv2", got[k])
		case k == "schemas":
			require.Contains(t, v, dig(got[k], 0))
		case k == "Resources":
			list, _ := got[k].([]any)
			require.Len(t, list, len(v.([]any)))
			for i, r := range v.([]any) {
				agree(t, x, r.(map[string]any), list[i].(map[string]any), ids)
			}
		case k == "members":
			for i, m := range v.([]any) {
				require.Equal(t, ids[dig(m, "value").(string)], dig(got[k], i, "value"))
				require.Equal(t, dig(m, "display"), dig(got[k], i, "display"))
			}
		case k == "name" && x.Method == http.MethodPatch:
			require.Equal(t, dig(v, "familyName"), dig(got[k], "familyName"))
		default:
			require.Equal(t, v, got[k], k)
		}
	}
}
