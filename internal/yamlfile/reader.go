package yamlfile

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"sendoff/schema"
)

// APIVersion is that of every kind of file.
const APIVersion = "sendoff/v1"

// Report is what reading a file found. What was read is usable without errors,
// also with warnings.
type Report struct {
	Errors   []schema.Problem
	Warnings []schema.Problem
	unusable string
}

// Err is nil for a report without errors, else a schema.Error with CodeInvalid
// and every one of them.
func (r Report) Err() error {
	if len(r.Errors) == 0 {
		return nil
	}
	return &schema.Error{Code: schema.CodeInvalid, Message: cmp.Or(r.unusable, "the file is not usable"), Problems: r.Errors}
}

// found is a problem and where it stands.
type found struct {
	line, column int
	problem      schema.Problem
}

// Reader walks the nodes of one file and notes what is wrong with them.
type Reader struct {
	file, unusable   string
	source           []string // its lines
	errors, warnings []found
}

// New makes the reader of one file. Unusable is what the report of one with
// errors says, such as "the template is not usable".
func New(file, unusable string) *Reader { return &Reader{file: file, unusable: unusable} }

// Where names a place: file, line, column and the member's path.
func (r *Reader) Where(n *yaml.Node, path string) string {
	where := r.file
	if n.Line > 0 {
		where += fmt.Sprintf(" line %d, column %d", n.Line, n.Column)
	}
	if path != "" {
		where += " (" + path + ")"
	}
	return strings.TrimSpace(where)
}

func (r *Reader) at(n *yaml.Node, path, code, message, fix string) found {
	return found{n.Line, n.Column, schema.Problem{Where: r.Where(n, path), Code: code, Message: message, Fix: fix}}
}

// Fault notes an error.
func (r *Reader) Fault(n *yaml.Node, path, code, message, fix string) {
	r.errors = append(r.errors, r.at(n, path, code, message, fix))
}

// Whole notes an error of the file as a whole.
func (r *Reader) Whole(code, message, fix string) { r.Fault(&yaml.Node{}, "", code, message, fix) }

// Warn notes a warning.
func (r *Reader) Warn(n *yaml.Node, path, code, message, fix string) {
	r.warnings = append(r.warnings, r.at(n, path, code, message, fix))
}

// Faults counts the errors so far.
func (r *Reader) Faults() int { return len(r.errors) }

// Report returns what was found, in the order of the file.
func (r *Reader) Report() Report {
	return Report{Errors: inOrder(r.errors), Warnings: inOrder(r.warnings), unusable: r.unusable}
}

func inOrder(list []found) []schema.Problem {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b found) int { return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column)) })
	var out []schema.Problem
	for _, f := range list {
		out = append(out, f.problem)
	}
	return out
}

// Quoted shortens what somebody typed for a message.
func Quoted(s string) string {
	if runes := []rune(s); len(runes) > 40 {
		s = string(runes[:40]) + "..."
	}
	return strconv.Quote(s)
}

// Index is the path of an entry of a list.
func Index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// Under is the path of a member.
func Under(path, member string) string {
	if path == "" {
		return member
	}
	return path + "." + member
}
