package schema

import (
	"maps"
	"slices"
	"time"
)

// Budget is how much may be done: a zero member sets no limit of its own, except
// Privileged. What counts are plans that write to a vendor, of every policy and
// door, in the last 24 hours, and bytes those that are transferred or deleted.
type Budget struct {
	PerRun     int   `json:"per_run,omitempty"`    // accounts of one review run
	PerDay     int   `json:"per_day,omitempty"`    // accounts of this policy
	Connection int   `json:"connection,omitempty"` // accounts of one connection, whatever started them
	Percent    int   `json:"percent,omitempty"`    // of the accounts the policy looks at, in one run; 1 account always fits
	Bytes      int64 `json:"bytes,omitempty"`      // in one run
	Privileged int   `json:"privileged"`           // accounts with a privileged role in one run; 0 = none
}

// The budget of a policy that names none.
const (
	DefaultBudgetPerRun  = 25
	DefaultBudgetPerDay  = 50
	DefaultBudgetPercent = 2
)

// EngineBudget bounds all doors of the engine together, in the last 24 hours.
type EngineBudget struct {
	PerDay     int // accounts; 0 = no limit
	Connection int // accounts of one connection; 0 = no limit
	UpdatedBy  string
	UpdatedAt  time.Time
}

// BudgetLimit names a limit.
type BudgetLimit string

// The limits.
const (
	LimitPerRun     BudgetLimit = "per_run"
	LimitPerDay     BudgetLimit = "per_day"
	LimitConnection BudgetLimit = "connection"
	LimitPercent    BudgetLimit = "percent"
	LimitBytes      BudgetLimit = "bytes"
	LimitPrivileged BudgetLimit = "privileged"
	LimitEngine     BudgetLimit = "engine"
	LimitEngineConn BudgetLimit = "engine_connection"
)

// Spending is what a run would use, or what was used.
type Spending struct {
	Accounts   int
	Privileged int
	Bytes      int64
	Connection map[ConnectionID]int // accounts of each
}

// Overrun is a limit that does not hold.
type Overrun struct {
	Limit   BudgetLimit  `json:"limit"`
	Subject ConnectionID `json:"subject,omitempty"` // the connection, of its limits
	Used    int64        `json:"used"`              // before
	Wanted  int64        `json:"wanted"`            // besides
	Allowed int64        `json:"allowed"`
}

// BudgetUsed is what was used in the last 24 hours.
type BudgetUsed struct {
	Run        Spending // by the run itself, before
	Policy     int      // accounts by the policy
	Engine     int      // accounts by all doors
	Connection map[ConnectionID]int
}

// BudgetWait says that confirmed accounts of a run find no room in a budget of 24
// hours: they start later.
type BudgetWait struct {
	Accounts    int            `json:"accounts"` // that wait
	Since       time.Time      `json:"since"`
	Until       time.Time      `json:"until"` // when there is room for the first of them, if nobody else takes it
	Overruns    []Overrun      `json:"overruns"`
	Connections []ConnectionID `json:"connections"` // of the accounts that wait
}

// Overruns are the limits of a policy and of the engine that do not hold when a run
// that looked at so many accounts uses what it wants, in the order of the limits,
// then of the connections' ids.
func (b Budget) Overruns(e EngineBudget, looked int64, wanted Spending, used BudgetUsed) []Overrun {
	return b.overruns(e, looked, wanted, used, nil)
}

// StartOverruns are the limits of 24 hours that do not hold when so many accounts
// of a run start now.
//
// A release lifts, for its run alone, each limit that it was about to what those who
// released it were shown: what was used plus what was wanted. It lifts none that is
// lower by now.
func (b Budget) StartOverruns(e EngineBudget, released []Overrun, wanted Spending, used BudgetUsed) []Overrun {
	day := Budget{PerDay: b.PerDay, Connection: b.Connection, Privileged: wanted.Privileged}
	return day.overruns(e, 0, wanted, used, released)
}

// DayLimited tells whether any limit of 24 hours is set.
func (b Budget) DayLimited(e EngineBudget) bool {
	return b.PerDay > 0 || b.Connection > 0 || e.PerDay > 0 || e.Connection > 0
}

func (b Budget) overruns(e EngineBudget, looked int64, wanted Spending, used BudgetUsed, released []Overrun) []Overrun {
	var over []Overrun
	check := func(limit BudgetLimit, subject ConnectionID, before, wants, allowed int64, set bool) {
		for _, r := range released {
			if r.Limit == limit && r.Subject == subject && r.Allowed <= allowed {
				allowed = max(allowed, r.Used+r.Wanted)
			}
		}
		if set && wants > 0 && before+wants > allowed {
			over = append(over, Overrun{Limit: limit, Subject: subject, Used: before, Wanted: wants, Allowed: allowed})
		}
	}
	accounts := int64(wanted.Accounts)
	check(LimitPerRun, "", int64(used.Run.Accounts), accounts, int64(b.PerRun), b.PerRun > 0)
	check(LimitPerDay, "", int64(used.Policy), accounts, int64(b.PerDay), b.PerDay > 0)
	check(LimitPercent, "", int64(used.Run.Accounts), accounts, max(looked*int64(b.Percent)/100, 1), b.Percent > 0)
	check(LimitBytes, "", used.Run.Bytes, wanted.Bytes, b.Bytes, b.Bytes > 0)
	check(LimitPrivileged, "", int64(used.Run.Privileged), int64(wanted.Privileged), int64(b.Privileged), true)
	check(LimitEngine, "", int64(used.Engine), accounts, int64(e.PerDay), e.PerDay > 0)
	for _, id := range slices.Sorted(maps.Keys(wanted.Connection)) {
		before, wants := int64(used.Connection[id]), int64(wanted.Connection[id])
		check(LimitConnection, id, before, wants, int64(b.Connection), b.Connection > 0)
		check(LimitEngineConn, id, before, wants, int64(e.Connection), e.Connection > 0)
	}
	return over
}
