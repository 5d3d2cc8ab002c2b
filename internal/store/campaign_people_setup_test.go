package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/internal/reviewer"
	"sendoff/internal/store"
	"sendoff/internal/web"
	"sendoff/schema"
)

var (
	_ activities.CampaignItems = (*store.Store)(nil)
	_ web.CampaignStore        = (*store.Store)(nil)
)

// reviewing is an open campaign over accounts that people hold, with their manager
// as reviewer.
type reviewing struct {
	*campaigns
	review schema.AccessReview
	id     schema.CampaignID
	boss   schema.PersonID
	by     schema.Principal // the boss
	owner  schema.PersonID
	signer schema.Principal // the owner
}

// reviewer is a principal with the role and address of a reviewer.
func (c *campaigns) reviewer(email string) schema.Principal {
	p := c.holder("token of "+email, email)
	p.Role = schema.RoleReviewer
	return p
}

// reviews begins a campaign over the accounts of that many people and opens it.
func reviews(t *testing.T, people int, edit ...func(*schema.AccessReviewRule)) *reviewing {
	t.Helper()
	c := campaignSetup(t)
	r := &reviewing{campaigns: c, boss: c.person("boss@example.com", "it"), owner: c.person("owner@example.com", "it")}
	r.by, r.signer = c.reviewer("boss@example.com"), c.reviewer("owner@example.com")
	for n := range people {
		p := c.person(fmt.Sprintf("user%d@example.com", n+1), "it")
		c.exec(`update person set manager_id = $2 where id = $1`, string(p), string(r.boss))
		c.held(fmt.Sprint(n+1), p)
	}
	r.review = c.has(looksAt("quarter", edit...))
	run := c.begins(r.review)
	r.id = run.ID
	c.lists(run, c.query(r.review))
	c.exec(`update campaign_item set applies = array['111', '111', '111'] where campaign_id = $1`, string(run.ID))
	r.assign()
	require.NoError(t, c.OpenCampaign(t.Context(), r.id, time.Now().Add(time.Hour)))
	return r
}

// assign finds reviewers as the campaign's workflow does.
func (r *reviewing) assign() {
	r.t.Helper()
	require.NoError(r.t, r.tryAssign(r.t.Context()))
}

func (r *reviewing) tryAssign(ctx context.Context) error {
	for {
		list, err := r.Unassigned(ctx, r.id, 50)
		if err != nil || len(list) == 0 {
			return err
		}
		dir, err := r.Directory(ctx, r.id, r.review.Rule)
		if err != nil {
			return err
		}
		chooser := reviewer.New(r.review.Rule, &dir, time.Now())
		var found []schema.Assignment
		for _, i := range list {
			found = append(found, chooser.Choose(i))
		}
		if err := r.Assign(ctx, r.id, found, func(schema.PersonID, time.Time) time.Time { return time.Now().Add(time.Hour) }); err != nil {
			return err
		}
	}
}

// items are all items of the campaign, by login.
func (r *reviewing) items() []schema.CampaignItem {
	r.t.Helper()
	list, next, err := r.CampaignItems(r.t.Context(), r.id, schema.CampaignItemFilter{Limit: 500}, r.admin)
	require.NoError(r.t, err)
	require.Empty(r.t, next)
	return list
}

func (r *reviewing) item(id schema.ItemID) schema.CampaignItem {
	r.t.Helper()
	i, err := r.CampaignItem(r.t.Context(), r.id, id, r.admin)
	require.NoError(r.t, err)
	return i
}

// of is the item of an account.
func (r *reviewing) of(external string) schema.CampaignItem {
	r.t.Helper()
	for _, i := range r.items() {
		if i.Facts.ExternalID == schema.ExternalID(external) {
			return i
		}
	}
	require.Fail(r.t, "no item of account "+external)
	return schema.CampaignItem{}
}

// word is a word on an item as it is now.
func word(i schema.CampaignItem, answer schema.ItemAnswer) schema.Decide {
	return schema.Decide{ID: schema.DecisionID(newUUID()), ItemID: i.ID, Version: i.Version, Answer: answer, Reason: "because"}
}

// says sends one word and returns what became of it.
func (r *reviewing) says(w schema.Decide, by schema.Principal) schema.Decided {
	r.t.Helper()
	list, err := r.DecideItems(r.t.Context(), r.id, []schema.Decide{w}, by)
	if err != nil {
		return schema.Decided{Code: string(schema.CodeOf(err))}
	}
	require.Len(r.t, list, 1)
	return list[0]
}

// takes sends a word that is taken.
func (r *reviewing) takes(i schema.CampaignItem, answer schema.ItemAnswer, by schema.Principal) {
	r.t.Helper()
	require.Empty(r.t, r.says(word(i, answer), by).Code)
}

// closes takes the campaign to closed.
func (r *reviewing) closes() {
	r.t.Helper()
	_, err := r.CloseCampaign(r.t.Context(), r.id, true, "done", r.admin)
	require.NoError(r.t, err)
	for {
		n, err := r.ApplySilence(r.t.Context(), r.id, r.review.Rule.Time.Silence, 50)
		require.NoError(r.t, err)
		if n == 0 {
			break
		}
	}
	require.NoError(r.t, r.MoveCampaign(r.t.Context(), r.id, schema.CampaignClosing, schema.CampaignRemoving))
	require.NoError(r.t, r.MoveCampaign(r.t.Context(), r.id, schema.CampaignRemoving, schema.CampaignClosed))
}

// stages gives the rule stages, each with who decides.
func stages(list ...schema.ReviewStage) func(*schema.AccessReviewRule) {
	return func(r *schema.AccessReviewRule) { r.Stages = list }
}

func stage(name string, of schema.StageOf, who ...schema.ReviewerCandidate) schema.ReviewStage {
	return schema.ReviewStage{Name: name, Of: of, Who: who}
}

func named(emails ...string) schema.ReviewerCandidate {
	return schema.ReviewerCandidate{Whom: schema.ReviewerNamed, To: emails}
}
