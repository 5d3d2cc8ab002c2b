package store

import (
	"context"
	"strings"

	"sendoff/schema"
)

// policyRow is a policy with what only the store needs of it.
type policyRow struct {
	schema.Policy
	// Withdrawn is a policy that is paused because its file left its set.
	Withdrawn bool
	UpdatedID schema.TokenID // of who applied the version
}

func (p policyRow) definition() definition[schema.PolicyRule] {
	return definition[schema.PolicyRule]{
		string(p.ID), p.Name, p.Version, p.Rule, p.Hash, p.Source, p.Set, p.State, p.PauseReason, p.PausedBy, p.Withdrawn,
		p.UpdatedBy, p.UpdatedID, p.UpdatedAt, p.CreatedAt,
	}
}

// with also begins a new cold start where what the policy takes or does is new: its
// first run reports, unless the file says that it acts.
func (p policyRow) with(d definition[schema.PolicyRule]) policyRow {
	if !d.Rule.TakesAs(p.Rule) {
		p.Acted = 0
	}
	return policyRow{
		schema.Policy{
			ID: schema.PolicyID(d.ID), Name: d.Name, Version: d.Version, Rule: d.Rule, Hash: d.Hash, Source: d.Source, Set: d.Set, State: d.State,
			PauseReason: d.PauseReason, PausedBy: d.PausedBy, Stopped: p.Stopped, Acted: p.Acted,
			UpdatedBy: d.UpdatedBy, UpdatedAt: d.UpdatedAt, CreatedAt: d.CreatedAt,
		},
		d.Withdrawn, d.UpdatedID,
	}
}

func (p policyRow) plain() schema.Policy { return p.Policy }

func policies() definitions[policyRow, schema.PolicyRule] {
	return definitions[policyRow, schema.PolicyRule]{
		one: "policy", a: "a policy", many: "policies", shownBy: "sendoff policy list", table: "policy", reference: "policy_id", action: "policy",
		alarmed: `policy_id = @id`,
		own:     `exists (select 1 from alarm a where a.policy_id = d.id and a.code = 'REVIEW_FAILED' and a.cleared_at is null) as stopped, d.acted`,
		says:    func(r schema.PolicyRule) (string, []string) { return r.Name, r.Connections },
		tells: func(id string) schema.OutboxRow {
			return schema.OutboxRow{Kind: schema.OutboxPolicy, PolicyID: schema.PolicyID(id)}
		},
		changed: func(ctx context.Context, t *tx, before, after policyRow) error {
			if before.Acted == after.Acted {
				return nil
			}
			return t.changeOne(ctx, `update policy set acted = @acted where id = @id`, args{"id": after.ID, "acted": after.Acted})
		},
	}
}

// Policies lists policies by name. The cursor is the last name of the page before.
func (s *Store) Policies(ctx context.Context, f schema.PolicyFilter) ([]schema.Policy, string, error) {
	rows, next, err := policies().list(ctx, s.pool, f)
	return each(rows, policyRow.plain), next, err
}

// Policy returns the policy of a name or id, as it is now.
func (s *Store) Policy(ctx context.Context, ref string) (schema.Policy, error) {
	p, err := findPolicy(ctx, s.pool, ref)
	return p.Policy, translate("read policy", err)
}

func findPolicy(ctx context.Context, q querier, ref string) (policyRow, error) {
	return policies().find(ctx, q, ref)
}

func (t *tx) lockPolicy(ctx context.Context, ref string) (policyRow, error) {
	return policies().lock(ctx, t, ref)
}

// PolicyAt returns a policy as it was at a version: its state is that of now.
func (s *Store) PolicyAt(ctx context.Context, id schema.PolicyID, version int) (schema.Policy, error) {
	p, err := policyAt(ctx, s.pool, id, version)
	return p.Policy, translate("read policy", err)
}

func policyAt(ctx context.Context, q querier, id schema.PolicyID, version int) (policyRow, error) {
	return policies().at(ctx, q, string(id), version)
}

// PolicyHistory lists the versions of a policy, newest first. The cursor is the
// last version of the page before.
func (s *Store) PolicyHistory(ctx context.Context, ref, after string, limit int) ([]schema.Policy, string, error) {
	rows, next, err := policies().history(ctx, s.pool, ref, after, limit)
	return each(rows, policyRow.plain), next, err
}

// SetPolicyState pauses or resumes a policy by somebody's word: a file that comes
// back does not resume it. Resuming also lets a schedule go on that a failed run
// has stopped. CodeConflict for one that is paused already.
func (s *Store) SetPolicyState(ctx context.Context, ref string, state schema.PolicyState, reason string, by schema.Principal) (schema.Policy, error) {
	p, err := policies().setState(ctx, s, ref, state, reason, by)
	return p.Policy, err
}

// ApplyPolicies makes what the files say so, all of them or none, and returns what
// changed: the files in their order, then the policies that were withdrawn, by name.
// CodeHashDiffers when something else would change than what was confirmed.
func (s *Store) ApplyPolicies(ctx context.Context, a schema.ApplyPolicies, by schema.Principal) ([]schema.AppliedPolicy, error) {
	changes, err := policies().apply(ctx, s, applying[policyRow, schema.PolicyRule]{
		set: a.Set, dryRun: a.DryRun,
		files: each(a.Files, func(f schema.PolicyFile) definitionFile[schema.PolicyRule] {
			return definitionFile[schema.PolicyRule](f)
		}),
		confirm: func(changes []change[policyRow, schema.PolicyRule]) error {
			if a.Confirm == "" || a.Confirm == schema.ConfirmOf(a.Set, appliedPolicies(changes)) {
				return nil
			}
			return &schema.Error{
				Code: schema.CodeHashDiffers, Message: "something else would change than what was confirmed; nothing was changed",
				Fix: "look at the difference again, then confirm that",
			}
		},
	}, by)
	if err != nil {
		return nil, err
	}
	return appliedPolicies(changes), nil
}

// appliedPolicies is what changes are for whoever asked for them.
func appliedPolicies(changes []change[policyRow, schema.PolicyRule]) []schema.AppliedPolicy {
	out := make([]schema.AppliedPolicy, 0, len(changes))
	for _, c := range changes {
		if c.what != "" {
			out = append(out, schema.AppliedPolicy{Name: c.after.Name, Change: c.what, Policy: c.row.with(c.after).Policy, Before: c.replaced()})
		}
	}
	return out
}

func (t *tx) clearPolicyAlarm(ctx context.Context, id schema.PolicyID, code string) error {
	return policies().clearAlarm(ctx, t, string(id), code)
}

// policyTemplate returns what plans of a policy are made from, and whether the name
// is that of one: version 0 is the present one.
func (s *Store) policyTemplate(ctx context.Context, name string, version int) (schema.Template, bool, error) {
	policy, ok := strings.CutPrefix(name, schema.PolicyTemplatePrefix)
	if !ok {
		return schema.Template{}, false, nil
	}
	which, a := present, args{"name": policy}
	if version > 0 {
		which, a["version"] = ` and v.version = @version`, version
	}
	p, found, err := maybe[policyRow](ctx, s.pool, policies().selects(which+` where d.name = @name`), a)
	if err == nil && !found {
		err = notFound("template", name)
	}
	return p.Template(), true, translate("read template", err)
}
