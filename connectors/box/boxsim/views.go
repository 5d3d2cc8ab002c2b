package boxsim

import (
	"crypto/sha1" //nolint:gosec // Box names file versions by SHA-1
	"encoding/hex"
	"fmt"
	"strconv"
	"time"
)

// stamp renders an instant as Box does: seconds, with a US Pacific offset.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.In(pacific()).Format(time.RFC3339)
}

func (w *world) miniUser(id string) any {
	u := w.users[id]
	if u == nil {
		return nil
	}
	return map[string]any{"type": "user", "id": u.id, "name": u.name, "login": u.login}
}

func userBase() []string { return []string{"type", "id"} }

// spaceUsed is what Box shows of a user's content: trash included, and late by
// the configured lag.
func (s *Sim) spaceUsed(u *user, now time.Time) int64 {
	seen := now.Add(-s.clock.Wall(s.switches.spaceLag()))
	used := int64(0)
	for i, p := range u.space {
		if i == 0 || !p.from.After(seen) {
			used = p.bytes
			if s.switches.SpaceIgnoresTrash {
				used -= p.trash
			}
		}
	}
	return used
}

// shownStatus is the status that reads show: late by the configured lag.
func (s *Sim) shownStatus(u *user, now time.Time) string {
	seen := now.Add(-s.clock.Wall(s.switches.statusLag()))
	for _, p := range u.pastStatuses {
		if p.until.After(seen) {
			return p.status
		}
	}
	return u.status
}

func (s *Sim) spaceAmount(u *user) int64 {
	if u.spaceAmount == unlimitedSpaceBytes && s.switches.UnlimitedSpace == "minus_one" {
		return -1
	}
	return u.spaceAmount
}

// settleSpace forgets a user's past sizes: what was seeded is visible at once.
func (u *user) settleSpace() {
	u.space = []spacePoint{{bytes: u.bytes, trash: u.trashBytes}}
}

func sha1Of(it *item) string {
	if it.content != nil {
		sum := sha1.Sum(it.content) //nolint:gosec // see import
		return hex.EncodeToString(sum[:])
	}
	sum := sha1.Sum([]byte(it.id + "/" + strconv.Itoa(it.etag) + "/" + strconv.FormatInt(it.size, 10))) //nolint:gosec // see import
	return hex.EncodeToString(sum[:])
}

func (it *item) version() map[string]any {
	return map[string]any{"type": "file_version", "id": "8" + it.id[1:], "sha1": sha1Of(it)}
}

func (it *item) etagText() string { return strconv.Itoa(it.etag) }

// mini renders the form in which items appear inside listings and parents.
func (it *item) mini() map[string]any {
	out := map[string]any{
		"type": string(it.typ), "id": it.id, "etag": it.etagText(), "sequence_id": it.etagText(), "name": it.name,
	}
	switch it.typ {
	case typeFile:
		out["sha1"], out["file_version"] = sha1Of(it), it.version()
	case typeWebLink:
		out["url"] = it.url
	}
	return out
}

func rootMini() map[string]any {
	return map[string]any{"type": "folder", "id": rootID, "etag": nil, "name": "All Files"}
}

func itemBase() []string { return []string{"type", "id", "etag"} }

func itemMini(typ itemType) []string {
	switch typ {
	case typeFile:
		return []string{"sequence_id", "name", "sha1", "file_version"}
	case typeWebLink:
		return []string{"sequence_id", "name", "url"}
	}
	return []string{"sequence_id", "name"}
}

func itemStandard(typ itemType) []string {
	common := []string{
		"created_at", "modified_at", "description", "path_collection", "created_by", "modified_by", "trashed_at",
		"purged_at", "owned_by", "shared_link", "parent", "item_status",
	}
	all := append(itemMini(typ), common...)
	switch typ {
	case typeFile:
		return append(all, "size", "content_created_at", "content_modified_at")
	case typeFolder:
		return append(all, "size", "content_created_at", "content_modified_at", "folder_upload_email", "item_collection")
	}
	return all
}

// itemView renders an item as viewer sees it. Fields that cost a walk of the
// tree are made only if they are wanted.
func (s *Sim) itemView(it *item, viewer *user, standard, asked []string) map[string]any {
	want := asked
	if asked == nil {
		want = standard
	}
	full := it.mini()
	for name, v := range map[string]any{
		"created_at": stamp(it.createdAt), "modified_at": stamp(it.modifiedAt), "description": it.description,
		"content_created_at": stamp(it.createdAt), "content_modified_at": stamp(it.modifiedAt),
		"created_by": s.w.miniUser(it.createdBy), "modified_by": s.w.miniUser(it.createdBy),
		"owned_by": s.w.miniUser(it.owner), "shared_link": nilIfEmpty(it.sharedLink), "folder_upload_email": nil,
		"trashed_at": nil, "purged_at": nil, "item_status": "active", "tags": []any{},
		"is_externally_owned": false, "has_collaborations": s.hasCollabs(it.id),
	} {
		full[name] = v
	}
	if it.state == stateTrashed {
		full["item_status"] = "trashed"
		full["trashed_at"], full["purged_at"] = stamp(it.trashedAt), stamp(it.trashedAt.Add(s.clock.Wall(trashLife)))
	}
	switch it.typ {
	case typeFile:
		full["size"], full["version_number"], full["comment_count"] = it.size, strconv.Itoa(it.etag+1), 0
	case typeFolder:
		full["size"] = s.w.folderBytes(it)
	}
	for _, name := range want {
		switch {
		case name == "parent":
			full[name] = s.parentView(it, viewer)
		case name == "path_collection":
			full[name] = s.pathView(it, viewer)
		case name == "item_collection" && it.typ == typeFolder:
			full[name] = s.firstItems(it, viewer)
		}
	}
	return pick(full, itemBase(), standard, asked)
}

func nilIfEmpty(m map[string]any) any {
	if len(m) == 0 {
		return nil
	}
	return m
}

func (s *Sim) hasCollabs(itemID string) bool {
	return len(s.w.itemCollabs[itemID]) > 0
}

// path lists the folders above it that viewer may see, top first, without the
// root.
func (s *Sim) path(it *item, viewer *user) []*item {
	var out []*item
	for _, a := range s.w.ancestors(it) {
		if s.roleOn(a, viewer) == "" {
			break
		}
		out = append([]*item{a}, out...)
	}
	return out
}

func (s *Sim) parentView(it *item, viewer *user) any {
	if path := s.path(it, viewer); len(path) > 0 {
		return path[len(path)-1].mini()
	}
	return rootMini()
}

func (s *Sim) pathView(it *item, viewer *user) any {
	entries := []any{rootMini()}
	for _, a := range s.path(it, viewer) {
		entries = append(entries, a.mini())
	}
	return map[string]any{"total_count": len(entries), "entries": entries}
}

func (s *Sim) firstItems(it *item, viewer *user) any {
	p := page{limit: defaultLimit}
	return listing(p, s.visibleChildren(it.id, viewer), itemID, func(x *item) any { return x.mini() }, itemOrder())
}

func itemID(it *item) string { return it.id }

func itemOrder() []any {
	return []any{
		map[string]any{"by": "type", "direction": "ASC"},
		map[string]any{"by": "name", "direction": "ASC"},
	}
}

// rootView is folder 0 of the acting user.
func (q *request) rootView() map[string]any {
	full := rootMini()
	p := page{limit: defaultLimit}
	for name, v := range map[string]any{
		"created_at": nil, "modified_at": nil, "description": "", "size": q.actor.bytes,
		"path_collection": map[string]any{"total_count": 0, "entries": []any{}},
		"created_by":      map[string]any{"type": "user", "id": "", "name": "", "login": ""},
		"modified_by":     q.w.miniUser(q.actor.id), "owned_by": q.w.miniUser(q.actor.id),
		"trashed_at": nil, "purged_at": nil, "content_created_at": nil, "content_modified_at": nil,
		"shared_link": nil, "folder_upload_email": nil, "parent": nil, "item_status": "active",
		"item_collection": listing(p, q.visibleChildren(rootID, q.actor), itemID, func(x *item) any { return x.mini() }, itemOrder()),
	} {
		full[name] = v
	}
	return pick(full, itemBase(), itemStandard(typeFolder), q.fields())
}

func automationLogin(seed int64) string {
	return fmt.Sprintf("AutomationUser_%d_%s@boxdevedition.com", 1_000_000+seed%1000, "demo")
}
