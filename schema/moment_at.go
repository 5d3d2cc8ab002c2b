package schema

import "time"

// offsetReach is further than any zone's clocks are, or ever were, from UTC.
const offsetReach = 48 * time.Hour

// At is the instant at which the zone's clocks show a time on the day. A time
// that they skip, as in spring, is the first instant after the gap; so are all
// times of a day that a zone left out when it changed sides of the date line. A
// time that they show twice, as in autumn, is the second showing: nobody is cut
// off early. Without a zone it is UTC.
func (d Date) At(t LocalTime, zone *time.Location) time.Time {
	if zone == nil {
		zone = time.UTC
	}
	shown := time.Date(d.Year, d.Month, d.Day, t.Hour, t.Minute, 0, 0, time.UTC)
	last := shown.Add(offsetReach)
	var at, after time.Time
	for u := shown.Add(-offsetReach).In(zone); ; {
		start, end := u.ZoneBounds()
		_, offset := u.Zone()
		c := shown.Add(-time.Duration(offset) * time.Second)
		begun := start.IsZero() || !c.Before(start)
		if begun && (end.IsZero() || c.Before(end)) {
			at = c
		}
		// The clocks went forward over the time when this offset began.
		if !begun && after.IsZero() {
			after = start
		}
		if end.IsZero() || end.After(last) {
			break
		}
		u = end.In(zone)
	}
	if at.IsZero() {
		at = after
	}
	return at.In(zone)
}
