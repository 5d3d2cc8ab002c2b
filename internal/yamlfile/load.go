package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// MaxBytes is the size of the largest file that people write, in bytes.
const MaxBytes = 64 << 10

// Load returns the one document of a file of at most so many bytes that nests at
// most so deep, or nil when there is none to read.
func (r *Reader) Load(source []byte, largest, deepest int) *yaml.Node {
	if len(source) > largest {
		r.Whole("too_large", fmt.Sprintf("the file is larger than %d KiB", largest>>10), "such files are a few dozen lines; check the path")
		return nil
	}
	l, err := yaml.NewLoader(bytes.NewReader(source), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(deepest))))
	if err != nil {
		r.Whole("internal", "the reader cannot be made", "report this")
		return nil
	}
	var root, more yaml.Node
	switch err := l.Load(&root); {
	case errors.Is(err, io.EOF):
		r.Whole("empty", "the file is empty", "begin with: apiVersion: "+APIVersion)
		return nil
	case err != nil:
		r.syntax(err)
		return nil
	}
	if err := l.Load(&more); !errors.Is(err, io.EOF) {
		r.Fault(&more, "", "documents", "the file has more than one document", "keep one of them; write the others into files of their own")
		return nil
	}
	top := &root
	if root.Kind == yaml.DocumentNode && len(root.Content) == 1 {
		top = root.Content[0]
	}
	if r.aliases(top); len(r.errors) > 0 {
		return nil
	}
	r.source = strings.Split(string(source), "\n")
	return top
}

// aliases refuses them: what a file says must stand where it is said.
func (r *Reader) aliases(n *yaml.Node) {
	if n.Kind == yaml.AliasNode {
		r.Fault(n, "", "alias", "an alias stands for another part of the file", "write that part out")
		return
	}
	for _, c := range n.Content {
		r.aliases(c)
	}
}

// syntax reports what is not YAML. The library's text may repeat the file's, so
// its place alone is kept.
func (r *Reader) syntax(err error) {
	at := yaml.Node{}
	var e *yaml.LoadError
	if errors.As(err, &e) {
		at.Line, at.Column = e.Mark.Line, e.Mark.Column
	}
	r.Fault(&at, "", "yaml", "this is not YAML, or nests too deep", "check indentation, quotes and colons")
}

// Constant checks a member that has one value alone, such as the file's kind.
func (r *Reader) Constant(root *yaml.Node, m map[string]*yaml.Node, key, want string) {
	n := m[key]
	switch {
	case n == nil:
		r.Fault(root, key, "required", "the member is missing", "write "+key+": "+want)
	case !IsText(n) || n.Value != want:
		r.Fault(n, key, "unknown_version", "this program does not read such files", "write "+key+": "+want)
	}
}
