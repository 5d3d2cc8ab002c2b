package webtest

import (
	"context"

	"sendoff/schema"
)

// PeopleFuncs is a web.PeopleStore of functions.
type PeopleFuncs struct {
	ImportRosterFunc       func(r schema.Roster, dryRun bool) (schema.RosterResult, error)
	ListPeopleFunc         func(schema.PersonFilter) ([]schema.PersonSummary, string, error)
	PersonFunc             func(ref string) (schema.PersonView, error)
	PersonRefFunc          func(ref string) (schema.PersonID, error)
	PersonIssuesFunc       func(kind schema.IssueKind, after string, limit int) ([]schema.PersonIssue, string, error)
	DepartmentsFunc        func(after string, limit int) ([]schema.Department, string, error)
	SetDepartmentOwnerFunc func(department string, owner schema.PersonID) error
	AccountRefFunc         func(connection, ref string) (schema.Account, error)
	LinkAccountFunc        func(schema.AccountID, schema.PersonID) error
	UnlinkAccountFunc      func(schema.AccountID) error
	SetCorrelationRuleFunc func(connection, attribute string) (schema.CorrelationResult, error)
	CorrelationRuleFunc    func(schema.ConnectionID) (string, error)
}

// ImportRoster calls its function, as does each method below.
func (f *PeopleFuncs) ImportRoster(_ context.Context, r schema.Roster, dryRun bool, _ schema.Principal) (schema.RosterResult, error) {
	return f.ImportRosterFunc(r, dryRun)
}

// ListPeople calls its function.
func (f *PeopleFuncs) ListPeople(_ context.Context, filter schema.PersonFilter) ([]schema.PersonSummary, string, error) {
	return f.ListPeopleFunc(filter)
}

// Person calls its function.
func (f *PeopleFuncs) Person(_ context.Context, ref string) (schema.PersonView, error) {
	return f.PersonFunc(ref)
}

// PersonRef calls its function; without one each reference is a person of its own.
func (f *PeopleFuncs) PersonRef(_ context.Context, ref string) (schema.PersonID, error) {
	if f.PersonRefFunc == nil {
		return schema.PersonID(ref), nil
	}
	return f.PersonRefFunc(ref)
}

// PersonIssues calls its function.
func (f *PeopleFuncs) PersonIssues(_ context.Context, kind schema.IssueKind, after string, limit int) ([]schema.PersonIssue, string, error) {
	return f.PersonIssuesFunc(kind, after, limit)
}

// Departments calls its function.
func (f *PeopleFuncs) Departments(_ context.Context, after string, limit int) ([]schema.Department, string, error) {
	return f.DepartmentsFunc(after, limit)
}

// SetDepartmentOwner calls its function.
func (f *PeopleFuncs) SetDepartmentOwner(_ context.Context, department string, owner schema.PersonID, _ schema.Principal) error {
	return f.SetDepartmentOwnerFunc(department, owner)
}

// AccountRef calls its function.
func (f *PeopleFuncs) AccountRef(_ context.Context, connection, ref string) (schema.Account, error) {
	return f.AccountRefFunc(connection, ref)
}

// LinkAccount calls its function.
func (f *PeopleFuncs) LinkAccount(_ context.Context, a schema.AccountID, p schema.PersonID, _ string, _ schema.Principal) error {
	return f.LinkAccountFunc(a, p)
}

// UnlinkAccount calls its function.
func (f *PeopleFuncs) UnlinkAccount(_ context.Context, a schema.AccountID, _ string, _ schema.Principal) error {
	return f.UnlinkAccountFunc(a)
}

// SetCorrelationRule calls its function.
func (f *PeopleFuncs) SetCorrelationRule(_ context.Context, connection, attribute string, _ schema.Principal) (schema.CorrelationResult, error) {
	return f.SetCorrelationRuleFunc(connection, attribute)
}

// CorrelationRule calls its function.
func (f *PeopleFuncs) CorrelationRule(_ context.Context, id schema.ConnectionID) (string, error) {
	return f.CorrelationRuleFunc(id)
}
