package notices

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"sendoff/internal/intake"
	"sendoff/internal/yamlfile"
	"sendoff/schema"
)

// The head that the file has.
const (
	APIVersion = yamlfile.APIVersion
	Kind       = "Notices"
)

const (
	maxDepth      = 8 // the rules need four levels
	maxRoutes     = 50
	maxRecipients = 20
	maxText       = 10_000 // characters
	maxSubject    = 200
)

// MaxBytes is the size of the largest file of rules, in bytes.
const MaxBytes = yamlfile.MaxBytes

// channelForm is the form of a webhook's name, as the settings have it.
var channelForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// Report is what reading a file found. Rules with errors are not usable; those
// with warnings alone are.
type Report = yamlfile.Report

// reader reads one file of rules.
type reader struct{ *yamlfile.Reader }

// Parse reads the file of that name. The rules are complete only without errors
// in the report.
func Parse(file string, source []byte) (schema.NoticeRules, Report) {
	r := reader{yamlfile.New(file, "the rules of notices are not usable")}
	root := r.Load(source, MaxBytes, maxDepth)
	if root == nil {
		return schema.NoticeRules{}, r.Report()
	}
	rules := r.document(root)
	rules.Source = string(source)
	return rules, r.Report()
}

func (r reader) document(root *yaml.Node) schema.NoticeRules {
	var rules schema.NoticeRules
	m := r.Mapping(root, "", "apiVersion", "kind", "routes", "texts")
	if m == nil {
		return rules
	}
	r.Constant(root, m, "apiVersion", APIVersion)
	r.Constant(root, m, "kind", Kind)
	if n := r.Need(root, m, "", "routes", "say who is told of what; write routes: [] to tell nobody"); n != nil {
		rules.Routes = r.routes(n)
	}
	if n := m["texts"]; n != nil {
		rules.Texts = r.texts(n, rules.Routes)
	}
	return rules
}

// told is what one entry of a route comes to: who is told of what, by which way.
type told struct {
	event   schema.NoticeEvent
	channel schema.Channel
	to      string // "" = the manager
}

func (r reader) routes(list *yaml.Node) []schema.NoticeRoute {
	var out []schema.NoticeRoute
	seen := map[told]string{}
	entries := r.UpTo(list, "routes", maxRoutes)
	if list.Kind == yaml.SequenceNode && len(list.Content) == 0 {
		r.Warn(list, "routes", "nobody", "nobody is told of anything", "add a route unless that is meant")
	}
	for i, n := range entries {
		path := yamlfile.Index("routes", i)
		route, ok := r.route(n, path)
		if !ok {
			continue
		}
		out = append(out, route)
		r.once(n, path, route, seen)
	}
	return out
}

// once refuses to tell one of the same by the same way twice.
func (r reader) once(n *yaml.Node, path string, route schema.NoticeRoute, seen map[told]string) {
	to := route.To
	if len(to) == 0 {
		to = []string{""}
	}
	for _, event := range route.Events {
		for _, recipient := range to {
			key := told{event, route.Channel, recipient}
			if other := seen[key]; other != "" {
				r.Fault(n, path, "twice", "somebody is told of "+string(event)+" here whom "+other+" tells too", "keep one of them")
				return
			}
			seen[key] = path
		}
	}
}

func (r reader) route(n *yaml.Node, path string) (schema.NoticeRoute, bool) {
	before := r.Faults()
	var route schema.NoticeRoute
	m := r.Mapping(n, path, "audience", "events", "channel", "to")
	if m == nil {
		return route, false
	}
	if v := r.Need(n, m, path, "audience", "say who is told: manager, it or hr"); v != nil {
		route.Audience = schema.Audience(r.Choice(v, yamlfile.Under(path, "audience"),
			string(schema.AudienceManager), string(schema.AudienceIT), string(schema.AudienceHR)))
	}
	if v := r.Need(n, m, path, "channel", "say how: mail, slack or webhook"); v != nil {
		route.Channel = schema.Channel(r.Choice(v, yamlfile.Under(path, "channel"),
			string(schema.ChannelMail), string(schema.ChannelSlack), string(schema.ChannelWebhook)))
	}
	if v := r.Need(n, m, path, "events", "say of what"); v != nil {
		route.Events = r.events(v, yamlfile.Under(path, "events"), route.Audience)
	}
	route.To = r.recipients(n, m["to"], path, route)
	return route, r.Faults() == before
}

func (r reader) events(list *yaml.Node, path string, audience schema.Audience) []schema.NoticeEvent {
	if list.Kind == yaml.SequenceNode && len(list.Content) == 0 {
		r.Fault(list, path, "empty", "the list is empty", "name an event, or remove the route")
	}
	var out []schema.NoticeEvent
	for i, n := range r.UpTo(list, path, len(schema.NoticeEvents())) {
		at := yamlfile.Index(path, i)
		if n.Value == string(schema.NoticeAsk) {
			r.Fault(n, at, "not_routed", "whom a question goes to stands in the policy that asks", "remove the event")
			continue
		}
		event := schema.NoticeEvent(r.Choice(n, at, eventNames()...))
		switch {
		case event == "":
		case slices.Contains(out, event):
			r.Fault(n, at, "duplicate", "the event is named twice", "name it once")
		case audience == schema.AudienceManager && (event == schema.NoticeBatchHeld || event == schema.NoticeFeedSilent):
			r.Fault(n, at, "no_manager", string(event)+" is about no leaver, so there is no manager to tell", "tell it or hr")
		default:
			out = append(out, event)
		}
	}
	return out
}

func eventNames() []string {
	var names []string
	for _, e := range schema.NoticeEvents() {
		if e.Routed() {
			names = append(names, string(e))
		}
	}
	return names
}

// recipients reads whom a route tells. The manager is found for each leaver, and
// told by mail.
func (r reader) recipients(route, list *yaml.Node, path string, is schema.NoticeRoute) []string {
	to := yamlfile.Under(path, "to")
	if is.Audience == schema.AudienceManager {
		if is.Channel != "" && is.Channel != schema.ChannelMail {
			r.Fault(route, yamlfile.Under(path, "channel"), "manager_by_mail", "a manager is told by mail: the address is all that is known of them", "write channel: mail")
		}
		if list != nil {
			r.Fault(list, to, "manager_found", "the manager's address is found for each leaver", "remove the member")
		}
		return nil
	}
	switch {
	case list == nil:
		r.Fault(route, to, "required", "the member is missing", "name mail addresses, or the webhooks that the settings name")
		return nil
	case list.Kind == yaml.SequenceNode && len(list.Content) == 0:
		r.Fault(list, to, "empty", "the list is empty", "name somebody, or remove the route")
	}
	var out []string
	for i, n := range r.UpTo(list, to, maxRecipients) {
		at := yamlfile.Index(to, i)
		one, ok := r.recipient(n, at, is.Channel)
		switch {
		case !ok:
		case slices.Contains(out, one):
			r.Fault(n, at, "duplicate", "the recipient is named twice", "name it once")
		default:
			out = append(out, one)
		}
	}
	return out
}

func (r reader) recipient(n *yaml.Node, path string, by schema.Channel) (string, bool) {
	s, ok := r.Plain(n, path, 254, true) // RFC 5321 section 4.5.3.1.3, without the brackets
	switch {
	case !ok || by == "":
		return "", false
	case by == schema.ChannelMail:
		address, err := intake.ParseAddress(s)
		if err != nil {
			r.Fault(n, path, "email_syntax", err.Error(), "write the address alone")
			return "", false
		}
		return address, true
	case !channelForm.MatchString(s):
		r.Fault(n, path, "name", "this is not the name of a webhook", "write a name that notify."+settingOf(by)+" of the settings has; never an URL, which is a secret")
		return "", false
	}
	return s, true
}

func settingOf(c schema.Channel) string {
	if c == schema.ChannelSlack {
		return "slack"
	}
	return "webhooks"
}

func (r reader) texts(n *yaml.Node, routes []schema.NoticeRoute) map[schema.NoticeEvent]string {
	m := r.Mapping(n, "texts", eventNames()...)
	out := map[schema.NoticeEvent]string{}
	for _, event := range schema.NoticeEvents() {
		v := m[string(event)]
		if v == nil || !event.Routed() {
			continue
		}
		path := yamlfile.Under("texts", string(event))
		s, ok := r.Plain(v, path, maxText, true)
		if !ok {
			continue
		}
		out[event] = s
		r.lintText(v, path, event, s)
		if !slices.ContainsFunc(routes, func(route schema.NoticeRoute) bool { return slices.Contains(route.Events, event) }) {
			r.Warn(v, path, "unused", "no route tells of "+string(event), "add it to a route, or remove the text")
		}
	}
	return out
}

// lintText checks the placeholders of a text, and its first line.
func (r reader) lintText(n *yaml.Node, path string, event schema.NoticeEvent, text string) {
	use := "use one of: " + strings.Join(Placeholders(event), ", ")
	for _, p := range placeholdersIn(text) {
		switch {
		case slices.Contains(Placeholders(event), p):
		case slices.Contains(allPlaceholders(), p):
			r.Fault(n, path, "placeholder", p+" says nothing of "+string(event), use)
		default:
			r.Fault(n, path, "placeholder", "the placeholder "+yamlfile.Quoted(p)+" is unknown", use)
		}
	}
	if subject, _, _ := strings.Cut(text, "\n"); utf8.RuneCountInString(subject) > maxSubject {
		r.Fault(n, path, "subject", "the first line, which is a mail's subject, is longer than 200 characters", "begin with a short line, then go on on the next")
	}
}
