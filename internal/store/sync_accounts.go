package store

import (
	"context"

	"sendoff/schema"
)

// noteColumns are those of a change that a sync saw.
const noteColumns = `connection_id, run_id, kind, account_id, external_id, login, group_id, group_name, item_id, before, after, since, seen_at`

// publishAccounts updates the accounts that differ, adds new ones, and settles
// what became of those that were not listed.
func (p *publication) publishAccounts(ctx context.Context) error {
	if !p.some(schema.DataAccounts) {
		return nil
	}
	seen := func() args {
		return args{"news": p.news(schema.DataAccounts), "since": p.last[schema.DataAccounts].AsOf}
	}
	if err := p.count(ctx, updateAccountsSQL, seen()); err != nil {
		return err
	}
	a := seen()
	a["now"] = p.now
	if err := p.count(ctx, insertAccountsSQL, a); err != nil {
		return err
	}
	if err := p.change(ctx, readByIDSQL, args{}); err != nil {
		return err
	}
	if !p.whole(schema.DataAccounts) {
		return nil // what a part of a listing leaves out says nothing
	}
	a = seen()
	a["as_of"] = p.asOf()
	return p.count(ctx, absentAccountsSQL, a)
}

// updateAccountsSQL takes over what was observed no earlier than what is known. An
// account that was missing, or even deleted, and is listed again has returned.
const updateAccountsSQL = `with differs as materialized (
		select a.id, a.status as old_status, a.role as old_role, a.kind as old_kind, a.login as old_login, a.observed_at as old_at,
			s.external_id, s.login, s.name, s.role, s.status, s.vendor_status, s.kind, s.enterprise_id, s.space_used, s.space_amount,
			s.tracking, coalesce(s.created_at, a.created_at) as created_at, s.observed_at
		from staged_account s join account a on a.connection_id = @connection and a.external_id = s.external_id
		where s.run_id = @run and a.observed_at <= s.observed_at
			and (a.login, a.name, a.role, a.status, a.vendor_status, a.kind, a.enterprise_id, a.space_used, a.space_amount, a.tracking, a.created_at)
			is distinct from (s.login, s.name, s.role, s.status, s.vendor_status, s.kind, s.enterprise_id, s.space_used, s.space_amount, s.tracking,
				coalesce(s.created_at, a.created_at))
		order by a.id for no key update of a),
	moved as (
		update account a set login = d.login, name = d.name, role = d.role, status = d.status, vendor_status = d.vendor_status, kind = d.kind,
			enterprise_id = d.enterprise_id, space_used = d.space_used, space_amount = d.space_amount, tracking = d.tracking,
			created_at = d.created_at, observed_at = d.observed_at, missing_since = null
		from differs d where a.id = d.id),
	linked as (
		insert into person_account (account_id, person_id)
		select d.id, e.person_id from differs d join person_email e on e.email = lower(d.login) where lower(d.login) <> lower(d.old_login)
		on conflict do nothing),
	noted as (
		insert into inventory_change (` + noteColumns + `)
		select @connection, @run, c.kind, d.id, d.external_id, d.login, '', '', '', c.before, c.after, greatest(d.old_at, @since::timestamptz), d.observed_at
		from differs d cross join lateral (values
			(case when d.old_status in ('missing', 'deleted') then 'account_returned' else 'status' end, d.old_status, d.status, d.old_status <> d.status),
			('role', d.old_role, d.role, d.old_role <> d.role),
			('kind', d.old_kind, d.kind, d.old_kind <> d.kind),
			('login', d.old_login, d.login, lower(d.old_login) <> lower(d.login))) as c(kind, before, after, other)
		where @news and c.other
		order by d.id)
	select count(*) as accounts_updated from differs`

const insertAccountsSQL = `with fresh as (
		insert into account (id, connection_id, external_id, login, name, role, status, vendor_status, kind, enterprise_id, space_used, space_amount,
			tracking, created_at, observed_at, first_seen_at, last_active_at, last_event, last_source)
		select new_id(), @connection, s.external_id, s.login, s.name, s.role, s.status, s.vendor_status, s.kind, s.enterprise_id, s.space_used, s.space_amount,
			s.tracking, s.created_at, s.observed_at, @now, u.last_active_at, coalesce(u.last_event, ''), coalesce(u.source, '')
		from staged_account s
		left join (select distinct on (external_id) external_id, last_active_at, last_event, source from account_activity
			where connection_id = @connection order by external_id, last_active_at desc, source) as u on u.external_id = s.external_id
		where s.run_id = @run and not exists (select 1 from account a where a.connection_id = @connection and a.external_id = s.external_id)
		on conflict (connection_id, external_id) do nothing
		returning id, external_id, login, status, observed_at),
	linked as (
		insert into person_account (account_id, person_id) select f.id, e.person_id from fresh f join person_email e on e.email = lower(f.login) on conflict do nothing),
	noted as (
		insert into inventory_change (` + noteColumns + `)
		select @connection, @run, 'account_appeared', f.id, f.external_id, f.login, '', '', '', '', f.status, @since, f.observed_at from fresh f where @news)
	select count(*) as accounts_appeared from fresh`

// readByIDSQL notes which accounts were read although the listing left them out:
// others come first the next time.
const readByIDSQL = `update account a set checked_at = s.observed_at from staged_account s
	where s.run_id = @run and s.page = 0 and a.connection_id = @connection and a.external_id = s.external_id`

// absentAccountsSQL is promise 8: absence makes an account missing. Deleted it is
// only when a read by id did not find it and our journal, or the vendor's feed,
// tells of its end. Kinds that listings leave out, and what was observed since the
// listing began, are not absent.
const absentAccountsSQL = `with absent as materialized (
		select a.id, a.external_id, a.login, a.status as old_status, a.observed_at as old_at, x.read_at,
			case when x.read_at is not null and (
				a.id in (select l.account_id from vendor_write w join plan l on l.id = w.plan_id
					where w.op = 'delete' and w.outcome = 'accepted' and l.connection_id = @connection)
				or a.external_id in (select v.external_id from vendor_deletion v where v.connection_id = @connection))
			then 'deleted' else 'missing' end as status
		from account a left join staged_absence x on x.run_id = @run and x.external_id = a.external_id
		where a.connection_id = @connection and a.kind in ('person', 'app') and a.status <> 'deleted'
			and not exists (select 1 from staged_account s where s.run_id = @run and s.external_id = a.external_id)
			and (a.observed_at < @as_of or x.read_at > a.observed_at)
		order by a.id for no key update of a),
	moved as (
		update account a set status = g.status, missing_since = coalesce(a.missing_since, @as_of),
			checked_at = coalesce(g.read_at, a.checked_at), observed_at = greatest(a.observed_at, g.read_at, @as_of)
		from absent g where a.id = g.id and (g.old_status <> g.status or g.read_at is not null)),
	noted as (
		insert into inventory_change (` + noteColumns + `)
		select @connection, @run, 'account_' || g.status, g.id, g.external_id, g.login, '', '', '', g.old_status, g.status,
			greatest(g.old_at, @since::timestamptz), coalesce(g.read_at, @as_of)
		from absent g where @news and g.old_status <> g.status order by g.id)
	select count(*) filter (where old_status <> status and status = 'missing') as accounts_missing,
		count(*) filter (where old_status <> status and status = 'deleted') as accounts_deleted from absent`
