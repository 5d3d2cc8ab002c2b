package box_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/connectors/box/boxsim"
	"sendoff/schema"
)

// TestHostileListings: whatever Box does to a listing, all who are there the whole
// time come out of it.
func TestHostileListings(t *testing.T) {
	t.Parallel()
	for name, switches := range map[string]boxsim.Switches{
		"a total that is too low":                      {TotalCount: "low"},
		"a total that is too high":                     {TotalCount: "high"},
		"pages half full":                              {ShortPages: true},
		"a total that is too high and pages half full": {TotalCount: "high", ShortPages: true},
		"entries that come again":                      {RepeatedEntries: true},
		"somebody new under the listing":               {ShiftingPages: "added"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCompany(t, boxsim.Config{Scale: 2000, Volume: boxsim.Volume{Users: 1050, Groups: 1050}})
			accounts, groups := c.accounts(t, nil), c.groups(t)
			require.NoError(t, c.SetSwitches(switches))
			requireAll(t, accounts, c.accounts(t, nil), accountID)
			requireAll(t, groups, c.groups(t), groupID)
		})
	}
}

// TestExpiringMarkers: a listing that has to begin anew says so, each time.
func TestExpiringMarkers(t *testing.T) {
	t.Parallel()
	for _, expiry := range []string{"once", "always"} {
		c := newCompany(t, boxsim.Config{Scale: 2000, Volume: boxsim.Volume{Users: 2100}})
		all := len(c.accounts(t, nil))
		require.NoError(t, c.SetSwitches(boxsim.Switches{MarkerPages: 1, MarkerExpiry: expiry}))
		marker, seen, expired := "", 0, 0
		for expired < 3 {
			p, err := c.box.ListAccounts(t.Context(), marker)
			if errors.Is(err, connectors.ErrMarkerExpired) {
				require.Equal(t, connectors.Invalid, errorOf(t, err).Kind)
				expired++
				marker, seen = "", 0
				continue
			}
			require.NoError(t, err)
			seen += len(p.Entries)
			if marker = p.Next; marker == "" {
				break
			}
		}
		require.Equal(t, map[string]int{"once": 1, "always": 3}[expiry], expired)
		require.True(t, expiry == "always" || seen == all)
	}
}

func (c company) groups(t *testing.T) []schema.Group {
	t.Helper()
	return allPages(t, func(marker string) (connectors.Page[schema.Group], error) {
		return c.box.ListGroups(t.Context(), marker)
	}, nil)
}

func accountID(a schema.Account) schema.ExternalID { return a.ExternalID }

func groupID(g schema.Group) schema.ExternalID { return g.ExternalID }

func requireAll[V any](t *testing.T, want, got []V, id func(V) schema.ExternalID) {
	t.Helper()
	ids := map[schema.ExternalID]bool{}
	for _, v := range got {
		ids[id(v)] = true
	}
	for _, v := range want {
		require.True(t, ids[id(v)], "%s is missing", id(v))
	}
}
