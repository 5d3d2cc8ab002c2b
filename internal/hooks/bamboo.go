package hooks

import (
	"bytes"
	"net/url"
	"strings"
	"unicode/utf8"

	"sendoff/schema"
)

// readBamboo reads a webhook of BambooHR, event-based or field-based, as JSON or as
// a form (https://documentation.bamboohr.com/docs/event-based-webhooks and
// .../field-based-webhooks, read 2026-11). It is a hint whatever it says: the
// first kind has no values, the second names them as people see them, and neither
// knows of a day to come.
func readBamboo(body []byte) (schema.HRChange, []schema.Problem) {
	hint := schema.HRChange{Kind: schema.ChangeHint}
	if start := bytes.TrimLeft(body, " \t\r\n"); len(start) > 0 && start[0] != '{' && start[0] != '[' {
		if problems := readBambooForm(body); len(problems) > 0 {
			return schema.HRChange{}, problems
		}
		return hint, nil
	}
	document, problems := decode(body)
	if len(problems) > 0 {
		return schema.HRChange{}, problems
	}
	if _, ok := memberOf(document, "employees").([]any); ok {
		return hint, nil
	}
	kind, _ := memberOf(document, "type").(string)
	if _, ok := memberOf(document, "data").(map[string]any); ok && kind != "" {
		return hint, nil
	}
	return schema.HRChange{}, notBamboo()
}

// readBambooForm reads type=..&data[employeeId]=.. or employees[5][First+name]=..
func readBambooForm(body []byte) []schema.Problem {
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return oneProblem("body", "syntax", "the body is neither JSON nor a form", "let BambooHR send JSON")
	}
	about := false
	for name, texts := range values {
		for _, text := range append(texts, name) {
			if !utf8.ValidString(text) {
				return oneProblem("body", "encoding", "the body is not UTF-8", "send UTF-8")
			}
		}
		about = about || strings.HasPrefix(name, "employees[") || strings.HasPrefix(name, "data[") && values.Get("type") != ""
	}
	if !about {
		return notBamboo()
	}
	return nil
}

func notBamboo() []schema.Problem {
	return oneProblem("body", "unknown_shape", "the body has neither type and data nor employees, as BambooHR sends them", "see whether the webhook is BambooHR's, of employees")
}
