package inactivity

import (
	"time"

	"go.yaml.in/yaml/v4"

	"sendoff/internal/yamlfile"
	"sendoff/schema"
)

// freshness reads how old what a run judges by may be.
func (r policyReader) freshness(n *yaml.Node) schema.Freshness {
	f := schema.Freshness{Sync: schema.DefaultSyncFreshness, Activity: schema.DefaultActivityFreshness, Patience: schema.DefaultPatience}
	if n == nil {
		return f
	}
	m := r.Some(n, "freshness", "sync", "activity", "patience")
	for _, member := range []struct {
		name string
		to   *time.Duration
	}{{"sync", &f.Sync}, {"activity", &f.Activity}, {"patience", &f.Patience}} {
		v := m[member.name]
		if v == nil {
			continue
		}
		path := yamlfile.Under("freshness", member.name)
		d, ok := r.Duration(v, path)
		switch *member.to = d; {
		case !ok:
		case d == 0 && member.name != "patience":
			r.Fault(v, path, "zero", "nothing is ever that fresh: no run would judge anything", "write for example 6h")
		case member.name == "activity" && d > schema.FreshFor:
			r.Fault(v, path, "too_long", "silence in a feed that was last read more than 48h ago proves nothing: every account would be unknown", "write 48h at most")
		}
	}
	return f
}
