package store

import (
	"context"
	"strings"

	"sendoff/schema"
)

const selectCases = `select c.id, c.door, c.person_id, p.email, c.template, c.grace_seconds * 1000000000 as grace, c.receivers,
		c.effective_at, c.approvals, c.requested_by, c.requested_id, c.source, c.hash, c.created_at, c.closed_at
	from lifecycle_case c join person p on p.id = c.person_id `

// Case returns a case.
func (s *Store) Case(ctx context.Context, id schema.CaseID) (schema.Case, error) {
	c, err := loadCase(ctx, s.pool, id)
	return c, translate("read case", err)
}

func loadCase(ctx context.Context, q querier, id schema.CaseID) (schema.Case, error) {
	c, ok, err := maybe[schema.Case](ctx, q, selectCases+`where c.id = @id`, args{"id": id})
	if err == nil && !ok {
		err = notFound("case", string(id))
	}
	return c, err
}

// lockCase locks a case and reads it.
func (t *tx) lockCase(ctx context.Context, id schema.CaseID) (schema.Case, error) {
	if err := t.run(ctx, `select 1 from lifecycle_case where id = @id for no key update`, args{"id": id}); err != nil {
		return schema.Case{}, err
	}
	return loadCase(ctx, t, id)
}

// minPrefix is the shortest part of an id that FindCase takes.
const minPrefix = 8

// FindCase returns the case of an id, of an unambiguous prefix of one (8
// characters at least), or the newest case of an e-mail address, an open one
// before those that have ended. CodeNotFound or CodeAmbiguous otherwise.
func (s *Store) FindCase(ctx context.Context, ref string) (schema.Case, error) {
	const op = "find case"
	if strings.Contains(ref, "@") {
		c, ok, err := maybe[schema.Case](ctx, s.pool, selectCases+`where p.email = @email
			order by (c.closed_at is null) desc, c.created_at desc, c.id desc limit 1`, args{"email": strings.ToLower(strings.TrimSpace(ref))})
		if err == nil && !ok {
			err = &schema.Error{Code: schema.CodeNotFound, Message: "there is no case for that address", Fix: "sendoff cases list shows all cases"}
		}
		return c, translate(op, err)
	}
	first, last, ok := idRange(ref)
	if !ok {
		return schema.Case{}, &schema.Error{Code: schema.CodeInvalid, Message: "a case is named by its id, by 8 or more characters of its beginning, or by an e-mail address"}
	}
	found, err := all[schema.Case](ctx, s.pool, selectCases+`where c.id between @first and @last order by c.id limit 2`,
		args{"first": first, "last": last})
	switch {
	case err != nil:
		return schema.Case{}, translate(op, err)
	case len(found) == 0:
		return schema.Case{}, notFound("case", ref)
	case len(found) > 1:
		return schema.Case{}, &schema.Error{Code: schema.CodeAmbiguous, Message: "several cases begin with " + ref, Fix: "give more of the id"}
	}
	return found[0], nil
}

// idRange returns the first and last id that begin with prefix.
func idRange(prefix string) (first, last schema.CaseID, ok bool) {
	const digits = 32
	hex := strings.ToLower(strings.ReplaceAll(strings.TrimSpace(prefix), "-", ""))
	if len(hex) < minPrefix || len(hex) > digits || strings.Trim(hex, "0123456789abcdef") != "" {
		return "", "", false
	}
	missing := digits - len(hex)
	return schema.CaseID(hex + strings.Repeat("0", missing)), schema.CaseID(hex + strings.Repeat("f", missing)), true
}

// CaseView returns a case with everything people are shown of it, as of one
// instant.
func (s *Store) CaseView(ctx context.Context, id schema.CaseID) (schema.CaseView, error) {
	var view schema.CaseView
	err := s.readTx(ctx, "read case", func(ctx context.Context, q querier) error {
		c, err := loadCase(ctx, q, id)
		if err != nil {
			return err
		}
		views, err := loadViews(ctx, q, []schema.Case{c}, true)
		if err == nil {
			view = views[0]
		}
		return err
	})
	return view, err
}

// ListCases lists the cases that the filter selects, newest first. Plans come
// without their snapshots.
func (s *Store) ListCases(ctx context.Context, f schema.CaseFilter) ([]schema.CaseView, string, error) {
	if err := checkLimit(f.Limit, maxPage); err != nil {
		return nil, "", err
	}
	from, err := parseCursor(f.After)
	if err != nil {
		return nil, "", err
	}
	where, a := caseConditions(f, from)
	var views []schema.CaseView
	var next string
	err = s.readTx(ctx, "list cases", func(ctx context.Context, q querier) error {
		cases, err := all[schema.Case](ctx, q, selectCases+where+` order by c.created_at desc, c.id desc limit @limit`, a)
		if err != nil {
			return err
		}
		cases, next = page(cases, f.Limit, func(c schema.Case) cursor { return cursor{c.CreatedAt, string(c.ID)} })
		views, err = loadViews(ctx, q, cases, false)
		return err
	})
	return views, next, err
}

// caseConditions turns a filter into a condition. A case's state is that of its
// least finished plan: one plan is in the state and none in an earlier one.
func caseConditions(f schema.CaseFilter, from cursor) (string, args) {
	where, a := `where true`, args{"limit": f.Limit + 1}
	if f.After != "" {
		where += ` and (c.created_at, c.id) < (@at, @id)`
		a["at"], a["id"] = from.At, schema.CaseID(from.ID)
	}
	if f.Email != "" {
		where += ` and c.person_id = (select person_id from person_email where email = @email)`
		a["email"] = strings.ToLower(strings.TrimSpace(f.Email))
	}
	if f.State != "" {
		where += ` and exists (select 1 from plan x where x.case_id = c.id and x.state = @state)
			and not exists (select 1 from plan y where y.case_id = c.id and y.state = any(@earlier))`
		a["state"], a["earlier"] = f.State, lessFinished(f.State)
	}
	return where, a
}

func lessFinished(than schema.PlanState) []schema.PlanState {
	earlier := []schema.PlanState{}
	for _, s := range []schema.PlanState{
		schema.PlanPlanned, schema.PlanRunning, schema.PlanWaiting, schema.PlanSettling, schema.PlanCancelling,
		schema.PlanParked, schema.PlanSuperseded, schema.PlanCancelled, schema.PlanDone,
	} {
		if s != than && schema.LeastFinished(s, than) == s {
			earlier = append(earlier, s)
		}
	}
	return earlier
}

// accountRow is an account with its connection's name.
type accountRow struct {
	schema.Account
	Connection string
}

// loadViews adds plans, accounts and transfers to cases, each with one query.
func loadViews(ctx context.Context, q querier, cases []schema.Case, snapshots bool) ([]schema.CaseView, error) {
	ids := make([]schema.CaseID, len(cases))
	for i, c := range cases {
		ids[i] = c.ID
	}
	plans, err := loadPlans(ctx, q, `p.case_id = any(@ids)`, args{"ids": ids}, snapshots)
	if err != nil {
		return nil, err
	}
	accounts, transfers, err := loadPlanParts(ctx, q, plans)
	if err != nil {
		return nil, err
	}
	byCase := map[schema.CaseID][]schema.AccountView{}
	for _, p := range plans {
		a := accounts[p.AccountID]
		byCase[p.CaseID] = append(byCase[p.CaseID], schema.AccountView{
			Plan: p.Plan, Account: a.Account, Connection: a.Connection, Transfer: transfers[p.ID],
		})
	}
	views := make([]schema.CaseView, len(cases))
	for i, c := range cases {
		var states []schema.PlanState
		for _, a := range byCase[c.ID] {
			states = append(states, a.Plan.State)
		}
		views[i] = schema.CaseView{Case: c, State: schema.LeastFinished(states...), Accounts: byCase[c.ID]}
	}
	return views, nil
}

func loadPlanParts(ctx context.Context, q querier, plans []planRow) (map[schema.AccountID]accountRow, map[schema.PlanID]*schema.Transfer, error) {
	planIDs, accountIDs := make([]schema.PlanID, len(plans)), make([]schema.AccountID, len(plans))
	for i, p := range plans {
		planIDs[i], accountIDs[i] = p.ID, p.AccountID
	}
	rows, err := all[accountRow](ctx, q, `select a.id, a.connection_id, a.external_id, a.person_id, a.login, a.name, a.role, a.status,
			a.vendor_status, a.kind, a.enterprise_id, a.space_used, a.space_amount, a.created_at, a.observed_at, a.tracking, c.name as connection
		from account a join connection c on c.id = a.connection_id where a.id = any(@ids)`, args{"ids": accountIDs})
	if err != nil {
		return nil, nil, err
	}
	accounts := make(map[schema.AccountID]accountRow, len(rows))
	for _, r := range rows {
		accounts[r.ID] = r
	}
	list, err := loadTransfers(ctx, q, planIDs)
	transfers := make(map[schema.PlanID]*schema.Transfer, len(list))
	for i := range list {
		transfers[list[i].PlanID] = &list[i]
	}
	return accounts, transfers, err
}
