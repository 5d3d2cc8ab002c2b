package boxsim

import (
	"strconv"
	"time"
)

// userSource is the source of an event about a user.
type userSource string

// pastItem is the source of an event about a file, which a big company has in
// its events alone.
type pastItem struct {
	number int64
	owner  string
}

// appendSource writes what an event is about.
func (w *world) appendSource(b []byte, source any) []byte {
	switch x := source.(type) {
	case nil:
		return append(b, "null"...)
	case userSource:
		return w.appendMini(b, string(x))
	case pastItem:
		id := strconv.FormatInt(x.number, 10)
		b = append(b, `{"item_type":"file","item_id":"`...)
		b = append(b, id...)
		b = append(b, `","item_name":"Document `...)
		b = append(b, id...)
		b = append(b, `.docx","parent":{"type":"folder","id":"0","etag":null,"name":"All Files"},"owned_by":`...)
		b = w.appendMini(b, x.owner)
		return append(b, '}')
	}
	return appendJSON(b, source)
}

// eventSource is the short form in which events tell of an item.
func (it *item) eventSource(w *world) any {
	return map[string]any{
		"item_type": string(it.typ), "item_id": it.id, "item_name": it.name,
		"parent": rootMini(), "owned_by": w.miniUser(it.owner),
	}
}

// emitEdit records that an account was changed. Box's event does not have to
// say what changed.
func (q *request) emitEdit(u *user, statusBefore string) {
	e := q.emit(q.now, "EDIT_USER", q.actor.id, q.w.miniUser(u.id))
	if q.switches.EditEventDetails && u.status != statusBefore {
		e.details = map[string]any{"old_status": statusBefore, "new_status": u.status}
	}
}

// emitDelete records the end of an account, whose id no longer resolves.
func (s *Sim) emitDelete(u *user, by string, now time.Time) {
	source := s.w.miniUser(u.id)
	switch s.switches.DeleteEventSource {
	case "id":
		source = map[string]any{"type": "user", "id": u.id}
	case "null":
		source = nil
	}
	s.emit(now, "DELETE_USER", by, source)
}

func (s *Sim) emit(at time.Time, typ, by string, source any) *event {
	return s.w.log.record(event{typ: typ, createdBy: by, source: source, at: at, arrived: at})
}
