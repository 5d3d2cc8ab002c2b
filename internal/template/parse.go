package template

import (
	"regexp"
	"time"

	"go.yaml.in/yaml/v4"

	"sendoff/internal/intake"
	"sendoff/internal/yamlfile"
	"sendoff/schema"
)

// The head that every template file has.
const (
	APIVersion = yamlfile.APIVersion
	Kind       = "Template"
)

// MaxBytes is the size of the largest template file, in bytes.
const MaxBytes = yamlfile.MaxBytes

const (
	maxDepth     = 16 // a template needs five levels
	maxReceivers = 20
	maxApprovals = 2
)

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

// Report is what reading a file found. A template with errors is not usable;
// one with warnings alone is.
type Report = yamlfile.Report

// reader reads one template file.
type reader struct{ *yamlfile.Reader }

// Parse reads the template file of that name. Where its waits end at an instant,
// now tells whether that has passed. The template is complete only without
// errors in the report.
func Parse(file string, source []byte, now time.Time) (schema.Template, Report) {
	r := reader{yamlfile.New(file, "the template is not usable")}
	root := r.Load(source, MaxBytes, maxDepth)
	if root == nil {
		return schema.Template{}, r.Report()
	}
	t := r.document(root, now)
	t.Source = string(source)
	return t, r.Report()
}

func (r reader) document(root *yaml.Node, now time.Time) schema.Template {
	var t schema.Template
	const allow = "allow_delete_without_transfer"
	m := r.Mapping(root, "", "apiVersion", "kind", "name", "title", "approvals", "receivers", "archive", "moment", allow, "steps")
	if m == nil {
		return t
	}
	r.Constant(root, m, "apiVersion", APIVersion)
	r.Constant(root, m, "kind", Kind)
	t.Name = r.name(root, m)
	if n := m["title"]; n != nil {
		t.Title = r.Line(n, "title")
	}
	t.Approvals = ReadApprovals(r.Reader, m["approvals"], 0)
	if n := m["moment"]; n != nil {
		t.Moment = r.moment(n, "moment")
	}
	f := Flow{
		Of: "the template", Root: root, Steps: m["steps"], Receivers: m["receivers"], Archive: m["archive"], Approvals: t.Approvals, Now: now,
		Allow: m[allow], AllowPath: allow, AllowText: allow + ": true",
	}
	if f.Allow != nil {
		f.Allowed = r.Truth(f.Allow, allow)
	}
	steps, receivers := ReadFlow(r.Reader, f)
	t.Steps, t.Receivers = steps.Facts(), receivers
	return t
}

// ReadName reads what a document is named by, nil = absent: "" is no name.
func ReadName(r *yamlfile.Reader, root, n *yaml.Node, of, example string) string {
	if n == nil {
		r.Fault(root, "name", "required", of+" has no name", "write for example name: "+example)
		return ""
	}
	name, ok := r.Text(n, "name")
	if !ok {
		return ""
	}
	if !nameForm.MatchString(name) {
		r.Fault(n, "name", "name", "a name has 1 to 63 lower-case letters, digits and dashes and begins with a letter", "choose such a name, for example "+example)
		return ""
	}
	return name
}

func (r reader) name(root *yaml.Node, m map[string]*yaml.Node) string {
	name := ReadName(r.Reader, root, m["name"], "the template", "contractor")
	if _, builtin := schema.FindTemplate(name); builtin {
		r.Fault(m["name"], "name", "builtin", "the template "+name+" is built in and cannot be replaced: who reads that name in a case must know what was done",
			"choose another name, for example "+name+"-own")
	}
	return name
}

// ReadApprovals reads how many must approve; otherwise is what an absent member means.
func ReadApprovals(r *yamlfile.Reader, n *yaml.Node, otherwise int) int {
	if n == nil {
		return otherwise
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || len(n.Value) != 1 || n.Value[0] < '0' || n.Value[0] > '0'+maxApprovals {
		r.Fault(n, "approvals", "out_of_range", "the number of approvals is not 0, 1 or 2", "write 0, 1 or 2")
		return otherwise
	}
	return int(n.Value[0] - '0')
}

// receivers returns the receivers in order, the archive account last.
func (f Flow) receivers(r *yamlfile.Reader) []string {
	var all []string
	if f.Receivers != nil {
		all = r.Addresses(f.Receivers, yamlfile.Under(f.At, "receivers"), maxReceivers, intake.ParseReceiver)
	}
	if f.Archive == nil {
		return all
	}
	address, ok := r.Address(f.Archive, yamlfile.Under(f.At, "archive"), intake.ParseAddress)
	if !ok {
		return all
	}
	for _, other := range all {
		if other == address {
			r.Fault(f.Archive, yamlfile.Under(f.At, "archive"), "duplicate", "the archive account stands among the receivers", "name it once")
			return all
		}
	}
	return append(all, address)
}
