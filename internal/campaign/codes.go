package campaign

// The reasons of a risk and of a recommendation.
const (
	PrivilegedRole = "PRIVILEGED_ROLE"
	GroupAdmin     = "GROUP_ADMIN"
	ServiceAccount = "SERVICE_ACCOUNT"
	Unmatched      = "UNMATCHED"
	External       = "EXTERNAL"
	Left           = "LEFT"
	Dormant        = "DORMANT"
	NeverUsed      = "NEVER_USED"
	Unusual        = "UNUSUAL"
	ManyBytes      = "MANY_BYTES"
	CoOwner        = "CO_OWNER"
	Editor         = "EDITOR"
	CameBack       = "CAME_BACK"
	Suspended      = "SUSPENDED"
	Active         = "ACTIVE"
	Usual          = "USUAL"
	Employed       = "EMPLOYED"
)

// Codes lists the reasons, in the order in which they are given.
func Codes() []string {
	return []string{
		PrivilegedRole, GroupAdmin, ServiceAccount, Unmatched, External, Left, Dormant, NeverUsed, Unusual, ManyBytes, CoOwner, Editor,
		CameBack, Suspended, Active, Usual, Employed,
	}
}

// Explain says what a reason means; "" for what is none.
func Explain(code string) string {
	switch code {
	case PrivilegedRole:
		return "The account administers others at the vendor."
	case GroupAdmin:
		return "The account administers the group."
	case ServiceAccount:
		return "A service or an application uses the account, and no person answers for it by signing in."
	case Unmatched:
		return "Nobody is known to hold the account."
	case External:
		return "The account belongs to somebody outside the company."
	case Left:
		return "The holder's employment has ended, and the account still works."
	case Dormant:
		return "The account was proven not to be used for the threshold."
	case NeverUsed:
		return "The account was proven never to have been used since it was made."
	case Unusual:
		return "Fewer than one in ten of the holder's department have this access."
	case ManyBytes:
		return "The account owns 100 GiB or more."
	case CoOwner:
		return "The access lets the account share the content with others, and delete it."
	case Editor:
		return "The access lets the account change the content."
	case CameBack:
		return "The last campaign revoked this access, and it is there."
	case Suspended:
		return "The account is suspended: nobody can use the access now."
	case Active:
		return "The account was used within the threshold."
	case Usual:
		return "At least half of the holder's department have this access."
	case Employed:
		return "The holder is employed."
	}
	return ""
}
