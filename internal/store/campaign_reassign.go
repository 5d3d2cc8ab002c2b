package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"sendoff/schema"
)

// Reassign gives items to somebody else, also to whoever had them before or has as
// many as one may have: that is the principal's decision. Nobody is given what they
// hold or decided in another stage, nobody who has left or is absent is given
// anything, and nobody chooses who decides about their own account: of items that
// are named that is refused, of all items of a reviewer these stay, unless all do.
// It returns how many.
func (s *Store) Reassign(ctx context.Context, id schema.CampaignID, r schema.Reassign, by schema.Principal) (int, error) {
	if err := checkCampaignWord(r.Reason, by); err != nil {
		return 0, err
	}
	if len(r.Items) == 0 && r.From == "" {
		return 0, &schema.Error{Code: schema.CodeInvalid, Message: "nothing to reassign is named", Fix: "name items, or whose open items"}
	}
	for _, i := range r.Items {
		if err := checkID("item", string(i)); err != nil {
			return 0, err
		}
	}
	moved := 0
	err := s.inTx(ctx, "reassign items", func(ctx context.Context, t *tx) error {
		c, err := t.shareCampaign(ctx, id)
		if err != nil {
			return err
		}
		if c.State != schema.CampaignOpen {
			return notOpen(c)
		}
		to, err := t.receiver(ctx, r.To)
		if err != nil {
			return err
		}
		items, err := t.reassignable(ctx, c, r, to, by)
		if moved = len(items); err != nil || moved == 0 {
			return err
		}
		return t.reassign(ctx, c, items, to.id, r, by)
	})
	return moved, err
}

// receiver is who items are given to.
type receiver struct {
	id   schema.PersonID
	ids  []schema.PersonID // with those that were merged into them
	away bool
	bars []schema.Problem // what speaks against it, whatever the item is
}

// receiver is the person of an address, and whether they are there to decide.
func (t *tx) receiver(ctx context.Context, address string) (receiver, error) {
	id, err := personRef(ctx, t, address)
	if err != nil {
		return receiver{}, err
	}
	row, err := one[struct {
		Gone, Away bool
		IDs        []schema.PersonID `db:"ids"`
	}](ctx, t, `select `+reviewerLeft+` as gone, exists (select 1 from reviewer_absence b where b.person_id = w.id and `+absentNow+`) as away,
			array(select p.id::text from person p where p.id = w.id or p.merged_into = w.id) as ids
		from person w `+presentEmployment+` where w.id = @id`, args{"id": id, "today": schema.DateOf(t.now), "now": t.now})
	to := receiver{id: id, ids: row.IDs, away: row.Away}
	if row.Gone {
		to.bars = append(to.bars, schema.Problem{Where: "to", Message: "the person has left", Fix: "name somebody else"})
	}
	return to, err
}

// reassignRow is an item with what speaks against giving it to somebody.
type reassignRow struct {
	ID                                       schema.ItemID
	Ready, Holds, Before, Own, Has, TookFrom bool
	Away                                     bool
}

// bar says why the item cannot be given to the person; "" when it can.
func (r reassignRow) bar() string {
	switch {
	case !r.Ready:
		return "it is not to be decided"
	case r.Has:
		return "the person has it already"
	case r.Holds:
		return "the person holds the account, or did"
	case r.Before:
		return "the person decided in another stage"
	case r.Own:
		return "nobody chooses who decides about their own account"
	case r.TookFrom:
		return "a second look took it from you"
	}
	return ""
}

// reassignSQL reads items that are to be given to somebody, @to, by somebody, @me.
const reassignSQL = `select i.id, i.state in ('unassigned', 'open', 'undecided') as ready, ` + holdsOneOf + `@to)) as holds, ` + holdsOneOf + `@me)) as own,
		exists (select 1 from campaign_decision d where d.item_id = i.id and d.stage <> i.stage and d.reviewer_id = any(@to)) as before,
		i.state = 'open' and i.reviewer_id = any(@to) as has, @away and ` + absentOneOf + `@to)) as away,
		exists (select 1 from campaign_assignment s where s.item_id = i.id and s.end_why = 'redone' and s.reviewer_id = any(@to) and s.reviewer_id = any(@me)) as took_from
	from campaign_item i left join account a on a.id = i.account_id where i.campaign_id = @campaign and `

// reassignable locks the items and returns those that may be given to the person.
func (t *tx) reassignable(ctx context.Context, c schema.Campaign, r schema.Reassign, to receiver, by schema.Principal) ([]schema.ItemID, error) {
	me, err := personsBy(ctx, t, by)
	if err != nil {
		return nil, err
	}
	where, a := `i.reviewer_id = @from and i.state = 'open'`, args{"campaign": c.ID, "to": to.ids, "me": some(me), "away": to.away, "now": t.now}
	named := slices.Compact(slices.Sorted(slices.Values(r.Items)))
	if len(named) > 0 {
		where, a["items"] = `i.id = any(@items)`, named
	} else {
		a["from"] = r.From
	}
	rows, err := all[reassignRow](ctx, t, reassignSQL+where+` order by i.id for no key update of i`, a)
	if err != nil {
		return nil, err
	}
	if len(named) > len(rows) {
		return nil, &schema.Error{Code: schema.CodeNotFound, Message: fmt.Sprintf("%d of the items are not of the campaign", len(named)-len(rows))}
	}
	var out []schema.ItemID
	if to.away && (len(rows) == 0 || slices.ContainsFunc(rows, func(i reassignRow) bool { return i.Away })) {
		to.bars = append(to.bars, schema.Problem{Where: "to", Message: "the person is absent", Fix: "name somebody else, or have the absence ended first"})
	}
	e := &schema.Error{Code: schema.CodeConflict, Message: "some of the items cannot be reassigned so; nothing was changed", Problems: to.bars}
	for _, i := range rows {
		if why := i.bar(); why != "" {
			e.Problems = append(e.Problems, schema.Problem{Where: string(i.ID), Message: why, Fix: "leave it out, or choose somebody else"})
			continue
		}
		out = append(out, i.ID)
	}
	refused := len(e.Problems) > 0 && (len(named) > 0 || len(out) == 0)
	if refused || len(to.bars) > 0 {
		return nil, e
	}
	return out, nil
}

func (t *tx) reassign(ctx context.Context, c schema.Campaign, items []schema.ItemID, to schema.PersonID, r schema.Reassign, by schema.Principal) error {
	b := &pgx.Batch{}
	b.Queue(`update campaign_assignment set ended_at = @now, end_why = 'reassigned' where item_id = any(@items) and ended_at is null`, args{"items": items, "now": t.now})
	b.Queue(`update campaign_item set state = 'unassigned', reviewer_id = null, escalate_at = null, assign_to = @to, why = '', updated_at = @now where id = any(@items)`,
		args{"items": items, "to": to, "now": t.now})
	if err := t.SendBatch(ctx, b).Close(); err != nil {
		return err
	}
	t.recordCampaign(c, principal(by), "campaign.items_reassigned", naming(items, map[string]string{
		"from": string(r.From), "to": string(to), "reason": r.Reason,
	}))
	return t.wakeCampaign(ctx, c.ID)
}
