package policy_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/policy"
	"sendoff/schema"
)

// TestLeaverGoesOn: when another employment makes the end of one no leaving.
func TestLeaverGoesOn(t *testing.T) {
	t.Parallel()
	of := func(want verdict, list ...schema.Employment) leaverCase { return leaverCase{facts(list...), want} }
	judgeAll(t, map[string]leaverCase{
		"contractor turned employee, one feed":  of(verdict{key: "2"}, emp("hr", "1", contractor, lastDay("2026-11-30")), emp("hr", "2", hired("2026-12-01"))),
		"contractor turned employee, two feeds": of(verdict{key: "2"}, emp("agency", "1", contractor, lastDay("2026-11-30")), emp("hr", "2", hired("2026-12-01"))),
		"known months ahead":                    of(verdict{key: "2"}, emp("agency", "1", contractor, lastDay("2027-03-31")), emp("hr", "2", hired("2027-04-01"))),
		"employee turned contractor":            of(verdict{key: "2"}, emp("hr", "1", lastDay("2026-11-30")), emp("agency", "2", contractor, hired("2026-12-15"))),
		"a month between them":                  of(verdict{key: "2"}, emp("hr", "1", lastDay("2026-11-30")), emp("hr", "2", hired("2026-12-30"))),
		"more than a month between them":        of(verdict{due: "2026-11-30T17:00:00Z", key: "1"}, emp("hr", "1", lastDay("2026-11-30")), emp("hr", "2", hired("2026-12-31"))),
		"they come back in a month from today":  of(verdict{key: "2"}, emp("hr", "1", lastDay("2026-03-31")), emp("hr", "2", hired("2026-12-22"))),
		"they come back later":                  of(verdict{due: "2026-03-31T16:00:00Z", key: "1"}, emp("hr", "1", lastDay("2026-03-31")), emp("hr", "2", hired("2026-12-23"))),
		"hired again, new record":               of(verdict{key: "2"}, emp("hr", "1", lastDay("2024-03-31"), ended), emp("hr", "2", hired("2026-11-16"), active)),
		"hired again, new record, another feed": of(verdict{key: "2"}, emp("old-hr", "1", lastDay("2024-03-31"), ended), emp("hr", "2", hired("2026-11-16"), active)),
		"moved to another company of the group": of(verdict{key: "2"}, emp("hr-de", "1", lastDay("2026-11-30"), terminated("2026-12-31")), emp("hr-us", "2", hired("2026-12-01"))),
		"two jobs, one ends":                    of(verdict{key: "2"}, emp("hr", "1", lastDay("2026-11-30")), emp("hr", "2", hired("2020-01-01"))),
		"two jobs, the longer decides":          of(verdict{due: "2027-01-29T17:00:00Z", key: "2"}, emp("hr", "1", lastDay("2026-11-30")), emp("hr", "2", lastDay("2027-01-29"))),
		"two jobs end on one day":               of(verdict{due: "2026-11-30T17:00:00Z", key: "1"}, emp("hr", "2", lastDay("2026-11-30")), emp("hr", "1", lastDay("2026-11-30"))),
		"on one day, the earlier zone first":    of(verdict{due: "2026-11-30T09:00:00Z", key: "2"}, emp("hr", "1", lastDay("2026-11-30")), emp("hr", "2", lastDay("2026-11-30"), inZone("Asia/Tokyo"))),
		"a chain": of(verdict{due: "2027-06-30T16:00:00Z", key: "3"},
			emp("agency", "1", contractor, lastDay("2026-11-30")), emp("hr", "2", hired("2026-12-01"), lastDay("2027-03-31")), emp("hr", "3", hired("2027-04-01"), lastDay("2027-06-30"))),
		"a chain with a hole": of(verdict{due: "2027-03-31T16:00:00Z", key: "2"},
			emp("agency", "1", contractor, lastDay("2026-11-30")), emp("hr", "2", hired("2026-12-01"), lastDay("2027-03-31")), emp("hr", "3", hired("2027-06-01"), lastDay("2027-06-30"))),
		"the directory has them too":               of(verdict{due: "2026-11-30T17:00:00Z", key: "1"}, emp("hr", "1", lastDay("2026-11-30")), emp("scim", "2", active)),
		"the directory alone is told":              of(verdict{due: "at once", key: "2"}, emp("hr", "1", active), emp("scim", "2", ended)),
		"both are told, the earlier counts":        of(verdict{due: "at once", key: "2"}, emp("hr", "1", lastDay("2026-11-30")), emp("scim", "2", ended)),
		"rehired, the directory does not know":     of(verdict{key: "1"}, emp("hr", "1", active, hired("2026-11-16")), emp("scim", "2", ended, updated("2026-03-31"))),
		"hired before, the directory ends":         of(verdict{due: "at once", key: "2"}, emp("hr", "1", active, hired("2026-11-16")), emp("scim", "2", ended, updated("2026-11-22"))),
		"left out of the roster and going on":      of(verdict{key: "2"}, emp("hr", "1", lastDay("2026-11-30")), emp("hr", "2", absent)),
		"the listed one is named":                  of(verdict{key: "3"}, emp("hr", "1", lastDay("2026-11-30")), emp("hr", "2", absent), emp("hr", "3")),
		"withdrawn: the day is taken back":         of(verdict{key: "1"}, emp("hr", "1", active)),
		"for cause, and another job":               of(verdict{key: "2", contradicts: true}, emp("agency", "1", contractor, forCause), emp("hr", "2", active)),
		"for cause, and another job that ends":     of(verdict{due: "2026-12-31T17:00:00Z", key: "2", contradicts: true}, emp("agency", "1", contractor, forCause), emp("hr", "2", lastDay("2026-12-31"))),
		"for cause, its own day after the other's": of(verdict{due: "2026-12-15T17:00:00Z", key: "2", contradicts: true}, emp("agency", "1", contractor, forCause, lastDay("2026-12-31")), emp("hr", "2", lastDay("2026-12-15"))),
		"for cause, the other begins too late":     of(verdict{due: "at once", key: "1"}, emp("agency", "1", contractor, forCause, lastDay("2026-12-31")), emp("hr", "2", hired("2027-01-01"))),
		"for cause, and a directory record":        of(verdict{due: "at once", key: "1"}, emp("hr", "1", forCause), emp("scim", "2", active)),
		"for cause from both jobs":                 of(verdict{due: "at once", key: "1"}, emp("hr", "1", forCause), emp("hr", "2", forCause)),
		"for cause, the other ends today":          of(verdict{due: "at once", key: "1"}, emp("hr", "1", forCause), emp("hr", "2", lastDay("2026-11-22"))),
		"for cause long ago, hired again":          of(verdict{key: "2"}, emp("hr", "1", forCause, ended, lastDay("2024-03-31")), emp("hr", "2", hired("2026-01-01"), active)),
	})
}

// TestLeaverFirstImport: what had ended before anybody told us starts nothing and
// protects nobody.
func TestLeaverFirstImport(t *testing.T) {
	t.Parallel()
	past := emp("hr", "1", hired("2015-01-01"), lastDay("2019-12-31"), ended)
	f := facts(past, emp("hr", "2", hired("2021-01-01"), lastDay("2024-12-31")), emp("hr", "3", hired("2026-01-01"), lastDay("2026-11-30")))
	f.New = map[schema.EmploymentKey]bool{f.Employments[0].EmploymentKey: true, f.Employments[1].EmploymentKey: true}
	got, err := policy.JudgeLeaver(f)
	require.NoError(t, err)
	require.Equal(t, "3", got.Key.ExternalID)

	known := emp("hr", "1", lastDay("2026-11-01"))
	told := emp("agency", "7", contractor, lastDay("2026-11-13"))
	f = facts(known, told)
	f.New = map[schema.EmploymentKey]bool{told.EmploymentKey: true}
	got, err = policy.JudgeLeaver(f)
	require.NoError(t, err)
	require.True(t, got.Leaves, "history does not bring anybody back")
	require.Equal(t, known.EmploymentKey, got.Key)
}

// TestLeaverWhy: the record says what decided, in words without names.
func TestLeaverWhy(t *testing.T) {
	t.Parallel()
	first := emp("agency", "a-1", contractor, lastDay("2026-11-30"), inZone("Asia/Kathmandu"))
	first.Name, first.Email, first.LeaveReason = "Ada Lovelace", "ada@example.com", "end of contract"
	got, err := policy.JudgeLeaver(facts(first))
	require.NoError(t, err)
	require.Equal(t, "agency a-1 ends: last working day 2026-11-30, 18:00 in Asia/Kathmandu, the zone of the person", got.Why)
	require.Equal(t, "end of contract", got.Reason)

	got, err = policy.JudgeLeaver(facts(first, emp("hr", "17", hired("2026-12-01"))))
	require.NoError(t, err)
	require.Equal(t, "agency a-1 ends, and hr 17 goes on from it", got.Why)

	got, err = policy.JudgeLeaver(facts(emp("hr", "17", lastDay("2026-10-30"), activeAgain("2026-11-02"))))
	require.NoError(t, err)
	require.Equal(t, "hr 17 is active again since 2026-11-02", got.Why)

	got, err = policy.JudgeLeaver(facts(emp("hr", "17", forCause), emp("hr", "18")))
	require.NoError(t, err)
	require.Equal(t, "hr 17 ends for cause, and hr 18 goes on from it; dismissed for cause, and yet employed: people must look", got.Why)
	require.False(t, got.ForCause)

	got, err = policy.JudgeLeaver(facts(emp("hr", "17", forCause)))
	require.NoError(t, err)
	require.Equal(t, "hr 17 ends for cause: at once", got.Why)
	require.True(t, got.ForCause)
}

// TestLeaverRounds: the same person through the rounds of a feed.
func TestLeaverRounds(t *testing.T) {
	t.Parallel()
	at := func(now string, e schema.Employment) schema.Leaving {
		f := facts(e)
		f.HeardAt = day(now).In(time.UTC).Add(9 * time.Hour)
		got, err := policy.JudgeLeaver(f)
		require.NoError(t, err)
		return got
	}
	first := at("2026-10-01", emp("hr", "1", lastDay("2026-11-30"), active))
	again := at("2026-11-29", emp("hr", "1", lastDay("2026-11-30"), active))
	require.True(t, first.Moment.Same(again.Moment), "the day of hearing does not move a dated moment")
	moved := at("2026-11-29", emp("hr", "1", lastDay("2026-12-31"), active))
	require.False(t, first.Moment.Same(moved.Moment))
	require.False(t, at("2026-11-29", emp("hr", "1", active)).Leaves, "withdrawn")
	require.True(t, at("2026-12-02", emp("hr", "1", lastDay("2026-11-30"), active)).Leaves, "the source has not caught up")
	require.True(t, at("2026-12-20", emp("hr", "1", lastDay("2026-11-30"), ended)).Leaves)
	require.True(t, at("2026-10-01", emp("hr", "1", forCause)).Moment.Same(at("2026-10-02", emp("hr", "1", forCause)).Moment))
}

// TestADirectoryProtectsNobodyElsewhere: an identity provider's record lasts until
// somebody deactivates it, which is no word of HR that the person stays.
func TestADirectoryProtectsNobodyElsewhere(t *testing.T) {
	t.Parallel()
	f := facts(emp("agency", "a-1", contractor, lastDay("2026-11-30")), emp("okta", "u-1"))
	got, err := policy.JudgeLeaver(f)
	require.NoError(t, err)
	require.False(t, got.Leaves, "taken for an employment it would go on")
	f.Directories = map[string]bool{"okta": true}
	got, err = policy.JudgeLeaver(f)
	require.NoError(t, err)
	require.True(t, got.Leaves)
	require.Equal(t, "a-1", got.Key.ExternalID)
}
