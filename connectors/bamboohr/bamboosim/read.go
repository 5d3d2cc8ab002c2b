package bamboosim

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

type obj = map[string]any

// asked returns the employee that the path names; otherwise it has answered.
func (q *request) asked() *employee {
	id := q.path("id")
	if id == "0" {
		if q.switches.OwnerWithoutRecord || len(q.employees) == 0 {
			q.refuse(http.StatusNotFound, "")
			return nil
		}
		return q.roll()[0]
	}
	if slices.Contains(q.switches.HiddenEmployees, id) {
		q.refuse(http.StatusForbidden, "")
		return nil
	}
	e, err := q.find(id)
	if err != nil {
		q.refuse(http.StatusNotFound, "")
		return nil
	}
	return e
}

func (q *request) getEmployee() {
	e := q.asked()
	if e == nil {
		return
	}
	names := "firstName,lastName"
	if given := q.param("fields"); given != "" {
		names = given
	}
	list := strings.Split(names, ",")
	if len(list) > 400 {
		q.refuse(http.StatusBadRequest, "too many fields")
		return
	}
	body := obj{"id": e.ID()}
	for _, alias := range list {
		if slices.Contains(q.switches.MissingFields, alias) {
			continue
		}
		if v, known := q.value(e, alias, q.param("onlyCurrent") == "false"); known {
			body[alias] = v
		}
	}
	q.call.JSON(http.StatusOK, body)
}

const (
	defaultPage = 250
	maxPage     = 2500
)

func (q *request) listEmployees() {
	if q.switches.ListForOAuth {
		q.refuse(http.StatusUnauthorized, "")
		return
	}
	limit := defaultPage
	if given := q.param("page[limit]"); given != "" {
		n, err := strconv.Atoi(given)
		if err != nil || n < 1 || n > maxPage {
			q.badList("BadRequest", "page[limit] is out of range")
			return
		}
		limit = n
	}
	after := 0
	if cursor := q.param("page[after]"); cursor != "" {
		raw, err := base64.RawURLEncoding.DecodeString(cursor)
		if after, _ = strconv.Atoi(string(raw)); err != nil || after == 0 {
			q.badList("BadPage", "the cursor is malformed")
			return
		}
	}
	data, total, next := []obj{}, 0, any(nil)
	for _, e := range q.roll() {
		if e.deleted {
			continue
		}
		if total++; e.id <= after {
			continue
		}
		if len(data) == limit {
			next = cursorAfter(data)
			continue
		}
		data = append(data, q.listed(e))
	}
	q.call.JSON(http.StatusOK, obj{
		"data": data, "meta": obj{"total": total, "page": obj{"limit": limit, "nextCursor": next, "prevCursor": nil}},
		"_links": obj{"self": obj{"href": q.call.Request.URL.String()}},
	})
}

func cursorAfter(data []obj) string {
	id, _ := data[len(data)-1]["employeeId"].(string)
	return base64.RawURLEncoding.EncodeToString([]byte(id))
}

func (q *request) badList(code, message string) {
	q.call.JSON(http.StatusBadRequest, obj{"error": obj{"code": code, "message": message}})
}

func (q *request) listed(e *employee) obj {
	return obj{
		"employeeId": e.ID(), "firstName": e.first, "lastName": e.last, "preferredName": nil, "photoUrl": nil,
		"jobTitleName": e.jobTitle, "status": activeWord(e.active(q.today())), "_restrictedFields": []string{},
	}
}

// since reads the parameter; false = it has answered.
func (q *request) since() (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, q.param("since"))
	if err != nil {
		q.refuse(http.StatusBadRequest, "since is missing or no date")
		return t, false
	}
	return t.UTC(), true
}

func (q *request) changedSince(at, since time.Time) bool {
	return at.After(since) || at.Equal(since) && !q.switches.SinceExclusive
}

func (q *request) listChanged() {
	since, ok := q.since()
	if !ok {
		return
	}
	kind := q.param("type")
	if !slices.Contains([]string{"", "all", "inserted", "updated", "deleted"}, kind) {
		q.refuse(http.StatusBadRequest, "type is invalid")
		return
	}
	latest := time.Time{}
	found := obj{}
	for _, e := range q.roll() {
		action := "Updated"
		switch {
		case e.deleted:
			action = "Deleted"
		case q.changedSince(e.inserted, since):
			action = "Inserted"
		}
		if !q.changedSince(e.changed, since) || kind != "" && kind != "all" && !strings.EqualFold(kind, action) {
			continue
		}
		found[e.ID()] = obj{"id": e.ID(), "action": action, "lastChanged": stamp(e.changed)}
		if e.changed.After(latest) {
			latest = e.changed
		}
	}
	if latest.IsZero() {
		latest = since
		if q.switches.LatestWhenEmpty == "now" {
			latest = q.now()
		}
	}
	q.call.JSON(http.StatusOK, obj{"latest": stamp(latest), "employees": q.mapOf(found)})
}

// mapOf is a map as PHP writes it: one without members is a list.
func (q *request) mapOf(found obj) any {
	if len(found) == 0 && !q.switches.EmptyObject {
		return []any{}
	}
	return found
}

const statusTable = "employmentStatus"

// seesTable tells whether there is such a table for the key's owner; otherwise it
// has answered.
func (q *request) seesTable() bool {
	if q.path("table") != statusTable || q.switches.NoTable {
		q.refuse(http.StatusNotFound, "")
		return false
	}
	return true
}

func (q *request) changedTable() {
	since, ok := q.since()
	if !ok || !q.seesTable() {
		return
	}
	found := obj{}
	for _, e := range q.roll() {
		if !e.deleted && q.changedSince(e.tabled, since) {
			found[e.ID()] = obj{"lastChanged": stamp(e.tabled), "rows": q.rowsOf(e, false)}
		}
	}
	q.call.JSON(http.StatusOK, obj{"table": statusTable, "employees": q.mapOf(found)})
}

func (q *request) getTable() {
	if !q.seesTable() {
		return
	}
	if q.path("id") == "all" {
		rows := []obj{}
		for _, e := range q.roll() {
			if !e.deleted {
				rows = append(rows, q.rowsOf(e, true)...)
			}
		}
		q.call.JSON(http.StatusOK, rows)
		return
	}
	if e := q.asked(); e != nil {
		q.call.JSON(http.StatusOK, q.rowsOf(e, true))
	}
}

// rowsOf are the rows of an employee, in no particular order.
func (q *request) rowsOf(e *employee, named bool) []obj {
	rows := []obj{}
	for _, r := range slices.Backward(e.rows) {
		row := obj{
			"id": strconv.Itoa(r.id), "date": date(r.date), "employmentStatus": r.status, "comment": "",
			"terminationReasonId": nullable(r.reason), "terminationTypeId": nullable(r.typ), "terminationRehireId": nil,
		}
		if named {
			row["employeeId"] = e.ID()
		}
		rows = append(rows, row)
	}
	return rows
}

func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (q *request) directory() {
	people := []obj{}
	for _, e := range q.roll() {
		if !e.deleted && e.active(q.today()) {
			people = append(people, obj{"id": e.ID(), "displayName": e.name(), "firstName": e.first, "lastName": e.last, "workEmail": e.email, "department": e.department})
		}
	}
	q.call.JSON(http.StatusOK, obj{"fields": []obj{{"id": "displayName", "type": "text", "name": "Display name"}}, "employees": people})
}

func (q *request) metaFields() {
	out := []obj{}
	for _, f := range fields() {
		if !slices.Contains(q.switches.MissingFields, f.alias) {
			out = append(out, obj{"id": f.id, "name": f.name, "type": f.typ, "alias": f.alias})
		}
	}
	q.call.JSON(http.StatusOK, out)
}

func (q *request) metaTables() {
	q.call.JSON(http.StatusOK, []obj{{"alias": statusTable, "fields": []obj{
		{"id": 101, "name": "Date", "alias": "date", "type": "date"},
		{"id": 102, "name": "Employment Status", "alias": statusTable, "type": "list"},
	}}})
}

func (q *request) metaUsers() {
	out := obj{}
	if len(q.employees) > 0 {
		e := q.roll()[0]
		out["1"] = obj{
			"id": 1, "employeeId": e.id, "firstName": e.first, "lastName": e.last, "email": e.email, "status": "enabled",
			"lastLogin": stamp(q.now()),
		}
	}
	q.call.JSON(http.StatusOK, out)
}
