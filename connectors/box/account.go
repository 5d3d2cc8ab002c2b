package box

import "sendoff/schema"

// Box's words for an account that may be used and for a suspended one.
const (
	statusActive   = "active"
	statusInactive = "inactive"
)

// account maps a user. Role, status and space decide what may be destroyed, so
// a managed user without them breaks the contract; Box hides them of external
// users alone.
func (c *Connector) account(op string, u user) (schema.Account, error) {
	if u.ID == "" || u.Login == "" {
		return schema.Account{}, malformed(op, "a user lacks its id or its login")
	}
	kind := c.kind(u)
	if kind != schema.KindExternal && (u.Role == "" || u.Status == "" || u.SpaceUsed == nil || u.SpaceAmount == nil) {
		return schema.Account{}, malformed(op, "a managed user lacks its role, its status or its space")
	}
	role, err := mapRole(op, u.Role)
	if err != nil {
		return schema.Account{}, err
	}
	a := schema.Account{
		ConnectionID: c.conn.ID, ExternalID: u.ID.id(), Login: u.Login, Name: u.Name,
		Role: role, Status: mapStatus(u.Status), VendorStatus: u.Status, Kind: kind,
		EnterpriseID: string(u.Enterprise.id()), ObservedAt: c.now().UTC(),
		CreatedAt: u.CreatedAt.utc(), Tracking: u.Tracking,
	}
	if u.SpaceUsed != nil {
		if *u.SpaceUsed < 0 {
			return schema.Account{}, malformed(op, "a user's space in use is negative")
		}
		a.SpaceUsed = *u.SpaceUsed
	}
	if u.SpaceAmount != nil {
		a.SpaceAmount = int64(*u.SpaceAmount)
	}
	return a, nil
}

func (c *Connector) kind(u user) schema.AccountKind {
	switch {
	case u.service():
		return schema.KindService
	case u.AppUser:
		return schema.KindApp
	case string(u.Enterprise.id()) != c.conn.EnterpriseID:
		return schema.KindExternal
	default:
		return schema.KindPerson
	}
}

// mapRole refuses words it does not know: one could be an administrator's.
func mapRole(op, role string) (schema.AccountRole, error) {
	switch role {
	case "admin":
		return schema.RoleOwner, nil
	case "coadmin":
		return schema.RoleCoadmin, nil
	case "user", "":
		return schema.RoleMember, nil
	default:
		return "", malformed(op, "a user has a role that Box does not document")
	}
}

// mapStatus treats the status as the open set it is: inactive alone blocks
// sign-in, and what is unknown is restricted in some way.
func mapStatus(status string) schema.AccountStatus {
	switch status {
	case "active", "":
		return schema.AccountActive
	case statusInactive:
		return schema.AccountSuspended
	default: // cannot_delete_edit, cannot_delete_edit_upload
		return schema.AccountRestricted
	}
}
