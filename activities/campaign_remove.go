package activities

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"sendoff/internal/campaign"
	"sendoff/schema"
)

// RemoveAccess plans and starts what was revoked, follows it, and closes the
// campaign when nothing is left to do.
func (c *Campaigns) RemoveAccess(ctx context.Context, in CampaignInput) (Piece, error) {
	r, err := c.open(ctx, in.CampaignID)
	if err != nil || r.campaign.State != schema.CampaignRemoving {
		return Piece{More: true}, err
	}
	defer beat(ctx)()
	p, err := c.remove(ctx, r)
	if err != nil || p.More || p.Wait > 0 {
		return p, err
	}
	return Piece{More: true}, unlessStale(c.store.MoveCampaign(ctx, r.campaign.ID, schema.CampaignRemoving, schema.CampaignClosed))
}

// remove does a piece of the removals. Without More and Wait nothing is left to do.
func (c *Campaigns) remove(ctx context.Context, r running) (Piece, error) {
	if _, err := c.store.GatherRemovals(ctx, r.campaign.ID); err != nil {
		return Piece{}, err
	}
	planned, waits, err := c.planRemovals(ctx, r)
	if err != nil || planned > 0 {
		return Piece{More: err == nil}, err
	}
	row, err := c.store.TakeBudget(ctx, r.campaign.ID)
	if err != nil || row.State == schema.CampaignHeld {
		return Piece{More: true}, unlessStale(err)
	}
	started, waiting, err := c.startRemovals(ctx, r)
	if err != nil || started > 0 {
		return Piece{More: err == nil}, err
	}
	going, err := c.store.FollowRemovals(ctx, r.campaign.ID)
	switch {
	case err != nil:
		return Piece{}, err
	case going > 0:
		return Piece{Wait: c.poll()}, nil
	case waits || waiting:
		return Piece{Wait: max(c.clocks.BusyPoll, leastPoll)}, nil
	}
	return Piece{}, nil
}

// planRemovals plans a piece of the removals that are wanted and returns how many
// it settled, and whether others wait for what works on their accounts.
func (c *Campaigns) planRemovals(ctx context.Context, r running) (planned int, waits bool, err error) {
	list, err := c.store.RemovalsIn(ctx, r.campaign.ID, schema.RemovalWanted, removePiece)
	if err != nil {
		return 0, false, err
	}
	for _, plan := range c.stepsOf(r, list) {
		if len(plan.steps) == 0 {
			for _, removal := range plan.of {
				err := c.store.SettleRemoval(ctx, removal.ID, schema.RemovalImpossible, "it cannot be removed from here", plan.ways[removal.ID], "")
				if unlessStale(err) != nil {
					return planned, waits, err
				}
				planned++
			}
			continue
		}
		drafts, err := c.draft(ctx, r, plan, false)
		if err != nil {
			return planned, waits, err
		}
		for i, d := range drafts {
			if err := c.part(ctx, plan, plan.of[i]); err != nil {
				return planned, waits, err
			}
			done, err := c.planOne(ctx, plan.of[i], d)
			if err != nil {
				return planned, waits, err
			}
			if done {
				planned++
			} else {
				waits = true
			}
		}
	}
	return planned, waits, nil
}

// part takes items that no step of the plan removes out of a removal, so that its
// proof says nothing of them.
func (c *Campaigns) part(ctx context.Context, plan removalPlan, removal schema.Removal) error {
	if plan.ways[removal.ID] == "" {
		return nil
	}
	var others []schema.ItemID
	for _, i := range removal.Items {
		if i.RemovalID == removal.ID && !removes(plan.steps, i.Facts) {
			others = append(others, i.ID)
		}
	}
	if len(others) == 0 {
		return nil
	}
	return unlessStale(c.store.PartRemoval(ctx, removal.ID, others, plan.ways[removal.ID]))
}

// removes tells whether steps that leave the account as it is take this access away.
func removes(steps []schema.StepFact, f schema.ItemFacts) bool {
	group, _, _ := strings.Cut(f.Ref, "/")
	return slices.ContainsFunc(steps, func(s schema.StepFact) bool {
		switch f.Kind {
		case schema.ItemRole:
			return s.Kind == schema.StepSetRole
		case schema.ItemGroup, schema.ItemCollaboration:
			return s.Kind == schema.StepRemoveFromGroups && slices.Contains(s.Groups, schema.ExternalID(group))
		}
		return false
	})
}

// removalPlan is removals with the same steps.
type removalPlan struct {
	steps []schema.StepFact
	of    []schema.Removal
	ways  map[schema.RemovalID]string
}

// stepsOf says what removes each, those with the same steps together, in the order
// of the first of each.
func (c *Campaigns) stepsOf(r running, list []schema.Removal) []removalPlan {
	var plans []removalPlan
	at := map[string]int{}
	for _, removal := range list {
		steps, way := campaign.Steps(r.review.Rule.Effect, removal)
		key, _ := json.Marshal(steps) // strings and integers alone: Marshal cannot fail
		i, ok := at[string(key)]
		if !ok {
			i = len(plans)
			at[string(key)] = i
			plans = append(plans, removalPlan{steps: steps, ways: map[schema.RemovalID]string{}})
		}
		plans[i].of = append(plans[i].of, removal)
		plans[i].ways[removal.ID] = way
	}
	return plans
}

// draft plans removals with the same steps, in their order.
func (c *Campaigns) draft(ctx context.Context, r running, plan removalPlan, again bool) ([]schema.Draft, error) {
	rule := r.review.Rule
	t := schema.Template{
		Name: schema.AccessReviewTemplatePrefix + rule.Name, Version: r.review.Version, Title: rule.Title, Steps: plan.steps,
		Approvals: rule.Effect.Approvals, Receivers: rule.Effect.Receivers, UpdatedBy: r.review.UpdatedBy, UpdatedAt: r.review.UpdatedAt,
	}
	requests := make([]schema.Request, len(plan.of))
	for i, removal := range plan.of {
		requests[i] = schema.Request{
			Door: schema.DoorAccessReview, AccountID: removal.AccountID, Email: emailOf(removal), PersonID: removal.Account.PersonID,
			Receivers: []string{}, Grace: schema.DefaultGrace, Template: t.Name, Approvals: rule.Effect.Approvals, Source: "review",
		}
	}
	return c.planner.DraftAccounts(ctx, requests, t, again)
}

// emailOf is the holder's address, or the login of an account that nobody is known
// to hold.
func emailOf(r schema.Removal) string {
	for _, i := range r.Items {
		if i.Context.HolderEmail != "" {
			return i.Context.HolderEmail
		}
	}
	return r.Account.Login
}

// planOne stores the plan of a removal, or has it wait for what works on its
// account or for its connection. It tells whether it was settled.
func (c *Campaigns) planOne(ctx context.Context, removal schema.Removal, d schema.Draft) (bool, error) {
	if unusable(d) {
		return false, unlessStale(c.store.SettleRemoval(ctx, removal.ID, schema.RemovalWanted, "its connection does not answer", "", ""))
	}
	if busy, ok := busyWith(d); ok {
		return false, unlessStale(c.store.SettleRemoval(ctx, removal.ID, schema.RemovalWanted, "another case works on the account", "", busy))
	}
	p := schema.PlannedRemoval{ID: removal.ID, Findings: d.AllFindings()}
	for _, a := range d.Accounts {
		p.Facts = a.Facts
		if movesContent(a.Facts) {
			p.Bytes = a.Account.SpaceUsed
		}
	}
	return true, unlessStale(c.store.PlanRemoval(ctx, p))
}

// busyWith is the case that a draft has to wait for, if that is all that refuses it.
func busyWith(d schema.Draft) (schema.CaseID, bool) {
	var busy schema.CaseID
	for _, f := range d.AllFindings() {
		switch {
		case f.Warning:
		case f.Code == schema.Busy:
			busy = cmp.Or(f.CaseID, busy)
		default:
			return "", false
		}
	}
	return busy, busy != ""
}

// startRemovals opens the cases of a piece of what the budget allows, and returns
// how many it settled and whether others wait.
func (c *Campaigns) startRemovals(ctx context.Context, r running) (started int, waits bool, err error) {
	list, err := c.store.RemovalsIn(ctx, r.campaign.ID, schema.RemovalReady, removePiece)
	if err != nil || len(list) == 0 {
		return 0, false, err
	}
	going, err := c.store.FollowRemovals(ctx, r.campaign.ID)
	if err != nil {
		return 0, false, err
	}
	room := min(atOnce-going, len(list))
	if room <= 0 {
		return 0, true, nil
	}
	for _, plan := range c.stepsOf(r, list[:room]) {
		drafts, err := c.draft(ctx, r, plan, true)
		if err != nil {
			return started, waits, err
		}
		for i, d := range drafts {
			done, err := c.startRemoval(ctx, plan.of[i], d)
			if err != nil {
				return started, waits, err
			}
			if done {
				started++
			} else {
				waits = true
			}
		}
	}
	return started, waits, nil
}

func (c *Campaigns) startRemoval(ctx context.Context, removal schema.Removal, d schema.Draft) (bool, error) {
	settle := func(to schema.RemovalState, why string, busy schema.CaseID) error {
		return unlessStale(c.store.SettleRemoval(ctx, removal.ID, to, why, "", busy))
	}
	if unusable(d) {
		return false, settle(schema.RemovalReady, "its connection does not answer", "")
	}
	if busy, ok := busyWith(d); ok {
		return false, settle(schema.RemovalReady, "another case works on the account", busy)
	}
	if schema.Refused(d.AllFindings()) {
		return true, settle(schema.RemovalRefused, "pre-flight refuses it now: "+codesOf(d.AllFindings()), "")
	}
	if len(d.Accounts) == 1 && removal.Facts != nil && d.Accounts[0].Facts.Hash() != removal.Hash {
		diffs := differences(*removal.Facts, d.Accounts[0].Facts)
		return true, settle(schema.RemovalWanted, "planned anew: another "+factNames(diffs), "")
	}
	_, err := c.store.StartRemoval(ctx, removal.ID, d)
	switch schema.CodeOf(err) {
	case schema.CodeConflict:
		return false, settle(schema.RemovalReady, describeRefusal(err), "")
	case schema.CodeHashDiffers:
		return true, settle(schema.RemovalWanted, "planned anew", "")
	case schema.CodeRefused, schema.CodeForbidden:
		return true, settle(schema.RemovalRefused, describeRefusal(err), "")
	}
	return true, unlessStale(err)
}

// reopen opens a closed campaign again when access came back: now, or before a
// worker died that had only kept it.
func (c *Campaigns) reopen(ctx context.Context, id schema.CampaignID, returned int) (Piece, error) {
	if returned == 0 {
		left, err := c.store.Unassigned(ctx, id, 1)
		if err != nil || len(left) == 0 {
			return Piece{Wait: c.refreshEvery()}, err
		}
	}
	return Piece{More: true}, unlessStale(c.store.MoveCampaign(ctx, id, schema.CampaignClosed, schema.CampaignOpen))
}

// WatchCampaign looks at what was removed by campaigns that are closed or signed:
// access that came back opens its item again, or after the sign-off makes a
// follow-up campaign. A signed campaign ends when nothing is left to watch.
func (c *Campaigns) WatchCampaign(ctx context.Context, in CampaignInput) (Piece, error) {
	r, err := c.open(ctx, in.CampaignID)
	if err != nil || (r.campaign.State != schema.CampaignClosed && r.campaign.State != schema.CampaignSigned) {
		return Piece{More: true}, err
	}
	until, returned, err := c.store.WatchRemovals(ctx, r.campaign.ID)
	switch {
	case schema.CodeOf(err) == schema.CodeStale: // what was revoked is to be removed first
		return Piece{More: true}, nil
	case err != nil:
		return Piece{}, err
	case r.campaign.State == schema.CampaignClosed:
		return c.reopen(ctx, r.campaign.ID, returned)
	case r.campaign.State == schema.CampaignSigned && !until.After(c.now()):
		return Piece{More: true}, c.store.EndCampaign(ctx, r.campaign.ID, schema.CampaignDone, "")
	}
	return Piece{Wait: c.refreshEvery()}, nil
}
