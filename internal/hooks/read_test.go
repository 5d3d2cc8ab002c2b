package hooks_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/hooks"
	"sendoff/internal/roster"
	"sendoff/schema"
)

func own() schema.Source {
	return schema.Source{Name: "hris", Kind: schema.SourceStandardWebhooks}
}

func mapped(m schema.Mapping) schema.Source {
	return schema.Source{Name: "vendor", Kind: schema.SourceHMAC, Mapping: &m}
}

// places returns where and code of each problem as "where code".
func places(problems []schema.Problem) []string {
	var out []string
	for _, p := range problems {
		out = append(out, p.Where+" "+p.Code)
	}
	return out
}

func read(t *testing.T, s schema.Source, body string) schema.HRChange {
	t.Helper()
	change, problems := hooks.Read(s, []byte(body))
	require.Empty(t, problems)
	return change
}

func TestOwnShape(t *testing.T) {
	t.Parallel()
	change := read(t, own(), `{"type":"employment.changed","timestamp":"2026-11-22T12:00:00Z","extra":[1],
		"data":{"external_id":5,"name":"Ada","email":"ADA@example.com","last_working_day":"2026-11-30","manager":null,"shoe_size":38,"":1}}`)
	require.Equal(t, schema.HRChange{Kind: schema.ChangeEmployments, Roster: &schema.Roster{
		Source: "hris", Mode: schema.RosterChanges,
		Employments: []schema.Employment{{
			EmploymentKey: schema.EmploymentKey{ExternalID: "5"}, Kind: schema.Employee, Name: "Ada", Email: "ada@example.com",
			LastWorkingDay: schema.Date{Year: 2026, Month: 11, Day: 30},
		}},
		Fields: []string{"email", "last_working_day", "manager", "name"}, Ignored: []string{"shoe_size"},
	}}, change)
	list := read(t, own(), `{"type":"employment.changed","data":[{"external_id":"1","department":"R"},{"external_id":"2","department":null}]}`)
	require.Len(t, list.Roster.Employments, 2)
	require.Equal(t, []string{"department"}, list.Roster.Fields)
}

// TestMapping reads what Merge sends, as its SDK describes it
// (github.com/merge-api/merge-go-client, hris employee).
func TestMapping(t *testing.T) {
	t.Parallel()
	merge := mapped(schema.Mapping{
		List: "data", When: map[string][]string{"hook.event": {"Employee.added", "Employee.changed"}, "linked_account.category": {"hris"}},
		Fields: map[string]string{
			"external_id": "id", "email": "work_email", "name": "display_full_name", "hire_date": "start_date", "terminated_on": "termination_date",
			"manager": "manager.id", "site": `field_mappings["work.site"]`, "department": "groups[1].name", "kind": "employments[0].type",
		},
		Words:       map[string]map[string]string{"kind": {"Full_Time": "employee", "1099": "contractor"}},
		DateLayouts: []string{"2006-01-02T15:04:05Z07:00", "02.01.2006"},
	})
	body := `{"hook":{"event":"Employee.changed"},"linked_account":{"category":"hris"},"data":{"id":"17","work_email":"ada@example.com",
		"display_full_name":"Ada","start_date":"03.04.2024","termination_date":"2026-11-30T23:00:00-08:00","manager":null,
		"field_mappings":{"work.site":"London"},"groups":[{"name":"x"},{"name":"R&D"}],"employments":[{"type":1099}]}}`
	got := read(t, merge, body).Roster
	require.Equal(t, []schema.Employment{{
		EmploymentKey: schema.EmploymentKey{ExternalID: "17"}, Kind: schema.Contractor, Name: "Ada", Email: "ada@example.com", Site: "London", Department: "R&D",
		HireDate: schema.Date{Year: 2024, Month: 4, Day: 3}, TerminatedOn: schema.Date{Year: 2026, Month: 11, Day: 30},
	}}, got.Employments)
	require.Equal(t, []string{"department", "email", "hire_date", "kind", "manager", "name", "site", "terminated_on"}, got.Fields)

	got = read(t, merge, strings.ReplaceAll(body, `,"groups":[{"name":"x"},{"name":"R&D"}]`, "")).Roster
	require.NotContains(t, got.Fields, "department", "what is not there is not told")

	other := read(t, merge, `{"hook":{"event":"LinkedAccount.synced"},"data":7}`)
	require.Equal(t, schema.ChangeEmployments, other.Kind)
	require.Empty(t, other.Roster.Employments, "a body of something else tells nothing")
}

// TestFaultsAllAtOnce: where they stand in the body, and nothing of what stands there.
func TestFaultsAllAtOnce(t *testing.T) {
	t.Parallel()
	s := mapped(schema.Mapping{List: "people", Fields: map[string]string{"external_id": "id", "email": `mail["work"]`, "hire_date": "from", "kind": "kind"}})
	_, problems := hooks.Read(s, []byte(`{"people":[
		{"id":"1","mail":{"work":"canary"},"from":"soon","kind":"canary"},
		{"id":"1","mail":{"work":"a@example.com"},"from":null,"kind":null},
		{"id":"","mail":{"work":"b@example.com"},"from":null,"kind":null}]}`))
	require.ElementsMatch(t, []string{
		`people[0].mail["work"] email_syntax`, "people[0].from date_syntax", "people[0].kind unknown_kind", "people[1].id duplicate", "people[2].id required",
	}, places(problems))
	for _, p := range problems {
		require.NotContains(t, p.Message+p.Fix, "canary")
		require.NotContains(t, p.Message+p.Fix, "employments[")
	}
	_, problems = hooks.Read(s, []byte(`{"people":[
		{"id":{"a":1},"mail":"x","from":null,"kind":[]},
		7,
		{"id":"2","from":null,"kind":null},
		{"id":"3","mail":{"work":"b@example.com"},"from":null,"kind":null}]}`))
	require.ElementsMatch(t, []string{
		"people[0].id form", `people[0].mail["work"] form`, "people[0].kind form", "people[1] form",
		`people[0].mail["work"] uneven`, `people[2].mail["work"] uneven`, "people[0].kind uneven",
	}, places(problems))
}

// TestRefusedBodies: each says where it is wrong, and leaves nothing half read.
func TestRefusedBodies(t *testing.T) {
	t.Parallel()
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	ok := `{"type":"employment.changed","data":{"external_id":"1"}}`
	read(t, own(), ok)
	read(t, own(), "\n"+ok+" \n")
	for body, want := range map[string]string{
		"": "body syntax", "{": "byte 1 syntax", ok + "{}": "byte 57 syntax", ok[:20]: "byte 20 syntax", "\ufeff" + ok: "byte 1 syntax", "hello": "byte 1 syntax",
		`{"type":"employment.changed","data":` + deep(31) + `}`: "data[0] form",
		`{"type":"employment.changed","data":` + deep(33) + `}`: "body depth",
		deep(9000):                              "body depth",
		deep(20000):                             "byte 10001 syntax",
		"{\"type\":\"employment.changed\xff\"}": "body encoding",
		`{"type":"employment.changed","data":{"name":"\ud83d"}}`:                                                 "byte 46 encoding",
		`{"type":"employment.changed","data":{"name":"\ude00x"}}`:                                                "byte 46 encoding",
		`{"type":"employment.changed","data":{"external_id":"1","external_id":"2"},"type":"employment.changed"}`: "data.external_id duplicate",
		`{"type":"employment.changed"}`:                                                                          "data required",
		`{"type":"employment.changed","data":null}`:                                                              "data required",
		`{"type":"employment.changed","data":[]}`:                                                                "data empty",
		`{"type":"employment.changed","data":{}}`:                                                                "data.external_id required",
		`{"type":"employment.changed","data":{"external_id":"1","name":"a\u0000b"}}`:                             "data.name control_character",
		`{"type":"employment.change","data":{"external_id":"1"}}`:                                                "type unknown_type",
		`{"data":{"external_id":"1"}}`:                                                                           "type unknown_type",
		`[]`:                                                                                                     "type unknown_type", `null`: "type unknown_type", `7`: "type unknown_type",
	} {
		change, problems := hooks.Read(own(), []byte(body))
		require.NotEmpty(t, problems, "%.80s", body)
		require.Equal(t, want, places(problems)[0], "%.80s", body)
		require.NotEmpty(t, problems[0].Fix)
		require.Empty(t, change)
	}
	got := read(t, own(), `{"type":"employment.changed","data":{"external_id":"1","name":"\ud83d\ude00 \\ud83d"}}`)
	require.Equal(t, "\U0001F600 \\ud83d", got.Roster.Employments[0].Name)
}

// TestForeignNamesAreCut: a problem does not carry a megabyte of a name.
func TestForeignNamesAreCut(t *testing.T) {
	t.Parallel()
	name := strings.Repeat("n", 500_000)
	_, problems := hooks.Read(own(), []byte(`{"`+name+`":{"a b":[0,{"x":1,"x":2}]}}`))
	require.Len(t, problems, 1)
	require.Equal(t, `["`+name[:60]+`..."]["a b"][1].x`, problems[0].Where)
}

// TestBambooHR: every form that its documents show is a hint.
func TestBambooHR(t *testing.T) {
	t.Parallel()
	s := schema.Source{Kind: schema.SourceBambooHR}
	for _, body := range []string{
		bambooVector().Body,
		`{"type":"employee.updated","timestamp":"2026-01-31T18:42:00+0000","data":{"companyId":"12345","employeeId":"67890","changedFields":["firstName"]}}`,
		`{"employees":[]}`,
		`type=employee.updated&data[companyId]=12345&data[employeeId]=67890&data[changedFields][0]=firstName`,
		`employees[12345][changedFields][0]=First+name&employees[12345][First+name]=John`,
		`employees%5B5%5D%5Bid%5D=5`,
	} {
		require.Equal(t, schema.HRChange{Kind: schema.ChangeHint}, read(t, s, body))
	}
	for body, code := range map[string]string{
		"": "syntax", "{}": "unknown_shape", `{"employees":{}}`: "unknown_shape", `{"type":"x"}`: "unknown_shape", "a=b": "unknown_shape", "data[x]=1": "unknown_shape",
		"employees[%zz]=1": "syntax", "employees[5]=%ff": "encoding", "{\"employees\":[\"\xff\"]}": "encoding", "hello": "unknown_shape",
	} {
		change, problems := hooks.Read(s, []byte(body))
		require.Empty(t, change)
		require.Len(t, problems, 1, body)
		require.Equal(t, code, problems[0].Code, body)
	}
}

// TestDateColumns: layouts are for all columns that hold a day, whichever the
// roster has.
func TestDateColumns(t *testing.T) {
	t.Parallel()
	for _, h := range roster.Headings() {
		if h.Column == roster.ExternalID {
			continue
		}
		probe := roster.ReadRows([]map[roster.Column]string{{roster.ExternalID: "1", h.Column: "24.12.2026"}})
		isDate := len(probe.Problems) == 1 && probe.Problems[0].Code == "date_syntax"
		s := mapped(schema.Mapping{Fields: map[string]string{"external_id": "id", string(h.Column): "x"}, DateLayouts: []string{"02.01.2006"}})
		change, problems := hooks.Read(s, []byte(`{"id":"1","x":"24.12.2026"}`))
		if isDate {
			require.Empty(t, problems, h.Column)
			require.Contains(t, change.Roster.Fields, string(h.Column))
		} else {
			require.Len(t, problems, len(probe.Problems), h.Column)
		}
	}
}

// FuzzRead: whatever a body holds, it is read whole or refused with places.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`{"type":"employment.changed","data":{"external_id":"1","email":"a@example.com"}}`, `{"type":"employment.changed","data":[{"external_id":"1"},{"external_id":"1"}]}`,
		`{"a":"\ud83d\ude00"}`, `{"a":{"a":1}}`, `[[[]]]`, `{"id":1,"a":[{"b":"2026-01-01"}]}`, "employees[1][x]=y", bambooVector().Body,
	} {
		f.Add([]byte(seed), "a[0].b")
	}
	f.Fuzz(func(t *testing.T, body []byte, path string) {
		for _, s := range []schema.Source{own(), {Kind: schema.SourceBambooHR}, mapped(schema.Mapping{
			List: path, Fields: map[string]string{"external_id": "id", "hire_date": path}, When: map[string][]string{path: {"a"}}, EventID: path,
		}), mapped(schema.Mapping{Fields: map[string]string{"external_id": path}})} {
			change, problems := hooks.Read(s, body)
			if len(problems) > 0 {
				require.Empty(t, change)
				for _, p := range problems {
					require.NotEmpty(t, p.Where)
					require.NotEmpty(t, p.Fix)
				}
				continue
			}
			text, err := json.Marshal(change)
			require.NoError(t, err)
			require.NotContains(t, string(text), `\u0000`)
		}
	})
}
