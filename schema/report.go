package schema

import (
	"fmt"
	"time"
)

// ReportHead is what every report begins with: when it was made, how old each part
// is, and what silence is judged by.
type ReportHead struct {
	At       time.Time
	Datasets []DatasetFreshness
	Bases    []ConnectionBasis
}

// ConnectionBasis is what a connection's grades are proven by.
type ConnectionBasis struct {
	ConnectionID ConnectionID
	Connection   string
	GradeBasis
}

// Of returns a connection's basis.
func (h ReportHead) Of(c ConnectionID) ConnectionBasis {
	for _, b := range h.Bases {
		if b.ConnectionID == c {
			return b
		}
	}
	return ConnectionBasis{ConnectionID: c}
}

// AgeBand is how long an account has provably been silent.
type AgeBand string

// The bands, in days. An account in 30-59 was not used for at least 30 days, which
// the coverage proves; that it was used before then is known only of those that
// have a last use.
const (
	BandUnder30      AgeBand = "under_30"
	Band30           AgeBand = "30_59"
	Band60           AgeBand = "60_89"
	Band90           AgeBand = "90_179"
	Band180          AgeBand = "180_and_more"
	BandNever        AgeBand = "never"
	BandUnknown      AgeBand = "unknown"
	BandNotCollected AgeBand = "not_collected"
)

// AgeBands are the bands in their order.
func AgeBands() []AgeBand {
	return []AgeBand{BandUnder30, Band30, Band60, Band90, Band180, BandNever, BandUnknown, BandNotCollected}
}

// BandOf is the band of an account that was created at an instant (zero = not
// known), as of now.
func BandOf(a Activity, created, now time.Time) AgeBand {
	const day = 24 * time.Hour
	switch a.Grade(30*day, created, now) {
	case GradeActive:
		return BandUnder30
	case GradeNever:
		return BandNever
	case GradeUnknown:
		return BandUnknown
	case GradeNotCollected:
		return BandNotCollected
	}
	band := Band30
	for _, next := range []struct {
		days int
		band AgeBand
	}{{60, Band60}, {90, Band90}, {180, Band180}} {
		if a.Grade(time.Duration(next.days)*day, created, now) == GradeInactive {
			band = next.band
		}
	}
	return band
}

// GradeCounts counts accounts by grade.
type GradeCounts map[Grade]int64

// InactiveFilter selects accounts by grade.
type InactiveFilter struct {
	ConnectionID ConnectionID // empty = all
	Threshold    time.Duration
	Grades       []Grade         // empty = inactive and never
	Statuses     []AccountStatus // empty = those that may sign in: active and restricted
	Kinds        []AccountKind   // empty = person
	Now          time.Time
	After        string // cursor; "" = from the longest silence
	Limit        int
}

// InactiveRow is an account with its grade.
type InactiveRow struct {
	AccountRow
	Grade   Grade
	Band    AgeBand
	Manager string // address; empty = none is known
	Seat    bool   // whether it holds one
}

// InactiveReport is a page of accounts, those silent longest first. The first page
// counts all that the filter's connection, statuses and kinds select.
type InactiveReport struct {
	ReportHead
	Counts GradeCounts // nil = not the first page
	Rows   []InactiveRow
	Next   string
}

// LicenseReport is the seats of each connection.
type LicenseReport struct {
	ReportHead
	Threshold time.Duration // that dormant accounts are silent for
	Rows      []LicenseRow
}

// UsageFilter selects whose use, and when. Days are UTC.
type UsageFilter struct {
	ConnectionID ConnectionID
	From, To     Date // both included
	Now          time.Time
	GroupsAfter  string // cursor of the groups; "" = from the first
	Limit        int    // of groups
}

// CoverageState tells how much of a span of time is known.
type CoverageState string

// The states of coverage. What was counted in a span that is not full is at least
// so much.
const (
	CoverageFull    CoverageState = "full"
	CoveragePartial CoverageState = "partial"
	CoverageNone    CoverageState = "none"
)

// UsageSpan is a day or an ISO week (ISO 8601) of a connection's use.
type UsageSpan struct {
	From, To Date // both included; of a day the same
	Active   int64
	Coverage CoverageState
}

// Week is the ISO week, such as 2026-W47.
func (u UsageSpan) Week() string {
	year, week := u.From.In(time.UTC).ISOWeek()
	return fmt.Sprintf("%d-W%02d", year, week)
}

// UsageTrend compares the last whole week that is fully covered with the fourth one
// before it.
type UsageTrend struct {
	Week, Before UsageSpan
}

// UsageShare is how many of some accounts that may sign in were used in the last 30
// days, and of how many that is not known.
type UsageShare struct {
	Name     string     // of a department or group; empty = a person without department
	GroupID  ExternalID // of a group
	NoPerson bool       // accounts of which no person is known, in place of a department
	Accounts int64
	Active   int64
	NotKnown int64
}

// UsageReport is how much a connection's accounts are used.
type UsageReport struct {
	ReportHead
	UsageFilter
	Connection  string
	Days        []UsageSpan
	Weeks       []UsageSpan
	Trend       *UsageTrend // nil = one of the two weeks is not fully covered
	Adoption    UsageShare
	Bands       map[AgeBand]int64 // of accounts that may sign in
	Departments []UsageShare
	Groups      []UsageShare
	GroupsNext  string
}

// OrphanFilter selects accounts that nobody, or not surely somebody, is known to
// hold. Those that are gone are left out.
type OrphanFilter struct {
	ConnectionID ConnectionID
	Issue        AccountIssue  // empty = all
	Kinds        []AccountKind // empty = person
	Now          time.Time
	After        string
	Limit        int
}

// OrphanRow is an account with what is in doubt.
type OrphanRow struct {
	AccountRow
	Issue      AccountIssue
	Candidates []string // addresses of the persons that evidence names
}

// OrphanCounts counts what the report is about, of the filter's connections.
type OrphanCounts struct {
	Issues               map[AccountIssue]int64 // of accounts of persons
	Others               map[AccountKind]int64  // service, app and external accounts without a person
	People               int64                  // that a source tells of and who have not left
	PeopleWithoutManager int64
}

// OrphanReport is a page of accounts without a person.
type OrphanReport struct {
	ReportHead
	Counts *OrphanCounts // nil = not the first page
	Rows   []OrphanRow
	Next   string
}

// Unmanaged is a person without a manager.
type Unmanaged struct {
	PersonID   PersonID
	Email      string
	Name       string
	Department string
	Kind       EmploymentKind
	Said       string // whom the source names; empty = nobody
}

// ChangeReport is a page of changes.
type ChangeReport struct {
	ReportHead
	Rows []ChangeRow
	Next string
}
