package web

import (
	"context"

	"sendoff/schema"
)

// PeopleStore keeps persons, their employments and whose accounts are.
type PeopleStore interface {
	// ImportRoster applies a roster in one transaction, or with dryRun tells what
	// it would do. Rows that contradict what is known are issues, and not applied.
	ImportRoster(ctx context.Context, r schema.Roster, dryRun bool, by schema.Principal) (schema.RosterResult, error)
	// ListPeople lists persons by address; Person returns all that is known of the
	// one of an id or an address they have or had.
	ListPeople(ctx context.Context, f schema.PersonFilter) (list []schema.PersonSummary, next string, err error)
	Person(ctx context.Context, ref string) (schema.PersonView, error)
	PersonRef(ctx context.Context, ref string) (schema.PersonID, error)
	// PersonIssues lists what sources leave open; kind "" selects all.
	PersonIssues(ctx context.Context, kind schema.IssueKind, after string, limit int) (list []schema.PersonIssue, next string, err error)

	Departments(ctx context.Context, after string, limit int) (list []schema.Department, next string, err error)
	// SetDepartmentOwner names who owns a department, "" = nobody.
	SetDepartmentOwner(ctx context.Context, department string, owner schema.PersonID, by schema.Principal) error

	// AccountRef returns an account of a connection by the vendor's id or login.
	AccountRef(ctx context.Context, connection, ref string) (schema.Account, error)
	// LinkAccount says whose an account is; UnlinkAccount lets evidence count again.
	LinkAccount(ctx context.Context, account schema.AccountID, person schema.PersonID, reason string, by schema.Principal) error
	UnlinkAccount(ctx context.Context, account schema.AccountID, reason string, by schema.Principal) error
	// SetCorrelationRule names the vendor's attribute that holds the employee
	// number, "" = none, and matches anew.
	SetCorrelationRule(ctx context.Context, connection, attribute string, by schema.Principal) (schema.CorrelationResult, error)
	CorrelationRule(ctx context.Context, id schema.ConnectionID) (string, error)
}
