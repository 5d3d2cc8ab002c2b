package hooks

import (
	"fmt"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"sendoff/internal/roster"
	"sendoff/schema"
)

const (
	// minSecret is the least that a secret may have, in bytes: what is shorter can be
	// tried out.
	minSecret = 16
	maxWords  = 500
	maxList   = 50
)

// CheckSource finds all faults of a source's mapping and signature.
func CheckSource(s schema.Source) []schema.Problem {
	var c checker
	if s.Kind == schema.SourceHMAC {
		c.signature(s.Signature)
		if s.Mapping == nil {
			c.add("mapping", "required", "a source of the kind hmac needs a mapping", "say where its bodies hold external_id and the other facts")
		}
	} else if s.Signature != nil {
		c.add("signature", "not_used", fmt.Sprintf("a source of the kind %s is signed in its own way", s.Kind), "leave the signature out, or use the kind hmac")
	}
	switch {
	case s.Mapping == nil:
	case s.Kind != schema.SourceHMAC && s.Kind != schema.SourceStandardWebhooks:
		c.add("mapping", "not_used", fmt.Sprintf("a source of the kind %s has no bodies that a mapping reads", s.Kind), "leave the mapping out")
	default:
		c.mapping(*s.Mapping)
		if s.Kind == schema.SourceStandardWebhooks && s.Mapping.EventID != "" {
			c.add("mapping.event_id", "not_used", "the id of an event is in the header webhook-id, which is signed", "leave it out")
		}
	}
	return c.list
}

// CheckSecret finds the fault of a secret that a source's webhooks are signed with.
func CheckSecret(kind schema.SourceKind, secret string) []schema.Problem {
	size := len(secret)
	if kind == schema.SourceStandardWebhooks {
		key, ok := standardKey(secret)
		if !ok {
			return oneProblem("secret", "base64", "the secret is not base64", "give it as its sender shows it: whsec_ and base64")
		}
		size = len(key)
	}
	if size < minSecret {
		return oneProblem("secret", "too_short", fmt.Sprintf("the secret has %d bytes", size), fmt.Sprintf("use one of %d or more random bytes", minSecret))
	}
	return nil
}

type checker struct{ list []schema.Problem }

func (c *checker) add(where, code, message, fix string) {
	c.list = append(c.list, schema.Problem{Where: where, Code: code, Message: message, Fix: fix})
}

var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$") // RFC 9110 section 5.6.2

func (c *checker) signature(s *schema.Signature) {
	if s == nil {
		c.add("signature", "required", "a source of the kind hmac needs a signature", "say how it signs: header, hash, encoding and content")
		return
	}
	if _, ok := hashOf(s.Hash); !ok {
		c.add("signature.hash", "unknown", "there is no such hash", "use sha256 or sha512")
	}
	if encodings(s.Encoding, nil) == nil {
		c.add("signature.encoding", "unknown", "there is no such encoding", "use hex, base64 or base64url")
	}
	if s.Prefix != strings.TrimLeft(s.Prefix, " \t") || strings.ContainsFunc(s.Prefix, func(r rune) bool { return r < ' ' || r > '~' }) {
		c.add("signature.prefix", "form", "it begins with a space, or no header can hold it", "give what stands right before the signature, such as v0=")
	}
	content, faults := parseContent(s.Content)
	for _, fault := range faults {
		c.add("signature.content", "content", fault, "write it with {body}, {timestamp} and {id}, such as {timestamp}.{body}")
	}
	c.headers(s, content)
}

// headers checks the names. A time or an id that is not signed could be changed by
// whoever sends the webhook a second time.
func (c *checker) headers(s *schema.Signature, content content) {
	used := map[string]string{}
	for _, h := range []struct{ where, name, place string }{
		{"signature.header", s.Header, ""}, {"signature.timestamp", s.Time, placeTime}, {"signature.event_id", s.EventID, placeID},
	} {
		switch {
		case h.name == "" && h.place == "":
			c.add(h.where, "required", "no header holds the signature", "give its name")
		case h.name == "" && content.has(h.place):
			c.add(h.where, "required", h.place+" is signed, and no header is named for it", "give its name")
		case h.name == "":
		case !headerName.MatchString(h.name):
			c.add(h.where, "header", "this is not the name of a header", "write it such as X-Signature")
		case h.place != "" && len(content) > 0 && !content.has(h.place):
			c.add(h.where, "not_signed", "the header is not part of what is signed, so it proves nothing", "leave it out, or add "+h.place+" to the content if the source signs it")
		}
		name := textproto.CanonicalMIMEHeaderKey(h.name)
		if before, twice := used[name]; twice && name != "" {
			c.add(h.where, "duplicate", "it is the header of "+before+" too", "name each once")
		}
		used[name] = h.where
	}
}

func (c *checker) mapping(m schema.Mapping) {
	c.path("mapping.list", m.List)
	c.path("mapping.event_id", m.EventID)
	known := map[string]bool{}
	var names []string
	for _, h := range roster.Headings() {
		known[string(h.Column)] = true
		names = append(names, string(h.Column))
	}
	for _, column := range sortedKeys(m.Fields) {
		where := "mapping.fields." + column
		switch {
		case !known[column]:
			c.add(where, "unknown_field", "there is no such field", "use one of: "+strings.Join(names, ", "))
		case m.Fields[column] == "":
			c.add(where, "path", "the path is empty", "give one, or leave the field out")
		default:
			c.path(where, m.Fields[column])
		}
	}
	if m.Fields[string(roster.ExternalID)] == "" {
		c.add("mapping.fields.external_id", "required", "no path leads to the source's own id of an employment", "give one: nothing else tells employments apart for good")
	}
	c.words(m)
	c.layouts(m.DateLayouts)
	c.when(m.When)
}

func (c *checker) path(where, text string) {
	if text == "" {
		return
	}
	if _, err := parsePath(text); err != nil {
		c.add(where, "path", err.Error(), `write it such as employee.dates[0].end or data["Employee #"]`)
	}
}

// words asks the roster whether it takes what each word is read as.
func (c *checker) words(m schema.Mapping) {
	for _, column := range sortedKeys(m.Words) {
		where := "mapping.words." + column
		if m.Fields[column] == "" || column == string(roster.ExternalID) {
			c.add(where, "unknown_field", "the mapping reads no such field that could have words", "leave the words out, or map the field")
			continue
		}
		if len(m.Words[column]) > maxWords {
			c.add(where, "too_many", fmt.Sprintf("there are more than %d words", maxWords), "leave out those that are like ours")
			continue
		}
		seen := map[string]bool{}
		for _, word := range sortedKeys(m.Words[column]) {
			folded := strings.ToLower(strings.TrimSpace(word))
			if seen[folded] {
				c.add(where, "duplicate", fmt.Sprintf("two words are %.60q without regard to case", folded), "keep one")
			}
			seen[folded] = true
			row := map[roster.Column]string{roster.ExternalID: "1", roster.Column(column): m.Words[column][word]}
			for _, p := range roster.ReadRows([]map[roster.Column]string{row}).Problems {
				c.add(where, "value", fmt.Sprintf("%.60q is read as what is no value of the field: %s", word, p.Message), p.Fix)
			}
		}
	}
}

// layouts refuses layouts that do not say a whole day, and two that read one text
// as two days.
func (c *checker) layouts(layouts []string) {
	if len(layouts) > maxList {
		c.add("mapping.date_layouts", "too_many", fmt.Sprintf("there are more than %d layouts", maxList), "leave some out")
		return
	}
	day := time.Date(2031, time.March, 4, 0, 0, 0, 0, time.UTC)
	for i, layout := range layouts {
		where := fmt.Sprintf("mapping.date_layouts[%d]", i)
		text := day.Format(layout)
		if t, err := time.Parse(layout, text); err != nil || schema.DateOf(t) != schema.DateOf(day) {
			c.add(where, "layout", "a day written so does not say year, month and day", "write how the source writes 2 January 2006, such as 02.01.2006")
			continue
		}
		for _, other := range layouts[:i] {
			if t, err := time.Parse(other, text); err == nil && schema.DateOf(t) != schema.DateOf(day) {
				c.add(where, "ambiguous", "another layout reads the same text as another day", "keep the one that the source writes")
			}
		}
	}
}

func (c *checker) when(when map[string][]string) {
	for _, text := range sortedKeys(when) {
		where := "mapping.when"
		if text == "" {
			c.add(where, "path", "the path is empty", "give one")
		}
		c.path(where, text)
		if len(when[text]) == 0 || len(when[text]) > maxList || slices.ContainsFunc(when[text], func(s string) bool { return strings.ContainsFunc(s, unicode.IsControl) }) {
			c.add(where, "values", fmt.Sprintf("a path of when needs 1 to %d values, in plain text", maxList), "name the values of the bodies that tell of employments")
		}
	}
}
