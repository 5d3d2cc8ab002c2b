package apiclient

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Person is a person in a list, by the employment that counts now.
type Person struct {
	ID         string `json:"id"`
	Email      string `json:"email"`
	Name       string `json:"name"`
	Kind       string `json:"kind"`
	Department string `json:"department"`
	LastDay    string `json:"last_day"`
	ManagerID  string `json:"manager_id"`
	Manager    string `json:"manager"`
	Accounts   int    `json:"accounts"`
}

// PersonDetail is everything known of a person.
type PersonDetail struct {
	Person
	Emails      []PersonEmail   `json:"emails"`
	Employments []Employment    `json:"employments"`
	AccountList []PersonAccount `json:"account_list"`
	Managers    []Person        `json:"managers"`
	Loops       bool            `json:"loops"`
	Reports     []Person        `json:"reports"`
	ReportsAll  int             `json:"reports_all"`
}

// PersonEmail is an address that a person has or had.
type PersonEmail struct {
	Email    string    `json:"email"`
	Verified bool      `json:"verified"`
	Since    time.Time `json:"since"`
}

// PersonAccount is an account of a person.
type PersonAccount struct {
	ID         string `json:"id"`
	Connection string `json:"connection"`
	AccountID  string `json:"account_id"`
	Login      string `json:"login"`
	Status     string `json:"status"`
	MatchedBy  string `json:"matched_by"`
}

// Employment is one employment of a person.
type Employment struct {
	Source          string     `json:"source"`
	ExternalID      string     `json:"external_id"`
	Kind            string     `json:"kind"`
	Name            string     `json:"name"`
	Email           string     `json:"email"`
	EmployeeNumber  string     `json:"employee_number"`
	HireDate        string     `json:"hire_date"`
	LastWorkingDay  string     `json:"last_working_day"`
	TerminatedOn    string     `json:"terminated_on"`
	GardenLeaveFrom string     `json:"garden_leave_from"`
	Status          string     `json:"status"`
	ForCause        bool       `json:"for_cause"`
	LeaveReason     string     `json:"leave_reason"`
	TimeZone        string     `json:"time_zone"`
	Department      string     `json:"department"`
	Site            string     `json:"site"`
	Manager         string     `json:"manager"`
	ManagerID       string     `json:"manager_id"`
	AbsentSince     *time.Time `json:"absent_since"`
	UpdatedAt       time.Time  `json:"updated_at"`
}

// PersonIssue is what rosters or accounts contradict each other in.
type PersonIssue struct {
	Kind       string    `json:"kind"`
	Source     string    `json:"source"`
	ExternalID string    `json:"external_id"`
	Connection string    `json:"connection"`
	Persons    []string  `json:"persons"`
	Others     []string  `json:"others"`
	Message    string    `json:"message"`
	Fix        string    `json:"fix"`
	SeenAt     time.Time `json:"seen_at"`
}

// Correlation counts what the matching of accounts to persons came to.
type Correlation struct {
	Matched   int64 `json:"matched"`
	Unmatched int64 `json:"unmatched"`
	Issues    int64 `json:"issues"`
}

// Roster asks to take over a roster in CSV.
type Roster struct {
	Source string `json:"source"`
	Mode   string `json:"mode"` // whole or changes
	DryRun bool   `json:"dry_run"`
	CSV    string `json:"csv"`
}

// RosterResult is what a roster did, or would do.
type RosterResult struct {
	Source         string        `json:"source"`
	Mode           string        `json:"mode"`
	DryRun         bool          `json:"dry_run"`
	Rows           int           `json:"rows"`
	Added          int           `json:"added"`
	Changed        int           `json:"changed"`
	Unchanged      int           `json:"unchanged"`
	Absent         int           `json:"absent"`
	Refused        int           `json:"refused"`
	NewPeople      int           `json:"new_people"`
	Merged         int           `json:"merged"`
	IgnoredColumns []string      `json:"ignored_columns"`
	Entries        []RosterEntry `json:"entries"`
	Issues         []PersonIssue `json:"issues"`
	Correlation    Correlation   `json:"correlation"`
}

// RosterEntry is one employment that a roster touches.
type RosterEntry struct {
	Change     string   `json:"change"`
	ExternalID string   `json:"external_id"`
	PersonID   string   `json:"person_id"`
	Joined     string   `json:"joined"`
	Fields     []string `json:"fields"`
}

// Department is a department with its owner.
type Department struct {
	Name    string `json:"name"`
	People  int    `json:"people"`
	OwnerID string `json:"owner_id"`
	Owner   string `json:"owner"`
}

// DepartmentOwner is who owns a department.
type DepartmentOwner struct {
	Department string `json:"department"`
	OwnerID    string `json:"owner_id"`
}

// AccountLink says whose an account is.
type AccountLink struct {
	Connection string `json:"connection"`
	AccountID  string `json:"account_id"`
	PersonID   string `json:"person_id"`
}

// EmployeeNumber is the vendor's attribute that holds the employee number.
type EmployeeNumber struct {
	Connection  string       `json:"connection"`
	Attribute   string       `json:"attribute"`
	Correlation *Correlation `json:"correlation"`
}

// ImportRoster takes over a roster.
func (c *Client) ImportRoster(ctx context.Context, r Roster) (RosterResult, error) {
	return call[RosterResult](ctx, c, http.MethodPost, path("people", "roster"), r)
}

// People returns a page of people.
func (c *Client) People(ctx context.Context, filters url.Values, cursor string, limit int) ([]Person, string, error) {
	p, err := call[struct {
		People []Person `json:"people"`
		Next   string   `json:"next"`
	}](ctx, c, http.MethodGet, path("people")+pageOf(filters, cursor, limit), nil)
	return p.People, p.Next, err
}

// Person returns everything known of the person of an id or address.
func (c *Client) Person(ctx context.Context, ref string) (PersonDetail, error) {
	return call[PersonDetail](ctx, c, http.MethodGet, path("people", ref), nil)
}

// PeopleIssues returns a page of issues; kind "" selects all.
func (c *Client) PeopleIssues(ctx context.Context, kind, cursor string, limit int) ([]PersonIssue, string, error) {
	p, err := call[struct {
		Issues []PersonIssue `json:"issues"`
		Next   string        `json:"next"`
	}](ctx, c, http.MethodGet, path("people", "issues")+pageOf(url.Values{"kind": {kind}}, cursor, limit), nil)
	return p.Issues, p.Next, err
}

// Departments returns every department.
func (c *Client) Departments(ctx context.Context) ([]Department, error) {
	return everyPage(func(cursor string) ([]Department, string, error) {
		p, err := call[struct {
			Departments []Department `json:"departments"`
			Next        string       `json:"next"`
		}](ctx, c, http.MethodGet, path("people", "departments")+pageQuery(cursor), nil)
		return p.Departments, p.Next, err
	})
}

// SetDepartmentOwner names who owns a department, "" = nobody.
func (c *Client) SetDepartmentOwner(ctx context.Context, department, owner string) (DepartmentOwner, error) {
	return call[DepartmentOwner](ctx, c, http.MethodPut, path("people", "departments"), map[string]string{"department": department, "owner": owner})
}

// LinkAccount says whose an account is.
func (c *Client) LinkAccount(ctx context.Context, connection, account, person, reason string) (AccountLink, error) {
	return call[AccountLink](ctx, c, http.MethodPost, path("people", "links"),
		map[string]string{"connection": connection, "account": account, "person": person, "reason": reason})
}

// UnlinkAccount lets evidence decide again whose an account is.
func (c *Client) UnlinkAccount(ctx context.Context, connection, account, reason string) (AccountLink, error) {
	return call[AccountLink](ctx, c, http.MethodPost, path("people", "links", "end"),
		map[string]string{"connection": connection, "account": account, "reason": reason})
}

// EmployeeNumber returns the attribute that holds the employee number.
func (c *Client) EmployeeNumber(ctx context.Context, connection string) (EmployeeNumber, error) {
	return call[EmployeeNumber](ctx, c, http.MethodGet, path("connections", connection, "employee-number"), nil)
}

// SetEmployeeNumber names that attribute, "" = none.
func (c *Client) SetEmployeeNumber(ctx context.Context, connection, attribute string) (EmployeeNumber, error) {
	return call[EmployeeNumber](ctx, c, http.MethodPut, path("connections", connection, "employee-number"), map[string]string{"attribute": attribute})
}
