package inactivity

import (
	"math"
	"time"

	"go.yaml.in/yaml/v4"

	"sendoff/internal/intake"
	"sendoff/internal/yamlfile"
	"sendoff/schema"
)

const (
	maxCases    = 500
	maxTestList = 200 // groups, or attributes, of one account
	// alwaysCovered is how long a test's account is covered unless the case says
	// otherwise: longer than any threshold.
	alwaysCovered = 50 // years
)

// testReader reads one file of policy tests.
type testReader struct {
	*yamlfile.Reader
	file string
	now  time.Time
}

// ParseTests reads a file of policy tests. They are complete only without errors
// in the report.
func ParseTests(file string, source []byte) ([]PolicyTest, Report) {
	r := &testReader{Reader: yamlfile.New(file, "the policy tests are not usable"), file: file}
	root := r.Load(source, MaxTestBytes, maxDepth)
	if root == nil {
		return nil, r.Report()
	}
	tests := r.document(root)
	return tests, r.Report()
}

func (r *testReader) document(root *yaml.Node) []PolicyTest {
	m := r.Mapping(root, "", "apiVersion", "kind", "policy", "now", "cases")
	if m == nil {
		return nil
	}
	r.Constant(root, m, "apiVersion", yamlfile.APIVersion)
	r.Constant(root, m, "kind", TestKind)
	policy := ""
	if n := r.Need(root, m, "", "policy", "write the name of the policy that is tested"); n != nil {
		policy = r.Line(n, "policy")
	}
	if n := r.Need(root, m, "", "now", "write the instant that the accounts are judged at, for example 2026-06-01T00:00:00Z"); n != nil {
		r.now, _ = r.Instant(n, "now")
	}
	list := r.Need(root, m, "", "cases", "write at least one case")
	if list == nil {
		return nil
	}
	var tests []PolicyTest
	names := map[string]string{}
	for i, n := range r.Items(list, "cases", maxCases) {
		path := yamlfile.Index("cases", i)
		t := r.testCase(n, path)
		if first, twice := names[t.Case]; twice && t.Case != "" {
			r.Fault(n, yamlfile.Under(path, "name"), "duplicate", "the same name as "+first, "give each case a name of its own")
		}
		names[t.Case] = path
		t.Policy = policy
		tests = append(tests, t)
	}
	return tests
}

func (r *testReader) testCase(n *yaml.Node, path string) PolicyTest {
	t := PolicyTest{File: r.file, Where: r.Where(n, path), Now: r.now}
	m := r.Mapping(n, path, "name", "account", "activity", "person", "groups", "kept_at", "expect")
	if m == nil {
		return t
	}
	if name := r.Need(n, m, path, "name", "say in a few words what the case is"); name != nil {
		t.Case = r.Line(name, yamlfile.Under(path, "name"))
	}
	t.Subject = schema.Subject{
		Account: schema.Account{
			Login: "account@example.com", ExternalID: "1", Kind: schema.KindPerson, Role: schema.RoleMember, Status: schema.AccountActive,
		},
		Activity: schema.Activity{Source: "test", Covered: schema.Interval{From: r.now.AddDate(-alwaysCovered, 0, 0), To: r.now}},
	}
	if n := m["account"]; n != nil {
		r.account(n, yamlfile.Under(path, "account"), &t.Subject)
	}
	if n := m["activity"]; n != nil {
		r.activity(n, yamlfile.Under(path, "activity"), &t.Subject.Activity)
	}
	if n := m["person"]; n != nil {
		t.Subject.Person = r.person(n, yamlfile.Under(path, "person"))
	}
	if n := m["groups"]; n != nil {
		t.Subject.Groups = r.groups(n, yamlfile.Under(path, "groups"))
	}
	if n := m["kept_at"]; n != nil {
		t.Subject.KeptAt = r.when(n, yamlfile.Under(path, "kept_at"))
	}
	if n := r.Need(n, m, path, "expect", "write for example expect: {verdict: matched}"); n != nil {
		t.Want = r.expect(n, yamlfile.Under(path, "expect"))
	}
	return t
}

// when returns an instant, of a day alone its first in UTC.
func (r *testReader) when(n *yaml.Node, path string) time.Time {
	if d, err := schema.ParseDate(n.Value); n.Kind == yaml.ScalarNode && n.Value != "" && err == nil {
		return d.In(time.UTC)
	}
	at, _ := r.Instant(n, path)
	return at
}

// texts sets texts of one line by member.
func (r *testReader) texts(m map[string]*yaml.Node, path string, into map[string]*string) {
	for member, to := range into {
		if n := m[member]; n != nil {
			*to = r.Line(n, yamlfile.Under(path, member))
		}
	}
}

func (r *testReader) account(n *yaml.Node, path string, s *schema.Subject) {
	m := r.Mapping(n, path, "login", "name", "connection", "external_id", "kind", "role", "status", "vendor_status", "created_at", "space_used", "tracking")
	a := &s.Account
	external := string(a.ExternalID)
	r.texts(m, path, map[string]*string{
		"login": &a.Login, "name": &a.Name, "connection": &s.Connection, "external_id": &external, "vendor_status": &a.VendorStatus,
	})
	a.ExternalID = schema.ExternalID(external)
	choose(r, m, path, "kind", &a.Kind, schema.KindPerson, schema.KindService, schema.KindApp, schema.KindExternal)
	choose(r, m, path, "role", &a.Role, schema.RoleMember, schema.RoleCoadmin, schema.RoleOwner)
	choose(r, m, path, "status", &a.Status,
		schema.AccountActive, schema.AccountSuspended, schema.AccountRestricted, schema.AccountMissing, schema.AccountDeleted)
	if n := m["created_at"]; n != nil {
		a.CreatedAt = r.when(n, yamlfile.Under(path, "created_at"))
	}
	if n := m["space_used"]; n != nil {
		bytes, _ := r.Integer(n, yamlfile.Under(path, "space_used"), 0, math.MaxInt)
		a.SpaceUsed = int64(bytes)
	}
	if n := m["tracking"]; n != nil {
		a.Tracking = r.tracking(n, yamlfile.Under(path, "tracking"))
	}
}

// choose sets a word that must be one of those there are, if it is said.
func choose[T ~string](r *testReader, m map[string]*yaml.Node, path, member string, to *T, allowed ...T) {
	n := m[member]
	if n == nil {
		return
	}
	*to = T(r.Choice(n, yamlfile.Under(path, member), yamlfile.Words(allowed)...))
}

// tracking returns attributes, whose names are the vendor's to choose.
func (r *testReader) tracking(n *yaml.Node, path string) map[string]string {
	if n.Kind != yaml.MappingNode || len(n.Content) > 2*maxTestList {
		r.Fault(n, path, "type", "this is not a map of attributes", "write for example tracking: {cost_centre: A12}")
		return nil
	}
	out := map[string]string{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name := r.Line(key, path)
		if _, twice := out[name]; twice {
			r.Fault(key, yamlfile.Under(path, name), "duplicate", "the attribute stands twice", "keep one of them")
		}
		out[name] = r.Line(value, yamlfile.Under(path, name))
	}
	return out
}

func (r *testReader) activity(n *yaml.Node, path string, a *schema.Activity) {
	m := r.Mapping(n, path, "last_active_at", "last_event", "covered_from", "covered_to", "collected")
	r.texts(m, path, map[string]*string{"last_event": &a.LastEvent})
	for member, to := range map[string]*time.Time{"last_active_at": &a.LastActiveAt, "covered_from": &a.Covered.From, "covered_to": &a.Covered.To} {
		if n := m[member]; n != nil {
			*to = r.when(n, yamlfile.Under(path, member))
		}
	}
	if c := m["collected"]; c != nil && !r.Truth(c, yamlfile.Under(path, "collected")) {
		a.Covered = schema.Interval{}
		if m["covered_from"] != nil || m["covered_to"] != nil {
			r.Fault(c, yamlfile.Under(path, "collected"), "contradiction", "what is not collected covers nothing", "remove covered_from and covered_to, or collected")
		}
		return
	}
	if a.Covered.To.Before(a.Covered.From) {
		r.Fault(n, path, "contradiction", "covered_to is before covered_from", "write the earlier one as covered_from")
	}
}

func (r *testReader) person(n *yaml.Node, path string) *schema.Holder {
	m := r.Mapping(n, path, "email", "name", "employment", "status", "department", "site", "manager", "hire_date", "last_day")
	p := &schema.Holder{}
	r.texts(m, path, map[string]*string{"name": &p.Name, "department": &p.Department, "site": &p.Site})
	for member, to := range map[string]*string{"email": &p.Email, "manager": &p.Manager} {
		if n := m[member]; n != nil {
			*to, _ = r.Address(n, yamlfile.Under(path, member), intake.ParseAddress)
		}
	}
	choose(r, m, path, "employment", &p.Employment, schema.Employee, schema.Contractor)
	choose(r, m, path, "status", &p.Status, schema.StatusActive, schema.StatusOnLeave, schema.StatusEnded)
	for member, to := range map[string]*schema.Date{"hire_date": &p.HireDate, "last_day": &p.LastDay} {
		if n := m[member]; n != nil {
			*to, _ = r.Day(n, yamlfile.Under(path, member))
		}
	}
	return p
}

// groups returns groups, each by its name, or with its id and role.
func (r *testReader) groups(n *yaml.Node, path string) []schema.HeldGroup {
	var out []schema.HeldGroup
	for i, n := range r.UpTo(n, path, maxTestList) {
		at := yamlfile.Index(path, i)
		g := schema.HeldGroup{}
		if n.Kind == yaml.MappingNode {
			r.texts(r.Some(n, at, "id", "name", "role"), at, map[string]*string{"id": &g.ID, "name": &g.Name, "role": &g.Role})
		} else {
			g.Name = r.Line(n, at)
		}
		out = append(out, g)
	}
	return out
}

func (r *testReader) expect(n *yaml.Node, path string) Expected {
	var e Expected
	m := r.Mapping(n, path, "verdict", "reason", "grade")
	if m == nil {
		return e
	}
	if r.Need(n, m, path, "verdict", "write for example verdict: matched") != nil {
		choose(r, m, path, "verdict", &e.Verdict, schema.VerdictReasons()...)
	}
	r.texts(m, path, map[string]*string{"reason": &e.Reason})
	if e.Reason != "" && e.Verdict != schema.ReasonExcluded && e.Verdict != schema.ReasonMatchFailed {
		r.Fault(m["reason"], yamlfile.Under(path, "reason"), "no_effect", "only excluded and match_failed have a reason", "remove it")
	}
	choose(r, m, path, "grade", &e.Grade, schema.GradeActive, schema.GradeInactive, schema.GradeNever, schema.GradeUnknown, schema.GradeNotCollected)
	return e
}
