package bamboosim

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// employee is one of the company. Guarded by the simulator's lock.
type employee struct {
	id         int
	number     string
	first      string
	last       string
	email      string
	department string
	location   string
	jobTitle   string
	manager    int // an employee's id; 0 = nobody
	hired      time.Time
	rows       []statusRow
	inserted   time.Time
	changed    time.Time // of the record
	tabled     time.Time // of the table
	deleted    bool
	wasActive  bool // at the last move of the day
}

// statusRow is a row of the table employmentStatus.
type statusRow struct {
	id     int
	date   time.Time
	status string
	reason string
	typ    string
}

const terminated = "Terminated"

func (r statusRow) ends() bool { return r.status == terminated }

func (e *employee) ID() string { return strconv.Itoa(e.id) }

func (e *employee) name() string { return strings.TrimSpace(e.first + " " + e.last) }

// sorted are the rows in order of their dates, and of their making.
func (e *employee) sorted() []statusRow {
	rows := slices.Clone(e.rows)
	slices.SortFunc(rows, func(a, b statusRow) int {
		return cmp.Or(a.date.Compare(b.date), cmp.Compare(a.id, b.id))
	})
	return rows
}

// current is the row that counts on a day; false = none does yet.
func (e *employee) current(today time.Time) (statusRow, bool) {
	var out statusRow
	found := false
	for _, r := range e.sorted() {
		if !r.date.After(today) {
			out, found = r, true
		}
	}
	return out, found
}

// active tells whether the employee works on a day.
func (e *employee) active(today time.Time) bool {
	r, found := e.current(today)
	return !found || !r.ends()
}

// terminationDate is the day of the termination that counts, or with ahead of one
// to come; zero = there is none.
func (e *employee) terminationDate(today time.Time, ahead bool) time.Time {
	if r, found := e.current(today); found && r.ends() {
		return r.date
	}
	for _, r := range e.sorted() {
		if ahead && r.ends() && r.date.After(today) {
			return r.date
		}
	}
	return time.Time{}
}

// touch notes a change of the record, and of the table with it.
func (e *employee) touch(now time.Time) {
	e.changed, e.tabled = later(e.changed, now), later(e.tabled, now)
}

// later is now, to the second, and never before what was.
func later(was, now time.Time) time.Time {
	if now = now.UTC().Truncate(time.Second); now.Before(was) {
		return was
	}
	return now
}

func date(t time.Time) string {
	if t.IsZero() {
		return "0000-00-00"
	}
	return t.Format(dateLayout)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05+00:00") }

// field is a field of employees: its number, its alias and what people call it.
type field struct {
	id    int
	alias string
	name  string
	typ   string
}

func fields() []field {
	return []field{
		{1, "firstName", "First Name", "text"},
		{2, "lastName", "Last Name", "text"},
		{3, "displayName", "Display name", "text"},
		{4, "workEmail", "Work Email", "email"},
		{5, "employeeNumber", "Employee #", "employee_number"},
		{6, "status", "Status", "status"},
		{7, "hireDate", "Hire Date", "date"},
		{8, "terminationDate", "Termination Date", "date"},
		{9, "employmentHistoryStatus", "Employment Status", "list"},
		{10, "department", "Department", "list"},
		{11, "location", "Location", "list"},
		{12, "jobTitle", "Job Title", "list"},
		{13, "supervisor", "Reporting to", "employee"},
		{14, "supervisorEId", "Supervisor EID", "text"},
		{15, "lastChanged", "Last changed", "timestamp"},
	}
}

// value is a field of an employee as the API writes it; false = there is no such
// field.
func (s *Sim) value(e *employee, alias string, ahead bool) (any, bool) {
	today := s.today()
	switch alias {
	case "firstName":
		return e.first, true
	case "lastName":
		return e.last, true
	case "displayName":
		return e.name(), true
	case "workEmail":
		return e.email, true
	case "employeeNumber":
		return e.number, true
	case "status":
		return activeWord(e.active(today)), true
	case "hireDate":
		return date(e.hired), true
	case "terminationDate":
		return date(e.terminationDate(today, ahead && !s.switches.NoFutureDate)), true
	case "employmentHistoryStatus":
		r, _ := e.current(today)
		return r.status, true
	case "department":
		return e.department, true
	case "location":
		return e.location, true
	case "jobTitle":
		return e.jobTitle, true
	case "supervisor", "supervisorEId", "supervisorId":
		return s.supervisor(e, alias), true
	case "lastChanged":
		return stamp(e.changed), true
	}
	return nil, false
}

func (s *Sim) supervisor(e *employee, alias string) any {
	m := s.employees[e.manager]
	switch {
	case m == nil:
		return nil
	case alias == "supervisor":
		return m.last + ", " + m.first
	}
	return m.ID()
}

func activeWord(active bool) string {
	if active {
		return "Active"
	}
	return "Inactive"
}
