package bamboohr

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"sendoff/connectors"
	"sendoff/connectors/httpx"
)

// The calls, in our words.
const (
	opEmployee = "bamboohr.read_employee"
	opList     = "bamboohr.list_employees"
	opChanged  = "bamboohr.list_changed"
	opRows     = "bamboohr.list_employment_status"
)

const (
	// maxListBytes caps the lists of what changed, which come in one piece: about
	// 60,000 employees with four rows each.
	maxListBytes = 48 << 20
	// maxRecordBytes caps what is read of one employee: many are held at a time.
	maxRecordBytes = 64 << 10
	// pageSize is well below the 2500 that the API allows.
	pageSize = 500
	// maxEmployees is how many are believed; a listing without an end stops there.
	maxEmployees = 200_000
)

// epoch is before every change.
const epoch = "1970-01-01T00:00:00Z"

func since(t time.Time) url.Values {
	at := epoch
	if !t.IsZero() {
		at = t.UTC().Format(time.RFC3339)
	}
	return url.Values{"since": {at}}
}

func (f *feed) get(ctx context.Context, op, path string, query url.Values, most int64, out any) error {
	return f.http.Do(ctx, httpx.Request{Op: op, Method: http.MethodGet, Path: "/v1" + path, Query: query, MaxBytes: most}, out)
}

// changedEmployees lists who changed since an instant; zero = ever
// (https://documentation.bamboohr.com/reference/get-changed-employee-ids).
func (f *feed) changedEmployees(ctx context.Context, from time.Time) (changedList, error) {
	var out changedList
	err := f.get(ctx, opChanged, "/employees/changed", since(from), maxListBytes, &out)
	if err == nil {
		err = out.check()
	}
	return out, err
}

// changedRows lists the rows of employment status of those who changed since an
// instant, future ones too. Who may see no employee status has no such table
// (https://documentation.bamboohr.com/reference/get-changed-employee-table-data).
func (f *feed) changedRows(ctx context.Context, from time.Time) (rowList, error) {
	var out rowList
	err := f.get(ctx, opRows, "/employees/changed/tables/employmentStatus", since(from), maxListBytes, &out)
	if connectors.KindOf(err) == connectors.NotFound {
		return out, hidden(opRows, []string{"the table employmentStatus"})
	}
	if err == nil {
		err = out.check()
	}
	return out, err
}

// everybody lists the ids of all employees, whatever their status
// (https://documentation.bamboohr.com/reference/list-employees).
func (f *feed) everybody(ctx context.Context) ([]string, error) {
	var ids []string
	seen := map[string]bool{}
	for cursor := ""; ; {
		query := url.Values{"page[limit]": {strconv.Itoa(pageSize)}}
		if cursor != "" {
			query.Set("page[after]", cursor)
		}
		var page listPage
		if err := f.get(ctx, opList, "/employees", query, 0, &page); err != nil {
			return nil, err
		}
		next, err := page.check()
		if err != nil {
			return nil, err
		}
		for _, e := range page.Data {
			ids = append(ids, string(e.ID))
		}
		switch {
		case next == "":
			return ids, nil
		case seen[next] || len(ids) > maxEmployees:
			return nil, malformed(opList, "the listing does not come to an end")
		}
		seen[next], cursor = true, next
	}
}

// asked are the fields that are read of an employee: the documents' names
// (https://documentation.bamboohr.com/docs/list-of-field-names).
func asked() string {
	return strings.Join([]string{
		"firstName", "lastName", "displayName", "workEmail", "employeeNumber", "status", "hireDate", "terminationDate",
		"employmentHistoryStatus", "department", "location", "supervisorEId", "lastChanged",
	}, ",")
}

// readRecord reads an employee, with what is dated ahead
// (https://documentation.bamboohr.com/reference/get-employee).
func (f *feed) readRecord(ctx context.Context, id string) (record, error) {
	var out record
	query := url.Values{"fields": {asked()}, "onlyCurrent": {"false"}}
	if err := f.get(ctx, opEmployee, "/employees/"+id, query, maxRecordBytes, &out); err != nil {
		return nil, err
	}
	return out, out.check(id)
}

// explain says what a refusal means here. Bodies are mostly empty, and the header
// that has words (X-BambooHR-Error-Message) may name people: it is not kept.
func explain(e *connectors.Error, header http.Header, _ []byte) {
	e.RequestID = plainWord(header.Get("X-Request-Id"))
	switch e.Kind {
	case connectors.Unauthorized:
		e.Detail = "the API key is not accepted: it is wrong, or was deleted, or its owner is disabled"
	case connectors.Forbidden:
		e.Detail = "the owner of the API key may not read this"
	case connectors.NotFound:
		e.Detail = "there is no such record, or the base URL names no company"
	}
}

func plainWord(s string) string {
	if len(s) > 64 {
		return ""
	}
	for _, r := range s {
		if r > 'z' || !('a' <= r || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_.-", r)) {
			return ""
		}
	}
	return s
}

func malformed(op, detail string) error {
	return &connectors.Error{Kind: connectors.Malformed, Op: op, Sent: true, Detail: detail}
}
