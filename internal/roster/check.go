package roster

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sendoff/internal/intake"
	"sendoff/schema"
)

const (
	maxField = 500 // characters
	minYear  = 1900
	maxYear  = 9998
	// noDate is how BambooHR writes that a date is not set, highDate how SAP does.
	noDate   = "0000-00-00"
	highDate = "9999-12-31"
)

// row is one employment as written, by column.
type row map[Column]string

// checker turns rows into employments and notes every fault.
type checker struct {
	out      Result
	told     map[Column]bool
	first    map[string]string // place of each external id
	zones    map[string]error
	unlisted int // problems beyond maxProblems
}

func newChecker() checker {
	return checker{told: map[Column]bool{}, first: map[string]string{}, zones: map[string]error{}}
}

// ReadRows reads a roster's JSON form: each row by the names of the columns. The
// rules are those of ReadCSV; places are employments[N].column.
func ReadRows(rows []map[Column]string) Result {
	c := newChecker()
	if len(rows) == 0 {
		c.problem("employments", "empty", "the list is empty", "name one employment at least")
	}
	for i, cells := range rows {
		if i == MaxRows {
			c.tooMany("employments")
			break
		}
		for column := range cells {
			c.told[column] = true
		}
		at := fmt.Sprintf("employments[%d]", i)
		c.take(cells, func(column Column) string { return at + "." + string(column) }, at)
	}
	return c.result()
}

func (c *checker) result() Result {
	if c.unlisted > 0 {
		c.out.Problems = append(c.out.Problems, schema.Problem{
			Where: "file", Code: "more", Message: fmt.Sprintf("%d more faults are not listed", c.unlisted), Fix: "mend these first",
		})
	}
	if len(c.out.Problems) > 0 {
		c.out.Employments = nil
	}
	c.out.Fields = fieldsOf(c.told)
	return c.out
}

func (c *checker) problem(where, code, message, fix string) {
	if len(c.out.Problems) >= maxProblems {
		c.unlisted++
		return
	}
	c.out.Problems = append(c.out.Problems, schema.Problem{Where: where, Code: code, Message: message, Fix: fix})
}

func (c *checker) tooMany(where string) {
	c.problem(where, "too_many", fmt.Sprintf("there are more than %d employments", MaxRows), "split the roster, and import the parts as changes")
}

// take reads one row. at says where a column of it stands, line where the row does.
func (c *checker) take(cells row, at func(Column) string, line string) {
	for column, text := range cells {
		cells[column] = strings.TrimSpace(text)
	}
	if !c.checkCells(cells, at) {
		return
	}
	e := schema.Employment{
		Kind: c.kind(cells[Kind], at), Name: nameOf(cells), EmployeeNumber: cells[EmployeeNumber], LeaveReason: cells[LeaveReason],
		HireDate:        c.date(cells[HireDate], at(HireDate)),
		LastWorkingDay:  c.date(cells[LastWorkingDay], at(LastWorkingDay)),
		TerminatedOn:    c.date(cells[TerminatedOn], at(TerminatedOn)),
		GardenLeaveFrom: c.date(cells[GardenLeaveFrom], at(GardenLeaveFrom)),
		Status:          c.status(cells[Status], at(Status)), ForCause: c.yes(cells[ForCause], at(ForCause)),
		TimeZone: c.zone(cells[TimeZone], at), Department: cells[Department], Site: cells[Site],
		Email: c.address(cells[Email], at(Email)), Manager: c.manager(cells, at),
	}
	e.ExternalID = cells[ExternalID]
	c.order(e, at)
	switch before, twice := c.first[e.ExternalID]; {
	case e.ExternalID == "":
		c.problem(at(ExternalID), "required", "there is no external id", "give the source's own id of the employment")
	case twice:
		c.problem(at(ExternalID), "duplicate", "the same external id as in "+before, "keep one of the rows")
	default:
		c.first[e.ExternalID] = line
	}
	c.out.Employments = append(c.out.Employments, e)
}

// checkCells refuses text that cannot be kept. Columns are looked at in one order,
// so that the same file gives the same report.
func (c *checker) checkCells(cells row, at func(Column) string) bool {
	ok := true
	for _, h := range Headings() {
		text := cells[h.Column]
		switch {
		case !utf8.ValidString(text):
			c.problem(at(h.Column), "encoding", "the text is not UTF-8", "save the file as UTF-8")
		case utf8.RuneCountInString(text) > maxField:
			c.problem(at(h.Column), "too_long", fmt.Sprintf("longer than %d characters", maxField), "shorten it")
		case strings.ContainsFunc(text, unicode.IsControl):
			c.problem(at(h.Column), "control_character", "holds control characters or a line break", "write it in one line of plain text")
		default:
			continue
		}
		ok = false
	}
	return ok
}

func nameOf(cells row) string {
	return cmp.Or(cells[Name], strings.TrimSpace(cells[FirstName]+" "+cells[LastName]))
}

func (c *checker) kind(s string, at func(Column) string) schema.EmploymentKind {
	switch k := schema.EmploymentKind(strings.ToLower(s)); k {
	case "":
		return schema.Employee
	case schema.Employee, schema.Contractor:
		return k
	}
	c.problem(at(Kind), "unknown_kind", "the kind is neither employee nor contractor", "write employee or contractor, or leave it empty for an employee")
	return ""
}

// order refuses days in an order that cannot be. One who is active and began after
// the last day was hired again in the same record.
func (c *checker) order(e schema.Employment, at func(Column) string) {
	last := e.LastDay()
	if !last.IsZero() && last.Before(e.HireDate) && e.Status != schema.StatusActive {
		c.problem(at(HireDate), "dates_order", "it begins after its last day", "correct one of the dates in the source, or tell the status active of one who was hired again")
	}
	if !e.TerminatedOn.IsZero() && e.TerminatedOn.Before(e.GardenLeaveFrom) {
		c.problem(at(GardenLeaveFrom), "dates_order", "garden leave begins after the contract ends", "correct one of the dates in the source")
	}
}

// status reads the words that HR systems have for three states. Another word is
// never guessed: somebody would lose their accounts, or keep them.
func (c *checker) status(s, where string) schema.EmploymentStatus {
	switch strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(s)) {
	case "":
		return schema.StatusUnsaid
	case "active":
		return schema.StatusActive
	case "on_leave", "leave":
		return schema.StatusOnLeave
	case "ended", "terminated", "inactive":
		return schema.StatusEnded
	}
	c.problem(where, "unknown_status", "the status is not one of those there are", "write active, on_leave (or leave), ended (or terminated, inactive), or leave it empty")
	return schema.StatusUnsaid
}

func (c *checker) yes(s, where string) bool {
	switch strings.ToLower(s) {
	case "yes", "true":
		return true
	case "", "no", "false":
		return false
	}
	c.problem(where, "yes_or_no", "this is neither yes nor no", "write yes or true, no or false, or leave it empty for no")
	return false
}

func (c *checker) address(s, where string) string {
	if s == "" {
		return ""
	}
	email, err := intake.ParseAddress(s)
	// What is stored is compared by Postgres too: it must be lower case for both.
	if err == nil && email != strings.ToLower(email) {
		err = fmt.Errorf("the address has letters without one lower case")
	}
	if err != nil {
		c.problem(where, "email_syntax", err.Error(), "correct it in the source, or leave it empty")
	}
	return email
}

func (c *checker) manager(cells row, at func(Column) string) string {
	switch id := cells[Manager]; {
	case strings.Contains(id, "@"):
		return c.address(id, at(Manager))
	case id != "":
		return id
	}
	return c.address(cells[ManagerEmail], at(ManagerEmail))
}

func (c *checker) zone(s string, at func(Column) string) string {
	if s == "" {
		return ""
	}
	err, known := c.zones[s]
	if !known {
		_, err = intake.ParseZone(s)
		c.zones[s] = err
	}
	if err != nil {
		c.problem(at(TimeZone), "zone", err.Error(), "see the names at iana.org/time-zones")
	}
	return s
}

// date reads a day. Other forms than ISO 8601's are refused: 03/04 is two dates.
func (c *checker) date(s, where string) schema.Date {
	if s == "" || s == noDate || s == highDate {
		return schema.Date{}
	}
	d, err := schema.ParseDate(s)
	switch {
	case err == nil && d.Year >= minYear && d.Year <= maxYear:
		return d
	case err == nil:
		c.problem(where, "date_range", fmt.Sprintf("the year is not between %d and %d", minYear, maxYear), "correct it in the source, or leave it empty")
	default:
		c.problem(where, "date_syntax", "this is not a date written YYYY-MM-DD", dateFix(s))
	}
	return schema.Date{}
}

// dateFix says how to write what looks like a date of another form.
func dateFix(s string) string {
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	switch {
	case digits(s):
		return "this looks like a spreadsheet's serial number: format the column as 2026-11-30 before saving"
	case strings.ContainsAny(s, "/."):
		return "day and month cannot be told apart in this form: export dates as 2026-11-30"
	case len(s) > len(time.DateOnly) && slices.Contains([]byte("T "), s[len(time.DateOnly)]):
		return "leave the time of day out: 2026-11-30"
	}
	return "write it such as 2026-11-30, or leave it empty"
}
