package cli

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"sendoff/internal/apiclient"
	"sendoff/internal/intake"
)

// maxLeavers is how many one request may hold; the server has the same limit.
const maxLeavers = 1000

// The columns of a file of leavers. The order is free; only email is needed.
const (
	columnEmail     = "email"
	columnLastDay   = "last_day"
	columnTimeZone  = "time_zone"
	columnReceivers = "receivers"
)

// leaverReader reads a CSV of leavers and notes every fault with its place.
type leaverReader struct {
	csv      *csv.Reader
	columns  []string // by position
	defaults apiclient.Request
	first    map[string]int // line of each address
	out      asked
	problems []apiclient.Problem
}

// parseLeavers reads a CSV of leavers (RFC 4180; a byte order mark is skipped).
// It reports every fault with line and column; with any, nothing may be started.
func parseLeavers(r io.Reader, defaults apiclient.Request) (asked, []apiclient.Problem) {
	buffered := bufio.NewReader(r)
	if mark, _ := buffered.Peek(3); string(mark) == "\ufeff" {
		_, _ = buffered.Discard(3)
	}
	l := &leaverReader{csv: csv.NewReader(buffered), defaults: defaults, first: map[string]int{}}
	l.csv.FieldsPerRecord = -1 // counted here, with a better message
	if l.header() {
		l.rows()
	}
	if len(l.problems) == 0 && len(l.out.requests) == 0 {
		l.problem("file", "there is no leaver in it", "write one row for each, under the header email,last_day,time_zone,receivers")
	}
	return l.out, l.problems
}

func (l *leaverReader) problem(where, message, fix string) {
	l.problems = append(l.problems, apiclient.Problem{Where: where, Message: message, Fix: fix})
}

// cell notes a fault of a column of the present row.
func (l *leaverReader) cell(column string, message, fix string) {
	i := slices.Index(l.columns, column)
	line, _ := l.csv.FieldPos(max(i, 0))
	l.problem(fmt.Sprintf("line %d, column %d (%s)", line, i+1, column), message, fix)
}

func (l *leaverReader) header() bool {
	record, err := l.csv.Read()
	if err != nil {
		if !l.broken(err) {
			l.problem("line 1", "the file is empty", "begin it with the header email,last_day,time_zone,receivers")
		}
		return false
	}
	known := []string{columnEmail, columnLastDay, columnTimeZone, columnReceivers}
	for i, name := range record {
		name = strings.ToLower(strings.TrimSpace(name))
		where := fmt.Sprintf("line 1, column %d", i+1)
		switch {
		case strings.ContainsAny(name, ";\t") && len(record) == 1:
			l.problem(where, "the columns are not separated by commas", "save the file as CSV with commas")
		case !slices.Contains(known, name):
			l.problem(where, "the column is unknown", "use the columns "+strings.Join(known, ", "))
		case slices.Contains(l.columns, name):
			l.problem(where, "the column "+name+" is there twice", "keep one of them")
		}
		l.columns = append(l.columns, name)
	}
	if len(l.problems) == 0 && !slices.Contains(l.columns, columnEmail) {
		l.problem("line 1", "the column email is missing", "begin the file with the header email,last_day,time_zone,receivers")
	}
	return len(l.problems) == 0
}

func (l *leaverReader) rows() {
	for {
		record, err := l.csv.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			if !l.broken(err) {
				return
			}
			continue
		}
		if len(l.out.requests) == maxLeavers {
			line, _ := l.csv.FieldPos(0)
			l.problem(fmt.Sprintf("line %d", line), "the file has more than 1000 leavers", "split it")
			return
		}
		l.row(record)
	}
}

// broken notes a fault of the CSV form and tells whether reading may go on.
func (l *leaverReader) broken(err error) bool {
	var pe *csv.ParseError
	if errors.As(err, &pe) {
		l.problem(fmt.Sprintf("line %d, character %d", pe.Line, pe.Column), "the quotes are wrong", `put a field that holds a comma or a quote into quotes, and write a quote inside it as ""`)
		return true
	}
	if !errors.Is(err, io.EOF) {
		l.problem("file", "it cannot be read: "+err.Error(), "check the file")
		return true
	}
	return false
}

func (l *leaverReader) row(record []string) {
	line, _ := l.csv.FieldPos(0)
	if len(record) != len(l.columns) {
		l.problem(fmt.Sprintf("line %d", line), fmt.Sprintf("the row has %d columns, the header %d", len(record), len(l.columns)), "separate receivers by ; and put a field with a comma into quotes")
		return
	}
	values := map[string]string{}
	for i, name := range l.columns {
		if !utf8.ValidString(record[i]) {
			l.cell(name, "the text is not UTF-8", "save the file as UTF-8")
			return
		}
		values[name] = strings.TrimSpace(record[i])
	}
	r := l.defaults
	r.Email = l.email(values[columnEmail], line)
	r.EffectiveAt = l.lastDay(values[columnLastDay], values[columnTimeZone])
	if given := l.receivers(values[columnReceivers], r.Email); len(given) > 0 {
		r.Receivers = given
	}
	l.out.requests = append(l.out.requests, r)
	l.out.lines = append(l.out.lines, line)
}

func (l *leaverReader) email(s string, line int) string {
	email, err := intake.ParseAddress(s)
	if err != nil {
		l.cell(columnEmail, err.Error(), "give the address the person signs in with")
		return ""
	}
	if before, twice := l.first[email]; twice {
		l.cell(columnEmail, fmt.Sprintf("the same leaver as in line %d", before), "keep one of the rows")
	} else {
		l.first[email] = line
	}
	return email
}

// lastDay returns the instant in RFC 3339, "" for at once.
func (l *leaverReader) lastDay(day, zoneName string) string {
	var zone *time.Location
	if zoneName != "" {
		var err error
		if zone, err = intake.ParseZone(zoneName); err != nil {
			l.cell(columnTimeZone, err.Error(), "see the names at iana.org/time-zones")
			return ""
		}
	}
	if day == "" {
		return ""
	}
	t, err := intake.ParseLastDay(day, zone)
	if err != nil {
		l.cell(columnLastDay, err.Error(), "write 2026-11-30 with the time zone Europe/Berlin beside it, or leave the day empty to begin at once")
		return ""
	}
	return t.Format(time.RFC3339)
}

func (l *leaverReader) receivers(s, leaver string) []string {
	var out []string
	for _, one := range strings.FieldsFunc(s, func(r rune) bool { return r == ';' || r == ' ' }) {
		email, err := intake.ParseReceiver(one)
		switch {
		case err != nil:
			l.cell(columnReceivers, err.Error(), "separate several receivers by ;")
		case email == leaver:
			l.cell(columnReceivers, "the receiver is the leaver", "name somebody who stays")
		case !slices.Contains(out, email):
			out = append(out, email)
		}
	}
	return out
}
