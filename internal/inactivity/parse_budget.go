package inactivity

import (
	"math"
	"regexp"
	"strconv"
	"time"

	"go.yaml.in/yaml/v4"

	"sendoff/internal/yamlfile"
	"sendoff/schema"
)

const maxAccounts = 1_000_000

// bytesForm is how sizes are written: a whole number with its unit.
var bytesForm = regexp.MustCompile(`^([1-9][0-9]{0,8}) ?(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$`)

// byteUnits are the units of sizes, largest first.
var byteUnits = []struct {
	name string
	size int64
}{
	{"TiB", 1 << 40},
	{"TB", 1e12},
	{"GiB", 1 << 30},
	{"GB", 1e9},
	{"MiB", 1 << 20},
	{"MB", 1e6},
	{"KiB", 1 << 10},
	{"KB", 1e3},
	{"B", 1},
}

// budget reads how much may be done. What is absent has its default.
func (r policyReader) budget(n *yaml.Node) schema.Budget {
	b := schema.Budget{PerRun: schema.DefaultBudgetPerRun, PerDay: schema.DefaultBudgetPerDay, Percent: schema.DefaultBudgetPercent}
	if n == nil {
		return b
	}
	m := r.Some(n, "budget", "per_run", "per_day", "connection", "percent", "bytes", "privileged")
	for _, limit := range []struct {
		member string
		most   int
		to     *int
	}{{"per_run", maxAccounts, &b.PerRun}, {"per_day", maxAccounts, &b.PerDay}, {"connection", maxAccounts, &b.Connection}, {"percent", 100, &b.Percent}} {
		if v := m[limit.member]; v != nil {
			*limit.to = r.limit(v, yamlfile.Under("budget", limit.member), limit.most)
		}
	}
	if v := m["privileged"]; v != nil {
		b.Privileged, _ = r.Integer(v, "budget.privileged", 0, maxAccounts)
	}
	if v := m["bytes"]; v != nil {
		b.Bytes = r.bytes(v, "budget.bytes")
	}
	if v := m["per_run"]; v != nil && b.PerDay > 0 && b.PerRun > b.PerDay {
		r.Warn(v, "budget.per_run", "no_effect", "per_day is "+strconv.Itoa(b.PerDay)+": no run can use more", "raise per_day, or lower per_run")
	}
	return b
}

// limit reads how many accounts, or what share: 0 would be no limit at all.
func (r policyReader) limit(n *yaml.Node, path string, most int) int {
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!int" && n.Value == "0" {
		r.Fault(n, path, "zero", "a budget of 0 lets nothing happen", "write how many at most; a policy that only reports says mode: shadow")
		return 0
	}
	i, _ := r.Integer(n, path, 1, most)
	return i
}

func (r policyReader) bytes(n *yaml.Node, path string) int64 {
	if m := bytesForm.FindStringSubmatch(n.Value); m != nil && n.Kind == yaml.ScalarNode {
		count, err := strconv.ParseInt(m[1], 10, 64)
		for _, u := range byteUnits {
			if u.name == m[2] && err == nil && count <= math.MaxInt64/u.size {
				return count * u.size
			}
		}
	}
	r.Fault(n, path, "size_syntax", "this is not a size", "write a whole number above 0 with its unit, such as 500GB or 20GiB")
	return 0
}

// bytesText is a size in the largest unit that it is a whole number of.
func bytesText(size int64) string {
	for _, u := range byteUnits {
		if size%u.size == 0 {
			return strconv.FormatInt(size/u.size, 10) + u.name
		}
	}
	return strconv.FormatInt(size, 10) + "B"
}

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
