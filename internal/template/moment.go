package template

import (
	"go.yaml.in/yaml/v4"

	"sendoff/schema"
)

// moment reads when the clock of a leaver starts. What it leaves out is as in
// schema.DefaultMoment.
func (r *reader) moment(n *yaml.Node, path string) schema.MomentRule {
	rule := schema.DefaultMoment()
	m := r.some(n, path, "starts", "at")
	if m["starts"] != nil {
		rule.Starts = schema.Starts(r.choice(m["starts"], under(path, "starts"),
			string(schema.StartsLastWorkingDay), string(schema.StartsTermination), string(schema.StartsGardenLeave), string(schema.StartsAtOnce)))
	}
	if m["at"] == nil {
		return rule
	}
	if rule.Starts == schema.StartsAtOnce {
		r.warn(m["at"], under(path, "at"), "no_effect", "what starts at once waits for no time of day", "leave at out, or name the day that starts the clock")
	}
	rule.At = r.localTime(m["at"], under(path, "at"))
	return rule
}

// localTime reads HH:MM.
func (r *reader) localTime(n *yaml.Node, path string) schema.LocalTime {
	s, ok := r.text(n, path)
	if !ok {
		return schema.LocalTime{}
	}
	t, err := schema.ParseLocalTime(s)
	if err != nil {
		r.fault(n, path, "time_syntax", err.Error(), "write for example 18:00, in quotes")
	}
	return t
}
