package boxsim

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"sendoff/connectors/simkit"
)

// Sim is one simulated Box enterprise. It is safe for concurrent use.
type Sim struct {
	cfg   Config
	clock simkit.Clock
	pipe  simkit.Pipe
	log   *slog.Logger
	mux   *http.ServeMux

	mu       sync.Mutex // guards everything below; never held while waiting
	w        *world
	switches Switches
	tokens   map[string]*token
	oauth    oauthState
	issued   int
	requests int
	calls    map[string][]time.Time // rate window per user
	listings map[listingKey]*listingState
	admin    string
	service  string
}

// New builds the company that cfg describes.
func New(cfg Config) (*Sim, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Epoch.IsZero() {
		cfg.Epoch = time.Now()
	}
	cfg.Epoch = cfg.Epoch.UTC().Truncate(time.Second)
	cfg.TokenLife = cmp.Or(cfg.TokenLife, time.Hour)
	cfg.CodeLife = cmp.Or(cfg.CodeLife, codeLife)
	cfg.RefreshLife = cmp.Or(cfg.RefreshLife, refreshLife)
	s := &Sim{
		cfg: cfg, clock: simkit.NewClock(cfg.Scale), log: cfg.Logger, switches: cfg.Switches,
		w: newWorld(), tokens: map[string]*token{}, oauth: newOAuthState(), calls: map[string][]time.Time{},
		listings: map[listingKey]*listingState{},
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.pipe.ErrorBody = func(status int) any {
		code, message := plainCode(status)
		e := fail(status, code, message)
		e.RequestID = "injected"
		return e
	}
	s.pipe.Expire = s.expire
	s.pipe.Faults.Know(operations())
	s.populate()
	s.mux = s.routes()
	return s, nil
}

// Handler serves Box's API, its token endpoint and the control endpoints
// under /_sim/.
func (s *Sim) Handler() http.Handler { return s.mux }

// Serve answers on ln until ctx ends.
func (s *Sim) Serve(ctx context.Context, ln net.Listener) error {
	return simkit.Serve(ctx, ln, s.mux)
}

// Banner is the line a simulator prints once it serves: all that a client
// needs to connect. BaseURL is the API's root without /2.0.
type Banner struct {
	BaseURL      string `json:"base_url"`
	UploadURL    string `json:"upload_url"`
	TokenURL     string `json:"token_url"`
	AuthorizeURL string `json:"authorize_url"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	EnterpriseID string `json:"enterprise_id"`
	AdminID      string `json:"admin_id"`
}

// Banner describes this simulator as reached under base.
func (s *Sim) Banner(base string) Banner {
	return Banner{
		BaseURL: base, UploadURL: base, TokenURL: base + "/oauth2/token",
		AuthorizeURL: base + "/api/oauth2/authorize",
		ClientID:     MainClientID, ClientSecret: ClientSecret, EnterpriseID: EnterpriseID, AdminID: s.admin,
	}
}

// Server is a simulator that listens.
type Server struct {
	cancel context.CancelFunc
	done   chan error
}

// Start listens on addr, which must be loopback (127.0.0.1:0 picks a port),
// and serves until Close.
func (s *Sim) Start(addr string) (*Server, Banner, error) {
	ln, err := simkit.ListenLoopback(addr)
	if err != nil {
		return nil, Banner{}, fmt.Errorf("box simulator: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	srv := &Server{cancel: cancel, done: make(chan error, 1)}
	go func() { srv.done <- s.Serve(ctx, ln) }()
	return srv, s.Banner("http://" + ln.Addr().String()), nil
}

// Close lets go of all open calls and stops listening. Call it once.
func (s *Server) Close() error {
	s.cancel()
	return <-s.done
}

// advance brings the world to now: jobs move what is due, old trash goes.
func (s *Sim) advance(now time.Time) {
	s.advanceJobs(now)
	s.settlePolicies(now)
	s.purgeOldTrash(now)
}
