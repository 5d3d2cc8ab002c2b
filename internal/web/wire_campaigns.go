package web

import (
	"time"

	"sendoff/schema"
)

// CampaignBody is a campaign as lists show it.
type CampaignBody struct {
	ID          schema.CampaignID      `json:"id"`
	Review      string                 `json:"review" doc:"Name of the access review"`
	ReviewID    schema.AccessReviewID  `json:"review_id"`
	Version     int                    `json:"version" doc:"Of the access review"`
	Title       string                 `json:"title"`
	Owner       string                 `json:"owner" doc:"The address of who signs"`
	Trigger     schema.CampaignTrigger `json:"trigger" enum:"schedule,person,mover,privileged_role,returned"`
	ScheduledAt *time.Time             `json:"scheduled_at"`
	RequestedBy string                 `json:"requested_by" doc:"Empty = a schedule or the engine"`
	Accounts    []schema.AccountID     `json:"accounts" nullable:"false" doc:"Of a small campaign; with persons empty = the whole scope"`
	Persons     []schema.PersonID      `json:"persons" nullable:"false" doc:"Of a small campaign"`
	Follows     schema.CampaignID      `json:"follows" doc:"The campaign that removed what came back; empty = none"`
	State       schema.CampaignState   `json:"state" enum:"draft,gathering,listing,assigning,open,closing,removing,held,closed,signed,ended"`
	End         schema.CampaignEnd     `json:"end" doc:"done, empty, stale, cancelled, failed or blackout; empty = it has not ended"`
	Why         string                 `json:"why" doc:"Of an end that is not done"`
	Basis       []campaignBasisBody    `json:"basis" nullable:"false" doc:"What its snapshot is of"`
	Warnings    []schema.Finding       `json:"warnings" nullable:"false" doc:"What the launch was warned of"`
	SnapshotAt  *time.Time             `json:"snapshot_at" doc:"The instant that all items were read at; null = not yet"`
	OpenedAt    *time.Time             `json:"opened_at" doc:"null = not yet"`
	DueAt       *time.Time             `json:"due_at" doc:"The deadline; null = not open yet"`
	ClosedAt    *time.Time             `json:"closed_at" doc:"No more answers since; null = they are taken, or it is not open yet"`
	Overruns    []overrunBody          `json:"overruns" nullable:"false" doc:"Limits that its removals exceed, of a held one"`
	BatchID     schema.BatchID         `json:"batch_id" doc:"The batch that holds it; empty = none"`
	SignedAt    *time.Time             `json:"signed_at" doc:"null = it is not signed"`
	SignedBy    string                 `json:"signed_by"`
	SignReason  string                 `json:"sign_reason" doc:"What was accepted with the signature"`
	Evidence    string                 `json:"evidence" doc:"Hex SHA-256 of the signed evidence; empty = not signed"`
	CreatedAt   time.Time              `json:"created_at"`
	EndedAt     *time.Time             `json:"ended_at"`
}

type campaignBasisBody struct {
	Connection  string     `json:"connection"`
	CoveredFrom *time.Time `json:"covered_from" doc:"null = its activity is not collected"`
	CoveredTo   *time.Time `json:"covered_to"`
	SyncedAt    *time.Time `json:"synced_at" doc:"When its accounts were last listed; null = never"`
	GroupsAsOf  *time.Time `json:"groups_as_of" doc:"When all groups and their members were last listed; null = they are not all known"`
	Unread      bool       `json:"unread" doc:"The vendor did not let its events be read when that was last tried"`
	Why         string     `json:"why" doc:"Code of why activity is not collected or the listing is not whole"`
}

// campaignViewBody is a campaign with what its owner asks first.
type campaignViewBody struct {
	CampaignBody
	Counts campaignCountsBody `json:"counts"`
	Blocks []schema.Finding   `json:"blocks" nullable:"false" doc:"What stands against a sign-off now; empty = it may be signed"`
}

type campaignCountsBody struct {
	Items    int64                `json:"items"`
	States   []stateCount         `json:"states" nullable:"false"`
	Answers  []schema.AnswerCount `json:"answers" nullable:"false"`
	Risks    []schema.RiskCount   `json:"risks" nullable:"false"`
	Removals []stateCount         `json:"removals" nullable:"false"`
	Returned int64                `json:"returned" doc:"Accesses that came back"`
	Controls *int64               `json:"controls" doc:"Control items among the items; null for reviewers"`
}

// campaignOf renders a campaign; names may lack connections that it does not name.
func campaignOf(c schema.Campaign, names connectionNames) CampaignBody {
	return CampaignBody{
		ID: c.ID, Review: c.Review, ReviewID: c.ReviewID, Version: c.Version, Title: c.Title, Owner: c.Owner, Trigger: c.Trigger,
		ScheduledAt: instant(c.ScheduledAt), RequestedBy: c.RequestedBy, Accounts: nonNil(c.Accounts), Persons: nonNil(c.Persons), Follows: c.Follows,
		State: c.State, End: c.End, Why: c.Why, Basis: listOf(c.Basis, campaignBasisOf), Warnings: nonNil(c.Warnings), SnapshotAt: instant(c.SnapshotAt),
		OpenedAt: instant(c.OpenedAt), DueAt: instant(c.DueAt), ClosedAt: instant(c.ClosedAt), Overruns: overrunsOf(c.Overruns, names), BatchID: c.BatchID,
		SignedAt: instant(c.SignedAt), SignedBy: c.SignedBy, SignReason: c.SignReason, Evidence: c.Evidence, CreatedAt: c.CreatedAt.UTC(), EndedAt: instant(c.EndedAt),
	}
}

func campaignBasisOf(p schema.PopulationBasis) campaignBasisBody {
	b := campaignBasisBody{Connection: p.Connection, SyncedAt: instant(p.SyncedAt), GroupsAsOf: instant(p.GroupsAsOf), Unread: p.Unread, Why: p.Why}
	if !p.Covered.Empty() {
		b.CoveredFrom, b.CoveredTo = instant(p.Covered.From), instant(p.Covered.To)
	}
	return b
}

func campaignCountsOf(c schema.CampaignCounts, secret bool) campaignCountsBody {
	b := campaignCountsBody{
		Items:  c.Items,
		States: listOf(c.States, func(s schema.StateCount) stateCount { return stateCount{string(s.State), s.Count} }), Answers: nonNil(c.Answers),
		Risks:    nonNil(c.Risks),
		Removals: listOf(c.Removals, func(r schema.RemovalCount) stateCount { return stateCount{string(r.State), r.Count} }), Returned: c.Returned,
	}
	if !secret {
		b.Controls = &c.Controls
	}
	return b
}

// reviewerStatsBody sums the decisions of a reviewer in a campaign.
type reviewerStatsBody struct {
	ReviewerID        schema.PersonID        `json:"reviewer_id"`
	Name              string                 `json:"name"`
	Email             string                 `json:"email"`
	Items             int                    `json:"items" doc:"That they have or decided"`
	Open              int                    `json:"open"`
	Decided           int                    `json:"decided"`
	Kept              int                    `json:"kept"`
	Revoked           int                    `json:"revoked"`
	Abstained         int                    `json:"abstained"`
	Bulk              int                    `json:"bulk" doc:"Decided by one answer for several"`
	Recommended       int                    `json:"recommended" doc:"Decided ones with a recommendation"`
	Against           int                    `json:"against" doc:"Of these, decided otherwise"`
	RecommendedRevoke int                    `json:"recommended_revoke" doc:"Decided ones that were recommended to be revoked"`
	MedianSeconds     float64                `json:"median_seconds" doc:"Between their decisions"`
	ControlsKept      int                    `json:"controls_kept"`
	Reminders         int                    `json:"reminders"`
	RemindedAt        *time.Time             `json:"reminded_at" doc:"null = never"`
	Alarms            []schema.ReviewerAlarm `json:"alarms" nullable:"false" doc:"Why their decisions are doubted: TOO_FAST, APPROVES_ALL, AGAINST_FACTS, CONTROL_KEPT"`
	Cleared           bool                   `json:"cleared" doc:"Whether no alarm stands against a sign-off"`
	LookedBy          string                 `json:"looked_by" doc:"Who took a second look at them; empty = nobody"`
	LookedAt          *time.Time             `json:"looked_at"`
	LookReason        string                 `json:"look_reason"`
	LookedDecisions   int                    `json:"looked_decisions" doc:"How many decisions the look was at: later ones are not covered by it"`
	Looks             []lookBody             `json:"looks" nullable:"false" doc:"All second looks, oldest first"`
}

type lookBody struct {
	By        string    `json:"by"`
	At        time.Time `json:"at"`
	Reason    string    `json:"reason"`
	Decisions int       `json:"decisions" doc:"How many decisions it was at, and left to stand"`
	Redone    int       `json:"redone" doc:"How many decisions it gave to others"`
	Redo      bool      `json:"redo" doc:"Whether it gave decisions to others"`
	Current   bool      `json:"current" doc:"Whether it counts: the reviewer has decided nothing since"`
}

func looksOf(list []schema.TakenLook) []lookBody {
	out := make([]lookBody, len(list))
	for n, l := range list {
		out[n] = lookBody{By: l.By, At: l.At.UTC(), Reason: l.Reason, Decisions: l.Decisions, Redone: l.Redone, Redo: l.Redo, Current: l.Current}
	}
	return out
}

func reviewerStatsOf(r schema.ReviewerStats) reviewerStatsBody {
	return reviewerStatsBody{
		ReviewerID: r.ReviewerID, Name: r.Name, Email: r.Email, Items: r.Items, Open: r.Open, Decided: r.Decided, Kept: r.Kept, Revoked: r.Revoked,
		Abstained: r.Abstained, Bulk: r.Bulk, Recommended: r.Recommended, Against: r.Against, RecommendedRevoke: r.SaidRevoke,
		MedianSeconds: float64(r.MedianMillis) / 1000, ControlsKept: r.ControlsKept, Reminders: r.Reminders, RemindedAt: instant(r.RemindedAt),
		Alarms: nonNil(r.Alarms), Cleared: r.Cleared(), LookedBy: r.LookedBy, LookedAt: instant(r.LookedAt), LookReason: r.LookReason, LookedDecisions: r.LookedDecisions,
		Looks: looksOf(r.Looks),
	}
}

type absenceBody struct {
	ID         string          `json:"id"`
	PersonID   schema.PersonID `json:"person_id"`
	Person     string          `json:"person" doc:"Their address; empty = none is known"`
	From       time.Time       `json:"from"`
	Until      *time.Time      `json:"until" doc:"null = until it is ended"`
	DelegateID schema.PersonID `json:"delegate_id" doc:"Who decides meanwhile; empty = the next in each chain"`
	Delegate   string          `json:"delegate" doc:"Their address"`
	Reason     string          `json:"reason"`
	CreatedBy  string          `json:"created_by"`
	CreatedAt  time.Time       `json:"created_at"`
	EndedAt    *time.Time      `json:"ended_at" doc:"null = it holds"`
	Now        bool            `json:"now" doc:"Whether it holds at this instant"`
}

func (s *server) absenceOf(a schema.Absence) absenceBody {
	return absenceBody{
		a.ID, a.PersonID, a.Person, a.From.UTC(), instant(a.Until), a.DelegateID, a.Delegate, a.Reason, a.CreatedBy, a.CreatedAt.UTC(), instant(a.EndedAt), a.Covers(s.now()),
	}
}
