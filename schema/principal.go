package schema

import (
	"fmt"
	"slices"
	"time"
)

// Role is what a principal may do.
type Role string

// The roles of principals, strongest first.
const (
	RoleAdmin    Role = "admin"
	RoleOperator Role = "operator"
	RoleReviewer Role = "reviewer"
	RoleAuditor  Role = "auditor"
)

// Roles lists every role.
func Roles() []Role { return []Role{RoleAdmin, RoleOperator, RoleReviewer, RoleAuditor} }

// ParseRole reads a role's name.
func ParseRole(s string) (Role, error) {
	if r := Role(s); slices.Contains(Roles(), r) {
		return r, nil
	}
	return "", fmt.Errorf("role %q is unknown: use one of %v", s, Roles())
}

// Principal is who decides: the holder of an API token.
type Principal struct {
	TokenID TokenID
	Name    string
	Role    Role
	Email   string // of the person who holds the token; empty = none was given
}

// Token is an API token's record. The token itself is shown once and only its
// hash is kept.
type Token struct {
	ID         TokenID
	Name       string
	Role       Role
	Email      string // of the person who holds it, so that they cannot offboard themselves; empty = not a person's
	CreatedAt  time.Time
	CreatedBy  string
	ExpiresAt  time.Time // zero = never
	RevokedAt  time.Time // zero = valid
	LastUsedAt time.Time // zero = never used
}
