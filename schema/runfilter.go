package schema

// RunFilter selects runs. An empty field selects all.
type RunFilter struct {
	ConnectionID ConnectionID
	Kind         RunKind
	State        RunState
	After        string // cursor; "" = from the newest
	Limit        int    // 1 to 500
}

// ReasonGroupsRefused is why memberships or collaborations are partial: the vendor
// refused to list those of some groups.
const ReasonGroupsRefused = "GROUPS_REFUSED"

// ReasonTooLong is why a data set is partial: the vendor's paging does not reach
// the listing's end.
const ReasonTooLong = "LISTING_TOO_LONG"
