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
	return s.stageGroupPage(ctx, id, schema.DataMemberships, at, next, func(ctx context.Context, t *tx) (int64, error) {
		return t.stageMembers(ctx, id, at.GroupID, entries)
	})
}

// StageCollaborations is StageMembers for what a group's members may reach.
func (s *Store) StageCollaborations(ctx context.Context, id schema.RunID, at schema.GroupListing, entries []schema.GroupCollaboration, next string) error {
	return s.stageGroupPage(ctx, id, schema.DataCollaborations, at, next, func(ctx context.Context, t *tx) (int64, error) {
		return t.stageCollaborations(ctx, id, at.GroupID, entries)
	})
}

// lockGroup locks a staged group and its run, and returns how far its listing is.
func (t *tx) lockGroup(ctx context.Context, id schema.RunID, l groupListing, group schema.ExternalID) (state string, at schema.GroupListing, err error) {
	row, ok, err := maybe[struct {
		RunState schema.RunState
		State    string
		schema.GroupListing
	}](ctx, t, `select r.state as run_state, g.`+l.state+` as state, g.external_id as group_id, g.generation, g.`+l.next+` as marker
		from run r join staged_group g on g.run_id = r.id
		where r.id = @id and g.external_id = @group for share of r for no key update of g`, args{"id": id, "group": group})
	switch {
	case err != nil:
	case !ok:
		err = overtaken(id, schema.DataGroups)
	case !row.RunState.Open():
		err = runEnded(schema.Run{ID: id, State: row.RunState})
	}
	return row.State, row.GroupListing, err
}

func (s *Store) stageGroupPage(ctx context.Context, id schema.RunID, d schema.Dataset, at schema.GroupListing, next string, stage func(context.Context, *tx) (int64, error)) error {
	l, err := listingOf(d)
	if err != nil {
		return err
	}
	return s.inTx(ctx, "stage a page of "+string(d), func(ctx context.Context, t *tx) error {
		state, now, err := t.lockGroup(ctx, id, l, at.GroupID)
		if err != nil {
			return err
		}
		if state != "pending" || now != at {
			return overtaken(id, d)
		}
		fresh, err := stage(ctx, t)
		if err != nil {
			return err
		}
		if next == "" {
			state = "done"
		}
		err = t.changeOne(ctx, `update staged_group set `+l.state+` = @state, `+l.next+` = @next
			where run_id = @id and generation = @generation and external_id = @group`,
			args{"id": id, "generation": at.Generation, "group": at.GroupID, "state": state, "next": next})
		if err != nil {
			return err
		}
		// Last, for all groups of a run meet here.
		return t.changeOne(ctx, `update run_dataset set state = 'collecting', pages = pages + 1, rows = rows + @fresh, updated_at = @now
			where run_id = @id and dataset = @dataset`, args{"id": id, "dataset": d, "fresh": fresh, "now": t.now})
	})
}

func (t *tx) stageMembers(ctx context.Context, id schema.RunID, group schema.ExternalID, entries []schema.GroupMember) (int64, error) {
	entries = lastOfEach(entries, func(m schema.GroupMember) schema.ExternalID { return m.AccountID })
	n := len(entries)
	accounts, ids, roles, permissions := make([]string, n), make([]string, n), make([]string, n), make([]*string, n)
	for i, m := range entries {
		accounts[i], ids[i], roles[i] = string(m.AccountID), string(m.ExternalID), m.Role
		if m.Permissions != nil {
			b, err := json.Marshal(m.Permissions)
			if err != nil {
				return 0, err
			}
			text := string(b)
			permissions[i] = &text
		}
	}
	return scalar[int64](ctx, t, `with staged as (
			insert into staged_membership as s (run_id, group_id, account_id, external_id, role, permissions)
			select @id, @group, p.account_id, p.external_id, p.role, p.permissions::jsonb
			from unnest(@accounts::text[], @ids::text[], @roles::text[], @permissions::text[]) as p(account_id, external_id, role, permissions)
			on conflict (run_id, group_id, account_id) do update set
				(external_id, role, permissions) = (excluded.external_id, excluded.role, excluded.permissions)
			returning s.xmax = 0 as fresh)
		select count(*) filter (where fresh) from staged`,
		args{"id": id, "group": group, "accounts": accounts, "ids": ids, "roles": roles, "permissions": permissions})
}

func (t *tx) stageCollaborations(ctx context.Context, id schema.RunID, group schema.ExternalID, entries []schema.GroupCollaboration) (int64, error) {
	entries = lastOfEach(entries, func(c schema.GroupCollaboration) schema.ExternalID { return c.ExternalID })
	n := len(entries)
	texts := make([][]string, 6)
	for i := range texts {
		texts[i] = make([]string, n)
	}
	expires := make([]*time.Time, n)
	for i, c := range entries {
		for j, v := range []string{string(c.ExternalID), c.ItemType, string(c.ItemID), c.ItemName, c.Role, c.Status} {
			texts[j][i] = v
		}
		expires[i] = nullable(c.ExpiresAt)
	}
	return scalar[int64](ctx, t, `with staged as (
			insert into staged_collaboration as s (run_id, group_id, external_id, item_type, item_id, item_name, role, status, expires_at)
			select @id, @group, p.* from unnest(@ids::text[], @types::text[], @items::text[], @names::text[], @roles::text[], @statuses::text[], @expires::timestamptz[]) as p
			on conflict (run_id, group_id, external_id) do update set
				(item_type, item_id, item_name, role, status, expires_at)
				= (excluded.item_type, excluded.item_id, excluded.item_name, excluded.role, excluded.status, excluded.expires_at)
			returning s.xmax = 0 as fresh)
		select count(*) filter (where fresh) from staged`,
		args{
			"id": id, "group": group, "ids": texts[0], "types": texts[1], "items": texts[2], "names": texts[3],
			"roles": texts[4], "statuses": texts[5], "expires": expires,
		})
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
		state, at, err := t.lockGroup(ctx, id, l, group)
		if err != nil {
			return err
		}
		switch {
		case state == to:
			return nil
		case state != "pending":
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
