package store

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/google/uuid"

	"sendoff/schema"
)

// seedControls gives each reviewer so many control items as the rule says, and
// returns how many. What is drawn follows from the campaign's id alone, so that an
// auditor can tell that nobody chose.
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
		for _, n := range draw.Perm(len(q.Decoys))[:each] {
			like, err := one[controlModel](ctx, t, `select facts, context, risk, score, risk_for, applies, escalate_at from campaign_item
				where campaign_id = @id and reviewer_id = @reviewer and state = 'open' and control = '' order by score desc, id offset @n limit 1`,
				args{"id": c.ID, "reviewer": r.ID, "n": draw.IntN(r.Open)})
			if err != nil {
				return 0, err
			}
			row, err := like.control(draw, q.Decoys[n])
			if err != nil {
				return 0, err
			}
			row.campaign, row.reviewer, row.at = c.ID, r.ID, t.now
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
		select campaign_id, id, stage, reviewer_id, @now from campaign_item where campaign_id = @id and control <> '' order by id`, args{"id": c.ID, "now": t.now})
}

// drawFor is a generator that a campaign's id seeds.
func drawFor(id schema.CampaignID) (*rand.Rand, error) {
	u, err := uuid.Parse(string(id))
	if err != nil {
		return nil, errNotAnID
	}
	return rand.New(rand.NewPCG(binary.BigEndian.Uint64(u[:8]), binary.BigEndian.Uint64(u[8:]))), nil //nolint:gosec // it must come out the same again, and guards no secret
}

// controlModel is a real item that a control item is made like.
type controlModel struct {
	Facts      schema.ItemFacts
	Context    schema.ItemContext
	Risk       schema.RiskLevel
	Score      int
	RiskFor    []string
	Applies    []string
	EscalateAt time.Time
}

// control is an item about an account that does not exist and that nobody holds,
// beside which the real one looks the same.
func (m controlModel) control(draw *rand.Rand, d schema.Decoy) (itemRow, error) {
	id, err := newID[schema.ItemID]()
	f, c := m.Facts, m.Context
	f.AccountID, f.HolderID, f.Employment, f.Login = "", "", "", d.Login
	f.ExternalID = schema.ExternalID(strconv.FormatInt(draw.Int64N(9e9)+1e9, 10))
	c.Name, c.Holder, c.HolderEmail, c.Employment, c.Department, c.Manager = d.Name, "", "", "", "", ""
	c.Peers, c.Last, c.Changed = schema.Peers{}, nil, true
	c.Bytes = draw.Int64N(m.Context.Bytes + 1)
	c.Since = before(draw, c.Since)
	c.LastActiveAt = before(draw, c.LastActiveAt)
	control := d.Note
	if control == "" {
		control = "an account " + d.Login + " does not exist"
	}
	return itemRow{
		NewItem: schema.NewItem{
			Facts: f, Context: c, Recommendation: schema.Recommendation{}, Applies: m.Applies,
			Risk: schema.Risk{Level: m.Risk, Score: m.Score, Reasons: m.RiskFor},
		},
		id: id, control: control, state: schema.ItemOpen, escalate: m.EscalateAt,
	}, err
}

// before is an instant up to a day before one that is known.
func before(draw *rand.Rand, at time.Time) time.Time {
	if at.IsZero() {
		return at
	}
	return at.Add(-time.Duration(draw.Int64N(int64(24 * time.Hour)))).Truncate(time.Second)
}
