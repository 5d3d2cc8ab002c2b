package accessreview

import (
	"cmp"
	"time"

	"go.yaml.in/yaml/v4"

	"sendoff/internal/match"
	"sendoff/internal/yamlfile"
	"sendoff/schema"
)

const maxPatterns = 100

func accountKinds() []schema.AccountKind {
	return []schema.AccountKind{schema.KindPerson, schema.KindService, schema.KindApp, schema.KindExternal}
}

func accountRoles() []schema.AccountRole {
	return []schema.AccountRole{schema.RoleMember, schema.RoleCoadmin, schema.RoleOwner}
}

// scope reads what a campaign looks at.
func (r reviewReader) scope(root, n *yaml.Node) schema.CampaignScope {
	s := schema.CampaignScope{Items: []schema.ItemKind{schema.ItemAccount}, Holders: schema.HoldersAll}
	if n == nil {
		r.Fault(root, "scope", "required", "the access review does not say what it looks at", "write for example scope: {connections: [box]}")
		return s
	}
	m := r.Mapping(n, "scope", "connections", "items", "kinds", "roles", "groups", "match", "unused_for", "unknown_use", "changed", "privileged", "holders")
	if m == nil {
		return s
	}
	if v := r.Need(n, m, "scope", "connections", "name those whose accounts are looked at"); v != nil {
		s.Connections = r.Connections(v, "scope.connections")
	}
	if v := m["items"]; v != nil {
		s.Items = yamlfile.Chosen(r.Reader, v, "scope.items", schema.ItemKinds(), nil)
	}
	if v := m["kinds"]; v != nil {
		s.Kinds = yamlfile.Chosen(r.Reader, v, "scope.kinds", accountKinds(), nil)
	}
	if v := m["roles"]; v != nil {
		s.Roles = yamlfile.Chosen(r.Reader, v, "scope.roles", accountRoles(), nil)
	}
	if v := m["groups"]; v != nil {
		s.Groups = r.Distinct(v, "scope.groups", maxPatterns, r.pattern)
	}
	if v := m["match"]; v != nil {
		s.Match = r.expression(v, "scope.match", "the match")
	}
	if v := m["unused_for"]; v != nil {
		s.UnusedFor = r.length(v, "scope.unused_for", "an account that was used a moment ago would be unused", "90d")
	}
	r.truth(m, "scope", "unknown_use", &s.UnknownUse)
	r.truth(m, "scope", "changed", &s.Changed)
	r.truth(m, "scope", "privileged", &s.Privileged)
	s.Holders = cmp.Or(yamlfile.Word(r.Reader, m, "scope", "holders", schema.HoldersAll, schema.HoldersMatched, schema.HoldersUnmatched), schema.HoldersAll)
	return s
}

// pattern reads a pattern of names.
func (r reviewReader) pattern(n *yaml.Node, path string) (string, bool) {
	return r.Plain(n, path, yamlfile.MaxLine, false)
}

// expression reads a condition in CEL and checks it as a whole; of says whose.
func (r reviewReader) expression(n *yaml.Node, path, of string) string {
	s, program := match.Read(r.Reader, n, path)
	if program != nil && program.Constant() {
		r.Warn(n, path, "constant", of+" is the same for every account", "ask something of the account, or remove the member")
	}
	return s
}

// freshness reads how old the facts of a campaign may be.
func (r reviewReader) freshness(n *yaml.Node) schema.CampaignFreshness {
	f := schema.CampaignFreshness{
		Sync: schema.DefaultSyncFreshness, Activity: schema.FreshFor, Doctor: true, Patience: schema.DefaultPatience, Stale: schema.StaleBlocks,
	}
	if n == nil {
		return f
	}
	m := r.Some(n, "freshness", "sync", "activity", "doctor", "patience", "on_stale")
	for _, member := range []struct {
		name string
		to   *time.Duration
	}{{"sync", &f.Sync}, {"activity", &f.Activity}} {
		if v := m[member.name]; v != nil {
			*member.to = r.length(v, yamlfile.Under("freshness", member.name), "nothing is ever that fresh: no campaign would begin", "24h")
		}
	}
	if f.Activity > schema.FreshFor {
		r.Fault(m["activity"], "freshness.activity", "too_long",
			"silence in a feed that was last read more than 48h ago proves nothing: the use of every account would be unknown", "write 48h at most")
	}
	r.truth(m, "freshness", "doctor", &f.Doctor)
	if v := m["patience"]; v != nil {
		f.Patience, _ = r.Duration(v, "freshness.patience")
	}
	f.Stale = cmp.Or(yamlfile.Word(r.Reader, m, "freshness", "on_stale", schema.StaleBlocks, schema.StaleWarns), schema.StaleBlocks)
	return f
}
