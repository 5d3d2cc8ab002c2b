package boxsim

import (
	"net/http"
	"strings"
)

// copyItem copies a file, or a folder with all that is alive in it. The copy
// belongs to whoever owns the place it is put in.
func (q *request) copyItem(typ itemType) reply {
	var b struct {
		Name   *string    `json:"name"`
		Parent *folderRef `json:"parent"`
	}
	if err := q.decode(&b); err != nil {
		return failed(err)
	}
	if typ == typeFolder && q.id() == rootID {
		return failed(fail(http.StatusInternalServerError, "internal_server_error", "Internal Server Error"))
	}
	it, err := q.find(typ, q.id())
	if err != nil {
		return failed(err)
	}
	if q.busy(it) {
		return failed(blocked())
	}
	name := it.name
	set(&name, b.Name)
	parent, owner, err := q.placeFor(name, b.Parent, q.w.folderBytes(it))
	if err != nil {
		return failed(err)
	}
	for p := q.w.items[parent]; p != nil; p = q.w.items[p.parent] {
		if p == it {
			return failed(fail(http.StatusBadRequest, "cyclical_folder_structure", "Folder cannot be copied into itself"))
		}
	}
	made := q.copyTree(it, parent, owner)
	made.name = name
	return created(q.itemView(made, q.actor, itemStandard(typ), q.fields()))
}

// copyTree copies an item and what is alive below it.
func (q *request) copyTree(it *item, parent, owner string) *item {
	made := q.w.add(&item{
		typ: it.typ, name: it.name, size: it.size, content: it.content, url: it.url, description: it.description,
		owner: owner, parent: parent, createdBy: q.actor.id, createdAt: q.now, modifiedAt: q.now,
	}, q.now)
	for _, child := range q.w.children(it.id, "", stateAlive) {
		q.copyTree(child, made.id, owner)
	}
	return made
}

func checkLink(url string) *apiError {
	if !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "https://") {
		return badRequest("url", "Invalid value '"+url+"'. The url must begin with http:// or https://")
	}
	return nil
}

// createWebLink answers 200, by Box's document, where other items answer 201.
func (q *request) createWebLink() reply {
	var b struct {
		URL         string     `json:"url"`
		Name        string     `json:"name"`
		Description string     `json:"description"`
		Parent      *folderRef `json:"parent"`
	}
	if err := q.decode(&b); err != nil {
		return failed(err)
	}
	if err := checkLink(b.URL); err != nil {
		return failed(err)
	}
	if b.Name == "" {
		b.Name = b.URL
	}
	parent, owner, err := q.placeFor(b.Name, b.Parent, 0)
	if err != nil {
		return failed(err)
	}
	it := q.w.add(&item{
		typ: typeWebLink, name: b.Name, url: b.URL, description: b.Description, owner: owner, parent: parent,
		createdBy: q.actor.id, createdAt: q.now, modifiedAt: q.now,
	}, q.now)
	return ok(q.itemView(it, q.actor, itemStandard(typeWebLink), q.fields()))
}

// updateWebLink is updateItem with an address to change.
func (q *request) updateWebLink() reply {
	var b struct {
		URL *string `json:"url"`
	}
	if err := q.decode(&b); err != nil {
		return failed(err)
	}
	if b.URL != nil {
		if err := checkLink(*b.URL); err != nil {
			return failed(err)
		}
	}
	rep := q.updateItem(typeWebLink)
	if rep.err != nil || b.URL == nil {
		return rep
	}
	it := q.w.items[q.id()]
	it.url = *b.URL
	return ok(q.itemView(it, q.actor, itemStandard(typeWebLink), q.fields()))
}

// moreContentRoutes are the endpoints of content that no offboarding needs but
// Box's own SDK uses.
func moreContentRoutes() []route {
	return []route{
		{"POST /files/content", "files.upload", scopeContent, (*request).uploadFile},
		{"OPTIONS /files/content", "files.preflight", scopeContent, (*request).preflightUpload},
		{"POST /files/{id}/content", "files.upload_version", scopeContent, (*request).uploadVersion},
		{"GET /files/{id}/content", "files.content", scopeContent, (*request).downloadContent},
		{"POST /files/{id}/copy", "files.copy", scopeContent, on(typeFile, (*request).copyItem)},
		{"POST /folders/{id}/copy", "folders.copy", scopeContent, on(typeFolder, (*request).copyItem)},
		{"POST /web_links", "web_links.create", scopeContent, (*request).createWebLink},
		{"PUT /web_links/{id}", "web_links.update", scopeContent, (*request).updateWebLink},
		{"POST /web_links/{id}", "web_links.restore", scopeContent, on(typeWebLink, (*request).restoreItem)},
		{"DELETE /web_links/{id}", "web_links.delete", scopeContent, on(typeWebLink, (*request).trashItem)},
		{"GET /web_links/{id}/trash", "web_links.trash_get", scopeContent, on(typeWebLink, (*request).getTrashed)},
		{"DELETE /web_links/{id}/trash", "web_links.purge", scopeContent, on(typeWebLink, (*request).purgeItem)},
	}
}
