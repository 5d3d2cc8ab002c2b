package bamboohr

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sendoff/schema"
)

// text is a JSON string, also where a whole number stands instead, or null.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && (b[0] == '"' || b[0] == 'n') {
		var s string
		err := json.Unmarshal(b, &s)
		*t = text(s)
		return err
	}
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	if strings.ContainsAny(n.String(), ".eE") {
		return &json.UnmarshalTypeError{Value: "number", Field: "id"}
	}
	*t = text(n)
	return nil
}

// isID tells whether a text is an employee's id: a whole number from 1.
func isID(s string) bool {
	if len(s) == 0 || len(s) > 18 || s[0] == '0' {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// byNumber orders ids by their numbers.
func byNumber(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// instant is a time in ISO 8601; zero where there is none, or none that is legible.
type instant struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (i *instant) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	i.Time = readTime(s)
	return nil
}

// readTime reads an instant, of which seconds count: other parts of the API tell
// no more.
func readTime(s string) time.Time {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() >= 1970 && t.Year() < 3000 {
			return t.UTC().Truncate(time.Second)
		}
	}
	return time.Time{}
}

// object is a JSON object, also where PHP writes an empty one as a list.
type object[T any] map[string]T

// UnmarshalJSON implements json.Unmarshaler.
func (o *object[T]) UnmarshalJSON(b []byte) error {
	if b = bytes.TrimSpace(b); len(b) > 1 && b[0] == '[' {
		if len(bytes.TrimSpace(b[1:len(b)-1])) > 0 {
			return &json.UnmarshalTypeError{Value: "array", Field: "employees"}
		}
		*o = object[T]{}
		return nil
	}
	var m map[string]T
	err := json.Unmarshal(b, &m)
	*o = m
	return err
}

// changedList is who changed.
type changedList struct {
	Latest    instant               `json:"latest"`
	Employees object[changedRecord] `json:"employees"`
}

type changedRecord struct {
	ID          text    `json:"id"`
	Action      text    `json:"action"` // Inserted, Updated or Deleted
	LastChanged instant `json:"lastChanged"`
}

func (r changedRecord) deleted() bool { return strings.EqualFold(string(r.Action), "Deleted") }

func (l changedList) check() error {
	if l.Employees == nil {
		return malformed(opChanged, "the answer lists no employees")
	}
	if len(l.Employees) > maxEmployees {
		return malformed(opChanged, "the answer lists more employees than are believed")
	}
	for id, r := range l.Employees {
		if !isID(id) || (r.ID != "" && string(r.ID) != id) {
			return malformed(opChanged, "the answer lists an employee without an id, or with two")
		}
	}
	return nil
}

// present are the first of those who were not deleted, by number.
func (l changedList) present(most int) []string {
	var ids []string
	for id, r := range l.Employees {
		if !r.deleted() {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, byNumber)
	return ids[:min(most, len(ids))]
}

// rowList are rows of employment status.
type rowList struct {
	Employees object[rowsOf] `json:"employees"`
}

type rowsOf struct {
	LastChanged instant `json:"lastChanged"`
	Rows        []row   `json:"rows"`
}

// row is a row of employment status. Of the others, comments above all, nothing
// is kept.
type row struct {
	ID     text  `json:"id"`
	Date   *text `json:"date"`
	Status *text `json:"employmentStatus"`
	Reason *text `json:"terminationReasonId"`
}

func (l rowList) check() error {
	if l.Employees == nil {
		return malformed(opRows, "the answer lists no employees")
	}
	if len(l.Employees) > maxEmployees {
		return malformed(opRows, "the answer lists more employees than are believed")
	}
	for id := range l.Employees {
		if !isID(id) {
			return malformed(opRows, "the answer lists an employee without an id")
		}
	}
	return nil
}

// told refuses rows without what makes them worth reading, which is left out where
// the key's owner may not see it, and dates that are none.
func (l rowList) told() error {
	for _, e := range l.Employees {
		for _, r := range e.Rows {
			if r.Date == nil || r.Status == nil {
				return hidden(opRows, []string{"date and status of the table employmentStatus"})
			}
			if _, err := readDate(string(*r.Date)); err != nil {
				return malformed(opRows, "a row of employmentStatus has a date that is none")
			}
		}
	}
	return nil
}

func (r row) date() schema.Date {
	if r.Date == nil {
		return schema.Date{}
	}
	d, _ := readDate(string(*r.Date))
	return d
}

func (r row) status() string { return plain(r.Status) }

func (r row) reason() string { return plain(r.Reason) }

// terminated is BambooHR's own word for an employment that is over.
func (r row) terminated() bool { return isTerminated(r.status()) }

func isTerminated(status string) bool { return strings.EqualFold(status, "Terminated") }

func plain(t *text) string {
	if t == nil {
		return ""
	}
	return strings.TrimSpace(string(*t))
}

// listPage is a page of the list of employees.
type listPage struct {
	Data []struct {
		ID text `json:"employeeId"`
	} `json:"data"`
	Meta struct {
		Page struct {
			Next *text `json:"nextCursor"`
		} `json:"page"`
	} `json:"meta"`
}

// check returns where the next page begins, "" = this is the last.
func (p listPage) check() (string, error) {
	if p.Data == nil {
		return "", malformed(opList, "the answer lists no employees")
	}
	for _, e := range p.Data {
		if !isID(string(e.ID)) {
			return "", malformed(opList, "the answer lists an employee without an id")
		}
	}
	next := plain(p.Meta.Page.Next)
	if len(next) > 2000 {
		return "", malformed(opList, "the cursor of the next page is too long")
	}
	return next, nil
}

// record is an employee by the names of fields.
type record map[string]json.RawMessage

func (r record) check(id string) error {
	got, told, err := r.text("id")
	if err != nil || !told || (id != ownRecord && got != id) {
		return malformed(opEmployee, "the answer is not about the employee that was asked for")
	}
	return nil
}

// without names the fields that the record does not tell.
func (r record) without(fields ...string) []string {
	return slices.DeleteFunc(fields, func(f string) bool { return r[f] != nil })
}

// text returns a field, null as "", and whether the record tells it.
func (r record) text(field string) (value string, told bool, err error) {
	raw, told := r[field]
	if !told {
		return "", false, nil
	}
	var t text
	if err := json.Unmarshal(raw, &t); err != nil {
		return "", true, malformed(opEmployee, "the field "+field+" is not a text")
	}
	return strings.TrimSpace(string(t)), true, nil
}

// date returns a field that is a date.
func (r record) date(field string) (d schema.Date, told bool, err error) {
	s, told, err := r.text(field)
	if err == nil {
		if d, err = readDate(s); err != nil {
			err = malformed(opEmployee, "the field "+field+" is not a date")
		}
	}
	return d, told, err
}

// readDate reads YYYY-MM-DD; nothing and 0000-00-00, which stands for nothing, are
// the zero date.
func readDate(s string) (schema.Date, error) {
	s = strings.TrimSpace(s)
	if s == "" || strings.HasPrefix(s, "0000-00-00") {
		return schema.Date{}, nil
	}
	d, err := schema.ParseDate(s)
	if err == nil && (d.Year < 1900 || d.Year > 2999) {
		err = fmt.Errorf("the year %s is not believed", strconv.Itoa(d.Year))
	}
	return d, err
}
