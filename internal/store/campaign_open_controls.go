package store

import (
	"cmp"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"slices"

	"github.com/google/uuid"

	"sendoff/schema"
)

// seedControls gives each reviewer so many control items as the rule says, and
// returns how many. Which decoys somebody gets, and like which of their items these
// look, follows from the campaign's id alone, so that an auditor can tell that nobody
// chose. What is made up besides does not: reviewers know that id, too.
func (t *tx) seedControls(ctx context.Context, c schema.Campaign, reviewers []openReviewer) (int, error) {
	rule, err := campaignRule(ctx, t, c)
	if err != nil {
		return 0, err
	}
	q := rule.Quality.Controls
	each := min(q.Each, len(q.Decoys))
	if each <= 0 {
		return 0, nil
	}
	draw, err := drawFor(c.ID)
	if err != nil {
		return 0, err
	}
	var rows []itemRow
	for _, r := range reviewers {
		own, err := t.ownOpenItems(ctx, c.ID, r.ID)
		if err != nil {
			return 0, err
		}
		models := modelsFor(draw, own)
		for k, n := range draw.Perm(len(q.Decoys))[:each] {
			row, err := t.controlLike(ctx, models[k%len(models)], q.Decoys[n], rule.Threshold(), c.SnapshotAt)
			if err != nil {
				return 0, err
			}
			if row.id, own, err = idAmong(own, row.Facts); err != nil {
				return 0, err
			}
			row.campaign, row.reviewer = c.ID, r.ID
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		return 0, nil
	}
	if err := t.copyItems(ctx, rows); err != nil {
		return 0, err
	}
	return len(rows), t.run(ctx, `insert into campaign_assignment (campaign_id, item_id, stage, reviewer_id, at)
		select campaign_id, id, stage, reviewer_id, coalesce(assigned_at, @now) from campaign_item where campaign_id = @id and control <> '' order by id`,
		args{"id": c.ID, "now": t.now})
}

// drawFor is a generator that a campaign's id seeds.
func drawFor(id schema.CampaignID) (*rand.Rand, error) {
	u, err := uuid.Parse(string(id))
	if err != nil {
		return nil, errNotAnID
	}
	return rand.New(rand.NewPCG(binary.BigEndian.Uint64(u[:8]), binary.BigEndian.Uint64(u[8:]))), nil //nolint:gosec // it must come out the same again, and guards no secret
}

// ownItem is an open item of a reviewer, as far as its id and what it may be a model
// for go.
type ownItem struct {
	ID           schema.ItemID
	ConnectionID schema.ConnectionID
	Login        string
	// Odd is how much a control item like it would stand out. Nobody decided about one
	// before, and of its account there is nothing else: an account that was decided
	// about, a role or membership without its account, an account without what others
	// of its kind hold besides.
	Odd int
}

func (t *tx) ownOpenItems(ctx context.Context, id schema.CampaignID, reviewer schema.PersonID) ([]ownItem, error) {
	return all[ownItem](ctx, t, `select id, connection_id, lower(login) as login,
			(context->'last_decision' is not null)::int * 4 + case when count(*) over (partition by account_id) = 1 then 0 when kind = 'account' then 1 else 2 end as odd from campaign_item
		where campaign_id = @id and reviewer_id = @reviewer and state = 'open' and control = '' order by id`, args{"id": id, "reviewer": reviewer})
}

// modelsFor puts the items like which control items stand out least in the order that
// they are taken.
func modelsFor(draw *rand.Rand, own []ownItem) []schema.ItemID {
	least := slices.MinFunc(own, func(a, b ownItem) int { return cmp.Compare(a.Odd, b.Odd) }).Odd
	list := slices.DeleteFunc(slices.Clone(own), func(i ownItem) bool { return i.Odd > least })
	out := make([]schema.ItemID, len(list))
	for n, from := range draw.Perm(len(list)) {
		out[n] = list[from].ID
	}
	return out
}

// idAmong is an id for a control item among those of its reviewer: as theirs, it stands
// where its login does. It returns them with it.
func idAmong(own []ownItem, f schema.ItemFacts) (schema.ItemID, []ownItem, error) {
	item := ownItem{ConnectionID: f.ConnectionID, Login: loginKey(f.Login)}
	at := 0
	for n, o := range own {
		if o.ConnectionID != item.ConnectionID {
			continue
		}
		if o.Login > item.Login {
			at = n
			break
		}
		at = n + 1
	}
	var before, after schema.ItemID
	if at > 0 {
		before = own[at-1].ID
	}
	if at < len(own) {
		after = own[at].ID
	}
	var err error
	item.ID, err = itemIDBetween(before, after)
	return item.ID, slices.Insert(own, at, item), err
}
