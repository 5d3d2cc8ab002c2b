package template

import (
	"fmt"
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

// reader walks the nodes of one file and notes what is wrong with them.
type reader struct {
	file   string
	now    time.Time
	report Report
	places []place // of report.Errors, for their order
	warned []place // of report.Warnings
}

type place struct{ line, column int }

// where names a place: file, line, column and the member's path.
func (r *reader) where(p place, path string) string {
	s := r.file
	if p.line > 0 {
		s += fmt.Sprintf(" line %d, column %d", p.line, p.column)
	}
	if path != "" {
		s += " (" + path + ")"
	}
	return strings.TrimSpace(s)
}

func (r *reader) fault(n *yaml.Node, path, code, message, fix string) {
	p := place{n.Line, n.Column}
	r.places = append(r.places, p)
	r.report.Errors = append(r.report.Errors, schema.Problem{Where: r.where(p, path), Code: code, Message: message, Fix: fix})
}

func (r *reader) faultAt(path, code, message, fix string) {
	r.fault(&yaml.Node{}, path, code, message, fix)
}

func (r *reader) warn(n *yaml.Node, path, code, message, fix string) {
	p := place{n.Line, n.Column}
	r.warned = append(r.warned, p)
	r.report.Warnings = append(r.report.Warnings, schema.Problem{Where: r.where(p, path), Code: code, Message: message, Fix: fix})
}

// sort puts what was found into the order of the file.
func (r *reader) sort() {
	r.report.Errors = inOrder(r.report.Errors, r.places)
	r.report.Warnings = inOrder(r.report.Warnings, r.warned)
}

func inOrder(problems []schema.Problem, at []place) []schema.Problem {
	order := make([]int, len(problems))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if at[a].line != at[b].line {
			return at[a].line - at[b].line
		}
		return at[a].column - at[b].column
	})
	var out []schema.Problem
	for _, i := range order {
		out = append(out, problems[i])
	}
	return out
}

// mapping returns the members of a mapping, nil when n is something else. Each
// key must be one of those allowed and stand once.
func (r *reader) mapping(n *yaml.Node, path string, allowed ...string) map[string]*yaml.Node {
	if n.Kind != yaml.MappingNode {
		r.fault(n, path, "type", "this is not a map of members", "write one or more of: "+strings.Join(allowed, ", "))
		return nil
	}
	members := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		_, twice := members[key.Value]
		switch {
		case !isText(key) || !slices.Contains(allowed, key.Value):
			r.fault(key, path, "unknown_member", "the member "+quoted(key.Value)+" is unknown", "use one of: "+strings.Join(allowed, ", "))
		case twice:
			r.fault(key, under(path, key.Value), "duplicate", "the member stands twice", "keep one of them")
		default:
			members[key.Value] = value
		}
	}
	return members
}

// items returns what a list of 1 to most entries holds.
func (r *reader) items(n *yaml.Node, path string, most int) []*yaml.Node {
	switch {
	case n.Kind != yaml.SequenceNode:
		r.fault(n, path, "type", "this is not a list", "write each entry on a line that begins with a dash")
		return nil
	case len(n.Content) == 0:
		r.fault(n, path, "empty", "the list is empty", "add an entry, or leave the member out if it may be")
	case len(n.Content) > most:
		r.fault(n, path, "too_many", fmt.Sprintf("the list has %d entries", len(n.Content)), fmt.Sprintf("keep at most %d", most))
		return nil
	}
	return n.Content
}

func isText(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str" }

// text returns a text that is not empty.
func (r *reader) text(n *yaml.Node, path string) (string, bool) {
	if !isText(n) {
		r.fault(n, path, "type", "this is not a text", "write a text; put quotes around one that looks like a number, a date or a truth value")
		return "", false
	}
	if strings.TrimSpace(n.Value) == "" {
		r.fault(n, path, "empty", "the text is empty", "write one, or leave the member out if it may be")
		return "", false
	}
	return n.Value, true
}

// plain returns a text of at most so many characters without control characters;
// lines says whether it may have several lines.
func (r *reader) plain(n *yaml.Node, path string, longest int, lines bool) string {
	s, ok := r.text(n, path)
	if !ok {
		return ""
	}
	if utf8.RuneCountInString(s) > longest {
		r.fault(n, path, "too_long", "longer than "+strconv.Itoa(longest)+" characters", "shorten it")
	}
	if strings.ContainsFunc(s, func(c rune) bool { return unicode.IsControl(c) && (!lines || (c != '\n' && c != '\t')) }) {
		r.fault(n, path, "control_character", "holds control characters or a line break where none may be", "write it as plain text")
	}
	return strings.TrimSpace(s)
}

// line returns a text of one line.
func (r *reader) line(n *yaml.Node, path string) string { return r.plain(n, path, maxTitle, false) }

func (r *reader) truth(n *yaml.Node, path string) bool {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" || (n.Value != "true" && n.Value != "false") {
		r.fault(n, path, "type", "this is neither true nor false", "write true or false")
		return false
	}
	return n.Value == "true"
}

// choice returns one of the texts allowed.
func (r *reader) choice(n *yaml.Node, path string, allowed ...string) string {
	if !isText(n) || !slices.Contains(allowed, n.Value) {
		r.fault(n, path, "unknown_value", "the value is not one of those there are", "write "+strings.Join(allowed, " or "))
		return ""
	}
	return n.Value
}

// duration returns a length in seconds, above 0 and up to five years.
func (r *reader) duration(n *yaml.Node, path string) int64 {
	if n.Kind != yaml.ScalarNode {
		r.fault(n, path, "type", "this is not a duration", "write for example 30d")
		return 0
	}
	d, err := intake.ParseDuration(n.Value)
	switch {
	case err != nil:
		r.fault(n, path, "duration_syntax", err.Error(), "write for example 30d")
	case d == 0:
		r.fault(n, path, "zero", "the duration is 0: nothing would be waited for", "give it a length such as 30d, or remove the step")
	case d > maxWait:
		r.fault(n, path, "too_long", "the duration is longer than five years", "write 1825d at most")
	}
	return int64(d / time.Second)
}

// until returns an instant in UTC as RFC 3339.
func (r *reader) until(n *yaml.Node, path string) string {
	// YAML sees a timestamp in what is written without quotes.
	if n.Kind != yaml.ScalarNode || (n.ShortTag() != "!!str" && n.ShortTag() != "!!timestamp") {
		r.fault(n, path, "type", "this is not an instant", "write for example 2026-12-31T18:00:00+01:00")
		return ""
	}
	t, err := intake.ParseInstant(n.Value)
	switch {
	case err != nil:
		r.fault(n, path, "instant_syntax", err.Error(), "write for example 2026-12-31T18:00:00+01:00")
		return ""
	case t.Sub(r.now) > maxWait:
		r.fault(n, path, "too_long", "the instant is more than five years away", "choose an earlier one")
	case !t.After(r.now):
		r.warn(n, path, "past", "the instant has passed: the wait ends at once", "choose a later one, or remove the step")
	}
	return t.UTC().Format(time.RFC3339)
}

// quoted shortens what somebody typed for a message.
func quoted(s string) string {
	if runes := []rune(s); len(runes) > 40 {
		s = string(runes[:40]) + "..."
	}
	return strconv.Quote(s)
}

func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func under(path, member string) string {
	if path == "" {
		return member
	}
	return path + "." + member
}
