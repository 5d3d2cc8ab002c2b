package webtest

import (
	"context"
	"time"

	"sendoff/schema"
)

// InventoryFuncs is a web.InventoryStore of functions.
type InventoryFuncs struct {
	ListAccountsFunc  func(schema.AccountFilter) ([]schema.AccountRow, string, error)
	ListGroupsFunc    func(c schema.ConnectionID, prefix, after string, limit int) ([]schema.GroupRow, string, error)
	GroupFunc         func(schema.ConnectionID, schema.ExternalID) (schema.GroupRow, error)
	GroupMembersFunc  func(c schema.ConnectionID, group schema.ExternalID, after string, limit int) ([]schema.MembershipRow, string, error)
	AccountGroupsFunc func(id schema.AccountID, after string, limit int) ([]schema.MembershipRow, string, error)
	AccountDetailFunc func(ref string, threshold time.Duration) (schema.AccountDetail, error)
}

// ListAccounts calls its function, as does each method below.
func (f *InventoryFuncs) ListAccounts(_ context.Context, filter schema.AccountFilter) ([]schema.AccountRow, string, error) {
	return f.ListAccountsFunc(filter)
}

// ListGroups calls its function.
func (f *InventoryFuncs) ListGroups(_ context.Context, c schema.ConnectionID, prefix, after string, limit int) ([]schema.GroupRow, string, error) {
	return f.ListGroupsFunc(c, prefix, after, limit)
}

// Group calls its function.
func (f *InventoryFuncs) Group(_ context.Context, c schema.ConnectionID, id schema.ExternalID) (schema.GroupRow, error) {
	return f.GroupFunc(c, id)
}

// GroupMembers calls its function.
func (f *InventoryFuncs) GroupMembers(_ context.Context, c schema.ConnectionID, group schema.ExternalID, after string, limit int) ([]schema.MembershipRow, string, error) {
	return f.GroupMembersFunc(c, group, after, limit)
}

// AccountGroups calls its function.
func (f *InventoryFuncs) AccountGroups(_ context.Context, id schema.AccountID, after string, limit int) ([]schema.MembershipRow, string, error) {
	return f.AccountGroupsFunc(id, after, limit)
}

// AccountDetail calls its function.
func (f *InventoryFuncs) AccountDetail(_ context.Context, ref string, threshold time.Duration, _ time.Time) (schema.AccountDetail, error) {
	return f.AccountDetailFunc(ref, threshold)
}
