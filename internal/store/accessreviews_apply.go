package store

import (
	"context"
	"fmt"
	"slices"

	"sendoff/schema"
)

// ApplyAccessReviews makes what the files say so, all of them or none, and returns
// what changed: the files in their order, then the reviews that were withdrawn, by
// name. Versions, sets and pauses are as those of policies (see ApplyPolicies).
func (s *Store) ApplyAccessReviews(ctx context.Context, a schema.ApplyAccessReviews, by schema.Principal) ([]schema.AppliedAccessReview, error) {
	if err := checkPrincipal(by); err != nil {
		return nil, err
	}
	if err := checkAccessReviewFiles(a.Rules); err != nil {
		return nil, err
	}
	var changes []accessReviewChange
	err := s.inTx(ctx, "apply access reviews", func(ctx context.Context, t *tx) (err error) {
		if err = t.lockKey(ctx, "access reviews"); err != nil {
			return err
		}
		if changes, err = t.planAccessReviews(ctx, a, by); err != nil || a.DryRun {
			return err
		}
		for i := range changes {
			if err := t.applyAccessReview(ctx, &changes[i], by); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]schema.AppliedAccessReview, 0, len(changes))
	for _, c := range changes {
		if c.change != "" {
			out = append(out, schema.AppliedAccessReview{Name: c.after.Name, Change: c.change, Review: c.after.AccessReview, Before: c.replaced()})
		}
	}
	return out, nil
}

func checkAccessReviewFiles(files []schema.AccessReviewFile) error {
	var problems []schema.Problem
	seen := map[string]bool{}
	for _, f := range files {
		switch name := f.Rule.Name; {
		case name == "":
			problems = append(problems, schema.Problem{Message: "an access review has no name", Fix: "give each a name"})
		case seen[name]:
			problems = append(problems, schema.Problem{Where: name, Message: "two files have an access review of this name", Fix: "rename one"})
		default:
			seen[name] = true
		}
	}
	return refusedAccessReviews(problems)
}

func refusedAccessReviews(problems []schema.Problem) error {
	if len(problems) == 0 {
		return nil
	}
	return &schema.Error{Code: schema.CodeInvalid, Message: "the access reviews cannot be applied; nothing was changed", Problems: problems}
}

// accessReviewChange is what an apply does to one access review.
type accessReviewChange struct {
	before  accessReviewRow
	existed bool
	after   accessReviewRow
	change  schema.PolicyChange // empty = only that it belongs to no set any more
	reason  string              // of a withdrawn one
}

// versioned tells whether it gets a new version.
func (c accessReviewChange) versioned() bool { return c.after.Version != c.before.Version }

// replaced is the rule that another takes the place of.
func (c accessReviewChange) replaced() *schema.AccessReviewRule {
	if !c.existed || !c.versioned() {
		return nil
	}
	rule := c.before.Rule
	return &rule
}

// planAccessReviews decides what applying does, and changes nothing.
func (t *tx) planAccessReviews(ctx context.Context, a schema.ApplyAccessReviews, by schema.Principal) ([]accessReviewChange, error) {
	known, err := t.lockAccessReviews(ctx, a)
	if err != nil {
		return nil, err
	}
	if err := unseenVersions(a, known); err != nil {
		return nil, err
	}
	unknown, err := t.unknownScope(ctx, a.Rules)
	if err != nil {
		return nil, err
	}
	if err := refusedAccessReviews(append(otherReviewSets(a, known), unknown...)); err != nil {
		return nil, err
	}
	var changes []accessReviewChange
	for _, f := range a.Rules {
		before, existed := known[f.Rule.Name]
		changes = append(changes, t.accessReviewFrom(f, before, existed, a.Set, by))
		delete(known, f.Rule.Name)
	}
	var left []string
	for name := range known {
		left = append(left, name)
	}
	slices.Sort(left)
	for _, name := range left {
		if c, leaves := withdrawnReview(known[name], by); leaves {
			changes = append(changes, c)
		}
	}
	return changes, nil
}

// lockAccessReviews locks, in one order, the reviews that the files name and those
// of the set, and returns them by name.
func (t *tx) lockAccessReviews(ctx context.Context, a schema.ApplyAccessReviews) (map[string]accessReviewRow, error) {
	names := make([]string, len(a.Rules))
	for i, f := range a.Rules {
		names[i] = f.Rule.Name
	}
	where, which := ` where (d.name = any(@names) or d.set_name = @set and @set <> '')`, args{"names": names, "set": a.Set}
	if err := t.run(ctx, `select 1 from (select id from access_review d`+where+` order by id for no key update) as locked`, which); err != nil {
		return nil, err
	}
	rows, err := all[accessReviewRow](ctx, t, selectAccessReviews+presentReviewVersion+where, which)
	known := make(map[string]accessReviewRow, len(rows))
	for _, r := range rows {
		known[r.Name] = r
	}
	return known, err
}

// unseenVersions is CodeStale when something else is applied now than what the
// difference was shown for.
func unseenVersions(a schema.ApplyAccessReviews, known map[string]accessReviewRow) error {
	if a.Seen == nil {
		return nil
	}
	seen := map[string]int{}
	for _, s := range a.Seen {
		seen[s.Name] = s.Version
	}
	for _, f := range a.Rules {
		if now := known[f.Rule.Name].Version; now != seen[f.Rule.Name] {
			return &schema.Error{
				Code:    schema.CodeStale,
				Message: fmt.Sprintf("access review %s is at version %d, the difference was shown for %d; nothing was changed", f.Rule.Name, now, seen[f.Rule.Name]),
				Fix:     "look at the difference again",
			}
		}
	}
	return nil
}

// otherReviewSets are the names that belong to another set.
func otherReviewSets(a schema.ApplyAccessReviews, known map[string]accessReviewRow) []schema.Problem {
	var problems []schema.Problem
	for _, f := range a.Rules {
		d, ok := known[f.Rule.Name]
		if !ok || d.Set == "" || d.Set == a.Set || d.Withdrawn {
			continue
		}
		problems = append(problems, schema.Problem{
			Where: d.Name, Code: "OTHER_SET", Message: "the access review belongs to the set " + d.Set,
			Fix: "to move it, apply the set " + d.Set + " without its file first; to change it, apply that set",
		})
	}
	return problems
}

// unknownScope are the connections that files name and nobody has.
func (t *tx) unknownScope(ctx context.Context, files []schema.AccessReviewFile) ([]schema.Problem, error) {
	names := []string{}
	for _, f := range files {
		names = append(names, f.Rule.Scope.Connections...)
	}
	known, err := scalars[string](ctx, t, `select name from connection where name = any(@names) and state <> 'removed'`, args{"names": names})
	if err != nil {
		return nil, err
	}
	var problems []schema.Problem
	for _, f := range files {
		for _, name := range f.Rule.Scope.Connections {
			if !slices.Contains(known, name) {
				problems = append(problems, schema.Problem{
					Where: f.Rule.Name, Code: "CONNECTION_UNKNOWN", Message: "there is no connection " + name, Fix: "sendoff connections list shows all connections",
				})
			}
		}
	}
	return problems, nil
}

// accessReviewFrom is what a file makes of an access review.
func (t *tx) accessReviewFrom(f schema.AccessReviewFile, before accessReviewRow, existed bool, set string, by schema.Principal) accessReviewChange {
	c := accessReviewChange{before: before, existed: existed, after: before, change: schema.PolicyUnchanged}
	if !existed {
		c.change, c.after.AccessReview = schema.PolicyAdded, schema.AccessReview{Name: f.Rule.Name, State: schema.PolicyActive, CreatedAt: t.now}
	}
	c.after.Set = set
	if hash := f.Rule.Hash(); hash != before.Hash {
		c.after.Version, c.after.Rule, c.after.Hash, c.after.Source = before.Version+1, f.Rule, hash, f.Source
		c.after.UpdatedBy, c.after.UpdatedID, c.after.UpdatedAt = by.Name, by.TokenID, t.now
		if existed {
			c.change = schema.PolicyChanged
		}
	}
	if before.Withdrawn {
		c.change, c.after.Withdrawn, c.after.State = schema.PolicyRestored, false, schema.PolicyActive
		c.after.PauseReason, c.after.PausedBy = "", ""
	}
	return c
}

// withdrawnReview is what becomes of an access review whose file left its set, and
// whether anything does.
func withdrawnReview(d accessReviewRow, by schema.Principal) (accessReviewChange, bool) {
	c := accessReviewChange{before: d, existed: true, after: d}
	switch {
	case d.Withdrawn:
		return c, false
	case d.State == schema.PolicyPaused:
		c.after.Set = ""
		return c, true
	}
	c.change, c.reason = schema.PolicyWithdrawn, "its file is not in the set "+d.Set+" any more"
	c.after.State, c.after.Withdrawn, c.after.PauseReason, c.after.PausedBy = schema.PolicyPaused, true, c.reason, by.Name
	return c, true
}
