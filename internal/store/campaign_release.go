package store

import (
	"context"
	"maps"
	"strconv"

	"sendoff/schema"
)

// heldRemovals are the removals m that a batch of a campaign holds: what was planned
// since it was counted is not in what people looked at.
const heldRemovals = `m.campaign_id = @id and m.state = 'planned' and m.updated_at <= @seen`

// refuseRevoker refuses to let removals m, of the case or campaign that which names, go
// on by somebody whose word they carry out: as a reviewer, by whatever token.
func (t *tx) refuseRevoker(ctx context.Context, which string, of args, by schema.Principal) error {
	persons, err := personsBy(ctx, t, by)
	if err != nil {
		return err
	}
	a := args{"token": by.TokenID, "name": by.Name, "persons": some(persons)}
	maps.Copy(a, of)
	own, err := scalar[bool](ctx, t, `select exists (select 1 from campaign_removal m join campaign_item i on i.removal_id = m.id
		join campaign_decision d on d.item_id = i.id and d.current and d.answer = 'revoke'
		where `+which+` and (d.token_id = @token or d.principal = @name or d.reviewer_id = any(@persons)))`, a)
	if err == nil && own {
		err = &schema.Error{Code: schema.CodeForbidden, Message: "nobody approves or releases what they revoked themselves", Fix: "let somebody else do it"}
	}
	return err
}

// withoutRevokers leaves out releases by people who revoked what the batch holds: they
// may have said that since, or said otherwise at the time.
func (t *tx) withoutRevokers(ctx context.Context, b batchRow, list []schema.BatchDecision) ([]schema.BatchDecision, error) {
	var valid []schema.BatchDecision
	for _, d := range list {
		by, err := one[schema.Principal](ctx, t, `select id as token_id, @name::text as name, role, coalesce(email, '') as email from api_token where id = @id`,
			args{"id": d.TokenID, "name": d.Principal})
		if err != nil {
			return nil, err
		}
		switch err := t.refuseRevoker(ctx, heldRemovals, args{"id": b.ScopeID, "seen": b.GrownAt}, by); {
		case err == nil:
			valid = append(valid, d)
		case schema.CodeOf(err) != schema.CodeForbidden:
			return nil, err
		}
	}
	return valid, nil
}

// refuseOfCampaign refuses a principal whose own access is among what a batch would
// remove: of an account that they hold, held, or have the login of as an address. Nobody
// releases what they revoked.
func (t *tx) refuseOfCampaign(ctx context.Context, b batchRow, kind schema.BatchState, by schema.Principal) error {
	if kind == schema.BatchReleased {
		if err := t.refuseRevoker(ctx, heldRemovals, args{"id": b.ScopeID, "seen": b.GrownAt}, by); err != nil {
			return err
		}
	}
	if by.Email == "" {
		return nil
	}
	persons, err := personsBy(ctx, t, by)
	if err != nil {
		return err
	}
	in, err := scalar[bool](ctx, t, `select exists (select 1 from campaign_removal m join campaign_item i on i.removal_id = m.id join account a on a.id = m.account_id
		where `+heldRemovals+` and (`+holdsAccount+` or a.login_key = lower(@email)))`,
		args{"id": b.ScopeID, "seen": b.GrownAt, "persons": some(persons), "email": by.Email})
	if err == nil && in {
		err = &schema.Error{Code: schema.CodeForbidden, Message: "nobody decides about removals that they are in", Fix: "let others do it"}
	}
	return err
}

// endHoldingCampaign lets the removals that a batch held start, or refuses them.
// What was kept meanwhile is neither.
func (t *tx) endHoldingCampaign(ctx context.Context, b batchRow, to schema.BatchState) error {
	c, err := t.lockCampaign(ctx, schema.CampaignID(b.ScopeID))
	if err != nil {
		return err
	}
	if _, err := t.releaseKept(ctx, c); err != nil {
		return err
	}
	if to == schema.BatchReleased {
		err = t.releaseCampaign(ctx, c, b)
	} else {
		err = t.discardCampaign(ctx, c, b)
	}
	if err != nil {
		return err
	}
	if err := t.changeOne(ctx, `update campaign set overruns = '[]' where id = @id`, args{"id": c.ID}); err != nil {
		return err
	}
	if c.State == schema.CampaignHeld {
		if err := t.moveCampaign(ctx, &c, schema.CampaignRemoving, ``, args{}); err != nil {
			return err
		}
	}
	return t.tellCampaign(ctx, c.ID)
}

// RecountHeld lets a held campaign count again what it would remove, when part of that
// is kept, or gone without it, by now: the rest may fit. Its batch stays held until then.
func (s *Store) RecountHeld(ctx context.Context, id schema.CampaignID) (bool, error) {
	less := 0
	err := s.inTx(ctx, "count a held campaign again", func(ctx context.Context, t *tx) error {
		c, err := t.lockCampaign(ctx, id)
		if err != nil || c.State != schema.CampaignHeld {
			return err
		}
		less = 0
		for _, settle := range []func(context.Context, schema.Campaign) (int, error){t.releaseKept, t.settleRemoved, t.settleDeleted} {
			n, err := settle(ctx, c)
			if err != nil {
				return err
			}
			less += n
		}
		if less == 0 {
			return nil
		}
		t.recordCampaign(c, engine(), "campaign.recounted", map[string]string{"batch": string(c.BatchID), "less": strconv.Itoa(less)})
		return t.moveCampaign(ctx, &c, schema.CampaignRemoving, ``, args{})
	})
	return less > 0, err
}

// releaseCampaign lets the removals that the batch held go over the limits.
func (t *tx) releaseCampaign(ctx context.Context, c schema.Campaign, b batchRow) error {
	if _, err := t.lockEngineBudget(ctx); err != nil { // who counts at the same time sees what was released
		return err
	}
	ids, err := scalars[schema.RemovalID](ctx, t, `update campaign_removal m set released = true where `+heldRemovals+` returning m.id`,
		args{"id": c.ID, "seen": b.GrownAt})
	if err != nil {
		return err
	}
	t.recordCampaign(c, engine(), "campaign.released", nameIDs("removal", ids, map[string]string{
		"batch": string(b.ID), "accounts": strconv.Itoa(len(ids)), "limits": limitsOf(c.Overruns),
	}))
	if err := t.changeOne(ctx, `update campaign set released = released + @n where id = @id`, args{"n": len(ids), "id": c.ID}); err != nil {
		return err
	}
	return t.readyRemovals(ctx, c, true)
}

func (t *tx) discardCampaign(ctx context.Context, c schema.Campaign, b batchRow) error {
	ids, err := scalars[schema.RemovalID](ctx, t, `select m.id from campaign_removal m where `+heldRemovals+` order by m.id`,
		args{"id": c.ID, "seen": b.GrownAt})
	if err != nil {
		return err
	}
	t.recordCampaign(c, engine(), "campaign.discarded", nameIDs("removal", ids, map[string]string{"batch": string(b.ID), "limits": limitsOf(c.Overruns)}))
	for _, id := range ids {
		m, err := t.lockRemoval(ctx, id)
		if err != nil {
			return err
		}
		if err := t.moveRemoval(ctx, c, &m, schema.RemovalRefused, `, why = 'its batch was discarded'`, args{}); err != nil {
			return err
		}
	}
	return nil
}
