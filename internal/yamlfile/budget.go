package yamlfile

import (
	"math"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v4"

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

// Budget reads how much may be done. What is absent has its default. Nothing says
// how a file has it that nothing at all is done.
func (r *Reader) Budget(n *yaml.Node, path, nothing string) schema.Budget {
	b := schema.Budget{PerRun: schema.DefaultBudgetPerRun, PerDay: schema.DefaultBudgetPerDay, Percent: schema.DefaultBudgetPercent}
	if n == nil {
		return b
	}
	m := r.Some(n, path, "per_run", "per_day", "connection", "percent", "bytes", "privileged")
	for _, limit := range []struct {
		member string
		most   int
		to     *int
	}{{"per_run", maxAccounts, &b.PerRun}, {"per_day", maxAccounts, &b.PerDay}, {"connection", maxAccounts, &b.Connection}, {"percent", 100, &b.Percent}} {
		if v := m[limit.member]; v != nil {
			*limit.to = r.limit(v, Under(path, limit.member), limit.most, nothing)
		}
	}
	if v := m["privileged"]; v != nil {
		b.Privileged, _ = r.Integer(v, Under(path, "privileged"), 0, maxAccounts)
	}
	if v := m["bytes"]; v != nil {
		b.Bytes = r.bytes(v, Under(path, "bytes"))
	}
	if v := m["per_run"]; v != nil && b.PerDay > 0 && b.PerRun > b.PerDay {
		r.Warn(v, Under(path, "per_run"), "no_effect", "per_day is "+strconv.Itoa(b.PerDay)+": no run can use more", "raise per_day, or lower per_run")
	}
	return b
}

// limit reads how many accounts, or what share: 0 would be no limit at all.
func (r *Reader) limit(n *yaml.Node, path string, most int, nothing string) int {
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!int" && n.Value == "0" {
		r.Fault(n, path, "zero", "a budget of 0 lets nothing happen", "write how many at most; "+nothing)
		return 0
	}
	i, _ := r.Integer(n, path, 1, most)
	return i
}

func (r *Reader) bytes(n *yaml.Node, path string) int64 {
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
