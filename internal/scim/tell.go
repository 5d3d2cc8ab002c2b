package scim

import (
	"bytes"
	"slices"
	"strings"

	"sendoff/internal/intake"
	"sendoff/schema"
)

// Tell says what a write of a resource tells of an employment, and whether it
// tells anything: not when nothing that counts is other than before. The
// employment's id is the resource's. Groups tell nothing.
func Tell(before, after schema.SCIMResource) (schema.HRChange, bool) {
	if after.Type != schema.SCIMUser {
		return schema.HRChange{}, false
	}
	was, is := employmentOf(before), employmentOf(after)
	if before.ID != "" && was == is {
		return schema.HRChange{}, false
	}
	fields := toldFields(was, is)
	if before.ID != "" && !after.Active && bytes.Equal(before.Body, after.Body) {
		fields = []string{"status"} // deleted: only that it ended is news
	}
	return schema.HRChange{
		Kind: schema.ChangeEmployments,
		Roster: &schema.Roster{
			Mode: schema.RosterChanges, Fields: fields, Employments: []schema.Employment{is},
		},
	}, true
}

// toldFields are the fields that a user tells. What it neither says nor said is
// not told, so that it clears nothing.
func toldFields(was, is schema.Employment) []string {
	fields := []string{"status", "kind"}
	for _, f := range []struct{ name, was, is string }{
		{"name", was.Name, is.Name},
		{"email", was.Email, is.Email},
		{"employee_number", was.EmployeeNumber, is.EmployeeNumber},
		{"department", was.Department, is.Department},
		{"manager", was.Manager, is.Manager},
		{"time_zone", was.TimeZone, is.TimeZone},
	} {
		if f.was != "" || f.is != "" {
			fields = append(fields, f.name)
		}
	}
	slices.Sort(fields)
	return fields
}

// employmentOf reads a user as an employment; the zero resource is the zero one.
func employmentOf(r schema.SCIMResource) schema.Employment {
	if r.ID == "" {
		return schema.Employment{}
	}
	tree, err := treeOf(r)
	if err != nil {
		tree = map[string]any{}
	}
	enterprise, _ := tree[urnEnterprise].(map[string]any)
	e := schema.Employment{
		EmploymentKey: schema.EmploymentKey{ExternalID: r.ID},
		Kind:          schema.Employee, Status: schema.StatusEnded,
		Name: fullName(tree), Email: workEmail(tree),
		EmployeeNumber: textOf(enterprise, "employeeNumber"), Department: textOf(enterprise, "department"),
	}
	manager, _ := enterprise["manager"].(map[string]any)
	e.Manager = textOf(manager, "value")
	if r.Active {
		e.Status = schema.StatusActive
	}
	if strings.Contains(strings.ToLower(textOf(tree, "userType")), "contract") {
		e.Kind = schema.Contractor
	}
	if e.Email == "" {
		e.Email, _ = intake.ParseAddress(r.Name)
	}
	if zone := textOf(tree, "timezone"); zone != "" {
		if _, err := intake.ParseZone(zone); err == nil {
			e.TimeZone = zone
		}
	}
	return e
}

// fullName is the name to show, else the whole name, else its parts.
func fullName(tree map[string]any) string {
	name, _ := tree["name"].(map[string]any)
	parts := strings.TrimSpace(textOf(name, "givenName") + " " + textOf(name, "familyName"))
	for _, s := range []string{textOf(tree, "displayName"), textOf(name, "formatted"), parts} {
		if s != "" {
			return s
		}
	}
	return ""
}

func textOf(obj map[string]any, name string) string {
	s, _ := obj[name].(string)
	return strings.TrimSpace(s)
}

func isWork(kind string) bool { return strings.EqualFold(kind, "work") }
