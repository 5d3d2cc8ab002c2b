package webtest

import (
	"context"

	"sendoff/schema"
)

// AllowConnectionWrites calls its function.
func (s *Store) AllowConnectionWrites(_ context.Context, name, reason string, _ schema.Principal) (schema.Connection, error) {
	return s.AllowConnectionWritesFunc(name, reason)
}
