package activities

import (
	"context"
	"strings"
	"time"

	"sendoff/internal/campaign"
	"sendoff/internal/reviewer"
	"sendoff/schema"
)

// GatherCampaign asks for what is too old to show to reviewers, and begins the
// listing when everything is fresh. After the review's patience the campaign ends as
// stale, or begins all the same with the warning, as the review says; one about access
// that came back always begins, for the listing that showed it has just been made.
func (c *Campaigns) GatherCampaign(ctx context.Context, in CampaignInput) (Piece, error) {
	r, err := c.open(ctx, in.CampaignID)
	if err != nil || r.campaign.State != schema.CampaignGathering {
		return Piece{More: true}, err
	}
	if r.incomplete() {
		return Piece{More: true}, c.endIncomplete(ctx, r)
	}
	rule := r.review.Rule
	if dark, why := c.dark(r); dark {
		return Piece{More: true}, c.store.EndCampaign(ctx, r.campaign.ID, schema.CampaignDark, why)
	}
	basis, err := c.store.PopulationBasis(ctx, r.ids())
	if err != nil {
		return Piece{}, err
	}
	old, warnings := c.tooOld(r, basis), c.unknown(r, basis)
	patience := c.clocks.PlanWait(rule.Freshness.Patience)
	waited := c.now().Sub(r.campaign.CreatedAt)
	switch {
	case len(old) == 0:
		return Piece{More: true}, unlessStale(c.store.BeginListing(ctx, r.campaign.ID, warnings))
	case waited >= patience && (rule.Freshness.Stale == schema.StaleWarns || r.campaign.Trigger == schema.CampaignReturned):
		return Piece{More: true}, unlessStale(c.store.BeginListing(ctx, r.campaign.ID, append(warnings, staleFindings(old)...)))
	case waited >= patience:
		return Piece{More: true}, c.store.EndCampaign(ctx, r.campaign.ID, schema.CampaignStale, strings.Join(words(old), "; "))
	}
	for _, s := range old {
		if err := c.store.AskRun(ctx, s.id, s.kind); err != nil && schema.CodeOf(err) != schema.CodeClosed {
			return Piece{}, err
		}
	}
	return Piece{Wait: min(c.poll(), max(patience-waited, leastPoll))}, nil
}

// incomplete tells whether a campaign cannot show what it is about. A small one is about
// accounts that it names, whatever else is in the scope of its review.
func (r running) incomplete() bool {
	return len(r.missing) > 0 && (r.campaign.Whole() || len(r.conns) == 0)
}

// endIncomplete ends a campaign before its snapshot of whose scope a connection is not
// there: nobody is to take what is left for the whole.
func (c *Campaigns) endIncomplete(ctx context.Context, r running) error {
	why := "its scope names connections that are not there: " + strings.Join(r.missing, ", ") + "; connect them, or take them out of the review's file"
	return c.store.EndCampaign(ctx, r.campaign.ID, schema.CampaignFailed, why)
}

// dark tells whether a scheduled campaign would begin within a blackout.
func (c *Campaigns) dark(r running) (bool, string) {
	if r.campaign.Trigger != schema.CampaignScheduled {
		return false, ""
	}
	schedule := r.review.Rule.Schedule
	zone, err := time.LoadLocation(schedule.Zone)
	if err != nil {
		zone = time.UTC
	}
	b, dark := schedule.DarkOn(schema.DateOf(c.now().In(zone)))
	return dark, "it was to begin within a blackout of the review: " + b.Reason
}

// tooOld is what would be shown to reviewers and is older than the review allows.
func (c *Campaigns) tooOld(r running, basis []schema.PopulationBasis) []stale {
	var old []stale
	fresh, now := r.review.Rule.Freshness, c.now()
	for i, b := range basis {
		why := ""
		if b.Why != "" {
			why = " (" + b.Why + ")"
		}
		add := func(kind schema.RunKind, what string) { old = append(old, stale{b.ConnectionID, kind, what + why}) }
		if b.SyncedAt.IsZero() || now.Sub(b.SyncedAt) > fresh.Sync {
			add(schema.RunSync, "the accounts of "+b.Connection+" were not listed within "+fresh.Sync.String())
		}
		if r.asksGroups() && (b.GroupsAsOf.IsZero() || now.Sub(b.GroupsAsOf) > fresh.Sync) {
			add(schema.RunSync, "the groups of "+b.Connection+" and their members were not all listed within "+fresh.Sync.String())
		}
		// Use that is not collected at all is shown as such.
		if !b.Covered.Empty() && (b.Unread || now.Sub(b.Covered.To) > fresh.Activity) {
			add(schema.RunActivity, "the activity of "+b.Connection+" was not read within "+fresh.Activity.String())
		}
		if fresh.Doctor && i < len(r.conns) && !healthy(r.conns[i]) {
			add(schema.RunProbe, "the connection "+b.Connection+" is not healthy: see sendoff doctor "+b.Connection)
		}
	}
	return old
}

// healthy tells whether the doctor found no fault that makes what is known of a
// connection doubtful. One that it has not looked at yet is not.
func healthy(c schema.Connection) bool {
	return c.Health == schema.HealthActive || c.Health == schema.HealthDegraded
}

// asksGroups tells whether the campaign shows what accounts hold by groups.
func (r running) asksGroups() bool {
	for _, k := range r.review.Rule.Scope.Items {
		if k == schema.ItemGroup || k == schema.ItemCollaboration {
			return true
		}
	}
	return false
}

// unknown is what of the scope cannot be known, however fresh it is.
func (c *Campaigns) unknown(_ running, basis []schema.PopulationBasis) []schema.Finding {
	var list []schema.Finding
	for _, b := range basis {
		if b.Covered.Empty() {
			list = append(list, schema.Finding{
				Code: schema.CampaignNotCollected, Warning: true, Connection: b.Connection,
				Message: "the use of the accounts of " + b.Connection + " is not collected: items say so, and nothing is called unused",
				Fix:     "see sendoff doctor " + b.Connection,
			})
		}
	}
	return list
}

func staleFindings(old []stale) []schema.Finding {
	list := make([]schema.Finding, len(old))
	for i, s := range old {
		code := schema.CampaignStaleFacts
		if s.kind == schema.RunProbe {
			code = schema.CampaignUnhealthy
		}
		list[i] = schema.Finding{Code: code, Warning: true, Message: s.what, Fix: "start the campaign again once that is mended, if it matters"}
	}
	return list
}

// ListCampaign takes the snapshot: what every account in the scope holds becomes an
// item, with its risk and what the facts speak for.
func (c *Campaigns) ListCampaign(ctx context.Context, in CampaignInput) error {
	r, err := c.open(ctx, in.CampaignID)
	if err != nil || r.campaign.State != schema.CampaignListing {
		return err
	}
	if r.incomplete() {
		return c.endIncomplete(ctx, r)
	}
	defer beat(ctx)()
	now, review := c.now().UTC().Truncate(time.Microsecond), r.compiled.For(r.campaign)
	return unlessStale(c.store.ListHoldings(ctx, r.campaign.ID, review.Query(r.campaign, r.ids(), now), func(list []schema.Holding) ([]schema.NewItem, error) {
		var items []schema.NewItem
		for i := range list {
			if item, ok := campaign.Judge(review, &list[i], now); ok {
				items = append(items, item)
			}
		}
		return items, nil
	}))
}

// AssignCampaign finds reviewers for a piece of the items that need one. When there
// is none left, a campaign that begins is opened.
func (c *Campaigns) AssignCampaign(ctx context.Context, in CampaignInput) (Piece, error) {
	r, err := c.open(ctx, in.CampaignID)
	if err != nil || r.campaign.State != schema.CampaignAssigning {
		return Piece{More: true}, err
	}
	defer beat(ctx)()
	n, err := c.assign(ctx, r)
	if err != nil || n > 0 {
		return Piece{More: true}, err
	}
	return Piece{More: true}, unlessStale(c.store.OpenCampaign(ctx, r.campaign.ID, reviewer.Due(r.times, c.now().UTC())))
}

// assign finds reviewers for a piece of items and returns how many there were.
func (c *Campaigns) assign(ctx context.Context, r running) (int, error) {
	items, err := c.store.Unassigned(ctx, r.campaign.ID, assignPiece)
	if err != nil || len(items) == 0 {
		return 0, err
	}
	dir, err := c.store.Directory(ctx, r.campaign.ID, r.review.Rule)
	if err != nil {
		return 0, err
	}
	now := c.now().UTC()
	chooser := reviewer.New(r.review.Rule, &dir, now)
	list := make([]schema.Assignment, len(items))
	for i, item := range items {
		list[i] = chooser.Choose(item)
	}
	return len(items), unlessStale(c.store.Assign(ctx, r.campaign.ID, list, func(to schema.PersonID, due time.Time) time.Time {
		if due.IsZero() {
			due = reviewer.Due(r.times, now)
		}
		return r.escalates(now, due, dir.People[to].Zone)
	}))
}

// escalates is when an item leaves its reviewer; zero = at the deadline. Whoever
// gets it shortly before that, or after it, has EscalateFor all the same.
func (r running) escalates(assigned, due time.Time, zone string) time.Time {
	at := reviewer.Escalation(r.times, assigned, due, zone)
	least := reviewer.Moment(assigned.Add(r.times.EscalateFor), zone, r.times.WorkingDays)
	if at.IsZero() && least.After(due) {
		return least
	}
	return at
}
