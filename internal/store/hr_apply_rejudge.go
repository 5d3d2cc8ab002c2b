package store

import (
	"context"
	"errors"

	"sendoff/schema"
)

// RejudgeLeavers judges those who leave by a feed's word again, limit at a time:
// time alone may change a verdict, such as when another employment begins. It does
// what events would. Somebody who cannot be judged stops none of the others; the
// error tells of them.
func (s *Store) RejudgeLeavers(ctx context.Context, judge schema.LeaverJudge, limit int) (schema.Applied, error) {
	if err := checkLimit(limit, maxPage); err != nil {
		return schema.Applied{}, err
	}
	var done schema.Applied
	var failed error
	for after, more := schema.LeaverID(""), true; more; {
		var page rejudged
		err := s.inTx(ctx, "judge leavers again", func(ctx context.Context, t *tx) (err error) {
			page, err = t.rejudge(ctx, judge, after, limit)
			return err
		})
		if err != nil {
			return done, errors.Join(failed, err)
		}
		done.Leavers += page.done.Leavers
		done.Held += page.done.Held
		failed = errors.Join(failed, page.failed)
		after, more = page.last, page.more
	}
	return done, failed
}

// rejudged is a page of leavers who were judged again.
type rejudged struct {
	done   schema.Applied
	failed error
	last   schema.LeaverID
	more   bool
}

func (t *tx) rejudge(ctx context.Context, judge schema.LeaverJudge, after schema.LeaverID, limit int) (rejudged, error) {
	var page rejudged
	if err := t.lockPeople(ctx, true); err != nil {
		return page, err
	}
	sides, err := t.readSides(ctx, tellingSource{})
	if err != nil {
		return page, err
	}
	rows, err := all[struct {
		ID       schema.LeaverID
		PersonID schema.PersonID
		Source   string
	}](ctx, t, `select l.id, l.person_id, s.name as source from leaver l join hr_source s on s.id = l.source_id
		where exists (select 1 from hr_source live where live.name = s.name and live.state = 'enabled') and l.state not in ('ended', 'withdrawn') and not l.by_hand and (@after::uuid is null or l.id > @after::uuid) order by l.id limit @limit`,
		args{"after": after, "limit": limit})
	if err != nil || len(rows) == 0 {
		return page, err
	}
	page.last, page.more = rows[len(rows)-1].ID, len(rows) == limit
	persons := make([]schema.PersonID, len(rows))
	for i, row := range rows {
		persons[i] = row.PersonID
	}
	facts, err := t.readFacts(ctx, sides, persons)
	if err != nil {
		return page, err
	}
	set := leaverSet{sides: sides, changes: map[schema.PersonID]*leaverChange{}}
	for _, row := range rows {
		h := hearing{
			person: row.PersonID, last: facts.leavers[row.PersonID], employments: facts.employments[row.PersonID], sites: facts.sites,
			sides: sides, teller: sides.sources[row.Source], heardAt: t.now, now: t.now, judge: judge, asked: facts.askedOf(row.PersonID),
		}
		change, err := h.hear(nil)
		if err != nil {
			page.failed = errors.Join(page.failed, err)
			continue
		}
		set.add(row.PersonID, change)
	}
	if err := t.saveLeavers(ctx, set); err != nil {
		return page, err
	}
	set.count(&page.done)
	return page, nil
}
