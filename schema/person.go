package schema

import "time"

// Person is somebody whose accounts we look after.
type Person struct {
	ID        PersonID
	Email     string // the present address, lower case, or what a case was opened for; empty = none is known
	Name      string // empty = not known
	CreatedAt time.Time
}

// EmploymentKind is how somebody is employed.
type EmploymentKind string

// The kinds of employment.
const (
	Employee   EmploymentKind = "employee"
	Contractor EmploymentKind = "contractor"
)

// EmploymentKey names an employment: the source that tells of it and the id it
// has there. It outlives changes of name and address.
type EmploymentKey struct {
	Source     string
	ExternalID string
}

// Employment is one employment of a person, as its source says.
type Employment struct {
	EmploymentKey
	PersonID        PersonID
	Kind            EmploymentKind
	Name            string
	Email           string // work address, lower case
	EmployeeNumber  string
	HireDate        Date // zero dates = not said
	LastWorkingDay  Date
	TerminatedOn    Date
	GardenLeaveFrom Date // the first day without work before the employment ends
	Status          EmploymentStatus
	// ActiveAgain is the day on which the source called an ended employment active
	// again; zero = it never did. Last days before it are of the time before.
	ActiveAgain Date
	ForCause    bool // it ends at once, for cause
	LeaveReason string
	TimeZone    string // IANA name; empty = the site's or the company's
	Department  string
	Site        string
	Manager     string   // the manager's id in the same source, or work address
	ManagerID   PersonID // resolved; empty = none, or not found
	UpdatedAt   time.Time
	// AbsentSince is when a whole roster first left the employment out; zero = it
	// was there. It is no termination.
	AbsentSince time.Time
}

// Ended tells whether the employment is over on a day: after its last working
// day, or its termination date where none is said.
func (e Employment) Ended(on Date) bool {
	last := e.LastDay()
	return !last.IsZero() && last.Before(on)
}

// LastDay is the last working day, or the termination date where none is said.
func (e Employment) LastDay() Date {
	if e.LastWorkingDay.IsZero() {
		return e.TerminatedOn
	}
	return e.LastWorkingDay
}

// Beside tells whether two employments can be those of one person although
// nobody said so: one follows the other, or a contractor became an employee. Two
// of one kind at the same time are more likely two people.
func (e Employment) Beside(other Employment) bool {
	if e.Kind != other.Kind {
		return true
	}
	follows := func(first, then Employment) bool {
		return !first.LastDay().IsZero() && !then.HireDate.IsZero() && first.LastDay().Before(then.HireDate)
	}
	return follows(e, other) || follows(other, e)
}

// Date is a day of the calendar, without a zone.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// ParseDate reads YYYY-MM-DD; "" is the zero date.
func ParseDate(s string) (Date, error) {
	if s == "" {
		return Date{}, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, err
	}
	return DateOf(t), nil
}

// DateOf is the day of an instant in its own zone.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// IsZero tells whether no day is said.
func (d Date) IsZero() bool { return d == Date{} }

// String is YYYY-MM-DD, "" for the zero date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return d.In(time.UTC).Format(time.DateOnly)
}

// In is the day's first instant in a zone.
func (d Date) In(zone *time.Location) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, zone)
}

// Before tells whether d is earlier than other.
func (d Date) Before(other Date) bool { return d.In(time.UTC).Before(other.In(time.UTC)) }

// MatchedBy is how an account was matched to a person.
type MatchedBy string

// The ways of matching, strongest first.
const (
	MatchedByLink   MatchedBy = "link"            // somebody said so
	MatchedByEmail  MatchedBy = "email"           // the login is a verified address of the person
	MatchedByNumber MatchedBy = "employee_number" // the vendor's record carries the person's number
	MatchedByCase   MatchedBy = "case"            // a case was opened for the login
	MatchedByNobody MatchedBy = ""
)

// Rules that name a receiver by who the leaver is, in place of a login.
const (
	ReceiverManager         = "manager"
	ReceiverManagersManager = "manager-of-manager"
	ReceiverDepartmentOwner = "department-owner"
)

// ReceiverRules lists the rules.
func ReceiverRules() []string {
	return []string{ReceiverManager, ReceiverManagersManager, ReceiverDepartmentOwner}
}
