package boxsim

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// assignment says what a policy covers.
type assignment struct {
	id, policy, kind, target string
	by                       string
	at                       time.Time
	endsAt                   time.Time // zero: not being taken away
}

func holdKinds() []string {
	return []string{"file", "file_version", "folder", "user", "ownership", "interactions"}
}

func retentionKinds() []string { return []string{"enterprise", "folder", "metadata_template"} }

// covers tells whether an assignment reaches an item. A custodian hold covers
// all that the custodian owns.
func (w *world) covers(a *assignment, it *item) bool {
	switch a.kind {
	case "user", "ownership":
		return it.owner == a.target
	case "interactions":
		return false
	case "file":
		return it.id == a.target
	case "file_version":
		return it.typ == typeFile && it.version()["id"] == a.target
	case "folder":
		return it.id == a.target || slices.ContainsFunc(w.ancestors(it), func(x *item) bool { return x.id == a.target })
	case "enterprise":
		return true
	}
	return false
}

// held tells whether a legal hold covers an item.
func (w *world) held(it *item) bool { return w.covered(it, policyLegalHold) }

// retains tells whether an item is under retention.
func (w *world) retains(it *item) bool { return it.retained || w.covered(it, policyRetention) }

func (w *world) covered(it *item, kind string) bool {
	for _, a := range w.assignments {
		if p := w.policies[a.policy]; p != nil && p.kind == kind && p.counts() && w.covers(a, it) {
			return true
		}
	}
	return false
}

// userHeld tells whether a legal hold names the account or covers something it
// owns.
func (w *world) userHeld(u *user) bool {
	custodian := []string{"user", "ownership", "interactions"}
	for _, a := range w.assignments {
		p := w.policies[a.policy]
		if p == nil || p.kind != policyLegalHold || !p.counts() {
			continue
		}
		if slices.Contains(custodian, a.kind) && a.target == u.id {
			return true
		}
		for _, it := range u.owned {
			if w.covers(a, it) {
				return true
			}
		}
	}
	return false
}

func assignmentID(a *assignment) string { return a.id }

func (q *request) listHolds() reply {
	p, err := q.policy(policyLegalHold, q.param("policy_id"))
	if err != nil {
		if q.param("policy_id") == "" {
			err = badRequest("policy_id", "'policy_id' is required")
		}
		return failed(err)
	}
	kind, id := q.param("assign_to_type"), q.param("assign_to_id")
	if kind != "" && !slices.Contains(holdKinds(), kind) {
		return failed(badRequest("assign_to_type", "Invalid value '"+kind+"'"))
	}
	return q.assignmentPage(func(a *assignment) bool {
		return a.policy == p.id && (kind == "" || a.kind == kind) && (id == "" || a.target == id)
	})
}

func (q *request) listRetentions() reply {
	p, err := q.policy(policyRetention, q.id())
	if err != nil {
		return failed(err)
	}
	kind := q.param("type")
	if kind != "" && !slices.Contains(retentionKinds(), kind) {
		return failed(badRequest("type", "Invalid value '"+kind+"'"))
	}
	return q.assignmentPage(func(a *assignment) bool { return a.policy == p.id && (kind == "" || a.kind == kind) })
}

func (q *request) assignmentPage(match func(*assignment) bool) reply {
	p, err := q.paging(true)
	if err != nil {
		return failed(err)
	}
	var found []*assignment
	for _, a := range byID(q.w.assignments) {
		if match(a) {
			found = append(found, a)
		}
	}
	asked := q.fields()
	return ok(listing(p, found, assignmentID, func(a *assignment) any {
		full := q.assignmentView(a)
		if asked == nil {
			return full
		}
		return pick(full, userBase(), nil, asked)
	}, nil))
}

func (s *Sim) assignmentView(a *assignment) map[string]any {
	p := s.w.policies[a.policy]
	target := map[string]any{"type": a.kind, "id": nilIfBlank(a.target)}
	return map[string]any{
		"type": p.kind + "_assignment", "id": a.id, p.kind: p.mini(), "assigned_to": target,
		"assigned_by": s.w.miniUser(a.by), "assigned_at": stamp(a.at),
	}
}

func nilIfBlank(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (q *request) createAssignment(kind string) reply {
	var b struct {
		Policy string `json:"policy_id"`
		To     struct {
			Type string `json:"type"`
			ID   string `json:"id"`
		} `json:"assign_to"`
	}
	if err := q.decode(&b); err != nil {
		return failed(err)
	}
	p, err := q.policy(kind, b.Policy)
	if err != nil {
		return failed(err)
	}
	if problem := q.checkTarget(kind, b.To.Type, b.To.ID); problem != "" {
		return failed(badRequest("assign_to", problem))
	}
	for _, a := range q.w.assignments {
		if a.policy == p.id && a.kind == b.To.Type && a.target == b.To.ID {
			return failed(fail(http.StatusConflict, "conflict", "A resource with this value already exists"))
		}
	}
	a := q.assign(p, b.To.Type, b.To.ID, q.actor.id, q.now)
	if kind == policyLegalHold {
		p.status, p.changesAt = policyApplying, q.now.Add(q.clock.Wall(holdApplies))
		q.emit(q.now, "LEGAL_HOLD_ASSIGNMENT_CREATE", q.actor.id, p.mini())
	}
	return created(q.assignmentView(a))
}

func (s *Sim) assign(p *policy, kind, target, by string, now time.Time) *assignment {
	a := &assignment{id: s.w.id("assignment"), policy: p.id, kind: kind, target: target, by: by, at: now}
	s.w.assignments[a.id] = a
	return a
}

// checkTarget says what is wrong with the target of an assignment.
func (s *Sim) checkTarget(policyKind, kind, id string) string {
	kinds := holdKinds()
	if policyKind == policyRetention {
		kinds = retentionKinds()
	}
	found := true
	switch kind {
	case "user", "ownership", "interactions":
		found = s.w.user(id) != nil
	case "file", "folder":
		it := s.w.items[id]
		found = it != nil && string(it.typ) == kind && it.state != stateDestroyed
	}
	switch {
	case !slices.Contains(kinds, kind):
		return fmt.Sprintf("Invalid value '%s' of the type", kind)
	case !found:
		return fmt.Sprintf("%s '%s' not found", kind, id)
	}
	return ""
}

func (q *request) assignment(kind string) (*assignment, *apiError) {
	a := q.w.assignments[q.id()]
	if a == nil || q.w.policies[a.policy].kind != kind {
		return nil, notFound("assignment_id", q.id())
	}
	return a, nil
}

func (q *request) getAssignment(kind string) reply {
	a, err := q.assignment(kind)
	if err != nil {
		return failed(err)
	}
	return ok(q.assignmentView(a))
}

// deleteAssignment takes a hold away over time: until then it is listed and
// holds. A retention ends at once.
func (q *request) deleteAssignment(kind string) reply {
	a, err := q.assignment(kind)
	if err != nil {
		return failed(err)
	}
	if kind == policyRetention {
		delete(q.w.assignments, a.id)
		return noContent()
	}
	a.endsAt = q.now.Add(q.clock.Wall(holdReleases))
	q.emit(q.now, "LEGAL_HOLD_ASSIGNMENT_DELETE", q.actor.id, q.w.policies[a.policy].mini())
	return reply{status: http.StatusAccepted}
}

func (q *request) coveredFiles(kind string) reply {
	a, err := q.assignment(kind)
	if err != nil {
		return failed(err)
	}
	var found []*item
	for _, it := range byID(q.w.items) {
		if it.typ == typeFile && it.state != stateDestroyed && q.w.covers(a, it) {
			found = append(found, it)
		}
	}
	p, err := q.paging(true)
	if err != nil {
		return failed(err)
	}
	return ok(listing(p, found, itemID, func(it *item) any { return it.mini() }, nil))
}
