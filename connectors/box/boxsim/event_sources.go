package boxsim

import "time"

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
func (q *request) emitDelete(u *user) {
	source := q.w.miniUser(u.id)
	switch q.switches.DeleteEventSource {
	case "id":
		source = map[string]any{"type": "user", "id": u.id}
	case "null":
		source = nil
	}
	q.emit(q.now, "DELETE_USER", q.actor.id, source)
}

func (s *Sim) emit(at time.Time, typ, by string, source any) *event {
	e := &event{seq: int64(len(s.w.events)) + 1, typ: typ, createdBy: by, source: source, at: at}
	s.w.events = append(s.w.events, e)
	return e
}
