package store

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"sendoff/schema"
)

// Reassign gives items to somebody else. Nobody is given what they hold or decided
// in another stage, and nobody chooses who decides about their own account: of
// items that are named that is refused, of all items of a reviewer these stay. It
// returns how many.
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
		to, err := t.reachable(ctx, r.To)
		if err != nil {
			return err
		}
		items, err := t.reassignable(ctx, c, r, to, by)
		if moved = len(items); err != nil || moved == 0 {
			return err
		}
		return t.reassign(ctx, c, items, to, r, by)
	})
	return moved, err
}

// reachable is the person of an address, who must be there to decide.
func (t *tx) reachable(ctx context.Context, address string) (schema.PersonID, error) {
	id, err := personRef(ctx, t, address)
	if err != nil {
		return "", err
	}
	left, err := scalar[bool](ctx, t, `select `+reviewerLeft+` from person w `+presentEmployment+` where w.id = @id`, args{"id": id, "today": schema.DateOf(t.now)})
	if err == nil && left {
		err = conflict("the person has left", "name somebody else")
	}
	return id, err
}

// reassignable locks the items and returns those that may be given to the person.
func (t *tx) reassignable(ctx context.Context, c schema.Campaign, r schema.Reassign, to schema.PersonID, by schema.Principal) ([]schema.ItemID, error) {
	me, err := personsBy(ctx, t, by)
	if err != nil {
		return nil, err
	}
	where, a := `i.reviewer_id = @from and i.state = 'open'`, args{"campaign": c.ID, "to": []schema.PersonID{to}, "me": some(me)}
	if len(r.Items) > 0 {
		where, a["items"] = `i.id = any(@items)`, r.Items
	} else {
		a["from"] = r.From
	}
	rows, err := all[struct {
		ID                        schema.ItemID
		Ready, Holds, Own, Before bool
	}](ctx, t, `select i.id, i.state in ('unassigned', 'open', 'undecided') as ready, `+holdsAccountBy(`@to`)+` as holds, `+holdsAccountBy(`@me`)+` as own,
			exists (select 1 from campaign_decision d where d.item_id = i.id and d.stage <> i.stage and d.reviewer_id = any(@to)) as before
		from campaign_item i left join account a on a.id = i.account_id
		where i.campaign_id = @campaign and `+where+` order by i.id for no key update of i`, a)
	if err != nil {
		return nil, err
	}
	e := &schema.Error{Code: schema.CodeConflict, Message: "some of the items cannot be reassigned so"}
	var out []schema.ItemID
	for _, i := range rows {
		why := ""
		switch {
		case !i.Ready:
			why = "it is not to be decided"
		case i.Holds:
			why = "the person holds the account"
		case i.Before:
			why = "the person decided in another stage"
		case i.Own:
			why = "nobody chooses who decides about their own account"
		default:
			out = append(out, i.ID)
			continue
		}
		e.Problems = append(e.Problems, schema.Problem{Where: string(i.ID), Message: why, Fix: "leave it out, or choose somebody else"})
	}
	if len(r.Items) > len(rows) {
		return nil, &schema.Error{Code: schema.CodeNotFound, Message: fmt.Sprintf("%d of the items are not of the campaign", len(r.Items)-len(rows))}
	}
	if len(r.Items) > 0 && len(e.Problems) > 0 {
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
	t.recordCampaign(c, principal(by), "campaign.items_reassigned", map[string]string{
		"items": strconv.Itoa(len(items)), "from": string(r.From), "to": string(to), "reason": r.Reason,
	})
	return t.wakeCampaign(ctx, c.ID)
}
