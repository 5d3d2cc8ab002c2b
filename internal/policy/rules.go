package policy

import "sendoff/schema"

// RuleUnmet is the finding for a receiver rule that names nobody who could receive
// anything. It names the rule, never a person.
func RuleUnmet(c schema.Connection, rule string, gap schema.ReceiverGap) schema.Finding {
	who := "whoever the rule names"
	switch rule {
	case schema.ReceiverManager:
		who = "the manager"
	case schema.ReceiverManagersManager:
		who = "the manager's manager"
	case schema.ReceiverDepartmentOwner:
		who = "the department's owner"
	}
	why, fix := "it could not be followed", "name the receiver by login"
	switch gap {
	case schema.GapNobody:
		why, fix = "no roster tells of the leaver", "import one (sendoff people import), or link the account to its person (sendoff people link)"
	case schema.GapNoManager:
		why, fix = "no manager is known", "give the manager in the roster (sendoff people list --without-manager), or name the receiver by login"
	case schema.GapLoop:
		why, fix = "it leads back to the leaver, or round in a circle", "correct the managers in the roster (sendoff people issues), or name the receiver by login"
	case schema.GapNoDepartment:
		why, fix = "no department of the leaver is known", "give it in the roster, or name the receiver by login"
	case schema.GapNoOwner:
		why, fix = "the leaver's department has no owner", "name one: sendoff people department-owner DEPARTMENT EMAIL"
	case schema.GapNoAccount:
		why, fix = who+" has no active account there that we know of", "sync the connection (sendoff sync "+c.Name+"), or link the account: sendoff people link"
	case schema.GapTwoAccounts:
		why, fix = who+" has several active accounts there", "name the one that shall receive by its login"
	case schema.GapLeft:
		why, fix = who+" has left: by the roster their last day is over", "correct the roster, or name the receiver by login"
	case schema.GapNone:
	}
	return finding(c, schema.ReceiverMissing, "the receiver rule "+rule+" names nobody: "+why, fix)
}
