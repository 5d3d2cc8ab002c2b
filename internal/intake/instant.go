package intake

import (
	"errors"
	"strings"
	"time"
	_ "time/tzdata" // zones must be known on machines without a zone database
)

const (
	localMinute = "2006-01-02 15:04"
	localDay    = "2006-01-02"
	// lastDayEnds is when a last working day ends, unless the hour is given.
	lastDayEnds = " 18:00"
)

// errInstant says how instants are written.
var errInstant = errors.New("a time needs a date, an hour and a zone: 2026-12-01T18:00:00+01:00, or \"2026-12-01 18:00 Europe/Berlin\"")

// ParseInstant reads an instant with its zone, in RFC 3339 or as a local time
// followed by the name of an IANA zone. A time without a zone is refused: 18:00
// in Auckland and in San Francisco are 20 hours apart.
func ParseInstant(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	i := strings.LastIndexByte(s, ' ')
	if i < 0 {
		return time.Time{}, errInstant
	}
	local, name := strings.TrimSpace(s[:i]), s[i+1:]
	if _, err := time.Parse(localMinute, local); err != nil {
		return time.Time{}, errInstant
	}
	zone, err := ParseZone(name)
	if err != nil {
		return time.Time{}, err
	}
	return inZone(local, zone)
}

// ParseLastDay reads a last working day: a date alone means 18:00 in the zone;
// an instant in RFC 3339 is taken as it is and needs no zone. zone may be nil.
func ParseLastDay(s string, zone *time.Location) (time.Time, error) {
	s = strings.TrimSpace(s)
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	if _, err := time.Parse(localDay, s); err != nil {
		return time.Time{}, errors.New("a last day is a date such as 2026-11-30, or an instant with its zone such as 2026-11-30T18:00:00+01:00")
	}
	if zone == nil {
		return time.Time{}, errors.New("a date alone needs a time zone, such as Europe/Berlin")
	}
	return inZone(s+lastDayEnds, zone)
}

// ParseZone returns the IANA zone of that name. Abbreviations such as CET are
// refused when the zone database lacks them, "Local" always: it would mean the
// zone of whatever machine reads it.
func ParseZone(name string) (*time.Location, error) {
	bad := errors.New("the time zone is unknown: use an IANA name such as Europe/Berlin, America/New_York or UTC")
	if name == "" || strings.EqualFold(name, "local") {
		return nil, bad
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, bad
	}
	return zone, nil
}

// inZone reads a local time and refuses one that the zone's clocks skip or show
// twice: Go would silently choose.
func inZone(local string, zone *time.Location) (time.Time, error) {
	t, err := time.ParseInLocation(localMinute, local, zone)
	if err != nil {
		return time.Time{}, errInstant
	}
	if t.Format(localMinute) != local {
		return time.Time{}, errors.New("the clocks of that zone skip this time: give it with its offset, such as 2026-12-01T18:00:00+01:00")
	}
	for _, shift := range []time.Duration{-time.Hour, time.Hour} {
		if t.Add(shift).Format(localMinute) == local {
			return time.Time{}, errors.New("the clocks of that zone show this time twice: give it with its offset, such as 2026-12-01T18:00:00+01:00")
		}
	}
	return t, nil
}
