package activities

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"

	"sendoff/internal/campaign"
	"sendoff/schema"
)

// RemoveAccess plans and starts what was revoked, follows it, and closes the
// campaign when nothing is left to do but to wait: for another case, for approvals,
// for a connection that does not answer. That goes on while the campaign is closed. A
// held campaign goes on when part of what it holds is kept by now.
func (c *Campaigns) RemoveAccess(ctx context.Context, in CampaignInput) (Piece, error) {
	r, err := c.open(ctx, in.CampaignID)
	switch {
	case err != nil:
		return Piece{}, err
	case r.campaign.State == schema.CampaignHeld:
		return c.recountHeld(ctx, r.campaign.ID)
	case r.campaign.State != schema.CampaignRemoving:
		return Piece{More: true}, nil
	}
	defer beat(ctx)()
	left, more, err := c.remove(ctx, r)
	switch {
	case err != nil || more:
		return Piece{More: err == nil}, err
	case left.Working > 0:
		return Piece{Wait: c.removingPoll()}, c.store.CampaignWentOn(ctx, r.campaign.ID)
	}
	return Piece{More: true}, unlessStale(c.store.MoveCampaign(ctx, r.campaign.ID, schema.CampaignRemoving, schema.CampaignClosed))
}

// recountHeld lets a held campaign go on when less is to be removed by now.
func (c *Campaigns) recountHeld(ctx context.Context, id schema.CampaignID) (Piece, error) {
	less, err := c.store.RecountHeld(ctx, id)
	if err != nil || less {
		return Piece{More: err == nil}, err
	}
	return Piece{Wait: c.refreshEvery()}, c.store.CampaignWentOn(ctx, id)
}

// removingPoll is how often removals that are at work are looked at; the end of each
// is told besides.
func (c *Campaigns) removingPoll() time.Duration { return max(c.clocks.BusyPoll, leastPoll) }

// passFor bounds one pass over removals. What it does not come to is first in the next.
const passFor = 5 * time.Minute

// remove does a pass over the removals. Without more, it returns what is left.
func (c *Campaigns) remove(ctx context.Context, r running) (left schema.RemovalsLeft, more bool, err error) {
	r.drafting = c.planner.Drafting()
	if _, err := c.store.GatherRemovals(ctx, r.campaign.ID); err != nil {
		return left, true, unlessStale(err)
	}
	if more, err := c.inPieces(ctx, r, schema.RemovalWanted, math.MaxInt, c.planRemovals); err != nil || more {
		return left, err == nil, err
	}
	row, err := c.store.TakeBudget(ctx, r.campaign.ID)
	if err != nil || row.State == schema.CampaignHeld {
		return left, true, unlessStale(err)
	}
	if left, err = c.store.FollowRemovals(ctx, r.campaign.ID); err != nil {
		return left, false, err
	}
	if room := atOnce - left.Working - left.Approving; room > 0 {
		r.drafting = r.drafting.Next()
		if more, err := c.inPieces(ctx, r, schema.RemovalReady, room, c.startRemovals); err != nil || more {
			return left, err == nil, err
		}
	}
	return left, false, nil
}

// inPieces does removals in a state piece by piece, until room of them were settled,
// all were looked at, or the time is over. It tells whether there is more to do now:
// some were settled, or the worker is to end. Without, what is left has to wait.
func (c *Campaigns) inPieces(ctx context.Context, r running, state schema.RemovalState, room int,
	do func(context.Context, running, []schema.Removal) (settled int, err error),
) (more bool, err error) {
	settled, began := 0, c.now()
	for seen := []schema.RemovalID{}; settled < room && c.now().Sub(began) < passFor; {
		list, err := c.store.RemovalsIn(ctx, r.campaign.ID, state, seen, min(room-settled, removePiece))
		if err != nil || len(list) == 0 {
			return settled > 0, err
		}
		for _, m := range list {
			seen = append(seen, m.ID)
		}
		if list, err = c.enabled(ctx, list); err != nil {
			return false, err
		}
		n, err := do(ctx, r, list)
		if err != nil {
			return false, err
		}
		settled += n
		select {
		case <-activity.GetWorkerStopChannel(ctx):
			return true, nil
		default:
		}
	}
	return settled > 0, nil
}

// planRemovals plans removals that are wanted and returns how many it settled: others
// wait for what works on their accounts.
func (c *Campaigns) planRemovals(ctx context.Context, r running, list []schema.Removal) (planned int, err error) {
	for _, plan := range c.stepsOf(r, list) {
		if len(plan.steps) == 0 {
			for _, removal := range plan.of {
				err := c.store.SettleRemoval(ctx, removal.ID, schema.RemovalImpossible, "it cannot be removed from here", plan.ways[removal.ID], "")
				if unlessStale(err) != nil {
					return planned, err
				}
				planned++
			}
			continue
		}
		drafts, err := c.draft(ctx, r, plan, false)
		if err != nil {
			return planned, err
		}
		for i, d := range drafts {
			switch err := c.part(ctx, plan, plan.of[i]); {
			case schema.CodeOf(err) == schema.CodeStale: // its items are others by now
				planned++
				continue
			case err != nil:
				return planned, err
			}
			done, err := c.planOne(ctx, plan.of[i], d)
			if err != nil {
				return planned, err
			}
			if done {
				planned++
			}
		}
	}
	return planned, nil
}

// part takes items that no step of the plan removes out of a removal, so that its
// proof says nothing of them. CodeStale when it is not as it was read.
func (c *Campaigns) part(ctx context.Context, plan removalPlan, removal schema.Removal) error {
	if plan.ways[removal.ID] == "" {
		return nil
	}
	var others []schema.ItemID
	for _, i := range removal.Items {
		if i.RemovalID == removal.ID && !campaign.Removes(plan.steps, i) {
			others = append(others, i.ID)
		}
	}
	if len(others) == 0 {
		return nil
	}
	return c.store.PartRemoval(ctx, removal.ID, others, plan.ways[removal.ID])
}

// planOne stores the plan of a removal, or has it wait for what works on its
// account or for its connection. It tells whether it was settled.
func (c *Campaigns) planOne(ctx context.Context, removal schema.Removal, d AccountDraft) (bool, error) {
	if d.unread.why != "" {
		return c.waitUnread(ctx, removal, d.unread)
	}
	if busy, ok := busyWith(d.Draft); ok {
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

// unreadFor is how long a removal waits at least for an account of which its vendor
// refuses to tell: somebody may mend that, or a sync tell what became of it.
const unreadFor = 24 * time.Hour

// waitUnread lets a removal wait whose account could not be judged, whatever else was
// found: nobody could ask for it again once it is refused. What was not even tried
// keeps its place before those that were. What stays as it is until somebody changes it
// is refused in the end, for whoever signs to see; then it is settled.
func (c *Campaigns) waitUnread(ctx context.Context, m schema.Removal, u unread) (settled bool, err error) {
	switch {
	case u.untried && m.Why == u.why && m.WaitsFor == "":
		return false, nil
	case u.lasts && m.Why == u.why && c.now().Sub(m.CreatedAt) >= c.clocks.PlanWait(unreadFor):
		why := u.why
		if rest, ok := strings.CutPrefix(u.why, accountUnread); ok {
			why = "it cannot be judged: " + rest + "; mend the rights of the connection, or take the access away by hand"
		}
		return true, unlessStale(c.store.SettleRemoval(ctx, m.ID, schema.RemovalRefused, why, "", ""))
	}
	return false, unlessStale(c.store.SettleRemoval(ctx, m.ID, m.State, u.why, "", ""))
}

// enabled leaves out removals whose connection is disabled now: they wait, as for one
// that does not answer. That it is so says nothing of what can be done.
func (c *Campaigns) enabled(ctx context.Context, list []schema.Removal) ([]schema.Removal, error) {
	conns, err := c.planner.store.EnabledConnections(ctx)
	if err != nil {
		return nil, err
	}
	var rest []schema.Removal
	for _, m := range list {
		if slices.ContainsFunc(conns, func(conn schema.Connection) bool { return conn.ID == m.Account.ConnectionID }) {
			rest = append(rest, m)
			continue
		}
		if _, err := c.waitUnread(ctx, m, unread{why: connectionDisabled}); err != nil {
			return nil, err
		}
	}
	return rest, nil
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

// startRemovals opens the cases of what the budget allows, and returns how many it
// settled.
func (c *Campaigns) startRemovals(ctx context.Context, r running, list []schema.Removal) (started int, err error) {
	for _, plan := range c.stepsOf(r, list) {
		drafts, err := c.draft(ctx, r, plan, true)
		if err != nil {
			return started, err
		}
		for i, d := range drafts {
			done, err := c.startRemoval(ctx, plan.of[i], d)
			if err != nil {
				return started, err
			}
			if done {
				started++
			}
		}
	}
	return started, nil
}

func (c *Campaigns) startRemoval(ctx context.Context, removal schema.Removal, d AccountDraft) (bool, error) {
	settle := func(to schema.RemovalState, why string, busy schema.CaseID) error {
		return unlessStale(c.store.SettleRemoval(ctx, removal.ID, to, why, "", busy))
	}
	if d.unread.why != "" {
		return c.waitUnread(ctx, removal, d.unread)
	}
	if busy, ok := busyWith(d.Draft); ok {
		return false, settle(schema.RemovalReady, "another case works on the account", busy)
	}
	if schema.Refused(d.AllFindings()) {
		return true, settle(schema.RemovalRefused, "pre-flight refuses it now: "+codesOf(d.AllFindings()), "")
	}
	if len(d.Accounts) == 1 && removal.Facts != nil && d.Accounts[0].Facts.Hash() != removal.Hash {
		diffs := differences(*removal.Facts, d.Accounts[0].Facts)
		return true, settle(schema.RemovalWanted, "planned anew: another "+factNames(diffs), "")
	}
	_, err := c.store.StartRemoval(ctx, removal.ID, d.Draft)
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
