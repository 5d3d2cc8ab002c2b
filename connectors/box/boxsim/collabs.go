package boxsim

import (
	"net/http"
	"strconv"
	"time"
)

func (s *Sim) collabView(c *collaboration) map[string]any {
	out := map[string]any{
		"type": "collaboration", "id": c.id, "role": c.role, "status": c.status, "is_access_only": c.accessOnly,
		"created_by": s.creatorView(c.createdBy), "created_at": stamp(c.createdAt), "modified_at": stamp(c.modifiedAt),
		"expires_at": nil, "invite_email": nil, "item": nil, "app_item": nil,
		"acknowledged_at": stamp(c.createdAt), "accessible_by": s.granteeView(c),
	}
	if it := s.w.items[c.item]; it != nil && c.status == statusAccepted {
		out["item"] = it.mini()
	}
	if c.inviteEmail != "" {
		out["invite_email"] = c.inviteEmail
	}
	return out
}

func (s *Sim) granteeView(c *collaboration) any {
	if g := s.w.groups[c.group]; g != nil {
		return g.mini()
	}
	u := s.w.users[c.user]
	if u == nil {
		return map[string]any{"type": "user", "id": "0", "name": "", "login": c.inviteEmail, "is_active": false}
	}
	return collabUser(u)
}

// collabUser is Box's User (Collaborations): is_active is false of the deactivated
// and the deleted.
func collabUser(u *user) map[string]any {
	return map[string]any{
		"type": "user", "id": u.id, "name": u.name, "login": u.login, "is_active": u.active() && !u.deleted,
	}
}

// creatorView is who made a collaboration.
func (s *Sim) creatorView(id string) any {
	u := s.w.users[id]
	if u == nil || u.deleted && s.switches.DeletedCreator == "null" {
		return nil
	}
	view := collabUser(u)
	if u.deleted && s.switches.DeletedCreator == "nameless" {
		view["name"], view["login"] = "", ""
	}
	return view
}

func collabID(c *collaboration) string { return c.id }

func (q *request) collabPage(marker bool, found []*collaboration) reply {
	p, err := q.paging(marker)
	if err != nil {
		return failed(err)
	}
	asked := q.fields()
	return ok(listing(p, found, collabID, func(c *collaboration) any {
		full := q.collabView(c)
		if asked == nil {
			return full
		}
		return pick(full, userBase(), nil, asked)
	}, nil))
}

func (q *request) itemCollaborations(typ itemType) reply {
	if typ == typeFolder && q.id() == rootID {
		return failed(fail(http.StatusBadRequest, "collaborations_not_available_on_root_folder", "Collaborations are not available on the root folder"))
	}
	it, err := q.find(typ, q.id())
	if err != nil {
		return failed(err)
	}
	return q.collabPage(true, q.w.itemCollabs[it.id])
}

// pendingCollaborations lists the acting user's own pending invitations; Box
// has no listing of all collaborations of a user.
func (q *request) pendingCollaborations() reply {
	if q.param("status") != "pending" {
		return failed(fail(http.StatusBadRequest, "invalid_status", "The status must be pending"))
	}
	var pending []*collaboration
	for _, c := range q.w.userCollabs[q.actor.id] {
		if c.status == "pending" {
			pending = append(pending, c)
		}
	}
	return q.collabPage(false, pending)
}

// collaboration resolves one that the user may see: on an item the user
// reaches, or the user's own.
func (q *request) collaboration() (*collaboration, *item, *apiError) {
	c := q.w.collabs[q.id()]
	if c == nil {
		return nil, nil, notFound("collaboration", q.id())
	}
	it := q.w.items[c.item]
	if it == nil || c.user != q.actor.id && q.roleOn(it, q.actor) == "" {
		return nil, nil, notFound("collaboration", q.id())
	}
	return c, it, nil
}

func (q *request) getCollaboration() reply {
	c, _, err := q.collaboration()
	if err != nil {
		return failed(err)
	}
	return ok(q.collabView(c))
}

type collabBody struct {
	Item struct {
		Type itemType `json:"type"`
		ID   string   `json:"id"`
	} `json:"item"`
	AccessibleBy struct {
		Type  string `json:"type"`
		ID    string `json:"id"`
		Login string `json:"login"`
	} `json:"accessible_by"`
	Role       string `json:"role"`
	AccessOnly bool   `json:"is_access_only"`
}

func (q *request) createCollaboration() reply {
	var b collabBody
	if err := q.decode(&b); err != nil {
		return failed(err)
	}
	if b.Item.Type == typeFolder && b.Item.ID == rootID {
		return failed(fail(http.StatusBadRequest, "collaborations_not_available_on_root_folder", "Collaborations are not available on the root folder"))
	}
	if !validCollabRole(b.Role) {
		return failed(badRequest("role", "Invalid value '"+b.Role+"'"))
	}
	it, err := q.findFor(b.Item.Type, b.Item.ID, roleEditor)
	if err != nil {
		return failed(err)
	}
	c := &collaboration{
		item: it.id, role: b.Role, status: statusAccepted, createdBy: q.actor.id,
		createdAt: q.now, modifiedAt: q.now, accessOnly: b.AccessOnly,
	}
	if err := q.invite(c, b); err != nil {
		return failed(err)
	}
	for _, other := range q.w.itemCollabs[c.item] {
		if other.user == c.user && other.group == c.group && other.inviteEmail == c.inviteEmail {
			return failed(fail(http.StatusBadRequest, "user_already_collaborator", "User is already a collaborator"))
		}
	}
	c.id = q.w.id("collaboration")
	q.w.share(c)
	q.did("COLLABORATION_INVITE", it.eventSource(q.w))
	return created(q.collabView(c))
}

// invite fills in whom a new collaboration is for. An unknown login makes a
// pending invitation, a deactivated account is refused.
func (q *request) invite(c *collaboration, b collabBody) *apiError {
	if b.AccessibleBy.Type == "group" {
		if q.w.groups[b.AccessibleBy.ID] == nil {
			return notFound("group", b.AccessibleBy.ID)
		}
		c.group = b.AccessibleBy.ID
		return nil
	}
	u := q.w.user(b.AccessibleBy.ID)
	for _, candidate := range q.w.liveUsers() {
		if b.AccessibleBy.Login != "" && q.sameLogin(candidate.login, b.AccessibleBy.Login) {
			u = candidate
		}
	}
	switch {
	case u == nil && b.AccessibleBy.Login != "":
		c.status, c.inviteEmail = "pending", b.AccessibleBy.Login
		return nil
	case u == nil:
		return notFound("user", b.AccessibleBy.ID)
	case !u.active():
		return fail(http.StatusBadRequest, "cannot_invite_deactivated_user", "You can not invite deactivated users to collaborate")
	case u.id == q.w.items[c.item].owner:
		return fail(http.StatusBadRequest, "user_already_collaborator", "User is already a collaborator")
	}
	c.user = u.id
	return nil
}

// updateCollaboration changes a role. Role owner hands the item over: Box
// answers 204 and the collaboration gives way to one for the former owner.
func (q *request) updateCollaboration() reply {
	var b struct {
		Role   string `json:"role"`
		Status string `json:"status"`
	}
	if err := q.decode(&b); err != nil {
		return failed(err)
	}
	c, it, err := q.collaboration()
	if err != nil {
		return failed(err)
	}
	mine := roleRank(q.roleOn(it, q.actor))
	switch {
	case b.Role == roleOwner:
		return q.makeOwner(c, it, mine)
	case b.Role != "" && !validCollabRole(b.Role):
		return failed(badRequest("role", "Invalid value '"+b.Role+"'"))
	case b.Role != "" && mine < roleRank(roleCoOwner):
		return failed(denied())
	case b.Status != "" && (c.user != q.actor.id || c.status != "pending" || b.Status != statusAccepted && b.Status != "rejected"):
		return failed(fail(http.StatusBadRequest, "invalid_status", "Invalid value '"+b.Status+"' of status"))
	}
	if b.Role != "" {
		c.role = b.Role
	}
	if b.Status != "" {
		c.status = b.Status
	}
	c.modifiedAt = q.now
	q.did("COLLABORATION_ROLE_CHANGE", it.eventSource(q.w))
	return ok(q.collabView(c))
}

func (q *request) makeOwner(c *collaboration, it *item, mine int) reply {
	if mine < roleRank(roleOwner) || c.user == "" || c.status != statusAccepted {
		return failed(denied())
	}
	if q.busy(it) {
		return failed(blocked())
	}
	q.handOver(c, it)
	return noContent()
}

func (q *request) handOver(c *collaboration, it *item) {
	former := it.owner
	q.w.place(it, "", c.user, q.now)
	q.w.unshare(c)
	q.addCollab(it.id, former, "", roleCoOwner, q.now)
}

func (s *Sim) addCollab(itemID, userID, groupID, role string, now time.Time) *collaboration {
	c := &collaboration{
		id: s.w.id("collaboration"), item: itemID, user: userID, group: groupID, role: role, status: statusAccepted,
		createdBy: s.w.items[itemID].owner, createdAt: now, modifiedAt: now,
	}
	s.w.share(c)
	return c
}

func (q *request) deleteCollaboration() reply {
	c, it, err := q.collaboration()
	if err != nil {
		return failed(err)
	}
	if c.user != q.actor.id && roleRank(q.roleOn(it, q.actor)) < roleRank(roleCoOwner) {
		return failed(denied())
	}
	q.w.unshare(c)
	q.did("COLLABORATION_REMOVE", it.eventSource(q.w))
	return noContent()
}

func (s *Sim) lockView(l *folderLock) any {
	folder := s.w.items[l.folder]
	return map[string]any{
		"type": "folder_lock", "id": l.id, "lock_type": "freeze", "folder": folder.mini(),
		"created_at": stamp(l.createdAt), "created_by": map[string]any{"type": "user", "id": l.createdBy},
		"locked_operations": map[string]any{"move": l.move, "delete": l.delete},
	}
}

func (q *request) listLocks() reply {
	folder, err := q.findFor(typeFolder, q.param("folder_id"), roleCoOwner)
	if err != nil {
		return failed(err)
	}
	var found []*folderLock
	for _, l := range byID(q.w.locks) {
		if l.folder == folder.id {
			found = append(found, l)
		}
	}
	entries := []any{}
	for _, l := range found[:min(len(found), maxLimit)] {
		entries = append(entries, q.lockView(l))
	}
	// The limit is a string here alone, by Box's document.
	return ok(map[string]any{"entries": entries, "limit": strconv.Itoa(maxLimit), "next_marker": ""})
}

func (q *request) createLock() reply {
	var b struct {
		Folder     folderRef `json:"folder"`
		Operations *struct {
			Move   bool `json:"move"`
			Delete bool `json:"delete"`
		} `json:"locked_operations"`
	}
	if err := q.decode(&b); err != nil {
		return failed(err)
	}
	folder, err := q.findFor(typeFolder, b.Folder.ID, roleCoOwner)
	if err != nil {
		return failed(err)
	}
	l := &folderLock{id: q.w.id("lock"), folder: folder.id, createdBy: q.actor.id, move: true, delete: true, createdAt: q.now}
	if b.Operations != nil {
		l.move, l.delete = b.Operations.Move, b.Operations.Delete
	}
	q.w.locks[l.id] = l
	return ok(q.lockView(l))
}

func (q *request) deleteLock() reply {
	l := q.w.locks[q.id()]
	if l == nil {
		return failed(notFound("folder_lock", q.id()))
	}
	if _, err := q.findFor(typeFolder, l.folder, roleCoOwner); err != nil {
		return failed(err)
	}
	delete(q.w.locks, l.id)
	return noContent()
}
