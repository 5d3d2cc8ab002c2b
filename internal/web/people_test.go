package web_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func TestImportRosterAsJSON(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var got schema.Roster
	b.store.ImportRosterFunc = func(r schema.Roster, dryRun bool) (schema.RosterResult, error) {
		require.True(t, dryRun)
		got = r
		return schema.RosterResult{DryRun: true, Rows: 2, Added: 2, Issues: []schema.PersonIssue{{Kind: schema.IssueSelfManager, Source: r.Source, ExternalID: "1"}}}, nil
	}
	a := b.do("operator", "POST", "/v1/people/roster", `{"source":"hris","dry_run":true,"employments":[
		{"external_id":"1","email":"ADA@example.com","hire_date":"2026-01-31"},{"external_id":"2","department":"",
		"status":"On leave","garden_leave_from":"2026-11-30","for_cause":true}]}`)
	require.Equal(t, 200, a.status, a.raw)
	require.Equal(t, schema.RosterWhole, got.Mode)
	require.Equal(t, []string{"department", "email", "for_cause", "garden_leave_from", "hire_date", "status"}, got.Fields, "what nobody tells of keeps its values")
	require.Equal(t, "ada@example.com", got.Employments[0].Email)
	require.Equal(t, "2026-01-31", got.Employments[0].HireDate.String())
	require.Equal(t, schema.StatusOnLeave, got.Employments[1].Status)
	require.Equal(t, "2026-11-30", got.Employments[1].GardenLeaveFrom.String())
	require.True(t, got.Employments[1].ForCause)
	require.False(t, got.Employments[0].ForCause)
	require.EqualValues(t, 2, a.json["added"])
	issue := a.json["issues"].([]any)[0].(map[string]any)
	require.NotEmpty(t, issue["fix"])

	a = b.do("operator", "POST", "/v1/people/roster", `{"source":"h r","mode":"changes","employments":[{"external_id":"1","time_zone":"CEST"},{"external_id":"1"}]}`)
	require.Equal(t, []string{"source:name", "employments[0].time_zone:zone", "employments[1].external_id:duplicate"}, a.problems())
	for _, body := range []string{`{"source":"hris"}`, `{"source":"hris","csv":"id\n1","employments":[{"external_id":"1"}]}`} {
		require.Equal(t, []string{"employments:one_of"}, b.do("operator", "POST", "/v1/people/roster", body).problems())
	}
	require.Equal(t, 422, b.do("operator", "POST", "/v1/people/roster", `{"source":"hris","employments":[{"external_id":"1","shoe_size":"38"}]}`).status)
}
