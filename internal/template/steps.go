package template

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"sendoff/internal/intake"
	"sendoff/schema"
)

const maxRecipients = 20

var webhookForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// steps reads the list of steps.
func (r *reader) steps(root, list *yaml.Node) []placed {
	if list == nil {
		r.fault(root, "steps", "required", "the template has no steps", "write steps: and begin with - snapshot")
		return nil
	}
	var out []placed
	for i, n := range r.items(list, "steps", maxSteps) {
		out = append(out, r.step(n, index("steps", i)))
	}
	return out
}

// step reads one step: its kind alone, or a map of its kind to its parameters.
func (r *reader) step(n *yaml.Node, path string) placed {
	s := placed{node: n, path: path}
	switch {
	case isText(n):
		s.Kind = schema.StepKind(n.Value)
	case n.Kind == yaml.MappingNode && len(n.Content) == 2 && isText(n.Content[0]):
		s.Kind = schema.StepKind(n.Content[0].Value)
	default:
		r.fault(n, path, "step", "a step is its kind alone or one kind with its parameters", "write for example - suspend, or - wait: {for: 30d}")
		return s
	}
	if !slices.Contains(schema.StepKinds(), s.Kind) {
		r.fault(n, path, "unknown_step", "there is no step "+quoted(string(s.Kind)), "use one of: "+kindNames())
		return s
	}
	s.ok = true
	if n.Kind == yaml.ScalarNode {
		r.bare(&s)
		return s
	}
	r.parameters(&s, n.Content[1], under(path, string(s.Kind)))
	return s
}

func kindNames() string {
	var names []string
	for _, k := range schema.StepKinds() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// bare refuses the kinds that say nothing without parameters.
func (r *reader) bare(s *placed) {
	switch s.Kind {
	case schema.StepNotify:
		r.fault(s.node, s.path, "required", "nobody is told and nothing is said", "write - notify: {channel: mail, to: [...], message: ...}")
	case schema.StepManual:
		r.fault(s.node, s.path, "required", "nobody knows what to do", "write - manual: {title: ..., owner: ..., due: 3d}")
	}
}

func (r *reader) parameters(s *placed, n *yaml.Node, path string) {
	switch s.Kind {
	case schema.StepTransfer:
		if m := r.some(n, path, "inactive_source"); m != nil {
			s.Reactivate = r.optional(m, path, "inactive_source", "park", "reactivate") == "reactivate"
		}
	case schema.StepWait:
		r.wait(s, n, path)
	case schema.StepDelete:
		if m := r.some(n, path, "trash"); m != nil {
			s.Trash = schema.TrashRule(r.optional(m, path, "trash", string(schema.TrashKeep), string(schema.TrashDiscard)))
		}
	case schema.StepNotify:
		r.notify(s, n, path)
	case schema.StepManual:
		r.manual(s, n, path)
	default:
		r.fault(n, path, "no_parameters", "the step has no parameters", "write - "+string(s.Kind))
	}
}

// some is mapping for one that must not be empty.
func (r *reader) some(n *yaml.Node, path string, allowed ...string) map[string]*yaml.Node {
	m := r.mapping(n, path, allowed...)
	if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		r.fault(n, path, "empty", "there are no parameters", "write the step alone, or give: "+strings.Join(allowed, ", "))
	}
	return m
}

func (r *reader) optional(m map[string]*yaml.Node, path, member string, allowed ...string) string {
	n := m[member]
	if n == nil {
		return ""
	}
	return r.choice(n, under(path, member), allowed...)
}

func (r *reader) wait(s *placed, n *yaml.Node, path string) {
	m := r.some(n, path, "for", "until")
	length, instant := m["for"], m["until"]
	if length != nil && instant != nil {
		r.fault(instant, path, "exclusive", "a wait has a length or an end, not both", "keep for or until")
		return
	}
	if length != nil {
		s.WaitSeconds = r.duration(length, under(path, "for"))
	}
	if instant != nil {
		s.Until = r.until(instant, under(path, "until"))
	}
}

// need returns a member that must be there.
func (r *reader) need(n *yaml.Node, m map[string]*yaml.Node, path, member, fix string) *yaml.Node {
	if m[member] == nil {
		r.fault(n, under(path, member), "required", "the member is missing", fix)
	}
	return m[member]
}

func (r *reader) manual(s *placed, n *yaml.Node, path string) {
	m := r.mapping(n, path, "title", "owner", "due")
	if m == nil {
		return
	}
	if v := r.need(n, m, path, "title", "say in one line what has to be done"); v != nil {
		s.Title = r.line(v, under(path, "title"))
	}
	if v := r.need(n, m, path, "owner", "say who does it"); v != nil {
		s.Owner = r.line(v, under(path, "owner"))
	}
	if v := r.need(n, m, path, "due", "say within which time, such as 3d"); v != nil {
		s.WaitSeconds = r.duration(v, under(path, "due"))
	}
}

func (r *reader) notify(s *placed, n *yaml.Node, path string) {
	m := r.mapping(n, path, "channel", "to", "message")
	if m == nil {
		return
	}
	if v := r.need(n, m, path, "channel", "write mail or webhook"); v != nil {
		s.Channel = schema.Channel(r.choice(v, under(path, "channel"), string(schema.ChannelMail), string(schema.ChannelWebhook)))
	}
	if v := r.need(n, m, path, "to", "name who is told"); v != nil {
		s.To = r.recipients(v, under(path, "to"), s.Channel)
	}
	if v := r.need(n, m, path, "message", "write what they are told; its first line is a mail's subject"); v != nil {
		s.Message = r.message(v, under(path, "message"), s.Channel)
	}
}

func (r *reader) recipients(list *yaml.Node, path string, by schema.Channel) []string {
	var out []string
	if by == schema.ChannelMail {
		for _, a := range r.addresses(list, path, maxRecipients, intake.ParseAddress) {
			out = append(out, a.address)
		}
		return out
	}
	for i, n := range r.items(list, path, maxRecipients) {
		at := index(path, i)
		name, ok := r.text(n, at)
		switch {
		case !ok || by != schema.ChannelWebhook: // of an unknown channel nothing more can be said
		case !webhookForm.MatchString(name):
			r.fault(n, at, "webhook_name", "a webhook is named by 1 to 63 lower-case letters, digits and dashes", "use the name that the configuration gives it")
		case slices.Contains(out, name):
			r.fault(n, at, "duplicate", "the webhook is named twice", "name it once")
		default:
			out = append(out, name)
		}
	}
	return out
}

func (r *reader) message(n *yaml.Node, path string, by schema.Channel) string {
	s := r.plain(n, path, maxMessage, true)
	if len(s) > 4*maxMessage { // was told
		return s
	}
	for _, bad := range strangers(s) {
		r.fault(n, path, "placeholder", "the placeholder "+quoted(bad)+" is unknown", "use one of: "+strings.Join(Placeholders(), ", "))
	}
	if subject, _, _ := strings.Cut(s, "\n"); by == schema.ChannelMail && len([]rune(subject)) > maxTitle {
		r.fault(n, path, "subject", "the first line, which is the mail's subject, is longer than 200 characters", "begin with a short line, then go on on the next")
	}
	return s
}
