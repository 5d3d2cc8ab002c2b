package accessreview

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"sendoff/internal/intake"
	"sendoff/internal/yamlfile"
	"sendoff/schema"
)

const (
	maxStages     = 5
	maxCandidates = 20
	maxPeople     = 50 // of one list of addresses
	maxOwners     = 500
)

// onlyStage is the name of the stage that a file in the short form has.
const onlyStage = "review"

// stageForm is the form of a stage's name.
var stageForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

// foundKinds are the reviewers that are found for each item.
func foundKinds() []schema.ReviewerKind {
	return []schema.ReviewerKind{schema.ReviewerManager, schema.ReviewerManagersManager, schema.ReviewerAppOwner, schema.ReviewerEntitlementOwner}
}

func stageOfs() []schema.StageOf {
	return []schema.StageOf{schema.StageAll, schema.StageKept, schema.StageRevoked, schema.StageHigh}
}

// stages reads who decides: a list of stages, or of candidates, who are one stage.
func (r reviewReader) stages(n *yaml.Node) []schema.ReviewStage {
	if n == nil {
		return []schema.ReviewStage{{Name: onlyStage, Of: schema.StageAll, Who: []schema.ReviewerCandidate{
			{Whom: schema.ReviewerManager}, {Whom: schema.ReviewerAppOwner},
		}}}
	}
	if !slices.ContainsFunc(n.Content, isStage) {
		return []schema.ReviewStage{{Name: onlyStage, Of: schema.StageAll, Who: r.chain(n, "reviewers")}}
	}
	var out []schema.ReviewStage
	first := map[string]string{}
	for i, one := range r.Items(n, "reviewers", maxStages) {
		path := yamlfile.Index("reviewers", i)
		s := r.stage(one, path, i)
		if other := first[s.Name]; other != "" && s.Name != "" {
			r.Fault(yamlfile.Child(one, "name"), yamlfile.Under(path, "name"), "duplicate", "the same name as "+other, "give each stage a name of its own")
		}
		first[s.Name] = path
		out = append(out, s)
	}
	return out
}

// isStage tells a stage from a candidate.
func isStage(n *yaml.Node) bool {
	if n.Kind != yaml.MappingNode {
		return false
	}
	for i := 0; i < len(n.Content); i += 2 {
		if slices.Contains([]string{"name", "of", "who"}, n.Content[i].Value) {
			return true
		}
	}
	return false
}

func (r reviewReader) stage(n *yaml.Node, path string, place int) schema.ReviewStage {
	s := schema.ReviewStage{Of: schema.StageAll}
	if !isStage(n) {
		r.Fault(n, path, "mixed", "this is a candidate among stages", "write {name: ..., who: [...]}, or candidates alone")
		return s
	}
	m := r.Mapping(n, path, "name", "of", "who")
	if v := r.Need(n, m, path, "name", "write for example name: owners"); v != nil {
		at := yamlfile.Under(path, "name")
		s.Name, _ = r.Text(v, at)
		if s.Name != "" && !stageForm.MatchString(s.Name) {
			r.Fault(v, at, "name", "a name has 1 to 63 lower-case letters, digits and dashes and begins with a letter", "choose such a name, for example owners")
		}
	}
	if m["of"] != nil {
		s.Of = yamlfile.Word(r.Reader, m, path, "of", stageOfs()...)
	}
	if place == 0 && s.Of != schema.StageAll && s.Of != "" {
		r.Fault(m["of"], yamlfile.Under(path, "of"), "first_stage", "the first stage is of all items: nobody would decide about the others", "remove the member, or write of: all")
	}
	if v := r.Need(n, m, path, "who", "write for example who: [manager, app_owner]"); v != nil {
		s.Who = r.chain(v, yamlfile.Under(path, "who"))
	}
	return s
}

// chain reads the candidates of one stage.
func (r reviewReader) chain(list *yaml.Node, path string) []schema.ReviewerCandidate {
	var out []schema.ReviewerCandidate
	always := 0
	first := map[string]string{}
	items := r.Items(list, path, maxCandidates)
	for i, n := range items {
		at := yamlfile.Index(path, i)
		c, ok := r.candidate(n, at)
		if !ok {
			always++ // was told; whether it has a condition cannot be
			continue
		}
		if c.When == "" {
			always++
		}
		key := strings.Join([]string{string(c.Whom), strings.Join(c.To, " "), c.Connection, c.Group, c.When}, "\n")
		if other := first[key]; other != "" {
			r.Fault(n, at, "duplicate", "the same as "+other, "name it once")
		}
		first[key] = at
		out = append(out, c)
	}
	if len(items) > 0 && always == 0 {
		r.Fault(list, path, "only_conditions", "every candidate has a condition: an item that meets none would come to the owner of the review at once",
			"add one without when, such as app_owner")
	}
	return out
}

func (r reviewReader) candidate(n *yaml.Node, path string) (schema.ReviewerCandidate, bool) {
	before := r.Faults()
	if n.Kind != yaml.MappingNode {
		c := schema.ReviewerCandidate{Whom: schema.ReviewerKind(n.Value)}
		if !yamlfile.IsText(n) || !slices.Contains(foundKinds(), c.Whom) {
			r.notACandidate(n, path)
		}
		return c, r.Faults() == before
	}
	m := r.Mapping(n, path, "manager", "managers_manager", "app_owner", "entitlement_owner", "named", "group", "when")
	var c schema.ReviewerCandidate
	said := 0
	for _, k := range append(foundKinds(), schema.ReviewerNamed, schema.ReviewerGroup) {
		if v := m[string(k)]; v != nil {
			said++
			c.Whom = k
			r.whom(&c, v, yamlfile.Under(path, string(k)))
		}
	}
	if said != 1 && r.Faults() == before {
		r.Fault(n, path, "one_of", "not exactly one of manager, managers_manager, app_owner, entitlement_owner, named and group says who", "write one candidate for each")
	}
	if v := m["when"]; v != nil {
		c.When = r.expression(v, yamlfile.Under(path, "when"), "the condition")
	}
	return c, r.Faults() == before
}

func (r reviewReader) notACandidate(n *yaml.Node, path string) {
	words := strings.Join(yamlfile.Words(foundKinds()), ", ")
	if yamlfile.IsText(n) && n.Value == string(schema.ReviewerOwner) {
		r.Fault(n, path, "owner", "the owner of the review is the last in every chain without being said", "remove it; the owner of the connection is app_owner")
		return
	}
	r.Fault(n, path, "unknown_value", "this is not a reviewer", "write one of: "+words+", or {named: [ada@example.com]}, or {group: {connection: box, group: Auditors}}")
}

// whom reads what a candidate says besides its kind.
func (r reviewReader) whom(c *schema.ReviewerCandidate, n *yaml.Node, path string) {
	switch c.Whom {
	case schema.ReviewerNamed:
		c.To = r.Addresses(n, path, maxPeople, intake.ParseAddress)
	case schema.ReviewerGroup:
		m := r.Mapping(n, path, "connection", "group")
		if m != nil {
			c.Connection, c.Group = r.group(n, m, path)
		}
	default:
		if before := r.Faults(); !r.Truth(n, path) && r.Faults() == before {
			r.Fault(n, path, "no_effect", "a reviewer who is not one", "write true, or remove the candidate")
		}
	}
}

// group reads a group of a connection.
func (r reviewReader) group(n *yaml.Node, m map[string]*yaml.Node, path string) (connection, group string) {
	if v := r.Need(n, m, path, "connection", "name the connection that the group is of"); v != nil {
		connection, _ = r.Connection(v, yamlfile.Under(path, "connection"))
	}
	if v := r.Need(n, m, path, "group", "write the name or the vendor's id of the group"); v != nil {
		group = r.Line(v, yamlfile.Under(path, "group"))
	}
	return connection, group
}

// owners reads who owns which group, in the order of connections and groups.
func (r reviewReader) owners(list *yaml.Node) []schema.EntitlementOwner {
	if list == nil {
		return nil
	}
	var out []schema.EntitlementOwner
	first := map[[2]string]string{}
	for i, n := range r.Items(list, "owners", maxOwners) {
		path := yamlfile.Index("owners", i)
		m := r.Mapping(n, path, "connection", "group", "to")
		if m == nil {
			continue
		}
		var o schema.EntitlementOwner
		o.Connection, o.Group = r.group(n, m, path)
		if v := r.Need(n, m, path, "to", "name the owners by their addresses"); v != nil {
			o.To = r.Addresses(v, yamlfile.Under(path, "to"), maxPeople, intake.ParseAddress)
		}
		key := [2]string{o.Connection, strings.ToLower(o.Group)}
		if other := first[key]; other != "" && o.Group != "" {
			r.Fault(n, path, "duplicate", "the same group as "+other, "name all its owners in one entry")
		}
		first[key] = path
		out = append(out, o)
	}
	slices.SortStableFunc(out, func(a, b schema.EntitlementOwner) int {
		return cmp.Or(strings.Compare(a.Connection, b.Connection), strings.Compare(a.Group, b.Group))
	})
	return out
}
