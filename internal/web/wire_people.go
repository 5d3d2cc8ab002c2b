package web

import (
	"time"

	"sendoff/schema"
)

// PersonBody is a person in a list. (Exported, for huma leaves out unexported
// embedded structs.)
type PersonBody struct {
	ID         schema.PersonID       `json:"id"`
	Email      string                `json:"email" doc:"The present address; empty = none is known"`
	Name       string                `json:"name"`
	Kind       schema.EmploymentKind `json:"kind" doc:"employee or contractor; empty = no roster tells of them"`
	Department string                `json:"department"`
	LastDay    string                `json:"last_day" doc:"YYYY-MM-DD; empty = none is said"`
	ManagerID  schema.PersonID       `json:"manager_id" doc:"Empty = none is known"`
	Manager    string                `json:"manager" doc:"Their address"`
	Accounts   int                   `json:"accounts" doc:"How many accounts are known to be theirs"`
}

type personDetailBody struct {
	PersonBody
	Emails      []personEmailBody   `json:"emails" nullable:"false"`
	Employments []employmentBody    `json:"employments" nullable:"false" doc:"The one that counts now first"`
	AccountList []personAccountBody `json:"account_list" nullable:"false"`
	Managers    []PersonBody        `json:"managers" nullable:"false" doc:"The manager, the manager's manager and so on"`
	Loops       bool                `json:"loops" doc:"Whether the managers lead round in a circle"`
	Reports     []PersonBody        `json:"reports" nullable:"false" doc:"The first 200"`
	ReportsAll  int                 `json:"reports_all"`
}

type personEmailBody struct {
	Email    string    `json:"email"`
	Verified bool      `json:"verified" doc:"A roster vouches for it; else a case or a restriction named it"`
	Since    time.Time `json:"since"`
}

type personAccountBody struct {
	ID         schema.AccountID     `json:"id"`
	Connection string               `json:"connection"`
	AccountID  schema.ExternalID    `json:"account_id" doc:"The vendor's id"`
	Login      string               `json:"login"`
	Status     schema.AccountStatus `json:"status"`
	MatchedBy  schema.MatchedBy     `json:"matched_by" doc:"link, email, employee_number or case"`
}

type employmentBody struct {
	Source          string                  `json:"source"`
	ExternalID      string                  `json:"external_id"`
	Kind            schema.EmploymentKind   `json:"kind"`
	Name            string                  `json:"name"`
	Email           string                  `json:"email"`
	EmployeeNumber  string                  `json:"employee_number"`
	HireDate        string                  `json:"hire_date"`
	LastWorkingDay  string                  `json:"last_working_day"`
	TerminatedOn    string                  `json:"terminated_on"`
	GardenLeaveFrom string                  `json:"garden_leave_from"`
	Status          schema.EmploymentStatus `json:"status" doc:"active, on_leave or ended; empty = nothing is said"`
	ForCause        bool                    `json:"for_cause" doc:"It ends at once"`
	LeaveReason     string                  `json:"leave_reason"`
	TimeZone        string                  `json:"time_zone"`
	Department      string                  `json:"department"`
	Site            string                  `json:"site"`
	Manager         string                  `json:"manager" doc:"As the source writes it"`
	ManagerID       schema.PersonID         `json:"manager_id"`
	AbsentSince     *time.Time              `json:"absent_since" doc:"When a whole roster first left it out, which ends nothing; null = it is there"`
	UpdatedAt       time.Time               `json:"updated_at"`
}

type issueBody struct {
	Kind       schema.IssueKind  `json:"kind"`
	Source     string            `json:"source" doc:"Of an employment"`
	ExternalID string            `json:"external_id" doc:"Of an employment; of an account the vendor's id"`
	Connection string            `json:"connection" doc:"Of an account"`
	Persons    []schema.PersonID `json:"persons" nullable:"false"`
	Others     []string          `json:"others" nullable:"false" doc:"Other employments of the source that stand against it"`
	Message    string            `json:"message"`
	Fix        string            `json:"fix"`
	SeenAt     time.Time         `json:"seen_at"`
}

type correlationBody struct {
	Matched   int64 `json:"matched" doc:"Accounts newly matched to a person"`
	Unmatched int64 `json:"unmatched" doc:"Accounts of people that match nobody"`
	Issues    int64 `json:"issues" doc:"Accounts that evidence names several persons for, or another than before"`
}

func personOf(p schema.PersonSummary) PersonBody {
	return PersonBody{
		ID: p.ID, Email: p.Email, Name: p.Name, Kind: p.Kind, Department: p.Department, LastDay: p.LastDay.String(),
		ManagerID: p.ManagerID, Manager: p.Manager, Accounts: p.Accounts,
	}
}

// listOf maps a list; none is an empty one.
func listOf[A, B any](in []A, to func(A) B) []B {
	out := make([]B, len(in))
	for i, a := range in {
		out[i] = to(a)
	}
	return out
}

func personDetailOf(v schema.PersonView) personDetailBody {
	return personDetailBody{
		PersonBody: personOf(v.PersonSummary), Loops: v.Loops, ReportsAll: v.ReportsAll,
		Emails:      listOf(v.Emails, func(e schema.PersonEmail) personEmailBody { return personEmailBody{e.Email, e.Verified, e.Since.UTC()} }),
		Employments: listOf(v.Employments, employmentOf),
		AccountList: listOf(v.Accounts, func(a schema.PersonAccount) personAccountBody {
			return personAccountBody{a.AccountID, a.Connection, a.ExternalID, a.Login, a.Status, a.MatchedBy}
		}),
		Managers: listOf(v.Chain, personOf), Reports: listOf(v.Reports, personOf),
	}
}

func employmentOf(e schema.Employment) employmentBody {
	return employmentBody{
		Source: e.Source, ExternalID: e.ExternalID, Kind: e.Kind, Name: e.Name, Email: e.Email, EmployeeNumber: e.EmployeeNumber,
		HireDate: e.HireDate.String(), LastWorkingDay: e.LastWorkingDay.String(), TerminatedOn: e.TerminatedOn.String(),
		GardenLeaveFrom: e.GardenLeaveFrom.String(), Status: e.Status, ForCause: e.ForCause,
		LeaveReason: e.LeaveReason, TimeZone: e.TimeZone, Department: e.Department, Site: e.Site, Manager: e.Manager,
		ManagerID: e.ManagerID, AbsentSince: instant(e.AbsentSince), UpdatedAt: e.UpdatedAt.UTC(),
	}
}

func issueOf(i schema.PersonIssue) issueBody {
	message, fix := issueText(i)
	return issueBody{
		Kind: i.Kind, Source: i.Source, ExternalID: i.ExternalID, Connection: i.Connection, Persons: nonNil(i.Persons),
		Others: nonNil(i.Others), Message: message, Fix: fix, SeenAt: i.SeenAt.UTC(),
	}
}

// issueText says what an issue is and the way out, in words free of people.
func issueText(i schema.PersonIssue) (message, fix string) {
	switch i.Kind {
	case schema.IssueEmailTaken:
		return "the address is another person's, or of somebody employed at the same time in the same capacity; the row is not applied",
			"correct the address in the source; if both rows are one person's, give the older one its last day"
	case schema.IssueEmailTwice:
		return "several rows have the address and cannot be one person's; none of them is applied", "correct the addresses in the source, or give all rows but one their last day"
	case schema.IssueNumberTaken:
		return "the employee number is that of somebody employed at the same time, and the address differs; the row is not applied",
			"correct the number in the source, or give the older row its last day"
	case schema.IssueNumberAmbiguous:
		return "several persons have or had the employee number; the row is not applied", "give the row the address of whom it is, or correct the numbers in the source"
	case schema.IssueTwoCases:
		return "the new address belongs to a person with cases of their own, and both have cases; the row is not applied", "leave the old address in the source until the cases are no longer needed"
	case schema.IssueManagerUnknown:
		return "nobody in the source has the manager's id or address", "correct the manager in the source, or add their row"
	case schema.IssueSelfManager:
		return "the person is their own manager", "correct the manager in the source"
	case schema.IssueManagerCycle:
		return "the managers lead round in a circle", "correct one of the managers in the source"
	case schema.IssueAccountAmbiguous:
		return "the evidence names several persons for the account; it is matched to none", "say whose it is: sendoff people link " + i.Connection + "/" + i.ExternalID + " EMAIL"
	case schema.IssueAccountContradiction:
		return "the evidence names another person than the one the account was matched to; the match is kept", "say whose it is: sendoff people link " + i.Connection + "/" + i.ExternalID + " EMAIL"
	}
	return "the rosters contradict each other", "see docs/people.md"
}

func correlationOf(c schema.CorrelationResult) correlationBody {
	return correlationBody{Matched: c.Matched, Unmatched: c.Unmatched, Issues: c.Issues}
}
