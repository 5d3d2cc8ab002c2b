package store

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"sendoff/schema"
)

// groupListing are the columns of staged_group that say how far a listing of each
// group's own is.
type groupListing struct{ state, next string }

// groupListings are the data sets that are listed group by group.
func groupListings() map[schema.Dataset]groupListing {
	return map[schema.Dataset]groupListing{
		schema.DataMemberships:    {"members_state", "members_next"},
		schema.DataCollaborations: {"reach_state", "reach_next"},
	}
}

func listingOf(d schema.Dataset) (groupListing, error) {
	l, ok := groupListings()[d]
	if !ok {
		return l, &schema.Error{Code: schema.CodeInternal, Message: "the data set " + string(d) + " is not listed by group"}
	}
	return l, nil
}

// UnlistedGroups returns up to limit staged groups whose members (or
// collaborations) are not wholly listed, after an id, in the order of ids.
func (s *Store) UnlistedGroups(ctx context.Context, id schema.RunID, d schema.Dataset, after schema.ExternalID, limit int) ([]schema.GroupListing, error) {
	l, err := listingOf(d)
	if err != nil {
		return nil, err
	}
	list, err := all[schema.GroupListing](ctx, s.pool, `select external_id as group_id, generation, `+l.next+` as marker from staged_group
		where run_id = @id and external_id > @after and `+l.state+` = 'pending' order by external_id limit @limit`,
		args{"id": id, "after": after, "limit": limit})
	return list, translate("look for groups to list", err)
}

// StageMembers stores a page of a group's members with the marker of the next
// one. CodeStale when the group's listing is not there.
func (s *Store) StageMembers(ctx context.Context, id schema.RunID, at schema.GroupListing, entries []schema.GroupMember, next string) error {
	a, err := memberArgs(entries)
	if err != nil {
		return err
	}
	return s.stageGroupPage(ctx, id, schema.DataMemberships, at, next, stageMembersSQL, a)
}

// StageCollaborations is StageMembers for what a group's members may reach.
func (s *Store) StageCollaborations(ctx context.Context, id schema.RunID, at schema.GroupListing, entries []schema.GroupCollaboration, next string) error {
	return s.stageGroupPage(ctx, id, schema.DataCollaborations, at, next, stageCollaborationsSQL, collaborationArgs(entries))
}

// groupPlace is how far the listing of a staged group is, with its run.
type groupPlace struct {
	RunState schema.RunState
	State    string
	schema.GroupListing
}

// lockGroupSQL locks a staged group and its run.
func lockGroupSQL(l groupListing) string {
	return `select r.state as run_state, g.` + l.state + ` as state, g.external_id as group_id, g.generation, g.` + l.next + ` as marker
		from run r join staged_group g on g.run_id = r.id
		where r.id = @id and g.external_id = @group for share of r for no key update of g`
}

// check refuses a try that was overtaken, or whose run has ended. A group that is
// not staged any more was dropped with its generation.
func (p groupPlace) check(id schema.RunID, d schema.Dataset, found bool) error {
	switch {
	case !found:
		return overtaken(id, d)
	case !p.RunState.Open():
		return runEnded(schema.Run{ID: id, State: p.RunState})
	}
	return nil
}

// stageGroupPage is one statement, for there are as many pages as groups. Insert
// is the part that stores the entries where here has a row.
func (s *Store) stageGroupPage(ctx context.Context, id schema.RunID, d schema.Dataset, at schema.GroupListing, next, insert string, a args) error {
	l, err := listingOf(d)
	if err != nil {
		return err
	}
	op := "stage a page of " + string(d)
	a["id"], a["dataset"], a["group"], a["generation"], a["marker"], a["next"] = id, d, at.GroupID, at.Generation, at.Marker, next
	place, found, err := maybe[groupPlace](ctx, s.pool, `with place as materialized (`+lockGroupSQL(l)+`),
		here as (select * from place where state = 'pending' and generation = @generation and marker = @marker and run_state in ('queued', 'running')),
		staged as (`+insert+` returning s.xmax = 0 as fresh),
		moved as (
			update staged_group g set `+l.next+` = @next, `+l.state+` = case when @next = '' then 'done' else 'pending' end
			from here where g.run_id = @id and g.generation = here.generation and g.external_id = here.group_id),
		counted as (
			update run_dataset set state = 'collecting', pages = pages + 1, rows = rows + (select count(*) from staged where fresh), updated_at = now()
			where run_id = @id and dataset = @dataset and exists (select 1 from here))
		select * from place`, a)
	if err != nil {
		return translate(op, err)
	}
	if err := place.check(id, d, found); err != nil {
		return err
	}
	if place.State != "pending" || place.GroupListing != at {
		return overtaken(id, d)
	}
	return nil
}

const stageMembersSQL = `insert into staged_membership as s (run_id, group_id, account_id, external_id, role, permissions)
	select @id, here.group_id, p.account_id, p.external_id, p.role, p.permissions::jsonb
	from here cross join unnest(@accounts::text[], @ids::text[], @roles::text[], @permissions::text[]) as p(account_id, external_id, role, permissions)
	on conflict (run_id, group_id, account_id) do update set
		(external_id, role, permissions) = (excluded.external_id, excluded.role, excluded.permissions)`

func memberArgs(entries []schema.GroupMember) (args, error) {
	entries = lastOfEach(entries, func(m schema.GroupMember) schema.ExternalID { return m.AccountID })
	n := len(entries)
	accounts, ids, roles, permissions := make([]string, n), make([]string, n), make([]string, n), make([]*string, n)
	for i, m := range entries {
		accounts[i], ids[i], roles[i] = string(m.AccountID), string(m.ExternalID), m.Role
		if m.Permissions == nil {
			continue
		}
		b, err := json.Marshal(m.Permissions)
		if err != nil {
			return nil, err
		}
		text := string(b)
		permissions[i] = &text
	}
	return args{"accounts": accounts, "ids": ids, "roles": roles, "permissions": permissions}, nil
}

const stageCollaborationsSQL = `insert into staged_collaboration as s (run_id, group_id, external_id, item_type, item_id, item_name, role, status, granted_by, granted_by_name, expires_at)
	select @id, here.group_id, p.*
	from here cross join unnest(@ids::text[], @types::text[], @items::text[], @names::text[], @roles::text[], @statuses::text[],
		@granters::text[], @granter_names::text[], @expires::timestamptz[]) as p
	on conflict (run_id, group_id, external_id) do update set
		(item_type, item_id, item_name, role, status, granted_by, granted_by_name, expires_at)
		= (excluded.item_type, excluded.item_id, excluded.item_name, excluded.role, excluded.status, excluded.granted_by, excluded.granted_by_name, excluded.expires_at)`

func collaborationArgs(entries []schema.GroupCollaboration) args {
	entries = lastOfEach(entries, func(c schema.GroupCollaboration) schema.ExternalID { return c.ExternalID })
	n := len(entries)
	texts := make([][]string, 8)
	for i := range texts {
		texts[i] = make([]string, n)
	}
	expires := make([]*time.Time, n)
	for i, c := range entries {
		for j, v := range []string{string(c.ExternalID), c.ItemType, string(c.ItemID), c.ItemName, c.Role, c.Status, c.GrantedBy, c.GrantedByName} {
			texts[j][i] = v
		}
		expires[i] = nullable(c.ExpiresAt)
	}
	return args{
		"ids": texts[0], "types": texts[1], "items": texts[2], "names": texts[3], "roles": texts[4], "statuses": texts[5],
		"granters": texts[6], "granter_names": texts[7], "expires": expires,
	}
}

// EndGroup records that a group cannot be listed: it is gone, or its listing was
// refused. Repeating it is no change.
func (s *Store) EndGroup(ctx context.Context, id schema.RunID, d schema.Dataset, group schema.ExternalID, gone bool) error {
	l, err := listingOf(d)
	if err != nil {
		return err
	}
	to := "refused"
	if gone {
		to = "gone"
	}
	return s.inTx(ctx, "pass over a group", func(ctx context.Context, t *tx) error {
		at, found, err := maybe[groupPlace](ctx, t, lockGroupSQL(l), args{"id": id, "group": group})
		if err != nil {
			return err
		}
		if err := at.check(id, d, found); err != nil {
			return err
		}
		switch at.State {
		case to:
			return nil
		case "pending":
		default:
			return overtaken(id, d)
		}
		return t.changeOne(ctx, `update staged_group set `+l.state+` = @to where run_id = @id and generation = @generation and external_id = @group`,
			args{"id": id, "generation": at.Generation, "group": group, "to": to})
	})
}

// FinishDataset records that the run is through with a data set: collected,
// partial or not_collected, with the reason. Of what is listed by group, no more
// is collected than of the groups themselves, and it is partial when some were
// refused. CodeConflict while groups are not listed. Repeating it is no change.
func (s *Store) FinishDataset(ctx context.Context, id schema.RunID, d schema.Dataset, to schema.DatasetState, reason string) error {
	switch to {
	case schema.DatasetCollected, schema.DatasetPartial, schema.DatasetNotCollected:
	default:
		return &schema.Error{Code: schema.CodeInternal, Message: "a data set does not end " + strconv.Quote(string(to))}
	}
	return s.inTx(ctx, "end a data set", func(ctx context.Context, t *tx) error {
		now, err := t.lockDataset(ctx, id, d)
		if err != nil {
			return err
		}
		to, reason := to, reason
		if l, byGroup := groupListings()[d]; byGroup && to == schema.DatasetCollected {
			if to, reason, err = t.groupsListed(ctx, id, l); err != nil {
				return err
			}
		}
		if now.State == to && now.Reason == reason {
			return nil
		}
		return t.changeOne(ctx, `update run_dataset set state = @to, reason = @reason, marker = '', updated_at = @now
			where run_id = @id and dataset = @dataset`, args{"id": id, "dataset": d, "to": to, "reason": reason, "now": t.now})
	})
}

// groupsListed is what a data set comes to of which every staged group was, or
// could not be, listed.
func (t *tx) groupsListed(ctx context.Context, id schema.RunID, l groupListing) (schema.DatasetState, string, error) {
	row, err := one[struct {
		State            schema.DatasetState
		Reason           string
		Pending, Refused int64
	}](ctx, t, `select d.state, d.reason, g.pending, g.refused from run_dataset d cross join (
			select count(*) filter (where `+l.state+` = 'pending') as pending, count(*) filter (where `+l.state+` = 'refused') as refused
			from staged_group where run_id = @id) as g
		where d.run_id = @id and d.dataset = @groups`, args{"id": id, "groups": schema.DataGroups})
	switch {
	case err != nil:
		return "", "", err
	case row.State == schema.DatasetNotCollected:
		return row.State, row.Reason, nil
	case row.Pending > 0:
		return "", "", conflict(strconv.FormatInt(row.Pending, 10)+" groups of run "+string(id)+" are not listed yet", "")
	case row.Refused > 0:
		return schema.DatasetPartial, schema.ReasonGroupsRefused, nil
	case row.State == schema.DatasetPartial:
		return row.State, row.Reason, nil
	}
	return schema.DatasetCollected, "", nil
}
