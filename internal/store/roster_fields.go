package store

import (
	"slices"
	"time"

	"sendoff/schema"
)

// rosterField is a member of an employment that a roster may tell: the name that
// schema.Roster.Fields has for it, which is also its column.
type rosterField struct {
	name string
	same func(a, b *schema.Employment) bool
	take func(to, from *schema.Employment)
}

func rosterFields() []rosterField {
	return []rosterField{
		memberField("kind", func(e *schema.Employment) *schema.EmploymentKind { return &e.Kind }),
		memberField("name", func(e *schema.Employment) *string { return &e.Name }),
		memberField("email", func(e *schema.Employment) *string { return &e.Email }),
		memberField("employee_number", func(e *schema.Employment) *string { return &e.EmployeeNumber }),
		memberField("hire_date", func(e *schema.Employment) *schema.Date { return &e.HireDate }),
		memberField("last_working_day", func(e *schema.Employment) *schema.Date { return &e.LastWorkingDay }),
		memberField("terminated_on", func(e *schema.Employment) *schema.Date { return &e.TerminatedOn }),
		memberField("garden_leave_from", func(e *schema.Employment) *schema.Date { return &e.GardenLeaveFrom }),
		memberField("status", func(e *schema.Employment) *schema.EmploymentStatus { return &e.Status }),
		memberField("for_cause", func(e *schema.Employment) *bool { return &e.ForCause }),
		memberField("leave_reason", func(e *schema.Employment) *string { return &e.LeaveReason }),
		memberField("time_zone", func(e *schema.Employment) *string { return &e.TimeZone }),
		memberField("department", func(e *schema.Employment) *string { return &e.Department }),
		memberField("site", func(e *schema.Employment) *string { return &e.Site }),
		memberField("manager", func(e *schema.Employment) *string { return &e.Manager }),
	}
}

func memberField[T comparable](name string, of func(*schema.Employment) *T) rosterField {
	return rosterField{
		name: name,
		same: func(a, b *schema.Employment) bool { return *of(a) == *of(b) },
		take: func(to, from *schema.Employment) { *of(to) = *of(from) },
	}
}

// leavingFields are the members that say whether and when an employment ends. They
// count even of a row whose address or number is refused: a leaver must not be
// missed because of an address.
func leavingFields() []string {
	return []string{"hire_date", "last_working_day", "terminated_on", "garden_leave_from", "status", "for_cause"}
}

// toldFields are those that a roster tells.
func toldFields(names []string) []rosterField {
	return slices.DeleteFunc(rosterFields(), func(f rosterField) bool { return !slices.Contains(names, f.name) })
}

// overlay is what is known with the fields told put over it, today.
func overlay(known, told *schema.Employment, fields []rosterField, today schema.Date) *schema.Employment {
	out := *known
	out.AbsentSince = time.Time{}
	for _, f := range fields {
		f.take(&out, told)
	}
	switch {
	case out.Status == schema.StatusEnded:
		out.ActiveAgain = schema.Date{}
	case known.Status == schema.StatusEnded && out.Status == schema.StatusActive:
		out.ActiveAgain = today
	}
	return &out
}

// differing names the fields told that differ.
func differing(before, after *schema.Employment, fields []rosterField) []string {
	var out []string
	for _, f := range fields {
		if !f.same(before, after) {
			out = append(out, f.name)
		}
	}
	return out
}
