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
// returns it as it then is. A later observation wins, and where it alters status,
// role, kind or login of a known account, that is kept as a change; a person once
// known stays, and one whose address the login is becomes known.
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
	// condition is in its values, so that the row comes back either way. The insert
	// reads old so that the row is looked at, and locked, before it changes.
	saved, err := one[schema.Account](ctx, s.pool, `with old as materialized (
			select id, status, role, kind, login, observed_at from account
			where connection_id = @connection_id and external_id = @external_id for no key update),
		saved as (insert into account as a (`+accountColumns+`)
		select v.* from (select @id::uuid, @connection_id::uuid, @external_id, @person_id::uuid, @login, @name, @role, @status, @vendor_status, @kind,
			@enterprise_id, @space_used::bigint, @space_amount::bigint, @created_at::timestamptz, @observed_at::timestamptz, @tracking::jsonb) as v
			left join old on true
		on conflict (connection_id, external_id) do update set
			missing_since = case when excluded.observed_at >= a.observed_at and excluded.status <> 'missing' then null else a.missing_since end,
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
		noted as (insert into inventory_change (connection_id, kind, account_id, external_id, login, before, after, since, seen_at)
			select @connection_id, c.kind, s.id, s.external_id, s.login, c.before, c.after, greatest(old.observed_at, (select d.as_of from dataset d
				where d.connection_id = @connection_id and d.dataset = 'accounts' and d.as_of <= s.observed_at)), s.observed_at
			from old join saved s on s.id = old.id cross join lateral (values
				(case when s.status in ('missing', 'deleted') then 'account_' || s.status
					when old.status in ('missing', 'deleted') then 'account_returned' else 'status' end, old.status, s.status, old.status <> s.status),
				('role', old.role, s.role, old.role <> s.role),
				('kind', old.kind, s.kind, old.kind <> s.kind),
				('login', old.login, s.login, lower(old.login) <> lower(s.login))) as c(kind, before, after, other)
			where c.other),
		linked as (insert into person_account (account_id, person_id)
			select s.id, p.person_id from saved s join person_email p on p.email = lower(s.login) on conflict do nothing)
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
