package boxsim

import (
	"net/http"
	"slices"
	"time"
)

// forcedDelete is a delete that was sent with force=true.
type forcedDelete struct {
	Time   time.Time `json:"time"`
	User   string    `json:"user"`
	Status int       `json:"status"`
}

// deleteUser ends an account. Parameters count in the query alone; without
// force Box refuses an account that still owns content.
func (q *request) deleteUser() reply {
	rep := q.decideDelete()
	if q.param("force") == "true" {
		status := rep.status
		if rep.err != nil {
			status = rep.err.Status
		}
		q.w.forced = append(q.w.forced, forcedDelete{Time: q.now, User: q.id(), Status: status})
	}
	return rep
}

func (q *request) decideDelete() reply {
	u := q.w.user(q.id())
	if u == nil {
		return failed(notFound("user", q.id()))
	}
	running := q.jobsOf(u.id)
	if len(running) > 0 {
		u.deletesWhileJobRan++
	}
	if u.role == roleAdmin || u.service || u == q.actor {
		return failed(denied())
	}
	if err := q.mayManage(u); err != nil {
		return failed(err)
	}
	switch {
	case q.param("force") != "true":
		if q.hasManagedContent(u, running) {
			return failed(fail(http.StatusBadRequest, "bad_request", "User has managed content"))
		}
	case len(u.owned) > 0 && q.w.governed():
		return failed(fail(http.StatusForbidden, "forbidden",
			"User cannot be deleted due to retention policies. Please transfer user content first"))
	}
	q.removeUser(u)
	return noContent()
}

// hasManagedContent is Box's last guard, with the doubts about it as switches.
func (q *request) hasManagedContent(u *user, running []*job) bool {
	moving := map[string]bool{}
	for _, j := range running {
		if q.switches.DeleteIgnoresRunningJob {
			for _, step := range j.steps {
				moving[step.item.id] = true
			}
		} else if j.source == u.id {
			return true
		}
	}
	for _, it := range u.owned {
		switch {
		case moving[it.id]:
		case q.w.retains(it):
			return true
		case it.state == stateTrashed && q.switches.DeleteIgnoresTrash:
		case it.size == 0 && q.switches.DeleteIgnoresZeroByte && !q.holdsBytes(it):
		default:
			return true
		}
	}
	return false
}

// holdsBytes tells whether a folder has a file of more than zero bytes in it.
func (q *request) holdsBytes(it *item) bool {
	return it.typ == typeFolder && q.w.folderBytes(it) > 0
}

func (q *request) removeUser(u *user) {
	cause := "delete"
	if q.param("force") == "true" {
		cause = "forced_delete"
	}
	for _, j := range q.jobsOf(u.id) {
		q.endJob(j, q.now)
	}
	for _, it := range byID(u.owned) {
		if it.state != stateDestroyed && it.owner == u.id {
			q.w.destroy(it, cause, q.now)
		}
	}
	// Collaborations of the leaver go; so do those on single files that once
	// were the leaver's, which a transfer only keeps until now.
	q.w.dropCollabs(func(c *collaboration) bool {
		it := q.w.items[c.item]
		return c.user == u.id || it != nil && it.typ == typeFile && slices.Contains(it.formerOwners, u.id)
	})
	for id, m := range q.w.memberships {
		if m.user == u.id {
			delete(q.w.memberships, id)
		}
	}
	for value, t := range q.tokens {
		if t.user == u.id {
			delete(q.tokens, value)
		}
	}
	u.deleted = true
	q.emit(q.now, "DELETE_USER", q.actor.id, q.w.miniUser(u.id))
	q.log.Info("account deleted", "user", u.id, "cause", cause)
}
