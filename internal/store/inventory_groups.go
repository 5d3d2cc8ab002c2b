package store

import (
	"context"

	"sendoff/schema"
)

const groupRowColumns = `g.connection_id, g.external_id, g.name, g.everybody, g.provenance, g.created_at, g.first_seen_at, g.members,
	c.name as connection`

// listedGroup is a row with the key that lists are in the order of.
type listedGroup struct {
	schema.GroupRow
	Key string
}

// ListGroups lists groups by name without regard to case: of one connection, or of
// all that are not removed; with a prefix those whose name begins with it.
func (s *Store) ListGroups(ctx context.Context, connection schema.ConnectionID, prefix, after string, limit int) ([]schema.GroupRow, string, error) {
	const op = "list groups"
	if err := checkLimit(limit, maxPage); err != nil {
		return nil, "", err
	}
	from, err := parseKeyCursor(after, false, true, false)
	if err != nil {
		return nil, "", err
	}
	connections, err := chosenConnections(ctx, s.pool, connection)
	if err != nil {
		return nil, "", translate(op, err)
	}
	const key = `(lower(g.name) collate "C")`
	rows, err := all[listedGroup](ctx, s.pool, `select k.* from unnest(@connections::uuid[]) as f(connection_id) cross join lateral (
			select `+groupRowColumns+`, `+key+` as key from vendor_group g join connection c on c.id = g.connection_id
			where g.connection_id = f.connection_id
			and `+key+` >= greatest(@from collate "C", lower(@prefix)) and `+key+` < lower(@prefix) || chr(1114111)
			and (`+key+`, g.connection_id, g.external_id) > (@from, @from_connection::uuid, @from_id)
			order by `+key+`, g.external_id limit @limit) k
		order by k.key, k.connection_id, k.external_id limit @limit`,
		args{
			"connections": connections, "from": from[0], "from_connection": from[1], "from_id": from[2],
			"prefix": prefix, "limit": limit + 1,
		})
	if err != nil {
		return nil, "", translate(op, err)
	}
	rows, next := cut(rows, limit, func(r listedGroup) keyCursor {
		return keyCursor{r.Key, string(r.ConnectionID), string(r.ExternalID)}
	})
	out := make([]schema.GroupRow, len(rows))
	for i, r := range rows {
		out[i] = r.GroupRow
	}
	return out, next, nil
}

// Group returns a group as it was last listed.
func (s *Store) Group(ctx context.Context, connection schema.ConnectionID, id schema.ExternalID) (schema.GroupRow, error) {
	g, ok, err := maybe[schema.GroupRow](ctx, s.pool, `select `+groupRowColumns+` from vendor_group g join connection c on c.id = g.connection_id
		where g.connection_id = @connection and g.external_id = @id`, args{"connection": connection, "id": id})
	if err == nil && !ok {
		err = &schema.Error{
			Code: schema.CodeNotFound, Message: "the connection has no group " + string(id) + " as of its last sync",
			Fix: "sendoff groups list shows all groups",
		}
	}
	return g, translate("read group", err)
}

const membershipColumns = `m.external_id, m.group_id, m.account_id, m.role, m.permissions, m.first_seen_at,
	coalesce(g.name, '') as group_name, a.id as our_id, coalesce(a.login, '') as login, coalesce(a.status, '') as status,
	coalesce(a.kind, '') as kind, a.last_active_at`

const membershipJoins = ` left join vendor_group g on (g.connection_id, g.external_id) = (m.connection_id, m.group_id)
	left join account a on (a.connection_id, a.external_id) = (m.connection_id, m.account_id) `

// GroupMembers lists the members of a group in the order of the vendor's ids.
func (s *Store) GroupMembers(ctx context.Context, connection schema.ConnectionID, group schema.ExternalID, after string, limit int) ([]schema.MembershipRow, string, error) {
	return s.memberships(ctx, `m.connection_id = @connection and m.group_id = @id and m.account_id > @after order by m.account_id`,
		connection, group, after, limit, func(m schema.MembershipRow) schema.ExternalID { return m.AccountID })
}

// AccountGroups lists the groups of an account in the order of the vendor's ids.
// Groups of which everybody is a member are not among them.
func (s *Store) AccountGroups(ctx context.Context, id schema.AccountID, after string, limit int) ([]schema.MembershipRow, string, error) {
	a, err := s.Account(ctx, id)
	if err != nil {
		return nil, "", err
	}
	return s.memberships(ctx, `m.connection_id = @connection and m.account_id = @id and m.group_id > @after order by m.group_id`,
		a.ConnectionID, a.ExternalID, after, limit, func(m schema.MembershipRow) schema.ExternalID { return m.GroupID })
}

func (s *Store) memberships(ctx context.Context, where string, connection schema.ConnectionID, id schema.ExternalID, after string, limit int,
	place func(schema.MembershipRow) schema.ExternalID,
) ([]schema.MembershipRow, string, error) {
	if err := checkLimit(limit, maxPage); err != nil {
		return nil, "", err
	}
	from, err := parseKeyCursor(after, false)
	if err != nil {
		return nil, "", err
	}
	rows, err := all[schema.MembershipRow](ctx, s.pool, `select `+membershipColumns+` from group_membership m`+membershipJoins+`where `+where+` limit @limit`,
		args{"connection": connection, "id": id, "after": from[0], "limit": limit + 1})
	if err != nil {
		return nil, "", translate("list memberships", err)
	}
	rows, next := cut(rows, limit, func(m schema.MembershipRow) keyCursor { return keyCursor{string(place(m))} })
	return rows, next, nil
}
