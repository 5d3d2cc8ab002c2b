package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"sendoff/internal/audit"
	"sendoff/internal/scim"
	"sendoff/schema"
)

// WriteSCIM makes, changes or deletes a resource in one transaction, with the
// event that it tells and the audit record. Change and Tell may be called more
// than once. CodeNotFound; CodeStale when its version is not IfVersion; CodeConflict
// when source and type have the name, or the source is not enabled; CodeInvalid
// for members that are no users of the source.
func (s *Store) WriteSCIM(ctx context.Context, w scim.Write) (schema.SCIMResource, error) {
	var after schema.SCIMResource
	var told *addedEvent
	err := s.inTx(ctx, "write a resource", func(ctx context.Context, t *tx) (err error) {
		after, told, err = t.writeSCIM(ctx, w)
		return err
	})
	if err == nil && told != nil {
		s.acceptedEvent(ctx, *told)
	}
	return after, err
}

// writeSCIM returns what the resource is, and the event that was written; nil =
// none.
func (t *tx) writeSCIM(ctx context.Context, w scim.Write) (after schema.SCIMResource, told *addedEvent, err error) {
	src, err := t.openSource(ctx, w.SourceID)
	if err != nil {
		return after, nil, err
	}
	var before schema.SCIMResource
	if w.ID != "" {
		if before, err = t.lockSCIM(ctx, w); err != nil {
			return after, nil, err
		}
	}
	after, action, err := t.changeSCIM(ctx, w, before)
	if err != nil || action == "" {
		return after, nil, err
	}
	sum := sha256.Sum256(w.Raw)
	t.record(audit.SourceStream(string(src.ID)), principal(sourcePrincipal(src.ID, src.Name)), "scim."+action, audit.Subject{}, map[string]string{
		"source_id": string(src.ID), "type": string(w.Type), "id": after.ID, "version": strconv.FormatInt(after.Version, 10), "sha256": hex.EncodeToString(sum[:]),
	})
	if w.Tell == nil {
		return after, nil, nil
	}
	change, tells := w.Tell(before, after)
	if !tells {
		return after, nil, nil
	}
	told, err = t.tellSCIM(ctx, after, change, w.Raw)
	return after, told, err
}

// tellSCIM writes the event that a write tells. Its id names resource and version,
// which no two writes share.
func (t *tx) tellSCIM(ctx context.Context, after schema.SCIMResource, change schema.HRChange, raw []byte) (*addedEvent, error) {
	row, err := newEvent(schema.HREvent{
		SourceID: after.SourceID, EventID: fmt.Sprintf("%s/%d", after.ID, after.Version), Via: schema.ViaSCIM, Body: raw, Change: change,
	})
	if err != nil {
		return nil, err
	}
	added, ok, err := addEvent(ctx, t, row)
	if err == nil && !ok {
		err = conflict("the source was disabled meanwhile", "enable it")
	}
	return &added, err
}

// lockSCIM reads the resource that is written. A user that goes takes its groups
// along: they are locked before it, as a write of a group locks it before its
// members.
func (t *tx) lockSCIM(ctx context.Context, w scim.Write) (schema.SCIMResource, error) {
	lock := `for no key update`
	if w.Delete {
		lock = `for update`
		if w.Type == schema.SCIMUser && ownID(w.ID) {
			err := t.run(ctx, `select 1 from scim_resource where source_id = @source
				and id in (select group_id from scim_member where user_id = @id::uuid) order by id for no key update`,
				args{"source": w.SourceID, "id": w.ID})
			if err != nil {
				return schema.SCIMResource{}, err
			}
		}
	}
	before, err := readSCIM(ctx, t, w.SourceID, w.Type, w.ID, lock)
	if err == nil && w.IfVersion != 0 && before.Version != w.IfVersion {
		err = &schema.Error{
			Code: schema.CodeStale, Message: "the resource is at version " + strconv.FormatInt(before.Version, 10), Fix: "read it again and repeat the change",
		}
	}
	return before, err
}

// changeSCIM does what is asked and says what was done: created, changed, deleted,
// or "" for nothing.
func (t *tx) changeSCIM(ctx context.Context, w scim.Write, before schema.SCIMResource) (schema.SCIMResource, string, error) {
	if w.Delete {
		after, err := t.deleteSCIM(ctx, before)
		return after, "deleted", err
	}
	after, err := w.Change(before)
	if err != nil {
		return after, "", err
	}
	if err := checkResource(after); err != nil {
		return after, "", err
	}
	if w.ID == "" {
		after, err = t.insertSCIM(ctx, w, after)
		return after, "created", err
	}
	after, changed, err := t.updateSCIM(ctx, before, after)
	if !changed {
		return after, "", err
	}
	return after, "changed", err
}

func (t *tx) deleteSCIM(ctx context.Context, before schema.SCIMResource) (schema.SCIMResource, error) {
	if before.Type == schema.SCIMUser { // their members differ from now on
		err := t.run(ctx, `update scim_resource set version = version + 1, modified_at = @now
			where id in (select group_id from scim_member where user_id = @id::uuid)`, args{"id": before.ID, "now": t.now})
		if err != nil {
			return before, err
		}
	}
	after := before
	after.Active, after.Version, after.ModifiedAt = false, before.Version+1, t.now
	return after, t.changeOne(ctx, `delete from scim_resource where id = @id::uuid`, args{"id": before.ID})
}

func (t *tx) insertSCIM(ctx context.Context, w scim.Write, r schema.SCIMResource) (schema.SCIMResource, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return r, err
	}
	row, err := one[scimRow](ctx, t, `insert into scim_resource as r (id, source_id, type, external_id, name, name_key, email, active, body, version,
			created_at, modified_at)
		values (@id::uuid, @source, @type, @external, @name, @name_key, @email, @active, @body::text::jsonb, 1, @now, @now) returning `+scimColumns,
		args{
			"id": id.String(), "source": w.SourceID, "type": w.Type, "external": r.ExternalID, "name": r.Name, "name_key": nameKey(r.Name), "email": r.Email, "active": r.Active,
			"body": string(r.Body), "now": t.now,
		})
	if err != nil {
		return r, scimTaken(err)
	}
	stored := row.resource()
	stored.Members, _, err = t.setMembers(ctx, stored, r.Members)
	return stored, err
}

// updateSCIM writes what differs; what does not is left at its version.
func (t *tx) updateSCIM(ctx context.Context, before, after schema.SCIMResource) (schema.SCIMResource, bool, error) {
	members, others, err := t.setMembers(ctx, before, after.Members)
	if err != nil {
		return before, false, err
	}
	row, changed, err := maybe[scimRow](ctx, t, `update scim_resource r set external_id = @external, name = @name, name_key = @name_key, email = @email, active = @active,
			body = @body::text::jsonb, version = version + 1, modified_at = @now
		where id = @id::uuid and (@others or (external_id, name, email, active, body) is distinct from
			(@external::text, @name::text, @email::text, @active::boolean, @body::text::jsonb))
		returning `+scimColumns,
		args{
			"id": before.ID, "external": after.ExternalID, "name": after.Name, "name_key": nameKey(after.Name), "email": after.Email, "active": after.Active, "body": string(after.Body),
			"now": t.now, "others": others,
		})
	if err != nil {
		return before, false, scimTaken(err)
	}
	if !changed {
		return before, false, nil
	}
	stored := row.resource()
	stored.Members = members
	return stored, true, nil
}

// nameKey is what names are compared by, without regard to case.
func nameKey(name string) string { return strings.ToLower(name) }

func scimTaken(err error) error {
	return nameTaken(err, "scim_resource_name", "a resource of that name exists")
}

// checkResource refuses what could not be stored or found again.
func checkResource(r schema.SCIMResource) error {
	problems := checkKey("name", r.Name)
	if r.ExternalID != "" {
		problems = append(problems, checkKey("externalId", r.ExternalID)...)
	}
	if r.Email != "" {
		problems = append(problems, checkKey("email", r.Email)...)
	}
	return invalidIf("the resource cannot be kept", problems)
}
