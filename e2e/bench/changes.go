package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"sendoff/internal/secret"
	"sendoff/internal/store"
	"sendoff/schema"
)

// sealer lets the store encrypt with a keyring, as the application does.
type sealer struct{ *secret.Keyring }

func (s sealer) Seal(purpose string, aad []byte, plain []byte) ([]byte, error) {
	return s.Keyring.Seal(secret.Purpose(purpose), secret.NewAAD(string(aad)), plain)
}

func (s sealer) Open(purpose string, aad []byte, sealed []byte) ([]byte, error) {
	return s.Keyring.Open(secret.Purpose(purpose), secret.NewAAD(string(aad)), sealed)
}

// changing is a database with open plans, and what changes them.
type changing struct {
	set   settings
	url   string // the owner's
	store *store.Store
	plans []schema.PlanID
	done  atomic.Int64 // transactions
}

// changes measures state changes with their audit records against bare inserts of
// rows as large, both by as many clients and each commit by itself, durably.
func (b *bench) changes(ctx context.Context) ([]figure, error) {
	c := &changing{set: b.set}
	var err error
	if c.url, err = b.newDatabase(ctx, "changes"); err != nil {
		return nil, err
	}
	if err := store.Migrate(ctx, c.url, nil); err != nil {
		return nil, err
	}
	if err := c.open(ctx); err != nil {
		return nil, err
	}
	defer c.close()
	if err := c.fill(ctx); err != nil {
		return nil, err
	}
	statements, err := c.countStatements(ctx)
	if err != nil {
		return nil, err
	}
	took, err := c.run(ctx)
	if err != nil {
		return nil, err
	}
	n := int(c.done.Load())
	rowBytes, records, err := c.written(ctx)
	if err != nil {
		return nil, err
	}
	bare, err := c.inserts(ctx, n, rowBytes, 0)
	if err != nil {
		return nil, err
	}
	talk := int(statements+0.5) - 3 // but begin, the insert and commit
	talking, err := c.inserts(ctx, n, rowBytes, max(talk, 1))
	if err != nil {
		return nil, err
	}
	rate := func(took time.Duration, what string) value {
		return value{Number: float64(n) / took.Seconds(), Unit: "tx/s", What: what}
	}
	f := figure{Name: "state changes with audit", Ours: rate(took, "BeginStep, IntendWrite, RecordOutcome and CompleteStep over the steps of many plans")}.
		against(rate(bare, fmt.Sprintf("one insert of %d bytes for each commit", rowBytes))).
		note("%d transactions with %d audit records of %d bytes, %d clients, synchronous_commit on", n, records, rowBytes, b.set.clients).
		note("%.1f statements in each transaction of ours, begin and commit counted; 1 in a bare insert", statements).
		note("%s ms for each transaction and client, %s for an insert", number(perClient(took, n, b.set.clients)), number(perClient(bare, n, b.set.clients))).
		note("%s tx/s with as many statements that do nothing before the insert: what talking costs alone", number(float64(n)/talking.Seconds()))
	return []figure{f}, nil
}

func perClient(took time.Duration, n, clients int) float64 {
	return millis(took) * float64(clients) / float64(n)
}

func (c *changing) open(ctx context.Context) error {
	keys, err := secret.NewKeyring(secret.GenerateKey())
	if err != nil {
		return err
	}
	c.store, err = store.Open(ctx, store.Config{URL: c.url, Sealer: sealer{keys}, MaxConnections: int32(c.set.clients)}) //nolint:gosec // a small count
	return err
}

func (c *changing) close() {
	if c.store != nil {
		c.store.Close()
	}
}

// countStatements carries the first plan out through a relay, which would slow
// the others down, and returns the mean number of statements of a transaction.
func (c *changing) countStatements(ctx context.Context) (float64, error) {
	w, url, err := tap(c.url)
	if err != nil {
		return 0, err
	}
	defer w.close()
	behind, err := store.Open(ctx, store.Config{URL: url, MaxConnections: 1})
	if err != nil {
		return 0, err
	}
	defer behind.Close()
	before := w.statements.Load()
	n, err := carryOut(ctx, behind, c.plans[0])
	c.plans = c.plans[1:]
	return float64(w.statements.Load()-before) / float64(max(n, 1)), err
}

// fill opens a case for each plan.
func (c *changing) fill(ctx context.Context) error {
	hash := sha256.Sum256([]byte("bench"))
	by := schema.Principal{TokenID: "0197c0de-0000-7000-8000-000000000000", Name: "bench"}
	if _, err := c.store.CreateToken(ctx, schema.Token{Name: "bench", Role: schema.RoleAdmin}, hash, by); err != nil {
		return err
	}
	by, err := c.store.Authenticate(ctx, hash)
	if err != nil {
		return err
	}
	conn, err := c.store.CreateConnection(ctx, schema.Connection{
		Name: "box", Vendor: "box", BaseURL: "https://api.example.com", TokenURL: "https://api.example.com/oauth2/token",
		ClientID: "client", EnterpriseID: "900",
	}, "secret", by)
	if err != nil {
		return err
	}
	var drafts []schema.Draft
	for i := range c.set.plans + 1 { // one to count statements with
		d, err := c.draft(ctx, conn, i)
		if err != nil {
			return err
		}
		drafts = append(drafts, d)
	}
	cases, err := c.store.CreateCases(ctx, drafts, by)
	if err != nil {
		return err
	}
	for _, made := range cases {
		plans, err := c.store.CasePlans(ctx, made.ID)
		if err != nil {
			return err
		}
		c.plans = append(c.plans, plans[0].ID)
	}
	return nil
}

func (c *changing) draft(ctx context.Context, conn schema.Connection, n int) (schema.Draft, error) {
	const template = "suspend"
	id := schema.ExternalID(fmt.Sprint(1000 + n))
	a, err := c.store.SaveAccount(ctx, schema.Account{
		ConnectionID: conn.ID, ExternalID: id, Login: fmt.Sprintf("user%s@example.com", id), Name: "User " + string(id), Role: schema.RoleMember,
		Status: schema.AccountActive, VendorStatus: "active", Kind: schema.KindPerson, EnterpriseID: conn.EnterpriseID, SpaceAmount: -1, ObservedAt: time.Now(),
	})
	if err != nil {
		return schema.Draft{}, err
	}
	t, ok := schema.FindTemplate(template)
	if !ok {
		return schema.Draft{}, errors.New("there is no template " + template)
	}
	steps := t.Resolve(time.Hour)
	facts := schema.Facts{
		Cause: string(schema.DoorOffboarding), ConnectionID: conn.ID, EnterpriseID: conn.EnterpriseID, AccountID: a.ExternalID, Login: a.Login,
		Role: a.Role, Kind: a.Kind, Steps: schema.StepFacts(steps), Template: template, TemplateVersion: 1,
	}
	return schema.Draft{
		Request:  schema.Request{Email: a.Login, Grace: time.Hour, Template: template, Source: "api", Receivers: []string{}},
		Accounts: []schema.DraftAccount{{Connection: conn, Account: a, Steps: steps, Facts: facts, TemplateRecord: t}},
		Hash:     schema.CaseHash([]string{facts.Hash()}),
	}, nil
}

// run carries every plan through its steps, as many plans at once as there are clients.
func (c *changing) run(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(c.set.clients)
	for _, id := range c.plans {
		g.Go(func() error {
			n, err := carryOut(ctx, c.store, id)
			c.done.Add(int64(n))
			return err
		})
	}
	err := g.Wait()
	return time.Since(began), err
}

// carryOut carries a plan through its steps and returns how many transactions it took.
func carryOut(ctx context.Context, s *store.Store, id schema.PlanID) (transactions int, err error) {
	write := schema.VendorWrite{Op: "suspend", Details: map[string]string{"account": "1000"}}
	outcome := schema.VendorWrite{Op: "suspend", Details: map[string]string{"outcome": schema.WriteAccepted}}
	steps := 1
	for i := 0; i < steps; i++ {
		ref := schema.StepRef{PlanID: id, Index: i, Fence: int64(i)}
		plan, err := s.BeginStep(ctx, ref)
		if err == nil {
			err = s.IntendWrite(ctx, ref, write)
		}
		if err == nil {
			err = s.RecordOutcome(ctx, id, outcome)
		}
		if err == nil {
			err = s.CompleteStep(ctx, ref, schema.StepDone, map[string]string{"status": "suspended"})
		}
		if err != nil {
			return transactions, err
		}
		steps = len(plan.Steps)
		transactions += 4
	}
	return transactions, nil
}

// written is the mean size of an audit record, and how many the plans have now.
func (c *changing) written(ctx context.Context) (rowBytes, records int, err error) {
	conn, err := pgx.Connect(ctx, c.url)
	if err != nil {
		return 0, 0, err
	}
	defer conn.Close(ctx) //nolint:errcheck // a read
	err = conn.QueryRow(ctx, `select avg(pg_column_size(r.*))::int, count(*)::int from audit_record r where stream like 'case/%'`).Scan(&rowBytes, &records)
	return rowBytes, records, err
}

// inserts commits n rows one by one from as many clients, each by itself, or with
// idle statements before it in its transaction.
func (c *changing) inserts(ctx context.Context, n, rowBytes, idle int) (time.Duration, error) {
	config, err := pgxpool.ParseConfig(c.url)
	if err != nil {
		return 0, err
	}
	config.MaxConns = int32(c.set.clients) //nolint:gosec // a small count
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	_, err = pool.Exec(ctx, `create table if not exists bench_row (id bigint generated always as identity primary key, body bytea not null)`)
	if err != nil {
		return 0, err
	}
	body := make([]byte, rowBytes)
	began := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	var left atomic.Int64
	left.Store(int64(n))
	for range c.set.clients {
		g.Go(func() error {
			for left.Add(-1) >= 0 {
				if err := insert(ctx, pool, body, idle); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err = g.Wait()
	return time.Since(began), err
}

func insert(ctx context.Context, pool *pgxpool.Pool, body []byte, idle int) error {
	const row = `insert into bench_row (body) values ($1)`
	if idle == 0 {
		_, err := pool.Exec(ctx, row, body)
		return err
	}
	return pgx.BeginFunc(ctx, pool, func(t pgx.Tx) error {
		for range idle {
			if _, err := t.Exec(ctx, `select 1`); err != nil {
				return err
			}
		}
		_, err := t.Exec(ctx, row, body)
		return err
	})
}
