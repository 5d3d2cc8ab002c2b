package roster

import (
	"slices"
	"strings"
	"unicode"
)

// Column is a column of a roster, or a member of its JSON form.
type Column string

// The columns. Only ExternalID is needed.
const (
	ExternalID      Column = "external_id"
	Kind            Column = "kind"
	Name            Column = "name"
	FirstName       Column = "first_name"
	LastName        Column = "last_name"
	Email           Column = "email"
	EmployeeNumber  Column = "employee_number"
	HireDate        Column = "hire_date"
	LastWorkingDay  Column = "last_working_day"
	TerminatedOn    Column = "terminated_on"
	GardenLeaveFrom Column = "garden_leave_from"
	Status          Column = "status"
	ForCause        Column = "for_cause"
	LeaveReason     Column = "leave_reason"
	TimeZone        Column = "time_zone"
	Department      Column = "department"
	Site            Column = "site"
	Manager         Column = "manager"
	ManagerEmail    Column = "manager_email"
)

// Heading is a column with the other headings it is known by. Case, spaces and
// punctuation of a heading do not count, and # is read as "number".
type Heading struct {
	Column  Column
	Aliases []string
	// Means is what the column holds, in words.
	Means string
}

// Headings lists every column that is read. The aliases are the names that
// BambooHR's API, Workday's reports and Merge's models give these facts. What
// BambooHR calls employment status is no alias of status: it holds full-time and
// part-time.
func Headings() []Heading {
	return []Heading{
		{ExternalID, []string{"id", "employee id", "employee_id", "worker id", "eeid", "remote id", "person id"}, "the source's own id of the employment; it never changes"},
		{Kind, []string{"employment type", "worker type", "type"}, "employee or contractor; empty = employee"},
		{Name, []string{"display name", "full name", "display full name", "legal name", "preferred name", "worker"}, "the whole name"},
		{FirstName, []string{"given name", "legal first name"}, "used with last_name where there is no name"},
		{LastName, []string{"surname", "family name", "legal last name"}, "used with first_name where there is no name"},
		{Email, []string{"work email", "email address", "primary work email", "email - primary work", "work e-mail"}, "the work address"},
		{EmployeeNumber, []string{"employee #", "employee no", "personnel number", "staff number"}, "the number people know; it may repeat in a later employment of the same person"},
		{HireDate, []string{"start date", "hired on", "original hire date"}, "the first day"},
		{LastWorkingDay, []string{"last day", "last day of work", "last day worked"}, "the last day at work"},
		{TerminatedOn, []string{"termination date", "end date", "contract end date"}, "the day the contract ends"},
		{GardenLeaveFrom, []string{"garden leave", "garden leave start", "gardening leave", "gardening leave from"}, "the first day without work before the employment ends"},
		{Status, []string{"worker status", "employee status"}, "active, on_leave, or ended; empty = nothing is said"},
		{ForCause, []string{"dismissed for cause", "terminated for cause", "termination for cause"}, "yes = it ends at once; no, or empty = it does not"},
		{LeaveReason, []string{"termination reason", "primary termination reason"}, "why it ends"},
		{TimeZone, []string{"timezone", "tz"}, "an IANA name, such as Europe/Berlin"},
		{Department, []string{"department name"}, "the department"},
		{Site, []string{"location", "work location", "office"}, "where they work"},
		{Manager, []string{"manager id", "supervisor id", "supervisor eid", "manager employee id", "reports to id"}, "the manager's id in the same source, or work address"},
		{ManagerEmail, []string{"supervisor email", "manager work email", "reports to email"}, "the manager's work address; used where manager is empty"},
	}
}

// key is a heading without what does not count in it.
func key(heading string) string {
	heading = strings.ReplaceAll(heading, "#", " number ")
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}

// columnOf returns the column that a heading means.
func columnOf(heading string) (Column, bool) {
	k := key(heading)
	if k == "" {
		return "", false
	}
	for _, h := range Headings() {
		if k == key(string(h.Column)) || slices.ContainsFunc(h.Aliases, func(a string) bool { return k == key(a) }) {
			return h.Column, true
		}
	}
	return "", false
}

// fieldsOf names the members of an employment that the columns tell.
func fieldsOf(columns map[Column]bool) []string {
	fields := []string{}
	if columns[Name] || columns[FirstName] || columns[LastName] {
		fields = append(fields, string(Name))
	}
	if columns[Manager] || columns[ManagerEmail] {
		fields = append(fields, string(Manager))
	}
	for _, c := range []Column{Kind, Email, EmployeeNumber, HireDate, LastWorkingDay, TerminatedOn, GardenLeaveFrom, Status, ForCause, LeaveReason, TimeZone, Department, Site} {
		if columns[c] {
			fields = append(fields, string(c))
		}
	}
	slices.Sort(fields)
	return fields
}
