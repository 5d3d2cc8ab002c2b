package policy

import (
	"slices"
	"strings"
	"time"

	"sendoff/schema"
)

// zone is a zone with its name and whose it is.
type zone struct {
	loc  *time.Location
	name string
	from schema.ZoneFrom
}

// moment is when the clock of an employment that ends starts.
func (j *judge) moment(e tenure) (schema.Moment, error) {
	rule := j.facts.Rule
	if !slices.Contains([]schema.Starts{schema.StartsLastWorkingDay, schema.StartsTermination, schema.StartsGardenLeave, schema.StartsAtOnce}, rule.Starts) {
		return schema.Moment{}, &schema.Error{
			Code: schema.CodeInvalid, Message: "the template's moment starts with a day that is not known",
			Fix: "write last_working_day, termination_date, garden_leave or at_once",
		}
	}
	atOnce := schema.Moment{Starts: schema.StartsAtOnce, DueAt: j.facts.HeardAt.UTC()}
	if e.ForCause || !e.dated || rule.Starts == schema.StartsAtOnce {
		return atOnce, nil
	}
	day, starts := dayOf(e.Employment, rule.Starts)
	z, ok := j.zoneOf(e.Employment)
	if !ok {
		return schema.Moment{}, &schema.Error{
			Code: schema.CodeInvalid, Message: "neither the person, nor the site, nor the source has a time zone that is known",
			Fix: "give the source one, such as Europe/Berlin",
		}
	}
	return schema.Moment{
		Starts: starts, Date: day, At: rule.At, TimeZone: z.name, ZoneFrom: z.from, DueAt: day.At(rule.At, z.loc).UTC(),
	}, nil
}

// zoneOf is the person's zone, else the site's, else the company's. A name that
// is not known is passed over: the next is nearer to the truth than no moment.
func (j *judge) zoneOf(e schema.Employment) (zone, bool) {
	for _, z := range []zone{
		{name: e.TimeZone, from: schema.ZoneOfPerson},
		{name: j.facts.Zones.Sites[e.Site], from: schema.ZoneOfSite},
		{name: j.facts.Zones.Company, from: schema.ZoneOfCompany},
	} {
		z.loc = j.load(z.name)
		if z.loc != nil {
			return z, true
		}
	}
	return zone{}, false
}

// load returns nil for a name that is none. Reading a zone takes its time, and
// all of a person's are mostly one.
func (j *judge) load(name string) *time.Location {
	if loc, known := j.zones[name]; known {
		return loc
	}
	var loc *time.Location
	if name != "" && !strings.EqualFold(name, "local") {
		if l, err := time.LoadLocation(name); err == nil {
			loc = l
		}
	}
	j.zones[name] = loc
	return loc
}

// inWords is a moment for the audit record.
func inWords(m schema.Moment) string {
	if m.Starts == schema.StartsAtOnce {
		return "at once"
	}
	of := map[schema.Starts]string{
		schema.StartsLastWorkingDay: "last working day", schema.StartsTermination: "termination date", schema.StartsGardenLeave: "first day of garden leave",
	}
	return of[m.Starts] + " " + m.Date.String() + ", " + m.At.String() + " in " + m.TimeZone + ", the zone of the " + string(m.ZoneFrom)
}
