package store

import (
	"context"

	"sendoff/schema"
)

const accountColumns = `id, connection_id, external_id, person_id, login, name, role, status, vendor_status, kind,
	enterprise_id, space_used, space_amount, created_at, observed_at, tracking`

// Account returns an account by our id.
func (s *Store) Account(ctx context.Context, id schema.AccountID) (schema.Account, error) {
	a, ok, err := maybe[schema.Account](ctx, s.pool, `select `+accountColumns+` from account where id = @id`, args{"id": id})
	if err == nil && !ok {
		err = notFound("account", string(id))
	}
	return a, translate("read account", err)
}

// SaveAccount inserts or updates an account by connection and external id and
// returns it as it then is. A later observation wins; a person once known stays,
// and one whose address the login is becomes known.
func (s *Store) SaveAccount(ctx context.Context, a schema.Account) (schema.Account, error) {
	const op = "save account"
	if a.ObservedAt.IsZero() {
		return a, &schema.Error{Code: schema.CodeInternal, Message: op + ": the observation carries no time"}
	}
	id, err := newID[schema.AccountID]()
	if err != nil {
		return a, err
	}
	// An older observation changes nothing but is not an error: the update's
	// condition is in its values, so that the row comes back either way.
	saved, err := one[schema.Account](ctx, s.pool, `with saved as (insert into account as a (`+accountColumns+`)
		values (@id, @connection_id, @external_id, @person_id, @login, @name, @role, @status, @vendor_status, @kind,
			@enterprise_id, @space_used, @space_amount, @created_at, @observed_at, @tracking)
		on conflict (connection_id, external_id) do update set
			(person_id, login, name, role, status, vendor_status, kind, enterprise_id, space_used, space_amount, created_at, observed_at, tracking)
			= (select case when later then coalesce(excluded.person_id, a.person_id) else a.person_id end,
				case when later then excluded.login else a.login end,
				case when later then excluded.name else a.name end,
				case when later then excluded.role else a.role end,
				case when later then excluded.status else a.status end,
				case when later then excluded.vendor_status else a.vendor_status end,
				case when later then excluded.kind else a.kind end,
				case when later then excluded.enterprise_id else a.enterprise_id end,
				case when later then excluded.space_used else a.space_used end,
				case when later then excluded.space_amount else a.space_amount end,
				case when later then coalesce(excluded.created_at, a.created_at) else a.created_at end,
				case when later then excluded.observed_at else a.observed_at end,
				case when later and excluded.tracking <> '{}' then excluded.tracking else a.tracking end
				from (select excluded.observed_at >= a.observed_at as later) as o)
		returning `+accountColumns+`),
		linked as (insert into person_account (account_id, person_id)
			select s.id, p.id from saved s join person p on p.email = lower(s.login) on conflict do nothing)
		select `+accountColumns+` from saved`,
		args{
			"id": id, "connection_id": a.ConnectionID, "external_id": a.ExternalID, "person_id": a.PersonID,
			"login": a.Login, "name": a.Name, "role": a.Role, "status": a.Status, "vendor_status": a.VendorStatus,
			"kind": a.Kind, "enterprise_id": a.EnterpriseID, "space_used": a.SpaceUsed, "space_amount": a.SpaceAmount,
			"created_at": a.CreatedAt, "observed_at": a.ObservedAt, "tracking": tracking(a),
		})
	return saved, translate(op, err)
}

// tracking is the account's attributes; none is an empty object, not a null.
func tracking(a schema.Account) map[string]string {
	if a.Tracking == nil {
		return map[string]string{}
	}
	return a.Tracking
}
