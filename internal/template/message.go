package template

import (
	"regexp"
	"slices"
	"strings"
)

// Values are what a message's placeholders stand for.
type Values struct {
	Case       string // the case's id
	Plan       string // the plan's id
	Step       string // the step's number, from 0 as in the API
	Account    string // the vendor's id of the account
	Connection string // the connection's name
}

// Placeholders lists what may stand in a message: ids and the connection's name,
// and nothing that names a person.
func Placeholders() []string {
	return []string{"{{case}}", "{{plan}}", "{{step}}", "{{account}}", "{{connection}}"}
}

// Render puts the values into a message. What they hold is not looked into again.
func Render(message string, v Values) string {
	return strings.NewReplacer(
		"{{case}}", v.Case, "{{plan}}", v.Plan, "{{step}}", v.Step, "{{account}}", v.Account, "{{connection}}", v.Connection,
	).Replace(message)
}

// placeholder is anything that looks like one, also when it does not end.
var placeholder = regexp.MustCompile(`\{\{[^{}\n]*(\}\})?`)

// strangers returns the placeholders of a message that nothing stands for, each
// once.
func strangers(message string) []string {
	var out []string
	for _, p := range placeholder.FindAllString(message, -1) {
		if !slices.Contains(Placeholders(), p) && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}
