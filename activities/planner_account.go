package activities

import (
	"context"
	"slices"
	"strings"
	"time"

	"sendoff/connectors"
	"sendoff/internal/policy"
	"sendoff/schema"
)

// giveUpAfter is how long accounts of one connection may cost that could not be read,
// before the connection is left out: two calls that hang until they time out.
const giveUpAfter = 2 * time.Minute

// AccountDraft is the draft of one account. What could not be read for it says nothing
// of the account.
type AccountDraft struct {
	schema.Draft
	unread unread
}

// unread is why a draft cannot be relied on.
type unread struct {
	why     string // empty = all that it is judged by was read
	account bool   // its connection answers
	lasts   bool   // and refuses to tell of this account: it does not help to ask again
	untried bool   // nothing was asked: the connection had been given up
}

// waits tells whether the account may be judged soon without anybody doing anything.
func (u unread) waits() bool { return u.why != "" && !u.lasts }

// Drafting plans single accounts in pieces. A connection that turns out not to answer
// is left out of all later pieces, however many they are: each of its calls may hang
// for a minute.
type Drafting struct {
	planner *Planner
	left    map[schema.ConnectionID]*lane
	lost    map[schema.ConnectionID]time.Duration // on accounts that could not be read
}

// Drafting begins to plan accounts.
func (p *Planner) Drafting() *Drafting {
	return &Drafting{planner: p, left: map[schema.ConnectionID]*lane{}, lost: map[schema.ConnectionID]time.Duration{}}
}

// Next begins with what the drafts so far are for: those accounts that could not be read
// stand in the way of no others. What did not answer at all is left out still.
func (p *Drafting) Next() *Drafting {
	next := p.planner.Drafting()
	next.left = p.left
	return next
}

// drafts is a piece of that.
type drafts struct {
	batch
	of      *Drafting
	enabled []schema.Connection
}

// DraftAccounts plans one account for each request, by its AccountID, and looks
// for no other account of its person. Again says that the requests were planned
// before: then nothing is gathered but what the hash covers. Refusals are findings
// of the drafts. CodeNotFound names an account that there is none of.
func (p *Drafting) DraftAccounts(ctx context.Context, requests []schema.Request, t schema.Template, again bool) ([]AccountDraft, error) {
	ctx = connectors.WithPriority(ctx, connectors.PriorityPreflight)
	enabled, err := p.planner.store.EnabledConnections(ctx)
	if err != nil {
		return nil, err
	}
	s := &drafts{of: p, enabled: enabled, batch: batch{Planner: p.planner, leavers: map[string]bool{}, again: again}}
	for _, r := range requests {
		s.leavers[strings.ToLower(r.Email)] = true
	}
	list := make([]AccountDraft, len(requests))
	for i, r := range requests {
		if list[i], err = s.draftOne(ctx, withTemplate(r, t), t); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (s *drafts) draftOne(ctx context.Context, r schema.Request, t schema.Template) (AccountDraft, error) {
	d := AccountDraft{Draft: schema.Draft{Request: r}}
	account, err := s.store.Account(ctx, r.AccountID)
	if err != nil {
		return d, err
	}
	i := slices.IndexFunc(s.enabled, func(c schema.Connection) bool { return c.ID == account.ConnectionID })
	if i < 0 || shadowed(s.enabled[i], s.enabled) {
		d.Findings = []schema.Finding{{
			Code: schema.PlanImpossible, Message: "the account's connection is not enabled, or a connection that may write stands beside it",
			Fix: "enable the connection, or name the one that may write in the policy",
		}}
		if i < 0 {
			d.unread.why = connectionDisabled
		}
		return d, nil
	}
	l, untried := s.laneOf(ctx, s.enabled[i])
	if l.broken {
		d.Findings, d.unread = l.findings, unread{why: connectionSilent, untried: untried}
		return d, nil
	}
	return s.draftRead(ctx, l, d, t, account)
}

// Why a draft says nothing of its account.
const (
	connectionDisabled = "its connection is disabled"
	connectionSilent   = "its connection does not answer"
	accountUnknown     = "the vendor knows no such account: a sync tells what became of it"
	accountUnread      = schema.Unread
)

// laneOf opens the lane of a connection when the first account of it is drafted. It
// tells whether it had been given up before.
func (s *drafts) laneOf(ctx context.Context, c schema.Connection) (*lane, bool) {
	if l, ok := s.of.left[c.ID]; ok {
		return l, true
	}
	i := slices.IndexFunc(s.conns, func(l *lane) bool { return l.conn.ID == c.ID })
	switch {
	case s.of.lost[c.ID] >= giveUpAfter:
		return &lane{conn: c, broken: true, findings: []schema.Finding{policy.Degraded(c, "the vendor does not answer for its accounts")}}, true
	case i >= 0:
		return s.conns[i], false
	}
	l := s.openLane(ctx, c)
	if s.conns = append(s.conns, l); l.broken {
		s.of.left[c.ID] = l
	}
	return l, false
}

// draftRead drafts the plan of an account whose connection answers, and says what of
// that could not be read, which cost the connection time.
func (s *drafts) draftRead(ctx context.Context, l *lane, d AccountDraft, t schema.Template, account schema.Account) (AccountDraft, error) {
	began, refuses := s.now(), schema.Refused(l.findings)
	s.failed = nil
	known, err := s.readAndJudge(ctx, l, &d, t, account)
	if err != nil || len(s.failed) == 0 {
		return d, err
	}
	s.of.lost[l.conn.ID] += s.now().Sub(began)
	now, err := s.store.Connection(ctx, l.conn.ID)
	switch {
	case err != nil:
	case now.State != schema.ConnectionEnabled:
		d.unread = unread{why: connectionDisabled}
	case refuses: // whatever the account is
	case !known:
		d.unread = unread{why: accountUnknown, account: true, lasts: true}
	default:
		d.unread = unreadOf(s.failed, d.AllFindings())
	}
	return d, err
}

// readAndJudge reads an account and drafts its plan. One that cannot be read has none:
// what is known of it from before is no observation. It tells whether the vendor knows
// the account, as far as it said.
func (s *drafts) readAndJudge(ctx context.Context, l *lane, d *AccountDraft, t schema.Template, account schema.Account) (bool, error) {
	source, err := l.c.ReadAccount(ctx, account.ExternalID)
	if err != nil {
		d.Findings = append(slices.Clone(l.findings), s.degraded(l, err))
		return connectors.KindOf(err) != connectors.NotFound, nil
	}
	one, err := s.judgeAccount(ctx, l, d.Request, t, source)
	switch {
	case schema.CodeOf(err) == schema.CodeClosed: // its connection was disabled just now
		d.Findings = []schema.Finding{s.degraded(l, err)}
	case err != nil:
		return true, err
	default:
		d.Accounts, d.Hash = []schema.DraftAccount{one}, schema.CaseHash([]string{one.Facts.Hash()})
	}
	return true, nil
}

// unreadOf judges the reads that failed. One that may succeed soon could change
// whatever was found beside it; so could any that a refusal is made of.
func unreadOf(failed []error, findings []schema.Finding) unread {
	for _, err := range failed {
		if !lasting(err) {
			return unread{why: accountUnread + describe(err), account: true}
		}
	}
	for _, f := range findings {
		if f.Code == schema.ConnectionDegraded && !f.Warning {
			return unread{why: accountUnread + describe(failed[0]), account: true, lasts: true}
		}
	}
	return unread{}
}

// lasting tells whether a read fails as long as nobody changes anything.
func lasting(err error) bool {
	switch connectors.KindOf(err) {
	case connectors.Forbidden, connectors.Invalid, connectors.NotFound, connectors.Unsupported:
		return true
	}
	return false
}
