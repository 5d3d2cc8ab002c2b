package match

import (
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"

	"sendoff/schema"
)

const day = 24 * time.Hour

// view is what an expression sees of a subject. Every root is the view itself:
// which field is read was decided when the expression was compiled, so that
// nothing is copied or looked up that is not asked for.
type view struct {
	subject *schema.Subject
	grade   schema.Grade
	now     time.Time
}

// ResolveName implements interpreter.Activation.
func (v *view) ResolveName(name string) (any, bool) {
	switch name {
	case "account", "activity", "person", "entitlements", "licence":
		return v, true
	case "now":
		return types.Timestamp{Time: v.now}, true
	}
	return nil, false
}

// Parent implements interpreter.Activation.
func (v *view) Parent() interpreter.Activation { return nil }

func (v *view) seat() bool { return schema.HoldsSeat(v.subject.Account.Kind, v.subject.Account.Status) }

func (v *view) tracking() ref.Val {
	return types.NewStringStringMap(types.DefaultTypeAdapter, v.subject.Account.Tracking)
}

// silence is the part of the silence that is proven, by the reckoning of
// schema.Activity.Grade: what was before the unbroken record may have been use
// that nobody saw. It never says more than the silence itself.
func (v *view) silence() (time.Duration, bool) {
	a := &v.subject.Activity
	if a.Covered.Empty() || v.grade == schema.GradeUnknown || v.grade == schema.GradeNotCollected {
		return 0, false
	}
	since, until := a.Covered.From, a.Covered.To
	for _, t := range [...]time.Time{a.LastActiveAt, v.subject.Account.CreatedAt} {
		if t.After(since) {
			since = t
		}
	}
	if until.After(v.now) {
		until = v.now
	}
	return max(until.Sub(since), 0), true
}

func (v *view) lastDay() time.Time {
	return midnight(v.subject.Person, func(p *schema.Holder) schema.Date { return p.LastDay })
}

func (v *view) daysPast() (int64, bool) {
	last := v.lastDay()
	if last.IsZero() {
		return 0, false
	}
	return int64(schema.DateOf(v.now.UTC()).In(time.UTC).Sub(last) / day), true
}

func (v *view) list(of func(schema.HeldGroup) string) ref.Val {
	list := make([]string, len(v.subject.Groups))
	for i, g := range v.subject.Groups {
		list[i] = of(g)
	}
	return types.NewStringList(types.DefaultTypeAdapter, list)
}

// midnight is the first instant of a day of a holder in UTC; zero = not known.
func midnight(p *schema.Holder, of func(*schema.Holder) schema.Date) time.Time {
	if p == nil {
		return time.Time{}
	}
	if d := of(p); !d.IsZero() {
		return d.In(time.UTC)
	}
	return time.Time{}
}

// words are typed constants as texts.
func words[T ~string](list ...T) []string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = string(w)
	}
	return out
}

// boxed turns a text into a value, without allocation for those named.
func boxed(known ...string) func(string) ref.Val {
	values := make([]ref.Val, len(known))
	for i, s := range known {
		values[i] = types.String(s)
	}
	return func(s string) ref.Val {
		for i, k := range known {
			if k == s {
				return values[i]
			}
		}
		return types.String(s)
	}
}

// filled makes the empty text unknown.
func filled(value func(string) ref.Val) func(string) ref.Val {
	return func(s string) ref.Val {
		if s == "" {
			return nil
		}
		return value(s)
	}
}

// held reads a text of the holder, if there is one.
func held(value func(string) ref.Val, of func(*schema.Holder) string) func(*view) ref.Val {
	return func(v *view) ref.Val {
		if v.subject.Person == nil {
			return nil
		}
		return value(of(v.subject.Person))
	}
}

// text is a field that any text can stand in; an empty one is not known.
func text(name, doc string, of func(*view) string) field { return word(name, doc, nil, of) }

// word is a field that is one of some words; an empty one is not known.
func word(name, doc string, values []string, of func(*view) string) field {
	value := filled(boxed(values...))
	return field{name: name, kind: cel.StringType, doc: doc, values: values, get: func(v *view) ref.Val { return value(of(v)) }}
}

// of is a text of the holder; an empty one is not known.
func of(name, doc string, read func(*schema.Holder) string) field {
	return field{name: name, kind: cel.StringType, doc: doc, get: held(filled(boxed()), read)}
}

func yes(name, doc string, of func(*view) bool) field {
	return field{name: name, kind: cel.BoolType, doc: doc, get: func(v *view) ref.Val { return types.Bool(of(v)) }}
}

func number(name, doc string, of func(*view) (int64, bool)) field {
	return field{name: name, kind: cel.IntType, doc: doc, get: func(v *view) ref.Val {
		n, known := of(v)
		if !known {
			return nil
		}
		return types.Int(n)
	}}
}

func span(name, doc string, of func(*view) (time.Duration, bool)) field {
	return field{name: name, kind: cel.DurationType, doc: doc, get: func(v *view) ref.Val {
		d, known := of(v)
		if !known {
			return nil
		}
		return types.Duration{Duration: d}
	}}
}

// at is an instant; the zero time is not known.
func at(name, doc string, of func(*view) time.Time) field {
	return field{name: name, kind: cel.TimestampType, doc: doc, get: func(v *view) ref.Val {
		t := of(v)
		if t.IsZero() {
			return nil
		}
		return types.Timestamp{Time: t}
	}}
}
