package inactivity

import (
	"time"

	"go.yaml.in/yaml/v4"

	"sendoff/internal/yamlfile"
	"sendoff/schema"
)

// TestKind is the kind of a file that says what policies come to.
const TestKind = "InactivityPolicyTest"

// MaxTestBytes is the size of the largest such file, in bytes.
const MaxTestBytes = 1 << 20

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
	set   Set
	first map[string]string // file by the name of its policy
}

// ReadSet reads all policies and tests of a directory, and says all that is wrong
// with any of them. A set without a policy is a fault: applied, it would pause
// every policy that came from there.
func ReadSet(dir string) (Set, Report) {
	s := &setReader{first: map[string]string{}}
	d := yamlfile.ReadDirectory(dir, "policies", "the policies are not usable", MaxTestBytes, s.file)
	if len(s.set.Policies) == 0 && len(d.Report().Errors) == 0 {
		d.Fault(dir, "empty", "there is no policy in the directory", "name the directory of the policies; its files end in .yaml or .yml")
	}
	return s.set, d.Report()
}

func (s *setReader) file(d *yamlfile.Directory, name string, root *yaml.Node, source []byte) {
	switch yamlfile.KindOf(root) {
	case Kind:
		s.policy(d, name, source)
	case TestKind:
		s.set.Tests = append(s.set.Tests, SetTest{File: name, Source: source})
	default:
		r := yamlfile.New(name, "")
		r.Fault(root, "kind", "unknown_version", "the file is neither a policy nor a test of policies", "write kind: "+Kind+" or kind: "+TestKind+", or move it away")
		d.Add(r.Report())
	}
}

func (s *setReader) policy(d *yamlfile.Directory, name string, source []byte) {
	rule, report := Parse(name, source, time.Now())
	d.Add(report)
	if other := s.first[rule.Name]; other != "" && rule.Name != "" {
		d.Fault(name, "duplicate", "the policy "+rule.Name+" is also in "+other, "keep one of them")
		return
	}
	s.first[rule.Name] = name
	if report.Err() == nil {
		s.set.Policies = append(s.set.Policies, SetPolicy{name, schema.PolicyFile{Rule: rule, Source: string(source)}})
	}
}
