package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"sendoff/schema"
)

const ninety = 90 * reportDay

// TestLicensesEqualAHandCount counts the seats of the fixture.
func TestLicensesEqualAHandCount(t *testing.T) {
	t.Parallel()
	b := reportFixture(t)
	for _, l := range []schema.License{
		{ConnectionID: b.conn.ID, Seats: 99, Price: schema.Money{Minor: 1, Currency: "USD"}, Period: schema.PerYear},
		{ConnectionID: b.conn.ID, Seats: 14, Price: schema.Money{Minor: 1500, Currency: "EUR"}, Period: schema.PerMonth, RenewsOn: schema.Date{Year: 2027, Month: 1, Day: 31}},
		{ConnectionID: boxTwo, Seats: 10, Price: schema.Money{Minor: 1500, Currency: "JPY"}, Period: schema.PerYear},
	} {
		_, err := b.SetLicense(t.Context(), l, b.admin)
		require.NoError(t, err)
	}
	r, err := b.ReportLicenses(t.Context(), "", ninety, reportNow)
	require.NoError(t, err)
	require.Len(t, r.Rows, 3)
	one, three, two := r.Rows[0], r.Rows[1], r.Rows[2] // by name
	require.Equal(t, schema.SeatUse{Active: 11, Restricted: 2, Suspended: 2, Dormant: 7, Missing: 1, Service: 2, App: 1, External: 1}, one.Use)
	require.Equal(t, []int64{15, 0, 1}, []int64{one.Use.Held(), one.Free(), one.Over()})
	require.Equal(t, schema.Money{Minor: 1500, Currency: "EUR"}, one.License.Price)
	require.Equal(t, "2027-01-31", one.License.RenewsOn.String())
	require.Equal(t, []string{"suspend_dormant 7 0 0.00 EUR", "delete_dormant 7 7 90.00 EUR", "delete_suspended 2 2 15.00 EUR"}, effects(one),
		"one seat in use was never bought: it is no money to be had back")
	require.Equal(t, schema.SeatUse{Active: 5, Suspended: 1, Dormant: 1, Ungraded: 2}, two.Use)
	require.Equal(t, []int64{6, 4, 0}, []int64{two.Use.Held(), two.Free(), two.Over()})
	require.Equal(t, []string{"suspend_dormant 1 0 0 JPY", "delete_dormant 1 1 1500 JPY", "delete_suspended 1 1 1500 JPY"}, effects(two))
	require.Nil(t, three.License, "no invented numbers")
	require.Equal(t, schema.SeatUse{Active: 2, Ungraded: 1}, three.Use)
	require.Nil(t, three.Effects()[0].AtRenewal)

	kept, err := b.Licenses(t.Context())
	require.NoError(t, err)
	require.Len(t, kept, 2)
	require.Equal(t, []any{"box", int64(14), "admin"}, []any{kept[0].Connection, kept[0].Seats, kept[0].UpdatedBy})
}

func effects(r schema.LicenseRow) (out []string) {
	for _, e := range r.Effects() {
		out = append(out, fmt.Sprint(e.Act, " ", e.Accounts, " ", e.Seats, " ", *e.AtRenewal))
	}
	return out
}

func TestLicensesRefuseWhatCannotBe(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ok := schema.License{ConnectionID: b.conn.ID, Seats: 1, Price: schema.Money{Minor: 1, Currency: "EUR"}, Period: schema.PerMonth}
	for _, spoil := range []func(*schema.License){
		func(l *schema.License) { l.Seats = -1 }, func(l *schema.License) { l.Seats = schema.MaxSeats + 1 },
		func(l *schema.License) { l.Price.Currency = "EUX" }, func(l *schema.License) { l.Price.Minor = -1 },
		func(l *schema.License) { l.Price.Minor = schema.MaxPriceMinor + 1 }, func(l *schema.License) { l.Period = "week" },
	} {
		l := ok
		spoil(&l)
		_, err := b.SetLicense(t.Context(), l, b.admin)
		requireCode(t, schema.CodeInvalid, err)
	}
	_, err := b.SetLicense(t.Context(), ok, b.admin)
	require.NoError(t, err)
}

// reportInactive follows the report to its end, a few accounts at a time.
func (b *bundle) reportInactive(f schema.InactiveFilter) (logins []string, counts schema.GradeCounts) {
	b.t.Helper()
	f.Now = reportNow
	for {
		r, err := b.ReportInactive(b.t.Context(), f)
		require.NoError(b.t, err)
		if f.After == "" {
			counts = r.Counts
		} else {
			require.Nil(b.t, r.Counts)
		}
		for _, row := range r.Rows {
			logins = append(logins, fmt.Sprint(row.ExternalID, " ", row.Grade, " ", row.Band))
		}
		if r.Next == "" {
			return logins, counts
		}
		f.After = r.Next
	}
}

// TestInactiveEqualsAHandCount lists the silent of the fixture, longest first.
func TestInactiveEqualsAHandCount(t *testing.T) {
	t.Parallel()
	b := reportFixture(t)
	for _, limit := range []int{1, 3, 500} {
		got, counts := b.reportInactive(schema.InactiveFilter{ConnectionID: b.conn.ID, Threshold: ninety, Limit: limit})
		require.Equal(t, []string{
			"ola inactive 180_and_more", "hal inactive 180_and_more", "fay inactive 180_and_more", "jan inactive 90_179",
			"lou never never", "eve inactive 90_179", "ida never never",
		}, got)
		require.Equal(t, schema.GradeCounts{"active": 6, "inactive": 5, "never": 2}, counts)
	}
	got, counts := b.reportInactive(schema.InactiveFilter{Threshold: ninety, Grades: []schema.Grade{"unknown", "not_collected"}, Limit: 1})
	require.Equal(t, []string{"ray unknown 30_59", "sue unknown 30_59", "wes not_collected not_collected"}, slices.Sorted(slices.Values(got)),
		"a coverage of 40 days proves a silence of 30, not of 90")
	require.Equal(t, schema.GradeCounts{"active": 9, "inactive": 5, "never": 3, "unknown": 2, "not_collected": 1}, counts)
	got, _ = b.reportInactive(schema.InactiveFilter{Threshold: ninety, Statuses: []schema.AccountStatus{"suspended"}, Limit: 500})
	require.Equal(t, []string{"nat inactive 180_and_more", "mia inactive 90_179"}, got)
	got, _ = b.reportInactive(schema.InactiveFilter{Threshold: 30 * reportDay, Grades: []schema.Grade{"active"}, Kinds: []schema.AccountKind{"service", "external"}, Limit: 500})
	require.Equal(t, []string{"ext active under_30", "svc active under_30"}, got)

	r, err := b.ReportInactive(t.Context(), schema.InactiveFilter{ConnectionID: b.conn.ID, Threshold: ninety, Limit: 500, Now: reportNow})
	require.NoError(t, err)
	eve := r.Rows[5]
	require.Equal(t, []any{"eve@example.com", "boss@example.com", true, schema.ActivitySource("box.events"), daysAgo(100)},
		[]any{eve.PersonEmail, eve.Manager, eve.Seat, eve.LastSource, eve.LastActiveAt})
}

// TestInactiveAgreesWithTheGrade lists every grade of random accounts over random
// coverages: each account stands in the list of its grade alone.
func TestInactiveAgreesWithTheGrade(t *testing.T) {
	t.Parallel()
	b := setup(t)
	conn := b.sql()
	_, err := conn.Exec(t.Context(), `insert into activity_feed (connection_id, source, live, updated_at) values ($1, 'box.events', '1', now())`, b.conn.ID)
	require.NoError(t, err)
	rapid.Check(t, func(rt *rapid.T) {
		_, err := conn.Exec(t.Context(), `delete from account`)
		require.NoError(t, err)
		_, err = conn.Exec(t.Context(), `delete from activity_interval`)
		require.NoError(t, err)
		var covered schema.Interval
		if rapid.Bool().Draw(rt, "collected") {
			to := rapid.Float64Range(-1, 4).Draw(rt, "to")
			covered = schema.Interval{From: daysAgo(to + rapid.Float64Range(0, 200).Draw(rt, "span")).Truncate(time.Microsecond), To: daysAgo(to).Truncate(time.Microsecond)}
			_, err = conn.Exec(t.Context(), `insert into activity_interval values ($1, 'box.events', $2, $3)`, b.conn.ID, covered.From, covered.To)
			require.NoError(t, err)
		}
		threshold := time.Duration(rapid.IntRange(1, 150).Draw(rt, "threshold")) * reportDay
		want := map[schema.Grade]int{}
		for i := range rapid.IntRange(1, 12).Draw(rt, "accounts") {
			age := func(name string) time.Time {
				if days := rapid.OneOf(rapid.Just(-1.0), rapid.Float64Range(0, 300), rapid.SampledFrom([]float64{threshold.Hours() / 24, 60, 180})).Draw(rt, name); days >= 0 {
					return daysAgo(days).Truncate(time.Microsecond)
				}
				return time.Time{}
			}
			made, used := age("made"), age("used")
			_, err = conn.Exec(t.Context(), `insert into account (id, connection_id, external_id, login, name, role, status, vendor_status, kind, enterprise_id,
					space_used, space_amount, created_at, observed_at, last_active_at)
				values (gen_random_uuid(), $1, $2, $2, '', 'member', 'active', '', 'person', '900', 0, 0, $3, now(), $4)`,
				b.conn.ID, fmt.Sprint(i), orNil(made), orNil(used))
			require.NoError(t, err)
			want[schema.Activity{LastActiveAt: used, Covered: covered}.Grade(threshold, made, reportNow)]++
		}
		got, total := map[schema.Grade]int{}, 0
		for _, g := range []schema.Grade{schema.GradeActive, schema.GradeInactive, schema.GradeNever, schema.GradeUnknown, schema.GradeNotCollected} {
			list, counts := b.reportInactive(schema.InactiveFilter{Threshold: threshold, Grades: []schema.Grade{g}, Limit: 2})
			require.Equal(t, counts[g], int64(len(list)), "%s", g)
			if len(list) > 0 {
				got[g] = len(list)
			}
			total += len(list)
		}
		require.Equal(t, want, got)
		list, _ := b.reportInactive(schema.InactiveFilter{Threshold: threshold, Grades: []schema.Grade{"active", "unknown", "inactive", "never", "not_collected"}, Limit: 3})
		require.Len(t, list, total, "all grades together, none twice")
		bands := map[schema.AgeBand]int64{}
		for _, row := range list {
			var band schema.AgeBand
			_, err := fmt.Sscan(row, new(string), new(string), &band)
			require.NoError(t, err)
			bands[band]++
		}
		usage, err := b.ReportUsage(t.Context(), schema.UsageFilter{ConnectionID: b.conn.ID, From: schema.DateOf(daysAgo(1)), To: schema.DateOf(reportNow), Now: reportNow, Limit: 1})
		require.NoError(t, err)
		for _, band := range schema.AgeBands() {
			require.Equal(t, bands[band], usage.Bands[band], "%s: in SQL as in Go", band)
		}
	})
}

func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// TestUsageEqualsAHandCount counts the use of the fixture.
func TestUsageEqualsAHandCount(t *testing.T) {
	t.Parallel()
	b := reportFixture(t)
	f := schema.UsageFilter{ConnectionID: b.conn.ID, From: date("2026-10-12"), To: date("2026-11-21"), Now: reportNow, Limit: 2}
	r, err := b.ReportUsage(t.Context(), f)
	require.NoError(t, err)
	require.Len(t, r.Days, 41)
	days := map[string]int64{}
	for _, d := range r.Days {
		if d.Active > 0 {
			days[d.From.String()] = d.Active
		}
		want := schema.CoverageFull
		if d.From.String() == "2026-11-21" {
			want = schema.CoveragePartial
		}
		require.Equal(t, want, d.Coverage, d.From)
	}
	require.Equal(t, map[string]int64{"2026-10-13": 1, "2026-10-14": 2, "2026-11-10": 2, "2026-11-12": 3, "2026-11-20": 1, "2026-11-21": 1}, days)
	var weeks []string
	for _, w := range r.Weeks {
		weeks = append(weeks, fmt.Sprint(w.Week(), " ", w.From, " ", w.To, " ", w.Active, " ", w.Coverage))
	}
	require.Equal(t, []string{
		"2026-W42 2026-10-12 2026-10-18 2 full", "2026-W43 2026-10-19 2026-10-25 0 full", "2026-W44 2026-10-26 2026-11-01 0 full",
		"2026-W45 2026-11-02 2026-11-08 0 full", "2026-W46 2026-11-09 2026-11-15 4 full", "2026-W47 2026-11-16 2026-11-22 2 partial",
	}, weeks)
	require.Equal(t, []any{"2026-W46", int64(4), "2026-W42", int64(2)}, []any{r.Trend.Week.Week(), r.Trend.Week.Active, r.Trend.Before.Week(), r.Trend.Before.Active})
	require.Equal(t, schema.UsageShare{Accounts: 13, Active: 4}, r.Adoption)
	require.Equal(t, map[schema.AgeBand]int64{
		"under_30": 4, "30_59": 1, "60_89": 1, "90_179": 2, "180_and_more": 3, "never": 2, "unknown": 0, "not_collected": 0,
	}, r.Bands)
	require.Equal(t, []schema.UsageShare{
		{Name: "", Accounts: 1},
		{Name: "Board", Accounts: 1, Active: 1},
		{Name: "Engineering", Accounts: 2},
		{Name: "Sales", Accounts: 4, Active: 2},
		{NoPerson: true, Accounts: 5, Active: 1},
	}, r.Departments)
	require.Equal(t, []schema.UsageShare{{Name: "all", GroupID: "g2", Accounts: 13, Active: 4}, {Name: "empty", GroupID: "g3"}}, r.Groups)
	f.GroupsAfter = r.GroupsNext
	r, err = b.ReportUsage(t.Context(), f)
	require.NoError(t, err)
	require.Equal(t, []schema.UsageShare{{Name: "Sales", GroupID: "g1", Accounts: 3, Active: 2}}, r.Groups)
	require.Empty(t, r.GroupsNext)

	r, err = b.ReportUsage(t.Context(), schema.UsageFilter{ConnectionID: boxThree, From: date("2026-11-20"), To: date("2026-11-21"), Now: reportNow, Limit: 1})
	require.NoError(t, err)
	require.Equal(t, schema.CoverageNone, r.Days[0].Coverage)
	require.Nil(t, r.Trend)
	require.Equal(t, schema.UsageShare{Accounts: 2, Active: 1, NotKnown: 1}, r.Adoption)
	for _, bad := range []schema.UsageFilter{{Limit: 1}, {From: date("2026-01-02"), To: date("2026-01-01"), Limit: 1}, {From: date("2020-01-01"), To: date("2026-01-01"), Limit: 1}} {
		bad.ConnectionID = b.conn.ID
		_, err = b.ReportUsage(t.Context(), bad)
		requireCode(t, schema.CodeInvalid, err)
	}
}

func date(s string) schema.Date {
	d, err := schema.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// TestOrphansEqualAHandCount lists whom nobody is known to hold.
func TestOrphansEqualAHandCount(t *testing.T) {
	t.Parallel()
	b := reportFixture(t)
	list := func(issue schema.AccountIssue, limit int, kinds ...schema.AccountKind) (out []string, counts *schema.OrphanCounts) {
		f := schema.OrphanFilter{ConnectionID: b.conn.ID, Issue: issue, Kinds: kinds, Now: reportNow, Limit: limit}
		for {
			r, err := b.ReportOrphans(t.Context(), f)
			require.NoError(t, err)
			if f.After == "" {
				counts = r.Counts
			}
			for _, row := range r.Rows {
				out = append(out, fmt.Sprint(row.ExternalID, " ", row.Issue, " ", len(row.Candidates)))
			}
			if r.Next == "" {
				return out, counts
			}
			f.After = r.Next
		}
	}
	for _, limit := range []int{1, 3, 500} {
		got, counts := list("", limit)
		require.Equal(t, []string{
			"hal unmatched 0", "ida ambiguous 2", "jan contradiction 2", "kim unmatched 0", "lou unmatched 0", "nat unmatched 0", "ola unmatched 0", "old unmatched 0",
		}, got)
		require.Equal(t, &schema.OrphanCounts{
			Issues: map[schema.AccountIssue]int64{"unmatched": 6, "ambiguous": 1, "contradiction": 1},
			Others: map[schema.AccountKind]int64{"service": 2, "app": 1, "external": 1}, People: 7, PeopleWithoutManager: 2,
		}, counts)
	}
	got, _ := list("ambiguous", 1)
	require.Equal(t, []string{"ida ambiguous 2"}, got)
	got, _ = list("contradiction", 1)
	require.Equal(t, []string{"jan contradiction 2"}, got)
	got, _ = list("unmatched", 500)
	require.Len(t, got, 6)
	got, _ = list("", 1, schema.KindService, schema.KindApp, schema.KindExternal)
	require.Equal(t, []string{"app unmatched 0", "ext unmatched 0", "svc2 unmatched 0", "svc unmatched 0"}, got)

	first, next, err := b.ReportUnmanaged(t.Context(), reportNow, "", 1)
	require.NoError(t, err)
	rest, end, err := b.ReportUnmanaged(t.Context(), reportNow, next, 1)
	require.NoError(t, err)
	require.Empty(t, end)
	require.Equal(t, []string{"boss@example.com", "", "fay@example.com", "E99"}, []string{first[0].Email, first[0].Said, rest[0].Email, rest[0].Said})
}

// TestChangesEqualAHandCount lists what the fixture's syncs saw, newest first.
func TestChangesEqualAHandCount(t *testing.T) {
	t.Parallel()
	b := reportFixture(t)
	list := func(f schema.ChangeFilter) (out []string) {
		f.Limit = 1
		for {
			r, err := b.ReportChanges(t.Context(), f, reportNow)
			require.NoError(t, err)
			for _, c := range r.Rows {
				require.Equal(t, daysAgo(3), c.Since)
				out = append(out, fmt.Sprint(c.Kind, " ", c.Login, " ", c.GroupName, " ", c.Before, ">", c.After))
			}
			if r.Next == "" {
				return out
			}
			f.After = r.Next
		}
	}
	status, role, gained := "status mia@example.com  active>suspended", "role cyd@example.com  member>coadmin", "membership_gained ann@example.com Sales >member"
	require.Equal(t, []string{status, role, gained}, list(schema.ChangeFilter{}))
	require.Equal(t, []string{status, gained}, list(schema.ChangeFilter{ConnectionID: b.conn.ID, Kinds: []schema.ChangeKind{"membership_gained", "status", "status"}}))
	require.Empty(t, list(schema.ChangeFilter{ConnectionID: boxTwo}))
	require.Equal(t, []string{status}, list(schema.ChangeFilter{Since: daysAgo(1.5)}))
	require.Equal(t, []string{role, gained}, list(schema.ChangeFilter{Until: daysAgo(1)}))
	d, err := b.AccountDetail(t.Context(), "ann@example.com", ninety, reportNow)
	require.NoError(t, err)
	require.Equal(t, []string{gained}, list(schema.ChangeFilter{AccountID: d.ID}))
	require.Equal(t, []string{gained}, list(schema.ChangeFilter{AccountID: d.ID, Kinds: []schema.ChangeKind{"membership_gained"}}))
	require.Len(t, d.Changes, 1)
	require.Equal(t, []any{int64(1), schema.GradeActive, schema.ActivitySource("box.events"), schema.AccountIssue("")}, []any{d.Groups, d.Grade, d.Basis.Source, d.Issue})
}

// TestEachReportNamesItsAge: per data set, what is not collected and why, and
// what is older than its schedule.
func TestEachReportNamesItsAge(t *testing.T) {
	t.Parallel()
	b := reportFixture(t)
	r, err := b.ReportLicenses(t.Context(), "", ninety, reportNow)
	require.NoError(t, err)
	var got []string
	for _, d := range r.Datasets {
		got = append(got, fmt.Sprint(d.Connection, " ", d.Dataset, " ", d.State, " ", d.Reason, " ", d.Stale))
	}
	require.Equal(t, []string{
		"box accounts collected  false", "box groups collected  false", "box memberships partial GROUPS_REFUSED false",
		"box group_collaborations not_collected SCOPE_MISSING false", "box activity collected  false",
		"box-three accounts not_collected NEVER_RUN false", "box-three groups not_collected NEVER_RUN false", "box-three memberships not_collected NEVER_RUN false",
		"box-three group_collaborations not_collected NEVER_RUN false", "box-three activity not_collected NEVER_RUN false",
		"box-two accounts collected  true", "box-two groups not_collected NEVER_RUN false", "box-two memberships not_collected NEVER_RUN false",
		"box-two group_collaborations not_collected NEVER_RUN false", "box-two activity not_collected NEVER_RUN false",
	}, got)
	require.Equal(t, daysAgo(180.5), r.Of(b.conn.ID).Covered.From)
	require.Empty(t, r.Of(boxThree).Source)
}
