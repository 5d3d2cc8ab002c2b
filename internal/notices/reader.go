package notices

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"

	"sendoff/schema"
)

// MaxBytes is the size of the largest file of rules, in bytes.
const MaxBytes = 64 << 10

const maxDepth = 8 // the rules need four levels

// Report is what reading a file found. Rules with errors are not usable; those
// with warnings alone are.
type Report struct {
	Errors   []schema.Problem
	Warnings []schema.Problem
}

// Err is nil for a report without errors, else a schema.Error with CodeInvalid
// and every one of them.
func (r Report) Err() error {
	if len(r.Errors) == 0 {
		return nil
	}
	return &schema.Error{Code: schema.CodeInvalid, Message: "the rules of notices are not usable", Problems: r.Errors}
}

// found is a problem and where it stands.
type found struct {
	line, column int
	problem      schema.Problem
}

// reader walks the nodes of one file and notes what is wrong with them.
type reader struct {
	file             string
	errors, warnings []found
}

func (r *reader) at(n *yaml.Node, path, code, message, fix string) found {
	where := r.file
	if n.Line > 0 {
		where += fmt.Sprintf(" line %d, column %d", n.Line, n.Column)
	}
	if path != "" {
		where += " (" + path + ")"
	}
	return found{n.Line, n.Column, schema.Problem{Where: strings.TrimSpace(where), Code: code, Message: message, Fix: fix}}
}

func (r *reader) fault(n *yaml.Node, path, code, message, fix string) {
	r.errors = append(r.errors, r.at(n, path, code, message, fix))
}

func (r *reader) warn(n *yaml.Node, path, code, message, fix string) {
	r.warnings = append(r.warnings, r.at(n, path, code, message, fix))
}

// report returns what was found, in the order of the file.
func (r *reader) report() Report {
	return Report{Errors: inOrder(r.errors), Warnings: inOrder(r.warnings)}
}

func inOrder(list []found) []schema.Problem {
	slices.SortStableFunc(list, func(a, b found) int { return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column)) })
	var out []schema.Problem
	for _, f := range list {
		out = append(out, f.problem)
	}
	return out
}

// load returns the file's one document, or nil when there is none to read.
func (r *reader) load(source []byte) *yaml.Node {
	none := &yaml.Node{}
	if len(source) > MaxBytes {
		r.fault(none, "", "too_large", "the file is larger than 64 KiB", "rules are a few dozen lines; check the path")
		return nil
	}
	l, err := yaml.NewLoader(bytes.NewReader(source), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxDepth))))
	if err != nil {
		r.fault(none, "", "internal", "the reader cannot be made", "report this")
		return nil
	}
	var root, more yaml.Node
	switch err := l.Load(&root); {
	case errors.Is(err, io.EOF):
		r.fault(none, "", "empty", "the file is empty", "begin with: apiVersion: "+APIVersion)
		return nil
	case err != nil:
		r.syntax(err)
		return nil
	}
	if err := l.Load(&more); !errors.Is(err, io.EOF) {
		r.fault(&more, "", "documents", "the file has more than one document", "there is one set of rules: write it as one document")
		return nil
	}
	top := &root
	if root.Kind == yaml.DocumentNode && len(root.Content) == 1 {
		top = root.Content[0]
	}
	if r.aliases(top); len(r.errors) > 0 {
		return nil
	}
	return top
}

// aliases refuses them: what a file says must stand where it is said.
func (r *reader) aliases(n *yaml.Node) {
	if n.Kind == yaml.AliasNode {
		r.fault(n, "", "alias", "an alias stands for another part of the file", "write that part out")
		return
	}
	for _, c := range n.Content {
		r.aliases(c)
	}
}

// syntax reports what is not YAML. The library's text may repeat the file's, so
// its place alone is kept.
func (r *reader) syntax(err error) {
	at := yaml.Node{}
	var e *yaml.LoadError
	if errors.As(err, &e) {
		at.Line, at.Column = e.Mark.Line, e.Mark.Column
	}
	r.fault(&at, "", "yaml", "this is not YAML, or nests too deep", "check indentation, quotes and colons")
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
		switch {
		case !isText(key) || !slices.Contains(allowed, key.Value):
			r.fault(key, path, "unknown_member", "the member "+quoted(key.Value)+" is unknown", "use one of: "+strings.Join(allowed, ", "))
		case members[key.Value] != nil:
			r.fault(key, under(path, key.Value), "duplicate", "the member stands twice", "keep one of them")
		default:
			members[key.Value] = value
		}
	}
	return members
}

// need returns a member that must be there.
func (r *reader) need(n *yaml.Node, m map[string]*yaml.Node, path, member, fix string) *yaml.Node {
	if m[member] == nil {
		r.fault(n, under(path, member), "required", "the member is missing", fix)
	}
	return m[member]
}

// items returns what a list of at most so many entries holds.
func (r *reader) items(n *yaml.Node, path string, most int) []*yaml.Node {
	switch {
	case n.Kind != yaml.SequenceNode:
		r.fault(n, path, "type", "this is not a list", "write each entry on a line that begins with a dash")
	case len(n.Content) > most:
		r.fault(n, path, "too_many", "the list has "+strconv.Itoa(len(n.Content))+" entries", "keep at most "+strconv.Itoa(most))
	default:
		return n.Content
	}
	return nil
}

func isText(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str" }

// choice returns one of the texts allowed, "" for another.
func (r *reader) choice(n *yaml.Node, path string, allowed ...string) string {
	if !isText(n) || !slices.Contains(allowed, n.Value) {
		r.fault(n, path, "unknown_value", "the value is not one of those there are", "write one of: "+strings.Join(allowed, ", "))
		return ""
	}
	return n.Value
}

// text returns a text of at most so many characters, with line breaks and tabs as
// its only control characters.
func (r *reader) text(n *yaml.Node, path string, longest int) (string, bool) {
	switch {
	case !isText(n):
		r.fault(n, path, "type", "this is not a text", "write a text; put quotes around one that looks like a number, a date or a truth value")
	case strings.TrimSpace(n.Value) == "":
		r.fault(n, path, "empty", "the text is empty", "write one, or leave the member out for the built-in text")
	case utf8.RuneCountInString(n.Value) > longest:
		r.fault(n, path, "too_long", "longer than "+strconv.Itoa(longest)+" characters", "shorten it")
	case strings.ContainsFunc(n.Value, func(c rune) bool { return unicode.IsControl(c) && c != '\n' && c != '\t' }):
		r.fault(n, path, "control_character", "holds control characters", "write it as plain text")
	default:
		return strings.TrimSpace(n.Value), true
	}
	return "", false
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
