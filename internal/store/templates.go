package store

import (
	"context"

	"sendoff/schema"
)

// Template returns the template of that name as it is now: the newest version of
// one from a file, or the one built in. CodeNotFound.
func (s *Store) Template(ctx context.Context, name string) (schema.Template, error) {
	type row struct {
		Body    schema.Template
		Removed bool
	}
	r, ok, err := maybe[row](ctx, s.pool, `select body, removed from template where name = @name order by version desc limit 1`, args{"name": name})
	if err != nil {
		return schema.Template{}, translate("read template", err)
	}
	if ok && !r.Removed {
		return r.Body, nil
	}
	if t, builtin := schema.FindTemplate(name); builtin {
		return t, nil
	}
	return schema.Template{}, notFound("template", name)
}
