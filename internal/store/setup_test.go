package store_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/connectors"
	"sendoff/connectors/rate"
	"sendoff/internal/audit"
	"sendoff/internal/campaign"
	"sendoff/internal/local/localtest"
	"sendoff/internal/secret"
	"sendoff/internal/store"
	"sendoff/internal/web"
	"sendoff/schema"
)

var (
	_ activities.Store = (*store.Store)(nil)
	_ web.Store        = (*store.Store)(nil)
	_ rate.Leaser      = (*store.Store)(nil)
	_ audit.SealStore  = (*store.Store)(nil)
	_ connectors.Guard = (*store.Store)(nil)
)

// keySealer is how the application lends a keyring to the store.
type keySealer struct{ *secret.Keyring }

func (k keySealer) Seal(purpose string, aad []byte, plain []byte) ([]byte, error) {
	return k.Keyring.Seal(secret.Purpose(purpose), secret.NewAAD(string(aad)), plain)
}

func (k keySealer) Open(purpose string, aad []byte, sealed []byte) ([]byte, error) {
	return k.Keyring.Open(secret.Purpose(purpose), secret.NewAAD(string(aad)), sealed)
}

// bundle is a store over a migrated database of the test's own.
type bundle struct {
	*store.Store
	t      *testing.T
	url    string // the owner's
	signer *audit.Signer
	admin  schema.Principal
	conn   schema.Connection
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{t: t}
	b.url = localtest.DatabaseFrom(t, "store", func(ctx context.Context, url string) error { return store.Migrate(ctx, url, nil) })
	var err error
	b.signer, err = audit.NewSigner("audit.example.com", make([]byte, audit.SeedSize))
	require.NoError(t, err)
	b.Store = b.open()
	b.admin = b.principal("admin")
	b.conn, err = b.CreateConnection(t.Context(), schema.Connection{
		Name: "box", Vendor: "box", BaseURL: "https://api.example.com", TokenURL: "https://api.example.com/oauth2/token",
		ClientID: "client", EnterpriseID: "900",
	}, "hunter2", b.admin)
	require.NoError(t, err)
	return b
}

func keyring(t *testing.T, seed byte) *secret.Keyring {
	t.Helper()
	root := make([]byte, secret.RootKeyBytes)
	root[0] = seed
	k, err := secret.NewKeyring(root)
	require.NoError(t, err)
	return k
}

// open opens another store on the same database.
func (b *bundle) open() *store.Store {
	b.t.Helper()
	s, err := store.Open(b.t.Context(), store.Config{URL: b.url, Sealer: keySealer{keyring(b.t, 1)}, AllowUnsafe: true, MaxConnections: 10, Weigh: campaign.Weigh})
	require.NoError(b.t, err)
	b.t.Cleanup(s.Close)
	s.SetAuditKey(b.signer.Origin(), b.signer.VerifierKey())
	return s
}

// sql connects as the owner, to look behind the store or to stand in for a fault.
func (b *bundle) sql() *pgx.Conn {
	b.t.Helper()
	conn, err := pgx.Connect(b.t.Context(), b.url)
	require.NoError(b.t, err)
	b.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func (b *bundle) exec(sql string, args ...any) {
	b.t.Helper()
	conn, err := pgx.Connect(b.t.Context(), b.url)
	require.NoError(b.t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	_, err = conn.Exec(b.t.Context(), sql, args...)
	require.NoError(b.t, err)
}

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

func (b *bundle) account(external string) schema.Account {
	b.t.Helper()
	a, err := b.SaveAccount(b.t.Context(), schema.Account{
		ConnectionID: b.conn.ID, ExternalID: schema.ExternalID(external), Login: "user" + external + "@example.com", Name: "User " + external,
		Role: schema.RoleMember, Status: schema.AccountActive, VendorStatus: "active", Kind: schema.KindPerson, EnterpriseID: "900",
		SpaceUsed: 1000, SpaceAmount: -1, ObservedAt: time.Now(),
	})
	require.NoError(b.t, err)
	return a
}

// draft plans the account's leave with the receiver given; none is needed for "".
func (b *bundle) draft(external, receiver, template string) schema.Draft {
	b.t.Helper()
	a := b.account(external)
	tmpl, ok := schema.FindTemplate(template)
	require.True(b.t, ok)
	steps := tmpl.Resolve(time.Hour)
	facts := schema.Facts{
		Cause: "offboarding", ConnectionID: b.conn.ID, EnterpriseID: "900", AccountID: a.ExternalID, Login: a.Login,
		Role: a.Role, Kind: a.Kind, Receiver: schema.ExternalID(receiver), Steps: schema.StepFacts(steps), Template: template, TemplateVersion: 1,
	}
	return schema.Draft{
		Request: schema.Request{Email: a.Login, Grace: time.Hour, Template: template, Source: "api", Receivers: []string{}},
		Accounts: []schema.DraftAccount{{
			Connection: b.conn, Account: a, Steps: steps, Facts: facts, PlannedBytes: 1000,
			TemplateRecord: tmpl,
		}},
		Hash: schema.CaseHash([]string{facts.Hash()}),
	}
}

// leaver opens a case for one account and returns its plan.
func (b *bundle) leaver(external, receiver, template string) schema.Plan {
	b.t.Helper()
	return b.write(b.draft(external, receiver, template))
}

func (b *bundle) write(d schema.Draft) schema.Plan {
	b.t.Helper()
	cases, err := b.CreateCases(b.t.Context(), []schema.Draft{d}, b.admin)
	require.NoError(b.t, err)
	plans, err := b.CasePlans(b.t.Context(), cases[0].ID)
	require.NoError(b.t, err)
	return plans[0]
}

// begin begins a step at the plan's present fence and returns its ref.
func (b *bundle) begin(id schema.PlanID, index int) schema.StepRef {
	b.t.Helper()
	p, err := b.Plan(b.t.Context(), id)
	require.NoError(b.t, err)
	ref := schema.StepRef{PlanID: id, Index: index, Fence: p.Fence}
	_, err = b.BeginStep(b.t.Context(), ref)
	require.NoError(b.t, err)
	return ref
}

// through carries out the steps before index and begins that one.
func (b *bundle) through(id schema.PlanID, index int) schema.StepRef {
	b.t.Helper()
	for i := range index {
		ref := b.begin(id, i)
		require.NoError(b.t, b.CompleteStep(b.t.Context(), ref, schema.StepDone, map[string]string{"n": fmt.Sprint(i)}))
	}
	return b.begin(id, index)
}

func (b *bundle) plan(id schema.PlanID) schema.Plan {
	b.t.Helper()
	p, err := b.Plan(b.t.Context(), id)
	require.NoError(b.t, err)
	return p
}

func (b *bundle) decide(p schema.Plan, kind schema.DecisionKind) {
	b.t.Helper()
	_, err := b.Decide(b.t.Context(), schema.Decision{CaseID: p.CaseID, Kind: kind, Reason: "test"}, b.admin)
	require.NoError(b.t, err)
}

// drain dispatches the whole outbox and returns its rows in their order.
func (b *bundle) drain() []schema.OutboxRow {
	b.t.Helper()
	var rows []schema.OutboxRow
	_, err := b.ClaimOutbox(b.t.Context(), 1000, func(_ context.Context, row schema.OutboxRow) error {
		rows = append(rows, row)
		return nil
	})
	require.NoError(b.t, err)
	return rows
}

func requireCode(t *testing.T, code schema.Code, err error) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, code, schema.CodeOf(err), err.Error())
}

// requireFix requires an error with a code and something that its fix says.
func requireFix(t *testing.T, code schema.Code, fix string, err error) {
	t.Helper()
	requireCode(t, code, err)
	var e *schema.Error
	require.ErrorAs(t, err, &e)
	require.Contains(t, e.Fix, fix)
}
