package template

import (
	"go.yaml.in/yaml/v4"

	"sendoff/internal/yamlfile"
	"sendoff/schema"
)

// moment reads when the clock of a leaver starts. What it leaves out is as in
// schema.DefaultMoment.
func (r reader) moment(n *yaml.Node, path string) schema.MomentRule {
	rule := schema.DefaultMoment()
	m := r.Some(n, path, "starts", "at")
	if m["starts"] != nil {
		rule.Starts = schema.Starts(r.Choice(m["starts"], yamlfile.Under(path, "starts"),
			string(schema.StartsLastWorkingDay), string(schema.StartsTermination), string(schema.StartsGardenLeave), string(schema.StartsAtOnce)))
	}
	if m["at"] == nil {
		return rule
	}
	if rule.Starts == schema.StartsAtOnce {
		r.Warn(m["at"], yamlfile.Under(path, "at"), "no_effect", "what starts at once waits for no time of day", "leave at out, or name the day that starts the clock")
	}
	rule.At, _ = r.TimeOfDay(m["at"], yamlfile.Under(path, "at"))
	return rule
}
