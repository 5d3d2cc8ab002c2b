package httpx

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"

	"sendoff/connectors"
)

// ParseURL reads the address of a vendor: https, or http on a loopback host,
// without user, query or fragment. Its errors do not repeat the address, which
// may hold a password.
func ParseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return nil, errors.New("the address is not an absolute URL: write it like https://api.example.com")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return nil, errors.New("the address must not hold a user, a query or a fragment")
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return u, nil
	default:
		return nil, errors.New("the address must begin with https://; plain http is for loopback hosts alone")
	}
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// check refuses what must never leave and returns the body as JSON.
func (c *Client) check(req Request) ([]byte, error) {
	blocked := func(detail string) error {
		return &connectors.Error{Kind: connectors.Blocked, Op: req.Op, Detail: detail}
	}
	if c.opts.ReadOnly && req.isWrite() {
		return nil, blocked("the connection is read-only")
	}
	if !cleanPath(req.Path) || !knownMethod(req.Method) {
		return nil, &connectors.Error{Kind: connectors.Invalid, Op: req.Op, Detail: "the request's method or path is not valid; nothing was sent"}
	}
	for name, values := range req.Query {
		for _, v := range values {
			if strings.EqualFold(name, "force") && !isFalse(v) {
				return nil, blocked("the request would force the vendor, which is never done")
			}
		}
	}
	if req.Body == nil {
		return nil, nil
	}
	body, err := json.Marshal(req.Body)
	if err != nil {
		return nil, &connectors.Error{Kind: connectors.Invalid, Op: req.Op, Detail: "the request's body cannot be written as JSON"}
	}
	var tree any
	if err := json.Unmarshal(body, &tree); err != nil || forces(tree) {
		return nil, blocked("the request would force the vendor, which is never done")
	}
	return body, nil
}

// cleanPath tells whether p is absolute, holds no query and does not climb.
func cleanPath(p string) bool {
	if !strings.HasPrefix(p, "/") || strings.ContainsAny(p, "?# \\") {
		return false
	}
	plain, err := url.PathUnescape(p)
	return err == nil && !strings.ContainsAny(plain, "?#\\") && path.Clean(plain) == plain
}

func knownMethod(m string) bool {
	switch m {
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return true
	default:
		return false
	}
}

// forces looks for a force that is not false, at any depth. Vendors differ in
// what they read as true, so whatever is not plainly false counts.
func forces(tree any) bool {
	switch t := tree.(type) {
	case map[string]any:
		for name, v := range t {
			if strings.EqualFold(name, "force") && !isFalse(v) || forces(v) {
				return true
			}
		}
	case []any:
		for _, v := range t {
			if forces(v) {
				return true
			}
		}
	}
	return false
}

func isFalse(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return strings.EqualFold(v, "false") || v == "0"
	case float64:
		return v == 0
	default:
		return false
	}
}
