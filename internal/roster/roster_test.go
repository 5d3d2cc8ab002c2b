package roster_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/roster"
	"sendoff/schema"
)

func read(t *testing.T, lines ...string) roster.Result {
	t.Helper()
	r := roster.ReadCSV([]byte(strings.Join(lines, "\n")))
	require.Empty(t, r.Problems)
	return r
}

func TestReadCSV(t *testing.T) {
	t.Parallel()
	r := read(t, "\ufeffexternal_id;Kind;Name;E-mail;department;hire_date;last_working_day;time_zone;manager;Shoe size\r",
		`007;Contractor;"Lovelace; Ada";ADA@Example.com;"R&D ""core""";2024-02-29;2026-11-30;Europe/Berlin;001;38`+"\r",
		"008;;;;;0000-00-00;9999-12-31;;boss@EXAMPLE.com;")
	require.Len(t, r.Employments, 2)
	ada := r.Employments[0]
	require.Equal(t, "007", ada.ExternalID, "leading zeros stay")
	require.Equal(t, schema.Contractor, ada.Kind)
	require.Equal(t, "Lovelace; Ada", ada.Name)
	require.Equal(t, `R&D "core"`, ada.Department)
	require.Equal(t, schema.Date{Year: 2024, Month: time.February, Day: 29}, ada.HireDate)
	require.Equal(t, "001", ada.Manager)
	require.Equal(t, "ada@example.com", ada.Email)
	require.Equal(t, schema.Employee, r.Employments[1].Kind)
	require.Equal(t, "boss@example.com", r.Employments[1].Manager)
	require.True(t, r.Employments[1].HireDate.IsZero())
	require.True(t, r.Employments[1].LastWorkingDay.IsZero(), "SAP writes so that there is none")
	require.Equal(t, []string{"Shoe size"}, r.Ignored)
	require.Equal(t, []string{"department", "email", "hire_date", "kind", "last_working_day", "manager", "name", "time_zone"}, r.Fields)
}

// TestHeadings: what HR systems call the columns, and no name for two of them.
func TestHeadings(t *testing.T) {
	t.Parallel()
	bamboo := read(t, "id,employeeNumber,firstName,lastName,workEmail,supervisorEId,terminationDate,hireDate,location",
		"5,300,Ada,Lovelace,ada@example.com,9,2026-11-30,2020-01-01,London").Employments[0]
	require.Equal(t, schema.Employment{
		EmploymentKey: schema.EmploymentKey{ExternalID: "5"}, Kind: schema.Employee, Name: "Ada Lovelace", Email: "ada@example.com",
		EmployeeNumber: "300", Manager: "9", Site: "London", HireDate: schema.Date{Year: 2020, Month: 1, Day: 1},
		TerminatedOn: schema.Date{Year: 2026, Month: 11, Day: 30},
	}, bamboo)
	workday := read(t, "Employee_ID\tLegal Name\tEmail_-_Primary_Work\tEmployee #\tLast_Day_of_Work\tManager_ID\tWorker_Type",
		"5\tAda\tada@example.com\t300\t2026-11-30\t9\tEmployee").Employments[0]
	require.Equal(t, "ada@example.com", workday.Email)
	require.Equal(t, "300", workday.EmployeeNumber)
	require.Equal(t, "9", workday.Manager)

	seen := map[string]roster.Column{}
	for _, h := range roster.Headings() {
		for _, name := range append(h.Aliases, string(h.Column)) {
			header := "external_id," + name
			if h.Column == roster.ExternalID {
				header = name + ",x"
			}
			r := roster.ReadCSV([]byte(header + "\n1,"))
			require.Empty(t, r.Problems, name)
			if h.Column != roster.ExternalID {
				require.Empty(t, r.Ignored, name)
			}
			require.NotContains(t, seen, name)
			seen[name] = h.Column
		}
	}
}

// TestWhetherItEnds: the words that HR systems have, and none besides.
func TestWhetherItEnds(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]schema.EmploymentStatus{
		"": "", "active": schema.StatusActive, "Active": schema.StatusActive, "on_leave": schema.StatusOnLeave, "On Leave": schema.StatusOnLeave, "on-leave": schema.StatusOnLeave, "LEAVE": schema.StatusOnLeave,
		"ended": schema.StatusEnded, "Terminated": schema.StatusEnded, "INACTIVE": schema.StatusEnded,
	} {
		require.Equal(t, want, read(t, "id,status", "1,"+word).Employments[0].Status, word)
	}
	for word, want := range map[string]bool{"": false, "yes": true, "YES": true, "true": true, "no": false, "No": false, "false": false} {
		require.Equal(t, want, read(t, "id,Terminated for cause", "1,"+word).Employments[0].ForCause, word)
	}
	r := read(t, "id,Garden Leave,status,for_cause", "1,2026-11-30,active,no")
	require.Equal(t, schema.Date{Year: 2026, Month: 11, Day: 30}, r.Employments[0].GardenLeaveFrom)
	require.Equal(t, []string{"for_cause", "garden_leave_from", "status"}, r.Fields)
	require.Empty(t, read(t, "id,email", "1,").Employments[0].Status)

	r = roster.ReadCSV([]byte("id,status,for_cause,garden_leave_from\n1,pending,maybe,46000\n2,Full-Time,1,01.02.2026\n3,activ,y,2026-02-30"))
	require.Len(t, r.Problems, 9)
	for i, want := range []string{"garden_leave_from", "status", "for_cause"} {
		require.Contains(t, r.Problems[i].Where, want)
	}
	require.Contains(t, r.Problems[1].Fix, "active, on_leave (or leave), ended (or terminated, inactive)")
	require.Contains(t, r.Problems[0].Fix, "serial number")
}

// TestOrderOfDays: a record may hold the last day of the time before, if it says
// that the person is there again.
func TestOrderOfDays(t *testing.T) {
	t.Parallel()
	header := "id,hire_date,last_working_day,terminated_on,garden_leave_from,status"
	for row, ok := range map[string]bool{
		"1,2026-02-02,2026-01-01,,,active":           true,
		"1,2026-02-02,2026-01-01,,,":                 false,
		"1,2026-02-02,2026-01-01,,,ended":            false,
		"1,2026-02-02,2026-02-02,,,":                 true,
		"1,,2026-01-31,2026-03-31,2026-02-01,active": true,
		"1,,,2026-03-31,2026-04-01,":                 false,
	} {
		r := roster.ReadCSV([]byte(header + "\n" + row))
		require.Equal(t, ok, len(r.Problems) == 0, row)
	}
}

func TestFaultsAllAtOnce(t *testing.T) {
	t.Parallel()
	r := roster.ReadCSV([]byte(strings.Join([]string{
		"external_id,email,kind,hire_date,last_working_day,time_zone",
		"1,not an address,intern,03/04/2026,45000,CEST",
		",a@example.com,,2026-01-01T00:00:00Z,,",
		"1,b@example.com,,2026-02-02,2026-01-01,",
		"2,c@example.com",
		"3,\xffx@example.com,,,,",
		`4,"a"b,,,,`,
		"5,d@example.com,,1066-10-14,,Local",
		"6,e@example.com,\x00,,,",
	}, "\n")))
	require.Empty(t, r.Employments)
	got := []string{}
	for _, p := range r.Problems {
		require.NotEmpty(t, p.Fix)
		require.NotContains(t, p.Message+p.Fix, "not an address")
		require.NotContains(t, p.Message+p.Fix, "1066")
		got = append(got, p.Where+" "+p.Code)
	}
	require.ElementsMatch(t, []string{
		"line 2, column 2 (email) email_syntax", "line 2, column 3 (kind) unknown_kind", "line 2, column 4 (hire_date) date_syntax",
		"line 2, column 5 (last_working_day) date_syntax", "line 2, column 6 (time_zone) zone",
		"line 3, column 4 (hire_date) date_syntax", "line 3, column 1 (external_id) required",
		"line 4, column 4 (hire_date) dates_order", "line 4, column 1 (external_id) duplicate",
		"line 5 columns", "line 6, column 2 (email) encoding", "line 7, character 5 quotes",
		"line 8, column 4 (hire_date) date_range", "line 8, column 6 (time_zone) zone", "line 9, column 3 (kind) control_character",
	}, got)
}

func TestRefusedFiles(t *testing.T) {
	t.Parallel()
	for text, code := range map[string]string{
		"":                                 "empty",
		"external_id\n":                    "empty",
		"name\nAda":                        "column_missing",
		"external_id,id\n1,2":              "column_twice",
		"\xff\xfee\x00":                    "encoding",
		"external_id,na\xffme\n1,2":        "encoding",
		strings.Repeat("x", 64<<20) + "xx": "too_big",
		"external_id\n" + strings.Repeat("1\n", roster.MaxRows+1): "duplicate",
	} {
		r := roster.ReadCSV([]byte(text))
		require.NotEmpty(t, r.Problems, code)
		require.Equal(t, code, r.Problems[0].Code)
		require.LessOrEqual(t, len(r.Problems), 501)
	}
}

func TestReadRows(t *testing.T) {
	t.Parallel()
	r := roster.ReadRows([]map[roster.Column]string{{roster.ExternalID: " 1 ", roster.Email: "ÄDA@Example.com"}, {roster.ExternalID: "2", roster.Department: "R&D"}})
	require.Empty(t, r.Problems)
	require.Equal(t, "äda@example.com", r.Employments[0].Email)
	require.Equal(t, []string{"department", "email"}, r.Fields)
	r = roster.ReadRows([]map[roster.Column]string{{roster.ExternalID: "1", roster.HireDate: "soon"}, {}})
	require.Equal(t, "employments[0].hire_date", r.Problems[0].Where)
	require.Equal(t, "employments[1].external_id", r.Problems[1].Where)
	require.NotEmpty(t, roster.ReadRows(nil).Problems)
}

// FuzzReadCSV: whatever a file holds, it is read whole or refused with places,
// and what is read can be kept.
func FuzzReadCSV(f *testing.F) {
	for _, seed := range []string{
		"external_id,email\n1,a@example.com\n", "id;name\r\n1;\"a\nb\"\r\n", "external_id\t#\n\"1", "\ufeffexternal_id\n1\n1\n", "a,b\n", "external_id,manager\n1,x@\n", "id,status,for_cause,garden_leave_from,hire_date,last_day\n1,On leave,YES,2026-11-30,2027-01-01,2026-01-01\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r := roster.ReadCSV(text)
		if len(r.Problems) > 0 {
			require.Empty(t, r.Employments)
			for _, p := range r.Problems {
				require.NotEmpty(t, p.Where)
				require.NotEmpty(t, p.Fix)
			}
			return
		}
		require.NotEmpty(t, r.Employments)
		ids := map[string]bool{}
		for _, e := range r.Employments {
			require.NotEmpty(t, e.ExternalID)
			require.False(t, ids[e.ExternalID])
			ids[e.ExternalID] = true
			require.Equal(t, strings.ToLower(e.Email), e.Email)
			for _, s := range []string{e.ExternalID, e.Name, e.Department, e.Manager, e.LeaveReason} {
				require.Equal(t, strings.ToValidUTF8(s, ""), s)
				require.NotContains(t, s, "\x00")
			}
		}
	})
}
