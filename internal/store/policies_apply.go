package store

import (
	"context"
	"slices"

	"sendoff/schema"
)

// ApplyPolicies makes what the files say so, all of them or none, and returns what
// changed: the files in their order, then the policies that were withdrawn, by name.
//
// A rule that is as it was makes no version, and the stored text stays the one that
// the version was applied with: texts that differ in nothing but comments are one
// version. A policy belongs to the set it was applied with last; one of another set
// is refused unless its file left that set. A policy that somebody paused stays
// paused: when its file leaves the set, it belongs to none. CodeHashDiffers when
// something else would change than what was confirmed.
func (s *Store) ApplyPolicies(ctx context.Context, a schema.ApplyPolicies, by schema.Principal) ([]schema.AppliedPolicy, error) {
	if err := checkPrincipal(by); err != nil {
		return nil, err
	}
	if err := checkPolicyFiles(a.Files); err != nil {
		return nil, err
	}
	var changes []policyChange
	var out []schema.AppliedPolicy
	err := s.inTx(ctx, "apply policies", func(ctx context.Context, t *tx) (err error) {
		if err = t.lockKey(ctx, "policies"); err != nil {
			return err
		}
		if changes, err = t.planPolicies(ctx, a, by); err != nil {
			return err
		}
		if out = appliedOf(changes); a.Confirm != "" && a.Confirm != schema.ConfirmOf(a.Set, out) {
			return &schema.Error{
				Code: schema.CodeHashDiffers, Message: "something else would change than what was confirmed; nothing was changed",
				Fix: "look at the difference again, then confirm that",
			}
		}
		if a.DryRun {
			return nil
		}
		for i := range changes {
			if err := t.applyPolicy(ctx, &changes[i], by); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return appliedOf(changes), nil
}

// appliedOf is what changes are for whoever asked for them.
func appliedOf(changes []policyChange) []schema.AppliedPolicy {
	out := make([]schema.AppliedPolicy, 0, len(changes))
	for _, c := range changes {
		if c.change != "" {
			out = append(out, schema.AppliedPolicy{Name: c.after.Name, Change: c.change, Policy: c.after.Policy, Before: c.replaced()})
		}
	}
	return out
}

func checkPolicyFiles(files []schema.PolicyFile) error {
	var problems []schema.Problem
	seen := map[string]bool{}
	for _, f := range files {
		switch name := f.Rule.Name; {
		case name == "":
			problems = append(problems, schema.Problem{Message: "a policy has no name", Fix: "give each a name"})
		case seen[name]:
			problems = append(problems, schema.Problem{Where: name, Message: "two files have a policy of this name", Fix: "rename one"})
		default:
			seen[name] = true
		}
	}
	return refusedPolicies(problems)
}

func refusedPolicies(problems []schema.Problem) error {
	if len(problems) == 0 {
		return nil
	}
	return &schema.Error{Code: schema.CodeInvalid, Message: "the policies cannot be applied; nothing was changed", Problems: problems}
}

// policyChange is what an apply does to one policy.
type policyChange struct {
	before  policyRow
	existed bool
	after   policyRow
	change  schema.PolicyChange // empty = only that the policy belongs to no set any more
	reason  string              // of a withdrawn one
}

// versioned tells whether the policy gets a new version.
func (c policyChange) versioned() bool { return c.after.Version != c.before.Version }

// replaced is the rule that another takes the place of.
func (c policyChange) replaced() *schema.PolicyRule {
	if !c.existed || !c.versioned() {
		return nil
	}
	rule := c.before.Rule
	return &rule
}

// planPolicies decides what applying does, and changes nothing.
func (t *tx) planPolicies(ctx context.Context, a schema.ApplyPolicies, by schema.Principal) ([]policyChange, error) {
	known, err := t.lockPolicies(ctx, a)
	if err != nil {
		return nil, err
	}
	problems := otherSets(a, known)
	unknown, err := t.unknownConnections(ctx, a.Files)
	if err != nil {
		return nil, err
	}
	if err := refusedPolicies(append(problems, unknown...)); err != nil {
		return nil, err
	}
	var changes []policyChange
	for _, f := range a.Files {
		before, existed := known[f.Rule.Name]
		changes = append(changes, t.policyFrom(f, before, existed, a.Set, by))
		delete(known, f.Rule.Name)
	}
	for _, name := range sortedNames(known) {
		if c, left := withdrawn(known[name], by); left {
			changes = append(changes, c)
		}
	}
	return changes, nil
}

// lockPolicies locks, in one order, the policies that the files name and those of
// the set, and returns them by name.
func (t *tx) lockPolicies(ctx context.Context, a schema.ApplyPolicies) (map[string]policyRow, error) {
	names := make([]string, len(a.Files))
	for i, f := range a.Files {
		names[i] = f.Rule.Name
	}
	where, which := ` where (p.name = any(@names) or p.set_name = @set and @set <> '')`, args{"names": names, "set": a.Set}
	if err := t.run(ctx, `select 1 from (select id from policy p`+where+` order by id for no key update) as locked`, which); err != nil {
		return nil, err
	}
	rows, err := all[policyRow](ctx, t, selectPolicies+presentVersion+where, which)
	known := make(map[string]policyRow, len(rows))
	for _, r := range rows {
		known[r.Name] = r
	}
	return known, err
}

func sortedNames(known map[string]policyRow) []string {
	var names []string
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// otherSets are the names that belong to another set.
func otherSets(a schema.ApplyPolicies, known map[string]policyRow) []schema.Problem {
	var problems []schema.Problem
	for _, f := range a.Files {
		p, ok := known[f.Rule.Name]
		if !ok || p.Set == "" || p.Set == a.Set || p.Withdrawn {
			continue
		}
		problems = append(problems, schema.Problem{
			Where: p.Name, Code: "OTHER_SET", Message: "the policy belongs to the set " + p.Set,
			Fix: "to move it, apply the set " + p.Set + " without its file first; to change it, apply that set",
		})
	}
	return problems
}

// unknownConnections are the connections that files name and nobody has.
func (t *tx) unknownConnections(ctx context.Context, files []schema.PolicyFile) ([]schema.Problem, error) {
	var names []string
	for _, f := range files {
		names = append(names, f.Rule.Connections...)
	}
	known, err := scalars[string](ctx, t, `select name from connection where name = any(@names) and state <> 'removed'`, args{"names": append([]string{}, names...)})
	if err != nil {
		return nil, err
	}
	var problems []schema.Problem
	for _, f := range files {
		for _, name := range f.Rule.Connections {
			if !slices.Contains(known, name) {
				problems = append(problems, schema.Problem{
					Where: f.Rule.Name, Code: "CONNECTION_UNKNOWN", Message: "there is no connection " + name, Fix: "sendoff connections list shows all connections",
				})
			}
		}
	}
	return problems, nil
}

// policyFrom is what a file makes of a policy.
func (t *tx) policyFrom(f schema.PolicyFile, before policyRow, existed bool, set string, by schema.Principal) policyChange {
	c := policyChange{before: before, existed: existed, after: before, change: schema.PolicyUnchanged}
	if !existed {
		c.change, c.after.Policy = schema.PolicyAdded, schema.Policy{Name: f.Rule.Name, State: schema.PolicyActive, CreatedAt: t.now}
	}
	c.after.Set = set
	if hash := f.Rule.Hash(); hash != before.Hash {
		c.after.Version, c.after.Rule, c.after.Hash, c.after.Source = before.Version+1, f.Rule, hash, f.Source
		c.after.UpdatedBy, c.after.UpdatedID, c.after.UpdatedAt = by.Name, by.TokenID, t.now
		if existed {
			c.change = schema.PolicyChanged
		}
	}
	if existed && c.versioned() && !f.Rule.TakesAs(before.Rule) {
		c.after.Acted = 0 // what it takes or does is new: its first run reports, unless the file says that it acts
	}
	if before.Withdrawn {
		c.change, c.after.Withdrawn, c.after.State = schema.PolicyRestored, false, schema.PolicyActive
		c.after.PauseReason, c.after.PausedBy = "", ""
	}
	return c
}

// withdrawn is what becomes of a policy whose file left its set, and whether
// anything does.
func withdrawn(p policyRow, by schema.Principal) (policyChange, bool) {
	c := policyChange{before: p, existed: true, after: p}
	switch {
	case p.Withdrawn:
		return c, false
	case p.State == schema.PolicyPaused:
		c.after.Set = ""
		return c, true
	}
	c.change, c.reason = schema.PolicyWithdrawn, "its file is not in the set "+p.Set+" any more"
	c.after.State, c.after.Withdrawn, c.after.PauseReason, c.after.PausedBy = schema.PolicyPaused, true, c.reason, by.Name
	return c, true
}

// applyPolicy writes one change.
func (t *tx) applyPolicy(ctx context.Context, c *policyChange, by schema.Principal) error {
	if c.existed && !c.versioned() && c.before.Set == c.after.Set && c.before.State == c.after.State {
		return nil
	}
	if !c.existed {
		if err := t.addPolicy(ctx, &c.after); err != nil {
			return err
		}
	}
	if c.versioned() {
		err := t.run(ctx, `insert into policy_version (policy_id, version, rule, hash, source, updated_by, updated_id, updated_at)
			values (@id, @version, @rule, @hash, @source, @by, @by_id, @now)`,
			args{
				"id": c.after.ID, "version": c.after.Version, "rule": c.after.Rule, "hash": c.after.Hash, "source": c.after.Source,
				"by": by.Name, "by_id": by.TokenID, "now": t.now,
			})
		if err != nil {
			return err
		}
	}
	t.recordApplied(*c, by)
	return t.savePolicy(ctx, c.after)
}

func (t *tx) addPolicy(ctx context.Context, p *policyRow) (err error) {
	if p.ID, err = newID[schema.PolicyID](); err != nil {
		return err
	}
	return t.run(ctx, `insert into policy (id, name, version, set_name, state, created_at, updated_at)
		values (@id, @name, @version, @set, 'active', @now, @now)`,
		args{"id": p.ID, "name": p.Name, "version": p.Version, "set": p.Set, "now": t.now})
}

// recordApplied audits what an apply did.
func (t *tx) recordApplied(c policyChange, by schema.Principal) {
	details := map[string]string{"change": string(c.change), "from_set": c.before.Set, "from_hash": c.before.Hash}
	switch c.change {
	case schema.PolicyWithdrawn:
		t.recordPolicy(c.after, principal(by), "policy.paused", map[string]string{"from": string(c.before.State), "reason": c.reason})
	case schema.PolicyRestored:
		t.recordPolicy(c.after, principal(by), "policy.resumed", with(details, "from", string(c.before.State), "reason", "its file is back"))
	default:
		t.recordPolicy(c.after, principal(by), "policy.applied", details)
	}
}
