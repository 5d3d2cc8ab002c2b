package inactivity

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.yaml.in/yaml/v4"

	"sendoff/internal/yamlfile"
	"sendoff/schema"
)

// TestKind is the kind of a file that says what policies come to.
const TestKind = "InactivityPolicyTest"

// MaxTestBytes is the size of the largest such file, in bytes.
const MaxTestBytes = 1 << 20

// maxFiles bounds what one set is made of.
const maxFiles = 500

// Set is what a directory of files says.
type Set struct {
	Policies []SetPolicy // in the order of their files
	Tests    []SetTest
}

// SetPolicy is a policy with the file that it is from.
type SetPolicy struct {
	File string
	schema.PolicyFile
}

// SetTest is a file of tests that was not read yet.
type SetTest struct {
	File   string
	Source []byte
}

// Files are the policies without the names of their files.
func (s Set) Files() []schema.PolicyFile {
	var out []schema.PolicyFile
	for _, p := range s.Policies {
		out = append(out, p.PolicyFile)
	}
	return out
}

// setReader reads the files of one directory.
type setReader struct {
	dir   string
	set   Set
	found Report
	first map[string]string // file by the name of its policy
}

// ReadSet reads all policies and tests of a directory, and says all that is wrong
// with any of them. A set without a policy is a fault: applied, it would pause
// every policy that came from there.
func ReadSet(dir string) (Set, Report) {
	s := &setReader{dir: dir, first: map[string]string{}}
	s.found = yamlfile.New(dir, "the policies are not usable").Report()
	entries, err := os.ReadDir(dir)
	if err != nil {
		s.fault(dir, "unreadable", "the directory cannot be read", "name a directory that exists and may be read")
		return s.set, s.found
	}
	files := slices.DeleteFunc(slices.Clone(entries), func(e fs.DirEntry) bool { return !isYAML(e.Name()) })
	if len(files) > maxFiles {
		s.fault(dir, "too_many", "the directory holds more than 500 files", "split it")
		return s.set, s.found
	}
	for _, e := range entries {
		switch {
		case isYAML(e.Name()):
			s.file(filepath.Join(dir, e.Name()), e)
		case e.IsDir() && e.Name()[0] != '.':
			s.warn(filepath.Join(dir, e.Name()), "not_read", "directories below this one are not read", "put policies into the directory itself")
		}
	}
	if len(s.set.Policies) == 0 && len(s.found.Errors) == 0 {
		s.fault(dir, "empty", "there is no policy in the directory", "name the directory of the policies; its files end in .yaml or .yml")
	}
	return s.set, s.found
}

func isYAML(name string) bool {
	return filepath.Ext(name) == ".yaml" || filepath.Ext(name) == ".yml"
}

func (s *setReader) fault(file, code, message, fix string) {
	s.found.Errors = append(s.found.Errors, schema.Problem{Where: file, Code: code, Message: message, Fix: fix})
}

func (s *setReader) warn(file, code, message, fix string) {
	s.found.Warnings = append(s.found.Warnings, schema.Problem{Where: file, Code: code, Message: message, Fix: fix})
}

func (s *setReader) add(r Report) {
	s.found.Errors = append(s.found.Errors, r.Errors...)
	s.found.Warnings = append(s.found.Warnings, r.Warnings...)
}

func (s *setReader) file(name string, e fs.DirEntry) {
	if e.Type() != 0 {
		s.fault(name, "not_a_file", "this is a link, a directory or a device, not a file", "put the file itself there")
		return
	}
	source, err := readWhole(name)
	if err != nil {
		s.fault(name, "unreadable", "the file cannot be read", "give whoever runs this the right to read it, or move it away")
		return
	}
	r := yamlfile.New(name, "")
	root := r.Load(source, MaxTestBytes, maxDepth)
	if root == nil {
		s.add(r.Report())
		return
	}
	switch kindOf(root) {
	case Kind:
		s.policy(name, source)
	case TestKind:
		s.set.Tests = append(s.set.Tests, SetTest{File: name, Source: source})
	default:
		r.Fault(root, "kind", "unknown_version", "the file is neither a policy nor a test of policies", "write kind: "+Kind+" or kind: "+TestKind+", or move it away")
		s.add(r.Report())
	}
}

func kindOf(root *yaml.Node) string {
	if root.Kind != yaml.MappingNode {
		return ""
	}
	return childOf(root, "kind").Value
}

func (s *setReader) policy(name string, source []byte) {
	rule, report := Parse(name, source, time.Now())
	s.add(report)
	if other := s.first[rule.Name]; other != "" && rule.Name != "" {
		s.fault(name, "duplicate", "the policy "+rule.Name+" is also in "+other, "keep one of them")
		return
	}
	s.first[rule.Name] = name
	if report.Err() == nil {
		s.set.Policies = append(s.set.Policies, SetPolicy{name, schema.PolicyFile{Rule: rule, Source: string(source)}})
	}
}

// readWhole reads a file, and one byte more than the largest may have. It is the
// file that the directory named: a link put in its place since is refused.
func readWhole(name string) ([]byte, error) {
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
	return io.ReadAll(io.LimitReader(f, MaxTestBytes+1))
}
