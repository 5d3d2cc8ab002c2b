package boxsim

import (
	"maps"
	"net/http"
	"strconv"
)

const maxItemName = 255

func (q *request) getItem(typ itemType) reply {
	if typ == typeFolder && q.id() == rootID {
		return ok(q.rootView())
	}
	it, err := q.find(typ, q.id())
	if err != nil {
		return failed(err)
	}
	if match := q.call.Request.Header.Get("If-None-Match"); match != "" && match == it.etagText() {
		return reply{status: http.StatusNotModified}
	}
	return ok(q.itemView(it, q.actor, itemStandard(typ), q.fields()))
}

func (q *request) listItems() reply {
	if q.id() != rootID {
		if _, err := q.find(typeFolder, q.id()); err != nil {
			return failed(err)
		}
	}
	return q.itemPage(q.visibleChildren(q.id(), q.actor))
}

// itemPage renders a listing of items: mini forms, unless fields are named.
func (q *request) itemPage(items []*item) reply {
	p, err := q.paging(false)
	if err != nil {
		return failed(err)
	}
	asked := q.fields()
	view := func(it *item) any { return q.itemView(it, q.actor, itemMini(it.typ), asked) }
	return ok(listing(p, items, itemID, view, itemOrder()))
}

type folderRef struct {
	ID     string `json:"id"`
	UserID string `json:"user_id"`
}

func checkName(name string) *apiError {
	switch {
	case name == "" || name == "." || name == "..":
		return fail(http.StatusBadRequest, "item_name_invalid", "Item name invalid")
	case len(name) > maxItemName:
		return fail(http.StatusBadRequest, "item_name_too_long", "Item name too long")
	}
	return nil
}

func (q *request) createFolder() reply {
	var b struct {
		Name   string    `json:"name"`
		Parent folderRef `json:"parent"`
	}
	if err := q.decode(&b); err != nil {
		return failed(err)
	}
	if err := checkName(b.Name); err != nil {
		return failed(err)
	}
	parent, owner, err := q.target(b.Parent)
	if err != nil {
		return failed(err)
	}
	if clash := q.w.nameTaken(parent, owner, b.Name, ""); clash != nil {
		return failed(nameInUse(clash.mini()))
	}
	it := q.w.add(&item{
		typ: typeFolder, name: b.Name, owner: owner, parent: parent, createdBy: q.actor.id,
		createdAt: q.now, modifiedAt: q.now,
	}, q.now)
	return created(q.itemView(it, q.actor, itemStandard(typeFolder), q.fields()))
}

// target resolves where something is put: a folder the user may write to, the
// own root, or by user_id the root of another user of the enterprise.
func (q *request) target(ref folderRef) (parent, owner string, err *apiError) {
	if ref.ID == rootID {
		if ref.UserID == "" || ref.UserID == q.actor.id {
			return "", q.actor.id, nil
		}
		u := q.w.user(ref.UserID)
		switch {
		case u == nil || u.external:
			return "", "", notFound("user", ref.UserID)
		case !q.actor.privileged():
			return "", "", denied()
		}
		return "", u.id, nil
	}
	folder, err := q.findFor(typeFolder, ref.ID, roleEditor)
	if err != nil {
		return "", "", err
	}
	if q.busy(folder) {
		return "", "", blocked()
	}
	return folder.id, folder.owner, nil
}

// ifMatch applies the If-Match header.
func (q *request) ifMatch(it *item) *apiError {
	if want := q.call.Request.Header.Get("If-Match"); want != "" && want != it.etagText() {
		return fail(http.StatusPreconditionFailed, "precondition_failed",
			"The resource has been modified. Retrieve the resource again and retry")
	}
	return nil
}

func (q *request) updateItem(typ itemType) reply {
	var b struct {
		Name        *string         `json:"name"`
		Description *string         `json:"description"`
		Parent      *folderRef      `json:"parent"`
		SharedLink  *map[string]any `json:"shared_link"`
		raw         map[string]any  `json:"-"`
	}
	if err := q.decode(&b); err != nil {
		return failed(err)
	}
	if err := q.decode(&b.raw); err != nil {
		return failed(err)
	}
	it, err := q.findFor(typ, q.id(), roleEditor)
	if err == nil {
		err = q.ifMatch(it)
	}
	if err == nil && q.busy(it) {
		err = blocked()
	}
	if err == nil && b.Name != nil {
		err = q.rename(it, *b.Name)
	}
	if err == nil && b.Parent != nil {
		err = q.move(it, *b.Parent)
	}
	if err != nil {
		return failed(err)
	}
	set(&it.description, b.Description)
	if _, sent := b.raw["shared_link"]; sent {
		it.sharedLink = sharedLink(it, b.SharedLink)
	}
	it.etag++
	it.modifiedAt = q.now
	return ok(q.itemView(it, q.actor, itemStandard(typ), q.fields()))
}

func (q *request) rename(it *item, name string) *apiError {
	if err := checkName(name); err != nil {
		return err
	}
	if clash := q.w.nameTaken(it.parent, it.owner, name, it.id); clash != nil {
		return nameInUse(clash.mini())
	}
	it.name = name
	return nil
}

func (q *request) move(it *item, ref folderRef) *apiError {
	parent, owner, err := q.target(ref)
	if err != nil {
		return err
	}
	if q.pinned(it, false) {
		return itemLocked()
	}
	for p := q.w.items[parent]; p != nil; p = q.w.items[p.parent] {
		if p == it {
			return fail(http.StatusBadRequest, "cyclical_folder_structure", "Folder cannot be moved into itself")
		}
	}
	if clash := q.w.nameTaken(parent, owner, it.name, it.id); clash != nil {
		return nameInUse(clash.mini())
	}
	q.w.place(it, parent, owner, q.now)
	return nil
}

// sharedLink makes the link of an item; nil takes it away.
func sharedLink(it *item, asked *map[string]any) map[string]any {
	if asked == nil {
		return nil
	}
	access := "open"
	if a, isText := (*asked)["access"].(string); isText {
		access = a
	}
	link := map[string]any{
		"url": "https://example.app.box.com/s/link" + it.id, "access": access, "effective_access": access,
		"effective_permission": "can_download", "is_password_enabled": false, "download_count": 0, "preview_count": 0,
		"permissions":  map[string]any{"can_download": true, "can_preview": true, "can_edit": false},
		"download_url": nil, "vanity_url": nil, "vanity_name": nil, "unshared_at": nil,
	}
	if at, isText := (*asked)["unshared_at"].(string); isText {
		link["unshared_at"] = at
	}
	return maps.Clone(link)
}

// trashItem moves an item to its owner's trash.
func (q *request) trashItem(typ itemType) reply {
	it, err := q.findFor(typ, q.id(), roleEditor)
	if err == nil {
		err = q.ifMatch(it)
	}
	switch {
	case err != nil:
		return failed(err)
	case q.busy(it):
		return failed(blocked())
	case q.pinned(it, true):
		return failed(itemLocked())
	case typ == typeFolder && q.param("recursive") != "true" && len(q.w.children(it.id, "", stateAlive)) > 0:
		return failed(fail(http.StatusBadRequest, "folder_not_empty", "Cannot delete - folder not empty"))
	}
	q.trashNow(it)
	return noContent()
}

func (q *request) trashNow(it *item) {
	q.w.trash(it, q.now)
	if due := q.now.Add(q.clock.Wall(trashLife)); due.Before(q.w.nextPurge) {
		q.w.nextPurge = due
	}
}

func (q *request) listTrash() reply {
	var found []*item
	for _, it := range byID(q.actor.owned) {
		if it.state == stateTrashed && it.trashRoot {
			found = append(found, it)
		}
	}
	return q.itemPage(found)
}

// trashed resolves an item that is in the actor's trash.
func (q *request) trashed(typ itemType) (*item, *apiError) {
	it := q.w.items[q.id()]
	if it == nil || it.typ != typ || it.state == stateDestroyed || it.owner != q.actor.id {
		return nil, itemNotFound(typ, q.id())
	}
	if it.state != stateTrashed {
		e := itemNotFound(typ, q.id())
		e.Code, e.Message = "not_trashed", "Item is not trashed"
		return nil, e
	}
	return it, nil
}

func (q *request) getTrashed(typ itemType) reply {
	it, err := q.trashed(typ)
	if err != nil {
		return failed(err)
	}
	return ok(q.itemView(it, q.actor, itemStandard(typ), q.fields()))
}

// purgeItem destroys a trashed item; retention forbids it.
func (q *request) purgeItem(typ itemType) reply {
	it, err := q.trashed(typ)
	if err != nil {
		return failed(err)
	}
	for _, x := range q.w.subtree(it) {
		if q.w.retains(x) {
			return failed(fail(http.StatusForbidden, "forbidden", "Item "+strconv.Quote(x.id)+" is under retention"))
		}
	}
	if q.busy(it) {
		return failed(blocked())
	}
	q.w.destroy(it, "purge", q.now)
	return noContent()
}

func (q *request) restoreItem(typ itemType) reply {
	var b struct {
		Name   *string    `json:"name"`
		Parent *folderRef `json:"parent"`
	}
	if len(q.call.Body) > 0 {
		if err := q.decode(&b); err != nil {
			return failed(err)
		}
	}
	it, err := q.trashed(typ)
	if err != nil {
		return failed(err)
	}
	if q.busy(it) {
		return failed(blocked())
	}
	name := it.name
	set(&name, b.Name)
	if clash := q.w.nameTaken(it.parent, it.owner, name, it.id); clash != nil {
		return failed(nameInUse(clash.mini()))
	}
	it.name = name
	if b.Parent != nil {
		if err := q.move(it, *b.Parent); err != nil {
			return failed(err)
		}
	}
	if p := q.w.items[it.parent]; p != nil && !p.alive() {
		q.w.place(it, "", it.owner, q.now)
	}
	q.w.restore(it, q.now)
	return created(q.itemView(it, q.actor, itemStandard(typ), q.fields()))
}
