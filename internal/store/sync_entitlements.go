package store

import (
	"context"

	"sendoff/schema"
)

// publishGroups adds and renames groups, and takes away those that are gone with
// all that they gave.
func (p *publication) publishGroups(ctx context.Context) error {
	if !p.some(schema.DataGroups) {
		return nil
	}
	at, since := p.data[schema.DataGroups].UpdatedAt, p.last[schema.DataGroups].AsOf
	err := p.count(ctx, listedGroupsSQL, args{"news": p.news(schema.DataGroups), "since": since, "at": at, "now": p.now})
	if err != nil {
		return err
	}
	return p.count(ctx, goneGroupsSQL, args{
		"whole": p.whole(schema.DataGroups), "news": p.news(schema.DataGroups), "since": since, "at": at,
		"member_news": p.news(schema.DataMemberships), "member_since": p.last[schema.DataMemberships].AsOf,
		"reach_news": p.news(schema.DataCollaborations), "reach_since": p.last[schema.DataCollaborations].AsOf,
	})
}

// listedGroups are the staged groups that are still there.
const listedGroups = `(select * from staged_group where run_id = @run and members_state <> 'gone' and reach_state <> 'gone')`

const listedGroupsSQL = `with fresh as (
		insert into vendor_group (connection_id, external_id, name, everybody, provenance, created_at, first_seen_at)
		select @connection, s.external_id, s.name, s.everybody, s.provenance, s.created_at, @now from ` + listedGroups + ` s
		where not exists (select 1 from vendor_group g where g.connection_id = @connection and g.external_id = s.external_id)
		returning external_id, name),
	moved as (
		update vendor_group g set name = s.name, everybody = s.everybody, provenance = s.provenance, created_at = s.created_at from ` + listedGroups + ` s
		where g.connection_id = @connection and g.external_id = s.external_id
			and (g.name, g.everybody, g.provenance, g.created_at) is distinct from (s.name, s.everybody, s.provenance, s.created_at)),
	noted as (
		insert into inventory_change (` + noteColumns + `)
		select @connection, @run, 'group_appeared', null, '', '', f.external_id, f.name, '', '', '', @since, @at from fresh f where @news)
	select count(*) as groups_appeared from fresh`

const goneGroupsSQL = `with gone as (
		delete from vendor_group g where g.connection_id = @connection and (
			exists (select 1 from staged_group s where s.run_id = @run and s.external_id = g.external_id and (s.members_state = 'gone' or s.reach_state = 'gone'))
			or @whole and not exists (select 1 from staged_group s where s.run_id = @run and s.external_id = g.external_id))
		returning g.*),
	lost as (
		delete from group_membership m using gone g where m.connection_id = @connection and m.group_id = g.external_id
		returning m.account_id, m.role, g.external_id as group_id, g.name, g.members_as_of),
	unreached as (
		delete from group_collaboration c using gone g where c.connection_id = @connection and c.group_id = g.external_id
		returning c.item_id, c.role, g.external_id as group_id, g.name, g.reach_as_of),
	noted as (
		insert into inventory_change (` + noteColumns + `)
		select @connection, @run, 'group_gone', null::uuid, '', '', g.external_id, g.name, '', '', '', @since::timestamptz, @at::timestamptz from gone g where @news
		union all
		select @connection, @run, 'membership_lost', a.id, l.account_id, coalesce(a.login, ''), l.group_id, l.name, '', l.role, '',
			coalesce(l.members_as_of, @member_since::timestamptz), @at
		from lost l left join account a on a.connection_id = @connection and a.external_id = l.account_id where @member_news
		union all
		select @connection, @run, 'access_lost', null, '', '', u.group_id, u.name, u.item_id, u.role, '',
			coalesce(u.reach_as_of, @reach_since::timestamptz), @at
		from unreached u where @reach_news)
	select (select count(*) from gone) as groups_gone`

// publishMemberships makes the memberships of each group that was wholly listed
// what was listed. Of a group that was listed in part, or not at all, what was
// listed is added, and nothing is taken away.
func (p *publication) publishMemberships(ctx context.Context) error {
	if !p.some(schema.DataMemberships) {
		return nil
	}
	since := p.last[schema.DataMemberships].AsOf
	err := p.count(ctx, membershipsSQL, args{
		"news": p.news(schema.DataMemberships), "since": since, "at": p.data[schema.DataMemberships].UpdatedAt, "now": p.now,
	})
	if err != nil {
		return err
	}
	return p.change(ctx, memberCountsSQL, args{"since": since})
}

// membershipsSQL compares per group. What a group shows the first time it is
// listed is no change, unless the group itself is new.
const membershipsSQL = `with listed as materialized (
		select g.external_id as group_id, g.name, s.members_state = 'done' as whole,
			@news and (g.members_listed or s.members_state = 'done' and g.first_seen_at = @now) as news,
			coalesce(g.members_as_of, @since::timestamptz) as since
		from ` + listedGroups + ` s join vendor_group g on g.connection_id = @connection and g.external_id = s.external_id
		where s.members_state in ('done', 'refused')),
	differs as materialized (
		select coalesce(s.group_id, k.group_id) as group_id, coalesce(s.account_id, k.account_id) as account_id,
			s.external_id, s.role, s.permissions, k.role as old_role, k.account_id is null as gained, s.account_id is null as lost
		from (select m.* from staged_membership m join listed l on l.group_id = m.group_id where m.run_id = @run) as s
		full join (select m.* from group_membership m join listed l on l.group_id = m.group_id where m.connection_id = @connection) as k
			on k.group_id = s.group_id and k.account_id = s.account_id
		join listed l on l.group_id = coalesce(s.group_id, k.group_id)
		where (l.whole or s.group_id is not null) and (s.external_id, s.role, s.permissions) is distinct from (k.external_id, k.role, k.permissions)),
	added as (
		insert into group_membership (connection_id, group_id, account_id, external_id, role, permissions, first_seen_at)
		select @connection, d.group_id, d.account_id, d.external_id, d.role, d.permissions, @now from differs d where d.gained),
	moved as (
		update group_membership m set external_id = d.external_id, role = d.role, permissions = d.permissions from differs d
		where not d.gained and not d.lost and m.connection_id = @connection and m.group_id = d.group_id and m.account_id = d.account_id),
	taken as (
		delete from group_membership m using differs d
		where d.lost and m.connection_id = @connection and m.group_id = d.group_id and m.account_id = d.account_id),
	noted as (
		insert into inventory_change (` + noteColumns + `)
		select @connection, @run, case when d.gained then 'membership_gained' when d.lost then 'membership_lost' else 'membership_role' end,
			a.id, d.account_id, coalesce(a.login, ''), d.group_id, l.name, '', coalesce(d.old_role, ''), coalesce(d.role, ''), l.since, @at
		from differs d join listed l on l.group_id = d.group_id
		left join account a on a.connection_id = @connection and a.external_id = d.account_id
		where l.news and (d.gained or d.lost or d.role <> d.old_role)
		order by d.group_id, d.account_id)
	select count(*) filter (where gained) as memberships_gained, count(*) filter (where lost) as memberships_lost,
		count(*) filter (where not gained and not lost) as memberships_updated from differs`

const memberCountsSQL = `update vendor_group g set members = n.members, members_listed = n.listed, members_as_of = n.as_of
	from (select g.external_id, s.members_state = 'done' or g.members_listed as listed,
			case when s.members_state <> 'done' and g.members_listed then coalesce(g.members_as_of, @since::timestamptz) end as as_of,
			coalesce(m.members, 0) as members
		from vendor_group g join staged_group s on s.run_id = @run and s.external_id = g.external_id
		left join (select group_id, count(*) as members from group_membership where connection_id = @connection group by group_id) as m on m.group_id = g.external_id
		where g.connection_id = @connection) as n
	where g.connection_id = @connection and g.external_id = n.external_id
		and (g.members, g.members_listed, g.members_as_of) is distinct from (n.members, n.listed, n.as_of)`

// publishCollaborations is publishMemberships for what groups may reach.
func (p *publication) publishCollaborations(ctx context.Context) error {
	if !p.some(schema.DataCollaborations) {
		return nil
	}
	since := p.last[schema.DataCollaborations].AsOf
	err := p.count(ctx, collaborationsSQL, args{
		"news": p.news(schema.DataCollaborations), "since": since, "at": p.data[schema.DataCollaborations].UpdatedAt, "now": p.now,
	})
	if err != nil {
		return err
	}
	return p.change(ctx, reachSQL, args{"since": since})
}

const collaborationsSQL = `with listed as materialized (
		select g.external_id as group_id, g.name, s.reach_state = 'done' as whole,
			@news and (g.reach_listed or s.reach_state = 'done' and g.first_seen_at = @now) as news,
			coalesce(g.reach_as_of, @since::timestamptz) as since
		from ` + listedGroups + ` s join vendor_group g on g.connection_id = @connection and g.external_id = s.external_id
		where s.reach_state in ('done', 'refused')),
	differs as materialized (
		select coalesce(s.group_id, k.group_id) as group_id, coalesce(s.external_id, k.external_id) as external_id,
			s.item_type, coalesce(s.item_id, k.item_id) as item_id, s.item_name, s.role, s.status, s.expires_at, s.granted_by, s.granted_by_name,
			k.role as old_role, k.external_id is null as gained, s.external_id is null as lost
		from (select c.* from staged_collaboration c join listed l on l.group_id = c.group_id where c.run_id = @run) as s
		full join (select c.* from group_collaboration c join listed l on l.group_id = c.group_id where c.connection_id = @connection) as k
			on k.group_id = s.group_id and k.external_id = s.external_id
		join listed l on l.group_id = coalesce(s.group_id, k.group_id)
		where (l.whole or s.group_id is not null) and (s.item_type, s.item_id, s.item_name, s.role, s.status, s.expires_at, s.granted_by, s.granted_by_name)
			is distinct from (k.item_type, k.item_id, k.item_name, k.role, k.status, k.expires_at, k.granted_by, k.granted_by_name)),
	added as (
		insert into group_collaboration (connection_id, group_id, external_id, item_type, item_id, item_name, role, status, expires_at, granted_by, granted_by_name, first_seen_at)
		select @connection, d.group_id, d.external_id, d.item_type, d.item_id, d.item_name, d.role, d.status, d.expires_at, d.granted_by, d.granted_by_name, @now
		from differs d where d.gained),
	moved as (
		update group_collaboration c set item_type = d.item_type, item_id = d.item_id, item_name = d.item_name, role = d.role, status = d.status, expires_at = d.expires_at,
			granted_by = d.granted_by, granted_by_name = d.granted_by_name
		from differs d where not d.gained and not d.lost and c.connection_id = @connection and c.group_id = d.group_id and c.external_id = d.external_id),
	taken as (
		delete from group_collaboration c using differs d
		where d.lost and c.connection_id = @connection and c.group_id = d.group_id and c.external_id = d.external_id),
	noted as (
		insert into inventory_change (` + noteColumns + `)
		select @connection, @run, case when d.gained then 'access_gained' when d.lost then 'access_lost' else 'access_role' end,
			null, '', '', d.group_id, l.name, d.item_id, coalesce(d.old_role, ''), coalesce(d.role, ''), l.since, @at
		from differs d join listed l on l.group_id = d.group_id
		where l.news and (d.gained or d.lost or d.role <> d.old_role)
		order by d.group_id, d.external_id)
	select count(*) filter (where gained) as access_gained, count(*) filter (where lost) as access_lost,
		count(*) filter (where not gained and not lost) as access_updated from differs`

const reachSQL = `update vendor_group g set reach_listed = n.listed, reach_as_of = n.as_of
	from (select g.external_id, s.reach_state = 'done' or g.reach_listed as listed,
			case when s.reach_state <> 'done' and g.reach_listed then coalesce(g.reach_as_of, @since::timestamptz) end as as_of
		from vendor_group g join staged_group s on s.run_id = @run and s.external_id = g.external_id
		where g.connection_id = @connection) as n
	where g.connection_id = @connection and g.external_id = n.external_id
		and (g.reach_listed, g.reach_as_of) is distinct from (n.listed, n.as_of)`
