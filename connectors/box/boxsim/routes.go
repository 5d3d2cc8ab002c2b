package boxsim

import (
	"net/http"
	"strings"

	"sendoff/connectors/simkit"
)

// opTransfer is the operation everything is about.
const opTransfer = "users.transfer"

// Operations that no route of the API names.
const (
	opToken     = "token"
	opRevoke    = "revoke"
	opAuthorize = "authorize"
	opUnknown   = "unknown"
)

// route is one endpoint: a pattern of http.ServeMux below /2.0, the
// operation's name in the log and in faults, and what it asks of the token.
type route struct {
	pattern string
	op      string
	scope   scope
	handle  func(*request) reply
}

func apiRoutes() []route {
	var all []route
	for _, part := range [][]route{userRoutes(), groupRoutes(), contentRoutes(), moreContentRoutes(), sharingRoutes(), enterpriseRoutes()} {
		all = append(all, part...)
	}
	return all
}

// operations lists the names that the log shows and that faults go by.
func operations() []string {
	ops := []string{opToken, opRevoke, opAuthorize, opUnknown}
	for _, rt := range apiRoutes() {
		ops = append(ops, rt.op)
	}
	return ops
}

func userRoutes() []route {
	return []route{
		{"GET /users", "users.list", scopeUsers, (*request).listUsers},
		{"POST /users", "users.create", scopeUsers, (*request).createUser},
		{"GET /users/me", "users.me", scopeNone, (*request).getMe},
		{"POST /users/terminate_sessions", "users.terminate_sessions", scopeUsers, (*request).terminateSessions},
		{"GET /users/{id}", "users.get", scopeUsers, (*request).getUser},
		{"PUT /users/{id}", "users.update", scopeUsers, (*request).updateUser},
		{"DELETE /users/{id}", "users.delete", scopeUsers, (*request).deleteUser},
		{"GET /users/{id}/email_aliases", "email_aliases.list", scopeUsers, (*request).listAliases},
		{"POST /users/{id}/email_aliases", "email_aliases.create", scopeUsers, (*request).createAlias},
		{"DELETE /users/{id}/email_aliases/{alias}", "email_aliases.delete", scopeUsers, (*request).deleteAlias},
		{"GET /users/{id}/memberships", "users.memberships", scopeGroups, (*request).userMemberships},
		{"PUT /users/{id}/folders/0", opTransfer, scopeTransfer, (*request).transfer},
	}
}

func groupRoutes() []route {
	return []route{
		{"GET /groups", "groups.list", scopeGroups, (*request).listGroups},
		{"POST /groups", "groups.create", scopeGroups, (*request).createGroup},
		{"GET /groups/{id}", "groups.get", scopeGroups, (*request).getGroup},
		{"PUT /groups/{id}", "groups.update", scopeGroups, (*request).updateGroup},
		{"DELETE /groups/{id}", "groups.delete", scopeGroups, (*request).deleteGroup},
		{"GET /groups/{id}/memberships", "groups.memberships", scopeGroups, (*request).groupMemberships},
		{"GET /groups/{id}/collaborations", "groups.collaborations", scopeGroups, (*request).groupCollaborations},
		{"POST /group_memberships", "group_memberships.create", scopeGroups, (*request).createMembership},
		{"GET /group_memberships/{id}", "group_memberships.get", scopeGroups, (*request).getMembership},
		{"PUT /group_memberships/{id}", "group_memberships.update", scopeGroups, (*request).updateMembership},
		{"DELETE /group_memberships/{id}", "group_memberships.delete", scopeGroups, (*request).deleteMembership},
	}
}

func contentRoutes() []route {
	return []route{
		{"POST /folders", "folders.create", scopeContent, (*request).createFolder},
		{"GET /folders/trash/items", "trash.list", scopeContent, (*request).listTrash},
		{"GET /folders/{id}", "folders.get", scopeContent, on(typeFolder, (*request).getItem)},
		{"PUT /folders/{id}", "folders.update", scopeContent, on(typeFolder, (*request).updateItem)},
		{"POST /folders/{id}", "folders.restore", scopeContent, on(typeFolder, (*request).restoreItem)},
		{"DELETE /folders/{id}", "folders.delete", scopeContent, on(typeFolder, (*request).trashItem)},
		{"GET /folders/{id}/items", "folders.items", scopeContent, (*request).listItems},
		{"GET /folders/{id}/trash", "folders.trash_get", scopeContent, on(typeFolder, (*request).getTrashed)},
		{"DELETE /folders/{id}/trash", "folders.purge", scopeContent, on(typeFolder, (*request).purgeItem)},
		{"GET /files/{id}", "files.get", scopeContent, on(typeFile, (*request).getItem)},
		{"PUT /files/{id}", "files.update", scopeContent, on(typeFile, (*request).updateItem)},
		{"POST /files/{id}", "files.restore", scopeContent, on(typeFile, (*request).restoreItem)},
		{"DELETE /files/{id}", "files.delete", scopeContent, on(typeFile, (*request).trashItem)},
		{"GET /files/{id}/trash", "files.trash_get", scopeContent, on(typeFile, (*request).getTrashed)},
		{"DELETE /files/{id}/trash", "files.purge", scopeContent, on(typeFile, (*request).purgeItem)},
		{"GET /web_links/{id}", "web_links.get", scopeContent, on(typeWebLink, (*request).getItem)},
	}
}

func sharingRoutes() []route {
	return []route{
		{"GET /folders/{id}/collaborations", "folders.collaborations", scopeContent, on(typeFolder, (*request).itemCollaborations)},
		{"GET /files/{id}/collaborations", "files.collaborations", scopeContent, on(typeFile, (*request).itemCollaborations)},
		{"GET /collaborations", "collaborations.pending", scopeContent, (*request).pendingCollaborations},
		{"POST /collaborations", "collaborations.create", scopeContent, (*request).createCollaboration},
		{"GET /collaborations/{id}", "collaborations.get", scopeContent, (*request).getCollaboration},
		{"PUT /collaborations/{id}", "collaborations.update", scopeContent, (*request).updateCollaboration},
		{"DELETE /collaborations/{id}", "collaborations.delete", scopeContent, (*request).deleteCollaboration},
		{"GET /folder_locks", "folder_locks.list", scopeContent, (*request).listLocks},
		{"POST /folder_locks", "folder_locks.create", scopeContent, (*request).createLock},
		{"DELETE /folder_locks/{id}", "folder_locks.delete", scopeContent, (*request).deleteLock},
	}
}

func enterpriseRoutes() []route {
	return []route{
		{"GET /legal_hold_policies", "legal_hold_policies.list", scopeLegalHold, ofKind(policyLegalHold, (*request).listPolicies)},
		{"POST /legal_hold_policies", "legal_hold_policies.create", scopeLegalHold, ofKind(policyLegalHold, (*request).createPolicy)},
		{"GET /legal_hold_policies/{id}", "legal_hold_policies.get", scopeLegalHold, ofKind(policyLegalHold, (*request).getPolicy)},
		{"PUT /legal_hold_policies/{id}", "legal_hold_policies.update", scopeLegalHold, ofKind(policyLegalHold, (*request).updatePolicy)},
		{"DELETE /legal_hold_policies/{id}", "legal_hold_policies.delete", scopeLegalHold, ofKind(policyLegalHold, (*request).deletePolicy)},
		{"GET /legal_hold_policy_assignments", "legal_hold_policy_assignments.list", scopeLegalHold, (*request).listHolds},
		{"POST /legal_hold_policy_assignments", "legal_hold_policy_assignments.create", scopeLegalHold, ofKind(policyLegalHold, (*request).createAssignment)},
		{"GET /legal_hold_policy_assignments/{id}", "legal_hold_policy_assignments.get", scopeLegalHold, ofKind(policyLegalHold, (*request).getAssignment)},
		{"DELETE /legal_hold_policy_assignments/{id}", "legal_hold_policy_assignments.delete", scopeLegalHold, ofKind(policyLegalHold, (*request).deleteAssignment)},
		{"GET /legal_hold_policy_assignments/{id}/files_on_hold", "legal_hold_policy_assignments.files", scopeLegalHold, ofKind(policyLegalHold, (*request).coveredFiles)},
		{"GET /retention_policies", "retention_policies.list", scopeRetention, ofKind(policyRetention, (*request).listPolicies)},
		{"POST /retention_policies", "retention_policies.create", scopeRetention, ofKind(policyRetention, (*request).createPolicy)},
		{"GET /retention_policies/{id}", "retention_policies.get", scopeRetention, ofKind(policyRetention, (*request).getPolicy)},
		{"PUT /retention_policies/{id}", "retention_policies.update", scopeRetention, ofKind(policyRetention, (*request).updatePolicy)},
		{"DELETE /retention_policies/{id}", "retention_policies.delete", scopeRetention, ofKind(policyRetention, (*request).deletePolicy)},
		{"GET /retention_policies/{id}/assignments", "retention_policies.assignments", scopeRetention, (*request).listRetentions},
		{"POST /retention_policy_assignments", "retention_policy_assignments.create", scopeRetention, ofKind(policyRetention, (*request).createAssignment)},
		{"GET /retention_policy_assignments/{id}", "retention_policy_assignments.get", scopeRetention, ofKind(policyRetention, (*request).getAssignment)},
		{"DELETE /retention_policy_assignments/{id}", "retention_policy_assignments.delete", scopeRetention, ofKind(policyRetention, (*request).deleteAssignment)},
		{"GET /retention_policy_assignments/{id}/files_under_retention", "retention_policy_assignments.files", scopeRetention, ofKind(policyRetention, (*request).coveredFiles)},
		{"GET /events", "events.list", scopeEnterprise, (*request).listEvents},
		{"GET /enterprises/{id}/device_pinners", "device_pinners.list", scopeEnterprise, (*request).listDevicePins},
	}
}

// ofKind fixes the kind of policy that a handler is about.
func ofKind(kind string, handle func(*request, string) reply) func(*request) reply {
	return func(q *request) reply { return handle(q, kind) }
}

// on fixes the type of item that a handler is about.
func on(typ itemType, handle func(*request, itemType) reply) func(*request) reply {
	return func(q *request) reply { return handle(q, typ) }
}

func (s *Sim) routes() *http.ServeMux {
	mux := http.NewServeMux()
	known := http.NewServeMux() // the API's paths, to tell 404 from 405
	for _, rt := range apiRoutes() {
		method, path, _ := strings.Cut(rt.pattern, " ")
		mux.HandleFunc(method+" /2.0"+path, s.serve(rt))
		known.HandleFunc(method+" /2.0"+path, func(http.ResponseWriter, *http.Request) {})
	}
	mux.HandleFunc("GET /download/{id}/{key}", s.getDownload)
	mux.HandleFunc("POST /oauth2/token", s.postToken)
	mux.HandleFunc("POST /oauth2/revoke", s.postRevoke)
	mux.HandleFunc("GET /api/oauth2/authorize", s.getAuthorize)
	mux.HandleFunc("POST /api/oauth2/authorize", s.postAuthorize)
	s.controlRoutes(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.unknownRoute(w, r, known) })
	return mux
}

// unknownRoute answers what Box has no endpoint for: 405 where only the method
// is wrong, 404 otherwise, both in Box's envelope.
func (s *Sim) unknownRoute(w http.ResponseWriter, r *http.Request, known *http.ServeMux) {
	e := fail(http.StatusNotFound, "not_found", "Not Found")
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		probe := r.Clone(r.Context())
		probe.Method = method
		if _, pattern := known.Handler(probe); pattern != "" {
			e = fail(http.StatusMethodNotAllowed, "method_not_allowed", "Method Not Allowed")
		}
	}
	call, err := simkit.NewCall(r, opUnknown, "")
	if err != nil {
		http.Error(w, "request body too large", http.StatusRequestEntityTooLarge)
		return
	}
	s.mu.Lock()
	s.nameCaller(call)
	requestID := s.head(call)
	s.mu.Unlock()
	s.pipe.Serve(w, call, func(c *simkit.Call) { s.answer(c, failed(e), requestID) })
}
