package store

import (
	"context"
	"maps"
	"slices"

	"sendoff/schema"
)

// applying is what is applied at once.
type applying[Row, Rule any] struct {
	set    string // of the files; empty = each stands alone
	files  []definitionFile[Rule]
	dryRun bool
	// These refuse when something else is there, or would change, than somebody looked
	// at; nil = nobody did.
	seen    func(known map[string]definition[Rule]) error
	confirm func(changes []change[Row, Rule]) error
}

// definitionFile is a file, read.
type definitionFile[Rule any] struct {
	Rule   Rule
	Source string
}

// change is what an apply does to one definition.
type change[Row, Rule any] struct {
	row           Row // as it was; nothing of one that is new
	before, after definition[Rule]
	what          schema.PolicyChange // empty = only that it belongs to no set any more
	reason        string              // of a withdrawn one
}

func (c change[Row, Rule]) existed() bool { return c.before.Version > 0 }

// versioned tells whether there is a new version.
func (c change[Row, Rule]) versioned() bool { return c.after.Version != c.before.Version }

// replaced is the rule that another takes the place of.
func (c change[Row, Rule]) replaced() *Rule {
	if !c.existed() || !c.versioned() {
		return nil
	}
	return &c.before.Rule
}

// apply makes what the files say so, all of them or none, and returns what changed:
// the files in their order, then those that were withdrawn, by name.
//
// A rule that is as it was makes no version, and the stored text stays the one that
// the version was applied with: texts that differ in nothing but comments are one
// version. A definition belongs to the set it was applied with last; one of another
// set is refused unless its file left that set. What somebody paused stays paused:
// when its file leaves the set, it belongs to none.
func (k definitions[Row, Rule]) apply(ctx context.Context, s *Store, a applying[Row, Rule], by schema.Principal) ([]change[Row, Rule], error) {
	if err := checkPrincipal(by); err != nil {
		return nil, err
	}
	if err := k.checkFiles(a.files); err != nil {
		return nil, err
	}
	var changes []change[Row, Rule]
	err := s.inTx(ctx, "apply "+k.many, func(ctx context.Context, t *tx) (err error) {
		if err = t.lockKey(ctx, k.many); err != nil {
			return err
		}
		if changes, err = k.plan(ctx, t, a, by); err != nil {
			return err
		}
		if a.confirm != nil {
			err = a.confirm(changes)
		}
		if err != nil || a.dryRun {
			return err
		}
		for i := range changes {
			if err := k.write(ctx, t, &changes[i], by); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return changes, nil
}

func (k definitions[Row, Rule]) checkFiles(files []definitionFile[Rule]) error {
	var problems []schema.Problem
	seen := map[string]bool{}
	for _, f := range files {
		switch name, _ := k.says(f.Rule); {
		case name == "":
			problems = append(problems, schema.Problem{Message: k.a + " has no name", Fix: "give each a name"})
		case seen[name]:
			problems = append(problems, schema.Problem{Where: name, Message: "two files have " + k.a + " of this name", Fix: "rename one"})
		default:
			seen[name] = true
		}
	}
	return k.refused(problems)
}

func (k definitions[Row, Rule]) refused(problems []schema.Problem) error {
	if len(problems) == 0 {
		return nil
	}
	return &schema.Error{Code: schema.CodeInvalid, Message: "the " + k.many + " cannot be applied; nothing was changed", Problems: problems}
}

// plan decides what applying does, and changes nothing.
func (k definitions[Row, Rule]) plan(ctx context.Context, t *tx, a applying[Row, Rule], by schema.Principal) ([]change[Row, Rule], error) {
	rows, err := k.lockAll(ctx, t, a)
	if err != nil {
		return nil, err
	}
	known := make(map[string]definition[Rule], len(rows))
	for name, row := range rows {
		known[name] = row.definition()
	}
	if a.seen != nil {
		if err := a.seen(known); err != nil {
			return nil, err
		}
	}
	unknown, err := k.unknownConnections(ctx, t, a.files)
	if err != nil {
		return nil, err
	}
	if err := k.refused(append(k.otherSets(a, known), unknown...)); err != nil {
		return nil, err
	}
	var changes []change[Row, Rule]
	for _, f := range a.files {
		name, _ := k.says(f.Rule)
		changes = append(changes, k.from(t, f, rows[name], a.set, by))
		delete(known, name)
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if c, leaves := k.withdrawn(rows[name], by); leaves {
			changes = append(changes, c)
		}
	}
	return changes, nil
}

// lockAll locks, in one order, what the files name and what is of the set, and
// returns it by name.
func (k definitions[Row, Rule]) lockAll(ctx context.Context, t *tx, a applying[Row, Rule]) (map[string]Row, error) {
	names := each(a.files, func(f definitionFile[Rule]) string { name, _ := k.says(f.Rule); return name })
	where, which := ` where (d.name = any(@names) or d.set_name = @set and @set <> '')`, args{"names": names, "set": a.set}
	if err := t.run(ctx, `select 1 from (select id from `+k.table+` d`+where+` order by id for no key update) as locked`, which); err != nil {
		return nil, err
	}
	rows, err := all[Row](ctx, t, k.selects(present+where), which)
	known := make(map[string]Row, len(rows))
	for _, r := range rows {
		known[r.definition().Name] = r
	}
	return known, err
}

// otherSets are the names that belong to another set.
func (k definitions[Row, Rule]) otherSets(a applying[Row, Rule], known map[string]definition[Rule]) []schema.Problem {
	var problems []schema.Problem
	for _, f := range a.files {
		name, _ := k.says(f.Rule)
		d, ok := known[name]
		if !ok || d.Set == "" || d.Set == a.set || d.Withdrawn {
			continue
		}
		problems = append(problems, schema.Problem{
			Where: name, Code: "OTHER_SET", Message: "the " + k.one + " belongs to the set " + d.Set,
			Fix: "to move it, apply the set " + d.Set + " without its file first; to change it, apply that set",
		})
	}
	return problems
}

// unknownConnections are the connections that files name and nobody has.
func (k definitions[Row, Rule]) unknownConnections(ctx context.Context, t *tx, files []definitionFile[Rule]) ([]schema.Problem, error) {
	names := []string{}
	for _, f := range files {
		_, connections := k.says(f.Rule)
		names = append(names, connections...)
	}
	known, err := scalars[string](ctx, t, `select name from connection where name = any(@names) and state <> 'removed'`, args{"names": names})
	if err != nil {
		return nil, err
	}
	var problems []schema.Problem
	for _, f := range files {
		of, connections := k.says(f.Rule)
		for _, name := range connections {
			if !slices.Contains(known, name) {
				problems = append(problems, schema.Problem{
					Where: of, Code: "CONNECTION_UNKNOWN", Message: "there is no connection " + name, Fix: "sendoff connections list shows all connections",
				})
			}
		}
	}
	return problems, nil
}

// from is what a file makes of a definition.
func (k definitions[Row, Rule]) from(t *tx, f definitionFile[Rule], row Row, set string, by schema.Principal) change[Row, Rule] {
	before := row.definition()
	c := change[Row, Rule]{row: row, before: before, after: before, what: schema.PolicyUnchanged}
	if !c.existed() {
		c.what, c.after.State, c.after.CreatedAt = schema.PolicyAdded, schema.PolicyActive, t.now
		c.after.Name, _ = k.says(f.Rule)
	}
	c.after.Set = set
	if hash := f.Rule.Hash(); hash != before.Hash {
		c.after.Version, c.after.Rule, c.after.Hash, c.after.Source = before.Version+1, f.Rule, hash, f.Source
		c.after.UpdatedBy, c.after.UpdatedID, c.after.UpdatedAt = by.Name, by.TokenID, t.now
		if c.existed() {
			c.what = schema.PolicyChanged
		}
	}
	if before.Withdrawn {
		c.what, c.after.Withdrawn, c.after.State = schema.PolicyRestored, false, schema.PolicyActive
		c.after.PauseReason, c.after.PausedBy = "", ""
	}
	return c
}

// withdrawn is what becomes of a definition whose file left its set, and whether
// anything does.
func (k definitions[Row, Rule]) withdrawn(row Row, by schema.Principal) (change[Row, Rule], bool) {
	d := row.definition()
	c := change[Row, Rule]{row: row, before: d, after: d}
	switch {
	case d.Withdrawn:
		return c, false
	case d.State == schema.PolicyPaused:
		c.after.Set = ""
		return c, true
	}
	c.what, c.reason = schema.PolicyWithdrawn, "its file is not in the set "+d.Set+" any more"
	c.after.State, c.after.Withdrawn, c.after.PauseReason, c.after.PausedBy = schema.PolicyPaused, true, c.reason, by.Name
	return c, true
}

// write makes one change.
func (k definitions[Row, Rule]) write(ctx context.Context, t *tx, c *change[Row, Rule], by schema.Principal) error {
	if c.existed() && !c.versioned() && c.before.Set == c.after.Set && c.before.State == c.after.State {
		return nil
	}
	if !c.existed() {
		if err := k.add(ctx, t, &c.after); err != nil {
			return err
		}
	}
	if c.versioned() {
		err := t.run(ctx, `insert into `+k.table+`_version (`+k.reference+`, version, rule, hash, source, updated_by, updated_id, updated_at)
			values (@id, @version, @rule, @hash, @source, @by, @by_id, @now)`,
			args{
				"id": c.after.ID, "version": c.after.Version, "rule": c.after.Rule, "hash": c.after.Hash, "source": c.after.Source,
				"by": by.Name, "by_id": by.TokenID, "now": t.now,
			})
		if err != nil {
			return err
		}
	}
	if err := k.changed(ctx, t, c.row, c.row.with(c.after)); err != nil {
		return err
	}
	k.recordApplied(t, *c, by)
	return k.save(ctx, t, c.after)
}

func (k definitions[Row, Rule]) add(ctx context.Context, t *tx, d *definition[Rule]) (err error) {
	if d.ID, err = newID[string](); err != nil {
		return err
	}
	return t.run(ctx, `insert into `+k.table+` (id, name, version, set_name, state, created_at, updated_at)
		values (@id, @name, @version, @set, 'active', @now, @now)`,
		args{"id": d.ID, "name": d.Name, "version": d.Version, "set": d.Set, "now": t.now})
}

// recordApplied audits what an apply did.
func (k definitions[Row, Rule]) recordApplied(t *tx, c change[Row, Rule], by schema.Principal) {
	details := map[string]string{"change": string(c.what), "from_set": c.before.Set, "from_hash": c.before.Hash}
	switch c.what {
	case schema.PolicyWithdrawn:
		k.record(t, c.after, principal(by), k.action+".paused", map[string]string{"from": string(c.before.State), "reason": c.reason})
	case schema.PolicyRestored:
		k.record(t, c.after, principal(by), k.action+".resumed", with(details, "from", string(c.before.State), "reason", "its file is back"))
	default:
		k.record(t, c.after, principal(by), k.action+".applied", details)
	}
}
