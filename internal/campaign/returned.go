package campaign

import "sendoff/schema"

// Why access came back after its removal.
const (
	CauseDirectory   = "directory"
	CauseInvitation  = "invitation"
	CauseRole        = "role"
	CauseReactivated = "reactivated"
	CauseNotKnown    = "not_known"
)

// Causes lists them.
func Causes() []string {
	return []string{CauseDirectory, CauseInvitation, CauseRole, CauseReactivated, CauseNotKnown}
}

// ReturnCause says why access is there again, by its facts when it was revoked and
// now, and by the account's status when the removal was proven and now. A group
// that a directory feeds comes before everything else: whatever is changed at the
// vendor, the directory makes it again.
func ReturnCause(before, now schema.ItemFacts, was, is schema.AccountStatus) (cause, detail string) {
	again := !live(was) && live(is)
	grouped := now.Kind == schema.ItemGroup || now.Kind == schema.ItemCollaboration
	switch {
	case !now.Held:
		return CauseNotKnown, "the access is not there"
	case grouped && now.Provenance != "":
		return CauseDirectory, "the directory that feeds the group put the account into it again"
	case again && now.Kind == schema.ItemAccount && was == schema.AccountMissing:
		return CauseReactivated, "the account is listed again"
	case again:
		return CauseReactivated, "the account is active again"
	case now.Kind == schema.ItemRole && now.Role.Privileged():
		return CauseRole, "the account was given an administrative role again"
	case grouped && before.Access != now.Access:
		return CauseInvitation, "the access was made anew, with another role"
	case now.Kind == schema.ItemGroup:
		return CauseInvitation, "the account was put into the group again"
	case now.Kind == schema.ItemCollaboration:
		return CauseInvitation, "the access was shared again through the group"
	}
	return CauseNotKnown, "nothing that is known says why"
}
