package notices

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"sendoff/schema"
)

// maxValue bounds what one placeholder becomes, in characters.
const maxValue = 500

// placeholder is anything that looks like one, also when it does not end.
var placeholder = regexp.MustCompile(`\{\{[^{}\n]*(\}\})?`)

// placeholdersIn returns the placeholders of a text, each once.
func placeholdersIn(text string) []string {
	var out []string
	for _, p := range placeholder.FindAllString(text, -1) {
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// Placeholders lists what may stand in the text of an event.
func Placeholders(e schema.NoticeEvent) []string {
	switch e {
	case schema.NoticeParked:
		return []string{"{{person}}", "{{case}}", "{{moment}}", "{{accounts}}", "{{source}}", "{{cause}}", "{{fix}}", "{{evidence}}"}
	case schema.NoticeRefused:
		return []string{"{{person}}", "{{moment}}", "{{source}}", "{{cause}}", "{{fix}}"}
	case schema.NoticeAffected:
		return []string{"{{person}}", "{{moment}}", "{{source}}", "{{reports}}"}
	case schema.NoticeBatchHeld:
		return []string{"{{batch}}", "{{size}}", "{{source}}"}
	case schema.NoticeFeedSilent:
		return []string{"{{source}}", "{{moment}}"}
	case schema.NoticeAlarm:
		return []string{"{{source}}", "{{cause}}", "{{fix}}"}
	case schema.NoticeAsk:
		return askPlaceholders()
	case schema.NoticeReviewAsk, schema.NoticeReviewRemind, schema.NoticeReviewEscalated, schema.NoticeReviewOwner:
		return campaignPlaceholders(e)
	}
	return []string{"{{person}}", "{{case}}", "{{moment}}", "{{accounts}}", "{{source}}", "{{evidence}}"}
}

// allPlaceholders lists those of every event.
func allPlaceholders() []string {
	var out []string
	for _, e := range schema.NoticeEvents() {
		for _, p := range Placeholders(e) {
			if !slices.Contains(out, p) {
				out = append(out, p)
			}
		}
	}
	return out
}

// Render writes the text of a notice: the rules' words, or the built-in ones, with
// facts in the place of placeholders. Its first line is a mail's subject, and no
// fact makes it two.
func Render(rules schema.NoticeRules, f schema.NoticeFacts) (string, error) {
	text, ok := rules.Texts[f.Event]
	if !ok {
		text = BuiltinText(f.Event)
	}
	switch {
	case f.Event == schema.NoticeAsk:
		text = textOf(f.Ask)
	case f.Event.OfCampaign():
		text = campaignText(f.Event)
	case !ok && f.Event == schema.NoticeParked && f.Door == schema.DoorInactivity:
		text = parkedUnused
	}
	if text == "" {
		return "", &schema.Error{Code: schema.CodeInvalid, Message: "there is no text for a notice of " + strconv.Quote(string(f.Event)), Fix: "report this"}
	}
	facts := values(f)
	maps.Copy(facts, askValues(f))
	maps.Copy(facts, campaignValues(f))
	return placeholder.ReplaceAllStringFunc(strings.TrimSpace(text), func(p string) string {
		if value, known := facts[p]; known && slices.Contains(Placeholders(f.Event), p) {
			return line(value)
		}
		return p
	}), nil
}

func values(f schema.NoticeFacts) map[string]string {
	what, fix := explained(f)
	return map[string]string{
		"{{person}}": or(f.Person, "somebody whose name is not known"), "{{case}}": or(string(f.CaseID), "none yet"), "{{moment}}": moment(f),
		"{{accounts}}": accounts(f.Accounts), "{{source}}": or(f.Source, "by hand"), "{{cause}}": what, "{{fix}}": fix, "{{evidence}}": evidence(f),
		"{{batch}}": string(f.BatchID), "{{size}}": strconv.Itoa(f.Size), "{{reports}}": reports(f),
	}
}

// line keeps a value on one line and short: a name of HR must not write headers
// of a mail, nor a text of its own.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), r == '\u2028', r == '\u2029':
			return ' '
		case !unicode.IsPrint(r):
			return -1 // control and formatting characters, such as those that turn the direction of writing
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > maxValue {
		s = string(runes[:maxValue]) + "..."
	}
	return s
}

func or(s, otherwise string) string {
	if strings.TrimSpace(s) == "" {
		return otherwise
	}
	return s
}

// moment is a local time with its zone, the distance to UTC, and whose zone it is.
func moment(f schema.NoticeFacts) string {
	if f.DueAt.IsZero() {
		if f.Event == schema.NoticeFeedSilent {
			return "never"
		}
		return "at once"
	}
	return instant(f.DueAt, f.TimeZone, f.ZoneFrom)
}

func instant(at time.Time, name string, from schema.ZoneFrom) string {
	const layout = "2006-01-02 15:04"
	zone, err := time.LoadLocation(name)
	if name == "" || name == "UTC" || err != nil {
		return at.UTC().Format(layout) + " UTC"
	}
	local := at.In(zone)
	told := fmt.Sprintf("%s %s (UTC%s", local.Format(layout), name, local.Format("-07:00"))
	if from != schema.ZoneNone {
		told += ", the zone of the " + string(from)
	}
	return told + ")"
}

func accounts(list []schema.NoticeAccount) string {
	if len(list) == 0 {
		return "none"
	}
	var out []string
	for _, a := range list {
		out = append(out, a.Connection+" ("+string(a.State)+")")
	}
	return strings.Join(out, ", ")
}

// explained says by our own words what stands in the way, and what to do.
func explained(f schema.NoticeFacts) (what, fix string) {
	if f.Alarm != "" {
		return string(f.Cause) + ": " + f.Alarm, f.AlarmFix
	}
	if f.Cause != "" {
		w := causeWords(f.Cause)
		what = string(f.Cause) + ": " + w.what
		if f.CauseOf != "" {
			what += " (step " + string(f.CauseOf) + ")"
		}
		return what, w.fix
	}
	var whats, fixes []string
	for _, code := range f.Findings {
		w := findingWords(code)
		whats, fixes = append(whats, string(code)+": "+w.what), append(fixes, w.fix)
	}
	if len(whats) == 0 {
		return "not known", "look at the leaver"
	}
	return strings.Join(whats, "; "), strings.Join(fixes, "; ")
}

// evidence is where everything known of a case is read; who reads it signs in.
func evidence(f schema.NoticeFacts) string {
	switch {
	case f.CaseID == "":
		return "none yet"
	case f.PublicURL == "":
		return "sendoff cases report " + string(f.CaseID)
	}
	return strings.TrimRight(f.PublicURL, "/") + "/v1/cases/" + string(f.CaseID) + "/report"
}

func reports(f schema.NoticeFacts) string {
	return count(f.Reports, "person reports", "people report") + " to them, " + count(f.Receives, "open case gives", "open cases give") + " them content"
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// DemoFacts are those of nobody, to see a text with.
func DemoFacts(e schema.NoticeEvent) schema.NoticeFacts {
	f := schema.NoticeFacts{
		To: []string{"manager@example.com"}, Event: e, Person: "Ada Lovelace", CaseID: "0197c0de-0000-7000-8000-000000000001",
		DueAt: time.Date(2026, 11, 30, 17, 0, 0, 0, time.UTC), TimeZone: "Europe/Berlin", ZoneFrom: schema.ZoneOfPerson,
		Accounts: []schema.NoticeAccount{{Connection: "box", State: schema.PlanPlanned}}, Source: "bamboohr", PublicURL: "https://sendoff.example.com",
	}
	switch e {
	case schema.NoticeParked:
		f.Cause, f.CauseOf, f.Accounts[0].State = schema.ParkReceiverMissing, schema.StepTransfer, schema.PlanParked
	case schema.NoticeStarting:
		f.Accounts[0].State = schema.PlanRunning
	case schema.NoticeDone:
		f.Accounts[0].State = schema.PlanDone
	case schema.NoticeCancelled:
		f.Accounts[0].State = schema.PlanCancelled
	case schema.NoticeRefused:
		f.Findings = []schema.FindingCode{schema.ReceiverMissing}
	case schema.NoticeAffected:
		f.Reports, f.Receives = 3, 1
	case schema.NoticeBatchHeld:
		f.BatchID, f.Size = "0197c0de-0000-7000-8000-000000000002", 12
	case schema.NoticeFeedSilent:
		f.ZoneFrom = schema.ZoneOfCompany
	case schema.NoticeAsk:
		f.Ask = demoAsk()
	case schema.NoticeReviewAsk, schema.NoticeReviewRemind, schema.NoticeReviewEscalated, schema.NoticeReviewOwner:
		f.Campaign = demoCampaign(e)
	}
	return f
}
