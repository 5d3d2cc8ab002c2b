package roster

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"sendoff/schema"
)

// The limits of a roster.
const (
	MaxRows     = 200_000
	MaxBytes    = 64 << 20
	maxProblems = 500 // further faults are counted
)

// Result is what a roster was read as. With Problems nothing of it may be used.
type Result struct {
	Employments []schema.Employment
	Fields      []string // as schema.Roster has them
	Ignored     []string // headings of columns that are not read
	Problems    []schema.Problem
}

// reader notes what is wrong with a roster.
type reader struct {
	checker
	csv     *csv.Reader
	columns []Column // by position; "" = not read
	heads   []string // as they are written
}

// ReadCSV reads a roster in CSV (RFC 4180): UTF-8 with or without a byte order
// mark, any line ends, separated by commas, semicolons or tabs, which its first
// line shows. Every fault is reported with line and column.
func ReadCSV(text []byte) Result {
	r := &reader{checker: newChecker()}
	if !r.checkText(text) {
		return r.result()
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	r.csv = csv.NewReader(bytes.NewReader(text))
	r.csv.Comma = separator(text)
	r.csv.FieldsPerRecord = -1 // counted here, with a better message
	if r.header() {
		r.rows()
	}
	if len(r.out.Problems) == 0 && len(r.out.Employments) == 0 {
		r.problem("file", "empty", "there is no employment in it", "write one row for each, under a header with the column external_id")
	}
	return r.result()
}

func (r *reader) checkText(text []byte) bool {
	switch {
	case len(text) > MaxBytes:
		r.problem("file", "too_big", fmt.Sprintf("the file has %d bytes", len(text)), fmt.Sprintf("split it into files of %d bytes at most, and import them as changes", MaxBytes))
	case bytes.HasPrefix(text, []byte("\xff\xfe")), bytes.HasPrefix(text, []byte("\xfe\xff")):
		r.problem("file", "encoding", "the file is UTF-16", "save it as UTF-8")
	default:
		return true
	}
	return false
}

// separator is the one that the first line shows most of.
func separator(text []byte) rune {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	best, most := ',', bytes.Count(line, []byte(","))
	for _, c := range ";\t" {
		if n := bytes.Count(line, []byte(string(c))); n > most {
			best, most = c, n
		}
	}
	return best
}

func (r *reader) header() bool {
	record, err := r.csv.Read()
	if err != nil {
		if !r.broken(err) {
			r.problem("line 1", "empty", "the file is empty", "begin it with a header that has the column external_id")
		}
		return false
	}
	first := map[Column]int{}
	for i, heading := range record {
		where := fmt.Sprintf("line 1, column %d", i+1)
		if !utf8.ValidString(heading) {
			r.problem(where, "encoding", "the heading is not UTF-8", "save the file as UTF-8")
			heading = ""
		}
		heading = strings.TrimSpace(heading)
		c, known := columnOf(heading)
		if at, twice := first[c]; known && twice {
			r.problem(where, "column_twice", fmt.Sprintf("it means %s, as column %d does", c, at), "keep one of them")
		}
		if known {
			first[c] = i + 1
			r.told[c] = true
		} else {
			r.out.Ignored = append(r.out.Ignored, heading)
		}
		r.columns, r.heads = append(r.columns, c), append(r.heads, heading)
	}
	if !r.told[ExternalID] {
		r.problem("line 1", "column_missing", "there is no column external_id", "add the source's own id of each employment; a column id, employee_id or worker_id is taken for it")
	}
	return len(r.out.Problems) == 0
}

func (r *reader) rows() {
	for {
		record, err := r.csv.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			if !r.broken(err) {
				return
			}
			continue
		}
		line, _ := r.csv.FieldPos(0)
		if len(r.out.Employments) == MaxRows {
			r.tooMany(fmt.Sprintf("line %d", line))
			return
		}
		if len(record) != len(r.columns) {
			r.problem(fmt.Sprintf("line %d", line), "columns", fmt.Sprintf("the row has %d columns, the header %d", len(record), len(r.columns)), "put a field that holds the separator into quotes")
			continue
		}
		r.take(r.cells(record), func(c Column) string { return r.place(line, c) }, fmt.Sprintf("line %d", line))
	}
}

func (r *reader) cells(record []string) row {
	out := make(row, len(record))
	for i, c := range r.columns {
		if c != "" {
			out[c] = record[i]
		}
	}
	return out
}

// place is where a column of the present row stands.
func (r *reader) place(line int, c Column) string {
	for i, have := range r.columns {
		if have == c {
			at, _ := r.csv.FieldPos(i)
			return fmt.Sprintf("line %d, column %d (%s)", at, i+1, r.heads[i])
		}
	}
	return fmt.Sprintf("line %d", line)
}

// broken notes a fault of the CSV form and tells whether reading may go on.
func (r *reader) broken(err error) bool {
	var pe *csv.ParseError
	if !errors.As(err, &pe) {
		return false
	}
	r.problem(fmt.Sprintf("line %d, character %d", pe.Line, pe.Column), "quotes", "the quotes are wrong",
		`put a field that holds the separator, a quote or a line break into quotes, and write a quote inside it as ""`)
	return true
}
