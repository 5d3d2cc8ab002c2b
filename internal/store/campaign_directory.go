package store

import (
	"context"
	"slices"
	"time"

	"sendoff/schema"
)

// Directory returns everybody who could be a reviewer of the campaign.
func (s *Store) Directory(ctx context.Context, id schema.CampaignID, r schema.AccessReviewRule) (schema.Directory, error) {
	d := schema.Directory{People: map[schema.PersonID]schema.Colleague{}, Load: map[schema.PersonID]int{}}
	err := s.readTx(ctx, "read who could review", func(ctx context.Context, q querier) error {
		if _, err := loadCampaign(ctx, q, id); err != nil {
			return err
		}
		var err error
		if d.Owner, err = personAt(ctx, q, r.Owner); err != nil {
			return err
		}
		if d.AppOwners, err = appOwners(ctx, q, id); err != nil {
			return err
		}
		if d.GroupOwners, err = groupOwners(ctx, q, id, r.Owners); err != nil {
			return err
		}
		if d.Candidates, err = candidates(ctx, q, r.Stages); err != nil {
			return err
		}
		if err := readLoad(ctx, q, id, d.Load); err != nil {
			return err
		}
		return readColleagues(ctx, q, id, &d)
	})
	return d, err
}

// personAt is the person of an address, "" when nobody has it.
func personAt(ctx context.Context, q querier, email string) (schema.PersonID, error) {
	id, _, err := maybeScalar[schema.PersonID](ctx, q, `select person_id from person_email where email = lower(@email)`, args{"email": email})
	return id, err
}

func appOwners(ctx context.Context, q querier, id schema.CampaignID) (map[schema.ConnectionID]schema.PersonID, error) {
	rows, err := all[struct {
		ID       schema.ConnectionID
		PersonID schema.PersonID
	}](ctx, q, `select c.id, e.person_id from connection c join person_email e on e.email = lower(c.owner)
		where c.owner <> '' and c.id in (select connection_id from campaign_item where campaign_id = @id)`, args{"id": id})
	out := make(map[schema.ConnectionID]schema.PersonID, len(rows))
	for _, r := range rows {
		out[r.ID] = r.PersonID
	}
	return out, err
}

// ownedGroup is an owner of a group.
type ownedGroup struct {
	ConnectionID schema.ConnectionID
	GroupID      schema.ExternalID
	PersonID     schema.PersonID
}

// groupOwners are those that the file names; a group that it names none of is owned
// by its administrators at the vendor.
func groupOwners(ctx context.Context, q querier, id schema.CampaignID, owners []schema.EntitlementOwner) (map[schema.GroupKey][]schema.PersonID, error) {
	connections, groups, emails := []string{}, []string{}, []string{}
	for _, o := range owners {
		for _, to := range o.To {
			connections, groups, emails = append(connections, o.Connection), append(groups, o.Group), append(emails, to)
		}
	}
	named, err := all[ownedGroup](ctx, q, `select distinct g.connection_id, g.external_id as group_id, e.person_id
		from unnest(@connections::text[], @groups::text[], @emails::text[]) as o(connection, name, email)
		join connection c on c.name = o.connection and c.state <> 'removed'
		join vendor_group g on g.connection_id = c.id and (g.external_id = o.name or lower(g.name) = lower(o.name))
		join person_email e on e.email = lower(o.email) order by 1, 2, 3`, args{"connections": connections, "groups": groups, "emails": emails})
	if err != nil {
		return nil, err
	}
	out := map[schema.GroupKey][]schema.PersonID{}
	for _, o := range named {
		key := schema.GroupKey{ConnectionID: o.ConnectionID, GroupID: o.GroupID}
		out[key] = append(out[key], o.PersonID)
	}
	administered, err := all[ownedGroup](ctx, q, `select distinct m.connection_id, m.group_id, coalesce(p.merged_into, p.id) as person_id
		from (select distinct connection_id, split_part(ref, '/', 1) as group_id from campaign_item where campaign_id = @id and kind in ('group', 'collaboration')) i
		join group_membership m on m.connection_id = i.connection_id and m.group_id = i.group_id and m.role = 'admin'
		join account a on a.connection_id = m.connection_id and a.external_id = m.account_id and a.status = 'active'
		join person p on p.id = a.person_id order by 1, 2, 3`, args{"id": id})
	for _, o := range administered {
		key := schema.GroupKey{ConnectionID: o.ConnectionID, GroupID: o.GroupID}
		if !slices.ContainsFunc(named, func(n ownedGroup) bool { return n.ConnectionID == o.ConnectionID && n.GroupID == o.GroupID }) {
			out[key] = append(out[key], o.PersonID)
		}
	}
	return out, err
}

// candidates are the people of each place in a chain that names people or a group.
func candidates(ctx context.Context, q querier, stages []schema.ReviewStage) (map[schema.CandidateKey][]schema.PersonID, error) {
	out := map[schema.CandidateKey][]schema.PersonID{}
	for stage, s := range stages {
		for place, c := range s.Who {
			var sql string
			var a args
			switch c.Whom {
			case schema.ReviewerNamed:
				to := make([]string, len(c.To))
				copy(to, c.To)
				sql, a = `select distinct person_id from person_email where email in (select lower(x) from unnest(@to::text[]) x) order by 1`, args{"to": to}
			case schema.ReviewerGroup:
				sql, a = `select distinct coalesce(p.merged_into, p.id) from connection c
					join vendor_group g on g.connection_id = c.id and (g.external_id = @group or lower(g.name) = lower(@group))
					join group_membership m on m.connection_id = g.connection_id and m.group_id = g.external_id
					join account a on a.connection_id = m.connection_id and a.external_id = m.account_id and a.status = 'active'
					join person p on p.id = a.person_id
					where c.name = @connection and c.state <> 'removed' order by 1`, args{"connection": c.Connection, "group": c.Group}
			default:
				continue
			}
			list, err := scalars[schema.PersonID](ctx, q, sql, a)
			if err != nil {
				return nil, err
			}
			out[schema.CandidateKey{Stage: stage, Place: place}] = list
		}
	}
	return out, nil
}

// readLoad counts the items that each has, or had and decided.
func readLoad(ctx context.Context, q querier, id schema.CampaignID, into map[schema.PersonID]int) error {
	rows, err := all[struct {
		ID schema.PersonID
		N  int
	}](ctx, q, `select coalesce(p.merged_into, p.id) as id, count(distinct s.item_id)::int as n from campaign_assignment s join person p on p.id = s.reviewer_id
		where s.campaign_id = @id and s.end_why in ('', 'decided') group by 1`, args{"id": id})
	for _, r := range rows {
		into[r.ID] = r.N
	}
	return err
}

// readColleagues reads the people: those who are named so far, the managers of
// holders up to two levels and the holders themselves, whoever an item was given to,
// and who decides for any of them.
func readColleagues(ctx context.Context, q querier, id schema.CampaignID, d *schema.Directory) error {
	known := []schema.PersonID{}
	add := func(list ...schema.PersonID) {
		for _, p := range list {
			if p != "" {
				known = append(known, p)
			}
		}
	}
	add(d.Owner)
	for _, p := range d.AppOwners {
		add(p)
	}
	for _, list := range d.GroupOwners {
		add(list...)
	}
	for _, list := range d.Candidates {
		add(list...)
	}
	rows, err := all[colleagueRow](ctx, q, colleaguesSQL, args{"id": id, "known": known, "now": time.Now().UTC(), "today": schema.DateOf(time.Now().UTC())})
	if err != nil {
		return err
	}
	ids := make([]schema.PersonID, len(rows))
	for n, r := range rows {
		ids[n] = r.ID
		d.People[r.ID] = schema.Colleague{ID: r.ID, Name: r.Name, Emails: r.Emails, ManagerID: r.ManagerID, Left: r.Gone, Zone: r.Zone}
	}
	absent, err := all[schema.Absence](ctx, q, `select `+absenceColumns+` from reviewer_absence b where b.person_id = any(@ids) and b.ended_at is null
		and (b.until_at is null or b.until_at > @now) order by b.from_at, b.id`, args{"ids": ids, "now": time.Now().UTC()})
	for _, a := range absent {
		p := d.People[a.PersonID]
		p.Absences = append(p.Absences, a)
		d.People[a.PersonID] = p
	}
	return err
}

type colleagueRow struct {
	ID        schema.PersonID
	Name      string
	Emails    []string
	ManagerID schema.PersonID
	Gone      bool
	Zone      string
}

// reviewerZone is the zone of an employment e: its own, its site's or its source's.
const reviewerZone = `coalesce(nullif(e.time_zone, ''), (select z.time_zone from site z where z.name = e.site),
	(select h.time_zone from hr_source h where h.name = e.source and h.state <> 'removed'), '')`

const colleaguesSQL = `with recursive holder as (
		select distinct coalesce(p.merged_into, p.id) as id from campaign_item i join account a on a.id = i.account_id join person p on p.id = a.person_id
		where i.campaign_id = @id),
	manager as (select distinct p.manager_id as id from holder h join person p on p.id = h.id where p.manager_id is not null),
	above as (select distinct p.manager_id as id from manager h join person p on p.id = h.id where p.manager_id is not null),
	named as (
		select unnest(@known::uuid[]) as id union select id from holder union select id from manager union select id from above
		union select reviewer_id from campaign_item where campaign_id = @id and reviewer_id is not null
		union select assign_to from campaign_item where campaign_id = @id and assign_to is not null),
	everybody as (
		select id from named
		union
		select x.id from everybody y cross join lateral (
			select b.delegate_id as id from reviewer_absence b where b.person_id = y.id and b.delegate_id is not null and b.ended_at is null
				and (b.until_at is null or b.until_at > @now)
			union all select p.merged_into from person p where p.id = y.id and p.merged_into is not null) x)
	select w.id, w.name, array(select m.email from person_email m where m.person_id = w.id order by m.email) as emails, w.manager_id,
		` + reviewerLeft + ` as gone, ` + reviewerZone + ` as zone
	from everybody y join person w on w.id = y.id` + presentEmployment
