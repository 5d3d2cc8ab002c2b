package hooks

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"sendoff/schema"
)

const (
	// maxDepth is far beyond what anybody nests the facts of an employment in.
	maxDepth    = 32
	maxProblems = 100
)

// decode reads one JSON document strictly: UTF-8, no name twice in an object, no
// half characters. Numbers keep the text that they are written as. Each of these
// is read in several ways by others, and then who signed and who acts disagree.
func decode(body []byte) (any, []schema.Problem) {
	if !utf8.Valid(body) {
		return nil, oneProblem("body", "encoding", "the body is not UTF-8", "send UTF-8")
	}
	var whole json.RawMessage
	if err := json.Unmarshal(body, &whole); err != nil {
		where := "body"
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) && syntax.Offset > 0 {
			where = fmt.Sprintf("byte %d", syntax.Offset)
		}
		return nil, oneProblem(where, "syntax", "the body is not one JSON document", "send one JSON object")
	}
	if at, broken := halfCharacter(body); broken {
		return nil, oneProblem(fmt.Sprintf("byte %d", at+1), "encoding", "half of a character is escaped", "escape both halves of a surrogate pair, or send UTF-8")
	}
	d := decoder{in: json.NewDecoder(bytes.NewReader(body))}
	d.in.UseNumber()
	v := d.value()
	if len(d.problems) > 0 {
		return nil, d.problems
	}
	return v, nil
}

type decoder struct {
	in       *json.Decoder
	at       path // of the present value
	problems []schema.Problem
	stop     bool
}

func (d *decoder) problem(code, message, fix string) {
	if len(d.problems) < maxProblems {
		d.problems = append(d.problems, schema.Problem{Where: placeOf(d.at.String()), Code: code, Message: message, Fix: fix})
	}
}

// token is the next one; the document is known to be well formed.
func (d *decoder) token() json.Token {
	t, err := d.in.Token()
	if err != nil {
		d.stop = true
		d.problem("syntax", "the body is not one JSON document", "send one JSON object")
	}
	return t
}

func (d *decoder) value() any {
	open := d.token()
	isList := open == json.Delim('[')
	if d.stop || (!isList && open != json.Delim('{')) {
		return open
	}
	if len(d.at) >= maxDepth {
		d.stop, d.at = true, d.at[:0] // where it is deepest helps nobody
		d.problem("depth", fmt.Sprintf("it is nested deeper than %d", maxDepth), "send the facts of employments alone")
		return nil
	}
	if isList {
		return d.list()
	}
	return d.object()
}

// inside reads the value that one more step leads to.
func (d *decoder) inside(s step) any {
	outer := len(d.at)
	d.at = append(d.at, s)
	v := d.value()
	d.at = d.at[:min(outer, len(d.at))]
	return v
}

func (d *decoder) list() any {
	out := []any{}
	for !d.stop && d.in.More() {
		out = append(out, d.inside(step{element: true, index: len(out)}))
	}
	if !d.stop {
		d.token()
	}
	return out
}

func (d *decoder) object() any {
	out := map[string]any{}
	for !d.stop && d.in.More() {
		name, _ := d.token().(string)
		if _, twice := out[name]; twice {
			d.at = append(d.at, step{name: name})
			d.problem("duplicate", "the object has two members of this name", "send each once")
			d.at = d.at[:len(d.at)-1]
		}
		out[name] = d.inside(step{name: name})
	}
	if !d.stop {
		d.token()
	}
	return out
}

// halfCharacter finds an escaped surrogate without its other half, which the
// standard library would replace without a word. The text is valid JSON.
func halfCharacter(text []byte) (at int, found bool) {
	unit := func(i int) (rune, bool) {
		if i+6 > len(text) || text[i] != '\\' || text[i+1] != 'u' {
			return 0, false
		}
		n, err := strconv.ParseUint(string(text[i+2:i+6]), 16, 32)
		return rune(n), err == nil
	}
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		first, escaped := unit(i)
		switch {
		case !escaped:
			i++ // what is escaped, such as another backslash
		case !utf16.IsSurrogate(first):
			i += 5
		default:
			second, _ := unit(i + 6)
			if utf16.DecodeRune(first, second) == utf8.RuneError {
				return i, true
			}
			i += 11
		}
	}
	return 0, false
}

// scalar is the text of a value that is no object and no list.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

func oneProblem(where, code, message, fix string) []schema.Problem {
	return []schema.Problem{{Where: where, Code: code, Message: message, Fix: fix}}
}
