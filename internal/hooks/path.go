package hooks

import (
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"
)

const (
	maxPath  = 500 // bytes
	maxSteps = 32
	maxIndex = 9999
)

// step is one step into a JSON value: a member of an object, or with name empty
// and element set an element of a list.
type step struct {
	name    string
	element bool
	index   int
}

// path leads to a value within a JSON value; the empty path is the value itself.
type path []step

var errPath = errors.New(`a path is names with dots between them, [0] for an element of a list and ["a.b"] for a name with other characters`)

// parsePath reads a path such as employee.dates[0].end or data["Employee #"].
func parsePath(text string) (path, error) {
	if text == "" || len(text) > maxPath {
		return nil, errPath
	}
	var out path
	for rest := text; rest != ""; {
		var (
			s   step
			err error
		)
		switch {
		case rest[0] == '[':
			s, rest, err = parseBracket(rest[1:])
		case len(out) == 0:
			s, rest, err = parseName(rest)
		case rest[0] == '.':
			s, rest, err = parseName(rest[1:])
		default:
			err = errPath
		}
		if out = append(out, s); err != nil || len(out) > maxSteps {
			return nil, errPath
		}
	}
	return out, nil
}

func parseName(text string) (step, string, error) {
	end := strings.IndexAny(text, ".[]\"")
	if end < 0 {
		end = len(text)
	}
	if end == 0 || strings.TrimSpace(text[:end]) != text[:end] {
		return step{}, "", errPath
	}
	return step{name: text[:end]}, text[end:], nil
}

// parseBracket reads what stands after an opening bracket.
func parseBracket(text string) (step, string, error) {
	if strings.HasPrefix(text, `"`) {
		in := json.NewDecoder(strings.NewReader(text))
		var name string
		if in.Decode(&name) != nil || name == "" {
			return step{}, "", errPath
		}
		rest, closed := strings.CutPrefix(text[in.InputOffset():], "]")
		if !closed {
			return step{}, "", errPath
		}
		return step{name: name}, rest, nil
	}
	digits, rest, closed := strings.Cut(text, "]")
	n, err := strconv.Atoi(digits)
	if !closed || err != nil || n < 0 || n > maxIndex || strconv.Itoa(n) != digits {
		return step{}, "", errPath
	}
	return step{element: true, index: n}, rest, nil
}

// find follows the path. What is not there is not found; below a null all is null;
// anything else in the way is a fault.
func (p path) find(v any) (found any, ok bool, fault string) {
	for _, s := range p {
		switch in := v.(type) {
		case nil:
			return nil, true, ""
		case map[string]any:
			if s.element {
				return nil, false, "it leads to an element of an object"
			}
			if v, ok = in[s.name]; !ok {
				return nil, false, ""
			}
		case []any:
			if !s.element {
				return nil, false, "it leads to a member of a list"
			}
			if s.index >= len(in) {
				return nil, false, ""
			}
			v = in[s.index]
		default:
			return nil, false, "it leads into a value that is no object and no list"
		}
	}
	return v, true, ""
}

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// maxShown bounds how much of a foreign name is shown, in bytes.
const maxShown = 60

// String writes the path as parsePath reads it; long names are cut.
func (p path) String() string {
	var b strings.Builder
	for _, s := range p {
		switch {
		case s.element:
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		case plainName.MatchString(s.name) && len(s.name) <= maxShown:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(s.name)
		default:
			b.WriteString("[" + quoteName(s.name) + "]")
		}
	}
	return b.String()
}

func quoteName(name string) string {
	if len(name) > maxShown {
		name = strings.ToValidUTF8(name[:maxShown], "") + "..."
	}
	quoted, _ := json.Marshal(name) // text can always be written
	return string(quoted)
}

// placeOf is a path as the place of a problem.
func placeOf(at string) string {
	if at == "" {
		return "body"
	}
	return at
}

// below is the path of what a path leads to from another.
func below(at, text string) string {
	if at == "" || text == "" || strings.HasPrefix(text, "[") {
		return at + text
	}
	return at + "." + text
}

func element(at string, i int) string { return at + "[" + strconv.Itoa(i) + "]" }
