package boxsim_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
)

// fast makes ten simulated minutes last 1.2 s and a minute 120 ms.
const fast = 500

// bench is a simulator behind real HTTP, with a token of its admin.
type bench struct {
	t     *testing.T
	sim   *boxsim.Sim
	url   string
	http  *http.Client
	admin string // token
	id    string // of the admin
}

type obj = map[string]any

func setup(t *testing.T, cfg boxsim.Config) *bench {
	t.Helper()
	sim, err := boxsim.New(cfg)
	require.NoError(t, err)
	srv := httptest.NewServer(sim.Handler())
	t.Cleanup(func() { requireConsistent(t, sim.Ledger()) })
	t.Cleanup(srv.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	b := &bench{t: t, sim: sim, url: srv.URL, http: &http.Client{Transport: &specChecker{t: t, doc: boxDocument(t), next: transport}}}
	b.id = sim.Banner(srv.URL).AdminID
	b.admin = b.token(boxsim.MainClientID, "user", b.id)
	return b
}

func (b *bench) token(client, kind, id string) string {
	b.t.Helper()
	res := b.form("/oauth2/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {client}, "client_secret": {boxsim.ClientSecret},
		"box_subject_type": {kind}, "box_subject_id": {id},
	})
	require.Equal(b.t, http.StatusOK, res.status, res.raw)
	return res.body["access_token"].(string)
}

func (b *bench) form(path string, form url.Values) answer {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.url+path, strings.NewReader(form.Encode()))
	require.NoError(b.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := b.send(req)
	require.NoError(b.t, err)
	return res
}

type answer struct {
	status int
	header http.Header
	raw    string
	body   obj
}

func (b *bench) send(req *http.Request) (answer, error) {
	res, err := b.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	out := answer{status: res.StatusCode, header: res.Header, raw: string(raw)}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") && len(raw) > 0 {
		_ = json.Unmarshal(raw, &out.body)
	}
	return out, err
}

type option func(*http.Request)

func asUser(id string) option {
	return func(r *http.Request) { r.Header.Set("As-User", id) }
}

func withToken(token string) option {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func (b *bench) try(method, path string, body any, opts ...option) (answer, error) {
	b.t.Helper()
	var payload io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		require.NoError(b.t, err)
		payload = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, payload)
	require.NoError(b.t, err)
	req.Header.Set("Authorization", "Bearer "+b.admin)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, opt := range opts {
		opt(req)
	}
	return b.send(req)
}

// do calls the API below /2.0 and requires the status.
func (b *bench) do(status int, method, path string, body any, opts ...option) answer {
	b.t.Helper()
	res, err := b.try(method, "/2.0"+path, body, opts...)
	require.NoError(b.t, err)
	require.Equal(b.t, status, res.status, "%s %s: %s", method, path, res.raw)
	return res
}

func (b *bench) get(path string, opts ...option) obj {
	b.t.Helper()
	return b.do(http.StatusOK, http.MethodGet, path, nil, opts...).body
}

func (b *bench) user(name string) string {
	b.t.Helper()
	id, err := b.sim.AddUser(boxsim.UserSpec{Name: name, Login: strings.ToLower(name) + "@example.com"})
	require.NoError(b.t, err)
	return id
}

func (b *bench) folder(owner, parent, name string) string {
	b.t.Helper()
	id, err := b.sim.AddFolder(boxsim.ItemSpec{Owner: owner, Parent: parent, Name: name})
	require.NoError(b.t, err)
	return id
}

func (b *bench) file(owner, parent, name string, size int64) string {
	b.t.Helper()
	id, err := b.sim.AddFile(boxsim.ItemSpec{Owner: owner, Parent: parent, Name: name, SizeBytes: size})
	require.NoError(b.t, err)
	return id
}

// leaver is a user with a folder of three files, one of them empty, and a file
// in the root.
func (b *bench) leaver(name string) string {
	b.t.Helper()
	id := b.user(name)
	f := b.folder(id, "", "Work")
	b.file(id, f, "a.docx", 1000)
	b.file(id, f, "b.docx", 2000)
	b.file(id, f, "empty.docx", 0)
	b.file(id, "", "c.docx", 4000)
	return id
}

func (b *bench) mode(user string, mode boxsim.Mode) {
	b.t.Helper()
	require.NoError(b.t, b.sim.SetTransferMode(user, mode, 0))
}

func transferPath(source string) string { return "/users/" + source + "/folders/0" }

func transferTo(dest string) obj { return obj{"owned_by": obj{"id": dest}} }

func (b *bench) account(id string) boxsim.LedgerAccount {
	b.t.Helper()
	for _, a := range b.sim.Ledger().Accounts {
		if a.ID == id {
			return a
		}
	}
	b.t.Fatalf("account %s is not in the ledger", id)
	return boxsim.LedgerAccount{}
}

func (b *bench) item(id string) boxsim.LedgerItem {
	b.t.Helper()
	for _, it := range b.sim.Ledger().Items {
		if it.ID == id {
			return it
		}
	}
	b.t.Fatalf("item %s is not in the ledger", id)
	return boxsim.LedgerItem{}
}

// eventually waits for a condition of the simulated world.
func (b *bench) eventually(cond func() bool) {
	b.t.Helper()
	require.Eventually(b.t, cond, 20*time.Second, 5*time.Millisecond)
}

func entries(body obj) []obj {
	var out []obj
	for _, e := range body["entries"].([]any) {
		out = append(out, e.(obj))
	}
	return out
}

func pluck(list []obj, key string) []string {
	out := []string{}
	for _, e := range list {
		out = append(out, e[key].(string))
	}
	return out
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

// requireConsistent checks, after every test, that the ledger's books balance.
func requireConsistent(t *testing.T, l boxsim.Ledger) {
	t.Helper()
	byID, items, bytes := map[string]boxsim.LedgerItem{}, map[string]int{}, map[string]int64{}
	for _, it := range l.Items {
		byID[it.ID] = it
		if it.State != "destroyed" {
			items[it.Owner]++
			bytes[it.Owner] += it.SizeBytes
		}
	}
	for _, it := range l.Items {
		require.Equal(t, it.State == "destroyed", it.DestroyedBy != "", "item %s", it.ID)
		parent, hasParent := byID[it.Parent]
		require.Equal(t, it.Parent != "0", hasParent, "parent of item %s", it.ID)
		if hasParent && it.State == "alive" {
			require.Equal(t, "alive", parent.State, "parent of item %s", it.ID)
			require.Equal(t, "folder", parent.Type)
		}
	}
	for _, a := range l.Accounts {
		require.Equal(t, items[a.ID], a.Items, "items of account %s", a.ID)
		require.Equal(t, bytes[a.ID], a.Bytes, "bytes of account %s", a.ID)
		if a.Deleted {
			require.Zero(t, a.Items, "a deleted account owns nothing")
		}
	}
	require.Equal(t, l.Totals.ItemsEver, l.Totals.Alive+l.Totals.Trashed+l.Totals.Destroyed)
	require.Len(t, l.Items, l.Totals.ItemsEver+l.Totals.DestinationFolders)
}
