package schema

// FindingCode names one result of pre-flight.
type FindingCode string

// The refusals of pre-flight (DESIGN section 5).
const (
	ReceiverMissing     FindingCode = "RECEIVER_MISSING"
	ReceiverExternal    FindingCode = "RECEIVER_EXTERNAL"
	ReceiverInactive    FindingCode = "RECEIVER_INACTIVE"
	ReceiverLeaving     FindingCode = "RECEIVER_LEAVING"
	ReceiverIsSource    FindingCode = "RECEIVER_IS_SOURCE"
	ReceiverFull        FindingCode = "RECEIVER_FULL"
	PrivilegeTooLow     FindingCode = "PRIVILEGE_TOO_LOW"
	SourceIsAdmin       FindingCode = "SOURCE_IS_ADMIN"
	ServiceAccount      FindingCode = "SERVICE_ACCOUNT"
	ScopeMissing        FindingCode = "SCOPE_MISSING"
	ConnectionDegraded  FindingCode = "CONNECTION_DEGRADED"
	EnterpriseMismatch  FindingCode = "ENTERPRISE_MISMATCH"
	AmbiguousLogin      FindingCode = "AMBIGUOUS_LOGIN"
	Busy                FindingCode = "BUSY"
	TransferUnsettled   FindingCode = "TRANSFER_UNSETTLED" // an earlier case's transfer has no verdict
	ConnectionReadOnly  FindingCode = "CONNECTION_READ_ONLY"
	ContentRemainsFound FindingCode = "CONTENT_REMAINS"
	SourceProtected     FindingCode = "SOURCE_PROTECTED"
	SourceOnHold        FindingCode = "SOURCE_ON_HOLD"
	HoldsUnreadableNow  FindingCode = "HOLDS_UNREADABLE"
	PlanImpossible      FindingCode = "PLAN_IMPOSSIBLE" // of a leaver that HR tells of: no plan can be made
	OverBudget          FindingCode = "OVER_BUDGET"     // likewise: the engine's budget is used up
)

// The warnings of pre-flight.
const (
	TrashPresent       FindingCode = "TRASH_PRESENT"
	AlreadyInactive    FindingCode = "SOURCE_ALREADY_INACTIVE"
	AlreadyActive      FindingCode = "SOURCE_ALREADY_ACTIVE"
	RetentionPresent   FindingCode = "RETENTION_PRESENT"
	MassTrashRecent    FindingCode = "MASS_TRASH_RECENT"
	FileSharesWillDie  FindingCode = "FILE_SHARES_WILL_DIE"
	OpenLinks          FindingCode = "OPEN_LINKS"
	LockedFolders      FindingCode = "LOCKED_FOLDERS"
	ContentFrozen      FindingCode = "CONTENT_FROZEN"
	RelayNotCollected  FindingCode = "RELAY_NOT_COLLECTED"
	SupersedesLower    FindingCode = "SUPERSEDES"       // a running plan of a lower cause ends
	ContentNotSurveyed FindingCode = "CONTENT_NOT_READ" // what the account owns could not be looked at
)

// Finding is one result of pre-flight, with the way out.
type Finding struct {
	Code       FindingCode `json:"code"`
	Warning    bool        `json:"warning,omitempty"` // false = the plan is refused
	Connection string      `json:"connection,omitempty"`
	Message    string      `json:"message"`
	Fix        string      `json:"fix,omitempty"`
	CaseID     CaseID      `json:"case_id,omitempty"` // of BUSY: which case
}

// Refused tells whether any finding refuses the plan.
func Refused(findings []Finding) bool {
	for _, f := range findings {
		if !f.Warning {
			return true
		}
	}
	return false
}
