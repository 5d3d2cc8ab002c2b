package policy

import (
	"time"

	"sendoff/schema"
)

// tenure is an employment with what was made of its end.
type tenure struct {
	schema.Employment
	ends    bool
	history bool
	how     string      // it ends, or why it does not although it has a last day
	dated   bool        // its days are of this employment
	day     schema.Date // on which it ends, as the rule counts
	over    schema.Date // the last of its days
	heard   schema.Date // today, where the person works
	moment  schema.Moment
}

func (t tenure) name() string { return t.Source + " " + t.ExternalID }

// tenure finds out whether and when an employment ends.
func (j *judge) tenure(e schema.Employment) tenure {
	e = withoutSentinels(e, j.facts.HeardAt)
	t := tenure{Employment: e, over: latest(e.LastWorkingDay, e.TerminatedOn), heard: j.dayOf(e, j.facts.HeardAt)}
	hasDay := !t.over.IsZero()
	former := hasDay && !e.HireDate.IsZero() && later(e.HireDate, t.over)
	t.dated = hasDay && !former
	overdue := func(days int) bool { return t.dated && later(t.heard, addDays(t.over, days)) }
	news := j.facts.New[e.EmploymentKey]
	switch {
	case former && e.Status != schema.StatusEnded:
		t.how = "began after its last day, which is of a former employment"
		return t
	case t.again():
		t.how = "is active again since " + e.ActiveAgain.String()
		return t
	case e.ForCause:
		t.ends, t.how = true, "ends for cause"
	case e.Status == schema.StatusEnded:
		t.ends, t.how = true, "is ended"
	case e.Status == schema.StatusActive && news && overdue(historyAfter):
		t.how = "is active, although its last day was " + t.over.String() + ", long before it was first heard of"
		return t
	case t.dated:
		t.ends, t.how = true, "ends"
	default:
		return t
	}
	t.history = overdue(historyAfter) && news
	t.settle(j)
	return t
}

// again tells whether the source called it active after it had ended: its last days
// until then, and why it ended, are of the time before.
func (t tenure) again() bool {
	return t.Status == schema.StatusActive && !t.ActiveAgain.IsZero() && !later(t.over, t.ActiveAgain)
}

// withoutSentinels drops last days that are how systems write that there is none,
// such as 9999-12-31.
func withoutSentinels(e schema.Employment, heard time.Time) schema.Employment {
	far := schema.DateOf(heard.UTC().AddDate(endlessAfter, 0, 0))
	for _, d := range []*schema.Date{&e.LastWorkingDay, &e.TerminatedOn, &e.GardenLeaveFrom} {
		if later(*d, far) {
			*d = schema.Date{}
		}
	}
	return e
}

// settle finds the day on which an employment that ends does so. Without a day it
// is the one on which the source last told something new of it.
func (t *tenure) settle(j *judge) {
	if t.dated {
		t.day, _ = dayOf(t.Employment, j.facts.Rule.Starts)
	} else {
		t.day = t.heard
		if !t.UpdatedAt.IsZero() {
			t.day = earliest(t.heard, j.dayOf(t.Employment, t.UpdatedAt))
		}
		t.over = t.day
	}
	if t.ForCause {
		t.day = earliest(t.day, t.heard)
		t.over = earliest(t.over, t.heard)
	}
}

// dayOf is the day of an employment that a rule names, or the nearest that the
// source told, and which one that is.
func dayOf(e schema.Employment, starts schema.Starts) (schema.Date, schema.Starts) {
	order := []schema.Starts{schema.StartsLastWorkingDay, schema.StartsTermination}
	switch starts {
	case schema.StartsTermination:
		order = []schema.Starts{schema.StartsTermination, schema.StartsLastWorkingDay}
	case schema.StartsGardenLeave:
		order = append([]schema.Starts{schema.StartsGardenLeave}, order...)
	}
	days := map[schema.Starts]schema.Date{
		schema.StartsLastWorkingDay: e.LastWorkingDay, schema.StartsTermination: e.TerminatedOn, schema.StartsGardenLeave: e.GardenLeaveFrom,
	}
	for _, s := range order {
		if !days[s].IsZero() {
			return days[s], s
		}
	}
	return schema.Date{}, schema.StartsAtOnce
}

// dayOf is the day of an instant where the employment is.
func (j *judge) dayOf(e schema.Employment, at time.Time) schema.Date {
	if z, ok := j.zoneOf(e); ok {
		return schema.DateOf(at.In(z.loc))
	}
	return schema.DateOf(at.UTC())
}

func later(a, b schema.Date) bool { return b.Before(a) }

func latest(a, b schema.Date) schema.Date {
	if a.IsZero() || !b.IsZero() && later(b, a) {
		return b
	}
	return a
}

func earliest(a, b schema.Date) schema.Date {
	if later(a, b) {
		return b
	}
	return a
}

func addDays(d schema.Date, n int) schema.Date {
	return schema.DateOf(d.In(time.UTC).AddDate(0, 0, n))
}
