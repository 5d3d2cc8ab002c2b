package boxsim

import (
	"fmt"
	"strings"
	"time"
)

// UserChange changes an account behind the API's back, without an event. What is
// nil stays.
type UserChange struct {
	ID    string  `json:"id"`
	Name  *string `json:"name"`
	Login *string `json:"login"`
	// Role is user, coadmin, or admin: the former admin becomes a coadmin.
	Role          *string         `json:"role"`
	Status        *string         `json:"status"`
	CreatedAt     *time.Time      `json:"created_at"`
	LastLogin     *time.Time      `json:"last_login"`
	TrackingCodes *[]TrackingCode `json:"tracking_codes"`
	// NoReports takes from a coadmin the permission to run reports, which events
	// need.
	NoReports *bool `json:"no_reports"`
}

// ChangeUser changes an account.
func (s *Sim) ChangeUser(c UserChange) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.w.user(c.ID)
	switch {
	case u == nil:
		return fmt.Errorf("box simulator: change a user: %q does not exist", c.ID)
	case c.Role != nil && *c.Role != roleUser && *c.Role != roleCoadmin && *c.Role != roleAdmin:
		return fmt.Errorf("box simulator: role %q: use user, coadmin or admin", *c.Role)
	case c.Status != nil && !validStatus(*c.Status):
		return fmt.Errorf("box simulator: status %q is none of Box's", *c.Status)
	case c.Login != nil && (!strings.Contains(*c.Login, "@") || s.loginTaken(*c.Login, u.id)):
		return fmt.Errorf("box simulator: the login is no e-mail address, or is taken: choose another")
	}
	if c.Role != nil && *c.Role == roleAdmin {
		s.w.users[s.admin].role = roleCoadmin
		s.admin = u.id
	}
	set(&u.name, c.Name)
	set(&u.login, c.Login)
	set(&u.role, c.Role)
	set(&u.createdAt, c.CreatedAt)
	set(&u.lastLogin, c.LastLogin)
	set(&u.noReports, c.NoReports)
	if c.Status != nil {
		u.setStatus(*c.Status, s.clock.Now())
	}
	if c.TrackingCodes != nil {
		u.trackingCodes = trackingCodes(*c.TrackingCodes)
	}
	return nil
}

// RemoveUser deletes an account with all it owns, as the admin does in the
// console; the event is there too.
func (s *Sim) RemoveUser(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.w.user(id)
	if u == nil || id == s.admin || id == s.service {
		return fmt.Errorf("box simulator: remove a user: %q does not exist, or is the admin or the service account", id)
	}
	now := s.clock.Now()
	s.advance(now)
	q := &request{Sim: s, now: now, actor: s.w.users[s.admin]}
	q.removeUser(u, &LedgerDelete{})
	return nil
}

// RemoveGroup deletes a group.
func (s *Sim) RemoveGroup(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.w.groups[id]
	if g == nil {
		return fmt.Errorf("box simulator: remove a group: %q does not exist", id)
	}
	s.w.dropGroup(g)
	s.emit(s.clock.Now(), "GROUP_DELETION", s.admin, g.mini())
	return nil
}

// MembershipSpec describes a membership to seed. Role is member or admin.
type MembershipSpec struct {
	User  string `json:"user"`
	Group string `json:"group"`
	Role  string `json:"role"`
	// Permissions are what a group's admin may do; nil leaves them all.
	Permissions map[string]any `json:"configurable_permissions"`
}

// AddMembership puts a user into a group and returns the membership's id.
func (s *Sim) AddMembership(spec MembershipSpec) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.w.user(spec.User) == nil || s.w.groups[spec.Group] == nil:
		return "", fmt.Errorf("box simulator: a membership needs a user and a group that exist")
	case s.w.member(spec.User, spec.Group) != nil:
		return "", fmt.Errorf("box simulator: the user is in that group already")
	case spec.Role != "" && spec.Role != roleMember && spec.Role != roleAdmin:
		return "", fmt.Errorf("box simulator: role %q: use member or admin", spec.Role)
	}
	now := s.clock.Now()
	m := &membership{
		id: s.w.id("membership"), user: spec.User, group: spec.Group, role: roleMember, permissions: spec.Permissions,
		createdAt: now, modifiedAt: now,
	}
	if spec.Role != "" {
		m.role = spec.Role
	}
	s.w.join(m)
	s.emit(now, "GROUP_ADD_USER", s.admin, userSource(m.user))
	return m.id, nil
}

// RemoveMembership takes a user out of a group.
func (s *Sim) RemoveMembership(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.w.memberships[id]
	if m == nil {
		return fmt.Errorf("box simulator: remove a membership: %q does not exist", id)
	}
	s.w.leave(m)
	s.emit(s.clock.Now(), "GROUP_REMOVE_USER", s.admin, userSource(m.user))
	return nil
}
