package web

import (
	"time"

	"sendoff/schema"
)

// changeBody is one thing that is other than it was.
type changeBody struct {
	ID         int64             `json:"id"`
	Connection string            `json:"connection"`
	Kind       schema.ChangeKind `json:"kind"`
	AccountID  schema.ExternalID `json:"account_id" doc:"The vendor's id; empty = what changed is a group's"`
	Login      string            `json:"login" doc:"As it was then"`
	GroupID    schema.ExternalID `json:"group_id"`
	GroupName  string            `json:"group_name"`
	ItemID     schema.ExternalID `json:"item_id" doc:"Of what the group reaches"`
	Before     string            `json:"before"`
	After      string            `json:"after"`
	Since      *time.Time        `json:"since" doc:"When it was last seen to be as before; null = never"`
	SeenAt     time.Time         `json:"seen_at"`
	RunID      schema.RunID      `json:"run_id" doc:"The sync that saw it; empty = a read of one account"`
}

func changeOf(c schema.ChangeRow) changeBody {
	return changeBody{
		ID: c.ID, Connection: c.Connection, Kind: c.Kind, AccountID: c.ExternalID, Login: c.Login, GroupID: c.GroupID, GroupName: c.GroupName,
		ItemID: c.ItemID, Before: c.Before, After: c.After, Since: instant(c.Since), SeenAt: c.SeenAt.UTC(), RunID: c.RunID,
	}
}
