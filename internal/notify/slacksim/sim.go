package slacksim

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"sendoff/connectors/simkit"
)

// opPost is the one operation, as the request log names it.
const opPost = "webhook.post"

// spacing is how far apart messages by one webhook are, about.
const spacing = time.Second

// State is what became of a webhook or its channel.
type State string

// The states, by the error that a post gets; the empty one takes posts.
const (
	Open             State = ""
	ChannelArchived  State = "channel_is_archived"
	ChannelNotFound  State = "channel_not_found"
	NoService        State = "no_service"
	NoTeam           State = "no_team"
	ActionProhibited State = "action_prohibited"
	InvalidToken     State = "invalid_token"
	RollupError      State = "rollup_error"
)

// status is the status that comes with the error.
func (s State) status() int {
	switch s {
	case ChannelArchived:
		return http.StatusGone
	case ChannelNotFound, NoService, NoTeam:
		return http.StatusNotFound
	case ActionProhibited, InvalidToken:
		return http.StatusForbidden
	case RollupError:
		return http.StatusInternalServerError
	}
	return http.StatusOK
}

// Config says what the simulator begins with.
type Config struct {
	// Webhooks are the paths of the webhooks there are, such as
	// /services/T1/B1/secret.
	Webhooks []string
	// Unlimited takes messages as fast as they come.
	Unlimited bool
	Now       func() time.Time // nil = the clock
}

// Message is what a channel shows.
type Message struct {
	Webhook string `json:"webhook"`
	Text    string `json:"text"` // as it came
	Shown   string `json:"shown"`
	// Mentions are those that reached people: <!channel>, <@U123>.
	Mentions []string `json:"mentions"`
}

// Sim is a simulated Slack. It is safe for concurrent use.
type Sim struct {
	pipe      simkit.Pipe
	mux       *http.ServeMux
	unlimited bool
	now       func() time.Time

	mu       sync.Mutex
	webhooks map[string]State
	next     map[string]time.Time // when a webhook takes the next message
	messages []Message
}

// New returns a simulator.
func New(cfg Config) *Sim {
	s := &Sim{mux: http.NewServeMux(), unlimited: cfg.Unlimited, now: cfg.Now, webhooks: map[string]State{}, next: map[string]time.Time{}}
	if s.now == nil {
		s.now = time.Now
	}
	for _, path := range cfg.Webhooks {
		s.webhooks[path] = Open
	}
	s.pipe.Faults.Know([]string{opPost})
	s.pipe.Control(s.mux)
	s.mux.HandleFunc("GET /_sim/messages", func(w http.ResponseWriter, _ *http.Request) {
		simkit.WriteJSON(w, http.StatusOK, map[string]any{"messages": append([]Message{}, s.Messages()...)})
	})
	s.mux.HandleFunc("/services/", s.serve)
	return s
}

// ServeHTTP answers as Slack does.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Set changes what became of a webhook.
func (s *Sim) Set(path string, to State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.webhooks[path] = to
}

// Fail adds faults to the schedule.
func (s *Sim) Fail(faults ...simkit.Fault) error { return s.pipe.Faults.Add(faults...) }

// Messages returns what was posted, oldest first.
func (s *Sim) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message(nil), s.messages...)
}

// Requests returns every request, the refused ones too.
func (s *Sim) Requests() []simkit.Record { return s.pipe.Log.Records() }

// Serve answers on loopback until ctx ends.
func (s *Sim) Serve(ctx context.Context, addr string, ready func(base string) error) error {
	ln, err := simkit.ListenLoopback(addr)
	if err != nil {
		return err
	}
	if err := ready("http://" + ln.Addr().String()); err != nil {
		_ = ln.Close()
		return err
	}
	return simkit.Serve(ctx, ln, s)
}

func (s *Sim) serve(w http.ResponseWriter, r *http.Request) {
	c, err := simkit.NewCall(r, opPost, r.URL.Path)
	if err != nil {
		http.Error(w, "invalid_payload", http.StatusBadRequest)
		return
	}
	s.pipe.Serve(w, c, s.post)
}

func say(c *simkit.Call, status int, word string) { c.Raw(status, "text/html", []byte(word)) }

// post judges a message in the order of Slack's errors: the webhook, the rate,
// the payload.
func (s *Sim) post(c *simkit.Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := c.Request.URL.Path
	state, known := s.webhooks[path]
	switch {
	case !known:
		say(c, http.StatusNotFound, string(NoService))
	case c.Request.Method != http.MethodPost:
		say(c, http.StatusBadRequest, "invalid_payload")
	case state != Open:
		say(c, state.status(), string(state))
	case !s.unlimited && s.now().Before(s.next[path]):
		c.Header().Set("Retry-After", strconv.Itoa(int(spacing/time.Second)))
		say(c, http.StatusTooManyRequests, "rate_limited")
	default:
		s.take(c, path)
	}
}

func (s *Sim) take(c *simkit.Call, path string) {
	var payload struct {
		Text   string            `json:"text"`
		Blocks []json.RawMessage `json:"blocks"`
	}
	if !strings.HasPrefix(c.Request.Header.Get("Content-Type"), "application/json") || json.Unmarshal(c.Body, &payload) != nil {
		say(c, http.StatusBadRequest, "invalid_payload")
		return
	}
	if strings.TrimSpace(payload.Text) == "" && len(payload.Blocks) == 0 {
		say(c, http.StatusBadRequest, "no_text")
		return
	}
	s.next[path] = s.now().Add(spacing)
	shown, mentions := show(payload.Text)
	s.messages = append(s.messages, Message{Webhook: path, Text: payload.Text, Shown: shown, Mentions: mentions})
	say(c, http.StatusOK, "ok")
}

// show reads a text as Slack's clients do: what stands in angle brackets is a
// mention or a link, and three entities are written out.
func show(text string) (shown string, mentions []string) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "<")
		b.WriteString(before)
		inner, after, closed := strings.Cut(rest, ">")
		if !found || !closed {
			b.WriteString(text[len(before):])
			break
		}
		if strings.HasPrefix(inner, "!") || strings.HasPrefix(inner, "@") || strings.HasPrefix(inner, "#") {
			mentions = append(mentions, inner)
		}
		_, label, labelled := strings.Cut(inner, "|")
		if !labelled {
			label = inner
		}
		b.WriteString(label)
		text = after
	}
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(b.String()), mentions
}
