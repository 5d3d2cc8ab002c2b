package bamboosim

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	mrand "math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"sendoff/connectors/simkit"
)

// Sim is one simulated company. It is safe for concurrent use. Close it.
type Sim struct {
	cfg   Config
	clock simkit.Clock
	pipe  simkit.Pipe
	log   *slog.Logger
	mux   *http.ServeMux
	rng   *mrand.Rand
	http  *http.Client

	ctx     context.Context // of deliveries
	stop    context.CancelFunc
	sending sync.WaitGroup

	mu        sync.Mutex // guards everything below; never held while waiting
	switches  Switches
	employees map[int]*employee
	lastID    int
	lastRow   int
	days      int // that the company is ahead of the wall
	hooks     []*webhook
	lastHook  int
	sent      []Delivery
	calls     []time.Time // of the last minute
	requests  int
	firstKey  string
}

// deliveryTimeout bounds one request to a webhook.
const deliveryTimeout = 30 * time.Second

// New builds the company that cfg describes.
func New(cfg Config) (*Sim, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	s := &Sim{
		cfg: cfg, clock: simkit.NewClock(cfg.Scale), log: cfg.Logger, switches: cfg.Switches, employees: map[int]*employee{},
		rng:  mrand.New(mrand.NewPCG(uint64(cfg.Seed), 0xba3b00)), //nolint:gosec // a seed must give one company
		http: &http.Client{Transport: &http.Transport{}, Timeout: deliveryTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.pipe.Faults.Know(operations())
	for _, p := range cfg.People {
		if _, err := s.hire(p); err != nil {
			return nil, fmt.Errorf("bamboohr simulator: %w", err)
		}
	}
	if err := s.makeUp(cfg.Employees); err != nil {
		return nil, fmt.Errorf("bamboohr simulator: %w", err)
	}
	if cfg.WebhookURL != "" {
		s.firstHook()
	}
	s.mux = s.routes()
	return s, nil
}

// firstHook makes the webhook of the configuration.
func (s *Sim) firstHook() {
	w := webhookBody{
		Name: "sendoff", URL: s.cfg.WebhookURL, Format: formatJSON,
		MonitorFields: []string{"status", "terminationDate", "employmentHistoryStatus", "supervisorEId", "workEmail", "firstName", "lastName", "department", "location", "hireDate"},
		Events:        []string{"employee.created", "employee.updated", "employee.deleted"},
	}
	if s.cfg.WithFields {
		w.Events = []string{"employee_with_fields.created", "employee_with_fields.updated", "employee_with_fields.deleted"}
		w.PostFields = map[string]string{"employeeNumber": "Employee #", "status": "Status", "terminationDate": "Termination Date"}
	}
	s.firstKey = s.addHook(w).privateKey
}

// newKey is 32 hexadecimal digits, as BambooHR's keys are.
func newKey() string {
	key := make([]byte, 16)
	_, _ = rand.Read(key) // never fails
	return hex.EncodeToString(key)
}

// now is the wall's instant.
func (s *Sim) now() time.Time { return s.clock.Now() }

// today is the company's day, in UTC.
func (s *Sim) today() time.Time {
	return s.now().Truncate(24*time.Hour).AddDate(0, 0, s.days)
}

// Handler serves the API and the control endpoints under /_sim/.
func (s *Sim) Handler() http.Handler { return s.mux }

// Serve answers on ln until ctx ends.
func (s *Sim) Serve(ctx context.Context, ln net.Listener) error {
	defer s.Close()
	return simkit.Serve(ctx, ln, s.mux)
}

// Close ends the deliveries that are under way.
func (s *Sim) Close() {
	s.stop()
	s.sending.Wait()
	s.http.CloseIdleConnections()
}

// Requests returns the log of all requests so far.
func (s *Sim) Requests() []simkit.Record { return s.pipe.Log.Records() }

// AddFaults schedules faults; see simkit.Fault.
func (s *Sim) AddFaults(faults ...simkit.Fault) error { return s.pipe.Faults.Add(faults...) }

// SetSwitches replaces all switches.
func (s *Sim) SetSwitches(to Switches) error {
	if err := to.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.switches = to
	return nil
}

// Banner is the line a simulator prints once it serves.
type Banner struct {
	BaseURL    string `json:"base_url"`
	Company    string `json:"company"`
	APIKey     string `json:"api_key"`
	PrivateKey string `json:"private_key"` // of the first webhook; empty = there is none
}

// Banner describes this simulator as reached under base.
func (s *Sim) Banner(base string) Banner {
	return Banner{BaseURL: base + "/api", Company: Company, APIKey: APIKey, PrivateKey: s.firstKey}
}

// Server is a simulator that listens.
type Server struct {
	cancel context.CancelFunc
	done   chan error
}

// Start listens on addr, which must be loopback (127.0.0.1:0 picks a port), and
// serves until Close.
func (s *Sim) Start(addr string) (*Server, Banner, error) {
	ln, err := simkit.ListenLoopback(addr)
	if err != nil {
		return nil, Banner{}, fmt.Errorf("bamboohr simulator: %w", err)
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

// defaultEmployees is the size of the company of a simulator that runs as a command.
const defaultEmployees = 50

// Run prints the banner as one line of JSON and serves until ctx ends. Nobody at
// all is 50 employees.
func Run(ctx context.Context, addr string, cfg Config, stdout io.Writer) error {
	if cfg.Employees == 0 && len(cfg.People) == 0 {
		cfg.Employees = defaultEmployees
	}
	s, err := New(cfg)
	if err != nil {
		return err
	}
	ln, err := simkit.ListenLoopback(addr)
	if err != nil {
		return fmt.Errorf("bamboohr simulator: %w", err)
	}
	line, err := json.Marshal(s.Banner("http://" + ln.Addr().String()))
	if err == nil {
		_, err = fmt.Fprintf(stdout, "%s\n", line)
	}
	if err != nil {
		_ = ln.Close()
		return fmt.Errorf("bamboohr simulator: print the banner: %w", err)
	}
	return s.Serve(ctx, ln)
}
