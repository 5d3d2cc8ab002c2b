package web

import (
	"context"
	"time"

	"sendoff/schema"
)

// InventoryStore reads the lists of what vendors have.
type InventoryStore interface {
	// ListAccounts lists accounts by login; ListGroups groups by name, of one
	// connection or (empty) of all; GroupMembers and AccountGroups memberships by id.
	ListAccounts(ctx context.Context, f schema.AccountFilter) (rows []schema.AccountRow, next string, err error)
	ListGroups(ctx context.Context, c schema.ConnectionID, prefix, after string, limit int) (rows []schema.GroupRow, next string, err error)
	Group(ctx context.Context, c schema.ConnectionID, id schema.ExternalID) (schema.GroupRow, error)
	GroupMembers(ctx context.Context, c schema.ConnectionID, group schema.ExternalID, after string, limit int) (rows []schema.MembershipRow, next string, err error)
	AccountGroups(ctx context.Context, id schema.AccountID, after string, limit int) (rows []schema.MembershipRow, next string, err error)
	// AccountDetail finds an account by our id, CONNECTION/ID, or login. The grade is
	// for the threshold, as of now.
	AccountDetail(ctx context.Context, ref string, threshold time.Duration, now time.Time) (schema.AccountDetail, error)
}
