package simkit

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
)

func (c *Call) headers(fault *Fault) {
	for name, value := range fault.Headers {
		c.Header().Set(name, value)
	}
}

// gateway answers as a proxy in front of the vendor does: with a page for
// people, whatever the client asked for.
func (c *Call) gateway(fault *Fault) {
	status := cmp.Or(fault.Status, http.StatusBadGateway)
	title := fmt.Sprintf("%d %s", status, http.StatusText(status))
	c.Raw(status, "text/html", []byte("<html>\r\n<head><title>"+title+"</title></head>\r\n"+
		"<body>\r\n<center><h1>"+title+"</h1></center>\r\n</body>\r\n</html>\r\n"))
	c.headers(fault)
}

// wrongTypes changes the type of every value of a JSON answer and keeps its
// shape otherwise: what a client gets from a layer that means well.
func (c *Call) wrongTypes() {
	dec := json.NewDecoder(bytes.NewReader(c.answer.body.Bytes()))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return // nothing with types in it
	}
	status, kind := c.answer.status, c.answer.header.Get("Content-Type")
	c.Raw(status, kind, encode(mistype(v)))
}

func mistype(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			v[name] = mistype(inner)
		}
		return v
	case []any:
		out := map[string]any{}
		for i, inner := range v {
			out[fmt.Sprint(i)] = mistype(inner)
		}
		return out
	case string:
		return len(v)
	case json.Number:
		return map[string]any{"value": v}
	case bool:
		return fmt.Sprint(v)
	}
	return []any{}
}
