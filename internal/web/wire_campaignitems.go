package web

import (
	"time"

	"sendoff/schema"
)

// campaignItemBody is an item: the one view that reviewers decide by, wherever.
//
// Account and Control are left out of what a reviewer is shown: a control item has
// no account of ours, so that both would tell it.
type campaignItemBody struct {
	ID             schema.ItemID            `json:"id"`
	CampaignID     schema.CampaignID        `json:"campaign_id"`
	Version        int                      `json:"version" doc:"A decision names the one that was shown"`
	Kind           schema.ItemKind          `json:"kind" enum:"account,role,group,collaboration"`
	Account        *schema.AccountID        `json:"account,omitempty" doc:"Our id; absent for reviewers"`
	Ref            string                   `json:"ref" doc:"With account and kind, the same in every campaign"`
	Facts          itemFactsBody            `json:"facts" doc:"What a decision is about: when one of them is other by then, it is refused"`
	Context        itemContextBody          `json:"context" doc:"What helps to decide"`
	Recommendation recommendationBody       `json:"recommendation"`
	Risk           riskBody                 `json:"risk"`
	State          schema.CampaignItemState `json:"state" enum:"unassigned,open,decided,carried,undecided,gone,withdrawn"`
	Stage          int                      `json:"stage" doc:"Index into the access review's stages"`
	ReviewerID     schema.PersonID          `json:"reviewer_id" doc:"Empty = nobody has it"`
	Reviewer       string                   `json:"reviewer" doc:"Name or address"`
	Position       int                      `json:"position" doc:"Of the reviewer in the chain"`
	AssignedAt     *time.Time               `json:"assigned_at"`
	EscalateAt     *time.Time               `json:"escalate_at" doc:"When the next in the chain is asked; null = not before the deadline"`
	Answer         schema.ItemAnswer        `json:"answer" doc:"keep, revoke or abstain; empty = none yet"`
	Reason         string                   `json:"reason"`
	DecidedBy      string                   `json:"decided_by"`
	DecidedAt      *time.Time               `json:"decided_at"`
	Why            string                   `json:"why" doc:"Of one that is gone, undecided, carried or without a reviewer"`
	Control        *bool                    `json:"control,omitempty" doc:"Whether it is made up to see how reviewers decide; absent for reviewers"`
	RemovalID      schema.RemovalID         `json:"removal_id" doc:"Empty = none"`
	Removal        schema.RemovalState      `json:"removal" doc:"State of the removal; empty = none"`
	UpdatedAt      time.Time                `json:"updated_at"`
}

type itemFactsBody struct {
	ConnectionID  schema.ConnectionID     `json:"connection_id"`
	AccountID     schema.ExternalID       `json:"account_id" doc:"The vendor's id"`
	Login         string                  `json:"login"`
	HolderID      schema.PersonID         `json:"holder_id" doc:"Empty = nobody is known to hold it"`
	Employment    schema.EmploymentStatus `json:"employment"`
	AccountStatus schema.AccountStatus    `json:"account_status"`
	AccountKind   schema.AccountKind      `json:"account_kind"`
	Role          schema.AccountRole      `json:"role"`
	Access        string                  `json:"access" doc:"The vendor's word for what is held"`
	Group         string                  `json:"group" doc:"Name of the group; empty = none is meant"`
	Provenance    string                  `json:"provenance" doc:"The directory that feeds the group; empty = the vendor itself"`
	Target        string                  `json:"target" doc:"Name of the folder or file of a collaboration"`
	Grade         schema.Grade            `json:"grade" enum:"active,inactive,never,unknown,not_collected"`
	Held          bool                    `json:"held" doc:"false = the access has ended"`
}

type itemContextBody struct {
	Connection     string                `json:"connection"`
	Name           string                `json:"name" doc:"Of the account"`
	Holder         string                `json:"holder" doc:"Name; empty = nobody is known to hold it"`
	HolderEmail    string                `json:"holder_email"`
	EmploymentKind schema.EmploymentKind `json:"employment_kind"`
	Department     string                `json:"department"`
	Manager        string                `json:"manager" doc:"Address"`
	Since          *time.Time            `json:"since" doc:"The vendor's date, or when we first saw it; null = not known"`
	SinceSeen      bool                  `json:"since_seen" doc:"since is when we first saw it"`
	GrantedBy      string                `json:"granted_by" doc:"Empty = not known"`
	LastActiveAt   *time.Time            `json:"last_active_at" doc:"null = no use was ever seen"`
	LastEvent      string                `json:"last_event"`
	Source         schema.ActivitySource `json:"source" doc:"Of the activity; empty = none"`
	CoveredFrom    *time.Time            `json:"covered_from" doc:"Since when its use is known; null = it is not collected"`
	CoveredTo      *time.Time            `json:"covered_to"`
	ObservedAt     *time.Time            `json:"observed_at" doc:"When the account was last seen at the vendor"`
	Bytes          int64                 `json:"bytes" doc:"That the account owns"`
	Peers          schema.Peers          `json:"peers" doc:"Of the holder's department: how many, and how many of them with the same access"`
	LastDecision   *lastDecisionBody     `json:"last_decision" doc:"In the last campaign that decided about it; null = none"`
	Changed        bool                  `json:"changed" doc:"New or other than then"`
	FreesSeat      bool                  `json:"frees_seat"`
	SeatPerYear    *renewalMoney         `json:"seat_per_year" doc:"null = no contract is known"`
	Everybody      bool                  `json:"everybody" doc:"The group is one that all accounts are in: nobody leaves it alone"`
}

type lastDecisionBody struct {
	CampaignID schema.CampaignID `json:"campaign_id"`
	Answer     schema.ItemAnswer `json:"answer"`
	Reason     string            `json:"reason"`
	By         string            `json:"by"`
	At         time.Time         `json:"at"`
	Carried    int               `json:"carried" doc:"How often it was taken over since"`
}

type recommendationBody struct {
	Answer  schema.ItemAnswer `json:"answer" doc:"keep or revoke; empty = the facts speak for neither. Never an answer that is set beforehand"`
	Reasons []string          `json:"reasons" nullable:"false" doc:"Codes"`
}

type riskBody struct {
	Level   schema.RiskLevel `json:"level" enum:"low,medium,high"`
	Score   int              `json:"score" doc:"Orders a queue, highest first"`
	Reasons []string         `json:"reasons" nullable:"false" doc:"Codes"`
}

// campaignItemOf renders an item; secret leaves out what would tell a control item.
func campaignItemOf(i schema.CampaignItem, secret bool) campaignItemBody {
	b := campaignItemBody{
		ID: i.ID, CampaignID: i.CampaignID, Version: i.Version, Kind: i.Facts.Kind, Ref: i.Facts.Ref, Facts: itemFactsOf(i.Facts), Context: itemContextOf(i.Context),
		Recommendation: recommendationBody{i.Recommendation.Answer, nonNil(i.Recommendation.Reasons)}, Risk: riskBody{i.Risk.Level, i.Risk.Score, nonNil(i.Risk.Reasons)},
		State: i.State, Stage: i.Stage, ReviewerID: i.ReviewerID, Reviewer: i.Reviewer, Position: i.Position, AssignedAt: instant(i.AssignedAt),
		EscalateAt: instant(i.EscalateAt), Answer: i.Answer, Reason: i.Reason, DecidedBy: i.DecidedBy, DecidedAt: instant(i.DecidedAt), Why: i.Why,
		RemovalID: i.RemovalID, Removal: i.Removal, UpdatedAt: i.UpdatedAt.UTC(),
	}
	if !secret {
		b.Account, b.Control = &i.Facts.AccountID, &i.Control
	}
	return b
}

func itemFactsOf(f schema.ItemFacts) itemFactsBody {
	return itemFactsBody{
		ConnectionID: f.ConnectionID, AccountID: f.ExternalID, Login: f.Login, HolderID: f.HolderID, Employment: f.Employment, AccountStatus: f.AccountStatus, AccountKind: f.AccountKind,
		Role: f.Role, Access: f.Access, Group: f.Group, Provenance: f.Provenance, Target: f.Target, Grade: f.Grade, Held: f.Held,
	}
}

func itemContextOf(c schema.ItemContext) itemContextBody {
	b := itemContextBody{
		Connection: c.Connection, Name: c.Name, Holder: c.Holder, HolderEmail: c.HolderEmail, EmploymentKind: c.Employment, Department: c.Department,
		Manager: c.Manager, Since: instant(c.Since), SinceSeen: c.SinceSeen, GrantedBy: c.GrantedBy, LastActiveAt: instant(c.LastActiveAt), LastEvent: c.LastEvent,
		Source: c.Source, CoveredFrom: instant(c.CoveredFrom), CoveredTo: instant(c.CoveredTo), ObservedAt: instant(c.ObservedAt), Bytes: c.Bytes, Peers: c.Peers,
		Changed: c.Changed, FreesSeat: c.FreesSeat, Everybody: c.Everybody,
	}
	if l := c.Last; l != nil {
		b.LastDecision = &lastDecisionBody{l.CampaignID, l.Answer, l.Reason, l.By, l.At.UTC(), l.Carried}
	}
	if m := c.SeatPerYear; m != nil {
		b.SeatPerYear = &renewalMoney{m.Amount(), m.Minor, m.Currency}
	}
	return b
}

type itemDecisionBody struct {
	ID         schema.DecisionID `json:"id"`
	ItemID     schema.ItemID     `json:"item"`
	Stage      int               `json:"stage"`
	Version    int               `json:"version" doc:"Of the item that was shown"`
	Answer     schema.ItemAnswer `json:"answer" enum:"keep,revoke,abstain"`
	Reason     string            `json:"reason"`
	Bulk       bool              `json:"bulk" doc:"One of several that were given one answer for one reason together"`
	Principal  string            `json:"principal"`
	TokenID    schema.TokenID    `json:"token_id"`
	ReviewerID schema.PersonID   `json:"reviewer_id"`
	DecidedAt  time.Time         `json:"decided_at"`
	Current    bool              `json:"current" doc:"Not corrected since"`
}

func itemDecisionOf(d schema.CampaignDecision) itemDecisionBody {
	return itemDecisionBody{
		d.ID, d.ItemID, d.Stage, d.Version, d.Answer, d.Reason, d.Bulk, d.Principal, d.TokenID, d.ReviewerID, d.DecidedAt.UTC(), d.Current,
	}
}
