package template

import (
	"regexp"
	"slices"
)

// Placeholders lists what may stand in a message: ids and the connection's name,
// and nothing that names a person.
func Placeholders() []string {
	return []string{"{{case}}", "{{plan}}", "{{step}}", "{{account}}", "{{connection}}"}
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
