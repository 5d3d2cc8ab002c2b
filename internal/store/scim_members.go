package store

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"sendoff/schema"
)

// setMembers gives a group the members that it is to have, each once, and tells
// whether anything differs. The resource has those from before.
func (t *tx) setMembers(ctx context.Context, r schema.SCIMResource, to []schema.SCIMMember) ([]schema.SCIMMember, bool, error) {
	if r.Type != schema.SCIMGroup {
		return nil, false, nil
	}
	had := make(map[string]string, len(r.Members))
	for _, m := range r.Members {
		had[m.Value] = m.Display
	}
	has := make(map[string]string, len(to))
	for _, m := range to {
		has[m.Value] = m.Display // of a member named twice the last counts
	}
	var gone, ids, displays, fresh []string
	for id := range had {
		if _, stays := has[id]; !stays {
			gone = append(gone, id)
		}
	}
	members := make([]schema.SCIMMember, 0, len(has))
	for id, display := range has {
		members = append(members, schema.SCIMMember{Value: id, Display: display})
		before, was := had[id]
		if !was {
			fresh = append(fresh, id)
		}
		if !was || before != display {
			ids, displays = append(ids, id), append(displays, display)
		}
	}
	slices.SortFunc(members, func(a, b schema.SCIMMember) int { return strings.Compare(a.Value, b.Value) })
	if len(gone)+len(ids) == 0 {
		return members, false, nil
	}
	if err := t.requireUsers(ctx, r.SourceID, fresh); err != nil {
		return nil, false, err
	}
	return members, true, t.writeMembers(ctx, r.ID, gone, ids, displays)
}

// requireUsers refuses ids that are not of users of the source, and keeps the
// others until the transaction ends.
func (t *tx) requireUsers(ctx context.Context, source schema.SourceID, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	known := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !ownID(id) })
	found, err := scalars[string](ctx, t, `select id from scim_resource
		where source_id = @source and type = 'User' and id = any(@ids::uuid[]) order by id for key share`, args{"source": source, "ids": known})
	if err != nil {
		return err
	}
	if missing := len(ids) - len(found); missing > 0 {
		return &schema.Error{
			Code: schema.CodeInvalid, Message: strconv.Itoa(missing) + " members are no users of this source", Fix: "make the users first; groups have users as members",
		}
	}
	return nil
}

func (t *tx) writeMembers(ctx context.Context, group string, gone, ids, displays []string) error {
	if len(gone) > 0 {
		err := t.run(ctx, `delete from scim_member where group_id = @group::uuid and user_id = any(@gone::uuid[])`, args{"group": group, "gone": gone})
		if err != nil {
			return err
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return t.run(ctx, `insert into scim_member (group_id, user_id, display)
		select @group::uuid, user_id, display from unnest(@ids::uuid[], @displays::text[]) as m(user_id, display) order by user_id
		on conflict (group_id, user_id) do update set display = excluded.display`, args{"group": group, "ids": ids, "displays": displays})
}
