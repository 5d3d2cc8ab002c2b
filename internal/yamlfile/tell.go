package yamlfile

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sendoff/internal/intake"
	"sendoff/schema"
)

// unsaid stands for what a rule does not say.
const unsaid = "(none)"

// Told is what a rule says, member by member in the order of a file.
type Told struct{ list []toldMember }

// toldMember is what a rule says of one member.
type toldMember struct{ path, value string }

// Say notes the value of a member; "" = it says nothing.
func (t *Told) Say(path, value string) { t.list = append(t.list, toldMember{path, value}) }

// Differences says for each member in which two rules differ what it becomes,
// "path: before -> after", in the order of a file.
func Differences(before, after *Told) []string {
	old, next := before.list, after.list
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

// inFileOrder merges the paths of two rules: both have theirs in one order.
func inFileOrder(old, next []toldMember) []string {
	var out []string
	for _, m := range old {
		i := slices.IndexFunc(next, func(n toldMember) bool { return n.path == m.path })
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

// Budget notes the members of a budget.
func (t *Told) Budget(path string, b schema.Budget) {
	t.Say(Under(path, "per_run"), limitText(b.PerRun, ""))
	t.Say(Under(path, "per_day"), limitText(b.PerDay, ""))
	t.Say(Under(path, "connection"), limitText(b.Connection, ""))
	t.Say(Under(path, "percent"), limitText(b.Percent, "%"))
	if b.Bytes == 0 {
		t.Say(Under(path, "bytes"), "")
	} else {
		t.Say(Under(path, "bytes"), bytesText(b.Bytes))
	}
	t.Say(Under(path, "privileged"), strconv.Itoa(b.Privileged))
}

// Schedule notes the members of a schedule.
func (t *Told) Schedule(path string, s schema.PolicySchedule) {
	t.Say(Under(path, "every"), LengthOrNone(s.Every))
	for i, of := range s.Times {
		t.Say(Index(Under(path, "times"), i), timeText(of))
	}
	t.Say(Under(path, "zone"), s.Zone)
	t.Say(Under(path, "jitter"), LengthOrNone(s.Jitter))
	for i, b := range s.Blackout {
		t.Say(Index(Under(path, "blackout"), i), FlowText("from", b.From.String(), "to", b.To.String(), "reason", QuotedText(b.Reason)))
	}
}

// Steps notes the steps of a list.
func (t *Told) Steps(path string, steps []schema.StepFact) {
	for i, s := range steps {
		t.Say(Index(path, i), stepText(s))
	}
}

// stepText is a step as a file writes it.
func stepText(s schema.StepFact) string {
	length := "for"
	if s.Kind == schema.StepManual {
		length = "due"
	}
	wait, source := LengthOrNone(time.Duration(s.WaitSeconds)*time.Second), ""
	if s.Reactivate {
		source = "reactivate"
	}
	parameters := FlowText(length, wait, "until", s.Until, "trash", string(s.Trash), "inactive_source", source, "channel", string(s.Channel),
		"to", QuotedList(s.To), "message", QuotedText(s.Message), "title", QuotedText(s.Title), "owner", QuotedText(s.Owner),
		"groups", QuotedList(Words(s.Groups)), "role", string(s.Role))
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
	return FlowText("at", fmt.Sprintf(`"%02d:%02d"`, t.Hour, t.Minute), "weekdays", ListText(days), "days", numbersText(t.Days), "months", ListText(months))
}

func numbersText(numbers []int) string {
	var out []string
	for _, n := range numbers {
		out = append(out, strconv.Itoa(n))
	}
	return ListText(out)
}

// FlowText is a map in YAML's flow style, without the members that say nothing.
func FlowText(pairs ...string) string {
	var out []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out = append(out, pairs[i]+": "+pairs[i+1])
		}
	}
	return "{" + strings.Join(out, ", ") + "}"
}

// ListText is a list of words.
func ListText[T ~string](words []T) string {
	if len(words) == 0 {
		return ""
	}
	var out []string
	for _, w := range words {
		out = append(out, string(w))
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// QuotedList is a list of what people chose: quoted, so that one is not taken for two.
func QuotedList(list []string) string {
	if len(list) == 0 {
		return ""
	}
	var out []string
	for _, s := range list {
		out = append(out, QuotedText(s))
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// QuotedText keeps a text on one line.
func QuotedText(s string) string {
	if s == "" {
		return ""
	}
	return strconv.Quote(s)
}

// LengthText is a length as a file writes it.
func LengthText(d time.Duration) string { return intake.FormatDuration(d) }

// LengthOrNone is a length, or nothing for none.
func LengthOrNone(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return LengthText(d)
}

func limitText(n int, unit string) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n) + unit
}
