package accessreview

import (
	"time"

	"go.yaml.in/yaml/v4"

	"sendoff/internal/intake"
	"sendoff/internal/template"
	"sendoff/internal/yamlfile"
	"sendoff/schema"
)

// The head that every file of an access review has.
const (
	APIVersion = yamlfile.APIVersion
	Kind       = "AccessReview"
)

// MaxBytes is the size of the largest file, in bytes.
const MaxBytes = yamlfile.MaxBytes

const (
	maxDepth = 16 // a review needs seven levels
	maxLoad  = 100_000
	day      = 24 * time.Hour
)

// What a file that leaves it out says.
const (
	DefaultDue         = 14 * day
	DefaultEscalateFor = 3 * day
	DefaultWatch       = 90 * day
	DefaultMinItems    = 20
	DefaultMinSeconds  = 3
	DefaultApproveAll  = 98 // percent
	DefaultAgainst     = 60 // percent
)

// Report is what reading a file found. A review with errors is not usable; one
// with warnings alone is.
type Report = yamlfile.Report

// reviewReader reads one file.
type reviewReader struct {
	*yamlfile.Reader
	now time.Time
}

// Parse reads the access review of that file name; now tells which of its dates
// have passed. The rule is complete only without errors in the report.
func Parse(file string, source []byte, now time.Time) (schema.AccessReviewRule, Report) {
	r := reviewReader{yamlfile.New(file, "the access review is not usable"), now}
	root := r.Load(source, MaxBytes, maxDepth)
	if root == nil {
		return schema.AccessReviewRule{}, r.Report()
	}
	rule := r.document(root)
	return rule, r.Report()
}

func (r reviewReader) document(root *yaml.Node) schema.AccessReviewRule {
	var rule schema.AccessReviewRule
	m := r.Mapping(root, "", "apiVersion", "kind", "name", "title", "owner", "scope", "freshness", "schedule", "events", "reviewers", "owners",
		"load_cap", "decisions", "time", "quality", "effect", "watch")
	if m == nil {
		return rule
	}
	r.Constant(root, m, "apiVersion", APIVersion)
	r.Constant(root, m, "kind", Kind)
	rule.Name = template.ReadName(r.Reader, root, m["name"], "the access review", "quarterly-box")
	if n := m["title"]; n != nil {
		rule.Title = r.Line(n, "title")
	}
	if n := r.Need(root, m, "", "owner", "write the mail address of who signs the campaigns"); n != nil {
		rule.Owner, _ = r.Address(n, "owner", intake.ParseAddress)
	}
	rule.Scope = r.scope(root, m["scope"])
	rule.Freshness = r.freshness(m["freshness"])
	rule.Schedule = r.Schedule(m["schedule"], r.now)
	if n := m["events"]; n != nil {
		rule.Events = yamlfile.Chosen(r.Reader, n, "events", []schema.CampaignTrigger{schema.CampaignMover, schema.CampaignPrivileged}, nil)
	}
	rule.Stages = r.stages(m["reviewers"])
	rule.Owners = r.owners(m["owners"])
	if n := m["load_cap"]; n != nil {
		rule.LoadCap, _ = r.Integer(n, "load_cap", 1, maxLoad)
	}
	rule.Decisions = r.decisions(m["decisions"])
	rule.Time = r.time(m["time"])
	rule.Quality = r.quality(m["quality"])
	rule.Effect = r.effect(root, m["effect"])
	rule.Watch = r.watch(m["watch"])
	linter{r.Reader, rule, m}.lint()
	return rule
}

// watch reads how long access that was removed is looked for.
func (r reviewReader) watch(n *yaml.Node) time.Duration {
	if n == nil {
		return DefaultWatch
	}
	d, ok := r.Duration(n, "watch")
	if ok && d == 0 {
		r.Warn(n, "watch", "unwatched", "nobody notices when access that was removed comes back", "write for example 90d")
	}
	return d
}

// length reads a duration that is not 0.
func (r reviewReader) length(n *yaml.Node, path, why, example string) time.Duration {
	d, ok := r.Duration(n, path)
	if ok && d == 0 {
		r.Fault(n, path, "zero", why, "write for example "+example)
	}
	return d
}

// truth reads a member that is true or false.
func (r reviewReader) truth(m map[string]*yaml.Node, path, member string, to *bool) {
	if n := m[member]; n != nil {
		*to = r.Truth(n, yamlfile.Under(path, member))
	}
}

// number reads a whole number of a range into a member.
func (r reviewReader) number(m map[string]*yaml.Node, path, member string, least, most int, to *int) {
	if n := m[member]; n != nil {
		*to, _ = r.Integer(n, yamlfile.Under(path, member), least, most)
	}
}
