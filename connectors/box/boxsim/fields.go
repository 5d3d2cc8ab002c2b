package boxsim

import (
	"slices"
	"strings"
)

// checkFields refuses names that no resource has, where Box is switched to be
// strict about them.
func (q *request) checkFields() *apiError {
	if q.switches.UnknownFields != "error" {
		return nil
	}
	known := q.knownFields()
	for _, name := range q.fields() {
		base, _, _ := strings.Cut(name, ".")
		if !slices.Contains(known, base) {
			return badRequest("fields", "Invalid value '"+name+"'")
		}
	}
	return nil
}

func (s *Sim) knownFields() []string {
	var ofUsers []string
	for _, f := range s.userFields() {
		ofUsers = append(ofUsers, f.name)
	}
	return slices.Concat(
		ofUsers, itemBase(), itemStandard(typeFolder), itemStandard(typeFile), itemStandard(typeWebLink),
		[]string{
			"role", "external_app_user_id",
			"tags", "is_externally_owned", "has_collaborations", "version_number", "comment_count", "permissions", "lock",
			"extension", "sync_state", "can_non_owners_invite", "metadata", "watermark_info", "classification", "expires_at",
			"disposition_at", "is_package", "group_type", "provenance", "external_sync_identifier", "invitability_level",
			"member_viewability_level", "user", "group", "configurable_permissions", "item", "app_item", "accessible_by",
			"invite_email", "status", "is_access_only", "acknowledged_at", "policy_name", "policy_type", "retention_type",
			"retention_length", "disposition_action", "assignment_counts", "release_notes", "legal_hold_policy",
			"retention_policy", "assigned_to", "assigned_by", "assigned_at", "access_level",
		},
	)
}
