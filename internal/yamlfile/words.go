package yamlfile

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Distinct reads a list of 1 to most values that all differ.
func (r *Reader) Distinct(list *yaml.Node, path string, most int, read func(n *yaml.Node, path string) (string, bool)) []string {
	var out []string
	for i, n := range r.Items(list, path, most) {
		at := Index(path, i)
		one, ok := read(n, at)
		switch {
		case !ok:
		case slices.Contains(out, one):
			r.Fault(n, at, "duplicate", "it is named twice", "name it once")
		default:
			out = append(out, one)
		}
	}
	return out
}

// Word is one of the values allowed, or zero where the member is absent.
func Word[T ~string](r *Reader, m map[string]*yaml.Node, path, member string, allowed ...T) T {
	return T(r.Optional(m, path, member, Words(allowed)...))
}

// Words are values as texts.
func Words[T ~string](list []T) []string {
	var out []string
	for _, t := range list {
		out = append(out, string(t))
	}
	return out
}

// Chosen reads a list of words, in the order in which they are allowed. Refused
// has the words that exist and may not stand there, with the reason.
func Chosen[T ~string](r *Reader, list *yaml.Node, path string, allowed []T, refused map[T]string) []T {
	named := r.Distinct(list, path, len(allowed)+len(refused), func(n *yaml.Node, at string) (string, bool) {
		if why := refused[T(n.Value)]; why != "" && IsText(n) {
			r.Fault(n, at, "refused", why, "use one of: "+strings.Join(Words(allowed), ", "))
			return "", false
		}
		word := r.Choice(n, at, Words(allowed)...)
		return word, word != ""
	})
	return slices.DeleteFunc(slices.Clone(allowed), func(one T) bool { return !slices.Contains(named, string(one)) })
}

// maxConnections is how many connections one file may name.
const maxConnections = 50

// connectionForm is the form of a connection's name.
var connectionForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// Connections reads a list of names of connections, and sorts it.
func (r *Reader) Connections(list *yaml.Node, path string) []string {
	out := r.Distinct(list, path, maxConnections, r.Connection)
	slices.Sort(out)
	return out
}

// Connection reads the name of a connection.
func (r *Reader) Connection(n *yaml.Node, path string) (string, bool) {
	name, ok := r.Text(n, path)
	if ok && !connectionForm.MatchString(name) {
		r.Fault(n, path, "name", "this is not the name of a connection", "write a name that sendoff connections list shows")
		return "", false
	}
	return name, ok
}

// Child finds a node below another that was read before, or returns the last on
// the way there.
func Child(n *yaml.Node, path ...string) *yaml.Node {
	for _, key := range path {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if IsText(n.Content[i]) && n.Content[i].Value == key {
				n = n.Content[i+1]
				break
			}
		}
	}
	return n
}
