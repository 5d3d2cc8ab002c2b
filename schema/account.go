package schema

import "time"

// AccountStatus is what an account can do at the vendor.
type AccountStatus string

// The statuses of an account. Missing means absent from a listing; only a read
// by id that says "not found", with a journalled delete of ours, makes Deleted.
const (
	AccountActive     AccountStatus = "active"
	AccountSuspended  AccountStatus = "suspended"
	AccountRestricted AccountStatus = "restricted"
	AccountMissing    AccountStatus = "missing"
	AccountDeleted    AccountStatus = "deleted"
)

// AccountKind is who stands behind an account.
type AccountKind string

// The kinds of account.
const (
	KindPerson   AccountKind = "person"
	KindService  AccountKind = "service"
	KindApp      AccountKind = "app"
	KindExternal AccountKind = "external"
)

// AccountRole is the account's administrative standing at the vendor.
type AccountRole string

// The roles of an account.
const (
	RoleMember  AccountRole = "member"
	RoleCoadmin AccountRole = "coadmin"
	RoleOwner   AccountRole = "admin" // the vendor's primary administrator
)

// Privileged tells whether the role administers others.
func (r AccountRole) Privileged() bool { return r == RoleCoadmin || r == RoleOwner }

// Account is one account as last observed at its vendor.
type Account struct {
	ID           AccountID
	ConnectionID ConnectionID
	ExternalID   ExternalID
	PersonID     PersonID // empty when nobody is known to hold it
	Login        string
	Name         string
	Role         AccountRole
	Status       AccountStatus
	VendorStatus string // the vendor's own word, to restore it exactly
	Kind         AccountKind
	EnterpriseID string // as the vendor reports it
	SpaceUsed    int64  // bytes
	SpaceAmount  int64  // bytes; negative = unlimited
	CreatedAt    time.Time
	ObservedAt   time.Time
	// Tracking are the attributes that the vendor keeps for its customer, by name.
	Tracking map[string]string
}
