package schema

import "time"

// Period is what a price is for.
type Period string

// The periods.
const (
	PerMonth Period = "month"
	PerYear  Period = "year"
)

// The most that a license can say; products of both fit an int64 of minor units.
const (
	MaxSeats      = 10_000_000
	MaxPriceMinor = 100_000_000_000
)

// License is what a contract says of a connection's seats: no API of Box tells.
type License struct {
	ConnectionID ConnectionID
	Connection   string
	Seats        int64 // bought
	Price        Money // of one seat for one period
	Period       Period
	RenewsOn     Date // zero = not said
	UpdatedBy    string
	UpdatedAt    time.Time
}

// HoldsSeat tells whether an account uses a seat of its vendor's contract. At Box
// every managed user does, also an inactive one; service accounts, app users and
// collaborators of other enterprises do not
// (https://support.box.com/hc/en-us/articles/360049147574).
func HoldsSeat(k AccountKind, s AccountStatus) bool {
	return k == KindPerson && (s == AccountActive || s == AccountSuspended || s == AccountRestricted)
}

// MaySignIn tells whether a person can sign in with such an account.
func MaySignIn(k AccountKind, s AccountStatus) bool {
	return k == KindPerson && (s == AccountActive || s == AccountRestricted)
}

// SeatUse counts a connection's accounts by what they mean for its seats.
type SeatUse struct {
	Active     int64 // these three hold seats
	Restricted int64
	Suspended  int64
	// Dormant are those among active and restricted that are proven inactive, or
	// never used; Ungraded those of which it is not known.
	Dormant  int64
	Ungraded int64
	// None of these holds a seat. A missing account may; the vendor does not list it.
	Missing, Service, App, External int64
}

// Held is how many seats are in use.
func (u SeatUse) Held() int64 { return u.Active + u.Restricted + u.Suspended }

// LicenseRow is a connection's seats.
type LicenseRow struct {
	ConnectionID ConnectionID
	Connection   string
	Vendor       string
	License      *License // nil = not configured: nothing about cost is known
	Use          SeatUse
}

// Free is how many of the seats bought are not in use, and Over how many more are
// in use than were bought.
func (r LicenseRow) Free() int64 { return max(r.License.Seats-r.Use.Held(), 0) }

// Over is how many more seats are in use than were bought.
func (r LicenseRow) Over() int64 { return max(r.Use.Held()-r.License.Seats, 0) }

// The acts whose effect on seats a report shows.
const (
	SuspendDormant  = "suspend_dormant"
	DeleteDormant   = "delete_dormant"
	DeleteSuspended = "delete_suspended"
)

// SeatEffect is what an act on accounts would free.
type SeatEffect struct {
	Act      string
	Accounts int64
	Seats    int64 // at once
	// AtRenewal is what is saved for each period from the renewal on, if that many
	// seats fewer are bought then: before it, nothing. nil = not configured.
	AtRenewal *Money
}

// Effects says what each act frees. A suspended account keeps its seat, so that
// suspending frees nothing; deleting frees a seat now, and money only at the
// renewal. Seats in use beyond those bought are no money to be had back.
func (r LicenseRow) Effects() []SeatEffect {
	effect := func(act string, accounts, seats int64) SeatEffect {
		e := SeatEffect{Act: act, Accounts: accounts, Seats: seats}
		if r.License != nil {
			saved := r.License.Price.Times(max(seats-r.Over(), 0))
			e.AtRenewal = &saved
		}
		return e
	}
	return []SeatEffect{
		effect(SuspendDormant, r.Use.Dormant, 0),
		effect(DeleteDormant, r.Use.Dormant, r.Use.Dormant),
		effect(DeleteSuspended, r.Use.Suspended, r.Use.Suspended),
	}
}
