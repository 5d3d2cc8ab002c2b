package boxsim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// scopeSet is a set of the scopes that an application may have
// (https://developer.box.com/guides/api-calls/permissions-and-errors/scopes/).
type scopeSet uint16

const (
	rootReadOnly scopeSet = 1 << iota
	rootReadWrite
	manageManagedUsers
	manageAppUsers
	manageGroups
	manageEnterprise
	manageRetention
	manageLegalHold
	enterpriseContent
	manageWebhook
	allScopes = 1<<iota - 1
)

// scopeNames are Box's words, in the order of the bits.
func scopeNames() []string {
	return []string{
		"root_readonly", "root_readwrite", "manage_managed_users", "manage_app_users", "manage_groups",
		"manage_enterprise_properties", "manage_data_retention", "manage_legal_hold", "enterprise_content", "manage_webhook",
	}
}

// parseScopes reads names. The guides spell one of them in two ways.
func parseScopes(names []string) (scopeSet, error) {
	var set scopeSet
	for _, name := range names {
		if name == "manage_legal_holds" {
			name = "manage_legal_hold"
		}
		bit := slices.Index(scopeNames(), name)
		if bit < 0 {
			return 0, fmt.Errorf("box simulator: scope %q is unknown: use one of %s", name, strings.Join(scopeNames(), ", "))
		}
		set |= 1 << bit
	}
	return set, nil
}

func (s scopeSet) names() []string {
	out := []string{}
	for bit, name := range scopeNames() {
		if s&(1<<bit) != 0 {
			out = append(out, name)
		}
	}
	return out
}

func (s scopeSet) any(of scopeSet) bool { return s&of != 0 }

func (s scopeSet) all(of scopeSet) bool { return s&of == of }

// scope is what a route asks of a token.
type scope int

const (
	scopeNone       scope = iota
	scopeContent          // root_readonly, or enterprise_content; root_readwrite for writes
	scopeUsers            // manage_managed_users, and an administrator
	scopeTransfer         // the same and root_readwrite
	scopeGroups           // manage_groups, and an administrator
	scopeEnterprise       // manage_enterprise_properties, and an administrator
	scopeRetention        // manage_data_retention and enterprise_content, and an administrator
	scopeLegalHold        // manage_legal_hold and enterprise_content, and an administrator
)

// metBy tells whether a token's scopes are enough. onAppUser is for calls about
// an app user, for whom there is a scope of their own.
func (s scope) metBy(have scopeSet, read, onAppUser bool) bool {
	switch s {
	case scopeContent:
		return have.any(rootReadWrite) || read && have.any(rootReadOnly|enterpriseContent)
	case scopeUsers:
		return have.any(manageManagedUsers) || onAppUser && have.any(manageAppUsers)
	case scopeTransfer:
		return have.any(rootReadWrite) && (have.any(manageManagedUsers) || onAppUser && have.any(manageAppUsers))
	case scopeGroups:
		return have.any(manageGroups)
	case scopeEnterprise:
		return have.any(manageEnterprise)
	case scopeRetention:
		return have.all(manageRetention | enterpriseContent)
	case scopeLegalHold:
		return have.all(manageLegalHold | enterpriseContent)
	}
	return true
}

// governance tells whether a route is about retention or legal holds.
func (s scope) governance() bool { return s == scopeRetention || s == scopeLegalHold }

func (s *Sim) checkScope(q *request, rt route) *apiError {
	read := q.call.Request.Method == http.MethodGet
	subject := s.w.user(q.id())
	switch {
	case q.token.app.readOnly && !read, rt.scope.governance() && s.switches.NoGovernanceScope:
		return insufficientScope()
	case !rt.scope.metBy(q.token.scopes, read, subject != nil && subject.app):
		if s.switches.ScopeRefusal == "insufficient_scope" {
			return insufficientScope()
		}
		return denied()
	case rt.scope > scopeContent && !q.actor.privileged():
		return denied()
	case rt.scope > scopeContent && rt.scope != scopeEnterprise && q.actor.role == roleCoadmin && s.switches.CoadminsRestricted:
		return denied()
	}
	return nil
}
