package boxsim

import (
	"encoding/json"
	"net/http"
	"strings"
)

func (g *group) mini() map[string]any {
	return map[string]any{"type": "group", "id": g.id, "name": g.name, "group_type": g.kind()}
}

func (g *group) kind() string {
	if g.allUsers {
		return "all_users_group"
	}
	return "managed_group"
}

func (g *group) view(asked []string) map[string]any {
	full := g.mini()
	for name, v := range map[string]any{
		"created_at": stamp(g.createdAt), "modified_at": stamp(g.modifiedAt), "provenance": g.provenance,
		"external_sync_identifier": g.externalSync, "description": g.description,
		"invitability_level": "all_managed_users", "member_viewability_level": "all_managed_users",
		"permissions": map[string]any{"can_invite_as_collaborator": true},
	} {
		full[name] = v
	}
	return pick(full, userBase(), []string{"name", "group_type", "created_at", "modified_at"}, asked)
}

func (q *request) listGroups() reply {
	p, err := q.paging(false)
	if err != nil {
		return failed(err)
	}
	found, term := q.w.groupRoll, q.param("filter_term")
	if term != "" {
		found = nil
		for _, g := range q.w.groupRoll {
			if hasPrefixFold(g.name, term) {
				found = append(found, g)
			}
		}
	}
	asked := q.fields()
	return written(listing(p, found, func(g *group) string { return g.id }, func(g *group) any { return g.view(asked) }, nil))
}

// frozenGroup refuses to change the group that holds everybody and, where
// switched, the members of groups that a directory provides.
func (q *request) frozenGroup(g *group, members bool) *apiError {
	if g.allUsers || members && g.provenance != "" && q.switches.ProvenanceLocks {
		return denied()
	}
	return nil
}

func (q *request) group() (*group, *apiError) {
	if g := q.w.groups[q.id()]; g != nil {
		return g, nil
	}
	return nil, notFound("group", q.id())
}

func (q *request) getGroup() reply {
	g, err := q.group()
	if err != nil {
		return failed(err)
	}
	return ok(g.view(q.fields()))
}

type groupBody struct {
	Name         *string `json:"name"`
	Description  *string `json:"description"`
	Provenance   *string `json:"provenance"`
	ExternalSync *string `json:"external_sync_identifier"`
}

func (b groupBody) apply(g *group) {
	set(&g.name, b.Name)
	set(&g.description, b.Description)
	set(&g.provenance, b.Provenance)
	set(&g.externalSync, b.ExternalSync)
}

// groupBody reads a group and refuses a name another group has.
func (q *request) groupBody(except string) (groupBody, *apiError) {
	var b groupBody
	if err := q.decode(&b); err != nil {
		return b, err
	}
	for _, g := range q.w.groups {
		if b.Name != nil && g.id != except && strings.EqualFold(g.name, *b.Name) {
			return b, fail(http.StatusConflict, "conflict", "A resource with this value already exists")
		}
	}
	return b, nil
}

func (q *request) createGroup() reply {
	b, err := q.groupBody("")
	if err != nil {
		return failed(err)
	}
	if b.Name == nil || *b.Name == "" {
		return failed(badRequest("name", "'name' is required"))
	}
	g := &group{id: q.w.id("group"), createdAt: q.now, modifiedAt: q.now}
	b.apply(g)
	q.w.addGroup(g)
	q.emit(q.now, "GROUP_CREATION", q.actor.id, g.mini())
	return created(g.view(q.fields()))
}

func (q *request) updateGroup() reply {
	g, err := q.group()
	if err == nil {
		err = q.frozenGroup(g, false)
	}
	if err != nil {
		return failed(err)
	}
	b, err := q.groupBody(g.id)
	if err != nil {
		return failed(err)
	}
	b.apply(g)
	g.modifiedAt = q.now
	q.emit(q.now, "GROUP_EDITED", q.actor.id, g.mini())
	return ok(g.view(q.fields()))
}

func (q *request) deleteGroup() reply {
	g, err := q.group()
	if err == nil {
		err = q.frozenGroup(g, false)
	}
	if err != nil {
		return failed(err)
	}
	q.w.dropGroup(g)
	q.emit(q.now, "GROUP_DELETION", q.actor.id, g.mini())
	return noContent()
}

func (q *request) groupCollaborations() reply {
	g, err := q.group()
	if err != nil {
		return failed(err)
	}
	return q.collabPage(false, q.w.groupCollabs[g.id])
}

func (q *request) membershipView(m *membership) json.RawMessage {
	return q.w.membershipFields().choose(q.fields()).append(nil, m)
}

func (q *request) membershipPage(found []*membership) reply {
	p, err := q.paging(false)
	if err != nil {
		return failed(err)
	}
	return written(writePage(p, found, func(m *membership) string { return m.id }, q.w.membershipFields().choose(q.fields()).append, nil))
}

func (q *request) userMemberships() reply {
	if q.w.user(q.id()) == nil {
		return failed(notFound("user", q.id()))
	}
	return q.membershipPage(q.w.groupsOf[q.id()])
}

func (q *request) groupMemberships() reply {
	if _, err := q.group(); err != nil {
		return failed(err)
	}
	return q.membershipPage(q.w.membersOf[q.id()])
}

type membershipBody struct {
	User        folderRef      `json:"user"`
	Group       folderRef      `json:"group"`
	Role        *string        `json:"role"`
	Permissions map[string]any `json:"configurable_permissions"`
}

func (q *request) membershipBody() (membershipBody, *apiError) {
	var b membershipBody
	if err := q.decode(&b); err != nil {
		return b, err
	}
	if b.Role != nil && *b.Role != roleMember && *b.Role != roleAdmin {
		return b, badRequest("role", "Invalid value '"+*b.Role+"'. The role must be member or admin")
	}
	return b, nil
}

func (q *request) createMembership() reply {
	b, err := q.membershipBody()
	if err != nil {
		return failed(err)
	}
	switch {
	case q.w.user(b.User.ID) == nil:
		return failed(notFound("user", b.User.ID))
	case q.w.groups[b.Group.ID] == nil:
		return failed(notFound("group", b.Group.ID))
	}
	if err := q.frozenGroup(q.w.groups[b.Group.ID], true); err != nil {
		return failed(err)
	}
	if q.w.member(b.User.ID, b.Group.ID) != nil {
		return failed(fail(http.StatusConflict, "conflict", "A resource with this value already exists"))
	}
	m := &membership{
		id: q.w.id("membership"), user: b.User.ID, group: b.Group.ID, role: roleMember, permissions: b.Permissions,
		createdAt: q.now, modifiedAt: q.now,
	}
	set(&m.role, b.Role)
	q.w.join(m)
	q.emit(q.now, "GROUP_ADD_USER", q.actor.id, q.w.miniUser(m.user))
	return created(q.membershipView(m))
}

func (q *request) membership() (*membership, *apiError) {
	if m := q.w.memberships[q.id()]; m != nil {
		return m, nil
	}
	return nil, notFound("group_membership", q.id())
}

func (q *request) getMembership() reply {
	m, err := q.membership()
	if err != nil {
		return failed(err)
	}
	return ok(q.membershipView(m))
}

func (q *request) updateMembership() reply {
	m, err := q.membership()
	if err == nil {
		err = q.frozenGroup(q.w.groups[m.group], true)
	}
	if err != nil {
		return failed(err)
	}
	b, err := q.membershipBody()
	if err != nil {
		return failed(err)
	}
	set(&m.role, b.Role)
	if b.Permissions != nil {
		m.permissions = b.Permissions
	}
	m.modifiedAt = q.now
	return ok(q.membershipView(m))
}

func (q *request) deleteMembership() reply {
	m, err := q.membership()
	if err == nil {
		err = q.frozenGroup(q.w.groups[m.group], true)
	}
	if err != nil {
		return failed(err)
	}
	q.w.leave(m)
	q.emit(q.now, "GROUP_REMOVE_USER", q.actor.id, q.w.miniUser(m.user))
	return noContent()
}
