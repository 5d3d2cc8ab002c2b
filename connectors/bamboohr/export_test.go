package bamboohr

import (
	"encoding/json"

	"sendoff/connectors"
	"sendoff/schema"
)

// Employee reads a record and the rows of its table, for fuzzing.
func Employee(rec, rows []byte, today schema.Date) (connectors.Employee, error) {
	var r record
	if err := json.Unmarshal(rec, &r); err != nil {
		return connectors.Employee{}, malformed(opEmployee, "not JSON")
	}
	c := change{id: "7"}
	if err := r.check("7"); err != nil {
		return connectors.Employee{}, err
	}
	if err := json.Unmarshal(rows, &c.rows); err != nil {
		return connectors.Employee{}, malformed(opRows, "not JSON")
	}
	return employee(c, r, today)
}

// Changed reads the lists of what changed, for fuzzing: the ids in them.
func Changed(list, table []byte) ([]string, error) {
	var l changedList
	if err := json.Unmarshal(list, &l); err != nil {
		return nil, malformed(opChanged, "not JSON")
	}
	if err := l.check(); err != nil {
		return nil, err
	}
	var rows rowList
	if err := json.Unmarshal(table, &rows); err != nil {
		return nil, malformed(opRows, "not JSON")
	}
	if err := rows.check(); err != nil {
		return nil, err
	}
	ids := l.present(len(l.Employees))
	for id := range rows.Employees {
		ids = append(ids, id)
	}
	return ids, rows.told()
}
