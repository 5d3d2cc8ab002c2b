package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sendoff/internal/audit"
	"sendoff/schema"
)

const templateColumns = `name, version, body, source, updated_by, updated_at, removed`

// templateRow is one version of a template from a file.
type templateRow struct {
	Name      string
	Version   int
	Body      schema.Template
	Source    string
	UpdatedBy string
	UpdatedAt time.Time
	Removed   bool
}

func (r templateRow) template() schema.Template {
	t := r.Body
	t.Name, t.Version, t.Source, t.UpdatedBy, t.UpdatedAt = r.Name, r.Version, r.Source, r.UpdatedBy, r.UpdatedAt
	return t
}

// newest returns the last version of a template from a file, also of a removed one.
func newestTemplate(ctx context.Context, q querier, name string) (templateRow, bool, error) {
	return maybe[templateRow](ctx, q, `select `+templateColumns+` from template where name = @name order by version desc limit 1`, args{"name": name})
}

// Template returns the template of that name as it is now: the newest version of
// one from a file, the one built in, or that of a policy. CodeNotFound.
func (s *Store) Template(ctx context.Context, name string) (schema.Template, error) {
	if t, builtin := schema.FindTemplate(name); builtin {
		return t, nil
	}
	if t, is, err := s.policyTemplate(ctx, name, 0); is {
		return t, err
	}
	r, ok, err := newestTemplate(ctx, s.pool, name)
	if err != nil {
		return schema.Template{}, translate("read template", err)
	}
	if !ok || r.Removed {
		return schema.Template{}, notFound("template", name)
	}
	return r.template(), nil
}

// TemplateVersion returns one version of a template, also one that was replaced
// or removed: plans made from it may still run. CodeNotFound.
func (s *Store) TemplateVersion(ctx context.Context, name string, version int) (schema.Template, error) {
	if t, builtin := schema.FindTemplate(name); builtin && t.Version == version {
		return t, nil
	}
	if t, is, err := s.policyTemplate(ctx, name, version); is {
		return t, err
	}
	r, ok, err := maybe[templateRow](ctx, s.pool, `select `+templateColumns+` from template where name = @name and version = @version`,
		args{"name": name, "version": version})
	if err != nil {
		return schema.Template{}, translate("read template", err)
	}
	if !ok {
		return schema.Template{}, notFound("template", fmt.Sprintf("%s version %d", name, version))
	}
	return r.template(), nil
}

// ListTemplates lists the templates there are now, built in or from files, by
// name. The cursor is the last name of the page before.
func (s *Store) ListTemplates(ctx context.Context, after string, limit int) ([]schema.Template, string, error) {
	if err := checkLimit(limit, maxPage); err != nil {
		return nil, "", err
	}
	rows, err := all[templateRow](ctx, s.pool, `select * from (
			select distinct on (name) `+templateColumns+` from template where name > @after order by name, version desc) newest
		where not removed order by name limit @limit`, args{"after": after, "limit": limit + 1})
	if err != nil {
		return nil, "", translate("list templates", err)
	}
	var list []schema.Template
	for _, t := range schema.BuiltinTemplates() {
		if t.Name > after {
			list = append(list, t)
		}
	}
	for _, r := range rows {
		list = append(list, r.template())
	}
	slices.SortFunc(list, func(a, b schema.Template) int { return cmp.Compare(a.Name, b.Name) })
	if len(list) <= limit {
		return list, "", nil
	}
	return list[:limit], list[limit-1].Name, nil
}

// ApplyTemplates stores templates read from files, all of them or none. Each
// Version is the one that was looked at, 0 = there was none: CodeConflict when
// another is there by now. One whose file says nothing new stays as it is. It
// returns them as they are now.
func (s *Store) ApplyTemplates(ctx context.Context, list []schema.Template, by schema.Principal) ([]schema.Template, error) {
	if err := checkPrincipal(by); err != nil {
		return nil, err
	}
	var applied []schema.Template
	err := s.inTx(ctx, "apply templates", func(ctx context.Context, t *tx) error {
		applied = make([]schema.Template, len(list))
		// Locks are taken in one order, whatever that of the files.
		order := make([]int, len(list))
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(a, b int) int { return cmp.Compare(list[a].Name, list[b].Name) })
		for _, i := range order {
			var err error
			if applied[i], err = t.applyTemplate(ctx, list[i], by); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return applied, nil
}

func (t *tx) applyTemplate(ctx context.Context, want schema.Template, by schema.Principal) (schema.Template, error) {
	if _, builtin := schema.FindTemplate(want.Name); builtin {
		return want, builtinTemplate(want.Name)
	}
	if err := t.lockKey(ctx, "template "+want.Name); err != nil {
		return want, err
	}
	last, exists, err := newestTemplate(ctx, t, want.Name)
	if err != nil {
		return want, err
	}
	now := 0
	if exists && !last.Removed {
		now = last.Version
	}
	if now != want.Version {
		return want, conflict(fmt.Sprintf("template %s was looked at as version %d and is version %d now", want.Name, want.Version, now),
			"look at the difference again, then apply")
	}
	if now > 0 && last.Source == want.Source {
		return last.template(), nil
	}
	want.Version, want.UpdatedBy, want.UpdatedAt, want.Builtin = last.Version+1, by.Name, t.now, false
	body := want
	body.Source = "" // a column of its own
	if err := t.run(ctx, `insert into template (name, version, body, source, updated_by, updated_at)
		values (@name, @version, @body, @source, @by, @now)`, args{
		"name": want.Name, "version": want.Version, "body": body, "source": want.Source, "by": by.Name, "now": t.now,
	}); err != nil {
		return want, err
	}
	t.record(audit.SystemStream, principal(by), "template.applied", audit.Subject{}, templateDetails(want))
	return want, nil
}

// templateDetails say what was applied, without the addresses in it: the log is
// for ever.
func templateDetails(t schema.Template) map[string]string {
	kinds := make([]string, len(t.Steps))
	for i, s := range t.Steps {
		kinds[i] = string(s.Kind)
	}
	sum := sha256.Sum256([]byte(t.Source))
	return map[string]string{
		"name": t.Name, "version": strconv.Itoa(t.Version), "steps": strings.Join(kinds, " "),
		"approvals": strconv.Itoa(t.Approvals), "receivers": strconv.Itoa(len(t.Receivers)), "sha256": hex.EncodeToString(sum[:]),
	}
}

// RemoveTemplate ends a template from a file: no plan is made from it any more,
// and those that were keep their steps. CodeNotFound, and CodeConflict for one
// that is built in.
func (s *Store) RemoveTemplate(ctx context.Context, name, reason string, by schema.Principal) (schema.Template, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.Template{}, err
	}
	if _, builtin := schema.FindTemplate(name); builtin {
		return schema.Template{}, builtinTemplate(name)
	}
	var gone schema.Template
	err := s.inTx(ctx, "remove template", func(ctx context.Context, t *tx) error {
		if err := t.lockKey(ctx, "template "+name); err != nil {
			return err
		}
		last, ok, err := newestTemplate(ctx, t, name)
		if err != nil {
			return err
		}
		if !ok || last.Removed {
			return notFound("template", name)
		}
		gone = last.template()
		t.record(audit.SystemStream, principal(by), "template.removed", audit.Subject{},
			map[string]string{"name": name, "version": strconv.Itoa(last.Version), "reason": reason})
		return t.changeOne(ctx, `update template set removed = true where name = @name and version = @version`,
			args{"name": name, "version": last.Version})
	})
	return gone, err
}

func builtinTemplate(name string) error {
	return conflict("the template "+name+" is built in: it can be neither changed nor removed", "use another name")
}
