package bamboosim_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/bamboohr/bamboosim"
	"sendoff/connectors/simkit"
)

func TestReads(t *testing.T) {
	t.Parallel()
	b := setup(t, bamboosim.Config{Employees: 10, Seed: 7})
	today := time.Now().UTC()
	future := today.AddDate(0, 0, 30).Format(time.DateOnly)
	before := today.Add(-time.Minute).Format(time.RFC3339)
	require.NoError(t, b.sim.Terminate(bamboosim.Termination{ID: "2", Date: future, Reason: "Other"}))

	const names = "/employees/2?fields=status,terminationDate,supervisorEId,displayName,nothing"
	require.Equal(t, obj{"id": "2", "status": "Active", "terminationDate": "0000-00-00", "supervisorEId": "1", "displayName": "Ada Abel"}, b.get(names))
	require.Equal(t, future, b.get(names + "&onlyCurrent=false")["terminationDate"])
	require.Equal(t, "Bo", b.get("/employees/0")["firstName"])
	changed := b.get("/employees/changed?since=" + before)
	require.Equal(t, "Updated", changed["employees"].(obj)["2"].(obj)["action"])
	table := b.get("/employees/changed/tables/employmentStatus?since=" + before)
	require.Len(t, table["employees"].(obj)["2"].(obj)["rows"], 2)
	require.Equal(t, []any{}, b.get("/employees/changed?since=2999-01-01T00:00:00Z")["employees"])
	for _, path := range []string{"/employees/2/tables/employmentStatus", "/employees/all/tables/employmentStatus", "/meta/fields", "/meta/tables"} {
		require.Equal(t, http.StatusOK, b.do(http.MethodGet, "/api/v1"+path, nil).status)
	}
	b.get("/meta/users")
	require.Len(t, b.get("/employees/directory")["employees"], 12)

	seen, cursor := 0, ""
	for range 10 {
		page := b.get("/employees?page[limit]=5" + cursor)
		seen += len(page["data"].([]any))
		next := page["meta"].(obj)["page"].(obj)["nextCursor"]
		if next == nil {
			break
		}
		cursor = "&page[after]=" + next.(string)
	}
	require.Equal(t, 12, seen)
	for path, status := range map[string]int{
		"/employees/99": 404, "/employees/changed": 400, "/employees/changed?since=x": 400, "/employees/changed?since=" + before + "&type=odd": 400,
		"/employees/changed/tables/odd?since=" + before: 404, "/employees?page[limit]=9999": 400, "/employees?page[after]=odd": 400,
	} {
		require.Equal(t, status, b.do(http.MethodGet, "/api/v1"+path, nil).status, path)
	}
	require.Equal(t, http.StatusNotFound, b.do(http.MethodGet, "/api/gateway.php/other/v1/employees/2", nil).status)
	xml := b.do(http.MethodGet, "/api/gateway.php/"+bamboosim.Company+"/v1/employees/2", nil, func(r *http.Request) { r.Header.Del("Accept") })
	require.Equal(t, "application/xml", xml.header.Get("Content-Type"))
	wrong := b.do(http.MethodGet, "/api/v1/employees/2", nil, func(r *http.Request) { r.SetBasicAuth("wrong", "x") })
	require.Equal(t, http.StatusUnauthorized, wrong.status)
	require.Empty(t, wrong.raw)
}

func TestTheDayMoves(t *testing.T) {
	t.Parallel()
	b := setup(t, bamboosim.Config{})
	day := func(n int) string { return time.Now().UTC().AddDate(0, 0, n).Format(time.DateOnly) }
	status := func() any { return b.get("/employees/2?fields=status")["status"] }
	b.control(http.StatusOK, "terminate", obj{"id": "2", "date": day(10), "reason": "Other"})
	b.control(http.StatusOK, "rehire", obj{"id": "2", "date": day(20)})
	require.Equal(t, "Active", status())
	b.control(http.StatusOK, "day", obj{"days": 10})
	require.Equal(t, "Inactive", status())
	b.control(http.StatusOK, "day", obj{"days": 10})
	require.Equal(t, "Active", status())
	b.control(http.StatusOK, "change", obj{"id": "2", "manager": "", "location": "Rome"})
	require.Nil(t, b.get("/employees/2?fields=supervisorEId")["supervisorEId"])
	b.control(http.StatusOK, "hire", obj{"id": "77", "email": "x@example.com", "first": "X", "last": "Y"})
	b.control(http.StatusOK, "terminate", obj{"id": "77"})
	b.control(http.StatusOK, "clear_termination", obj{"id": "77"})
	b.control(http.StatusOK, "delete", obj{"id": "77"})
	for name, body := range map[string]any{
		"delete": obj{"id": "77"}, "terminate": obj{"id": "2", "date": "31.12."}, "clear_termination": obj{"id": "1"}, "hire": obj{"id": "2"},
		"day": obj{"days": -1}, "deliver": obj{"id": "99", "kind": "stale"}, "switches": obj{"odd": true},
	} {
		b.control(http.StatusBadRequest, name, body)
	}
}

func TestSlowDown(t *testing.T) {
	t.Parallel()
	b := setup(t, bamboosim.Config{Rate: 2})
	for range 2 {
		b.get("/employees/2")
	}
	a := b.do(http.MethodGet, "/api/v1/employees/2", nil)
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.NotEmpty(t, a.header.Get("Retry-After"))
	require.NoError(t, b.sim.SetSwitches(bamboosim.Switches{NoRetryAfter: true}))
	require.Empty(t, b.do(http.MethodGet, "/api/v1/employees/2", nil).header.Get("Retry-After"))
	require.NoError(t, setup(t, bamboosim.Config{}).sim.AddFaults(simkit.Fault{Op: "employees.get", Action: simkit.ActionHang}))
}

func TestParsePerson(t *testing.T) {
	t.Parallel()
	p, err := bamboosim.ParsePerson("7, ada@example.com,Ada,Abel,1")
	require.NoError(t, err)
	require.Equal(t, bamboosim.Person{ID: "7", Email: "ada@example.com", First: "Ada", Last: "Abel", Manager: "1"}, p)
	_, err = bamboosim.ParsePerson(",x@example.com")
	require.NoError(t, err)
	for _, bad := range []string{"", "x", "1,2,3,4,5,6"} {
		_, err := bamboosim.ParsePerson(bad)
		require.Error(t, err, fmt.Sprintf("%q", bad))
	}
}
