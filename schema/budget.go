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
	Policy     int // accounts by the policy
	Engine     int // accounts by all doors
	Connection map[ConnectionID]int
}

// Overruns are the limits of a policy and of the engine that do not hold when a run
// that looked at so many accounts uses what it wants, in the order of the limits,
// then of the connections' ids.
func (b Budget) Overruns(e EngineBudget, looked int64, wanted Spending, used BudgetUsed) []Overrun {
	var over []Overrun
	check := func(limit BudgetLimit, subject ConnectionID, before, wants, allowed int64, set bool) {
		if set && wants > 0 && before+wants > allowed {
			over = append(over, Overrun{Limit: limit, Subject: subject, Used: before, Wanted: wants, Allowed: allowed})
		}
	}
	accounts := int64(wanted.Accounts)
	check(LimitPerRun, "", 0, accounts, int64(b.PerRun), b.PerRun > 0)
	check(LimitPerDay, "", int64(used.Policy), accounts, int64(b.PerDay), b.PerDay > 0)
	check(LimitPercent, "", 0, accounts, max(looked*int64(b.Percent)/100, 1), b.Percent > 0)
	check(LimitBytes, "", 0, wanted.Bytes, b.Bytes, b.Bytes > 0)
	check(LimitPrivileged, "", 0, int64(wanted.Privileged), int64(b.Privileged), true)
	check(LimitEngine, "", int64(used.Engine), accounts, int64(e.PerDay), e.PerDay > 0)
	for _, id := range slices.Sorted(maps.Keys(wanted.Connection)) {
		before, wants := int64(used.Connection[id]), int64(wanted.Connection[id])
		check(LimitConnection, id, before, wants, int64(b.Connection), b.Connection > 0)
		check(LimitEngineConn, id, before, wants, int64(e.Connection), e.Connection > 0)
	}
	return over
}
