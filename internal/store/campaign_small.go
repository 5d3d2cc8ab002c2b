package store

import (
	"context"
	"slices"
	"strconv"
	"time"

	"sendoff/schema"
)

// BeginSmall looks for changes that begin small campaigns of a review since it was
// looked at last: people whose department or manager is another, and accounts that
// were given a privileged role. It makes one campaign for each of them, unless one
// about them is open, and returns how many. A paused review is looked at and makes
// none.
func (s *Store) BeginSmall(ctx context.Context, id schema.AccessReviewID) (int, error) {
	made := 0
	err := s.inTx(ctx, "look for small campaigns", func(ctx context.Context, t *tx) error {
		made = 0
		to, settled, err := t.settledChanges(ctx)
		if err != nil || !settled {
			return err
		}
		d, err := t.lockAccessReview(ctx, string(id))
		if err != nil {
			return err
		}
		// What another look has seen since is not looked at again.
		to.Change, to.Person = max(to.Change, d.SeenChange), max(to.Person, d.SeenPersonChange)
		if d.State == schema.PolicyActive {
			if made, err = t.beginSmall(ctx, d, to); err != nil {
				return err
			}
		}
		return t.run(ctx, `update access_review set seen_change = @change, seen_person_change = @person where id = @id`,
			args{"id": d.ID, "change": to.Change, "person": to.Person})
	})
	return made, err
}

// seenTo is how far changes were looked at.
type seenTo struct{ Change, Person int64 }

// How long a look waits for transactions that write changes.
const (
	settleTries = 20
	settleWait  = 50 * time.Millisecond
)

// settledChanges returns up to which ids all changes are visible, and whether that
// could be found out. Ids are given before their transactions commit, so a lower one
// may appear after a higher one: whoever writes changes while the highest is read is
// waited for, briefly. The next look finds what this one leaves.
func (t *tx) settledChanges(ctx context.Context) (seenTo, bool, error) {
	to, err := one[seenTo](ctx, t, `select coalesce((select max(id) from inventory_change), 0) as change, coalesce((select max(id) from person_change), 0) as person`, nil)
	if err != nil {
		return to, false, err
	}
	const writers = `select distinct l.virtualtransaction from pg_locks l
		where l.locktype = 'relation' and l.database = (select oid from pg_database where datname = current_database())
		and l.relation in ('inventory_change'::regclass, 'person_change'::regclass) and l.mode = 'RowExclusiveLock' and l.granted and l.pid <> pg_backend_pid()`
	waiting, err := scalars[string](ctx, t, writers, nil)
	for range settleTries {
		if err != nil || len(waiting) == 0 {
			return to, err == nil, err
		}
		select {
		case <-ctx.Done():
			return to, false, ctx.Err()
		case <-time.After(settleWait):
		}
		var now []string
		now, err = scalars[string](ctx, t, writers, nil)
		waiting = slices.DeleteFunc(waiting, func(w string) bool { return !slices.Contains(now, w) })
	}
	return to, false, err
}

func (t *tx) beginSmall(ctx context.Context, d accessReviewRow, to seenTo) (int, error) {
	a := args{"review": d.ID, "connections": d.Rule.Scope.Connections, "from": d.SeenPersonChange, "to": to.Person}
	var movers []schema.PersonID
	var accounts []schema.AccountID
	var err error
	if slices.Contains(d.Rule.Events, schema.CampaignMover) {
		if movers, err = scalars[schema.PersonID](ctx, t, moversSQL, a); err != nil {
			return 0, err
		}
	}
	if slices.Contains(d.Rule.Events, schema.CampaignPrivileged) {
		a["from"], a["to"] = d.SeenChange, to.Change
		if accounts, err = scalars[schema.AccountID](ctx, t, privilegedSQL, a); err != nil {
			return 0, err
		}
	}
	for _, p := range movers {
		c := schema.Campaign{Trigger: schema.CampaignMover, Persons: []schema.PersonID{p}}
		if err := t.smallCampaign(ctx, d, c); err != nil {
			return 0, err
		}
	}
	for _, id := range accounts {
		c := schema.Campaign{Trigger: schema.CampaignPrivileged, Accounts: []schema.AccountID{id}}
		if err := t.smallCampaign(ctx, d, c); err != nil {
			return 0, err
		}
	}
	if n := len(movers) + len(accounts); n > 0 {
		t.recordAccessReview(d, engine(), "access_review.events", map[string]string{"movers": strconv.Itoa(len(movers)), "privileged": strconv.Itoa(len(accounts))})
	}
	return len(movers) + len(accounts), nil
}

func (t *tx) smallCampaign(ctx context.Context, d accessReviewRow, c schema.Campaign) error {
	c.ScheduledAt, c.State = t.now, schema.CampaignGathering
	return t.insertCampaign(ctx, &c, d, engine())
}

// inScope tells whether an account, a, is on a connection of the review.
const inScope = `a.status not in ('missing', 'deleted')
	and a.connection_id in (select id from connection where name = any(@connections) and state <> 'removed')`

// moversSQL are the people who moved and hold accounts in the scope, each once. One
// who moved and moved back has not moved.
const moversSQL = `select distinct p.id from (
		select coalesce(m.merged_into, m.id) as id from (
			select h.person_id, h.kind, (array_agg(h.before order by h.id))[1] as before, (array_agg(h.after order by h.id desc))[1] as after
			from person_change h where h.id > @from and h.id <= @to group by 1, 2) as x
		join person m on m.id = x.person_id where x.before <> x.after) as p
	where exists (select from account a where a.person_id = p.id and ` + inScope + `)
		and not exists (select from campaign c where c.review_id = @review and c.trigger = 'mover' and c.state not in ('signed', 'ended') and p.id = any(c.persons))
	order by p.id`

// privilegedSQL are the accounts in the scope that were given a privileged role and
// have one now, each once.
const privilegedSQL = `select distinct a.id from inventory_change h join account a on a.id = h.account_id
	where h.id > @from and h.id <= @to and h.kind = 'role' and h.after in ('coadmin', 'admin') and a.role in ('coadmin', 'admin') and ` + inScope + `
		and not exists (select from campaign c where c.review_id = @review and c.trigger = 'privileged_role' and c.state not in ('signed', 'ended') and a.id = any(c.accounts))
	order by a.id`
