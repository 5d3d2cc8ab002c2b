package web

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"sendoff/schema"
)

const csvType = "text/csv; charset=utf-8; header=present"

// csvText is a text as a cell of a CSV file that a spreadsheet may open: one that
// it could take for a formula gets an apostrophe in front. OWASP names the first
// characters that do it (https://owasp.org/www-community/attacks/CSV_Injection);
// spreadsheets skip blanks, and take the full-width forms for the same.
func csvText(s string) string {
	first := strings.TrimLeftFunc(s, func(r rune) bool {
		return r != '\t' && r != '\r' && r != '\n' && (unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || unicode.IsControl(r))
	})
	if first == "" {
		return s
	}
	if strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(first)[0]) {
		return "'" + s
	}
	return s
}

// csvInt and csvDecimal are numbers, which stay numbers.
func csvInt(n int64) string { return strconv.FormatInt(n, 10) }

// csvShare is a part of a whole as a decimal with four digits; "" of nothing.
func csvShare(part, whole int64) string {
	if whole == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(part)/float64(whole), 'f', 4, 64)
}

// csvTime is an instant in UTC; "" for none.
func csvTime(t time.Time) string { return schema.FormatInstant(t) }

func csvBool(b bool) string { return strconv.FormatBool(b) }

// csvTable writes a table (RFC 4180): UTF-8, a header, CRLF. Cells are already what
// csvText and its kin make of them.
type csvTable struct {
	w       *csv.Writer
	columns int
}

func newCSVTable(w io.Writer, header ...string) (*csvTable, error) {
	t := &csvTable{w: csv.NewWriter(w), columns: len(header)}
	t.w.UseCRLF = true
	return t, t.w.Write(header)
}

// row writes one row; what is missing at its end is empty.
func (t *csvTable) row(cells ...string) error {
	for len(cells) < t.columns {
		cells = append(cells, "")
	}
	return t.w.Write(cells)
}

func (t *csvTable) flush() error {
	t.w.Flush()
	return t.w.Error()
}

// ageColumns stand at the end of every row of a report: when it was made, how old
// what it is told from is, and what its grades are proven by.
func ageColumns() []string {
	return []string{"report_at", "accounts_as_of", "accounts_state", "activity_as_of", "activity_state", "covered_from", "covered_to", "stale"}
}

// ageCells are the values of ageColumns for one connection.
func ageCells(h schema.ReportHead, c schema.ConnectionID) []string {
	cells := make([]string, len(ageColumns()))
	cells[0] = csvTime(h.At)
	stale := false
	for _, d := range h.Datasets {
		if d.ConnectionID != c {
			continue
		}
		stale = stale || d.Stale
		switch d.Dataset {
		case schema.DataAccounts:
			cells[1], cells[2] = csvTime(d.AsOf), string(d.State)
		case schema.DataActivity:
			cells[3], cells[4] = csvTime(d.AsOf), string(d.State)
		}
	}
	covered := h.Of(c).Covered
	cells[5], cells[6], cells[7] = csvTime(covered.From), csvTime(covered.To), csvBool(stale)
	return cells
}
