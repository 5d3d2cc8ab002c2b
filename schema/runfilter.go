package schema

// RunFilter selects runs. An empty field selects all.
type RunFilter struct {
	ConnectionID ConnectionID
	Kind         RunKind
	State        RunState
	After        string // cursor; "" = from the newest
	Limit        int    // 1 to 500
}

// ChangeKinds lists the kinds of change.
func ChangeKinds() []ChangeKind {
	return []ChangeKind{
		ChangeAccountAppeared, ChangeAccountMissing, ChangeAccountReturned, ChangeAccountDeleted,
		ChangeStatus, ChangeRole, ChangeKindOf, ChangeLogin, ChangeGroupAppeared, ChangeGroupGone,
		ChangeMembershipGained, ChangeMembershipLost, ChangeMembershipRole,
		ChangeAccessGained, ChangeAccessLost, ChangeAccessRole,
	}
}

// ReasonGroupsRefused is why memberships or collaborations are partial: the vendor
// refused to list those of some groups.
const ReasonGroupsRefused = "GROUPS_REFUSED"
