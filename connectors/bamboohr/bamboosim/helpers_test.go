package bamboosim_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/bamboohr/bamboosim"
)

type obj = map[string]any

// bench is a simulator behind real HTTP.
type bench struct {
	t    *testing.T
	sim  *bamboosim.Sim
	url  string
	http *http.Client
}

func setup(t *testing.T, cfg bamboosim.Config) *bench {
	t.Helper()
	if cfg.People == nil {
		cfg.People = []bamboosim.Person{
			{Email: "boss@example.com", First: "Bo", Last: "Boss"},
			{Email: "ada@example.com", First: "Ada", Last: "Abel", Manager: "1"},
		}
	}
	sim, err := bamboosim.New(cfg)
	require.NoError(t, err)
	t.Cleanup(sim.Close)
	srv := httptest.NewServer(sim.Handler())
	t.Cleanup(srv.Close)
	doc, err := loadDocument()
	require.NoError(t, err)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &bench{t: t, sim: sim, url: srv.URL, http: &http.Client{Transport: &specChecker{t: t, doc: doc, next: transport}}}
}

type answer struct {
	status int
	header http.Header
	raw    string
	body   any
}

func (b *bench) do(method, path string, body any, opts ...func(*http.Request)) answer {
	b.t.Helper()
	var payload io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		require.NoError(b.t, err)
		payload = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, payload)
	require.NoError(b.t, err)
	req.SetBasicAuth(bamboosim.APIKey, "x")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/json")
	for _, opt := range opts {
		opt(req)
	}
	res, err := b.http.Do(req)
	require.NoError(b.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	out := answer{status: res.StatusCode, header: res.Header, raw: string(raw)}
	_ = json.Unmarshal(raw, &out.body)
	return out
}

// get requires 200 and returns the object that is answered.
func (b *bench) get(path string) obj {
	b.t.Helper()
	a := b.do(http.MethodGet, "/api/v1"+path, nil)
	require.Equal(b.t, http.StatusOK, a.status, a.raw)
	return a.body.(obj)
}

// control calls a control endpoint.
func (b *bench) control(status int, name string, body any) {
	b.t.Helper()
	a := b.do(http.MethodPost, "/_sim/"+name, body)
	require.Equal(b.t, status, a.status, a.raw)
}

// post is a request that a webhook's receiver got.
type post struct {
	header http.Header
	body   []byte
}

// receiver answers webhooks with the statuses given, the last of them from then on.
type receiver struct {
	url string
	mu  sync.Mutex
	got []post
}

func receive(t *testing.T, statuses ...int) *receiver {
	t.Helper()
	r := &receiver{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		raw, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, post{req.Header.Clone(), raw})
		w.WriteHeader(statuses[min(len(r.got), len(statuses))-1])
	}))
	t.Cleanup(srv.Close)
	r.url = srv.URL + "/hooks/hr"
	return r
}

func (r *receiver) all() []post {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]post{}, r.got...)
}
