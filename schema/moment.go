package schema

import (
	"fmt"
	"time"
)

// Starts says which day of an employment starts the clock of a leaver.
type Starts string

// What may start the clock.
const (
	StartsLastWorkingDay Starts = "last_working_day"
	StartsTermination    Starts = "termination_date"
	StartsGardenLeave    Starts = "garden_leave" // its first day
	StartsAtOnce         Starts = "at_once"      // when it is heard of: for cause, or no day is said
)

// LocalTime is a time of day without a date or zone.
type LocalTime struct{ Hour, Minute int }

// DefaultLocalTime is when a last working day ends unless a template says else.
func DefaultLocalTime() LocalTime { return LocalTime{Hour: 18} }

// ParseLocalTime reads HH:MM, 00:00 to 23:59.
func ParseLocalTime(s string) (LocalTime, error) {
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != len("15:04") {
		return LocalTime{}, fmt.Errorf("a time of day is HH:MM from 00:00 to 23:59")
	}
	return LocalTime{Hour: t.Hour(), Minute: t.Minute()}, nil
}

// String is HH:MM.
func (t LocalTime) String() string { return fmt.Sprintf("%02d:%02d", t.Hour, t.Minute) }

// MomentRule is what a template says of when a leaver's clock starts.
type MomentRule struct {
	Starts Starts    `json:"starts,omitempty"`
	At     LocalTime `json:"at"`
}

// DefaultMoment is the rule of a template that says none: 18:00 on the last
// working day.
func DefaultMoment() MomentRule {
	return MomentRule{Starts: StartsLastWorkingDay, At: DefaultLocalTime()}
}

// ZoneFrom says whose zone was used.
type ZoneFrom string

// Whose zone, the nearest first.
const (
	ZoneOfPerson  ZoneFrom = "person"
	ZoneOfSite    ZoneFrom = "site"
	ZoneOfCompany ZoneFrom = "company"
	ZoneNone      ZoneFrom = "" // the moment is an instant
)

// Moment is when a leaver's clock starts, and why then.
type Moment struct {
	Starts   Starts    `json:"starts"`
	Date     Date      `json:"date"`      // zero = at once
	At       LocalTime `json:"at"`        // on the date
	TimeZone string    `json:"time_zone"` // IANA name; empty = at once
	ZoneFrom ZoneFrom  `json:"zone_from"`
	DueAt    time.Time `json:"due_at"`
}

// Same tells whether two moments are one: the instant counts, and for what is at
// once that it is.
func (m Moment) Same(other Moment) bool {
	if m.Starts == StartsAtOnce && other.Starts == StartsAtOnce {
		return true
	}
	return m.DueAt.Equal(other.DueAt)
}
