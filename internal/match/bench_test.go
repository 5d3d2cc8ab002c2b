package match_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/match"
	"sendoff/schema"
)

const usual = `account.status == "active" && account.kind in ["person", "external"] && activity.silent_for > days(90) && !account.privileged`

// BenchmarkEval compares a usual rule with the same condition in Go.
func BenchmarkEval(b *testing.B) {
	p, faults := match.Compile(usual)
	require.Empty(b, faults)
	s := subject()
	b.Run("cel", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if ok, err := p.Eval(s, schema.GradeInactive, now); !ok || err != nil {
				b.Fatal(ok, err)
			}
		}
	})
	b.Run("go", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if !inGo(s, schema.GradeInactive, now) {
				b.Fatal("no match")
			}
		}
	})
}

// BenchmarkEvalNotKnown is of an account that lacks what the rule reads.
func BenchmarkEvalNotKnown(b *testing.B) {
	p, faults := match.Compile(`account.status == "active" && person.department == "Sales"`)
	require.Empty(b, faults)
	s := subject()
	s.Person = nil
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := p.Eval(s, schema.GradeInactive, now); ok || err == nil {
			b.Fatal(ok, err)
		}
	}
}

// BenchmarkEvalGroups is a loop over two groups, whose cost is counted.
func BenchmarkEvalGroups(b *testing.B) {
	p, faults := match.Compile(`entitlements.groups.exists(g, g.startsWith("Al"))`)
	require.Empty(b, faults)
	s := subject()
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := p.Eval(s, schema.GradeInactive, now); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		if _, faults := match.Compile(usual); len(faults) > 0 {
			b.Fatal(faults)
		}
	}
}

//go:noinline
func inGo(s *schema.Subject, grade schema.Grade, now time.Time) bool {
	a := s.Account
	if a.Status != schema.AccountActive || a.Kind != schema.KindPerson && a.Kind != schema.KindExternal || a.Role.Privileged() {
		return false
	}
	if s.Activity.Covered.Empty() || grade == schema.GradeUnknown || grade == schema.GradeNotCollected {
		return false
	}
	since, until := s.Activity.Covered.From, s.Activity.Covered.To
	if s.Activity.LastActiveAt.After(since) {
		since = s.Activity.LastActiveAt
	}
	if a.CreatedAt.After(since) {
		since = a.CreatedAt
	}
	if until.After(now) {
		until = now
	}
	return until.Sub(since) > 90*day
}
