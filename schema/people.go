package schema

import "time"

// RosterMode says what a roster is a list of.
type RosterMode string

// The modes of a roster.
const (
	// RosterWhole: every employment of the source. One that is left out is marked
	// absent, which ends nothing (DESIGN promise 8).
	RosterWhole RosterMode = "whole"
	// RosterChanges: some employments; the others are left as they are.
	RosterChanges RosterMode = "changes"
)

// Roster is what a source tells of employments.
type Roster struct {
	Source      string
	Mode        RosterMode
	Employments []Employment
	// Fields are the members of an employment that the source tells; those that it
	// does not keep their values.
	Fields []string
	// Ignored are the columns that mean nothing to us, as the source writes them.
	Ignored []string
}

// RosterResult is what a roster did, or with DryRun would do.
type RosterResult struct {
	DryRun    bool
	Rows      int
	Added     int
	Changed   int
	Unchanged int
	Absent    int // of a whole roster: known employments that it leaves out
	Refused   int // rows not applied; Issues say why
	NewPeople int
	Merged    int // persons found to be one with another
	// Entries are what was added, changed, left out or refused: of each the first
	// MaxRosterEntries.
	Entries     []RosterEntry
	Issues      []PersonIssue // of the source, the first MaxRosterEntries
	Correlation CorrelationResult
}

// MaxRosterEntries is how many entries of one kind a RosterResult names.
const MaxRosterEntries = 200

// RosterChange is what a roster does to an employment.
type RosterChange string

// The changes of an employment.
const (
	RosterAdded   RosterChange = "added"
	RosterChanged RosterChange = "changed"
	RosterAbsent  RosterChange = "absent"
	RosterRefused RosterChange = "refused"
)

// RosterEntry is one employment that a roster touches.
type RosterEntry struct {
	Change     RosterChange
	ExternalID string
	PersonID   PersonID // empty = refused, or new in a dry run
	Joined     string   // why a new employment is a known person's: "email", "employee_number"
	Fields     []string // that differ
}

// IssueKind is what is wrong with what sources tell of people.
type IssueKind string

// The kinds of issue. With the first five the row is not applied.
const (
	// IssueEmailTaken: the address is that of another person, or of one who has
	// another employment of the same kind in the source at the same time.
	IssueEmailTaken IssueKind = "email_taken"
	// IssueEmailTwice: several rows have the address and cannot be one person's.
	IssueEmailTwice IssueKind = "email_twice"
	// IssueNumberTaken: the address is new, and the employee number is that of
	// somebody who is employed at the same time.
	IssueNumberTaken IssueKind = "number_taken"
	// IssueNumberAmbiguous: several persons have or had the employee number.
	IssueNumberAmbiguous IssueKind = "number_ambiguous"
	// IssueTwoCases: the new address is one that a case was opened for, and both
	// persons have cases, so that they cannot be made one.
	IssueTwoCases IssueKind = "two_cases"
	// IssueManagerUnknown: nobody has the manager's id or address.
	IssueManagerUnknown IssueKind = "manager_unknown"
	// IssueSelfManager: the person is their own manager.
	IssueSelfManager IssueKind = "self_manager"
	// IssueManagerCycle: following managers comes back to the person.
	IssueManagerCycle IssueKind = "manager_cycle"
	// IssueAccountAmbiguous: evidence names several persons for an account.
	IssueAccountAmbiguous IssueKind = "account_ambiguous"
	// IssueAccountContradiction: the evidence names another person than the one
	// that the account was matched to before.
	IssueAccountContradiction IssueKind = "account_contradiction"
)

// PersonIssue is something that sources contradict each other in, or leave open.
// It is listed and never settled by a guess.
type PersonIssue struct {
	Kind       IssueKind
	Source     string    // of an employment
	ExternalID string    // of an employment, or the vendor's id of the account
	AccountID  AccountID // of an account; empty = an employment's
	Connection string    // of an account, by name
	Persons    []PersonID
	Others     []string // other employments of the source that stand against it
	SeenAt     time.Time
}

// PersonFilter selects persons. Zero values select all.
type PersonFilter struct {
	Source         string
	Department     string
	Ended          *bool // whether the last day has passed
	WithoutManager bool  // of those a source tells of, who have not left
	WithoutAccount bool
	Absent         bool // left out of the last whole roster
	After          string
	Limit          int
}

// PersonSummary is a person in a list, by the employment that counts now.
type PersonSummary struct {
	Person
	Kind       EmploymentKind // empty = no source tells of them
	Department string
	LastDay    Date
	ManagerID  PersonID
	Manager    string // their address
	Accounts   int
}

// PersonEmail is an address that a person has or had.
type PersonEmail struct {
	Email    string
	Verified bool // a source vouches for it; else a case was opened for it
	Since    time.Time
}

// PersonAccount is an account of a person.
type PersonAccount struct {
	AccountID  AccountID
	Connection string
	ExternalID ExternalID
	Login      string
	Status     AccountStatus
	MatchedBy  MatchedBy
}

// PersonView is everything known of a person.
type PersonView struct {
	PersonSummary
	Emails      []PersonEmail
	Employments []Employment // the one that counts first
	Accounts    []PersonAccount
	// Chain are the manager, the manager's manager and so on; it ends before
	// somebody comes twice.
	Chain []PersonSummary
	Loops bool // the chain comes back to somebody in it
	// Reports are those whose manager the person is: the first MaxReports.
	Reports    []PersonSummary
	ReportsAll int
}

// MaxReports is how many reports a PersonView names.
const MaxReports = 200

// Department is a department with who owns it.
type Department struct {
	Name    string
	People  int      // whose employment that counts is in it
	OwnerID PersonID // empty = nobody was named
	Owner   string   // their address
}

// ReceiverGap is why a receiver rule names no account.
type ReceiverGap string

// The gaps.
const (
	GapNone         ReceiverGap = ""
	GapNobody       ReceiverGap = "nobody"        // no source tells of the leaver
	GapNoManager    ReceiverGap = "no_manager"    // of the leaver, or of their manager
	GapLoop         ReceiverGap = "loop"          // the managers lead back to the leaver
	GapNoDepartment ReceiverGap = "no_department" // the leaver has none
	GapNoOwner      ReceiverGap = "no_owner"      // the department has none
	GapNoAccount    ReceiverGap = "no_account"    // who is meant has no active account there
	GapTwoAccounts  ReceiverGap = "two_accounts"  // who is meant has several
	GapLeft         ReceiverGap = "left"          // the last day of who is meant is over
)

// RuleReceiver is whom a receiver rule means for a leaver, on one connection.
type RuleReceiver struct {
	PersonID PersonID    // empty = nobody
	Login    string      // of their account; empty = there is a gap
	Gap      ReceiverGap // why there is no login
}

// IsReceiverRule tells whether a receiver is named by rule in place of a login.
func IsReceiverRule(s string) bool {
	switch s {
	case ReceiverManager, ReceiverManagersManager, ReceiverDepartmentOwner:
		return true
	}
	return false
}
