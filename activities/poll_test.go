package activities_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.uber.org/zap"

	"sendoff/activities"
	"sendoff/connectors"
	"sendoff/connectors/bamboohr"
	"sendoff/connectors/bamboohr/bamboosim"
	"sendoff/connectors/simkit"
	"sendoff/schema"
)

// polled is a store of one source that is polled.
type polled struct {
	mu      sync.Mutex
	source  schema.Source
	secrets schema.SourceSecrets
	events  map[string]schema.HREvent
	order   []schema.HREvent
	failure string
	// meanwhile is called before a poll is accepted.
	meanwhile func(*polled)
}

func (p *polled) Source(_ context.Context, id schema.SourceID) (schema.Source, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if id != p.source.ID {
		return schema.Source{}, &schema.Error{Code: schema.CodeNotFound, Message: "no such source"}
	}
	return p.source, nil
}

func (p *polled) SourceSecrets(context.Context, schema.SourceID) (schema.SourceSecrets, error) {
	return p.secrets, nil
}

func (p *polled) AcceptPoll(_ context.Context, _ schema.SourceID, from, to string, events []schema.HREvent) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.meanwhile != nil {
		p.meanwhile(p)
	}
	if p.source.PollMarker != from {
		return 0, &schema.Error{Code: schema.CodeConflict, Message: "polled meanwhile"}
	}
	accepted := 0
	for _, e := range events {
		if _, known := p.events[e.EventID]; !known {
			p.events[e.EventID] = e
			p.order = append(p.order, e)
			accepted++
		}
	}
	p.source.PollMarker, p.failure = to, ""
	return accepted, nil
}

func (p *polled) PollFailed(_ context.Context, _ schema.SourceID, message string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failure = message
	return nil
}

// OpenFeed implements activities.EmployeeFeeds.
func (p *polled) OpenFeed(_ context.Context, s schema.Source, key string) (connectors.EmployeeFeed, error) {
	return bamboohr.New(connectors.FeedConfig{Source: s.ID, BaseURL: s.BaseURL, APIKey: key, Limiter: unlimited{}})
}

// newPolled is a simulated company and a store with it as a source.
func newPolled(t *testing.T, cfg bamboosim.Config) (*bamboosim.Sim, *polled) {
	t.Helper()
	sim, err := bamboosim.New(cfg)
	require.NoError(t, err)
	t.Cleanup(sim.Close)
	srv := httptest.NewServer(sim.Handler())
	t.Cleanup(srv.Close)
	return sim, &polled{
		source:  schema.Source{ID: "s1", Name: "hr", Kind: schema.SourceBambooHR, State: schema.ConnectionEnabled, BaseURL: srv.URL},
		secrets: schema.SourceSecrets{APIKey: bamboosim.APIKey}, events: map[string]schema.HREvent{},
	}
}

func (p *polled) poll() (activities.PollResult, error) {
	acts := activities.NewPolls(activities.PollsConfig{Store: p, Feeds: p})
	env := newEnv(worker.Options{}, zap.NewNop())
	env.RegisterActivity(acts)
	var out activities.PollResult
	value, err := env.ExecuteActivity(acts.PollSource, activities.PollInput{SourceID: p.source.ID})
	if err == nil {
		err = value.Get(&out)
	}
	return out, err
}

func TestAPollAcceptsWhatChanged(t *testing.T) {
	t.Parallel()
	sim, p := newPolled(t, bamboosim.Config{Employees: 20, Seed: 1})
	got, err := p.poll()
	require.NoError(t, err)
	require.Equal(t, activities.PollResult{Changed: 20, Accepted: 20}, got)
	got, err = p.poll()
	require.NoError(t, err)
	require.Zero(t, got.Accepted)

	on := time.Now().UTC().AddDate(0, 0, 14)
	require.NoError(t, sim.Terminate(bamboosim.Termination{ID: "5", Date: on.Format(time.DateOnly)}))
	got, err = p.poll()
	require.NoError(t, err)
	require.Equal(t, 1, got.Accepted)
	e := p.order[len(p.order)-1]
	require.Equal(t, []any{schema.ViaPoll, schema.ChangeEmployments, schema.SourceID("s1")}, []any{e.Via, e.Change.Kind, e.SourceID})
	require.Len(t, e.BodyHash, 64)
	require.True(t, json.Valid(e.Body))
	roster := e.Change.Roster
	require.Equal(t, schema.RosterChanges, roster.Mode)
	require.Equal(t, schema.EmploymentKey{Source: "hr", ExternalID: "5"}, roster.Employments[0].EmploymentKey)
	require.Equal(t, schema.DateOf(on), roster.Employments[0].TerminatedOn)
	require.Subset(t, roster.Fields, []string{"status", "terminated_on", "email", "manager"})
}

func TestAPollThatCannotPassIsKept(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		spoil func(*bamboosim.Sim, *polled) error
		says  string
	}{
		"wrong key": {func(_ *bamboosim.Sim, p *polled) error { p.secrets.APIKey = "wrong-key"; return nil }, "unauthorized"},
		"no key":    {func(_ *bamboosim.Sim, p *polled) error { p.secrets.APIKey = ""; return nil }, "the source has no API key"},
		"no rights": {func(s *bamboosim.Sim, _ *polled) error {
			return s.SetSwitches(bamboosim.Switches{MissingFields: []string{"terminationDate"}})
		}, "may not see terminationDate"},
		"forbidden": {func(s *bamboosim.Sim, _ *polled) error {
			return s.AddFaults(simkit.Fault{Op: "employees.changed", Action: simkit.ActionStatus, Status: 403})
		}, "forbidden"},
		"bad address": {func(_ *bamboosim.Sim, p *polled) error { p.source.BaseURL = "http://api.example.com"; return nil }, "must begin with https://"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim, p := newPolled(t, bamboosim.Config{Employees: 3})
			require.NoError(t, c.spoil(sim, p))
			got, err := p.poll()
			require.NoError(t, err, "another try would not help")
			require.True(t, got.Failed)
			require.Contains(t, p.failure, c.says)
			require.NotContains(t, p.failure, "example.com/")
			require.NotContains(t, p.failure, "wrong-key")
			require.Empty(t, p.source.PollMarker)
			require.Empty(t, p.order)
		})
	}
}

func TestAPollThatMayPassIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault simkit.Fault
		kind  activities.ErrorType
		wait  time.Duration
	}{
		"slow down": {simkit.Fault{Op: "employees.changed", Action: simkit.ActionStatus, Status: 429, Headers: map[string]string{"Retry-After": "7"}}, activities.TypeRateLimited, 7 * time.Second},
		"busy":      {simkit.Fault{Op: "employees.changed", Action: simkit.ActionStatus, Status: 503, Headers: map[string]string{"Retry-After": "9"}}, activities.TypeUnavailable, 9 * time.Second},
		"malformed": {simkit.Fault{Op: "employees.get", Action: simkit.ActionWrongTypes}, activities.TypeMalformed, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim, p := newPolled(t, bamboosim.Config{Employees: 3})
			require.NoError(t, sim.AddFaults(c.fault))
			_, err := p.poll()
			var failed *temporal.ApplicationError
			require.ErrorAs(t, err, &failed)
			require.Equal(t, c.kind, failed.Type())
			require.False(t, failed.NonRetryable())
			require.Equal(t, c.wait, failed.NextRetryDelay())
			require.Empty(t, p.failure)
		})
	}
}

func TestAPollThatSomebodyElseMade(t *testing.T) {
	t.Parallel()
	_, p := newPolled(t, bamboosim.Config{Employees: 3})
	p.meanwhile = func(p *polled) { p.source.PollMarker = "theirs" }
	got, err := p.poll()
	require.NoError(t, err)
	require.Equal(t, activities.PollResult{}, got)
	p.source.State = schema.ConnectionDisabled
	got, err = p.poll()
	require.NoError(t, err)
	require.Equal(t, activities.PollResult{}, got, "nobody asks a source that is disabled")
	p.source.ID = "other"
	require.NoError(t, activities.NewPolls(activities.PollsConfig{Store: p, Feeds: p}).GiveUpPoll(t.Context(), activities.PollInput{SourceID: "other"}))
	require.Contains(t, p.failure, "did not answer in time")
}

// TestAPollOverTheStore: the store takes what the feed makes, and once.
func TestAPollOverTheStore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sim, p := newPolled(t, bamboosim.Config{Employees: 5})
	src, err := b.CreateSource(t.Context(), schema.Source{
		Name: "people", Kind: schema.SourceBambooHR, TimeZone: "Europe/Berlin", Template: "leaver", Limit: schema.DefaultStartLimit(),
		BaseURL: p.source.BaseURL, PollEvery: time.Hour,
	}, schema.SourceSecrets{Current: "not-a-secret-of-anybody", APIKey: bamboosim.APIKey}, b.admin)
	require.NoError(t, err)
	acts := activities.NewPolls(activities.PollsConfig{Store: b.Store, Feeds: p})
	for want := range 2 {
		env := newEnv(worker.Options{}, zap.NewNop())
		env.RegisterActivity(acts)
		value, err := env.ExecuteActivity(acts.PollSource, activities.PollInput{SourceID: src.ID})
		require.NoError(t, err)
		var got activities.PollResult
		require.NoError(t, value.Get(&got))
		require.Equal(t, []int{5, 1}[want], got.Accepted)
		require.NoError(t, sim.Terminate(bamboosim.Termination{ID: "3"}))
	}
}
