package hooks

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"

	"sendoff/internal/roster"
	"sendoff/schema"
)

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// rowPlace matches how the roster names a row, and a column of one.
var rowPlace = regexp.MustCompile(`employments\[(\d+)\](?:\.([a-z_]+))?`)

// inBody turns the places of a roster's problems into those of the body.
func (r *reader) inBody(problems []schema.Problem, places []string) []schema.Problem {
	translate := func(text string) string {
		return rowPlace.ReplaceAllStringFunc(text, func(match string) string {
			parts := rowPlace.FindStringSubmatch(match)
			i, err := strconv.Atoi(parts[1])
			if err != nil || i >= len(places) {
				return match
			}
			if parts[2] == "" {
				return placeOf(places[i])
			}
			return below(places[i], cmp.Or(r.mapping.Fields[parts[2]], parts[2]))
		})
	}
	out := slices.Clone(problems)
	for i, p := range out {
		out[i].Where, out[i].Message = translate(p.Where), translate(p.Message)
		if p.Where == "file" {
			out[i].Where = "body"
		}
	}
	return out
}

// isDate tells whether a column holds a day.
func isDate(column string) bool {
	switch roster.Column(column) {
	case roster.HireDate, roster.LastWorkingDay, roster.TerminatedOn, roster.GardenLeaveFrom:
		return true
	}
	return false
}

// readDate writes a day of one of the layouts as YYYY-MM-DD: the day that the text
// says, in whatever zone it says it. What fits none stays as it is.
func readDate(text string, layouts []string) string {
	if _, err := time.Parse(time.DateOnly, text); err == nil {
		return text
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t.Format(time.DateOnly)
		}
	}
	return text
}
