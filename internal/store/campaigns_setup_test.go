package store_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/internal/store"
	"sendoff/schema"
)

var _ activities.CampaignRuns = (*store.Store)(nil)

// campaigns is a store with access reviews whose campaigns a test takes through
// their states.
type campaigns struct {
	*bundle
	author schema.Principal
	day    atomic.Int64 // of the next scheduled campaign
}

func campaignSetup(t *testing.T) *campaigns {
	t.Helper()
	b := setup(t)
	return &campaigns{bundle: b, author: b.holder("author", "author@example.com")}
}

// looksAt is a rule over everything on the connection box.
func looksAt(name string, edit ...func(*schema.AccessReviewRule)) schema.AccessReviewRule {
	r := schema.AccessReviewRule{
		Name: name, Title: "Title of " + name, Owner: "owner@example.com",
		Scope:     schema.CampaignScope{Connections: []string{"box"}, Items: schema.ItemKinds(), Holders: schema.HoldersAll},
		Stages:    []schema.ReviewStage{{Name: "first", Of: schema.StageAll, Who: []schema.ReviewerCandidate{{Whom: schema.ReviewerManager}}}},
		Time:      schema.CampaignTime{Due: 14 * 24 * time.Hour, Silence: schema.SilenceEscalates},
		Decisions: schema.DecisionRule{BulkBelow: schema.RiskMedium},
		Effect:    schema.EffectRule{When: schema.EffectAtClose, Account: []schema.StepFact{{Kind: schema.StepSuspend}}, Role: schema.RoleMember},
	}
	for _, e := range edit {
		e(&r)
	}
	return r
}

// begunBy lets small campaigns begin.
func begunBy(list ...schema.CampaignTrigger) func(*schema.AccessReviewRule) {
	return func(r *schema.AccessReviewRule) { r.Events = list }
}

func reviewFiles(set string, rules ...schema.AccessReviewRule) schema.ApplyAccessReviews {
	a := schema.ApplyAccessReviews{Set: set}
	for _, r := range rules {
		a.Rules = append(a.Rules, schema.AccessReviewFile{Rule: r, Source: "name: " + r.Name + " # secret text"})
	}
	return a
}

func (c *campaigns) applies(set string, rules ...schema.AccessReviewRule) []schema.AppliedAccessReview {
	c.t.Helper()
	applied, err := c.ApplyAccessReviews(c.t.Context(), reviewFiles(set, rules...), c.author)
	require.NoError(c.t, err)
	return applied
}

// has applies one rule alone and returns its review.
func (c *campaigns) has(rule schema.AccessReviewRule) schema.AccessReview {
	c.t.Helper()
	return c.applies("", rule)[0].Review
}

// begins begins the next scheduled campaign of a review.
func (c *campaigns) begins(d schema.AccessReview) schema.Campaign {
	c.t.Helper()
	at := time.Date(2026, 1, int(c.day.Add(1)), 3, 0, 0, 0, time.UTC)
	out, err := c.BeginCampaign(c.t.Context(), d.ID, at, fmt.Sprintf("campaign/%s/%s", d.ID, at.Format(time.DateOnly)))
	require.NoError(c.t, err)
	return out
}

func (c *campaigns) campaign(id schema.CampaignID) schema.Campaign {
	c.t.Helper()
	out, err := c.Campaign(c.t.Context(), id)
	require.NoError(c.t, err)
	return out
}

// takesAll makes an item of every holding, and keeps what was handed out.
func takesAll(into *[]schema.Holding) func([]schema.Holding) ([]schema.NewItem, error) {
	return func(list []schema.Holding) ([]schema.NewItem, error) {
		var items []schema.NewItem
		for _, h := range list {
			*into = append(*into, h)
			items = append(items, schema.NewItem{
				Facts: h.Facts, Context: h.Context, Recommendation: schema.Recommendation{Answer: schema.AnswerKeep, Reasons: []string{"USED"}},
				Risk: schema.Risk{Level: schema.RiskLow, Score: 1, Reasons: []string{}}, Applies: []string{"1"},
			})
		}
		return items, nil
	}
}

// query is everything on the connection box.
func (c *campaigns) query(d schema.AccessReview) schema.HoldingQuery {
	return schema.HoldingQuery{
		Review: d.ID, Connections: []schema.ConnectionID{c.conn.ID}, Items: d.Rule.Scope.Items, Holders: schema.HoldersAll,
		Threshold: d.Rule.Threshold(), Now: time.Now(),
	}
}

// lists takes the snapshot of a campaign that has begun.
func (c *campaigns) lists(run schema.Campaign, q schema.HoldingQuery) []schema.Holding {
	c.t.Helper()
	require.NoError(c.t, c.BeginListing(c.t.Context(), run.ID, nil))
	var held []schema.Holding
	require.NoError(c.t, c.ListHoldings(c.t.Context(), run.ID, q, takesAll(&held)))
	return held
}

// person makes a person with an address.
func (c *campaigns) person(email, department string) schema.PersonID {
	c.t.Helper()
	id := newUUID()
	c.exec(`insert into person (id, email, name, kind, department, created_at) values ($1, $2, initcap(split_part($2, '@', 1)), 'employee', $3, now())`, id, email, department)
	c.exec(`insert into person_email (email, person_id, verified, since) values ($1, $2, true, now())`, email, id)
	return schema.PersonID(id)
}

// held makes an account that a person holds.
func (c *campaigns) held(external string, by schema.PersonID) schema.Account {
	c.t.Helper()
	a := c.account(external)
	c.exec(`update account set person_id = $2 where id = $1`, string(a.ID), string(by))
	a.PersonID = by
	return a
}

// gives gives all items of a campaign to a reviewer.
func (c *campaigns) gives(id schema.CampaignID, to schema.PersonID) {
	c.t.Helper()
	c.exec(`update campaign_item set state = 'open', reviewer_id = $2, assigned_at = now() where campaign_id = $1 and state = 'unassigned'`, string(id), string(to))
}

// opens takes a review to an open campaign whose items a reviewer has.
func (c *campaigns) opens(d schema.AccessReview, reviewer schema.PersonID) schema.Campaign {
	c.t.Helper()
	run := c.begins(d)
	c.lists(run, c.query(d))
	c.gives(run.ID, reviewer)
	require.NoError(c.t, c.OpenCampaign(c.t.Context(), run.ID, time.Now().Add(time.Hour)))
	return c.campaign(run.ID)
}

// itemStates counts the items of a campaign by state.
func (c *campaigns) itemStates(id schema.CampaignID) map[schema.CampaignItemState]int64 {
	c.t.Helper()
	v, err := c.CampaignView(c.t.Context(), id)
	require.NoError(c.t, err)
	out := map[schema.CampaignItemState]int64{}
	for _, s := range v.Counts.States {
		out[s.State] = s.Count
	}
	return out
}

// dispatched dispatches the outbox and returns what it says of reviews and campaigns.
func (c *campaigns) dispatched() []string {
	c.t.Helper()
	out := []string{}
	for _, row := range c.drain() {
		switch row.Kind {
		case schema.OutboxAccessReview:
			out = append(out, "review "+string(row.AccessReviewID))
		case schema.OutboxCampaign:
			out = append(out, "campaign "+string(row.CampaignID))
		}
	}
	return out
}
