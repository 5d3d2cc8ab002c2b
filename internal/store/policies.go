package store

import (
	"context"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// policyRow is a policy with what only the store needs of it.
type policyRow struct {
	schema.Policy
	// Withdrawn is a policy that is paused because its file left its set.
	Withdrawn bool
	UpdatedID schema.TokenID // of who applied the version
}

// selectPolicies reads policies p with one of their versions v.
const selectPolicies = `select p.id, p.name, v.version, v.rule, v.hash, v.source, p.set_name as "set", p.state, p.pause_reason, p.paused_by,
		exists (select 1 from alarm a where a.policy_id = p.id and a.code = 'REVIEW_FAILED' and a.cleared_at is null) as stopped,
		p.acted, v.updated_by, v.updated_at, p.created_at, p.withdrawn, v.updated_id
	from policy p join policy_version v on v.policy_id = p.id`

const presentVersion = ` and v.version = p.version`

func plainPolicies(rows []policyRow) []schema.Policy {
	list := make([]schema.Policy, len(rows))
	for i, r := range rows {
		list[i] = r.Policy
	}
	return list
}

// Policies lists policies by name. The cursor is the last name of the page before.
func (s *Store) Policies(ctx context.Context, f schema.PolicyFilter) ([]schema.Policy, string, error) {
	if err := checkLimit(f.Limit, maxPage); err != nil {
		return nil, "", err
	}
	where, a := ` where p.name > @after`, args{"after": f.After, "limit": f.Limit + 1}
	if f.State != "" {
		where, a["state"] = where+` and p.state = @state`, f.State
	}
	if f.Set != "" {
		where, a["set"] = where+` and p.set_name = @set`, f.Set
	}
	rows, err := all[policyRow](ctx, s.pool, selectPolicies+presentVersion+where+` order by p.name limit @limit`, a)
	list := plainPolicies(rows)
	if err != nil || len(list) <= f.Limit {
		return list, "", translate("list policies", err)
	}
	return list[:f.Limit], list[f.Limit-1].Name, nil
}

// Policy returns the policy of a name or id, as it is now.
func (s *Store) Policy(ctx context.Context, ref string) (schema.Policy, error) {
	p, err := findPolicy(ctx, s.pool, ref)
	return p.Policy, translate("read policy", err)
}

// findPolicy returns the policy of a name or id, as it is now.
func findPolicy(ctx context.Context, q querier, ref string) (policyRow, error) {
	match := ` where p.name = @ref`
	if uuid.Validate(ref) == nil {
		match = ` where p.id = @ref::text::uuid`
	}
	p, ok, err := maybe[policyRow](ctx, q, selectPolicies+presentVersion+match, args{"ref": ref})
	if err == nil && !ok {
		err = noPolicy(ref)
	}
	return p, err
}

func noPolicy(ref string) error {
	return &schema.Error{Code: schema.CodeNotFound, Message: "there is no policy " + ref, Fix: "sendoff policy list shows all policies"}
}

// lockPolicy locks the policy of a name or id and reads it. The read is a statement
// of its own, because only that sees the version that came with the lock.
func (t *tx) lockPolicy(ctx context.Context, ref string) (policyRow, error) {
	p, err := findPolicy(ctx, t, ref)
	if err != nil {
		return p, err
	}
	if err := t.run(ctx, `select 1 from policy where id = @id for no key update`, args{"id": p.ID}); err != nil {
		return p, err
	}
	return findPolicy(ctx, t, string(p.ID))
}

// PolicyAt returns a policy as it was at a version: its state is that of now.
func (s *Store) PolicyAt(ctx context.Context, id schema.PolicyID, version int) (schema.Policy, error) {
	p, err := policyAt(ctx, s.pool, id, version)
	return p.Policy, translate("read policy", err)
}

func policyAt(ctx context.Context, q querier, id schema.PolicyID, version int) (policyRow, error) {
	p, ok, err := maybe[policyRow](ctx, q, selectPolicies+` where p.id = @id and v.version = @version`, args{"id": id, "version": version})
	if err == nil && !ok {
		err = noPolicy(string(id) + " version " + strconv.Itoa(version))
	}
	return p, err
}

// PolicyHistory lists the versions of a policy, newest first. The cursor is the
// last version of the page before.
func (s *Store) PolicyHistory(ctx context.Context, ref, after string, limit int) ([]schema.Policy, string, error) {
	if err := checkLimit(limit, maxPage); err != nil {
		return nil, "", err
	}
	p, err := findPolicy(ctx, s.pool, ref)
	if err != nil {
		return nil, "", translate("read policy", err)
	}
	before := p.Version + 1
	if after != "" {
		if before, err = strconv.Atoi(after); err != nil {
			return nil, "", &schema.Error{
				Code: schema.CodeInvalid, Message: "the list cannot be continued there: the cursor is none of ours",
				Fix: "pass the cursor of the page before, unchanged",
			}
		}
	}
	rows, err := all[policyRow](ctx, s.pool, selectPolicies+` where p.id = @id and v.version < @before order by v.version desc limit @limit`,
		args{"id": p.ID, "before": before, "limit": limit + 1})
	list := plainPolicies(rows)
	if err != nil || len(list) <= limit {
		return list, "", translate("list versions of a policy", err)
	}
	return list[:limit], strconv.Itoa(list[limit-1].Version), nil
}

// SetPolicyState pauses or resumes a policy by somebody's word: a file that comes
// back does not resume it. Resuming also lets a schedule go on that a failed run
// has stopped. CodeConflict for one that is paused already.
func (s *Store) SetPolicyState(ctx context.Context, ref string, state schema.PolicyState, reason string, by schema.Principal) (schema.Policy, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.Policy{}, err
	}
	if state != schema.PolicyActive && state != schema.PolicyPaused {
		return schema.Policy{}, &schema.Error{Code: schema.CodeInvalid, Message: "a policy is active or paused, not " + strconv.Quote(string(state))}
	}
	if strings.TrimSpace(reason) == "" {
		return schema.Policy{}, &schema.Error{Code: schema.CodeInvalid, Message: "a policy is paused and resumed with a reason", Fix: "say why"}
	}
	var p policyRow
	err := s.inTx(ctx, "change policy", func(ctx context.Context, t *tx) (err error) {
		if p, err = t.lockPolicy(ctx, ref); err != nil {
			return err
		}
		return t.setPolicyState(ctx, &p, state, reason, by)
	})
	return p.Policy, err
}

func (t *tx) setPolicyState(ctx context.Context, p *policyRow, state schema.PolicyState, reason string, by schema.Principal) error {
	action := "policy.resumed"
	switch {
	case state == schema.PolicyActive:
		p.PauseReason, p.PausedBy, p.Stopped = "", "", false
		if err := t.clearPolicyAlarm(ctx, p.ID, schema.AlarmReviewFailed); err != nil {
			return err
		}
	case p.State == schema.PolicyPaused && !p.Withdrawn:
		return conflict("policy "+p.Name+" is paused already", "")
	default:
		action, p.PauseReason, p.PausedBy = "policy.paused", reason, by.Name
	}
	t.recordPolicy(*p, principal(by), action, map[string]string{"from": string(p.State), "reason": reason})
	p.State, p.Withdrawn = state, false
	return t.savePolicy(ctx, *p)
}

// savePolicy stores what changes of a locked policy, and lets its schedule be
// brought in line.
func (t *tx) savePolicy(ctx context.Context, p policyRow) error {
	err := t.changeOne(ctx, `update policy set version = @version, set_name = @set, state = @state, pause_reason = @reason, paused_by = @by,
			withdrawn = @withdrawn, acted = @acted, updated_at = @now where id = @id`,
		args{
			"id": p.ID, "version": p.Version, "set": p.Set, "state": p.State, "reason": p.PauseReason, "by": p.PausedBy,
			"withdrawn": p.Withdrawn, "acted": p.Acted, "now": t.now,
		})
	if err != nil {
		return err
	}
	return t.enqueue(ctx, schema.OutboxRow{Kind: schema.OutboxPolicy, PolicyID: p.ID})
}

// recordPolicy appends an event about a policy to its stream. The text of its file
// is never among the details: it holds addresses, and the log is for ever.
func (t *tx) recordPolicy(p policyRow, actor audit.Actor, action string, details map[string]string) {
	t.record(audit.PolicyStream(string(p.ID)), actor, action, audit.Subject{PolicyID: string(p.ID)},
		with(details, "name", p.Name, "version", strconv.Itoa(p.Version), "hash", p.Hash, "set", p.Set))
}

// clearPolicyAlarm ends the open alarm of that code about a policy, if there is one.
func (t *tx) clearPolicyAlarm(ctx context.Context, id schema.PolicyID, code string) error {
	return t.run(ctx, `update alarm set cleared_at = @now
		where connection_id is null and source_id is null and policy_id = @policy and code = @code and cleared_at is null`,
		args{"now": t.now, "policy": id, "code": code})
}

// policyTemplate returns what plans of a policy are made from, and whether the name
// is that of one: version 0 is the present one.
func (s *Store) policyTemplate(ctx context.Context, name string, version int) (schema.Template, bool, error) {
	policy, ok := strings.CutPrefix(name, schema.PolicyTemplatePrefix)
	if !ok {
		return schema.Template{}, false, nil
	}
	which, a := presentVersion, args{"name": policy}
	if version > 0 {
		which, a["version"] = ` and v.version = @version`, version
	}
	p, found, err := maybe[policyRow](ctx, s.pool, selectPolicies+which+` where p.name = @name`, a)
	if err == nil && !found {
		err = notFound("template", name)
	}
	return p.Template(), true, translate("read template", err)
}
