package store

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/google/uuid"

	"sendoff/schema"
)

const accountRowColumns = `a.id, a.connection_id, a.external_id, a.person_id, a.login, a.name, a.role, a.status, a.vendor_status, a.kind,
	a.enterprise_id, a.space_used, a.space_amount, a.created_at, a.observed_at, a.tracking, c.name as connection,
	coalesce(p.email, '') as person_email, a.person_by, a.first_seen_at, a.missing_since, a.checked_at,
	a.last_active_at, a.last_event, a.last_source`

const accountRowJoins = ` join connection c on c.id = a.connection_id left join person p on p.id = a.person_id`

// listedAccount is a row with the key that lists are in the order of.
type listedAccount struct {
	schema.AccountRow
	LoginKey string
}

// ListAccounts lists the accounts that the filter selects, by login without regard
// to case. Accounts of removed connections are listed only when the connection is
// named.
func (s *Store) ListAccounts(ctx context.Context, f schema.AccountFilter) ([]schema.AccountRow, string, error) {
	const op = "list accounts"
	if err := checkLimit(f.Limit, maxPage); err != nil {
		return nil, "", err
	}
	from, err := parseKeyCursor(f.After, false, true)
	if err != nil {
		return nil, "", err
	}
	connections, err := chosenConnections(ctx, s.pool, f.ConnectionID)
	if err != nil {
		return nil, "", translate(op, err)
	}
	sql, a := accountList(f, from, connections)
	rows, err := all[listedAccount](ctx, s.pool, sql, a)
	if err != nil {
		return nil, "", translate(op, err)
	}
	rows, next := cut(rows, f.Limit, func(r listedAccount) keyCursor { return keyCursor{r.LoginKey, string(r.ID)} })
	out := make([]schema.AccountRow, len(rows))
	for i, r := range rows {
		out[i] = r.AccountRow
	}
	return out, next, nil
}

// accountList is the query for a page and the entry behind it.
func accountList(f schema.AccountFilter, from keyCursor, connections []schema.ConnectionID) (string, args) {
	sql, a := accountPage(f, from, connections, "")
	return `select ` + accountRowColumns + `, a.login_key
		from (` + sql + `) k join account a on a.id = k.id` + accountRowJoins + ` order by k.login_key, k.id`, a
}

// accountPage is the query for the keys of a page. What the filter leaves open is
// enumerated, so that each combination is one range of an index in the order of
// the list; the ranges, each cut to the page's length, are merged. Also is one more
// condition, on a.
func accountPage(f schema.AccountFilter, from keyCursor, connections []schema.ConnectionID, also string) (string, args) {
	a := args{"from": from[0], "from_id": from[1], "limit": f.Limit + 1}
	where := ` where a.connection_id = f.connection_id`
	ranges := `unnest(@connections::uuid[]) as f(connection_id)`
	if f.Role == "" && !f.Privileged && f.Person == "" && len(f.Statuses) == 0 && len(f.Kinds) == 0 {
		a["connections"] = connections
	} else {
		ranges = `unnest(@connections::uuid[], @statuses::text[], @kinds::text[], @privileged::boolean[], @unmatched::boolean[])
			as f(connection_id, status, kind, privileged, unmatched)`
		where += ` and a.status = f.status and a.kind = f.kind and a.privileged = f.privileged and a.unmatched = f.unmatched`
		accountRanges(f, connections).into(a)
	}
	where += also
	if f.Role.Privileged() { // few accounts are, whatever their role
		where += ` and a.role = @role`
		a["role"] = f.Role
	}
	if f.LoginPrefix != "" {
		// Of two lower bounds of one range Postgres may take the weaker one.
		if f.After == "" {
			a["from"] = f.LoginPrefix
		} else {
			where += ` and starts_with(a.login_key, lower(@prefix))`
			a["prefix"] = f.LoginPrefix
		}
		where += ` and a.login_key < lower(@to) || chr(1114111)` // the last of all characters
		a["to"] = f.LoginPrefix
	}
	return `select k.login_key, k.id from ` + ranges + ` cross join lateral (
			select a.login_key, a.id from account a` + where + ` and (a.login_key, a.id) > (lower(@from), @from_id::uuid)
			order by a.login_key, a.id limit @limit) k
		order by k.login_key, k.id limit @limit`, a
}

// ranges are the combinations of what the index account_list_filter begins with,
// one column each.
type ranges struct {
	connections []schema.ConnectionID
	statuses    []schema.AccountStatus
	kinds       []schema.AccountKind
	privileged  []bool
	unmatched   []bool
}

func (r ranges) into(a args) {
	a["connections"], a["statuses"], a["kinds"] = r.connections, r.statuses, r.kinds
	a["privileged"], a["unmatched"] = r.privileged, r.unmatched
}

func accountRanges(f schema.AccountFilter, connections []schema.ConnectionID) ranges {
	both := []bool{false, true}
	privileged, unmatched := both, both
	switch {
	case f.Privileged || f.Role.Privileged():
		privileged = []bool{true}
	case f.Role != "":
		privileged = []bool{false}
	}
	if f.Person != "" {
		unmatched = []bool{f.Person == schema.WithoutPerson}
	}
	var r ranges
	for _, c := range connections {
		for _, st := range orAll(f.Statuses, accountStatuses()) {
			for _, k := range orAll(f.Kinds, accountKinds()) {
				for _, p := range privileged {
					for _, u := range unmatched {
						r.connections, r.statuses, r.kinds = append(r.connections, c), append(r.statuses, st), append(r.kinds, k)
						r.privileged, r.unmatched = append(r.privileged, p), append(r.unmatched, u)
					}
				}
			}
		}
	}
	return r
}

// orAll is the values chosen, each once, or all there are.
func orAll[T comparable](chosen, every []T) []T {
	if len(chosen) == 0 {
		return every
	}
	seen, out := map[T]bool{}, []T{}
	for _, v := range chosen {
		if !seen[v] {
			seen[v], out = true, append(out, v)
		}
	}
	return out
}

// accountStatuses and accountKinds are the values that the table's checks allow.
func accountStatuses() []schema.AccountStatus {
	return []schema.AccountStatus{
		schema.AccountActive, schema.AccountSuspended, schema.AccountRestricted, schema.AccountMissing, schema.AccountDeleted,
	}
}

func accountKinds() []schema.AccountKind {
	return []schema.AccountKind{schema.KindPerson, schema.KindService, schema.KindApp, schema.KindExternal}
}

// chosenConnections is the connection chosen, or all that are not removed.
func chosenConnections(ctx context.Context, q querier, chosen schema.ConnectionID) ([]schema.ConnectionID, error) {
	if chosen != "" {
		return []schema.ConnectionID{chosen}, nil
	}
	return scalars[schema.ConnectionID](ctx, q, `select id from connection where state <> 'removed' order by name, id`, nil)
}

// keyCursor is the place in a list after its last entry shown, by the texts that
// the list is in the order of. An empty one is the beginning.
type keyCursor []string

func (c keyCursor) String() string {
	text, _ := json.Marshal([]string(c)) // texts always encode
	return base64.RawURLEncoding.EncodeToString(text)
}

// parseKeyCursor reads a cursor of as many texts. ids tells which are ids of ours;
// at the beginning these are one that comes before every id, and the others empty.
func parseKeyCursor(s string, ids ...bool) (keyCursor, error) {
	c := make(keyCursor, len(ids))
	if s == "" {
		for i, id := range ids {
			if id {
				c[i] = uuid.Nil.String()
			}
		}
		return c, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(s)
	var parts []string
	if err != nil || json.Unmarshal(text, &parts) != nil || len(parts) != len(ids) {
		return nil, errCursor()
	}
	for i, part := range parts {
		if ids[i] && uuid.Validate(part) != nil || strings.ContainsRune(part, 0) {
			return nil, errCursor()
		}
	}
	return parts, nil
}

func errCursor() error {
	return &schema.Error{
		Code: schema.CodeInvalid, Message: "the list cannot be continued there: the cursor is none of ours",
		Fix: "pass the cursor of the page before, unchanged",
	}
}

// cut ends a list that was read one entry too far and returns the cursor of its
// continuation, "" at the end.
func cut[T any](entries []T, limit int, at func(T) keyCursor) ([]T, string) {
	if len(entries) <= limit {
		return entries, ""
	}
	entries = entries[:limit]
	return entries, at(entries[limit-1]).String()
}
