package boxsim

import "net/http"

// contentEvents are the events that calls about content make.
func contentEvents() map[string]string {
	return map[string]string{
		"files.upload": "UPLOAD", "files.upload_version": "EDIT", "files.content": "DOWNLOAD",
		"files.copy": "COPY", "folders.copy": "COPY", "files.delete": "DELETE", "folders.delete": "DELETE", "web_links.delete": "DELETE",
		"files.restore": "UNDELETE", "folders.restore": "UNDELETE", "web_links.restore": "UNDELETE",
	}
}

// contentReads are the events that reads by As-User make where they make any.
// Somebody's own reads by the API make none.
func contentReads() map[string]string {
	return map[string]string{
		"files.get": "PREVIEW", "folders.get": "CONTENT_ACCESS", "folders.items": "CONTENT_ACCESS", "trash.list": "CONTENT_ACCESS",
	}
}

// tell records what a call about content did.
func (q *request) tell(rt route, rep reply) {
	if rep.err != nil || rep.drop || rep.status == http.StatusAccepted {
		return
	}
	typ := contentEvents()[rt.op]
	if typ == "" && q.owner != q.actor {
		typ = contentReads()[rt.op]
	}
	if typ == "" {
		return
	}
	it := q.w.items[q.id()]
	if rt.op == "files.upload" {
		it = q.w.itemIDs[len(q.w.itemIDs)-1]
	}
	var source any
	if it != nil {
		source = it.eventSource(q.w)
	}
	q.did(typ, source)
}

// did records what the acting user did with content. Of As-User calls that is
// the impersonated user, as far as the switch has it told at all.
func (q *request) did(typ string, source any) {
	told, impersonated := q.switches.AsUserEvents, q.owner != q.actor
	if impersonated && told != "plain" && told != "marked" {
		return
	}
	e := q.emit(q.now, typ, q.actor.id, source)
	if impersonated && told == "marked" {
		e.actionBy = q.owner.id
		e.details = map[string]any{"service_id": q.token.app.id, "service_name": q.token.app.name}
	}
}
