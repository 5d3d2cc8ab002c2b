package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"go.uber.org/zap"

	"sendoff/schema"
)

const (
	maxBody = 1 << 20 // bytes
	// A thousand leavers are looked up in one request, at the pace of the vendor's
	// rate.
	requestTimeout = 20 * time.Minute
)

// Config is what the API is built from. Store, Planner and Checker are needed.
type Config struct {
	Store   Store
	Planner Planner
	Checker ConnectionChecker
	// HR keeps what HR tells; nil = none of its operations is served.
	HR HRStore
	// Policies keeps inactivity policies, and Judge says what they come to; nil =
	// none of their operations is served.
	Policies PolicyStore
	Judge    PolicyJudge
	// AccessReviews keeps the definitions of access reviews, and Campaigns what is
	// decided in them; nil = none of their operations is served.
	AccessReviews AccessReviewStore
	Campaigns     CampaignStore
	// Asks answers questions by their links; nil = their pages are not served.
	Asks AskStore
	// SCIM serves identity providers below /scim/v2/ and authenticates them itself;
	// nil = it is not served.
	SCIM    http.Handler
	Log     *zap.Logger      // nil is silent
	Version string           // of the program, for GET /v1/version
	Now     func() time.Time // nil is the clock
	// PublicURL is where browsers reach this server, "" = nowhere: it is what
	// vendors send people back to who consented.
	PublicURL string
	// Observer measures and traces requests; nil = nobody does.
	Observer Observer
	// Events counts what sources of HR events tell; nil = nobody does.
	Events EventCounter
	// Probes are served beside the API; without Ready, the store's Ping decides.
	Probes Probes
}

// Observer measures and traces requests.
type Observer interface {
	// BeginRequest returns the context that the request goes on with. end is
	// called once, with the pattern of the route ("" = not routed) and the status.
	BeginRequest(r *http.Request) (_ context.Context, end func(route string, status int))
}

// nobody observes nothing.
type nobody struct{}

func (nobody) BeginRequest(r *http.Request) (context.Context, func(string, int)) {
	return r.Context(), func(string, int) {}
}

type server struct {
	store   Store
	planner Planner
	checker ConnectionChecker
	hr      HRStore // nil = nothing of HR is served
	// policies and judge are Config's.
	policies PolicyStore
	judge    PolicyJudge
	// accessReviews and campaigns are Config's.
	accessReviews AccessReviewStore
	campaigns     CampaignStore
	log           *zap.Logger
	version       string
	// publicURL is Config's.
	publicURL string
	now       func() time.Time
	api       huma.API
	watch     Observer
	counter   EventCounter
}

// New builds the API. It panics for a Config that lacks a part: that is a fault
// of the program, found at its first start.
func New(cfg Config) http.Handler {
	if cfg.Store == nil || cfg.Planner == nil || cfg.Checker == nil {
		panic("web: the API needs a store, a planner and a connection checker")
	}
	s := &server{
		store: cfg.Store, planner: cfg.Planner, checker: cfg.Checker, hr: cfg.HR, policies: cfg.Policies, judge: cfg.Judge,
		accessReviews: cfg.AccessReviews, campaigns: cfg.Campaigns,
		log: cfg.Log, version: cfg.Version, now: cfg.Now, publicURL: cfg.PublicURL,
	}
	if s.log == nil {
		s.log = zap.NewNop()
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.watch = cfg.Observer; s.watch == nil {
		s.watch = nobody{}
	}
	if s.counter = cfg.Events; s.counter == nil {
		s.counter = uncounted{}
	}
	if cfg.Probes.Ready == nil {
		cfg.Probes.Ready = s.reachesStore
	}
	mux := http.NewServeMux()
	s.api = humago.New(mux, describe(cfg.Version))
	s.registerAll()
	s.serveSpec(mux)
	cfg.Probes.register(mux)
	s.serveCallback(mux)
	s.serveSCIM(mux, cfg.SCIM)
	s.serveHooks(mux)
	s.serveAnswers(mux, cfg.Asks)
	s.serveMetrics(mux, cfg.Probes.Metrics)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, errNoPath())
	})
	return s.wrap(mux)
}

func errNoPath() error {
	return &schema.Error{Code: schema.CodeNotFound, Message: "there is no such path or method", Fix: "see /openapi.json"}
}

// wrap puts the layers that every request passes around the mux.
func (s *server) wrap(mux *http.ServeMux) http.Handler {
	sameSite, pages := http.NewCrossOriginProtection(), newAnswerPages(nil)
	sameSite.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, answerPrefix) {
			pages.refuseElsewhere(w)
			return
		}
		writeProblem(w, &schema.Error{
			Code: schema.CodeForbidden, Message: "a browser sent this from another site",
			Fix: "call the API from a program, not from another site's page",
		})
	}))
	routed := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { exchangeOf(r.Context()).route = r.Pattern }() // the mux sets it, also when a handler panics
		mux.ServeHTTP(w, r)
	})
	return s.observe(harden(sameSite.Handler(s.authenticate(routed))))
}

// describe is the head of the OpenAPI document. The framework's own routes for
// documents and schemas stay off, and so does its $schema link in each answer.
func describe(version string) huma.Config {
	if version == "" {
		version = "dev"
	}
	cfg := huma.DefaultConfig("sendoff", version)
	cfg.OpenAPIPath, cfg.DocsPath, cfg.SchemasPath, cfg.CreateHooks = "", "", "", nil
	cfg.RejectUnknownQueryParameters = true
	cfg.Transformers = []huma.Transformer{stripEcho}
	cfg.Info.Description = "Offboards people from SaaS applications, with proof. " +
		"Every list is paged by cursor and limit; every error is a problem document with a code and a fix."
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "An API token, sendoff_..."},
	}
	return cfg
}

// serveSpec serves the document, rendered when it is first asked for.
func (s *server) serveSpec(mux *http.ServeMux) {
	// The framework registers its own error form for each operation; no answer has it.
	registered := s.api.OpenAPI().Components.Schemas.Map()
	delete(registered, "ErrorModel")
	delete(registered, "ErrorDetail")
	serve := func(contentType string, render func() ([]byte, error)) http.HandlerFunc {
		body := sync.OnceValues(render)
		return func(w http.ResponseWriter, _ *http.Request) {
			text, err := body()
			if err != nil {
				s.log.Error("cannot render the OpenAPI document", zap.Error(err))
				http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
				return
			}
			w.Header().Set("Content-Type", contentType)
			_, _ = w.Write(text)
		}
	}
	mux.HandleFunc("GET /openapi.json", serve("application/openapi+json", func() ([]byte, error) {
		return json.MarshalIndent(s.api.OpenAPI(), "", "  ")
	}))
	mux.HandleFunc("GET /openapi.yaml", serve("application/openapi+yaml", s.api.OpenAPI().YAML))
}

// readyPatience bounds the asking of a database that may be gone.
const readyPatience = 2 * time.Second

// reachesStore is what a server without anything better is ready by.
func (s *server) reachesStore(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyPatience)
	defer cancel()
	if s.store.Ping(ctx) == nil {
		return nil
	}
	return &schema.Error{
		Code: schema.CodeUnavailable, Message: "the database does not answer", Fix: "see the server's log and Postgres",
	}
}

// NewServer returns an HTTP server for the handler with the timeouts and limits
// that a server open to a network needs. The caller sets no address: it listens
// itself and calls Serve.
func NewServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      requestTimeout + 30*time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
}
