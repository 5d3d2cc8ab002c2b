package scim

import (
	"context"
	"crypto/sha256"
	"net/http"
	"strings"
	"unicode/utf8"

	"go.uber.org/zap"

	"sendoff/schema"
)

// Prefix is the path that everything is served under.
const Prefix = "/scim/v2"

// maxToken bounds what is hashed for a caller who has not proven anything.
const maxToken = 256

// Config is what a server is made of.
type Config struct {
	Store Store
	// Log learns of our own failures; nil = nobody does.
	Log *zap.Logger
	// PublicURL is scheme and host of the addresses in answers; empty = those of the
	// request.
	PublicURL string
}

type server struct {
	store  Store
	log    *zap.Logger
	public string
	user   *resourceType
	group  *resourceType
	common []attribute
}

// New makes the handler of everything under Prefix.
func New(c Config) http.Handler {
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	return &server{
		store: c.Store, log: c.Log, public: strings.TrimRight(c.PublicURL, "/"),
		user: userType(), group: groupType(), common: commonAttributes(),
	}
}

// call is one request of a source.
type call struct {
	*server
	w      http.ResponseWriter
	r      *http.Request
	source schema.SourceID
	base   string // absolute, up to and with Prefix
}

// ServeHTTP proves the caller before anything else, so that one who has no token
// learns nothing, not even which routes there are.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	source, err := s.authenticate(r.Context(), r.Header.Get("Authorization"))
	if err != nil {
		s.fail(w, err)
		return
	}
	c := &call{server: s, w: w, r: r, source: source.ID, base: s.origin(r) + Prefix}
	if err := c.route(); err != nil {
		s.fail(w, err)
	}
}

// authenticate does the same work whatever the header holds: one hash, one
// question to the store.
func (s *server) authenticate(ctx context.Context, header string) (schema.Source, error) {
	scheme, token, _ := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "bearer") || len(token) > maxToken {
		token = ""
	}
	source, err := s.store.AuthenticateSource(ctx, sha256.Sum256([]byte(token)))
	if err == nil && token == "" {
		err = &schema.Error{Code: schema.CodeUnauthorized, Message: "no token"}
	}
	return source, err
}

// origin is scheme and host of our own addresses.
func (s *server) origin(r *http.Request) string {
	if s.public != "" {
		return s.public
	}
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// route finds the operation of method and path. Query parameters choose nothing:
// Entra puts flags of its own there.
func (c *call) route() error {
	path := strings.Trim(strings.TrimPrefix(c.r.URL.Path, Prefix), "/")
	if !utf8.ValidString(path) || strings.ContainsRune(path, 0) {
		return c.unknown()
	}
	first, rest, deeper := strings.Cut(path, "/")
	switch first {
	case c.user.endpoint:
		return c.resources(c.user, rest, deeper)
	case c.group.endpoint:
		return c.resources(c.group, rest, deeper)
	case ".search":
		if deeper {
			return c.unknown()
		}
		return c.only(http.MethodPost, func() error { return c.search(c.user, c.group) })
	case "ServiceProviderConfig", "Schemas", "ResourceTypes":
		return c.only(http.MethodGet, func() error { return c.discover(first, rest, deeper) })
	case "Bulk", "Me":
		return &fault{http.StatusNotImplemented, "", first + " is not supported"}
	}
	return c.unknown()
}

func (c *call) unknown() error {
	return &fault{http.StatusNotFound, "", "there is nothing at this address"}
}

func (c *call) only(method string, do func() error) error {
	if c.r.Method == method {
		return do()
	}
	return c.notAllowed(method)
}

func (c *call) notAllowed(allowed ...string) error {
	c.w.Header().Set("Allow", strings.Join(allowed, ", "))
	return &fault{http.StatusMethodNotAllowed, "", "the method is not allowed here"}
}

// resources routes what is at and below the endpoint of a type.
func (c *call) resources(rt *resourceType, id string, deeper bool) error {
	switch {
	case !deeper:
		switch c.r.Method {
		case http.MethodGet:
			return c.listByQuery(rt)
		case http.MethodPost:
			return c.create(rt)
		}
		return c.notAllowed(http.MethodGet, http.MethodPost)
	case id == ".search":
		return c.only(http.MethodPost, func() error { return c.search(rt) })
	case strings.Contains(id, "/"):
		return c.unknown()
	}
	switch c.r.Method {
	case http.MethodGet:
		return c.get(rt, id)
	case http.MethodPut:
		return c.put(rt, id)
	case http.MethodPatch:
		return c.patch(rt, id)
	case http.MethodDelete:
		return c.delete(rt, id)
	}
	return c.notAllowed(http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete)
}
