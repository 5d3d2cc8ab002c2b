package reviewer

import (
	"slices"
	"time"

	"sendoff/schema"
)

// The working day of reviewers, Monday to Friday.
const (
	workBegins = 9
	workEnds   = 17
)

// Moment is when something that falls due at an instant happens: then, or with
// working days, when that is on a weekend or not between 09:00 and 17:00 of the
// zone, on the next working morning at 09:00. Without a known zone it is UTC.
func Moment(at time.Time, zone string, working bool) time.Time {
	if !working {
		return at.UTC()
	}
	place := location(zone)
	local := at.In(place)
	if isWorking(local) {
		return at.UTC()
	}
	day := schema.DateOf(local)
	for {
		// A morning that the zone's clocks skip is looked at like any other instant.
		morning := day.At(schema.LocalTime{Hour: workBegins}, place)
		if !morning.Before(at) && isWorking(morning) {
			return morning.UTC()
		}
		day = schema.DateOf(day.In(time.UTC).AddDate(0, 0, 1))
	}
}

// morningBefore is the last working morning that is not after an instant.
func morningBefore(at time.Time, zone string) time.Time {
	place := location(zone)
	for day := schema.DateOf(at.In(place)); ; {
		morning := day.At(schema.LocalTime{Hour: workBegins}, place)
		if !morning.After(at) && isWorking(morning) {
			return morning.UTC()
		}
		day = schema.DateOf(day.In(time.UTC).AddDate(0, 0, -1))
	}
}

func isWorking(local time.Time) bool {
	if d := local.Weekday(); d == time.Saturday || d == time.Sunday {
		return false
	}
	return local.Hour() >= workBegins && local.Hour() < workEnds
}

// location never is the machine's own zone: that would differ between workers.
func location(zone string) *time.Location {
	if zone == "" || zone == "Local" {
		return time.UTC
	}
	place, err := time.LoadLocation(zone)
	if err != nil {
		return time.UTC
	}
	return place
}

// Due is the deadline of a campaign. It is one instant for all reviewers, wherever
// they are, so its working days are those of UTC.
func Due(rule schema.CampaignTime, opened time.Time) time.Time {
	return Moment(opened.Add(rule.Due), "", rule.WorkingDays)
}

// Escalation is when an item leaves its reviewer for the next in the chain; zero =
// not by itself. Before the deadline that is after EscalateAfter, unless the
// deadline comes first: what then happens is the rule's for silence. Of an item
// that was assigned at the deadline or later each reviewer has EscalateFor, where
// silence escalates.
func Escalation(rule schema.CampaignTime, assigned, due time.Time, zone string) time.Time {
	if !assigned.Before(due) {
		if rule.Silence != schema.SilenceEscalates {
			return time.Time{}
		}
		return Moment(assigned.Add(rule.EscalateFor), zone, rule.WorkingDays)
	}
	if rule.EscalateAfter <= 0 {
		return time.Time{}
	}
	at := Moment(assigned.Add(rule.EscalateAfter), zone, rule.WorkingDays)
	if !at.Before(due) {
		return time.Time{}
	}
	return at
}

// Reminders are when a reviewer is reminded, in order and each instant once. One whose
// next working morning is not before the deadline comes on the last one before it
// instead. What would be before the opening is left out: its notice says the same.
func Reminders(rule schema.CampaignTime, opened, due time.Time, zone string) []time.Time {
	var list []time.Time
	for _, before := range rule.Remind {
		at := due.Add(-before)
		if at.Before(opened) {
			continue
		}
		moved := Moment(at, zone, rule.WorkingDays)
		if !moved.Before(due) {
			moved = morningBefore(at, zone)
		}
		if moved.Before(due) && !moved.Before(opened) {
			list = append(list, moved)
		}
	}
	slices.SortFunc(list, time.Time.Compare)
	return slices.CompactFunc(list, time.Time.Equal)
}
