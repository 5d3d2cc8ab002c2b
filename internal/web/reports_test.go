package web_test

import (
	"encoding/csv"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"sendoff/schema"
)

func reportHead() schema.ReportHead {
	return schema.ReportHead{
		At: now,
		Datasets: []schema.DatasetFreshness{
			{DatasetStatus: schema.DatasetStatus{ConnectionID: "c1", Dataset: schema.DataAccounts, State: schema.DatasetCollected, AsOf: now.Add(-time.Hour), Rows: 3}, Connection: "box"},
			{DatasetStatus: schema.DatasetStatus{ConnectionID: "c1", Dataset: schema.DataActivity, State: schema.DatasetPartial, Reason: "HOLE", AsOf: now.Add(-time.Minute)}, Connection: "box", Stale: true},
		},
		Bases: []schema.ConnectionBasis{{ConnectionID: "c1", Connection: "box", GradeBasis: schema.GradeBasis{
			Source: "box.events", Covered: schema.Interval{From: now.Add(-1000 * time.Hour), To: now.Add(-time.Minute)},
		}}},
	}
}

const ageOfHead = "2026-11-21T12:00:00Z,2026-11-21T11:00:00Z,collected,2026-11-21T11:59:00Z,partial,2026-10-10T20:00:00Z,2026-11-21T11:59:00Z,true\r\n"

// TestLicensesAsCSV is the whole file, byte by byte.
func TestLicensesAsCSV(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.ReportLicensesFunc = func(_ schema.ConnectionID, threshold time.Duration) (schema.LicenseReport, error) {
		require.Equal(t, 60*24*time.Hour, threshold)
		return schema.LicenseReport{ReportHead: reportHead(), Rows: []schema.LicenseRow{
			{
				ConnectionID: "c1", Connection: "box", Vendor: "box",
				License: &schema.License{Seats: 14, Price: schema.Money{Minor: 1500, Currency: "EUR"}, Period: schema.PerMonth, RenewsOn: schema.Date{Year: 2027, Month: 1, Day: 31}},
				Use:     schema.SeatUse{Active: 11, Restricted: 2, Suspended: 2, Dormant: 7, Ungraded: 1, Missing: 1, Service: 2, App: 1, External: 1},
			},
			{ConnectionID: "c1", Connection: "box", Vendor: "box", Use: schema.SeatUse{Active: 2}},
		}}, nil
	}
	a := b.do("auditor", "GET", "/v1/reports/licenses?format=csv&threshold=60d", "")
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.Equal(t, "text/csv; charset=utf-8; header=present", a.header.Get("Content-Type"))
	require.Equal(t, `attachment; filename="report-licenses.csv"`, a.header.Get("Content-Disposition"))
	require.Equal(t, "connection,vendor,seats_bought,unit_price,currency,period,renews_on,seats_held,active,restricted,suspended,dormant,ungraded,"+
		"missing,service,app,external,free,over,utilisation,cost,suspend_dormant_seats_now,suspend_dormant_saving_at_renewal,"+
		"delete_dormant_seats_now,delete_dormant_saving_at_renewal,delete_suspended_seats_now,delete_suspended_saving_at_renewal,"+
		"report_at,accounts_as_of,accounts_state,activity_as_of,activity_state,covered_from,covered_to,stale\r\n"+
		"box,box,14,15.00,EUR,month,2027-01-31,15,11,2,2,7,1,1,2,1,1,0,1,1.0714,210.00,0,0.00,7,90.00,2,15.00,"+ageOfHead+
		"box,box,,,,,,2,2,0,0,0,0,0,0,0,0,,,,,0,,0,,0,,"+ageOfHead, a.raw)
	a = b.do("auditor", "GET", "/v1/reports/licenses?threshold=60d", "")
	require.Equal(t, http.StatusOK, a.status, a.raw)
	rows := a.json["connections"].([]any)
	one, two := rows[0].(map[string]any), rows[1].(map[string]any)
	require.Equal(t, []any{15.0, 0.0, 1.0, "210.00 EUR"}, []any{one["seats_held"], one["free"], one["over"], one["cost"]})
	require.Equal(t, map[string]any{"act": "delete_dormant", "accounts": 7.0, "seats_now": 7.0, "saving_at_renewal": "90.00 EUR"}, one["effects"].([]any)[1])
	require.Equal(t, []any{nil, nil, nil, ""}, []any{two["license"], two["free"], two["utilisation"], two["cost"]}, "no invented numbers")
	require.Equal(t, true, a.json["datasets"].([]any)[1].(map[string]any)["stale"])
}

func TestUsageAsCSV(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.ConnectionByNameFunc = func(string) (schema.Connection, error) { return schema.Connection{ID: "c1", Name: "box"}, nil }
	day := func(s string) schema.Date { d, _ := schema.ParseDate(s); return d }
	week := schema.UsageSpan{From: day("2026-11-09"), To: day("2026-11-15"), Active: 6, Coverage: schema.CoverageFull}
	before := schema.UsageSpan{From: day("2026-10-12"), To: day("2026-10-18"), Active: 4, Coverage: schema.CoverageFull}
	var asked []schema.UsageFilter
	b.store.ReportUsageFunc = func(f schema.UsageFilter) (schema.UsageReport, error) {
		asked = append(asked, f)
		r := schema.UsageReport{ReportHead: reportHead(), UsageFilter: f, Connection: "box", Groups: []schema.UsageShare{{Name: "=HYPERLINK()", GroupID: "g1"}}}
		if f.GroupsAfter == "" {
			r.GroupsNext = "more"
		}
		r.Days, r.Weeks = []schema.UsageSpan{{From: f.To, To: f.To, Active: 2, Coverage: schema.CoveragePartial}}, []schema.UsageSpan{week}
		r.Trend = &schema.UsageTrend{Week: week, Before: before}
		r.Adoption = schema.UsageShare{Accounts: 13, Active: 4, NotKnown: 1}
		r.Bands = map[schema.AgeBand]int64{schema.BandUnder30: 4}
		r.Departments = []schema.UsageShare{{Name: "R&D, north", Accounts: 8, Active: 3}, {NoPerson: true, Accounts: 5, Active: 1}}
		return r, nil
	}
	a := b.do("operator", "GET", "/v1/reports/usage?connection=box&days=2", "")
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.Equal(t, []any{"2026-11-20", "2026-11-21"}, []any{a.json["since"], a.json["until"]})
	require.InDelta(t, 50.0, a.json["trend"].(map[string]any)["change_percent"], 0)
	require.InDelta(t, 0.3077, a.json["adoption"].(map[string]any)["share"], 0)
	require.Equal(t, "more", a.json["groups_next"])
	asked = nil
	a = b.do("operator", "GET", "/v1/reports/usage?connection=box&since=2026-11-01&until=2026-11-21&format=csv", "")
	require.Len(t, asked, 2, "every page of groups")
	require.Equal(t, "2026-11-01", asked[0].From.String())
	rows, err := csv.NewReader(strings.NewReader(a.raw)).ReadAll()
	require.NoError(t, err)
	var got []string
	for _, r := range rows[1:] {
		require.Equal(t, "true", r[len(r)-1])
		got = append(got, strings.Join(r[1:10], "|"))
	}
	require.Equal(t, []string{
		"day|2026-11-21|2026-11-21|2026-11-21||2|||partial", "week|2026-W46|2026-11-09|2026-11-15||6|||full",
		"trend|2026-W46|2026-11-09|2026-11-15||6|||full", "trend|2026-W42|2026-10-12|2026-10-18||4|||full", "adoption|all|||13|4|0.3077|1|",
		"band|under_30|||4||||", "band|30_59|||0||||", "band|60_89|||0||||", "band|90_179|||0||||", "band|180_and_more|||0||||", "band|never|||0||||",
		"band|unknown|||0||||", "band|not_collected|||0||||",
		"department|R&D, north|||8|3|0.3750|0|", "no_person||||5|1|0.2000|0|", "group|'=HYPERLINK()|||0|0||0|", "group|'=HYPERLINK()|||0|0||0|",
	}, got)
	require.Equal(t, []string{"since:date"}, b.do("operator", "GET", "/v1/reports/usage?connection=box&since=gestern", "").problems())
}

// TestNoCellIsAFormula: whatever a vendor lets people call themselves, no cell of
// the file begins with what a spreadsheet takes for a formula, and nothing is lost.
func TestNoCellIsAFormula(t *testing.T) {
	t.Parallel()
	b := setup(t)
	name := ""
	b.store.ReportOrphansFunc = func(f schema.OrphanFilter) (schema.OrphanReport, error) {
		return schema.OrphanReport{ReportHead: reportHead(), Rows: []schema.OrphanRow{{
			AccountRow: schema.AccountRow{Account: schema.Account{ConnectionID: "c1", Login: name, Name: name, SpaceUsed: -5}, Connection: "box"},
			Issue:      schema.AccountUnmatched, Candidates: []string{name},
		}}}, nil
	}
	check := func(rt require.TestingT) {
		a := b.do("auditor", "GET", "/v1/reports/orphans?format=csv", "")
		require.Equal(rt, http.StatusOK, a.status)
		rows, err := csv.NewReader(strings.NewReader(a.raw)).ReadAll()
		require.NoError(rt, err)
		require.Len(rt, rows, 2)
		row := map[string]string{}
		for i, column := range rows[0] {
			row[column] = rows[1][i]
		}
		for _, column := range []string{"login", "name", "candidates"} {
			cell := row[column]
			require.Equal(rt, lineBreaks(name), lineBreaks(strip(cell, name)))
			first := strings.TrimLeft(cell, " \u00a0\u200b\ufeff\v\f\x01")
			require.False(rt, first != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(first)[0]), "%q", cell)
		}
		require.Equal(rt, "-5", row["space_used_bytes"], "a number stays a number")
	}
	for _, nasty := range []string{"=1+1", " =1", "\t=1", "\r=1", "-2", "+49 30", "@SUM(A1)", "\u00a0=1", "\ufeff=1", "＝1", "a\r\nb", `a"b,c`, "'", "", "ann"} {
		name = nasty
		check(t)
	}
	rapid.Check(t, func(rt *rapid.T) {
		name = strings.Join(rapid.SliceOfN(rapid.OneOf(
			rapid.SampledFrom([]string{"=", "+", "-", "@", "\t", "\r", "\n", " ", "'", `"`, ",", ";", "\u00a0", "\u200b", "＝"}), rapid.StringN(0, 2, -1),
		), 0, 6).Draw(rt, "parts"), "")
		check(rt)
	})
}

// strip takes the apostrophe away that stands in front of a name.
func strip(cell, name string) string {
	if strings.HasPrefix(cell, "'") && !strings.HasPrefix(lineBreaks(name), "'") {
		return cell[1:]
	}
	return cell
}

// lineBreaks makes all line breaks alike: CSV has one kind.
func lineBreaks(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r", ""), "\n", "")
}

// TestAReportThatFails is a problem, also as CSV, and no empty file.
func TestAReportThatFails(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.ReportChangesFunc = func(schema.ChangeFilter) (schema.ChangeReport, error) {
		return schema.ChangeReport{}, errFor("no database")
	}
	for _, query := range []string{"", "?format=csv"} {
		a := b.do("auditor", "GET", "/v1/reports/changes"+query, "")
		require.Equal(t, http.StatusInternalServerError, a.status, a.raw)
		require.Equal(t, "application/problem+json", a.header.Get("Content-Type"))
	}
	for _, bad := range []string{"since=yesterday", "until=2026-11-01", "kind=nothing", "account=7"} {
		require.Equal(t, http.StatusUnprocessableEntity, b.do("auditor", "GET", "/v1/reports/changes?"+bad, "").status, bad)
	}
	require.Equal(t, http.StatusUnprocessableEntity, b.do("auditor", "GET", "/v1/reports/inactive?threshold=90", "").status)
	require.Equal(t, http.StatusUnprocessableEntity, b.do("auditor", "GET", "/v1/reports/inactive?threshold=0s", "").status)
	require.Equal(t, http.StatusForbidden, b.do("reviewer", "GET", "/v1/reports/inactive", "").status)
}

func TestMoneyIsReadExactly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.ConnectionByNameFunc = func(string) (schema.Connection, error) { return schema.Connection{ID: "c1", Name: "box"}, nil }
	var kept schema.License
	b.store.SetLicenseFunc = func(l schema.License) (schema.License, error) { kept = l; return l, nil }
	put := func(price, currency, renews string) answer {
		return b.do("admin", "PUT", "/v1/licenses/box", `{"seats":10,"unit_price":"`+price+`","currency":"`+currency+`","period":"month","renews_on":"`+renews+`"}`)
	}
	for in, want := range map[[2]string]schema.Money{
		{"15.00", "EUR"}: {Minor: 1500, Currency: "EUR"}, {"15", "eur"}: {Minor: 1500, Currency: "EUR"}, {"0.1", "USD"}: {Minor: 10, Currency: "USD"},
		{"1500", "JPY"}: {Minor: 1500, Currency: "JPY"}, {"1.234", "BHD"}: {Minor: 1234, Currency: "BHD"}, {"0", "CHF"}: {Minor: 0, Currency: "CHF"},
	} {
		a := put(in[0], in[1], "2027-01-31")
		require.Equal(t, http.StatusOK, a.status, a.raw)
		require.Equal(t, want, kept.Price)
		back, err := schema.ParseMoney(a.json["unit_price"].(string), want.Currency)
		require.NoError(t, err)
		require.Equal(t, want, back)
	}
	require.Equal(t, "2027-01-31", kept.RenewsOn.String())
	for _, bad := range [][2]string{
		{"15.001", "EUR"}, {"1500.0", "JPY"}, {"1,500", "EUR"}, {"1e3", "EUR"}, {"-1", "EUR"}, {"15.", "EUR"}, {".5", "EUR"}, {"", "EUR"}, {"1", "EUX"}, {"99999999999999999999", "EUR"},
	} {
		require.Equal(t, []string{"unit_price:money"}, put(bad[0], bad[1], "").problems(), bad)
	}
	require.Equal(t, []string{"renews_on:date"}, put("1", "EUR", "31.01.2027").problems())
}
