package template

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"sendoff/internal/intake"
	"sendoff/internal/yamlfile"
	"sendoff/schema"
)

const (
	maxSteps      = 40
	maxRecipients = 20
	maxMessage    = 10_000 // characters
)

var webhookForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// stepReader reads the steps of one file.
type stepReader struct {
	*yamlfile.Reader
	now time.Time
}

func (f Flow) steps(r *yamlfile.Reader) Steps {
	if f.Steps == nil {
		r.Fault(f.Root, f.stepsPath(), "required", f.Of+" has no steps", "write "+cmp.Or(f.Member, "steps")+": and begin with - snapshot")
		return nil
	}
	var out Steps
	read := stepReader{r, f.Now}
	for i, n := range r.Items(f.Steps, f.stepsPath(), maxSteps) {
		out = append(out, read.step(n, yamlfile.Index(f.stepsPath(), i)))
	}
	return out
}

// step reads one step: its kind alone, or a map of its kind to its parameters.
func (r stepReader) step(n *yaml.Node, path string) Placed {
	s := Placed{Node: n, Path: path}
	switch {
	case yamlfile.IsText(n):
		s.Kind = schema.StepKind(n.Value)
	case n.Kind == yaml.MappingNode && len(n.Content) == 2 && yamlfile.IsText(n.Content[0]):
		s.Kind = schema.StepKind(n.Content[0].Value)
	default:
		r.Fault(n, path, "step", "a step is its kind alone or one kind with its parameters", "write for example - suspend, or - wait: {for: 30d}")
		return s
	}
	if !slices.Contains(writable(), s.Kind) {
		r.Fault(n, path, "unknown_step", "there is no step "+yamlfile.Quoted(string(s.Kind)), "use one of: "+kindNames())
		return s
	}
	s.Known = true
	if n.Kind == yaml.ScalarNode {
		r.bare(&s)
		return s
	}
	r.parameters(&s, n.Content[1], yamlfile.Under(path, string(s.Kind)))
	return s
}

// writable are the kinds that a file may name. A role is taken away by access
// reviews alone, which know the one that the account has.
func writable() []schema.StepKind {
	return slices.DeleteFunc(schema.StepKinds(), func(k schema.StepKind) bool { return k == schema.StepSetRole })
}

func kindNames() string {
	var names []string
	for _, k := range writable() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// bare refuses the kinds that say nothing without parameters.
func (r stepReader) bare(s *Placed) {
	switch s.Kind {
	case schema.StepNotify:
		r.Fault(s.Node, s.Path, "required", "nobody is told and nothing is said", "write - notify: {channel: mail, to: [...], message: ...}")
	case schema.StepManual:
		r.Fault(s.Node, s.Path, "required", "nobody knows what to do", "write - manual: {title: ..., owner: ..., due: 3d}")
	}
}

func (r stepReader) parameters(s *Placed, n *yaml.Node, path string) {
	switch s.Kind {
	case schema.StepTransfer:
		if m := r.Some(n, path, "inactive_source"); m != nil {
			s.Reactivate = r.Optional(m, path, "inactive_source", "park", "reactivate") == "reactivate"
		}
	case schema.StepWait:
		r.wait(s, n, path)
	case schema.StepDelete:
		if m := r.Some(n, path, "trash"); m != nil {
			s.Trash = schema.TrashRule(r.Optional(m, path, "trash", string(schema.TrashKeep), string(schema.TrashDiscard)))
		}
	case schema.StepNotify:
		r.notify(s, n, path)
	case schema.StepManual:
		r.manual(s, n, path)
	default:
		r.Fault(n, path, "no_parameters", "the step has no parameters", "write - "+string(s.Kind))
	}
}

func (r stepReader) wait(s *Placed, n *yaml.Node, path string) {
	m := r.Some(n, path, "for", "until")
	length, instant := m["for"], m["until"]
	if length != nil && instant != nil {
		r.Fault(instant, path, "exclusive", "a wait has a length or an end, not both", "keep for or until")
		return
	}
	if length != nil {
		s.WaitSeconds = r.duration(length, yamlfile.Under(path, "for"))
	}
	if instant != nil {
		s.Until = r.until(instant, yamlfile.Under(path, "until"))
	}
}

func (r stepReader) manual(s *Placed, n *yaml.Node, path string) {
	m := r.Mapping(n, path, "title", "owner", "due")
	if m == nil {
		return
	}
	if v := r.Need(n, m, path, "title", "say in one line what has to be done"); v != nil {
		s.Title = r.Line(v, yamlfile.Under(path, "title"))
	}
	if v := r.Need(n, m, path, "owner", "say who does it"); v != nil {
		s.Owner = r.Line(v, yamlfile.Under(path, "owner"))
	}
	if v := r.Need(n, m, path, "due", "say within which time, such as 3d"); v != nil {
		s.WaitSeconds = r.duration(v, yamlfile.Under(path, "due"))
	}
}

func (r stepReader) notify(s *Placed, n *yaml.Node, path string) {
	m := r.Mapping(n, path, "channel", "to", "message")
	if m == nil {
		return
	}
	if v := r.Need(n, m, path, "channel", "write mail or webhook"); v != nil {
		s.Channel = schema.Channel(r.Choice(v, yamlfile.Under(path, "channel"), string(schema.ChannelMail), string(schema.ChannelWebhook)))
	}
	if v := r.Need(n, m, path, "to", "name who is told"); v != nil {
		s.To = r.recipients(v, yamlfile.Under(path, "to"), s.Channel)
	}
	if v := r.Need(n, m, path, "message", "write what they are told; its first line is a mail's subject"); v != nil {
		s.Message = r.message(v, yamlfile.Under(path, "message"), s.Channel)
	}
}

func (r stepReader) recipients(list *yaml.Node, path string, by schema.Channel) []string {
	if by == schema.ChannelMail {
		return r.Addresses(list, path, maxRecipients, intake.ParseAddress)
	}
	var out []string
	for i, n := range r.Items(list, path, maxRecipients) {
		at := yamlfile.Index(path, i)
		name, ok := r.Text(n, at)
		switch {
		case !ok || by != schema.ChannelWebhook: // of an unknown channel nothing more can be said
		case !webhookForm.MatchString(name):
			r.Fault(n, at, "webhook_name", "a webhook is named by 1 to 63 lower-case letters, digits and dashes", "use the name that the configuration gives it")
		case slices.Contains(out, name):
			r.Fault(n, at, "duplicate", "the webhook is named twice", "name it once")
		default:
			out = append(out, name)
		}
	}
	return out
}

func (r stepReader) message(n *yaml.Node, path string, by schema.Channel) string {
	s, _ := r.Plain(n, path, maxMessage, true)
	if len(s) > 4*maxMessage { // was told
		return s
	}
	for _, bad := range strangers(s) {
		r.Fault(n, path, "placeholder", "the placeholder "+yamlfile.Quoted(bad)+" is unknown", "use one of: "+strings.Join(Placeholders(), ", "))
	}
	if subject, _, _ := strings.Cut(s, "\n"); by == schema.ChannelMail && len([]rune(subject)) > yamlfile.MaxLine {
		r.Fault(n, path, "subject", "the first line, which is the mail's subject, is longer than 200 characters", "begin with a short line, then go on on the next")
	}
	return s
}

// duration returns a length in seconds that is not 0.
func (r stepReader) duration(n *yaml.Node, path string) int64 {
	d, ok := r.Duration(n, path)
	if ok && d == 0 {
		r.Fault(n, path, "zero", "the duration is 0: nothing would be waited for", "give it a length such as 30d, or remove the step")
	}
	return int64(d / time.Second)
}

// until returns an instant in UTC as RFC 3339.
func (r stepReader) until(n *yaml.Node, path string) string {
	t, ok := r.Instant(n, path)
	switch {
	case !ok:
		return ""
	case t.Sub(r.now) > yamlfile.Longest:
		r.Fault(n, path, "too_long", "the instant is more than five years away", "choose an earlier one")
	case !t.After(r.now):
		r.Warn(n, path, "past", "the instant has passed: the wait ends at once", "choose a later one, or remove the step")
	}
	return t.UTC().Format(time.RFC3339)
}
