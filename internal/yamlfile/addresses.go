package yamlfile

import "go.yaml.in/yaml/v4"

// Address reads one address, or what else parse takes.
func (r *Reader) Address(n *yaml.Node, path string, parse func(string) (string, error)) (string, bool) {
	s, ok := r.Text(n, path)
	if !ok {
		return "", false
	}
	address, err := parse(s)
	if err != nil {
		r.Fault(n, path, "email_syntax", err.Error(), "write the address alone")
		return "", false
	}
	return address, true
}

// Addresses reads a list of 1 to most different addresses, or what else parse takes.
func (r *Reader) Addresses(list *yaml.Node, path string, most int, parse func(string) (string, error)) []string {
	var out []string
	first := map[string]string{}
	for i, n := range r.Items(list, path, most) {
		at := Index(path, i)
		address, ok := r.Address(n, at, parse)
		if !ok {
			continue
		}
		if other, twice := first[address]; twice {
			r.Fault(n, at, "duplicate", "the same address as "+other, "name it once")
			continue
		}
		first[address] = at
		out = append(out, address)
	}
	return out
}
