package store

import (
	"context"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"sendoff/schema"
)

const itemDecisionColumns = `d.id, d.campaign_id, d.item_id, d.stage, d.version, d.answer, d.reason, d.bulk, d.principal, d.token_id, d.reviewer_id, d.decided_at, d.current,
	row_number() over (partition by d.item_id order by d.seq)::int as number`

// personsBy are the ids of the person of a principal, the one that counts first.
func personsBy(ctx context.Context, q querier, by schema.Principal) ([]schema.PersonID, error) {
	return scalars[schema.PersonID](ctx, q, personsOf, args{"email": by.Email})
}

// ownItems are the items of a campaign that one of the persons has or decided.
const ownItems = `i.id in (select s.item_id from campaign_assignment s where s.campaign_id = @campaign and s.reviewer_id = any(@persons))
	and (i.reviewer_id = any(@persons) or exists (select 1 from campaign_decision d where d.item_id = i.id and d.reviewer_id = any(@persons)))`

// CampaignItems lists items, those with the highest risk first; for a reviewer
// their own alone. Nobody is shown which of the items that are theirs are control
// items.
func (s *Store) CampaignItems(ctx context.Context, id schema.CampaignID, f schema.CampaignItemFilter, by schema.Principal) ([]schema.CampaignItem, string, error) {
	if err := checkLimit(f.Limit, maxPage); err != nil {
		return nil, "", err
	}
	where, a, err := itemConditions(id, f)
	if err != nil {
		return nil, "", err
	}
	var list []schema.CampaignItem
	err = s.readTx(ctx, "list a campaign's items", func(ctx context.Context, q querier) error {
		if _, err := loadCampaign(ctx, q, id); err != nil {
			return err
		}
		me, err := personsBy(ctx, q, by)
		if err != nil {
			return err
		}
		if by.Role == schema.RoleReviewer {
			where, a["persons"] = where+` and `+ownItems, some(me)
		}
		list, err = all[schema.CampaignItem](ctx, q, selectCampaignItems+where+` order by i.score desc, i.id limit @limit`, a)
		if err != nil {
			return err
		}
		return hideControls(ctx, q, list, me, by)
	})
	if err != nil {
		return nil, "", err
	}
	list, next := cut(list, f.Limit, itemCursor)
	return list, next, nil
}

// itemCursor is the place of an item in lists by risk.
func itemCursor(i schema.CampaignItem) keyCursor {
	return keyCursor{strconv.Itoa(i.Risk.Score), string(i.ID)}
}

// afterItem continues a list by risk after a cursor.
func afterItem(after string, a args) (string, error) {
	if after == "" {
		return "", nil
	}
	from, err := parseKeyCursor(after, false, true)
	if err != nil {
		return "", err
	}
	score, err := strconv.Atoi(from[0])
	if err != nil {
		return "", errCursor()
	}
	a["score"], a["after"] = score, schema.ItemID(from[1])
	return ` and i.score <= @score and (i.score < @score or i.id > @after)`, nil
}

func itemConditions(id schema.CampaignID, f schema.CampaignItemFilter) (string, args, error) {
	where, a := `where i.campaign_id = @campaign`, args{"campaign": id, "limit": f.Limit + 1}
	for _, c := range []struct {
		name, value, sql string
	}{
		{"state", string(f.State), ` and i.state = @state`},
		{"answer", string(f.Answer), ` and i.answer = @answer`},
		{"risk", string(f.Risk), ` and i.risk = @risk`},
		{"kind", string(f.Kind), ` and i.kind = @kind`},
	} {
		if c.value != "" {
			where, a[c.name] = where+c.sql, c.value
		}
	}
	if f.Reviewer != "" {
		where, a["reviewer"] = where+` and i.reviewer_id = @reviewer`, f.Reviewer
	}
	if f.Account != "" {
		where, a["account"] = where+` and i.account_id = @account`, f.Account
	}
	more, err := afterItem(f.After, a)
	return where + more, a, err
}

// hideControls keeps from people which of the items that they decide are made up: their
// accounts are left out, for one that does not exist has no id of ours, and until the
// sign-off what becomes of items, for nothing is removed for a control item.
func hideControls(ctx context.Context, q querier, list []schema.CampaignItem, me []schema.PersonID, by schema.Principal) error {
	var removed []schema.CampaignID
	for n, i := range list {
		if by.Role == schema.RoleReviewer || i.ReviewerID != "" && slices.Contains(me, i.ReviewerID) {
			if list[n].Control, list[n].Facts.AccountID = false, ""; i.RemovalID != "" {
				removed = append(removed, i.CampaignID)
			}
		}
	}
	if len(removed) == 0 {
		return nil
	}
	tested, err := scalars[schema.CampaignID](ctx, q, `select c.id from campaign c
		join access_review_version v on v.review_id = c.review_id and v.version = c.version
		where c.id = any(@ids) and c.state not in ('signed', 'ended') and v.rule->'quality'->'controls'->'each' is not null`, args{"ids": removed})
	for n, i := range list {
		if slices.Contains(tested, i.CampaignID) && list[n].Facts.AccountID == "" {
			list[n].RemovalID, list[n].Removal = "", ""
		}
	}
	return err
}

// CampaignItem returns an item; CodeNotFound, also for a reviewer who neither has
// nor decided it.
func (s *Store) CampaignItem(ctx context.Context, id schema.CampaignID, item schema.ItemID, by schema.Principal) (schema.CampaignItem, error) {
	var found schema.CampaignItem
	err := s.readTx(ctx, "read a campaign's item", func(ctx context.Context, q querier) (err error) {
		found, err = visibleItem(ctx, q, id, item, by)
		return err
	})
	return found, err
}

func visibleItem(ctx context.Context, q querier, id schema.CampaignID, item schema.ItemID, by schema.Principal) (schema.CampaignItem, error) {
	found, err := loadCampaignItem(ctx, q, id, item)
	if err != nil {
		return found, err
	}
	me, err := personsBy(ctx, q, by)
	if err != nil {
		return found, err
	}
	if by.Role == schema.RoleReviewer {
		own, err := scalar[bool](ctx, q, `select exists (select 1 from campaign_item i where i.id = @item and `+ownItems+`)`,
			args{"item": item, "campaign": id, "persons": some(me)})
		if err != nil {
			return schema.CampaignItem{}, err
		}
		if !own {
			return schema.CampaignItem{}, notFound("item of yours", string(item))
		}
	}
	list := []schema.CampaignItem{found}
	err = hideControls(ctx, q, list, me, by)
	return list[0], err
}

// ItemDecisions returns what was said about an item, oldest first.
func (s *Store) ItemDecisions(ctx context.Context, id schema.CampaignID, item schema.ItemID, by schema.Principal) ([]schema.CampaignDecision, error) {
	var list []schema.CampaignDecision
	err := s.readTx(ctx, "read what was decided about an item", func(ctx context.Context, q querier) error {
		if _, err := visibleItem(ctx, q, id, item, by); err != nil {
			return err
		}
		var err error
		list, err = all[schema.CampaignDecision](ctx, q, `select `+itemDecisionColumns+` from campaign_decision d where d.item_id = @item order by d.seq`,
			args{"item": item})
		return err
	})
	return list, err
}

// ReviewQueue lists the open items of whoever asks, of all campaigns that take
// answers, those with the highest risk first.
func (s *Store) ReviewQueue(ctx context.Context, after string, limit int, by schema.Principal) ([]schema.CampaignItem, string, error) {
	if err := checkLimit(limit, maxPage); err != nil {
		return nil, "", err
	}
	a := args{"limit": limit + 1}
	more, err := afterItem(after, a)
	if err != nil {
		return nil, "", err
	}
	var list []schema.CampaignItem
	err = s.readTx(ctx, "list what there is to decide", func(ctx context.Context, q querier) error {
		me, err := personsBy(ctx, q, by)
		if err != nil {
			return err
		}
		a["persons"] = some(me)
		list, err = all[schema.CampaignItem](ctx, q, selectCampaignItems+`join campaign c on c.id = i.campaign_id and c.state = 'open'
			where i.state = 'open' and i.reviewer_id = any(@persons)`+more+` order by i.score desc, i.id limit @limit`, a)
		if err != nil {
			return err
		}
		return hideControls(ctx, q, list, me, by)
	})
	if err != nil {
		return nil, "", err
	}
	list, next := cut(list, limit, itemCursor)
	return list, next, nil
}

// checkID refuses what is no id of ours before it reaches a statement with others.
func checkID(what, id string) error {
	if uuid.Validate(id) != nil {
		return notFound(what, id)
	}
	return nil
}
