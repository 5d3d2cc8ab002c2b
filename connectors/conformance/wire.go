package conformance

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// trap is where redirects of the suite lead: nobody may follow one.
const trap = "/conformance/trap"

// request is one request as it arrived.
type request struct {
	method string
	path   string
	query  url.Values
	body   []byte
	token  bool // a sign-in
	bearer string
}

func (r request) writes() bool {
	return !r.token && r.method != http.MethodGet && r.method != http.MethodHead
}

// wire stands between connector and simulator. It records each request and
// spoils the answers it was told to.
type wire struct {
	world World
	gate  *gate
	srv   *httptest.Server
	stop  chan struct{}

	mu       sync.Mutex
	requests []request
	spoilt   *spoilt
	page     string // "" = as asked for
	frozen   bool   // all are answered as the first one after freeze was
	ice      *httptest.ResponseRecorder
	total    func(real int) int
}

// spoilt says which requests meet a fault: those of one sort, after skip of them.
type spoilt struct {
	fault  fault
	tokens bool
	skip   int
	times  int // 0 = all that follow
	met    int
}

func newWire(world World, g *gate) *wire {
	w := &wire{world: world, gate: g, stop: make(chan struct{})}
	w.srv = httptest.NewServer(w)
	return w
}

func (w *wire) close() {
	close(w.stop)
	w.srv.Close()
}

// spoil makes the requests that s names meet its fault, until calm.
func (w *wire) spoil(s spoilt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.spoilt = &s
}

func (w *wire) calm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.spoilt = nil
}

// met counts the requests that met the fault.
func (w *wire) met() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.spoilt == nil {
		return 0
	}
	return w.spoilt.met
}

// mark is a place in the record of requests.
func (w *wire) mark() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.requests)
}

// since returns the requests after a mark.
func (w *wire) since(mark int) []request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.requests[mark:])
}

// calls counts the requests after a mark that are no sign-ins.
func (w *wire) calls(mark int) int {
	n := 0
	for _, r := range w.since(mark) {
		if !r.token {
			n++
		}
	}
	return n
}

// written counts the requests after a mark that write.
func (w *wire) written(mark int) int {
	n := 0
	for _, r := range w.since(mark) {
		if r.writes() {
			n++
		}
	}
	return n
}

// smallPages lets the vendor serve two entries a page, and count them as total
// says; nil counts them right.
func (w *wire) smallPages(total func(int) int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.page, w.total = "2", total
}

// freeze lets the vendor answer every request like the next one.
func (w *wire) freeze() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frozen = true
}

// thaw answers a request from the ice, once there is some.
func (w *wire) thaw(x *exchange) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ice == nil {
		w.ice = httptest.NewRecorder()
		w.world.Handler.ServeHTTP(w.ice, x.r)
	}
	for name, values := range w.ice.Header() {
		x.rw.Header()[name] = values
	}
	x.status, x.body = w.ice.Code, w.ice.Body.Bytes()
	x.answer()
}

func (w *wire) isFrozen() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.frozen
}

// ServeHTTP implements http.Handler.
func (w *wire) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	token := w.world.IsToken(r)
	f, total := w.record(r, body, token)
	x := &exchange{wire: w, rw: rw, r: r, status: http.StatusOK}
	switch {
	case r.URL.Path == trap: // an empty 200, which scene.inspect will not let pass
	case f != nil:
		f.serve(x)
	case w.isFrozen() && !token:
		w.thaw(x)
	case total != nil && !token:
		x.effect()
		x.recount(w.world.TotalField, total)
		x.answer()
	default:
		w.world.Handler.ServeHTTP(rw, r)
	}
}

// record keeps the request and returns the fault it meets.
func (w *wire) record(r *http.Request, body []byte, token bool) (*fault, func(int) int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	bearer := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	w.requests = append(w.requests, request{
		method: r.Method, path: r.URL.Path, query: r.URL.Query(), body: body, token: token, bearer: bearer,
	})
	if !token {
		w.gate.note(event{what: eventRequest, writes: w.requests[len(w.requests)-1].writes()})
	}
	if q := r.URL.Query(); w.page != "" && w.world.PageParam != "" && q.Has(w.world.PageParam) {
		q.Set(w.world.PageParam, w.page)
		r.URL.RawQuery = q.Encode()
	}
	s := w.spoilt
	if s == nil || s.tokens != token || r.URL.Path == trap {
		return nil, w.total
	}
	if s.skip > 0 {
		s.skip--
		return nil, w.total
	}
	if s.times > 0 && s.met >= s.times {
		return nil, w.total
	}
	s.met++
	return &s.fault, nil
}

// forced tells whether a request asks the vendor to force: a parameter or member
// called force, at any depth, that is not plainly false.
func (r request) forced() bool {
	values := r.query
	if form, err := url.ParseQuery(string(r.body)); err == nil && !json.Valid(r.body) {
		for name, v := range form {
			values[name] = append(values[name], v...)
		}
	}
	for name, vs := range values {
		if strings.EqualFold(name, "force") && slices.ContainsFunc(vs, func(v string) bool { return !plainlyFalse(v) }) {
			return true
		}
	}
	var tree any
	return json.Unmarshal(r.body, &tree) == nil && forces(tree)
}

func forces(tree any) bool {
	switch t := tree.(type) {
	case map[string]any:
		for name, v := range t {
			if strings.EqualFold(name, "force") && !plainlyFalse(v) || forces(v) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(t, forces)
	}
	return false
}

func plainlyFalse(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return strings.EqualFold(v, "false") || v == "0"
	case float64:
		return v == 0
	}
	return false
}
