package conformance

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
)

// exchange is one request under a fault and the answer it will get.
type exchange struct {
	wire   *wire
	rw     http.ResponseWriter
	r      *http.Request
	status int
	body   []byte
}

// effect lets the simulator serve the request and keeps what it answered.
func (x *exchange) effect() {
	rec := httptest.NewRecorder()
	x.wire.world.Handler.ServeHTTP(rec, x.r)
	for name, values := range rec.Header() {
		x.rw.Header()[name] = values
	}
	x.status, x.body = rec.Code, rec.Body.Bytes()
}

// refuse makes the answer the vendor's refusal, with a text that names a person.
func (x *exchange) refuse(status int) {
	x.rw.Header().Set("Content-Type", "application/json")
	x.status, x.body = status, x.wire.world.ErrorBody(status, canaryText)
}

// page makes the answer one for people, as gateways give.
func (x *exchange) page(status int) {
	x.rw.Header().Set("Content-Type", "text/html")
	x.status, x.body = status, []byte("<html><body>"+http.StatusText(status)+" "+canaryText+"</body></html>")
}

// answer sends the answer.
func (x *exchange) answer() {
	if x.status != http.StatusNoContent {
		x.rw.Header().Set("Content-Length", strconv.Itoa(len(x.body)))
	}
	x.rw.WriteHeader(x.status)
	_, _ = x.rw.Write(x.body)
}

// cut sends half of the answer. One without a body is sent as it is.
func (x *exchange) cut() {
	if len(x.body) < 2 {
		x.answer()
		return
	}
	x.rw.Header().Set("Content-Length", strconv.Itoa(len(x.body)))
	x.rw.WriteHeader(x.status)
	_, _ = x.rw.Write(x.body[:len(x.body)/2])
	if f, ok := x.rw.(http.Flusher); ok {
		f.Flush()
	}
	drop()
}

// hang waits until the client has gone.
func (x *exchange) hang() {
	select {
	case <-x.r.Context().Done():
	case <-x.wire.stop:
	}
	drop()
}

// drop closes the connection without an answer.
func drop() { panic(http.ErrAbortHandler) }

// recount changes what a listing says of its own length.
func (x *exchange) recount(field string, total func(int) int) {
	var tree map[string]json.RawMessage
	var count int
	if json.Unmarshal(x.body, &tree) != nil || json.Unmarshal(tree[field], &count) != nil {
		return
	}
	tree[field] = json.RawMessage(strconv.Itoa(total(count)))
	x.body, _ = json.Marshal(tree)
}

// mistype changes the type of every value of the answer and keeps its shape.
func (x *exchange) mistype() {
	dec := json.NewDecoder(bytes.NewReader(x.body))
	dec.UseNumber()
	var tree any
	if dec.Decode(&tree) == nil {
		x.body, _ = json.Marshal(mistyped(tree))
	}
}

func mistyped(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			v[name] = mistyped(inner)
		}
		return v
	case []any:
		return map[string]any{"0": v}
	case string:
		return map[string]any{"text": v}
	case json.Number:
		return []any{v}
	case bool:
		return "perhaps"
	}
	return []any{}
}
