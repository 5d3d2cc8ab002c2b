package archtest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestArrows(t *testing.T) {
	t.Parallel()
	all := goList(t, false, "./...")

	t.Run("every import follows an arrow", func(t *testing.T) {
		t.Parallel()
		for _, p := range all {
			from, _ := inModule(p.ImportPath)
			rule, ok := ruleFor(arrows(), from)
			if !ok {
				t.Errorf("%s has no arrow: draw it in rules_test.go with its reason", from)
				continue
			}
			for _, imported := range p.Imports {
				to, ours := inModule(imported)
				if ours && !matchAny(rule.may, to) {
					t.Errorf("%s must not import %s: %s", from, to, rule.because)
				}
				if !ours && matchAny(standardOnly(), from) && strings.Contains(firstElement(imported), ".") {
					t.Errorf("%s must not import %s: it is made of the standard library alone", from, imported)
				}
			}
		}
	})

	t.Run("every import in tests follows an arrow", func(t *testing.T) {
		t.Parallel()
		for _, p := range all {
			from, _ := inModule(p.ImportPath)
			rule, _ := ruleFor(arrows(), from)
			extra, _ := ruleFor(testArrows(), from)
			for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
				to, ours := inModule(imported)
				if ours && to != from && !matchAny(rule.may, to) && !matchAny(extra.may, to) {
					t.Errorf("a test of %s must not import %s: %s", from, to, extra.because)
				}
			}
		}
	})

	t.Run("what is kept is imported by few", func(t *testing.T) {
		t.Parallel()
		for _, k := range keeps() {
			for _, p := range all {
				from, _ := inModule(p.ImportPath)
				if matchAny(k.only, from) || strings.HasPrefix(from, "e2e") {
					continue
				}
				for _, imported := range p.Imports {
					if to, ours := inModule(imported); ours && match(k.target, to) {
						t.Errorf("%s must not import %s: %s", from, to, k.because)
					}
				}
			}
		}
	})
}

func TestClosures(t *testing.T) {
	t.Parallel()
	all := goList(t, false, "./...")
	for _, c := range closures() {
		if _, ok := all[module+"/"+c.from]; !ok {
			continue // TestRulesNameWhatExists fails for it
		}
		t.Run(c.from+" without "+strings.Join(c.never, " "), func(t *testing.T) {
			t.Parallel()
			for _, p := range goList(t, true, "./"+c.from) {
				_, ours := inModule(p.ImportPath)
				if c.ours && !ours {
					continue
				}
				for _, imported := range p.Imports {
					if matchAny(c.never, imported) {
						t.Errorf("%s contains %s (through %s): %s", c.from, imported, p.ImportPath, c.because)
					}
				}
			}
		})
	}
}

// TestRulesNameWhatExists keeps the drawing from outliving the house.
func TestRulesNameWhatExists(t *testing.T) {
	t.Parallel()
	names := []string{}
	for p := range goList(t, false, "./...") {
		name, _ := inModule(p)
		names = append(names, name)
	}
	var patterns []string
	for _, a := range slices.Concat(arrows(), testArrows()) {
		require.NotEmpty(t, a.because, a.from)
		patterns = append(append(patterns, a.from), a.may...)
	}
	for _, k := range keeps() {
		require.NotEmpty(t, k.because, k.target)
		patterns = append(append(patterns, k.target), k.only...)
	}
	for _, c := range closures() {
		require.NotEmpty(t, c.because, c.from)
		patterns = append(patterns, c.from)
		for _, n := range c.never {
			if name, ours := inModule(n); ours {
				patterns = append(patterns, name)
			}
		}
	}
	slices.Sort(patterns)
	for _, p := range slices.Compact(append(patterns, standardOnly()...)) {
		if !slices.ContainsFunc(names, func(name string) bool { return match(p, name) }) {
			t.Errorf("a rule names %s, which does not exist: correct the rule or remove it", p)
		}
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"schema", "schema", true},
		{"schema", "schema/migrations", false},
		{"e2e/...", "e2e", true},
		{"e2e/...", "e2e/chaos", true},
		{"e2e/...", "e2elike", false},
		{"connectors/*", "connectors/box", true},
		{"connectors/*", "connectors/box/boxsim", false},
		{"connectors/*/*sim", "connectors/box/boxsim", true},
		{"connectors/*/*sim", "connectors/box/boxtest", false},
		{"...", "anything", true},
	} {
		require.Equal(t, c.want, match(c.pattern, c.name), "%s on %s", c.pattern, c.name)
	}
}

func firstElement(importPath string) string {
	first, _, _ := strings.Cut(importPath, "/")
	return first
}
