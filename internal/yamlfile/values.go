package yamlfile

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"sendoff/internal/intake"
	"sendoff/schema"
)

// MaxLine is the length of the longest line, in characters.
const MaxLine = 200

// Longest is the longest duration that a file may say.
const Longest = 5 * 365 * 24 * time.Hour

// IsText tells whether a node is a text.
func IsText(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str" }

// Text returns a text that is not empty.
func (r *Reader) Text(n *yaml.Node, path string) (string, bool) {
	if !IsText(n) {
		r.Fault(n, path, "type", "this is not a text", "write a text; put quotes around one that looks like a number, a date or a truth value")
		return "", false
	}
	if strings.TrimSpace(n.Value) == "" {
		r.Fault(n, path, "empty", "the text is empty", "write one, or leave the member out if it may be")
		return "", false
	}
	return n.Value, true
}

// Plain returns a text of at most so many characters without control characters,
// and whether it is one; lines says whether it may have several lines.
func (r *Reader) Plain(n *yaml.Node, path string, longest int, lines bool) (string, bool) {
	s, ok := r.Text(n, path)
	if !ok {
		return "", false
	}
	if utf8.RuneCountInString(s) > longest {
		r.Fault(n, path, "too_long", "longer than "+strconv.Itoa(longest)+" characters", "shorten it")
		ok = false
	}
	if strings.ContainsFunc(s, func(c rune) bool { return unicode.IsControl(c) && (!lines || (c != '\n' && c != '\t')) }) {
		r.Fault(n, path, "control_character", "holds control characters or a line break where none may be", "write it as plain text")
		ok = false
	}
	return strings.TrimSpace(s), ok
}

// Line returns a text of one line.
func (r *Reader) Line(n *yaml.Node, path string) string {
	s, _ := r.Plain(n, path, MaxLine, false)
	return s
}

// Truth returns true or false.
func (r *Reader) Truth(n *yaml.Node, path string) bool {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" || (n.Value != "true" && n.Value != "false") {
		r.Fault(n, path, "type", "this is neither true nor false", "write true or false")
		return false
	}
	return n.Value == "true"
}

// Choice returns one of the texts allowed, "" for another.
func (r *Reader) Choice(n *yaml.Node, path string, allowed ...string) string {
	if IsText(n) && slices.Contains(allowed, n.Value) {
		return n.Value
	}
	fix := "write one of: " + strings.Join(allowed, ", ")
	if len(allowed) <= 2 {
		fix = "write " + strings.Join(allowed, " or ")
	}
	r.Fault(n, path, "unknown_value", "the value is not one of those there are", fix)
	return ""
}

// Optional is Choice of a member that may be absent: "" then.
func (r *Reader) Optional(m map[string]*yaml.Node, path, member string, allowed ...string) string {
	if m[member] == nil {
		return ""
	}
	return r.Choice(m[member], Under(path, member), allowed...)
}

// Integer returns a whole number of that range, written in digits alone: neither
// 0x10 nor 1_000.
func (r *Reader) Integer(n *yaml.Node, path string, least, most int) (int, bool) {
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!int" {
		i, err := strconv.Atoi(n.Value)
		if err == nil && i >= least && i <= most && strconv.Itoa(i) == n.Value {
			return i, true
		}
	}
	between := strconv.Itoa(least) + " to " + strconv.Itoa(most)
	r.Fault(n, path, "out_of_range", "this is not a whole number from "+between, "write a number from "+between+", without quotes")
	return 0, false
}

// Duration returns a length of at most Longest, which may be 0.
func (r *Reader) Duration(n *yaml.Node, path string) (time.Duration, bool) {
	if n.Kind != yaml.ScalarNode {
		r.Fault(n, path, "type", "this is not a duration", "write for example 30d")
		return 0, false
	}
	d, err := intake.ParseDuration(n.Value)
	switch {
	case err != nil:
		r.Fault(n, path, "duration_syntax", err.Error(), "write for example 30d")
	case d > Longest:
		r.Fault(n, path, "too_long", "the duration is longer than five years", "write 1825d at most")
	default:
		return d, true
	}
	return 0, false
}

// Instant returns an instant with its zone.
func (r *Reader) Instant(n *yaml.Node, path string) (time.Time, bool) {
	const example = "write for example 2026-12-31T18:00:00+01:00"
	if !isTime(n) {
		r.Fault(n, path, "type", "this is not an instant", example)
		return time.Time{}, false
	}
	t, err := intake.ParseInstant(n.Value)
	if err != nil {
		r.Fault(n, path, "instant_syntax", err.Error(), example)
		return time.Time{}, false
	}
	return t, true
}

// isTime: YAML sees a timestamp in what is written without quotes.
func isTime(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && (n.ShortTag() == "!!str" || n.ShortTag() == "!!timestamp")
}

// Day returns a day of the calendar.
func (r *Reader) Day(n *yaml.Node, path string) (schema.Date, bool) {
	if isTime(n) && n.Value != "" {
		if d, err := schema.ParseDate(n.Value); err == nil {
			return d, true
		}
	}
	r.Fault(n, path, "date_syntax", "this is not a day of the calendar", "write for example 2026-12-31")
	return schema.Date{}, false
}

// TimeOfDay returns HH:MM.
func (r *Reader) TimeOfDay(n *yaml.Node, path string) (schema.LocalTime, bool) {
	s, ok := r.Text(n, path)
	if !ok {
		return schema.LocalTime{}, false
	}
	t, err := schema.ParseLocalTime(s)
	if err != nil {
		r.Fault(n, path, "time_syntax", err.Error(), "write for example 18:00, in quotes")
	}
	return t, err == nil
}
