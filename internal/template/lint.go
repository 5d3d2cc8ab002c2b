package template

import (
	"go.yaml.in/yaml/v4"

	"sendoff/schema"
)

// once are the kinds whose proof, journal and undo a plan keeps one of.
func once() []schema.StepKind {
	return []schema.StepKind{
		schema.StepSnapshot, schema.StepSuspend, schema.StepRevokeSessions, schema.StepRemoveFromGroups, schema.StepTransfer, schema.StepDelete,
	}
}

// lint checks what the steps mean together.
func (r *reader) lint(d *document) {
	if len(d.steps) == 0 {
		return
	}
	r.lintSnapshot(d)
	r.lintOnce(d)
	r.lintSuspend(d)
	r.lintDelete(d)
	r.lintReceivers(d)
	for _, s := range d.steps {
		if s.Trash == schema.TrashDiscard {
			r.warn(s.node, s.path, "trash_discarded", "trashed items that did not reach the receiver are lost with the account", "write trash: keep unless that is meant")
		}
		if s.Reactivate {
			r.warn(s.node, s.path, "reactivates", "a suspended account that the vendor refuses as a source is active for the time of the transfer call", "write inactive_source: park to be asked instead")
		}
	}
}

// find returns the place of the first step of that kind, or -1.
func (d *document) find(k schema.StepKind) int {
	for i, s := range d.steps {
		if s.ok && s.Kind == k {
			return i
		}
	}
	return -1
}

func (r *reader) lintSnapshot(d *document) {
	at := d.find(schema.StepSnapshot)
	switch {
	case at < 0:
		r.fault(d.stepList, "steps", "snapshot_missing", "there is no snapshot: without it nothing can be proven or given back", "begin with - snapshot")
	case at > 0:
		s := d.steps[at]
		r.fault(s.node, s.path, "snapshot_first", "the snapshot is not the first step: it must see the account as it was", "move it to the top")
	}
}

func (r *reader) lintOnce(d *document) {
	for _, k := range once() {
		first := d.find(k)
		for i, s := range d.steps {
			if s.ok && s.Kind == k && i > first {
				r.fault(s.node, s.path, "repeated", "a second "+string(k)+": a plan keeps the proof of one", "keep one of them")
			}
		}
	}
}

// lintSuspend: what happens to an account that its holder can still use is undone
// by its holder.
func (r *reader) lintSuspend(d *document) {
	suspend := d.find(schema.StepSuspend)
	for _, k := range []schema.StepKind{schema.StepRevokeSessions, schema.StepRemoveFromGroups, schema.StepTransfer, schema.StepDelete} {
		i := d.find(k)
		if i < 0 {
			continue
		}
		s := d.steps[i]
		switch {
		case suspend > i:
			r.fault(s.node, s.path, "suspend_late", string(k)+" stands before suspend: the account is still in use", "move suspend before it")
		case suspend >= 0:
		case k == schema.StepDelete:
			r.fault(s.node, s.path, "suspend_missing", "delete has no suspend before it: nobody would notice in time that the account is still used", "put - suspend before it")
		case k == schema.StepTransfer:
			r.warn(s.node, s.path, "suspend_missing", "the account is in use while its content moves: what is added meanwhile may stay behind", "put - suspend before it unless the person stays")
		case k == schema.StepRevokeSessions:
			r.warn(s.node, s.path, "suspend_missing", "the account is not suspended: its holder can sign in again at once", "put - suspend before it unless the person stays")
		}
	}
}

func (r *reader) lintDelete(d *document) {
	at := d.find(schema.StepDelete)
	if at < 0 {
		if d.allowDelete {
			r.warn(d.allow, "allow_delete_without_transfer", "no_effect", "there is no delete", "remove the member")
		}
		return
	}
	s := d.steps[at]
	r.afterDelete(d, at)
	transfer := d.find(schema.StepTransfer)
	switch before := transfer >= 0 && transfer < at; {
	case !before && !d.allowDelete:
		r.fault(s.node, s.path, "transfer_missing", "delete has no transfer before it: content would have nowhere to go",
			"put - transfer before it, or write allow_delete_without_transfer: true; an account that owns content is then parked, not deleted")
	case before && d.allowDelete:
		r.warn(d.allow, "allow_delete_without_transfer", "no_effect", "there is a transfer", "remove the member")
	}
	if transfer >= 0 && transfer < at && !d.waits(transfer, at) {
		r.warn(s.node, s.path, "wait_missing", "nothing is waited for between transfer and delete: a mistake cannot be taken back", "put - wait: {for: 30d} between them")
	}
	if d.template.Approvals == 0 && !d.waits(0, at) {
		r.warn(s.node, s.path, "unattended_delete", "an account is deleted without an approval and without a wait", "write approvals: 1, or put a wait before the delete")
	}
}

// waits tells whether a wait or a person's task stands between two places.
func (d *document) waits(from, to int) bool {
	for _, s := range d.steps[from:to] {
		if s.ok && (s.Kind == schema.StepWait || s.Kind == schema.StepManual) {
			return true
		}
	}
	return false
}

// afterDelete: on an account that is gone nothing can be done.
func (r *reader) afterDelete(d *document, at int) {
	for _, s := range d.steps[at+1:] {
		if !s.ok || s.Kind == schema.StepDelete { // a second one was told
			continue
		}
		if s.Kind != schema.StepNotify && s.Kind != schema.StepManual {
			r.fault(s.node, s.path, "after_delete", string(s.Kind)+" stands after delete: the account is gone then", "move it before the delete; notify and manual alone may follow")
		}
	}
}

func (r *reader) lintReceivers(d *document) {
	if d.find(schema.StepTransfer) >= 0 {
		return
	}
	for path, n := range map[string]*yaml.Node{"receivers": d.receivers, "archive": d.archive} {
		if n != nil {
			r.fault(n, path, "no_transfer", "the template transfers nothing, so nobody receives anything", "remove the member, or add - transfer")
		}
	}
}
