package accessreview

import (
	"time"

	"go.yaml.in/yaml/v4"

	"sendoff/internal/yamlfile"
	"sendoff/schema"
)

// Set is what a directory of files says, in the order of the files.
type Set struct{ Reviews []SetReview }

// SetReview is an access review with the file that it is from.
type SetReview struct {
	File string
	schema.AccessReviewFile
}

// Files are the reviews without the names of their files.
func (s Set) Files() []schema.AccessReviewFile {
	var out []schema.AccessReviewFile
	for _, r := range s.Reviews {
		out = append(out, r.AccessReviewFile)
	}
	return out
}

// ReadSet reads all access reviews of a directory, and says all that is wrong with
// any of them. A set without one is a fault: applied, it would pause every review
// that came from there.
func ReadSet(dir string) (Set, Report) {
	var set Set
	first := map[string]string{} // file by the name of its review
	d := yamlfile.ReadDirectory(dir, "access reviews", "the access reviews are not usable", MaxBytes,
		func(d *yamlfile.Directory, name string, root *yaml.Node, source []byte) {
			if yamlfile.KindOf(root) != Kind {
				r := yamlfile.New(name, "")
				r.Fault(root, "kind", "unknown_version", "the file is no access review", "write kind: "+Kind+", or move it away")
				d.Add(r.Report())
				return
			}
			rule, report := Parse(name, source, time.Now())
			d.Add(report)
			if other := first[rule.Name]; other != "" && rule.Name != "" {
				d.Fault(name, "duplicate", "the access review "+rule.Name+" is also in "+other, "keep one of them")
				return
			}
			first[rule.Name] = name
			if report.Err() == nil {
				set.Reviews = append(set.Reviews, SetReview{name, schema.AccessReviewFile{Rule: rule, Source: string(source)}})
			}
		})
	if len(set.Reviews) == 0 && len(d.Report().Errors) == 0 {
		d.Fault(dir, "empty", "there is no access review in the directory", "name the directory of the access reviews; its files end in .yaml or .yml")
	}
	return set, d.Report()
}
