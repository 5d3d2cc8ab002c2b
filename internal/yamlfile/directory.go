package yamlfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v4"

	"sendoff/schema"
)

const (
	maxFiles  = 500 // of one directory
	kindDepth = 16  // every kind of file nests less deep
)

// Directory is one whose files are read together: it keeps what is wrong with any
// of them.
type Directory struct {
	Path    string
	Of      string // what the files say, for messages: "policies"
	Largest int    // bytes of a file of any kind
	found   Report
}

// ReadDirectory reads the YAML files of a directory in the order of their names and
// hands each to read, with the kind that it says it is. Unusable is what the
// report of a directory with errors says.
func ReadDirectory(path, of, unusable string, largest int, read func(d *Directory, file string, root *yaml.Node, source []byte)) *Directory {
	d := &Directory{Path: path, Of: of, Largest: largest, found: New(path, unusable).Report()}
	entries, err := os.ReadDir(path)
	if err != nil {
		d.Fault(path, "unreadable", "the directory cannot be read", "name a directory that exists and may be read")
		return d
	}
	files := slices.DeleteFunc(slices.Clone(entries), func(e fs.DirEntry) bool { return !isYAML(e.Name()) })
	if len(files) > maxFiles {
		d.Fault(path, "too_many", "the directory holds more than 500 files", "split it")
		return d
	}
	for _, e := range entries {
		name := filepath.Join(path, e.Name())
		switch {
		case isYAML(e.Name()):
			if root, source := d.load(name, e); root != nil {
				read(d, name, root, source)
			}
		case e.IsDir() && e.Name()[0] != '.':
			d.warn(name, "not_read", "directories below this one are not read", "put "+of+" into the directory itself")
		}
	}
	return d
}

// KindOf is the kind that a file says it is.
func KindOf(root *yaml.Node) string {
	if root.Kind != yaml.MappingNode {
		return ""
	}
	return Child(root, "kind").Value
}

// Report is what was found in all files.
func (d *Directory) Report() Report { return d.found }

// Fault notes an error of a file.
func (d *Directory) Fault(file, code, message, fix string) {
	d.found.Errors = append(d.found.Errors, schema.Problem{Where: file, Code: code, Message: message, Fix: fix})
}

// Add notes what reading a file found.
func (d *Directory) Add(r Report) {
	d.found.Errors = append(d.found.Errors, r.Errors...)
	d.found.Warnings = append(d.found.Warnings, r.Warnings...)
}

func (d *Directory) warn(file, code, message, fix string) {
	d.found.Warnings = append(d.found.Warnings, schema.Problem{Where: file, Code: code, Message: message, Fix: fix})
}

func isYAML(name string) bool {
	return filepath.Ext(name) == ".yaml" || filepath.Ext(name) == ".yml"
}

func (d *Directory) load(name string, e fs.DirEntry) (*yaml.Node, []byte) {
	if e.Type() != 0 {
		d.Fault(name, "not_a_file", "this is a link, a directory or a device, not a file", "put the file itself there")
		return nil, nil
	}
	source, err := readWhole(name, d.Largest)
	if err != nil {
		d.Fault(name, "unreadable", "the file cannot be read", "give whoever runs this the right to read it, or move it away")
		return nil, nil
	}
	r := New(name, "")
	root := r.Load(source, d.Largest, kindDepth)
	if root == nil {
		d.Add(r.Report())
	}
	return root, source
}

// readWhole reads a file, and one byte more than the largest may have. It is the
// file that the directory named: a link put in its place since is refused.
func readWhole(name string, largest int) ([]byte, error) {
	named, err := os.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !named.Mode().IsRegular() {
		return nil, errors.New("not a file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	opened, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !os.SameFile(named, opened) {
		return nil, errors.New("another file")
	}
	return io.ReadAll(io.LimitReader(f, int64(largest)+1))
}
