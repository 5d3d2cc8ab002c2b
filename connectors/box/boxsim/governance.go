package boxsim

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// Kinds of governance policies.
const (
	policyLegalHold = "legal_hold_policy"
	policyRetention = "retention_policy"
)

// How long Box takes to apply a new legal hold and to release one, in simulated
// time. A policy that is being applied or released still holds.
const (
	holdApplies  = 10 * time.Minute
	holdReleases = 10 * time.Minute
)

// States of policies.
const (
	policyActive    = "active"
	policyApplying  = "applying"
	policyReleasing = "releasing"
	policyReleased  = "released"
	policyRetired   = "retired"
)

type policy struct {
	id, kind, name, status string
	description            string
	changesAt              time.Time // when applying or releasing is over
	createdBy              string
	createdAt, modifiedAt  time.Time
	releaseNotes           string
	policyType             string // finite or indefinite
	disposition, length    string
	retentionType          string
}

// settle ends what is being applied or released.
func (p *policy) settle(now time.Time) {
	if now.Before(p.changesAt) {
		return
	}
	switch p.status {
	case policyApplying:
		p.status = policyActive
	case policyReleasing:
		p.status = policyReleased
	}
}

// counts tells whether the policy binds anything: a retired retention policy
// still does, a released legal hold does not.
func (p *policy) counts() bool { return p.status != policyReleased }

func (s *Sim) settlePolicies(now time.Time) {
	for _, p := range s.w.policies {
		p.settle(now)
	}
	for id, a := range s.w.assignments {
		if !a.endsAt.IsZero() && !now.Before(a.endsAt) {
			delete(s.w.assignments, id)
		}
	}
}

// governed tells whether the enterprise has any policy at all, which is enough
// for Box to refuse a forced delete of content.
func (w *world) governed() bool {
	for _, p := range w.policies {
		if p.counts() {
			return true
		}
	}
	return false
}

func (s *Sim) newPolicy(kind, name, by string, now time.Time) *policy {
	p := &policy{
		id: s.w.id("policy"), kind: kind, name: name, status: policyActive, createdBy: by, createdAt: now, modifiedAt: now,
		policyType: "finite", disposition: "remove_retention", length: "365", retentionType: "modifiable",
	}
	s.w.policies[p.id] = p
	return p
}

func (p *policy) mini() map[string]any {
	return map[string]any{"type": p.kind, "id": p.id, "policy_name": p.name}
}

func policyID(p *policy) string { return p.id }

func (q *request) listPolicies(kind string) reply {
	p, err := q.paging(true)
	if err != nil {
		return failed(err)
	}
	name := strings.ToLower(q.param("policy_name"))
	var found []*policy
	for _, x := range byID(q.w.policies) {
		if x.kind == kind && strings.HasPrefix(strings.ToLower(x.name), name) {
			found = append(found, x)
		}
	}
	return ok(listing(p, found, policyID, func(x *policy) any { return q.policyView(x) }, nil))
}

func (q *request) policy(kind, id string) (*policy, *apiError) {
	if p := q.w.policies[id]; p != nil && p.kind == kind {
		return p, nil
	}
	return nil, notFound("policy_id", id)
}

func (q *request) getPolicy(kind string) reply {
	p, err := q.policy(kind, q.id())
	if err != nil {
		return failed(err)
	}
	return ok(q.policyView(p))
}

type policyBody struct {
	Name          *string `json:"policy_name"`
	Description   *string `json:"description"`
	ReleaseNotes  *string `json:"release_notes"`
	Type          *string `json:"policy_type"`
	Disposition   *string `json:"disposition_action"`
	Length        any     `json:"retention_length"`
	RetentionType *string `json:"retention_type"`
	Status        *string `json:"status"`
}

func (q *request) policyBody(kind, except string) (policyBody, *apiError) {
	var b policyBody
	if err := q.decode(&b); err != nil {
		return b, err
	}
	for _, p := range q.w.policies {
		if b.Name != nil && p.id != except && p.kind == kind && strings.EqualFold(p.name, *b.Name) {
			return b, fail(http.StatusConflict, "conflict", "A resource with this value already exists")
		}
	}
	if b.Status != nil && (kind != policyRetention || *b.Status != policyRetired) {
		return b, badRequest("status", "Invalid value '"+*b.Status+"'. A retention policy can only be retired")
	}
	return b, nil
}

func (b policyBody) apply(p *policy) {
	set(&p.name, b.Name)
	set(&p.description, b.Description)
	set(&p.releaseNotes, b.ReleaseNotes)
	set(&p.policyType, b.Type)
	set(&p.disposition, b.Disposition)
	set(&p.retentionType, b.RetentionType)
	set(&p.status, b.Status)
	switch n := b.Length.(type) {
	case string:
		p.length = n
	case float64:
		raw, err := json.Marshal(int64(n))
		if err == nil {
			p.length = string(raw)
		}
	}
}

func (q *request) createPolicy(kind string) reply {
	b, err := q.policyBody(kind, "")
	if err != nil {
		return failed(err)
	}
	if b.Name == nil || *b.Name == "" {
		return failed(badRequest("policy_name", "'policy_name' is required"))
	}
	p := q.newPolicy(kind, *b.Name, q.actor.id, q.now)
	b.apply(p)
	if kind == policyLegalHold {
		p.status, p.changesAt = policyApplying, q.now.Add(q.clock.Wall(holdApplies))
		q.emit(q.now, "LEGAL_HOLD_POLICY_CREATE", q.actor.id, p.mini())
	}
	return created(q.policyView(p))
}

func (q *request) updatePolicy(kind string) reply {
	p, err := q.policy(kind, q.id())
	if err != nil {
		return failed(err)
	}
	b, err := q.policyBody(kind, p.id)
	if err != nil {
		return failed(err)
	}
	b.apply(p)
	p.modifiedAt = q.now
	return ok(q.policyView(p))
}

// deletePolicy releases a legal hold over time, which Box answers with 202; a
// retention policy goes only once nothing is assigned to it.
func (q *request) deletePolicy(kind string) reply {
	p, err := q.policy(kind, q.id())
	if err != nil {
		return failed(err)
	}
	if kind == policyLegalHold {
		p.status, p.changesAt = policyReleasing, q.now.Add(q.clock.Wall(holdReleases))
		q.emit(q.now, "LEGAL_HOLD_POLICY_DELETE", q.actor.id, p.mini())
		return reply{status: http.StatusAccepted}
	}
	for _, a := range q.w.assignments {
		if a.policy == p.id {
			return failed(fail(http.StatusForbidden, "forbidden", "The retention policy has assignments"))
		}
	}
	delete(q.w.policies, p.id)
	return noContent()
}

func (s *Sim) policyView(p *policy) map[string]any {
	counts := map[string]any{}
	kinds := []string{"user", "folder", "file", "file_version", "ownership", "interactions"}
	if p.kind == policyRetention {
		kinds = []string{"enterprise", "folder", "metadata_template"}
	}
	for _, kind := range kinds {
		n := 0
		for _, a := range s.w.assignments {
			if a.policy == p.id && a.kind == kind {
				n++
			}
		}
		counts[kind] = n
	}
	out := map[string]any{
		"type": p.kind, "id": p.id, "policy_name": p.name, "description": p.description, "status": p.status,
		"assignment_counts": counts,
		"created_by":        s.w.miniUser(p.createdBy), "created_at": stamp(p.createdAt), "modified_at": stamp(p.modifiedAt),
	}
	if p.kind == policyRetention {
		out["policy_type"], out["retention_type"] = p.policyType, p.retentionType
		out["retention_length"], out["disposition_action"] = p.length, p.disposition
		return out
	}
	out["release_notes"] = p.releaseNotes
	return out
}
