package bamboohr_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/connectors/bamboohr"
	"sendoff/schema"
)

// The fuzz tests hold the parsers of what the vendor writes to a few rules,
// whatever the bytes: nothing panics, nothing foreign gets into an error, and a
// leaver is one by what is said alone.

func FuzzEmployee(f *testing.F) {
	active := `{"id":"7","status":"Active","terminationDate":"0000-00-00","hireDate":"2020-01-01","supervisorEId":9,"displayName":"Ada"}`
	for _, rec := range []string{
		"", "null", "[]", `{"id":"7"}`, active, strings.Replace(active, `"0000-00-00"`, `"2026-03-31"`, 1),
		strings.Replace(active, `"Active"`, `"Inactive"`, 1), strings.Replace(active, `"Active"`, `null`, 1), strings.Replace(active, `"Active"`, `"Away"`, 1),
		strings.Replace(active, `"0000-00-00"`, `{"value":3}`, 1), strings.Replace(active, `"2020-01-01"`, `"31/12/2020"`, 1),
		`{"id":7,"status":"Active","terminationDate":"","workEmail":"ADA@Example.com","employmentHistoryStatus":"Contractor"}`,
	} {
		for _, rows := range []string{
			"[]", "null", `[{"id":"1","date":"2020-01-01","employmentStatus":"Full-Time"},{"id":"2","date":"2026-03-31","employmentStatus":"Terminated","terminationReasonId":"Other"}]`,
			`[{"date":null,"employmentStatus":null}]`, `[{"date":"2026-02-30","employmentStatus":"Terminated"}]`,
		} {
			f.Add(rec, rows)
		}
	}
	today := schema.Date{Year: 2026, Month: time.March, Day: 2}
	f.Fuzz(func(t *testing.T, rec, rows string) {
		e, err := bamboohr.Employee([]byte(rec), []byte(rows), today)
		if err != nil {
			plainError(t, err)
			return
		}
		require.True(t, json.Valid(e.Body))
		require.True(t, strings.HasPrefix(e.EventID, "7/"))
		require.True(t, slices.IsSorted(e.Fields))
		require.Equal(t, slices.Compact(slices.Clone(e.Fields)), e.Fields)
		ended := e.Employment.Status == schema.StatusEnded
		require.False(t, ended && !strings.Contains(strings.ToLower(rec), "inactive") && !strings.Contains(rec, `\u`), "nobody has left unsaid")
		if on := e.Employment.TerminatedOn; !on.IsZero() && !strings.Contains(rec+rows, `\u`) {
			require.True(t, strings.Contains(rec, on.String()) || strings.Contains(rows, on.String()))
		}
		again, err := bamboohr.Employee([]byte(rec), []byte(rows), today)
		require.NoError(t, err)
		require.Equal(t, e, again)
	})
}

func FuzzChanged(f *testing.F) {
	for _, list := range []string{
		"", "null", "[]", `{"latest":"2026-03-02T10:11:12+00:00","employees":[]}`, `{"latest":"","employees":{}}`,
		`{"latest":"2026-03-02T10:11:12+00:00","employees":{"123":{"id":"123","action":"Updated","lastChanged":"2026-03-02T10:11:12+00:00"}}}`,
		`{"employees":{"123":{"id":"124"}}}`, `{"employees":{"../1":{}}}`, `{"employees":[{"id":"1"}]}`, `{"employees":{"99999999999999999999":{}}}`, `{"latest":5,"employees":{}}`,
	} {
		for _, table := range []string{
			`{"table":"employmentStatus","employees":[]}`, `{"employees":{"5":{"lastChanged":"x","rows":[{"id":1,"date":"2026-03-31","employmentStatus":"Terminated"}]}}}`,
			`{"employees":{"5":{"rows":[{}]}}}`, `{"employees":{"5":{"rows":{}}}}`,
		} {
			f.Add(list, table)
		}
	}
	f.Fuzz(func(t *testing.T, list, table string) {
		ids, err := bamboohr.Changed([]byte(list), []byte(table))
		if err != nil {
			plainError(t, err)
			return
		}
		for _, id := range ids {
			require.Regexp(t, regexp.MustCompile(`^[1-9][0-9]{0,17}$`), id)
		}
	})
}

// plainError requires an error of ours, whose text holds nothing of the vendor's.
func plainError(t *testing.T, err error) {
	t.Helper()
	require.Contains(t, []connectors.Kind{connectors.Malformed, connectors.Forbidden}, connectors.KindOf(err))
	require.Regexp(t, regexp.MustCompile(`^bamboohr\.[a-z_]+: [a-z]+, [A-Za-z0-9 ,:.'-]+$`), err.Error())
}
