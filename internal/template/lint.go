package template

import (
	"go.yaml.in/yaml/v4"

	"sendoff/internal/yamlfile"
	"sendoff/schema"
)

// onlyOnce are the kinds whose proof, journal and undo a plan keeps one of.
func onlyOnce() []schema.StepKind {
	return []schema.StepKind{
		schema.StepSnapshot, schema.StepSuspend, schema.StepRevokeSessions, schema.StepReactivate, schema.StepRemoveFromGroups, schema.StepTransfer,
		schema.StepDelete,
	}
}

// linter checks what the steps of a flow mean together.
type linter struct {
	*yamlfile.Reader
	flow  Flow
	steps Steps
}

func (l linter) lint() {
	l.snapshot()
	l.once()
	l.suspend()
	l.reactivate()
	l.deletes()
	l.receivers()
	for _, s := range l.steps {
		if s.Trash == schema.TrashDiscard {
			l.Warn(s.Node, s.Path, "trash_discarded", "trashed items that did not reach the receiver are lost with the account", "write trash: keep unless that is meant")
		}
		if s.Reactivate {
			l.Warn(s.Node, s.Path, "reactivates", "a suspended account that the vendor refuses as a source is active for the time of the transfer call", "write inactive_source: park to be asked instead")
		}
	}
}

func (l linter) snapshot() {
	at := l.steps.Find(schema.StepSnapshot)
	switch {
	case at < 0:
		l.Fault(l.flow.Steps, l.flow.stepsPath(), "snapshot_missing", "there is no snapshot: without it nothing can be proven or given back", "begin with - snapshot")
	case at > 0:
		s := l.steps[at]
		l.Fault(s.Node, s.Path, "snapshot_first", "the snapshot is not the first step: it must see the account as it was", "move it to the top")
	}
}

func (l linter) once() {
	for _, k := range onlyOnce() {
		first := l.steps.Find(k)
		for i, s := range l.steps {
			if s.Known && s.Kind == k && i > first {
				l.Fault(s.Node, s.Path, "repeated", "a second "+string(k)+": a plan keeps the proof of one", "keep one of them")
			}
		}
	}
}

// suspend: what happens to an account that its holder can still use is undone
// by its holder.
func (l linter) suspend() {
	suspend := l.steps.Find(schema.StepSuspend)
	for _, k := range []schema.StepKind{schema.StepRevokeSessions, schema.StepRemoveFromGroups, schema.StepTransfer, schema.StepDelete} {
		i := l.steps.Find(k)
		if i < 0 {
			continue
		}
		s := l.steps[i]
		switch {
		case suspend > i:
			l.Fault(s.Node, s.Path, "suspend_late", string(k)+" stands before suspend: the account is still in use", "move suspend before it")
		case suspend >= 0:
		case k == schema.StepDelete:
			l.Fault(s.Node, s.Path, "suspend_missing", "delete has no suspend before it: nobody would notice in time that the account is still used", "put - suspend before it")
		case k == schema.StepTransfer:
			l.Warn(s.Node, s.Path, "suspend_missing", "the account is in use while its content moves: what is added meanwhile may stay behind", "put - suspend before it unless the person stays")
		case k == schema.StepRevokeSessions:
			l.Warn(s.Node, s.Path, "suspend_missing", "the account is not suspended: its holder can sign in again at once", "put - suspend before it unless the person stays")
		}
	}
}

// reactivate: a plan keeps one status to give back, so it changes it once.
func (l linter) reactivate() {
	if i := l.steps.Find(schema.StepReactivate); i >= 0 && l.steps.Find(schema.StepSuspend) >= 0 {
		s := l.steps[i]
		l.Fault(s.Node, s.Path, "reactivated", "the account is both suspended and reactivated: a cancel could give only one status back", "keep one of them, and make a template of its own for the other")
	}
}

func (l linter) deletes() {
	at := l.steps.Find(schema.StepDelete)
	if at < 0 {
		if l.flow.Allowed {
			l.Warn(l.flow.Allow, l.flow.AllowPath, "no_effect", "there is no delete", "remove the member")
		}
		return
	}
	s := l.steps[at]
	l.afterDelete(at)
	transfer := l.steps.Find(schema.StepTransfer)
	switch before := transfer >= 0 && transfer < at; {
	case !before && !l.flow.Allowed:
		fix := "put - transfer before it"
		if l.flow.AllowText != "" {
			fix += ", or write " + l.flow.AllowText + "; an account that owns content is then parked, not deleted"
		}
		l.Fault(s.Node, s.Path, "transfer_missing", "delete has no transfer before it: content would have nowhere to go", fix)
	case before && l.flow.Allowed:
		l.Warn(l.flow.Allow, l.flow.AllowPath, "no_effect", "there is a transfer", "remove the member")
	}
	if transfer >= 0 && transfer < at && !l.steps.Waits(transfer, at) {
		l.Warn(s.Node, s.Path, "wait_missing", "nothing is waited for between transfer and delete: a mistake cannot be taken back", "put - wait: {for: 30d} between them")
	}
	if l.flow.Approvals == 0 && !l.steps.Waits(0, at) {
		l.Warn(s.Node, s.Path, "unattended_delete", "an account is deleted without an approval and without a wait", "write approvals: 1, or put a wait before the delete")
	}
}

// afterDelete: on an account that is gone nothing can be done.
func (l linter) afterDelete(at int) {
	for _, s := range l.steps[at+1:] {
		if !s.Known || s.Kind == schema.StepDelete { // a second one was told
			continue
		}
		if s.Kind != schema.StepNotify && s.Kind != schema.StepManual {
			l.Fault(s.Node, s.Path, "after_delete", string(s.Kind)+" stands after delete: the account is gone then", "move it before the delete; notify and manual alone may follow")
		}
	}
}

func (l linter) receivers() {
	if l.steps.Find(schema.StepTransfer) >= 0 {
		return
	}
	for member, n := range map[string]*yaml.Node{"receivers": l.flow.Receivers, "archive": l.flow.Archive} {
		if n != nil {
			l.Fault(n, yamlfile.Under(l.flow.At, member), "no_transfer", l.flow.Of+" transfers nothing, so nobody receives anything", "remove the member, or add - transfer")
		}
	}
}
