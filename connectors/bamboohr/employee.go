package bamboohr

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"sendoff/connectors"
	"sendoff/schema"
)

// The facts this feed tells, as schema.Roster names them.
const (
	factKind         = "kind"
	factName         = "name"
	factEmail        = "email"
	factNumber       = "employee_number"
	factHireDate     = "hire_date"
	factTerminatedOn = "terminated_on"
	factStatus       = "status"
	factReason       = "leave_reason"
	factDepartment   = "department"
	factSite         = "site"
	factManager      = "manager"
)

// errWanting marks a record that tells too little, in place of one that is hidden.
var errWanting = errors.New("the record tells too little")

func wanting(err error) bool { return errors.Is(err, errWanting) }

// slowDown tells whether the vendor asks to be asked less, and how long to pause.
// It does so by 429 or 503 (https://documentation.bamboohr.com/docs/api-details).
func slowDown(err error) (time.Duration, bool) {
	var e *connectors.Error
	if !errors.As(err, &e) || (e.Status != http.StatusTooManyRequests && e.Status != http.StatusServiceUnavailable) || e.RetryAfter > slowest {
		return 0, false
	}
	if e.RetryAfter > 0 {
		return e.RetryAfter, true
	}
	return slower, true
}

// today is a day that has begun everywhere but perhaps not everywhere is over: the
// company's zone is not told.
func (f *feed) today() schema.Date { return schema.DateOf(f.now().UTC().Add(14 * time.Hour)) }

// ended is what is known of an employee who was deleted: no record is left.
func ended(c change) (connectors.Employee, error) {
	e := connectors.Employee{Fields: []string{factStatus}}
	e.Employment = schema.Employment{EmploymentKey: schema.EmploymentKey{ExternalID: c.id}, Kind: schema.Employee, Status: schema.StatusEnded}
	return sealed(e, c, struct {
		ID     string `json:"id"`
		Action string `json:"action"`
		At     string `json:"lastChanged"`
	}{c.id, "Deleted", stamp(c.at)})
}

// mapping turns a record into facts.
type mapping struct {
	record
	rows  []row // by date
	today schema.Date
	err   error
	out   connectors.Employee
}

// employee is a record with the rows of the change that led to it.
func employee(c change, rec record, today schema.Date) (connectors.Employee, error) {
	if missing := rec.without("status", "terminationDate"); len(missing) > 0 {
		err := hidden(opEmployee, missing)
		var e *connectors.Error
		if errors.As(err, &e) {
			e.Err = errWanting
		}
		return connectors.Employee{}, err
	}
	m := &mapping{record: rec, rows: byDate(c.rows), today: today}
	m.out.Employment = schema.Employment{EmploymentKey: schema.EmploymentKey{ExternalID: c.id}, Kind: schema.Employee}
	m.person()
	m.place()
	m.kind()
	m.leaving()
	if m.err != nil {
		return connectors.Employee{}, m.err
	}
	slices.Sort(m.out.Fields)
	if at, _, err := rec.text("lastChanged"); err == nil && readTime(at).After(c.at) {
		c.at = readTime(at)
	}
	return sealed(m.out, c, struct {
		Employee record `json:"employee"`
		Rows     []row  `json:"employmentStatus"`
	}{rec, m.rows})
}

// word reads a field into a fact; what the record does not tell keeps its value.
func (m *mapping) word(field, fact string, to *string) {
	s, told, err := m.text(field)
	m.fail(err)
	if told {
		*to = s
		m.tell(fact)
	}
}

// fail keeps the first fault.
func (m *mapping) fail(err error) {
	if m.err == nil {
		m.err = err
	}
}

func (m *mapping) tell(fact string) { m.out.Fields = append(m.out.Fields, fact) }

// person reads who it is.
func (m *mapping) person() {
	e := &m.out.Employment
	var first, last string
	m.word("displayName", factName, &e.Name)
	if e.Name == "" {
		m.out.Fields = nil
		m.word("firstName", factName, &first)
		m.word("lastName", factName, &last)
		m.out.Fields = slices.Compact(m.out.Fields)
		e.Name = strings.TrimSpace(first + " " + last)
	}
	m.word("employeeNumber", factNumber, &e.EmployeeNumber)
	m.word("workEmail", factEmail, &e.Email)
	e.Email = strings.ToLower(e.Email)
	if at := strings.LastIndexByte(e.Email, '@'); e.Email != "" && (at < 1 || strings.ContainsAny(e.Email, " \t\r\n")) {
		e.Email = "" // no address: what was known before stays
		m.out.Fields = slices.DeleteFunc(m.out.Fields, func(f string) bool { return f == factEmail })
	}
}

// place reads where they stand.
func (m *mapping) place() {
	e := &m.out.Employment
	m.word("department", factDepartment, &e.Department)
	m.word("location", factSite, &e.Site)
	m.word("supervisorEId", factManager, &e.Manager)
	if e.Manager == "0" {
		e.Manager = ""
	}
}

// kind reads how they are employed: by the status they have, or had before it was
// over. The words are the company's own.
func (m *mapping) kind() {
	status, _, err := m.text("employmentHistoryStatus")
	m.fail(err)
	if status == "" || isTerminated(status) {
		status = ""
		for _, r := range m.rows {
			if !r.terminated() && r.status() != "" {
				status = r.status()
			}
		}
	}
	if status == "" {
		return
	}
	if strings.Contains(strings.ToLower(status), "contract") {
		m.out.Employment.Kind = schema.Contractor
	}
	m.tell(factKind)
}

// leaving reads whether and when they leave.
func (m *mapping) leaving() {
	e := &m.out.Employment
	hired, told, err := m.date("hireDate")
	if err == nil && told { // one that is not legible is not told
		e.HireDate = hired
		m.tell(factHireDate)
	}
	status, _, err := m.text("status")
	m.fail(err)
	switch strings.ToLower(status) {
	case "active":
		e.Status = schema.StatusActive
		m.tell(factStatus)
	case "inactive":
		e.Status = schema.StatusEnded
		m.tell(factStatus)
	case "":
	default:
		m.fail(malformed(opEmployee, "the field status holds neither Active nor Inactive"))
	}
	on, _, err := m.date("terminationDate")
	m.fail(err)
	if e.Status != schema.StatusEnded && m.over(on, hired) {
		on = schema.Date{}
	}
	if on.IsZero() {
		on = m.terminationRow(e.Status == schema.StatusEnded)
	}
	e.TerminatedOn = on
	m.tell(factTerminatedOn)
	for _, r := range m.rows {
		if r.terminated() && r.date() == on && !on.IsZero() {
			e.LeaveReason = r.reason()
		}
	}
	m.tell(factReason)
}

// over tells whether a termination of somebody who works is history: they were
// hired after it, or a status since says that they are back.
func (m *mapping) over(on, hired schema.Date) bool {
	if on.IsZero() {
		return false
	}
	if on.Before(hired) {
		return true
	}
	return slices.ContainsFunc(m.rows, func(r row) bool {
		return !r.terminated() && on.Before(r.date()) && !m.today.Before(r.date())
	})
}

// terminationRow is the day of a termination that only the table tells: of
// somebody who has left the last, of others the first that nobody came back from.
func (m *mapping) terminationRow(left bool) schema.Date {
	var on schema.Date
	for _, r := range m.rows {
		switch {
		case r.terminated() && (left || on.IsZero()):
			on = r.date()
		case !r.terminated() && !left && !m.today.Before(r.date()):
			on = schema.Date{}
		}
	}
	return on
}

// byDate are the rows that have a date, in its order; of one day, in the order in
// which they were made.
func byDate(rows []row) []row {
	out := slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.date().IsZero() })
	slices.SortFunc(out, func(a, b row) int {
		switch {
		case a.date().Before(b.date()):
			return -1
		case b.date().Before(a.date()):
			return 1
		}
		return byNumber(string(a.ID), string(b.ID))
	})
	return out
}

// sealed gives an employee its body and its event id. The id holds when the last
// change was made, so that a return to former facts is an event of its own, and a
// hash of what was read, so that nothing read is lost where that time stands still.
func sealed(e connectors.Employee, c change, body any) (connectors.Employee, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return e, malformed(opEmployee, "the record cannot be kept")
	}
	facts, err := json.Marshal(struct {
		Employment schema.Employment
		Fields     []string
	}{e.Employment, e.Fields})
	if err != nil {
		return e, malformed(opEmployee, "the record cannot be kept")
	}
	sum := sha256.Sum256(append(slices.Clone(raw), facts...))
	e.Body, e.EventID = raw, c.id+"/"+stamp(c.at)+"/"+hex.EncodeToString(sum[:12])
	return e, nil
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}
