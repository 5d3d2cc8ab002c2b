package store

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// newCase is a draft on its way into the tables.
type newCase struct {
	schema.Case
	draft schema.Draft
	plans []newPlan
	// start is what a case that a review opens is held against; nil = of another door.
	start   *startUse
	counted bool // against budgets before
}

type newPlan struct {
	id      schema.PlanID
	account schema.DraftAccount
	hash    string
	rank    schema.Rank
}

// CreateCases writes the persons, cases, plans and outbox rows of all drafts in
// one transaction: all or none. CodeRefused when pre-flight refuses one,
// CodeHashDiffers when a draft's hash is not that of its plans, CodeConflict
// when a case already works on an account (it names it), a connection was
// disabled meanwhile, or the engine's budget is used up (problems OVER_BUDGET).
func (s *Store) CreateCases(ctx context.Context, drafts []schema.Draft, by schema.Principal) ([]schema.Case, error) {
	if err := checkPrincipal(by); err != nil {
		return nil, err
	}
	cases := make([]newCase, len(drafts))
	for i, d := range drafts {
		var err error
		if cases[i], err = newCaseOf(d, by); err != nil {
			return nil, err
		}
	}
	if err := checkAccountsOnce(cases); err != nil {
		return nil, err
	}
	err := s.inTx(ctx, "create cases", func(ctx context.Context, t *tx) error { return t.insertCases(ctx, cases, by) })
	if err != nil {
		return nil, err
	}
	out := make([]schema.Case, len(cases))
	for i, c := range cases {
		out[i] = c.Case
	}
	return out, nil
}

func newCaseOf(d schema.Draft, by schema.Principal) (newCase, error) {
	if schema.Refused(d.AllFindings()) {
		return newCase{}, &schema.Error{Code: schema.CodeRefused, Message: "pre-flight refuses the plan", Fix: "mend its findings and plan again"}
	}
	if len(d.Accounts) == 0 {
		return newCase{}, &schema.Error{Code: schema.CodeInvalid, Message: "a case needs one account at least"}
	}
	c := newCase{draft: d, Case: schema.Case{
		Door: cmp.Or(d.Request.Door, schema.DoorOffboarding), Email: strings.ToLower(d.Request.Email), Template: d.Request.Template, Grace: d.Request.Grace,
		Receivers: append([]string{}, d.Request.Receivers...), EffectiveAt: d.Request.EffectiveAt.UTC(), Approvals: d.Request.Approvals,
		RequestedBy: by.Name, RequestedID: by.TokenID, Source: d.Request.Source,
	}}
	var err error
	if c.ID, err = newID[schema.CaseID](); err != nil {
		return c, err
	}
	hashes := make([]string, len(d.Accounts))
	for i, a := range d.Accounts {
		p := newPlan{account: a, hash: a.Facts.Hash()}
		if p.rank = schema.Door(a.Facts.Cause).Rank(); p.rank == 0 {
			return c, &schema.Error{Code: schema.CodeInternal, Message: "a plan for the cause " + strconv.Quote(a.Facts.Cause) + " has no rank"}
		}
		if p.id, err = newID[schema.PlanID](); err != nil {
			return c, err
		}
		// The stricter of request and template: neither may lower the other.
		c.Approvals = max(c.Approvals, a.TemplateRecord.Approvals)
		hashes[i], c.plans = p.hash, append(c.plans, p)
	}
	c.Hash = schema.CaseHash(hashes)
	if d.Hash != c.Hash {
		return c, &schema.Error{Code: schema.CodeHashDiffers, Message: "the draft's hash is not that of its plans", Fix: "plan again"}
	}
	return c, nil
}

func checkAccountsOnce(cases []newCase) error {
	seen := map[schema.AccountID]bool{}
	for _, c := range cases {
		for _, p := range c.plans {
			id := p.account.Account.ID
			if id == "" {
				return &schema.Error{Code: schema.CodeInternal, Message: "an account of the draft was not saved before"}
			}
			if seen[id] {
				return conflict("account "+string(id)+" appears twice in one request", "offboard each person once")
			}
			seen[id] = true
		}
	}
	return nil
}

func (t *tx) insertCases(ctx context.Context, cases []newCase, by schema.Principal) error {
	if err := t.lockPeople(ctx, false); err != nil {
		return err
	}
	if err := t.lockForCases(ctx, cases); err != nil {
		return err
	}
	takeovers, err := t.supersede(ctx, cases, by)
	if err != nil {
		return err
	}
	persons, err := t.ensurePersons(ctx, cases)
	if err != nil {
		return err
	}
	for i := range cases {
		cases[i].PersonID = cmp.Or(cases[i].draft.Request.PersonID, persons[cases[i].Email])
	}
	if err := t.refuseOneself(ctx, cases, by); err != nil {
		return err
	}
	batch := &pgx.Batch{}
	for i := range cases {
		c := &cases[i]
		c.CreatedAt = t.now
		t.queueCase(batch, *c)
		t.recordCase(*c, by)
	}
	if err := t.useBudget(ctx, batch, cases); err != nil {
		return err
	}
	t.wake = true
	if err := t.SendBatch(ctx, batch).Close(); err != nil {
		return err
	}
	if err := t.noticePlanned(ctx, cases); err != nil {
		return err
	}
	return t.inherit(ctx, takeovers)
}

// lockForCases locks the connections and accounts of the cases and checks that
// plans may be made for them.
func (t *tx) lockForCases(ctx context.Context, cases []newCase) error {
	var connections []schema.ConnectionID
	var accounts []schema.AccountID
	for _, c := range cases {
		for _, p := range c.plans {
			connections = append(connections, p.account.Connection.ID)
			accounts = append(accounts, p.account.Account.ID)
		}
	}
	slices.Sort(connections)
	connections = slices.Compact(connections)
	enabled, err := scalars[schema.ConnectionID](ctx, t, `select id from connection
		where id = any(@ids) and state = 'enabled' order by id for share`, args{"ids": connections})
	if err != nil {
		return err
	}
	if len(enabled) != len(connections) {
		return conflict("a connection of the draft is not enabled any more", "plan again")
	}
	known, err := scalars[schema.AccountID](ctx, t, `select id from account where id = any(@ids) order by id for no key update`,
		args{"ids": accounts})
	if err != nil {
		return err
	}
	if len(known) != len(accounts) {
		return &schema.Error{Code: schema.CodeInternal, Message: "an account of the draft was not saved before"}
	}
	return nil
}

// ensurePersons returns the person of each case's address, of those whose request
// names no person.
func (t *tx) ensurePersons(ctx context.Context, cases []newCase) (map[string]schema.PersonID, error) {
	var emails []string
	for _, c := range cases {
		if c.draft.Request.PersonID == "" {
			emails = append(emails, c.Email)
		}
	}
	slices.Sort(emails)
	return t.personsOf(ctx, slices.Compact(emails))
}

// personsOf returns who has or had each address, which may be somebody new to us.
func (t *tx) personsOf(ctx context.Context, emails []string) (map[string]schema.PersonID, error) {
	ids := make([]schema.PersonID, len(emails))
	for i := range ids {
		var err error
		if ids[i], err = newID[schema.PersonID](); err != nil {
			return nil, err
		}
	}
	// Of two who make a person for one address, the second waits and finds it.
	a := args{"ids": ids, "emails": emails, "now": t.now}
	err := t.run(ctx, `with made as (
			insert into person (id, email, created_at)
			select id, email, @now from unnest(@ids::uuid[], @emails::text[]) as n(id, email)
			where not exists (select 1 from person_email pe where pe.email = n.email) order by email
			on conflict (email) do nothing returning id, email)
		insert into person_email (email, person_id, verified, since) select email, id, false, @now from made order by email`, a)
	if err != nil {
		return nil, err
	}
	rows, err := all[struct {
		PersonID schema.PersonID
		Email    string
	}](ctx, t, `select person_id, email from person_email where email = any(@emails)`, args{"emails": emails})
	persons := make(map[string]schema.PersonID, len(rows))
	for _, r := range rows {
		persons[r.Email] = r.PersonID
	}
	return persons, err
}

// refuseOneself refuses cases for the person who asks for them, by any address
// that person has or had.
func (t *tx) refuseOneself(ctx context.Context, cases []newCase, by schema.Principal) error {
	own, err := t.personOf(ctx, by)
	if err != nil || own == "" {
		return err
	}
	for _, c := range cases {
		if c.PersonID == own {
			return &schema.Error{Code: schema.CodeForbidden, Message: "nobody offboards themselves; nothing was started", Fix: "let another operator do it"}
		}
	}
	return nil
}

// personOf is the person who holds the principal's token, "" when it is nobody's
// or they are not known.
func (t *tx) personOf(ctx context.Context, by schema.Principal) (schema.PersonID, error) {
	if by.Email == "" {
		return "", nil
	}
	found, err := scalars[schema.PersonID](ctx, t, `select person_id from person_email where email = lower(@email)`, args{"email": by.Email})
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0], nil
}

func (t *tx) queueCase(batch *pgx.Batch, c newCase) {
	batch.Queue(`insert into lifecycle_case (id, door, person_id, template, grace_seconds, receivers, effective_at,
			approvals, requested_by, requested_id, source, hash, created_at)
		values (@id, @door, @person_id, @template, @grace_seconds, @receivers, @effective_at,
			@approvals, @requested_by, @requested_id, @source, @hash, @now)`,
		args{
			"id": c.ID, "door": c.Door, "person_id": c.PersonID, "template": c.Template, "grace_seconds": int64(c.Grace.Seconds()),
			"receivers": c.Receivers, "effective_at": c.EffectiveAt, "approvals": c.Approvals, "requested_by": c.RequestedBy,
			"requested_id": c.RequestedID, "source": c.Source, "hash": c.Hash, "now": t.now,
		})
	for _, p := range c.plans {
		a := p.account
		batch.Queue(`insert into plan (id, case_id, connection_id, account_id, rank, state, hash, facts, template,
				current_step, fence, approvals, planned_bytes, created_at, updated_at)
			values (@id, @case_id, @connection_id, @account_id, @rank, 'planned', @hash, @facts, @template,
				0, 0, @approvals, @planned_bytes, @now, @now)`,
			args{
				"id": p.id, "case_id": c.ID, "connection_id": a.Connection.ID, "account_id": a.Account.ID, "rank": p.rank,
				"hash": p.hash, "facts": a.Facts, "template": a.Facts.Template, "approvals": c.Approvals,
				"planned_bytes": a.PlannedBytes, "now": t.now,
			})
		for i, step := range a.Facts.Steps {
			batch.Queue(insertStep, stepArgs(p.id, step.Step(i)))
		}
		// What a roster or an operator says of the account stays.
		batch.Queue(`update account set person_id = @person, person_by = 'case' where id = @id and person_id is distinct from @person and person_by in ('', 'case')`,
			args{"id": a.Account.ID, "person": c.PersonID})
		batch.Queue(`insert into person_account (account_id, person_id) values (@id, @person) on conflict do nothing`,
			args{"id": a.Account.ID, "person": c.PersonID})
	}
	batch.Queue(`insert into outbox (kind, case_id, created_at, next_try_at, traceparent) values (@kind, @case_id, @now, @now, @traceparent)`,
		args{"kind": schema.OutboxStartCase, "case_id": c.ID, "now": t.now, "traceparent": t.traceparent})
}

func (t *tx) recordCase(c newCase, by schema.Principal) {
	subject := audit.Subject{CaseID: string(c.ID), PersonID: string(c.PersonID)}
	details := map[string]string{
		"door": string(c.Door), "template": c.Template, "hash": c.Hash, "approvals": strconv.Itoa(c.Approvals), "source": c.Source,
		"effective_at": schema.FormatInstant(c.EffectiveAt), "plans": strconv.Itoa(len(c.plans)),
	}
	if c.draft.Request.SendAgain {
		details["send_again"] = "accepted" // a second destination folder may appear
	}
	t.record(audit.CaseStream(string(c.ID)), principal(by), "case.opened", subject, details)
	for _, p := range c.plans {
		row := planRow{Plan: schema.Plan{ID: p.id, CaseID: c.ID, ConnectionID: p.account.Connection.ID, AccountID: p.account.Account.ID}}
		t.recordPlan(row, principal(by), "plan.made", map[string]string{
			"hash": p.hash, "account": string(p.account.Facts.AccountID), "receiver": string(p.account.Facts.Receiver),
		})
	}
	t.record(audit.PersonStream(string(c.PersonID)), principal(by), "person.case_opened", subject, nil)
}
