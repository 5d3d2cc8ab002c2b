package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.uber.org/zap"

	"sendoff/activities"
	"sendoff/connectors/box/boxsim"
	"sendoff/internal/app"
	"sendoff/internal/config"
	"sendoff/internal/local/localtest"
	"sendoff/internal/secret"
	"sendoff/internal/temporalx"
)

// skipped is an installation whose months pass in seconds: the product's workflows in
// Temporal's test environments, which skip what they wait for, with its activities,
// API, database and the simulated vendor as they are, and its clocks unscaled. What
// the server process does by itself besides (schedules, due syncs, sealing) is not
// there.
//
// Each workflow has an environment with a clock of its own. So that all of them and
// the test, which plays the people, live in one time, only whoever has the earliest
// instant goes on: the others stand before their next activity.
type skipped struct {
	*stack
	mails  *mailServer
	engine *app.Engine
	clock  *pgx.Conn // where the database's clock is set

	instant atomic.Pointer[time.Time] // what time it is
	dozing  atomic.Bool               // open campaigns look seldom too

	mu     sync.Mutex
	moved  sync.Cond
	people *flow            // the test
	flows  map[string]*flow // by workflow id, those that have not ended
	seen   int
	over   bool
	failed error
}

// flow is who lives in the time.
type flow struct {
	n     int // the earlier goes first where two have one instant
	env   *testsuite.TestWorkflowEnvironment
	waits bool
	until time.Time
}

// clockSQL gives a database a clock that can be set and stands still meanwhile: where
// a search path names pg_catalog, what stands before it is found first.
const clockSQL = `create schema testclock;
	create table testclock.clock (at timestamptz not null);
	insert into testclock.clock values (pg_catalog.now());
	create function testclock.now() returns timestamptz language sql stable as 'select at from testclock.clock';
	create function testclock.clock_timestamp() returns timestamptz language sql stable as 'select at from testclock.clock';
	grant usage on schema testclock to public;
	grant select on testclock.clock to public;
	alter database %s set search_path = public, testclock, pg_catalog`

// vendorScale is how fast the vendor's jobs are: they take no skipped time to speak of.
const vendorScale = 20_000

// skipTime starts an installation and connects the vendor as "box", without a Temporal
// server.
func skipTime(t *testing.T) *skipped {
	t.Helper()
	s := &skipped{stack: &stack{t: t, dir: t.TempDir()}, mails: startMail(t), people: &flow{n: 1 << 30}, flows: map[string]*flow{}}
	s.moved.L = &s.mu
	s.sim, s.vendor = startSim(t, boxsim.Config{Seed: 1, Scale: vendorScale})
	s.openDatabase()
	host, port, err := net.SplitHostPort(s.mails.address)
	require.NoError(t, err)
	told, err := config.Load(config.Sources{
		File: s.file("sendoff.yaml", "notify:\n  smtp: {host: "+host+", port: "+port+", tls: none, from: sendoff@example.com}\n"),
		Env:  func(string) (string, bool) { return "", false },
	})
	require.NoError(t, err)
	keys, err := secret.LoadOrCreateKeyring(filepath.Join(s.dir, app.KeyFileName))
	require.NoError(t, err)
	cfg := config.Config{DatabaseURL: s.database, DatabaseOwnerURL: s.database, DataDir: s.dir, RatePerMinute: 600_000, Notify: told.Notify, Version: "e2e"}
	require.NoError(t, app.Migrate(t.Context(), cfg, filepath.Join(s.dir, app.TokenFileName), nil))
	log, err := app.NewLogger("info", filepath.Join(s.dir, app.LogFileName))
	require.NoError(t, err)
	s.engine, err = app.OpenEngine(t.Context(), cfg, keys, temporalx.Options{}, log, app.Ports{Now: s.now})
	require.NoError(t, err)
	t.Cleanup(s.engine.Close)
	s.serveAPI()
	t.Cleanup(s.end)
	s.connect("box", s.vendor)
	return s
}

// openDatabase makes a database whose clock can be set.
func (s *skipped) openDatabase() {
	s.t.Helper()
	p, err := shared.postgres()
	require.NoError(s.t, err)
	name := localtest.Name("e2e")
	s.database, err = p.CreateDatabase(s.t.Context(), name)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, p.DropDatabase(context.Background(), name)) })
	s.clock, err = pgx.Connect(s.t.Context(), s.database)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = s.clock.Close(context.Background()) })
	_, err = s.clock.Exec(s.t.Context(), fmt.Sprintf(clockSQL, pgx.Identifier{name}.Sanitize()))
	require.NoError(s.t, err)
	_, err = s.clock.Exec(s.t.Context(), `set synchronous_commit = off`)
	require.NoError(s.t, err)
	var at time.Time
	require.NoError(s.t, s.clock.QueryRow(s.t.Context(), `select at from testclock.clock`).Scan(&at))
	s.instant.Store(&at)
}

// serveAPI serves the API where the command line finds it.
func (s *skipped) serveAPI() {
	s.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(s.t, err)
	server := &http.Server{Handler: s.engine.Handler(), ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	s.t.Cleanup(func() {
		require.NoError(s.t, server.Close())
		require.ErrorIs(s.t, <-served, http.ErrServerClosed)
	})
	text, err := json.Marshal(app.Address{URL: "http://" + l.Addr().String()})
	require.NoError(s.t, err)
	require.NoError(s.t, os.WriteFile(filepath.Join(s.dir, app.ServerFileName), text, 0o600))
}

// now is what time it is. It stands still while anybody does anything.
func (s *skipped) now() time.Time { return *s.instant.Load() }

// until lets time pass.
func (s *skipped) until(at time.Time) {
	s.t.Helper()
	s.engine.Dispatch(s.t.Context(), skippedTemporal{s: s})
	require.NoError(s.t, s.await(s.people, at))
	s.mu.Lock()
	defer s.mu.Unlock()
	require.NoError(s.t, s.failed)
}

// doze is until for days on which nothing is due in an open campaign: it looks seldom.
// What it does at a time of its own may be late by that after the instant.
func (s *skipped) doze(at time.Time) {
	s.t.Helper()
	s.dozing.Store(true)
	s.until(at)
	s.dozing.Store(false)
}

var errOver = errors.New("the test is over")

// await returns at an instant, when nobody does anything that lies before it.
func (s *skipped) await(who *flow, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if who.waits {
		return errors.New("a workflow with two activities at a time has no place in this time")
	}
	who.waits, who.until = true, at
	s.moved.Broadcast()
	for !s.over && !s.isTurn(who) {
		s.moved.Wait()
	}
	who.waits = false
	if s.over {
		return errOver
	}
	return s.set(at)
}

func (s *skipped) isTurn(who *flow) bool {
	before := func(other *flow) bool {
		return other.until.Before(who.until) || other.until.Equal(who.until) && other.n < who.n
	}
	if who != s.people && (!s.people.waits || before(s.people)) {
		return false
	}
	for _, other := range s.flows {
		if other != who && (!other.waits || before(other)) {
			return false
		}
	}
	return true
}

// set sets the clocks of the engine, the database and the vendor; none goes back.
func (s *skipped) set(at time.Time) error {
	if !at.After(s.now()) {
		return nil
	}
	at = at.UTC().Truncate(time.Microsecond)
	s.instant.Store(&at)
	_, err := s.clock.Exec(context.Background(), `update testclock.clock set at = $1`, at)
	ahead := time.Until(at).Seconds()
	return errors.Join(err, s.sim.SetSwitches(boxsim.Switches{ClockSkewSeconds: ahead, EventSkewSeconds: ahead}))
}

// end lets nobody go on.
func (s *skipped) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.moved.Broadcast()
	for len(s.flows) > 0 {
		s.moved.Wait()
	}
}

// start starts a workflow in an environment of its own, from now on.
func (s *skipped) start(id string, workflow any, args ...any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return errOver
	}
	if s.flows[id] != nil {
		return serviceerror.NewWorkflowExecutionAlreadyStarted("it goes on", "", "")
	}
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(temporalx.NewLogger(zap.NewNop()))
	s.seen++
	f := &flow{n: s.seen, env: suite.NewTestWorkflowEnvironment()}
	f.env.SetStartTime(s.now())
	f.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: id, TaskQueue: "skipped"})
	f.env.SetTestTimeout(time.Minute)
	f.env.SetWorkflowRunTimeout(2 * 365 * 24 * time.Hour)
	f.env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute, Interceptors: []interceptor.WorkerInterceptor{&turns{s: s, f: f}}})
	s.engine.Register(f.env)
	s.flows[id] = f
	go s.carryOut(id, f, workflow, args...)
	return nil
}

func (s *skipped) carryOut(id string, f *flow, workflow any, args ...any) {
	defer func() {
		stuck := recover() // the environment panics when a workflow waits for nothing
		s.mu.Lock()
		defer s.mu.Unlock()
		if err := f.env.GetWorkflowError(); stuck != nil || err != nil {
			s.failed = errors.Join(s.failed, fmt.Errorf("workflow %s ended: %v %w", id, stuck, err))
		}
		delete(s.flows, id)
		s.moved.Broadcast()
	}()
	f.env.ExecuteWorkflow(workflow, args...)
}

// going is the workflow of an id that has not ended, or nil.
func (s *skipped) going(id string) *flow {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flows[id]
}

// turns has each activity wait for its turn, and carries what it wrote to the others.
type turns struct {
	interceptor.WorkerInterceptorBase
	interceptor.ActivityInboundInterceptorBase
	s *skipped
	f *flow
}

func (i *turns) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	around := &turns{s: i.s, f: i.f}
	around.Next = next
	return around
}

// quietLook is how often a campaign looks at removals that go on and at what was
// removed: in skipped time nothing waits for such a look, and a month of them takes
// longer than all the rest.
const quietLook = 12 * time.Hour

func (i *turns) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	if err := i.s.await(i.f, i.f.env.Now()); err != nil {
		return nil, temporal.NewNonRetryableApplicationError(err.Error(), "over", err)
	}
	out, err := i.Next.ExecuteActivity(ctx, in)
	i.s.engine.Dispatch(ctx, skippedTemporal{s: i.s})
	if t, ok := out.(activities.Tended); ok && t.Wait > 0 && i.s.dozing.Load() {
		t.Wait = max(t.Wait, quietLook)
		return t, err
	}
	name := activity.GetInfo(ctx).ActivityType.Name
	if p, ok := out.(activities.Piece); ok && p.Wait > 0 && (name == "RemoveAccess" || name == "WatchCampaign") {
		p.Wait = max(p.Wait, quietLook)
		return p, err
	}
	return out, err
}

// skippedTemporal stands for the Temporal server before the dispatcher.
type skippedTemporal struct {
	client.Client
	s *skipped
}

func (c skippedTemporal) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error) {
	return nil, c.s.start(o.ID, workflow, args...)
}

func (c skippedTemporal) SignalWithStartWorkflow(_ context.Context, id, signal string, arg any, _ client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error) {
	if f := c.s.going(id); f != nil {
		f.env.SignalWorkflow(signal, arg)
		return nil, nil //nolint:nilnil // nobody looks at the run
	}
	return nil, c.s.start(id, workflow, args...)
}

func (c skippedTemporal) SignalWorkflow(_ context.Context, id, _, signal string, arg any) error {
	f := c.s.going(id)
	if f == nil {
		return serviceerror.NewNotFound(id)
	}
	f.env.SignalWorkflow(signal, arg)
	return nil
}

func (c skippedTemporal) ScheduleClient() client.ScheduleClient { return noSchedules{} }

// noSchedules are the schedules of installations without any.
type noSchedules struct{ client.ScheduleClient }

func (noSchedules) GetHandle(context.Context, string) client.ScheduleHandle { return noSchedule{} }

type noSchedule struct{ client.ScheduleHandle }

func (noSchedule) Delete(context.Context) error { return serviceerror.NewNotFound("schedule") }
