package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"sendoff/schema"
)

const scimColumns = `r.id, r.source_id, r.type, r.external_id, r.name, r.email, r.active, r.body, r.version, r.created_at, r.modified_at`

// scimRow is a resource as it is stored, without its members.
type scimRow struct {
	ID                    string
	SourceID              schema.SourceID
	Type                  schema.SCIMType
	ExternalID, Name      string
	Email                 string
	Active                bool
	Body                  []byte
	Version               int64
	CreatedAt, ModifiedAt time.Time
}

func (r scimRow) resource() schema.SCIMResource {
	return schema.SCIMResource{
		SourceID: r.SourceID, Type: r.Type, ID: r.ID, ExternalID: r.ExternalID, Name: r.Name, Email: r.Email, Active: r.Active, Body: r.Body,
		Version: r.Version, CreatedAt: r.CreatedAt, ModifiedAt: r.ModifiedAt,
	}
}

// ownID tells whether a text is an id as we write them. Ids are compared exactly
// (RFC 7643 section 3.1), where Postgres reads other spellings too.
func ownID(id string) bool {
	parsed, err := uuid.Parse(id)
	return err == nil && parsed.String() == id
}

func noResource() error {
	return &schema.Error{Code: schema.CodeNotFound, Message: "there is no such resource"}
}

// ReadSCIM returns a resource; CodeNotFound, also for one of another source.
func (s *Store) ReadSCIM(ctx context.Context, source schema.SourceID, t schema.SCIMType, id string) (schema.SCIMResource, error) {
	var found schema.SCIMResource
	err := s.readTx(ctx, "read a resource", func(ctx context.Context, q querier) (err error) {
		found, err = readSCIM(ctx, q, source, t, id, "")
		return err
	})
	return found, err
}

// readSCIM reads a resource with its members and the lock given.
func readSCIM(ctx context.Context, q querier, source schema.SourceID, t schema.SCIMType, id, lock string) (schema.SCIMResource, error) {
	if !ownID(id) {
		return schema.SCIMResource{}, noResource()
	}
	row, ok, err := maybe[scimRow](ctx, q, `select `+scimColumns+` from scim_resource r
		where r.id = @id::uuid and r.source_id = @source and r.type = @type `+lock, args{"id": id, "source": source, "type": t})
	if err == nil && !ok {
		err = noResource()
	}
	if err != nil {
		return schema.SCIMResource{}, err
	}
	page := []schema.SCIMResource{row.resource()}
	err = readMembers(ctx, q, page)
	return page[0], err
}

// readMembers fills in the members of the groups among resources.
func readMembers(ctx context.Context, q querier, resources []schema.SCIMResource) error {
	place := map[string]int{}
	var groups []string
	for i, r := range resources {
		if r.Type == schema.SCIMGroup {
			place[r.ID] = i
			groups = append(groups, r.ID)
		}
	}
	if len(groups) == 0 {
		return nil
	}
	members, err := all[struct{ GroupID, UserID, Display string }](ctx, q, `select group_id, user_id, display from scim_member
		where group_id = any(@groups::uuid[]) order by group_id, user_id`, args{"groups": groups})
	for _, m := range members {
		r := &resources[place[m.GroupID]]
		r.Members = append(r.Members, schema.SCIMMember{Value: m.UserID, Display: m.Display})
	}
	return err
}

// FindSCIM returns the page of the resources that the query selects, in the order
// they were made, and how many there are in all.
func (s *Store) FindSCIM(
	ctx context.Context, source schema.SourceID, t schema.SCIMType, q schema.SCIMQuery,
) (page []schema.SCIMResource, total int, err error) {
	const op = "find resources"
	if q.Limit < 0 || q.Limit > maxPage || q.Offset < 0 {
		return nil, 0, checkLimit(q.Limit, maxPage)
	}
	where, a, none := scimWhere(source, t, q)
	if none {
		return nil, 0, nil
	}
	err = s.readTx(ctx, op, func(ctx context.Context, tx querier) error {
		page = nil
		if total, err = scalar[int](ctx, tx, `select count(*) from scim_resource r`+where, a); err != nil || total <= q.Offset || q.Limit == 0 {
			return err
		}
		a["offset"], a["limit"] = q.Offset, q.Limit
		rows, err := all[scimRow](ctx, tx, `select `+scimColumns+` from scim_resource r`+where+` order by r.created_at, r.id offset @offset limit @limit`, a)
		if err != nil {
			return err
		}
		for _, r := range rows {
			page = append(page, r.resource())
		}
		if q.WithoutMembers {
			return nil
		}
		return readMembers(ctx, tx, page)
	})
	return page, total, err
}

// scimWhere is the condition of a query; none when nothing can meet it.
func scimWhere(source schema.SourceID, t schema.SCIMType, q schema.SCIMQuery) (where string, a args, none bool) {
	where, a = ` where r.source_id = @source and r.type = @type`, args{"source": source, "type": t}
	for _, text := range []string{q.Name, q.ExternalID, q.Email} {
		none = none || !storable(text)
	}
	for _, id := range []string{q.ID, q.Member} {
		none = none || id != "" && !ownID(id)
	}
	equal := func(name, value, condition string) {
		if value != "" {
			where += ` and ` + condition
			a[name] = value
		}
	}
	equal("name", nameKey(q.Name), `r.name_key = @name`)
	equal("external", q.ExternalID, `r.external_id = @external and r.external_id <> ''`)
	equal("email", q.Email, `r.email = @email and r.email <> ''`)
	equal("id", q.ID, `r.id = @id::uuid`)
	equal("member", q.Member, `exists (select 1 from scim_member m where m.user_id = @member::uuid and m.group_id = r.id)`)
	return where, a, none
}
