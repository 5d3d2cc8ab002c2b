package activities

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sendoff/connectors"
	"sendoff/internal/policy"
	"sendoff/schema"
)

// Planner makes drafts of offboardings: it looks people up at the vendors,
// chooses receivers, runs pre-flight and computes the hash. It writes nothing
// but the accounts it saw.
type Planner struct {
	store      Store
	connectors Connectors
	now        func() time.Time
}

// NewPlanner returns a planner over the ports given.
func NewPlanner(store Store, c Connectors, now func() time.Time) *Planner {
	return &Planner{store: store, connectors: c, now: now}
}

// Draft plans all requests together, so that one's leaver is not another's
// receiver and what one brings counts against the receiver's room for the next.
// It returns CodeNotFound or CodeAmbiguous with a problem for each such address;
// refusals of pre-flight are findings of the drafts.
func (p *Planner) Draft(ctx context.Context, requests []schema.Request) ([]schema.Draft, error) {
	ctx = connectors.WithPriority(ctx, connectors.PriorityPreflight)
	b, err := p.newBatch(ctx, requests)
	if err != nil {
		return nil, err
	}
	drafts := make([]schema.Draft, 0, len(requests))
	var problems []schema.Problem
	code := schema.CodeNotFound
	for i, r := range requests {
		d, problem, err := b.draft(ctx, r)
		if err != nil {
			return nil, err
		}
		if problem != nil {
			if len(requests) > 1 {
				problem.Where = fmt.Sprintf("requests[%d]", i)
			}
			if problem.Code == string(schema.AmbiguousLogin) {
				code = schema.CodeAmbiguous
			}
			problems = append(problems, *problem)
			continue
		}
		drafts = append(drafts, d)
	}
	if len(problems) > 0 {
		return nil, &schema.Error{
			Code: code, Message: "not every leaver could be found", Problems: problems,
			Fix: "check the addresses, and that the connections are enabled (sendoff connections list)",
		}
	}
	return drafts, nil
}

// batch is the planning of several requests with shared look-ups.
type batch struct {
	*Planner
	conns   []*lane
	leavers map[string]bool // lower-case addresses in this batch
	again   bool            // planned before: content is not looked at for warnings again
	failed  []error         // of the reads that the account now being drafted is judged by
}

// degraded is the finding for a read that failed.
func (b *batch) degraded(l *lane, err error) schema.Finding {
	b.failed = append(b.failed, err)
	return policy.Degraded(l.conn, describe(err))
}

// lane is one connection as this batch sees it.
type lane struct {
	conn     schema.Connection
	c        connectors.AccountReader
	whole    connectors.Connector
	actor    policy.Actor
	findings []schema.Finding
	broken   bool
	bytes    map[schema.ExternalID]int64 // planned by this batch, per receiver
}

func (p *Planner) newBatch(ctx context.Context, requests []schema.Request) (*batch, error) {
	conns, err := p.store.EnabledConnections(ctx)
	if err != nil {
		return nil, err
	}
	if len(conns) == 0 {
		return nil, &schema.Error{
			Code: schema.CodeNotFound, Message: "there is no enabled connection to look anybody up in",
			Fix: "make one: sendoff connect box --help",
		}
	}
	b := &batch{Planner: p, leavers: map[string]bool{}}
	for _, r := range requests {
		b.leavers[strings.ToLower(r.Email)] = true
	}
	for _, c := range conns {
		if !shadowed(c, conns) {
			b.conns = append(b.conns, p.openLane(ctx, c))
		}
	}
	return b, nil
}

// shadowed tells whether a read-only connection stands beside one that may write
// to the same enterprise: that one carries the plans.
func shadowed(c schema.Connection, all []schema.Connection) bool {
	return c.ReadOnly && slices.ContainsFunc(all, func(other schema.Connection) bool {
		return !other.ReadOnly && other.Vendor == c.Vendor && other.EnterpriseID == c.EnterpriseID
	})
}

func (p *Planner) openLane(ctx context.Context, conn schema.Connection) *lane {
	l := &lane{conn: conn, bytes: map[schema.ExternalID]int64{}}
	degraded := func(err error) *lane {
		l.broken = true
		l.findings = []schema.Finding{policy.Degraded(conn, describe(err))}
		return l
	}
	c, err := p.connectors.Open(ctx, conn)
	if err != nil {
		return degraded(err)
	}
	l.whole = c
	if l.c, err = connectors.Capability[connectors.AccountReader](c, "read_accounts"); err != nil {
		return degraded(err)
	}
	id, err := c.Check(ctx)
	if err != nil {
		return degraded(err)
	}
	l.actor = policy.Actor{ExternalID: id.ExternalID, Role: id.Role, EnterpriseID: id.EnterpriseID, Service: id.Service}
	l.findings = policy.CheckConnection(conn, l.actor)
	return l
}

// detailOf is what our client found wrong with an answer, in its own fixed words.
func detailOf(err error) string {
	var vendor *connectors.Error
	if errors.As(err, &vendor) && vendor.Detail != "" {
		return vendor.Op + ": " + vendor.Detail
	}
	return "is the base URL right?"
}

// describe says what went wrong with a connection in words free of data.
func describe(err error) string {
	switch connectors.KindOf(err) {
	case connectors.Unauthorized:
		return "the vendor does not accept its credentials"
	case connectors.Forbidden:
		return "the vendor forbids it to read accounts"
	case connectors.RateLimited:
		return "the vendor's rate limit is used up"
	case connectors.Unavailable:
		return "the vendor does not answer"
	case connectors.Malformed:
		return "an answer is not what the vendor's API documents (" + detailOf(err) + ")"
	case "":
		return "it could not be opened"
	default:
		return "the vendor refused a look-up (" + string(connectors.KindOf(err)) + ")"
	}
}

// draft plans one request. A problem means that the person was not found.
func (b *batch) draft(ctx context.Context, r schema.Request) (schema.Draft, *schema.Problem, error) {
	t, err := b.store.Template(ctx, r.Template)
	if schema.CodeOf(err) == schema.CodeNotFound {
		err = &schema.Error{
			Code: schema.CodeInvalid, Message: fmt.Sprintf("template %q does not exist", r.Template),
			Fix: "see: sendoff templates list",
		}
	}
	if err != nil {
		return schema.Draft{}, nil, err
	}
	r = withTemplate(r, t)
	d := schema.Draft{Request: r}
	degraded := false
	for _, l := range b.conns {
		if l.broken {
			degraded = true
			d.Findings = append(d.Findings, l.findings...)
			continue
		}
		matches, problem, err := l.accountsOf(ctx, r)
		if err != nil {
			degraded = true
			d.Findings = append(d.Findings, policy.Degraded(l.conn, describe(err)))
			continue
		}
		if problem != nil {
			return d, problem, nil
		}
		for _, found := range matches {
			account, err := b.draftAccount(ctx, l, r, t, found)
			if err != nil {
				return d, nil, err
			}
			if anothers(account.Account, r) {
				continue
			}
			d.Accounts = append(d.Accounts, account)
		}
	}
	if len(d.Accounts) == 0 && !degraded {
		return d, &schema.Problem{
			Code:    string(schema.CodeNotFound),
			Message: "no enabled connection has an account with the login " + r.Email, Fix: "check the address",
		}, nil
	}
	hashes := make([]string, len(d.Accounts))
	for i, a := range d.Accounts {
		hashes[i] = a.Facts.Hash()
	}
	d.Hash = schema.CaseHash(hashes)
	return d, nil, nil
}

// accountsOf returns the accounts of a lane that have one of the request's logins.
// A login of several accounts is a problem: nobody knows which is meant.
func (l *lane) accountsOf(ctx context.Context, r schema.Request) ([]schema.Account, *schema.Problem, error) {
	var all []schema.Account
	for i, login := range append([]string{r.Email}, r.Logins...) {
		if i > 0 && strings.EqualFold(login, r.Email) {
			continue
		}
		matches, err := l.c.FindByLogin(ctx, login)
		if err != nil {
			return nil, nil, err
		}
		if len(matches) > 1 {
			return nil, &schema.Problem{
				Code:    string(schema.AmbiguousLogin),
				Message: fmt.Sprintf("%d accounts of connection %s have the login %s", len(matches), l.conn.Name, login),
				Fix:     "make the login unique at the vendor",
			}, nil
		}
		for _, m := range matches {
			if !slices.ContainsFunc(all, func(a schema.Account) bool { return a.ExternalID == m.ExternalID }) {
				all = append(all, m)
			}
		}
	}
	return all, nil, nil
}

// withTemplate fills in what the request leaves to its template: the door, and
// the receivers to try after those that it names.
func withTemplate(r schema.Request, t schema.Template) schema.Request {
	r.Door = cmp.Or(r.Door, schema.DoorOffboarding)
	r.Receivers = slices.Clone(r.Receivers)
	for _, login := range t.Receivers {
		if !slices.Contains(r.Receivers, login) {
			r.Receivers = append(r.Receivers, login)
		}
	}
	return r
}

// anothers tells whether an account that has a login of the person who leaves is
// known to be somebody else's: logins are given to others, and another enterprise
// may have given the same one to another person.
func anothers(a schema.Account, r schema.Request) bool {
	return r.PersonID != "" && a.PersonID != "" && a.PersonID != r.PersonID
}

// draftAccount drafts the plan of an account that was found just now.
func (b *batch) draftAccount(ctx context.Context, l *lane, r schema.Request, t schema.Template, found schema.Account) (schema.DraftAccount, error) {
	source, err := l.c.ReadAccount(ctx, found.ExternalID)
	if err != nil {
		return b.judgeAccount(ctx, l, r, t, found, b.degraded(l, err))
	}
	return b.judgeAccount(ctx, l, r, t, source)
}

// judgeAccount drafts the plan of an account as the vendor just told it.
func (b *batch) judgeAccount(ctx context.Context, l *lane, r schema.Request, t schema.Template, source schema.Account, known ...schema.Finding) (schema.DraftAccount, error) {
	d := schema.DraftAccount{Connection: l.conn, TemplateRecord: t, Steps: t.Resolve(r.Grace)}
	d.Findings = append(append(d.Findings, l.findings...), known...)
	var err error
	if d.Account, err = remember(ctx, b.store, l.conn.ID, source, b.now()); err != nil {
		return d, err
	}
	if anothers(d.Account, r) {
		return d, nil
	}
	d.Findings = append(d.Findings, policy.CheckSource(l.conn, l.actor, d.Account, policy.EffectsOf(t.Steps))...)
	if err := b.checkOthers(ctx, l, r, t, &d); err != nil {
		return d, err
	}
	restraint, err := b.checkContent(ctx, l, t, &d)
	if err != nil {
		return d, err
	}
	if err := b.chooseReceiver(ctx, l, r, t, &d); err != nil {
		return d, err
	}
	d.Facts = policy.BuildFacts(policy.FactsInput{
		Door: r.Door, Connection: l.conn, Source: d.Account,
		Receiver: d.Receiver, Steps: d.Steps, Template: t, Request: r, Restraint: restraint,
	})
	return d, nil
}
