package schema

import "embed"

// Migrations are the SQL migrations in goose's form, applied in the order of
// their numbers by the owner role and never changed once released.
//
//go:embed migrations/*.sql
var Migrations embed.FS
