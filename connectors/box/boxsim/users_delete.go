package boxsim

import (
	"net/http"
	"slices"
)

// recentDays is how long an account counts as recently active.
const recentDays = 30

// deleteUser ends an account. Parameters count in the query alone; without
// force Box refuses an account that still owns content.
func (q *request) deleteUser() reply {
	u := q.w.user(q.id())
	entry := LedgerDelete{Time: q.now, User: q.id(), By: q.actor.id, Forced: q.param("force") == "true"}
	if u != nil {
		running := q.jobsOf(u.id)
		if len(running) > 0 {
			u.deletesWhileJobRan++
		}
		entry.JobRunning, entry.UnderLegalHold = len(running) > 0, q.w.userHeld(u)
	}
	rep := noContent()
	if err := q.deleteError(entry.Forced); err != nil {
		rep = failed(err)
		entry.Status = err.Status
	} else {
		entry.Status = rep.status
		q.removeUser(u, &entry)
	}
	q.w.deletes = append(q.w.deletes, entry)
	return rep
}

// deleteError says why the account is not deleted.
func (q *request) deleteError(force bool) *apiError {
	u, err := q.known(q.id())
	if err != nil {
		return err
	}
	switch {
	case u.role == roleAdmin || u.service || u == q.actor:
		return q.adminRefusal("You cannot delete this user")
	case u.external:
		return denied()
	}
	if err := q.mayManage(u); err != nil {
		return err
	}
	if status := chosen(q.switches.HeldDeleteAnswer, 0); status != 0 && q.w.userHeld(u) {
		return refusal(status, "User cannot be deleted due to a legal hold")
	}
	if !force {
		return q.contentError(u)
	}
	if len(u.owned) > 0 && q.w.governed() {
		return fail(http.StatusForbidden, "forbidden",
			"User cannot be deleted due to retention policies. Please transfer user content first")
	}
	return nil
}

// contentError is Box's last guard of content, with the doubts about it as
// switches.
func (q *request) contentError(u *user) *apiError {
	managed := fail(http.StatusBadRequest, "bad_request", "User has managed content")
	moving := map[string]bool{}
	for _, j := range q.jobsOf(u.id) {
		if q.switches.DeleteIgnoresRunningJob {
			for _, step := range j.steps {
				moving[step.item.id] = true
			}
		} else if j.source == u.id {
			return q.runningError(managed)
		}
	}
	content, retained := q.ownedContent(u, moving)
	switch {
	case content, len(q.w.workflowsOf(u.id)) > 0 && !q.switches.DeleteIgnoresWorkflows:
		return managed
	case retained && q.switches.RetainedDeleteAnswer == "403":
		return fail(http.StatusForbidden, "forbidden", "You do not have permission to delete managed users")
	case retained:
		return managed
	}
	return q.recentError(u)
}

// ownedContent tells whether the account owns content that counts, and whether
// it owns retained items besides.
func (q *request) ownedContent(u *user, moving map[string]bool) (content, retained bool) {
	for _, it := range u.owned {
		switch {
		case moving[it.id]:
		case q.w.retains(it):
			retained = true
		case it.state == stateTrashed && q.switches.DeleteIgnoresTrash:
		case it.size == 0 && q.switches.DeleteIgnoresZeroByte && !q.holdsBytes(it):
		default:
			content = true
		}
	}
	return content, retained
}

func (q *request) runningError(managed *apiError) *apiError {
	switch q.switches.RunningDeleteAnswer {
	case "403":
		return fail(http.StatusForbidden, "forbidden", "User is locked")
	case "409":
		return blocked()
	}
	return managed
}

// recentError refuses who was active or joined lately, as Box's document said
// for half a year.
func (q *request) recentError(u *user) *apiError {
	status := chosen(q.switches.RecentlyActiveAnswer, 0)
	since := q.now.Add(-recentDays * day)
	if status == 0 || u.lastLogin.Before(since) && u.createdAt.Before(since) {
		return nil
	}
	return refusal(status, "User was recently active")
}

// holdsBytes tells whether a folder has a file of more than zero bytes in it.
func (q *request) holdsBytes(it *item) bool {
	return it.typ == typeFolder && q.w.folderBytes(it) > 0
}

func (q *request) removeUser(u *user, entry *LedgerDelete) {
	cause := "delete"
	if entry.Forced {
		cause = "forced_delete"
	}
	for _, j := range q.jobsOf(u.id) {
		q.endJob(j, q.now, false)
	}
	for _, it := range byID(u.owned) {
		if it.state != stateDestroyed && it.owner == u.id {
			entry.count(q.w.destroy(it, cause, q.now))
		}
	}
	for _, f := range q.w.workflowsOf(u.id) {
		f.destroyedBy = cause
		entry.WorkflowsDestroyed++
	}
	// Collaborations of the leaver go; so do those on single files that once
	// were the leaver's, which a transfer only keeps until now.
	q.w.dropCollabs(func(c *collaboration) bool {
		it := q.w.items[c.item]
		return c.user == u.id || it != nil && it.typ == typeFile && slices.Contains(it.formerOwners, u.id)
	})
	for _, m := range slices.Clone(q.w.groupsOf[u.id]) {
		q.w.leave(m)
	}
	q.dropTokens(u.id)
	u.deleted = true
	q.emitDelete(u, q.actor.id, q.now)
	q.log.Info("account deleted", "user", u.id, "cause", cause)
}
