package store

import (
	"cmp"
	"context"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"sendoff/schema"
)

// controlModel is a real item that a control item is made like.
type controlModel struct {
	Facts          schema.ItemFacts
	Context        schema.ItemContext
	Recommendation schema.Recommendation
	Risk           schema.Risk
	Applies        []string
	Place          int
	AssignedAt     time.Time
	EscalateAt     time.Time
	UpdatedAt      time.Time
	CreatedAt      time.Time // its account
}

// controlLike makes up an item about an account that does not exist, beside which the
// real one looks the same: who holds it, what they have besides and when it came to its
// reviewer is that one's, so that no empty member and no time tells it; what follows from
// its facts is found out as of all others.
func (t *tx) controlLike(ctx context.Context, model schema.ItemID, d schema.Decoy, threshold time.Duration, snapshot time.Time) (itemRow, error) {
	m, err := one[controlModel](ctx, t, `select i.facts, i.context, jsonb_build_object('answer', i.recommended, 'reasons', i.recommended_for) as recommendation,
			jsonb_build_object('level', i.risk, 'score', i.score, 'reasons', i.risk_for) as risk, i.applies, i.place, i.assigned_at, i.escalate_at, i.updated_at, a.created_at
		from campaign_item i left join account a on a.id = i.account_id where i.id = @id`, args{"id": model})
	if err != nil {
		return itemRow{}, err
	}
	f := m.Facts
	f.AccountID, f.Login = "", d.Login
	if f.ExternalID, err = t.likeExternalID(ctx, m.Facts, d.Login); err != nil {
		return itemRow{}, err
	}
	h := schema.Holding{Facts: f, Context: m.context(d, threshold, snapshot), Everybody: m.Context.Everybody}
	h.Subject.Account.CreatedAt = m.CreatedAt
	row := itemRow{
		NewItem: schema.NewItem{Facts: f, Context: h.Context, Recommendation: m.Recommendation, Risk: m.Risk, Applies: m.Applies},
		control: cmp.Or(d.Note, "an account "+d.Login+" does not exist"),
		state:   schema.ItemOpen, place: m.Place, assigned: m.AssignedAt, escalate: m.EscalateAt, at: m.UpdatedAt,
	}
	if t.weigh != nil {
		row.Recommendation, row.Risk = t.weigh(&h)
	}
	return row, nil
}

// context is what helps to decide about a control item. Of the times that are not
// everybody's, such as that of a sync, it has its own, as exact as the model's; none of
// them makes it another grade.
func (m controlModel) context(d schema.Decoy, threshold time.Duration, snapshot time.Time) schema.ItemContext {
	c := m.Context
	name, _, _ := strings.Cut(d.Login, "@")
	c.Name, c.Last, c.Changed = cmp.Or(d.Name, name), nil, true
	if c.Bytes > 0 {
		c.Bytes = 1 + rand.Int64N(c.Bytes) //nolint:gosec // guards no secret
	}
	if !c.SinceSeen {
		c.Since = upToADay(c.Since)
	}
	used := schema.Activity{LastActiveAt: upToADay(c.LastActiveAt), Covered: schema.Interval{From: c.CoveredFrom, To: c.CoveredTo}}
	if used.LastActiveAt.After(c.Since) && used.Grade(threshold, m.CreatedAt, snapshot) == m.Facts.Grade {
		c.LastActiveAt = used.LastActiveAt
	}
	return c
}

// upToADay is an instant less than a day before one that is known, by whole seconds.
func upToADay(at time.Time) time.Time {
	if at.IsZero() {
		return at
	}
	return at.Add(-time.Duration(rand.Int64N(24*60*60)) * time.Second) //nolint:gosec // guards no secret
}

// likeExternalID is an id in the shape of the model's that no account of its connection
// has.
func (t *tx) likeExternalID(ctx context.Context, model schema.ItemFacts, login string) (schema.ExternalID, error) {
	if string(model.ExternalID) == model.Login {
		return schema.ExternalID(login), nil
	}
	tries := make([]string, 20)
	for n := range tries {
		tries[n] = shapedLike(string(model.ExternalID))
	}
	free, ok, err := maybeScalar[schema.ExternalID](ctx, t, `select x.id from unnest(@tries::text[]) with ordinality as x(id, n)
		where not exists (select 1 from account a where a.connection_id = @connection and a.external_id = x.id) order by x.n limit 1`,
		args{"tries": tries, "connection": model.ConnectionID})
	if err == nil && !ok {
		free = schema.ExternalID(strconv.FormatInt(rand.Int64N(9e9)+1e9, 10)) //nolint:gosec // guards no secret
	}
	return free, err
}

// shapedLike draws other digits and letters; those of a hexadecimal text stay such.
func shapedLike(s string) string {
	letters := "abcdefghijklmnopqrstuvwxyz"
	if strings.Trim(strings.ToLower(s), "0123456789abcdef-") == "" {
		letters = letters[:6]
	}
	return strings.Map(func(r rune) rune {
		switch {
		case '1' <= r && r <= '9':
			return '1' + rand.Int32N(9) //nolint:gosec // guards no secret
		case 'a' <= r && r <= 'z':
			return rune(letters[rand.IntN(len(letters))]) //nolint:gosec // guards no secret
		case 'A' <= r && r <= 'Z':
			return rune(strings.ToUpper(letters)[rand.IntN(len(letters))]) //nolint:gosec // guards no secret
		}
		return r
	}, s)
}
