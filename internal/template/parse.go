package template

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"time"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"

	"sendoff/internal/intake"
	"sendoff/schema"
)

// The head that every template file has.
const (
	APIVersion = "sendoff/v1"
	Kind       = "Template"
)

// MaxBytes is the size of the largest template file, in bytes.
const MaxBytes = 64 << 10

const (
	maxDepth     = 16 // a template needs five levels
	maxSteps     = 40
	maxReceivers = 20
	maxApprovals = 2
	maxTitle     = 200 // characters
	maxMessage   = 10_000
	maxWait      = 5 * 365 * 24 * time.Hour
)

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

// Report is what reading a file found. A template with errors is not usable;
// one with warnings alone is.
type Report struct {
	Errors   []schema.Problem
	Warnings []schema.Problem
}

// Err is nil for a report without errors, else a schema.Error with CodeInvalid
// and every one of them.
func (r Report) Err() error {
	if len(r.Errors) == 0 {
		return nil
	}
	return &schema.Error{Code: schema.CodeInvalid, Message: "the template is not usable", Problems: r.Errors}
}

// document is a file as it was read, with where its parts stand.
type document struct {
	template schema.Template
	// receivers and allow are the nodes of those members; nil = absent.
	receivers, archive, allow *yaml.Node
	allowDelete               bool
	steps                     []placed
	stepList                  *yaml.Node
}

// placed is a step and where it stands.
type placed struct {
	schema.StepFact
	node *yaml.Node
	path string
	ok   bool // whether the kind is known
}

// Parse reads the template file of that name. Where its waits end at an instant,
// now tells whether that has passed. The template is complete only without
// errors in the report.
func Parse(file string, source []byte, now time.Time) (schema.Template, Report) {
	r := &reader{file: file, now: now}
	root := r.load(source)
	if root == nil {
		return schema.Template{}, r.report
	}
	d := r.document(root)
	r.lint(&d)
	d.template.Source = string(source)
	for _, s := range d.steps {
		d.template.Steps = append(d.template.Steps, s.StepFact)
	}
	r.sort()
	return d.template, r.report
}

// load returns the file's one document, or nil when there is none to read.
func (r *reader) load(source []byte) *yaml.Node {
	if len(source) > MaxBytes {
		r.faultAt("", "too_large", "the file is larger than 64 KiB", "a template is a few dozen lines; check the path")
		return nil
	}
	l, err := yaml.NewLoader(bytes.NewReader(source),
		yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxDepth))))
	if err != nil {
		r.faultAt("", "internal", "the reader cannot be made", "report this")
		return nil
	}
	var root, more yaml.Node
	switch err := l.Load(&root); {
	case errors.Is(err, io.EOF):
		r.faultAt("", "empty", "the file is empty", "begin with: apiVersion: "+APIVersion)
		return nil
	case err != nil:
		r.syntax(err)
		return nil
	}
	if err := l.Load(&more); !errors.Is(err, io.EOF) {
		r.fault(&more, "", "documents", "the file has more than one document", "write each template into a file of its own")
		return nil
	}
	top := &root
	if root.Kind == yaml.DocumentNode && len(root.Content) == 1 {
		top = root.Content[0]
	}
	if r.aliases(top); len(r.report.Errors) > 0 {
		return nil
	}
	return top
}

// aliases refuses them: what a file says must stand where it is said.
func (r *reader) aliases(n *yaml.Node) {
	if n.Kind == yaml.AliasNode {
		r.fault(n, "", "alias", "an alias stands for another part of the file", "write that part out")
		return
	}
	for _, c := range n.Content {
		r.aliases(c)
	}
}

// syntax reports what is not YAML. The library's text may repeat the file's, so
// its place alone is kept.
func (r *reader) syntax(err error) {
	at := yaml.Node{}
	var e *yaml.LoadError
	if errors.As(err, &e) {
		at.Line, at.Column = e.Mark.Line, e.Mark.Column
	}
	r.fault(&at, "", "yaml", "this is not YAML, or nests too deep", "check indentation, quotes and colons")
}

func (r *reader) document(root *yaml.Node) document {
	var d document
	m := r.mapping(root, "", "apiVersion", "kind", "name", "title", "approvals", "receivers", "archive", "moment", "allow_delete_without_transfer", "steps")
	if m == nil {
		return d
	}
	r.constant(root, m, "apiVersion", APIVersion)
	r.constant(root, m, "kind", Kind)
	d.template.Name = r.name(root, m)
	if n := m["title"]; n != nil {
		d.template.Title = r.line(n, "title")
	}
	d.template.Approvals = r.approvals(m["approvals"])
	d.receivers, d.archive = m["receivers"], m["archive"]
	d.template.Receivers = r.everyReceiver(d.receivers, d.archive)
	if n := m["moment"]; n != nil {
		d.template.Moment = r.moment(n, "moment")
	}
	if d.allow = m["allow_delete_without_transfer"]; d.allow != nil {
		d.allowDelete = r.truth(d.allow, "allow_delete_without_transfer")
	}
	d.steps, d.stepList = r.steps(root, m["steps"]), m["steps"]
	return d
}

func (r *reader) constant(root *yaml.Node, m map[string]*yaml.Node, key, want string) {
	n := m[key]
	switch {
	case n == nil:
		r.fault(root, key, "required", "the member is missing", "write "+key+": "+want)
	case !isText(n) || n.Value != want:
		r.fault(n, key, "unknown_version", "this program does not read such files", "write "+key+": "+want)
	}
}

func (r *reader) name(root *yaml.Node, m map[string]*yaml.Node) string {
	n := m["name"]
	if n == nil {
		r.fault(root, "name", "required", "the template has no name", "write for example name: contractor")
		return ""
	}
	name, ok := r.text(n, "name")
	if !ok {
		return ""
	}
	if !nameForm.MatchString(name) {
		r.fault(n, "name", "name", "a name has 1 to 63 lower-case letters, digits and dashes and begins with a letter", "choose such a name, for example contractor")
		return ""
	}
	if _, builtin := schema.FindTemplate(name); builtin {
		r.fault(n, "name", "builtin", "the template "+name+" is built in and cannot be replaced: who reads that name in a case must know what was done",
			"choose another name, for example "+name+"-own")
	}
	return name
}

func (r *reader) approvals(n *yaml.Node) int {
	if n == nil {
		return 0
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || len(n.Value) != 1 || n.Value[0] < '0' || n.Value[0] > '0'+maxApprovals {
		r.fault(n, "approvals", "out_of_range", "the number of approvals is not 0, 1 or 2", "write 0, 1 or 2")
		return 0
	}
	return int(n.Value[0] - '0')
}

// everyReceiver returns the receivers in order, the archive account last.
func (r *reader) everyReceiver(list, archive *yaml.Node) []string {
	var all []string
	if list != nil {
		for _, a := range r.addresses(list, "receivers", maxReceivers, intake.ParseReceiver) {
			all = append(all, a.address)
		}
	}
	if archive == nil {
		return all
	}
	address, ok := r.address(archive, "archive", intake.ParseAddress)
	if !ok {
		return all
	}
	for _, other := range all {
		if other == address {
			r.fault(archive, "archive", "duplicate", "the archive account stands among the receivers", "name it once")
			return all
		}
	}
	return append(all, address)
}

// addressed is an address and where it stands.
type addressed struct{ address, path string }

// addresses reads a list of 1 to most different addresses, or what else parse takes.
func (r *reader) addresses(list *yaml.Node, path string, most int, parse func(string) (string, error)) []addressed {
	var out []addressed
	for i, n := range r.items(list, path, most) {
		at := index(path, i)
		address, ok := r.address(n, at, parse)
		for _, other := range out {
			if ok && other.address == address {
				r.fault(n, at, "duplicate", "the same address as "+other.path, "name it once")
				ok = false
			}
		}
		if ok {
			out = append(out, addressed{address, at})
		}
	}
	return out
}

func (r *reader) address(n *yaml.Node, path string, parse func(string) (string, error)) (string, bool) {
	s, ok := r.text(n, path)
	if !ok {
		return "", false
	}
	address, err := parse(s)
	if err != nil {
		r.fault(n, path, "email_syntax", err.Error(), "write the address alone")
		return "", false
	}
	return address, true
}
