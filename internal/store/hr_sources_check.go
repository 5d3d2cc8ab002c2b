package store

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"sendoff/schema"
)

// maxKeyBytes bounds texts that are part of an index: Postgres refuses an entry
// above a third of a page (https://www.postgresql.org/docs/15/btree-limits.html).
const maxKeyBytes = 1000

// checkKey refuses what cannot be a key: text that is empty, too long, or holds
// what Postgres does not store.
func checkKey(where, text string) []schema.Problem {
	switch {
	case text == "":
		return []schema.Problem{{Where: where, Code: "missing", Message: "it is empty", Fix: "give one"}}
	case len(text) > maxKeyBytes:
		return []schema.Problem{{Where: where, Code: "too_long", Message: "it is longer than 1000 bytes", Fix: "use a shorter one"}}
	case !storable(text):
		return []schema.Problem{{Where: where, Code: "not_text", Message: "it holds a NUL or is no UTF-8", Fix: "leave out control characters"}}
	}
	return nil
}

// storable tells whether Postgres stores a text.
func storable(text string) bool { return utf8.ValidString(text) && !strings.ContainsRune(text, 0) }

func invalidIf(message string, problems []schema.Problem) error {
	if len(problems) == 0 {
		return nil
	}
	return &schema.Error{Code: schema.CodeInvalid, Message: message, Problems: problems}
}

// checkSource refuses a source that could not be worked with.
func checkSource(s schema.Source) error {
	problems := checkKey("name", s.Name)
	if !slices.Contains(schema.SourceKinds(), s.Kind) {
		problems = append(problems, schema.Problem{Where: "kind", Code: "unknown", Message: "no source can be made of that kind", Fix: "use one of " + joinKinds()})
	}
	return invalidIf("the source is not valid", append(problems, settingProblems(s)...))
}

// checkSettings is checkSource for what people may change.
func checkSettings(s schema.Source) error {
	return invalidIf("the source is not valid", settingProblems(s))
}

func joinKinds() string {
	kinds := make([]string, 0, len(schema.SourceKinds()))
	for _, k := range schema.SourceKinds() {
		kinds = append(kinds, string(k))
	}
	return strings.Join(kinds, ", ")
}

func settingProblems(s schema.Source) []schema.Problem {
	problems := checkZone("time_zone", s.TimeZone)
	if s.Template == "" {
		problems = append(problems, schema.Problem{Where: "template", Code: "missing", Message: "it is empty", Fix: "name a template, such as leaver"})
	}
	bound := func(where string, d, least, most time.Duration) {
		if d < least || d > most || d%time.Second != 0 {
			problems = append(problems, schema.Problem{
				Where: where, Code: "out_of_range", Message: d.String() + " is not possible",
				Fix: "give whole seconds, from " + least.String() + " to " + most.String(),
			})
		}
	}
	number := func(where string, n, most int) {
		if n < 0 || n > most {
			problems = append(problems, schema.Problem{Where: where, Code: "out_of_range", Message: "the number is not possible", Fix: "see the limits in the documentation"})
		}
	}
	bound("rhythm", s.Rhythm, 0, mostSeldom)
	bound("limit.window", s.Limit.Window, time.Second, mostSeldom)
	bound("poll_every", s.PollEvery, 0, mostSeldom)
	number("limit.number", s.Limit.Number, 1_000_000)
	number("limit.percent", s.Limit.Percent, 100)
	number("approvals", s.Approvals, 2)
	if s.PollEvery > 0 && (s.Kind != schema.SourceBambooHR || s.BaseURL == "") {
		problems = append(problems, schema.Problem{Where: "poll_every", Code: "not_polled", Message: "the source has no API to ask", Fix: "poll sources of the kind bamboohr, with a base URL"})
	}
	return problems
}

// checkZone refuses what is not the name of a zone. Local would be the zone of
// whichever machine works.
func checkZone(where, name string) []schema.Problem {
	if name != "" && name != "Local" {
		if _, err := time.LoadLocation(name); err == nil {
			return nil
		}
	}
	return []schema.Problem{{Where: where, Code: "unknown_zone", Message: "it is not the name of a time zone", Fix: "use a name of the IANA database, such as Europe/Berlin"}}
}

// checkSecrets refuses a source that could prove nothing of what it is told.
func checkSecrets(s schema.Source, secrets schema.SourceSecrets) error {
	var problems []schema.Problem
	if (s.Kind == schema.SourceStandardWebhooks || s.Kind == schema.SourceHMAC) && secrets.Current == "" {
		problems = append(problems, schema.Problem{Where: "secret", Code: "missing", Message: "webhooks of this kind are signed with a secret", Fix: "give the secret"})
	}
	if s.PollEvery > 0 && secrets.APIKey == "" {
		problems = append(problems, schema.Problem{Where: "api_key", Code: "missing", Message: "the source's API is asked with a key", Fix: "give the API key"})
	}
	return invalidIf("a secret is missing", problems)
}
