package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"sendoff/schema"
)

// note writes a line to stderr. A closed stderr is nobody's to hear of.
func (in *invocation) note(format string, args ...any) {
	_, _ = fmt.Fprintf(in.stderr, format+"\n", visible(args)...)
}

// print writes a line of the result.
func (in *invocation) print(format string, args ...any) {
	_, _ = fmt.Fprintf(in.stdout, format+"\n", visible(args)...)
}

// visible are arguments as a terminal may show them: names that others chose move no
// cursor and turn nothing around. Lines stay as they end.
func visible(args []any) []any {
	out := make([]any, len(args))
	for i, arg := range args {
		out[i] = arg
		if text, ok := arg.(string); ok {
			lines := strings.Split(text, "\r\n")
			for n := range lines {
				lines[n] = schema.Visible(lines[n])
			}
			out[i] = strings.Join(lines, "\r\n")
		}
	}
	return out
}

func (in *invocation) writeJSON(v any) {
	enc := json.NewEncoder(in.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	_ = enc.Encode(v) // a closed stdout shows as SIGPIPE
}

// result writes v as JSON, or calls text.
func (in *invocation) result(v any, text func()) error {
	if in.json {
		in.writeJSON(v)
		return nil
	}
	text()
	return nil
}

// table writes rows under a header, in columns.
func (in *invocation) table(header string, rows [][]string) { writeTable(in.stdout, header, rows) }

func writeTable(out io.Writer, header string, rows [][]string) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, strings.ReplaceAll(header, "|", "\t"))
	for _, r := range rows {
		for i, cell := range r {
			r[i] = schema.VisibleLine(cmp.Or(cell, "-"))
		}
		_, _ = fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	_ = w.Flush()
}

// size renders bytes with a binary unit.
func size(bytes int64) string {
	if bytes < 1024 {
		return fmt.Sprintf("%d B", bytes)
	}
	value, unit := float64(bytes)/1024, 0
	for value >= 1024 && unit < 4 {
		value, unit = value/1024, unit+1
	}
	return fmt.Sprintf("%.1f %s", value, []string{"KiB", "MiB", "GiB", "TiB", "PiB"}[unit])
}

// at renders an instant with its zone.
func at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 MST")
}

func atOr(t *time.Time, absent string) string {
	if t == nil {
		return absent
	}
	return at(*t)
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// terminal tells whether w shows what is written to a person at once.
func (in *invocation) terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || in.getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
