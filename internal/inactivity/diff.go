package inactivity

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sendoff/internal/intake"
	"sendoff/internal/yamlfile"
	"sendoff/schema"
)

// unsaid stands for what a rule does not say.
const unsaid = "(none)"

// Diff says for each member in which two rules differ what it becomes, "path:
// before -> after", in the order of a file.
func Diff(before, after schema.PolicyRule) []string {
	old, next := membersOf(before), membersOf(after)
	was := map[string]string{}
	for _, m := range old {
		was[m.path] = m.value
	}
	is := map[string]string{}
	for _, m := range next {
		is[m.path] = m.value
	}
	var out []string
	for _, m := range inFileOrder(old, next) {
		a, b := cmp.Or(was[m], unsaid), cmp.Or(is[m], unsaid)
		if a != b {
			out = append(out, m+": "+a+" -> "+b)
		}
	}
	return out
}

// diffMember is what a rule says of one member.
type diffMember struct{ path, value string }

// inFileOrder merges the paths of two rules: both have theirs in one order.
func inFileOrder(old, next []diffMember) []string {
	var out []string
	for _, m := range old {
		i := slices.IndexFunc(next, func(n diffMember) bool { return n.path == m.path })
		for ; i >= 0 && len(next) > 0; i-- {
			out = append(out, next[0].path)
			next = next[1:]
		}
		if len(out) == 0 || out[len(out)-1] != m.path {
			out = append(out, m.path)
		}
	}
	for _, m := range next {
		out = append(out, m.path)
	}
	return out
}

// ruleTeller writes down what a rule says.
type ruleTeller struct{ list []diffMember }

func (t *ruleTeller) say(path, value string) { t.list = append(t.list, diffMember{path, value}) }

func membersOf(r schema.PolicyRule) []diffMember {
	t := &ruleTeller{}
	t.say("name", quotedText(r.Name))
	t.say("title", quotedText(r.Title))
	t.say("owner", quotedText(r.Owner))
	t.say("mode", string(r.Mode))
	t.say("cold_start", string(r.ColdStart))
	t.say("connections", quotedList(r.Connections))
	t.say("match.when", quotedText(r.Match))
	t.say("match.grades", listText(r.Grades))
	t.say("match.kinds", listText(r.Kinds))
	t.say("match.statuses", listText(r.Statuses))
	t.threshold(r.Threshold)
	for i, e := range r.Exclude {
		t.say(yamlfile.Index("exclude", i), flowText("group", quotedText(e.Group), "person", quotedText(e.Person), "login", quotedText(e.Login), "when", quotedText(e.When),
			"until", e.Until.String(), "reason", quotedText(e.Reason)))
	}
	for i, a := range r.Ask {
		t.say(yamlfile.Index("ask", i), flowText("whom", string(a.Whom), "to", quotedList(a.To), "channel", string(a.Channel), "wait", lengthText(a.Wait),
			"silence", string(a.Silence), "text", quotedText(a.Text)))
	}
	for i, s := range r.Steps {
		t.say(yamlfile.Index("steps", i), stepText(s))
	}
	t.say("receivers", quotedList(r.Receivers))
	t.budget(r.Budget)
	t.say("approvals", strconv.Itoa(r.Approvals))
	t.schedule(r.Schedule)
	t.say("freshness.sync", lengthText(r.Freshness.Sync))
	t.say("freshness.activity", lengthText(r.Freshness.Activity))
	t.say("freshness.patience", lengthText(r.Freshness.Patience))
	t.say("allow.delete_without_transfer", strconv.FormatBool(r.Allow.DeleteWithoutTransfer))
	t.say("allow.zero_threshold", strconv.FormatBool(r.Allow.ZeroThreshold))
	t.say("allow.most_of_population", strconv.FormatBool(r.Allow.MostOfPopulation))
	return t.list
}

func (t *ruleTeller) threshold(h schema.Threshold) {
	t.say("threshold.default", lengthText(h.Default))
	for _, of := range h.Kinds {
		t.say("threshold.kinds."+string(of.Kind), lengthText(of.For))
	}
	for _, of := range h.Roles {
		t.say("threshold.roles."+string(of.Role), lengthText(of.For))
	}
}

func (t *ruleTeller) budget(b schema.Budget) {
	t.say("budget.per_run", limitText(b.PerRun, ""))
	t.say("budget.per_day", limitText(b.PerDay, ""))
	t.say("budget.connection", limitText(b.Connection, ""))
	t.say("budget.percent", limitText(b.Percent, "%"))
	if b.Bytes == 0 {
		t.say("budget.bytes", "")
	} else {
		t.say("budget.bytes", bytesText(b.Bytes))
	}
	t.say("budget.privileged", strconv.Itoa(b.Privileged))
}

func (t *ruleTeller) schedule(s schema.PolicySchedule) {
	t.say("schedule.every", positive(s.Every))
	for i, of := range s.Times {
		t.say(yamlfile.Index("schedule.times", i), timeText(of))
	}
	t.say("schedule.zone", s.Zone)
	t.say("schedule.jitter", positive(s.Jitter))
	for i, b := range s.Blackout {
		t.say(yamlfile.Index("schedule.blackout", i), flowText("from", b.From.String(), "to", b.To.String(), "reason", quotedText(b.Reason)))
	}
}

// stepText is a step as a file writes it.
func stepText(s schema.StepFact) string {
	length := "for"
	if s.Kind == schema.StepManual {
		length = "due"
	}
	wait, source := positive(time.Duration(s.WaitSeconds)*time.Second), ""
	if s.Reactivate {
		source = "reactivate"
	}
	parameters := flowText(length, wait, "until", s.Until, "trash", string(s.Trash), "inactive_source", source, "channel", string(s.Channel),
		"to", quotedList(s.To), "message", quotedText(s.Message), "title", quotedText(s.Title), "owner", quotedText(s.Owner))
	if parameters == "{}" {
		return string(s.Kind)
	}
	return string(s.Kind) + ": " + parameters
}

func timeText(t schema.ScheduleTime) string {
	var days, months []string
	for _, d := range t.Weekdays {
		days = append(days, weekdays()[d])
	}
	for _, m := range t.Months {
		months = append(months, strconv.Itoa(int(m)))
	}
	return flowText("at", fmt.Sprintf(`"%02d:%02d"`, t.Hour, t.Minute), "weekdays", listText(days), "days", numbersText(t.Days), "months", listText(months))
}

func numbersText(numbers []int) string {
	var out []string
	for _, n := range numbers {
		out = append(out, strconv.Itoa(n))
	}
	return listText(out)
}

// flowText is a map in YAML's flow style, without the members that say nothing.
func flowText(pairs ...string) string {
	var out []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out = append(out, pairs[i]+": "+pairs[i+1])
		}
	}
	return "{" + strings.Join(out, ", ") + "}"
}

func listText[T ~string](words []T) string {
	if len(words) == 0 {
		return ""
	}
	var out []string
	for _, w := range words {
		out = append(out, string(w))
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// quotedList is a list of what people chose: quoted, so that one is not taken for two.
func quotedList(list []string) string {
	if len(list) == 0 {
		return ""
	}
	var out []string
	for _, s := range list {
		out = append(out, quotedText(s))
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// quotedText keeps a text on one line.
func quotedText(s string) string {
	if s == "" {
		return ""
	}
	return strconv.Quote(s)
}

func lengthText(d time.Duration) string { return intake.FormatDuration(d) }

// positive is a length, or nothing for none.
func positive(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return lengthText(d)
}

func limitText(n int, unit string) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n) + unit
}
