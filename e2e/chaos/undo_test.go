package chaos_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.uber.org/zap"
	"pgregory.net/rapid"

	"sendoff/activities"
	"sendoff/connectors"
	"sendoff/connectors/box"
	"sendoff/connectors/box/boxsim"
	"sendoff/internal/audit"
	"sendoff/internal/local/localtest"
	"sendoff/internal/store"
	"sendoff/internal/temporalx"
	"sendoff/schema"
	"sendoff/workflows"
)

// Whatever a plan does, in whatever order its template says, and wherever in it
// the cancel comes: afterwards the account is as it was. It has its status and
// its memberships back, and access to whatever was given away; nothing of it is
// gone. A plan that did not cancel any more has done what it says.
func TestUndoAfterACancelAnywhere(t *testing.T) {
	t.Parallel()
	in := install(t)
	number := 0
	rapid.Check(t, func(rt *rapid.T) {
		number++
		d := drawing{
			number: number,
			status: rapid.SampledFrom([]string{"active", "cannot_delete_edit", "cannot_delete_edit_upload"}).Draw(rt, "status"),
			mode:   rapid.SampledFrom([]boxsim.Mode{boxsim.ModeQuick, boxsim.ModeSlow200, boxsim.ModeGateway504, boxsim.ModeDrop}).Draw(rt, "mode"),
			steps:  drawSteps(rt),
			at:     rapid.IntRange(0, mostPoints).Draw(rt, "point of the cancel"),
		}
		o := in.play(rt, d)
		switch {
		case o.plan.State == schema.PlanCancelled:
			in.requireAsBefore(rt, d, o)
		case o.plan.State == schema.PlanDone && (!o.cancelled || o.deleteSent):
			in.requireDone(rt, d, o)
		default:
			rt.Fatalf("the plan is %s (cancelled: %v, cause: %+v)", o.plan.State, o.cancelled, o.plan.Cause)
		}
	})
}

// mostPoints is more than any drawn plan passes.
const mostPoints = 60

// drawSteps draws a template's steps: the ones that can be undone in any order,
// after the snapshot, and perhaps a delete after a transfer.
func drawSteps(rt *rapid.T) []schema.StepFact {
	middle := rapid.Permutation([]schema.StepKind{
		schema.StepRevokeSessions, schema.StepRemoveFromGroups, schema.StepTransfer, schema.StepWait,
	}).Draw(rt, "order")
	middle = middle[:rapid.IntRange(0, len(middle)).Draw(rt, "how many")]
	kinds := append([]schema.StepKind{schema.StepSnapshot, schema.StepSuspend}, middle...)
	if slices.Contains(middle, schema.StepTransfer) && rapid.Bool().Draw(rt, "delete") {
		kinds = append(kinds, schema.StepDelete)
	}
	steps := make([]schema.StepFact, len(kinds))
	for i, k := range kinds {
		steps[i] = schema.StepFact{Kind: k}
	}
	return steps
}

// drawing is one plan to be cancelled.
type drawing struct {
	number int
	status string // of the account before
	mode   boxsim.Mode
	steps  []schema.StepFact
	at     int // the number of the point at which the cancel comes
}

// outcome is what became of it.
type outcome struct {
	plan             schema.Plan
	cancelled        bool // the cancel was accepted
	deleteSent       bool
	source, receiver person
	group            string
}

// installation is the engine in this process over a real database and a
// simulated vendor, with Temporal's clock skipping every wait.
type installation struct {
	sim   *boxsim.Sim
	store *store.Store
	box   connectors.Connector
	conn  schema.Connection
	admin schema.Principal
}

// undoScale is so large that the longest wait of a plan, thirty days, is over at
// once: Temporal skips its own timers, and the rest is measured in real time.
const undoScale = 2_000_000

func install(t *testing.T) *installation {
	t.Helper()
	in := &installation{}
	sim, err := boxsim.New(boxsim.Config{Seed: 1, Scale: 100 * simScale})
	require.NoError(t, err)
	server, banner, err := sim.Start("127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	in.sim = sim
	url := localtest.DatabaseFrom(t, "chaos", func(ctx context.Context, url string) error { return store.Migrate(ctx, url, nil) })
	in.store, err = store.Open(t.Context(), store.Config{URL: url, Sealer: plain{}, AllowUnsafe: true, MaxConnections: 6})
	require.NoError(t, err)
	t.Cleanup(in.store.Close)
	signer, err := audit.NewSigner("audit.example.com", make([]byte, audit.SeedSize))
	require.NoError(t, err)
	in.store.SetAuditKey(signer.Origin(), signer.VerifierKey())
	in.admin = in.principal(t)
	in.conn, err = in.store.CreateConnection(t.Context(), schema.Connection{
		Name: "box", Vendor: "box", BaseURL: banner.BaseURL, TokenURL: banner.TokenURL, ClientID: banner.ClientID,
		EnterpriseID: banner.EnterpriseID, AsUser: schema.ExternalID(banner.AdminID),
	}, banner.ClientSecret, in.admin)
	require.NoError(t, err)
	in.box, err = box.Factory{}.Open(connectors.Config{
		Connection: in.conn, Secret: banner.ClientSecret, Limiter: unlimited{}, Guard: in.store, Now: time.Now,
	})
	require.NoError(t, err)
	t.Cleanup(in.box.Close)
	return in
}

func (in *installation) principal(t *testing.T) schema.Principal {
	t.Helper()
	hash := sha256.Sum256([]byte("chaos"))
	by := schema.Principal{TokenID: "0197c0de-0000-7000-8000-000000000000", Name: "test"}
	_, err := in.store.CreateToken(t.Context(), schema.Token{Name: "chaos", Role: schema.RoleAdmin}, hash, by)
	require.NoError(t, err)
	p, err := in.store.Authenticate(t.Context(), hash)
	require.NoError(t, err)
	return p
}

// plain keeps the connection's secret as it is: nobody opens it.
type plain struct{}

func (plain) Seal(_ string, _, text []byte) ([]byte, error)   { return text, nil }
func (plain) Open(_ string, _, sealed []byte) ([]byte, error) { return sealed, nil }

type unlimited struct{}

func (unlimited) Wait(context.Context, schema.ConnectionID, schema.ExternalID, connectors.Priority) error {
	return nil
}

// Open makes the installation its own port to the vendor.
func (in *installation) Open(context.Context, schema.Connection) (connectors.Connector, error) {
	return in.box, nil
}

// play opens a case for a new leaver and runs its plan, and at the drawn point
// an operator cancels it.
func (in *installation) play(rt *rapid.T, d drawing) outcome {
	o := in.hire(rt, d)
	plan := in.open(rt, d, o)
	env := testEnvironment()
	passed := 0
	h := &hooks{tell: func(ctx context.Context, p passing) {
		if strings.HasPrefix(p.Point, "store.IntendWrite.delete") {
			o.deleteSent = true
		}
		if passed++; passed-1 != d.at {
			return
		}
		cancel := schema.Decision{CaseID: plan.CaseID, Kind: schema.DecideCancel, Reason: "drawn"}
		decided, err := in.store.Decide(ctx, cancel, in.admin)
		if err != nil {
			return // too late
		}
		o.cancelled = true
		env.UpdateWorkflow(workflows.UpdateDecide, string(decided.ID), &testsuite.TestUpdateCallback{
			OnAccept: func() {}, OnReject: func(error) {}, OnComplete: func(any, error) {},
		}, workflows.DecideInput{DecisionID: decided.ID})
	}}
	env.RegisterActivity(activities.New(activities.Config{
		Store: h.store(in.store), Connectors: h.connectors(in), Clocks: schema.DefaultClocks().Scaled(undoScale),
	}))
	env.ExecuteWorkflow(workflows.Deprovision, workflows.DeprovisionInput{PlanID: plan.ID})
	require.True(rt, env.IsWorkflowCompleted(), "the workflow ends")
	if err := env.GetWorkflowError(); err != nil {
		rt.Fatalf("the workflow ended with %v", err) // named: what fails once alone is told by its message
	}
	var err error
	o.plan, err = in.store.Plan(context.Background(), plan.ID)
	require.NoError(rt, err)
	return o
}

func testEnvironment() *testsuite.TestWorkflowEnvironment {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(temporalx.NewLogger(zap.NewNop()))
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(time.Minute)
	env.SetWorkflowRunTimeout(365 * 24 * time.Hour) // the environment caps activities by it
	env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute, Interceptors: []interceptor.WorkerInterceptor{activities.Interceptor(zap.NewNop())}})
	workflows.Register(env)
	return env
}

// hire adds somebody with content and a group, and a receiver.
func (in *installation) hire(rt *rapid.T, d drawing) (o outcome) {
	hire := func(name, status string) person {
		login := fmt.Sprintf("%s-%d@example.com", name, d.number)
		id, err := in.sim.AddUser(boxsim.UserSpec{Name: name, Login: login, Status: status})
		require.NoError(rt, err)
		return person{id, login}
	}
	o.source, o.receiver = hire("leaver", d.status), hire("receiver", "")
	folder, err := in.sim.AddFolder(boxsim.ItemSpec{Owner: o.source.id, Name: "Projects"})
	require.NoError(rt, err)
	_, err = in.sim.AddFile(boxsim.ItemSpec{Parent: folder, Name: "plan.txt", SizeBytes: 5 << 20})
	require.NoError(rt, err)
	_, err = in.sim.AddFile(boxsim.ItemSpec{Owner: o.source.id, Name: "notes.txt", SizeBytes: 1 << 20})
	require.NoError(rt, err)
	o.group, err = in.sim.AddGroup(boxsim.GroupSpec{Name: fmt.Sprintf("Group %d", d.number), Members: []string{o.receiver.id, o.source.id}})
	require.NoError(rt, err)
	require.NoError(rt, in.sim.SetTransferMode(o.source.id, d.mode, 0))
	return o
}

// open writes the case of a request with the drawn template.
func (in *installation) open(rt *rapid.T, d drawing, o outcome) schema.Plan {
	ctx := context.Background()
	name := fmt.Sprintf("drawn-%d", d.number)
	_, err := in.store.ApplyTemplates(ctx, []schema.Template{{Name: name, Steps: d.steps, Source: "drawn"}}, in.admin)
	require.NoError(rt, err)
	drafts, err := activities.NewPlanner(in.store, in, time.Now).Draft(ctx, []schema.Request{{
		Email: o.source.login, Receivers: []string{o.receiver.login}, Template: name, Source: "api",
	}})
	require.NoError(rt, err)
	for _, f := range slices.Concat(drafts[0].Findings, drafts[0].Accounts[0].Findings) {
		require.True(rt, f.Warning, "%+v", f)
	}
	cases, err := in.store.CreateCases(ctx, drafts, in.admin)
	require.NoError(rt, err)
	plans, err := in.store.CasePlans(ctx, cases[0].ID)
	require.NoError(rt, err)
	require.Len(rt, plans, 1)
	require.Len(rt, plans[0].Steps, len(d.steps))
	return plans[0]
}

// requireAsBefore requires of a cancelled plan that everything is back that can
// come back, and that nothing is lost.
func (in *installation) requireAsBefore(rt *rapid.T, d drawing, o outcome) {
	ctx := context.Background()
	account, err := in.box.(connectors.AccountReader).ReadAccount(ctx, schema.ExternalID(o.source.id))
	require.NoError(rt, err, "the account is there")
	require.Equal(rt, d.status, account.VendorStatus)
	memberships, err := in.box.(connectors.GroupReader).Memberships(ctx, schema.ExternalID(o.source.id))
	require.NoError(rt, err)
	require.Len(rt, memberships, 1)
	require.Equal(rt, schema.ExternalID(o.group), memberships[0].GroupID)
	require.Equal(rt, "member", memberships[0].Role)
	moved := map[string]bool{}
	for _, it := range in.content(rt, o) {
		if it.Owner == o.receiver.id {
			moved[it.DestinationFolder] = true
		}
	}
	for folder := range moved {
		has, err := in.box.(connectors.AccessGranter).HasFolderAccess(
			ctx, schema.ExternalID(o.receiver.id), schema.ExternalID(folder), schema.ExternalID(o.source.id))
		require.NoError(rt, err)
		require.True(rt, has, "access to what was transferred")
	}
}

// requireDone requires of a plan that was not cancelled that what it says is so.
func (in *installation) requireDone(rt *rapid.T, d drawing, o outcome) {
	has := func(k schema.StepKind) bool {
		return slices.ContainsFunc(d.steps, func(s schema.StepFact) bool { return s.Kind == k })
	}
	for _, a := range in.sim.Ledger().Accounts {
		if a.ID == o.source.id {
			require.Equal(rt, has(schema.StepDelete), a.Deleted)
			require.LessOrEqual(rt, a.TransferRequests, 1)
		}
	}
	for _, it := range in.content(rt, o) {
		want := o.source.id
		if has(schema.StepTransfer) {
			want = o.receiver.id
		}
		require.Equal(rt, want, it.Owner)
	}
}

// content is what the leaver owned at first, all of it alive.
func (in *installation) content(rt *rapid.T, o outcome) []boxsim.LedgerItem {
	var items []boxsim.LedgerItem
	for _, it := range in.sim.Ledger().Items {
		if it.OriginalOwner == o.source.id && !it.MadeByTransfer {
			require.Equal(rt, "alive", it.State)
			items = append(items, it)
		}
	}
	require.Len(rt, items, 3)
	return items
}
