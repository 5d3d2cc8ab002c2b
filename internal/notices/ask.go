package notices

import (
	"fmt"
	"strings"
	"time"

	"sendoff/schema"
)

// askText is the built-in text of a question.
const askText = "Is the account {{login}} on {{connection}} still needed?\n\n" +
	"Account: {{login}}\nWhere: {{connection}}\nLast used: {{last_used}}\nWhat is planned: {{steps}}\nAnswer until: {{until}}\n\n" +
	"If it is still needed, say so and nothing is done to it.\n{{silence}}\n\nTo answer: {{link}}\n\nAsked by the policy {{policy}}. Questions about it: {{owner}}\n"

// askPlaceholders lists what may stand in the text of a question.
func askPlaceholders() []string {
	return []string{
		"{{login}}", "{{connection}}", "{{last_used}}", "{{steps}}", "{{until}}", "{{silence}}", "{{link}}", "{{policy}}", "{{owner}}",
	}
}

// textOf is the text of a question: the policy's, or the built-in one. Without its
// link nobody could answer, so that a text that leaves it out gets it at its end.
func textOf(a *schema.NoticeAskFacts) string {
	if a == nil || strings.TrimSpace(a.Text) == "" {
		return askText
	}
	if strings.Contains(a.Text, "{{link}}") {
		return a.Text
	}
	return strings.TrimSpace(a.Text) + "\n\nTo answer: {{link}}\n"
}

func askValues(f schema.NoticeFacts) map[string]string {
	if f.Ask == nil {
		return nil
	}
	a := *f.Ask
	owner := or(a.Owner, "whoever runs sendoff")
	link := a.Link
	if link == "" {
		link = "tell " + owner
		a.Silence = schema.SilenceNothing // what nobody can answer says nothing
	}
	last := "no use was ever seen"
	if !a.LastActiveAt.IsZero() {
		last = instant(a.LastActiveAt, f.TimeZone, schema.ZoneNone)
	}
	return map[string]string{
		"{{login}}": or(a.Login, "without a login"), "{{connection}}": a.Connection, "{{last_used}}": last, "{{steps}}": stepWords(a.Steps),
		"{{until}}": instant(a.Until, f.TimeZone, schema.ZoneNone), "{{silence}}": silenceWords(a.Silence), "{{link}}": link,
		"{{policy}}": a.Policy, "{{owner}}": owner,
	}
}

func silenceWords(s schema.Silence) string {
	if s == schema.SilenceProceeds {
		return "If you do not answer by then, what is planned is done."
	}
	return "If you do not answer by then, nothing is done to it because of this question."
}

// stepWords says what the steps do to an account, in order: "it is suspended; after
// 30 days its content goes to another account; it is deleted".
func stepWords(steps []schema.StepFact) string {
	var parts []string
	after := ""
	for _, s := range steps {
		if s.Kind == schema.StepWait {
			after = waitWords(s)
			continue
		}
		if w := stepWord(s.Kind); w != "" {
			parts = append(parts, after+w)
			after = ""
		}
	}
	if len(parts) == 0 {
		return "nothing is changed"
	}
	return strings.Join(parts, "; ")
}

func stepWord(k schema.StepKind) string {
	switch k {
	case schema.StepSuspend:
		return "it is suspended"
	case schema.StepRevokeSessions:
		return "it is signed out everywhere"
	case schema.StepReactivate:
		return "it is made active again"
	case schema.StepRemoveFromGroups:
		return "it is taken out of its groups"
	case schema.StepSetRole:
		return "its administrative role is taken away"
	case schema.StepTransfer:
		return "its content goes to another account"
	case schema.StepDelete:
		return "it is deleted"
	case schema.StepNotify:
		return "somebody is told"
	case schema.StepManual:
		return "somebody looks at it"
	}
	return ""
}

func waitWords(s schema.StepFact) string {
	if s.Until != "" {
		return "from " + s.Until + " on, "
	}
	const day = 24 * time.Hour
	wait := time.Duration(s.WaitSeconds) * time.Second
	switch {
	case wait <= 0:
		return ""
	case wait%day == 0:
		return "after " + count(int(wait/day), "day", "days") + " "
	case wait%time.Hour == 0:
		return "after " + count(int(wait/time.Hour), "hour", "hours") + " "
	}
	return fmt.Sprintf("after %s ", wait)
}

// demoAsk is a question about nobody.
func demoAsk() *schema.NoticeAskFacts {
	return &schema.NoticeAskFacts{
		ID: "0197c0de-0000-7000-8000-000000000003", Policy: "Dormant for 90 days", Owner: "it@example.com", Connection: "box",
		Login: "ada@example.com", LastActiveAt: time.Date(2026, 8, 1, 7, 30, 0, 0, time.UTC),
		Steps: []schema.StepFact{
			{Kind: schema.StepSnapshot},
			{Kind: schema.StepSuspend},
			{Kind: schema.StepTransfer},
			{Kind: schema.StepWait, WaitSeconds: 30 * 24 * 60 * 60},
			{Kind: schema.StepDelete},
		},
		Until: time.Date(2026, 11, 30, 17, 0, 0, 0, time.UTC), Silence: schema.SilenceProceeds,
		Link: "https://sendoff.example.com/answer/made-up",
	}
}
