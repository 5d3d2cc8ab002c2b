package store

import (
	"context"
	"slices"
	"strconv"
	"time"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// BeginCampaign makes the campaign of a review and a scheduled time, or returns the
// one there is. CodeConflict when another whole campaign of it is open, CodeClosed
// when the review is paused.
func (s *Store) BeginCampaign(ctx context.Context, review schema.AccessReviewID, scheduledAt time.Time, workflowID string) (schema.Campaign, error) {
	var c schema.Campaign
	err := s.inTx(ctx, "begin a campaign", func(ctx context.Context, t *tx) error {
		d, err := t.lockAccessReview(ctx, string(review))
		if err != nil {
			return err
		}
		found, ok, err := maybeScalar[schema.CampaignID](ctx, t, `select id from campaign where review_id = @review and scheduled_at = @at and trigger = 'schedule'`,
			args{"review": review, "at": scheduledAt})
		if err != nil {
			return err
		}
		if ok {
			c, err = loadCampaign(ctx, t, found)
			return err
		}
		if d.State != schema.PolicyActive {
			return pausedAccessReview(d)
		}
		c = schema.Campaign{ScheduledAt: scheduledAt.UTC(), Trigger: schema.CampaignScheduled, State: schema.CampaignGathering, WorkflowID: workflowID}
		return t.insertCampaign(ctx, &c, d, engine())
	})
	return c, err
}

// NewCampaign makes a campaign: a draft, or started. With accounts or persons it
// looks at these alone, and may be one beside others; a whole one may not:
// CodeConflict names the one that is open. CodeClosed when the review is paused.
func (s *Store) NewCampaign(ctx context.Context, n schema.NewCampaign, by schema.Principal) (schema.Campaign, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.Campaign{}, err
	}
	var c schema.Campaign
	err := s.inTx(ctx, "make a campaign", func(ctx context.Context, t *tx) error {
		d, err := t.lockAccessReview(ctx, n.Review)
		if err != nil {
			return err
		}
		if d.State != schema.PolicyActive {
			return pausedAccessReview(d)
		}
		if n.Trigger == "" {
			n.Trigger = schema.CampaignByPerson
		}
		c = schema.Campaign{
			ScheduledAt: t.now, Trigger: n.Trigger, RequestedBy: by.Name, RequestedID: by.TokenID, Accounts: n.Accounts, Persons: n.Persons,
			Follows: n.Follows, State: schema.CampaignDraft,
		}
		if n.Start {
			c.State = schema.CampaignGathering
		}
		if err := t.checkCampaign(ctx, c); err != nil {
			return err
		}
		return t.insertCampaign(ctx, &c, d, principal(by))
	})
	return c, err
}

// checkCampaign refuses a campaign about what there is not.
func (t *tx) checkCampaign(ctx context.Context, c schema.Campaign) error {
	triggers := []schema.CampaignTrigger{schema.CampaignByPerson, schema.CampaignMover, schema.CampaignPrivileged, schema.CampaignReturned}
	if !slices.Contains(triggers, c.Trigger) {
		return &schema.Error{Code: schema.CodeInvalid, Message: "nobody makes a campaign for " + strconv.Quote(string(c.Trigger))}
	}
	missing, err := scalars[string](ctx, t, `select 'account ' || w.id::text from unnest(@accounts::uuid[]) as w(id) where not exists (select from account a where a.id = w.id)
		union all select 'person ' || w.id::text from unnest(@persons::uuid[]) as w(id) where not exists (select from person p where p.id = w.id)
		order by 1`, args{"accounts": some(c.Accounts), "persons": some(c.Persons)})
	if err != nil || len(missing) == 0 {
		return err
	}
	e := &schema.Error{Code: schema.CodeInvalid, Message: "the campaign names what does not exist; nothing was made"}
	for _, m := range missing {
		e.Problems = append(e.Problems, schema.Problem{Message: "there is no " + m, Fix: "look it up with sendoff accounts list or sendoff people list"})
	}
	return e
}

// some is a list that is not nil, as the database wants it.
func some[T any](list []T) []T { return append([]T{}, list...) }

// StartCampaign starts a draft. It keeps the version of the review that it was made
// by. CodeConflict for one that is none, or when a whole campaign is open.
func (s *Store) StartCampaign(ctx context.Context, id schema.CampaignID, by schema.Principal) (schema.Campaign, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.Campaign{}, err
	}
	var c schema.Campaign
	err := s.inTx(ctx, "start a campaign", func(ctx context.Context, t *tx) (err error) {
		if c, err = loadCampaign(ctx, t, id); err != nil {
			return err
		}
		d, err := t.lockAccessReview(ctx, string(c.ReviewID))
		if err != nil {
			return err
		}
		if c, err = t.lockCampaign(ctx, id); err != nil {
			return err
		}
		switch {
		case c.State != schema.CampaignDraft:
			return conflict("the campaign is "+string(c.State)+": only a draft is started", "")
		case d.State != schema.PolicyActive:
			return pausedAccessReview(d)
		}
		if err := t.requireNoCampaign(ctx, c, d); err != nil {
			return err
		}
		if err := t.moveCampaign(ctx, &c, schema.CampaignGathering, ``, args{}); err != nil {
			return err
		}
		t.recordCampaign(c, principal(by), "campaign.started", nil)
		if err := t.clearNotBegun(ctx, c, c.ReviewID); err != nil {
			return err
		}
		return t.tellCampaign(ctx, id)
	})
	return c, err
}

func pausedAccessReview(d accessReviewRow) error {
	return &schema.Error{
		Code: schema.CodeClosed, Message: "access review " + d.Name + " is paused: " + d.PauseReason,
		Fix: "resume it first: sendoff review resume " + d.Name + " --reason TEXT",
	}
}

// insertCampaign makes a campaign of a locked access review, by the version that is
// read, and lets it start unless it is a draft. With no workflow id, its own.
func (t *tx) insertCampaign(ctx context.Context, c *schema.Campaign, d accessReviewRow, actor audit.Actor) (err error) {
	if c.State != schema.CampaignDraft {
		if err := t.requireNoCampaign(ctx, *c, d); err != nil {
			return err
		}
		if err := t.clearNotBegun(ctx, *c, d.ID); err != nil {
			return err
		}
	}
	if c.ID, err = newID[schema.CampaignID](); err != nil {
		return err
	}
	scheduled := c.WorkflowID != "" // its workflow runs
	if !scheduled {
		c.WorkflowID = "campaign/" + string(c.ID)
	}
	warnings, err := t.ownerUnknown(ctx, d)
	if err != nil {
		return err
	}
	err = t.run(ctx, `insert into campaign (id, review_id, version, trigger, scheduled_at, requested_by, requested_id, accounts, persons, follows, state,
			warnings, workflow_id, created_at)
		values (@id, @review, @version, @trigger, @scheduled, @by, @by_id, @accounts, @persons, @follows, @state, @warnings, @workflow, @now)`,
		args{
			"id": c.ID, "review": d.ID, "version": d.Version, "trigger": c.Trigger, "scheduled": c.ScheduledAt, "by": c.RequestedBy, "by_id": c.RequestedID,
			"accounts": some(c.Accounts), "persons": some(c.Persons), "follows": c.Follows, "state": c.State, "warnings": warnings, "workflow": c.WorkflowID, "now": t.now,
		})
	if err != nil {
		return err
	}
	if *c, err = loadCampaign(ctx, t, c.ID); err != nil {
		return err
	}
	t.recordCampaign(*c, actor, "campaign.begun", map[string]string{
		"trigger": string(c.Trigger), "scheduled_at": schema.FormatInstant(c.ScheduledAt), "hash": d.Hash, "state": string(c.State),
		"accounts": strconv.Itoa(len(c.Accounts)), "persons": strconv.Itoa(len(c.Persons)), "follows": string(c.Follows),
	})
	if scheduled || c.State == schema.CampaignDraft {
		return nil
	}
	return t.tellCampaign(ctx, c.ID)
}

// ownerUnknown warns of a review whose owner's address is nobody's: items that come
// to the owner in the end would have no reviewer. Whoever is to be the owner may be
// known later, so nothing is refused.
func (t *tx) ownerUnknown(ctx context.Context, d accessReviewRow) ([]schema.Finding, error) {
	known, err := scalar[bool](ctx, t, `select exists (select 1 from person_email where email = lower(@owner))`, args{"owner": d.Rule.Owner})
	if err != nil || known {
		return []schema.Finding{}, err
	}
	return []schema.Finding{{
		Code: schema.CampaignOwnerUnknown, Warning: true, Message: "nobody is known by the address of the owner: what comes to the owner has no reviewer",
		Fix: "let the person be known, or name another owner, and start the campaign again",
	}}, nil
}

// requireNoCampaign is CodeConflict when a whole campaign is to begin of a locked
// access review and another one is open.
func (t *tx) requireNoCampaign(ctx context.Context, c schema.Campaign, d accessReviewRow) error {
	if !c.Whole() {
		return nil
	}
	open, ok, err := maybeScalar[string](ctx, t, `select id::text from campaign where review_id = @review and state not in ('draft', 'signed', 'ended')
		and trigger in ('schedule', 'person') and accounts = '{}' and persons = '{}'`, args{"review": d.ID})
	if err != nil || !ok {
		return err
	}
	return conflict("campaign "+open+" of access review "+d.Name+" is open: there is one whole campaign at a time",
		"follow it: sendoff review show "+open+", or cancel it")
}
