package boxsim

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Roles of a collaboration, and the rank of what they allow.
const (
	roleOwner   = "owner"
	roleCoOwner = "co-owner"
	roleEditor  = "editor"
)

const statusAccepted = "accepted"

func roleRank(role string) int {
	switch role {
	case roleOwner:
		return 4
	case roleCoOwner:
		return 3
	case roleEditor:
		return 2
	case "":
		return 0
	}
	return 1
}

func validCollabRole(role string) bool {
	switch role {
	case roleEditor, "viewer", "previewer", "uploader", "previewer uploader", "viewer uploader", roleCoOwner:
		return true
	}
	return false
}

// roleOn is the strongest role a user has on an item: as the owner of it or of
// a folder above it, or by an accepted collaboration on any of these.
func (s *Sim) roleOn(it *item, u *user) string {
	best := ""
	for x := it; x != nil; x = s.w.items[x.parent] {
		if x.owner == u.id {
			return roleOwner
		}
		for _, c := range s.w.itemCollabs[x.id] {
			if c.status == statusAccepted && s.grants(c, u) && roleRank(c.role) > roleRank(best) {
				best = c.role
			}
		}
	}
	return best
}

// grants tells whether a collaboration is one of the user's, in person or by a
// group.
func (s *Sim) grants(c *collaboration, u *user) bool {
	if c.user != "" {
		return c.user == u.id
	}
	return c.group != "" && s.w.member(u.id, c.group) != nil
}

// frozen tells whether an item is closed to all but its owner: its owner is
// deactivated, or a running job is taking it away.
func (s *Sim) frozen(it *item, u *user) bool {
	if s.switches.ContentStaysOpen || it.owner == u.id {
		return false
	}
	owner := s.w.user(it.owner)
	if owner != nil && !owner.active() {
		return true
	}
	for _, j := range s.w.running {
		if j.source == it.owner && j.dest != u.id {
			return true
		}
	}
	return false
}

// find resolves an alive item for reading: what the user cannot see is not
// found, what is in the trash says so.
func (q *request) find(typ itemType, id string) (*item, *apiError) {
	if !digits(id) {
		return nil, fail(405, "method_not_allowed", "Method Not Allowed")
	}
	it := q.w.items[id]
	if it == nil || it.typ != typ || it.state == stateDestroyed || q.roleOn(it, q.actor) == "" {
		return nil, itemNotFound(typ, id)
	}
	if it.state == stateTrashed {
		e := itemNotFound(typ, id)
		e.Code, e.Message = "trashed", "Item is trashed"
		return nil, e
	}
	if q.frozen(it, q.actor) {
		return nil, denied()
	}
	return it, nil
}

// findFor is find for a change that needs at least a role.
func (q *request) findFor(typ itemType, id, role string) (*item, *apiError) {
	it, err := q.find(typ, id)
	if err != nil {
		return nil, err
	}
	if roleRank(q.roleOn(it, q.actor)) < roleRank(role) {
		return nil, denied()
	}
	return it, nil
}

func digits(id string) bool {
	return id != "" && strings.Trim(id, "0123456789") == ""
}

// visibleChildren lists a folder as the user sees it. The root also holds what
// others shared with the user, which is why an empty root proves nothing.
func (s *Sim) visibleChildren(folderID string, u *user) []*item {
	var out []*item
	if folderID == rootID {
		out = s.w.children("", u.id, stateAlive)
		out = append(out, s.sharedIntoRoot(u)...)
	} else {
		out = s.w.children(folderID, "", stateAlive)
	}
	slices.SortFunc(out, compareItems)
	return out
}

func (s *Sim) sharedIntoRoot(u *user) []*item {
	seen := map[string]bool{}
	var out []*item
	for _, c := range s.w.reachedBy(u.id) {
		it := s.w.items[c.item]
		if it == nil || !it.alive() || it.owner == u.id || seen[it.id] || c.status != statusAccepted {
			continue
		}
		parent := s.w.items[it.parent]
		if parent != nil && s.roleOn(parent, u) != "" || s.frozen(it, u) {
			continue
		}
		seen[it.id] = true
		out = append(out, it)
	}
	return out
}

func typeRank(t itemType) int {
	switch t {
	case typeFolder:
		return 0
	case typeFile:
		return 1
	}
	return 2
}

// compareItems is Box's default order: folders first, then by name.
func compareItems(a, b *item) int {
	return cmp.Or(
		cmp.Compare(typeRank(a.typ), typeRank(b.typ)),
		strings.Compare(strings.ToLower(a.name), strings.ToLower(b.name)),
		compareIDs(a.id, b.id),
	)
}

// busy tells whether a running job holds the item: everything of its source,
// and its destination folder.
func (s *Sim) busy(it *item) bool {
	for _, j := range s.w.running {
		if it.owner == j.source || it.id == j.folder {
			return true
		}
		for _, a := range s.w.ancestors(it) {
			if a.id == j.folder {
				return true
			}
		}
	}
	return false
}

// pinned tells whether a folder lock forbids to move or delete the item.
func (s *Sim) pinned(it *item, deleting bool) bool {
	for _, l := range s.w.locks {
		if l.folder == it.id && (l.move && !deleting || l.delete && deleting) {
			return true
		}
	}
	return false
}

func itemLocked() *apiError {
	return fail(403, "access_denied_item_locked", "Access denied - item locked")
}

// trashLife is how long Box keeps the trash by default.
const trashLife = 30 * 24 * time.Hour

// byTrashLife is what destroyed an item whose time in the trash was over.
const byTrashLife = "trash_life"

// purgeOldTrash destroys what has been in the trash for its whole life, except
// what is retained.
func (s *Sim) purgeOldTrash(now time.Time) {
	life := s.clock.Wall(trashLife)
	if now.Before(s.w.nextPurge) {
		return
	}
	s.w.nextPurge = now.Add(life)
	for _, it := range s.w.itemIDs {
		if it.state != stateTrashed || !it.trashRoot || s.w.retains(it) {
			continue
		}
		if due := it.trashedAt.Add(life); !now.Before(due) {
			s.w.destroy(it, byTrashLife, now)
		} else if due.Before(s.w.nextPurge) {
			s.w.nextPurge = due
		}
	}
}
