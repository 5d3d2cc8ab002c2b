package activities_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.uber.org/zap"

	"sendoff/activities"
	"sendoff/connectors"
	"sendoff/internal/audit"
	"sendoff/internal/local/localtest"
	"sendoff/internal/store"
	"sendoff/schema"
)

// The people of a test: leaver gives, heir and second may receive.
const (
	leaver, leaverLogin = schema.ExternalID("10"), "leaver@example.com"
	heir, heirLogin     = schema.ExternalID("20"), "heir@example.com"
	second, secondLogin = schema.ExternalID("30"), "second@example.com"
)

// bundle is the activities over a real store and a scripted vendor.
type bundle struct {
	*store.Store
	t       *testing.T
	url     string // the database owner's
	conn    schema.Connection
	admin   schema.Principal
	vendor  *vendor
	vendors opener
	acts    *activities.Activities
	mail    *mailbox
	ahead   atomic.Int64 // how far the engine's clock is ahead of real time
}

// noSealer keeps the connections' secrets as they are: no test opens one.
type noSealer struct{}

func (noSealer) Seal(_ string, _, plain []byte) ([]byte, error)  { return plain, nil }
func (noSealer) Open(_ string, _, sealed []byte) ([]byte, error) { return sealed, nil }

// opener hands out the connector of each connection.
type opener map[schema.ConnectionID]connectors.Connector

func (o opener) Open(_ context.Context, c schema.Connection) (connectors.Connector, error) {
	if v, ok := o[c.ID]; ok {
		return v, nil
	}
	return nil, errors.New("no such connector")
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{t: t, vendor: newVendor(), vendors: opener{}, mail: &mailbox{}}
	b.url = localtest.DatabaseFrom(t, "activities", func(ctx context.Context, url string) error { return store.Migrate(ctx, url, nil) })
	b.Store = openStore(t, b.url)
	t.Cleanup(b.Close)
	b.admin = b.principal("admin")
	b.conn = b.connect("fake", b.vendor)
	b.vendor.add("1", "service@example.com", 0)
	b.vendor.add(leaver, leaverLogin, 1000)
	b.vendor.add(heir, heirLogin, 0)
	b.vendor.add(second, secondLogin, 0)
	b.acts = activities.New(activities.Config{Store: b.Store, Connectors: b.vendors, Notifier: b.mail, Clocks: schema.DefaultClocks(), Now: b.now, Rechecker: b.Store})
	return b
}

func openStore(t *testing.T, url string) *store.Store {
	t.Helper()
	signer, err := audit.NewSigner("audit.example.com", make([]byte, audit.SeedSize))
	require.NoError(t, err)
	s, err := store.Open(t.Context(), store.Config{URL: url, Sealer: noSealer{}, AllowUnsafe: true, MaxConnections: 6})
	require.NoError(t, err)
	s.SetAuditKey(signer.Origin(), signer.VerifierKey())
	return s
}

func (b *bundle) now() time.Time { return time.Now().Add(time.Duration(b.ahead.Load())) }

// later moves the engine's clock on.
func (b *bundle) later(d time.Duration) { b.ahead.Add(int64(d)) }

func (b *bundle) principal(name string) schema.Principal {
	b.t.Helper()
	hash := sha256.Sum256([]byte(name))
	by := schema.Principal{TokenID: "0197c0de-0000-7000-8000-000000000000", Name: "test"}
	_, err := b.CreateToken(b.t.Context(), schema.Token{Name: name, Role: schema.RoleAdmin}, hash, by)
	require.NoError(b.t, err)
	p, err := b.Authenticate(b.t.Context(), hash)
	require.NoError(b.t, err)
	return p
}

// connect makes a connection to a vendor; nil = one that cannot be opened.
func (b *bundle) connect(name string, v connectors.Connector) schema.Connection {
	b.t.Helper()
	c, err := b.CreateConnection(b.t.Context(), schema.Connection{
		Name: name, Vendor: "fake-" + name, BaseURL: "https://api.example.com", TokenURL: "https://api.example.com/token",
		ClientID: "client", EnterpriseID: "900",
	}, "hunter2", b.admin)
	require.NoError(b.t, err)
	if v != nil {
		b.vendors[c.ID] = v
	}
	return c
}

// exec changes rows behind the store's back, to stand in for time or a fault.
func (b *bundle) exec(sql string, args ...any) {
	b.t.Helper()
	conn, err := pgx.Connect(b.t.Context(), b.url)
	require.NoError(b.t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	_, err = conn.Exec(b.t.Context(), sql, args...)
	require.NoError(b.t, err)
}

// request asks for the leaver's offboarding without a wait.
func request(template string, receivers ...string) schema.Request {
	return schema.Request{Email: leaverLogin, Receivers: append([]string{}, receivers...), Template: template, Source: "api"}
}

// open plans a request and opens its case.
func (b *bundle) open(r schema.Request) schema.Plan {
	b.t.Helper()
	drafts, err := b.planner().Draft(b.t.Context(), []schema.Request{r})
	require.NoError(b.t, err)
	cases, err := b.CreateCases(b.t.Context(), drafts, b.admin)
	require.NoError(b.t, err)
	plans, err := b.CasePlans(b.t.Context(), cases[0].ID)
	require.NoError(b.t, err)
	return plans[0]
}

func (b *bundle) planner() *activities.Planner {
	return activities.NewPlanner(b.Store, b.vendors, b.now)
}

// leave opens a case and carries its plan to the first step of a kind.
func (b *bundle) leave(to schema.StepKind, template string, receivers ...string) schema.StepRef {
	b.t.Helper()
	return b.carry(b.open(request(template, receivers...)).ID, to)
}

// carry runs the plan's activities up to the step, as its workflow does.
func (b *bundle) carry(id schema.PlanID, to schema.StepKind) schema.StepRef {
	b.t.Helper()
	for i, step := range b.plan(id).Steps {
		ref := schema.StepRef{PlanID: id, Index: i, Fence: b.plan(id).Fence}
		if step.Kind == to {
			return ref
		}
		switch step.Kind {
		case schema.StepSnapshot:
			require.NoError(b.t, b.step(b.acts.Snapshot, ref))
		case schema.StepSuspend:
			require.NoError(b.t, b.step(b.acts.Suspend, ref))
		case schema.StepReactivate:
			require.NoError(b.t, b.step(b.acts.Reactivate, ref))
		case schema.StepRevokeSessions:
			require.NoError(b.t, b.step(b.acts.RevokeSessions, ref))
		case schema.StepTransfer:
			b.transfer(ref)
		case schema.StepWait:
			out, err := call[activities.WaitInput, activities.WaitResult](b, b.acts.Wait, activities.WaitInput{Ref: ref})
			require.NoError(b.t, err)
			require.Zero(b.t, out.Left)
		case schema.StepRemoveFromGroups:
			require.NoError(b.t, b.step(b.acts.RemoveFromGroups, ref))
		case schema.StepNotify:
			require.NoError(b.t, b.step(b.acts.Notify, ref))
		case schema.StepDelete, schema.StepManual:
		}
	}
	require.Fail(b.t, "the plan has no such step", to)
	return schema.StepRef{}
}

// activityEnv runs activities as a worker does, with our interceptor.
func (b *bundle) activityEnv(o worker.Options) *testsuite.TestActivityEnvironment {
	env := newEnv(o, zap.NewNop())
	env.RegisterActivity(b.acts)
	return env
}

func newEnv(o worker.Options, z *zap.Logger) *testsuite.TestActivityEnvironment {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestActivityEnvironment()
	o.Interceptors = []interceptor.WorkerInterceptor{activities.Interceptor(z)}
	return env.SetWorkerOptions(o)
}

// step runs an activity that returns nothing.
func (b *bundle) step(fn func(context.Context, activities.StepInput) error, ref schema.StepRef) error {
	_, err := b.activityEnv(worker.Options{}).ExecuteActivity(fn, activities.StepInput{Ref: ref})
	return err
}

// call runs an activity once and returns its result.
func call[I, O any](b *bundle, fn func(context.Context, I) (O, error), in I) (O, error) {
	var out O
	value, err := b.activityEnv(worker.Options{}).ExecuteActivity(fn, in)
	if err == nil {
		err = value.Get(&out)
	}
	return out, err
}

func (b *bundle) plan(id schema.PlanID) schema.Plan {
	b.t.Helper()
	p, err := b.Plan(b.t.Context(), id)
	require.NoError(b.t, err)
	return p
}

func (b *bundle) decide(id schema.PlanID, d schema.Decision, by schema.Principal) {
	b.t.Helper()
	d.CaseID, d.Reason = b.plan(id).CaseID, "test"
	_, err := b.Decide(b.t.Context(), d, by)
	require.NoError(b.t, err)
}

// audited returns the details of the case's audit records of one action.
func (b *bundle) audited(id schema.PlanID, action string) []map[string]string {
	b.t.Helper()
	lines, err := b.CaseAudit(b.t.Context(), b.plan(id).CaseID, 0, 500)
	require.NoError(b.t, err)
	var out []map[string]string
	for _, line := range lines {
		var record struct {
			Action  string            `json:"action"`
			Details map[string]string `json:"details"`
		}
		require.NoError(b.t, json.Unmarshal(line, &record))
		if record.Action == action {
			out = append(out, record.Details)
		}
	}
	return out
}

// requireType requires an application error of that type.
func requireType(t *testing.T, err error, want string, retryable bool) *temporal.ApplicationError {
	t.Helper()
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	require.Equal(t, want, app.Type(), app.Message())
	require.Equal(t, retryable, !app.NonRetryable(), app.Message())
	return app
}

// requireParks requires a refusal with that cause.
func requireParks(t *testing.T, err error, want schema.ParkCode) schema.Cause {
	t.Helper()
	app := requireType(t, err, activities.TypeRefusal, false)
	var cause schema.Cause
	require.NoError(t, app.Details(&cause))
	require.Equal(t, want, cause.Code, cause.Message)
	require.NotEmpty(t, cause.Fix)
	return cause
}

// markSent marks the transfer as sent to the receiver that its row names.
func (b *bundle) markSent(ref schema.StepRef) (schema.Transfer, error) {
	tr, _, err := b.Transfer(b.t.Context(), ref.PlanID)
	if err != nil {
		return tr, err
	}
	return b.MarkSent(b.t.Context(), ref, tr.Receiver)
}
