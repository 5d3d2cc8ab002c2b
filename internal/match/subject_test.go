package match_test

import (
	"time"

	"sendoff/schema"
)

var now = time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// subject is an account of which everything is known.
func subject() *schema.Subject {
	return &schema.Subject{
		Account: schema.Account{
			ID: "a1", ExternalID: "1001", Login: "ann@example.com", Name: "Ann", Role: schema.RoleMember,
			Status: schema.AccountActive, VendorStatus: "active", Kind: schema.KindPerson, SpaceUsed: 5000,
			CreatedAt: now.Add(-400 * day), Tracking: map[string]string{"cost_centre": "77"},
		},
		Connection: "box",
		Activity: schema.Activity{
			Source: "box.events", LastActiveAt: now.Add(-100 * day), LastEvent: "LOGIN",
			Covered: schema.Interval{From: now.Add(-300 * day), To: now},
		},
		Person: &schema.Holder{
			Email: "ann@example.com", Name: "Ann", Employment: schema.Contractor, Status: schema.StatusActive, Department: "Sales",
			Site: "Oslo", Manager: "bo@example.com", HireDate: schema.Date{Year: 2025, Month: 2, Day: 1},
			LastDay: schema.Date{Year: 2026, Month: 3, Day: 1},
		},
		Groups: []schema.HeldGroup{{ID: "g1", Name: "Sales", Role: "member"}, {ID: "g2", Name: "All", Role: "member"}},
	}
}

// stranger is an account of which nothing is known that can be unknown.
func stranger() *schema.Subject { return &schema.Subject{} }
