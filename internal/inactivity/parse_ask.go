package inactivity

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"sendoff/internal/intake"
	"sendoff/internal/yamlfile"
	"sendoff/schema"
)

const (
	maxAsks       = 10
	maxRecipients = 20
	maxText       = 10_000 // characters
	// hasty is a wait in which a weekend can hide a question.
	hasty = 3 * 24 * time.Hour
)

// webhookForm is the form of a webhook's name, as the settings have it.
var webhookForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// askPlaceholder is anything that looks like one, also when it does not end.
var askPlaceholder = regexp.MustCompile(`\{\{[^{}\n]*(\}\})?`)

// AskPlaceholders lists what may stand in the text of a question. A text without
// {{link}} gets it as its last line.
func AskPlaceholders() []string {
	return []string{"{{login}}", "{{connection}}", "{{last_used}}", "{{steps}}", "{{until}}", "{{silence}}", "{{link}}", "{{policy}}", "{{owner}}"}
}

func (r policyReader) asks(list *yaml.Node) []schema.Ask {
	if list == nil {
		return nil
	}
	var out []schema.Ask
	first := map[[3]string]string{}
	for i, n := range r.Items(list, "ask", maxAsks) {
		path := yamlfile.Index("ask", i)
		a, ok := r.ask(n, path)
		if !ok {
			continue
		}
		out = append(out, a)
		for _, to := range askTo(a) {
			key := [3]string{string(a.Whom), string(a.Channel), to}
			if other := first[key]; other != "" {
				r.Fault(n, path, "duplicate", "somebody is asked here whom "+other+" asks too", "keep one of them")
				break
			}
			first[key] = path
		}
	}
	return out
}

// askTo are the recipients that a file knows: of a role, nobody yet.
func askTo(a schema.Ask) []string {
	if a.Whom != schema.AskNamed {
		return []string{""}
	}
	return a.To
}

func (r policyReader) ask(n *yaml.Node, path string) (schema.Ask, bool) {
	var a schema.Ask
	before := r.Faults()
	m := r.Mapping(n, path, "whom", "to", "channel", "wait", "silence", "text")
	if m == nil {
		return a, false
	}
	if v := r.Need(n, m, path, "whom", "write holder, manager, owner or named"); v != nil {
		a.Whom = schema.AskWhom(r.Choice(v, yamlfile.Under(path, "whom"),
			string(schema.AskHolder), string(schema.AskManager), string(schema.AskOwner), string(schema.AskNamed)))
	}
	a.Channel = schema.ChannelMail
	if v := m["channel"]; v != nil {
		a.Channel = schema.Channel(r.Choice(v, yamlfile.Under(path, "channel"),
			string(schema.ChannelMail), string(schema.ChannelSlack), string(schema.ChannelWebhook)))
	}
	a.Silence = cmp.Or(yamlfile.Word(r.Reader, m, path, "silence", schema.SilenceNothing, schema.SilenceProceeds), schema.SilenceNothing)
	a.To = r.askedAt(n, m, path, a)
	r.askWait(&a, n, m, path)
	if v := m["text"]; v != nil {
		a.Text = r.askText(v, yamlfile.Under(path, "text"), a.Channel)
	}
	return a, r.Faults() == before
}

// askedAt reads whom a question of named asks. Of everybody else the address is
// found for each account, and is all that is known of them.
func (r policyReader) askedAt(n *yaml.Node, m map[string]*yaml.Node, path string, a schema.Ask) []string {
	to := yamlfile.Under(path, "to")
	if a.Whom != schema.AskNamed {
		if a.Whom != "" && m["to"] != nil {
			r.Fault(m["to"], to, "found", "the address of the "+string(a.Whom)+" is found for each account", "remove the member, or write whom: named")
		}
		if a.Whom != "" && a.Channel != "" && a.Channel != schema.ChannelMail {
			r.Fault(m["channel"], yamlfile.Under(path, "channel"), "by_mail", "the "+string(a.Whom)+" is asked by mail: the address is all that is known of them",
				"write channel: mail, or whom: named")
		}
		return nil
	}
	list := r.Need(n, m, path, "to", "name mail addresses, or the webhooks that the settings name")
	switch {
	case list == nil || a.Channel == "":
		return nil
	case a.Channel == schema.ChannelMail:
		return r.Addresses(list, to, maxRecipients, intake.ParseAddress)
	}
	return r.Distinct(list, to, maxRecipients, func(n *yaml.Node, at string) (string, bool) {
		name, ok := r.Text(n, at)
		if ok && !webhookForm.MatchString(name) {
			r.Fault(n, at, "webhook_name", "this is not the name of a webhook", "write a name that the settings have; never an URL, which is a secret")
			return "", false
		}
		return name, ok
	})
}

func (r policyReader) askWait(a *schema.Ask, n *yaml.Node, m map[string]*yaml.Node, path string) {
	v := r.Need(n, m, path, "wait", "say how long an answer is waited for, such as 14d")
	if v == nil {
		return
	}
	at := yamlfile.Under(path, "wait")
	d, ok := r.Duration(v, at)
	switch a.Wait = d; {
	case !ok:
	case d == 0:
		r.Fault(v, at, "zero", "nobody could answer in no time", "write for example 14d")
	case d < hasty && a.Silence == schema.SilenceProceeds:
		r.Warn(v, at, "hasty", "silence means consent after less than three days: a weekend is longer than that", "write for example 14d, or silence: nothing")
	}
}

// askText checks the placeholders of a text, and its first line.
func (r policyReader) askText(n *yaml.Node, path string, by schema.Channel) string {
	s, ok := r.Plain(n, path, maxText, true)
	if !ok {
		return s
	}
	var told []string
	for _, p := range askPlaceholder.FindAllString(s, -1) {
		if !slices.Contains(AskPlaceholders(), p) && !slices.Contains(told, p) {
			told = append(told, p)
			r.Fault(n, path, "placeholder", "the placeholder "+yamlfile.Quoted(p)+" is unknown", "use one of: "+strings.Join(AskPlaceholders(), ", "))
		}
	}
	if subject, _, _ := strings.Cut(s, "\n"); by == schema.ChannelMail && utf8.RuneCountInString(subject) > yamlfile.MaxLine {
		r.Fault(n, path, "subject", "the first line, which is the mail's subject, is longer than 200 characters", "begin with a short line, then go on on the next")
	}
	return s
}
