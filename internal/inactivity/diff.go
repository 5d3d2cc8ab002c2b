package inactivity

import (
	"strconv"

	"sendoff/internal/yamlfile"
	"sendoff/schema"
)

// Diff says for each member in which two rules differ what it becomes, "path:
// before -> after", in the order of a file.
func Diff(before, after schema.PolicyRule) []string {
	return yamlfile.Differences(membersOf(before), membersOf(after))
}

func membersOf(r schema.PolicyRule) *yamlfile.Told {
	t := &yamlfile.Told{}
	t.Say("name", yamlfile.QuotedText(r.Name))
	t.Say("title", yamlfile.QuotedText(r.Title))
	t.Say("owner", yamlfile.QuotedText(r.Owner))
	t.Say("mode", string(r.Mode))
	t.Say("cold_start", string(r.ColdStart))
	t.Say("connections", yamlfile.QuotedList(r.Connections))
	t.Say("match.when", yamlfile.QuotedText(r.Match))
	t.Say("match.grades", yamlfile.ListText(r.Grades))
	t.Say("match.kinds", yamlfile.ListText(r.Kinds))
	t.Say("match.statuses", yamlfile.ListText(r.Statuses))
	tellThreshold(t, r.Threshold)
	for i, e := range r.Exclude {
		t.Say(yamlfile.Index("exclude", i), yamlfile.FlowText("group", yamlfile.QuotedText(e.Group), "person", yamlfile.QuotedText(e.Person), "login", yamlfile.QuotedText(e.Login), "when", yamlfile.QuotedText(e.When),
			"until", e.Until.String(), "reason", yamlfile.QuotedText(e.Reason)))
	}
	for i, a := range r.Ask {
		t.Say(yamlfile.Index("ask", i), yamlfile.FlowText("whom", string(a.Whom), "to", yamlfile.QuotedList(a.To), "channel", string(a.Channel), "wait", yamlfile.LengthText(a.Wait),
			"silence", string(a.Silence), "text", yamlfile.QuotedText(a.Text)))
	}
	t.Steps("steps", r.Steps)
	t.Say("receivers", yamlfile.QuotedList(r.Receivers))
	t.Budget("budget", r.Budget)
	t.Say("approvals", strconv.Itoa(r.Approvals))
	t.Schedule("schedule", r.Schedule)
	t.Say("freshness.sync", yamlfile.LengthText(r.Freshness.Sync))
	t.Say("freshness.activity", yamlfile.LengthText(r.Freshness.Activity))
	t.Say("freshness.patience", yamlfile.LengthText(r.Freshness.Patience))
	t.Say("allow.delete_without_transfer", strconv.FormatBool(r.Allow.DeleteWithoutTransfer))
	t.Say("allow.zero_threshold", strconv.FormatBool(r.Allow.ZeroThreshold))
	t.Say("allow.most_of_population", strconv.FormatBool(r.Allow.MostOfPopulation))
	return t
}

func tellThreshold(t *yamlfile.Told, h schema.Threshold) {
	t.Say("threshold.default", yamlfile.LengthText(h.Default))
	for _, of := range h.Kinds {
		t.Say("threshold.kinds."+string(of.Kind), yamlfile.LengthText(of.For))
	}
	for _, of := range h.Roles {
		t.Say("threshold.roles."+string(of.Role), yamlfile.LengthText(of.For))
	}
}
