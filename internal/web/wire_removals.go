package web

import (
	"time"

	"sendoff/schema"
)

// removalBody is what a campaign takes away from one account.
type removalBody struct {
	ID         schema.RemovalID    `json:"id"`
	Account    schema.AccountID    `json:"account" doc:"Our id"`
	Connection string              `json:"connection"`
	AccountID  schema.ExternalID   `json:"account_id" doc:"The vendor's id"`
	Login      string              `json:"login"`
	Items      []removedItemBody   `json:"items" nullable:"false" doc:"That it removes"`
	State      schema.RemovalState `json:"state" enum:"wanted,planned,ready,started,done,refused,impossible,withdrawn,undone"`
	Facts      *schema.Facts       `json:"facts" doc:"What its plan's hash is over; null = not planned"`
	Hash       string              `json:"hash"`
	Bytes      int64               `json:"bytes" doc:"That its plan would move or destroy"`
	Findings   []schema.Finding    `json:"findings" nullable:"false"`
	Why        string              `json:"why" doc:"Of one that is refused, impossible, withdrawn or waiting"`
	Way        string              `json:"way" doc:"Of an impossible one: how a person can do it"`
	CaseID     schema.CaseID       `json:"case_id" doc:"Empty = none was started"`
	PlanState  schema.PlanState    `json:"plan_state" doc:"Of its case; empty = none"`
	WaitsFor   schema.CaseID       `json:"waits_for" doc:"The case that works on the account now; empty = none"`
	ProvenAt   *time.Time          `json:"proven_at" doc:"When the vendor said that it is gone; null = not yet"`
	CheckedAt  *time.Time          `json:"checked_at" doc:"The last sync that was looked at since"`
	WatchUntil *time.Time          `json:"watch_until"`
	CreatedAt  time.Time           `json:"created_at"`
	UpdatedAt  time.Time           `json:"updated_at"`
}

type removedItemBody struct {
	ID     schema.ItemID   `json:"id"`
	Kind   schema.ItemKind `json:"kind" enum:"account,role,group,collaboration"`
	Ref    string          `json:"ref"`
	Access string          `json:"access"`
	Group  string          `json:"group"`
	Target string          `json:"target"`
}

func removalOf(r schema.Removal, names connectionNames) removalBody {
	return removalBody{
		ID: r.ID, Account: r.AccountID, Connection: names.of(r.Account.ConnectionID), AccountID: r.Account.ExternalID, Login: r.Account.Login,
		Items: listOf(r.Items, func(i schema.CampaignItem) removedItemBody {
			f := i.Facts
			return removedItemBody{i.ID, f.Kind, f.Ref, f.Access, f.Group, f.Target}
		}),
		State: r.State, Facts: r.Facts, Hash: r.Hash, Bytes: r.Bytes, Findings: nonNil(r.Findings), Why: r.Why, Way: r.Way, CaseID: r.CaseID, PlanState: r.PlanState,
		WaitsFor: r.WaitsFor, ProvenAt: instant(r.ProvenAt), CheckedAt: instant(r.CheckedAt), WatchUntil: instant(r.WatchUntil),
		CreatedAt: r.CreatedAt.UTC(), UpdatedAt: r.UpdatedAt.UTC(),
	}
}

// returnBody is access that came back after its removal.
type returnBody struct {
	ItemID   schema.ItemID     `json:"item"`
	Account  schema.AccountID  `json:"account" doc:"Our id"`
	Kind     schema.ItemKind   `json:"kind" enum:"account,role,group,collaboration"`
	Ref      string            `json:"ref"`
	Facts    itemFactsBody     `json:"facts" doc:"As it is now"`
	Cause    string            `json:"cause" doc:"directory, invitation, role or reactivated"`
	Detail   string            `json:"detail"`
	SeenAt   time.Time         `json:"seen_at"`
	FollowUp schema.CampaignID `json:"follow_up" doc:"The campaign that was made for it; empty = the item was opened again"`
}

func returnOf(r schema.Return) returnBody {
	return returnBody{r.ItemID, r.Facts.AccountID, r.Facts.Kind, r.Facts.Ref, itemFactsOf(r.Facts), r.Cause, r.Detail, r.SeenAt.UTC(), r.FollowUp}
}
