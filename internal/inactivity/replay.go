package inactivity

import (
	"slices"
	"sort"
	"time"

	"sendoff/schema"
)

// ReplayInput is what is recorded of the span that a rule is replayed over.
type ReplayInput struct {
	From, To    time.Time
	Connections []ReplayConnection
}

// ReplayConnection is a connection with the spans for which every use is known,
// oldest first and apart, of the source that silence is judged by.
type ReplayConnection struct {
	ID      schema.ConnectionID
	Name    string
	Covered []schema.Interval
}

// Replayer says what a rule would have done in the past, account by account.
//
// A run judges at the first instant of its day, in UTC, by what was used on the
// days before; a use counts as one of its day's last instant, so that no silence
// is made longer than it was. What is recorded of use and coverage by now is taken
// for what was known then. Nothing that a hit would have done to the account is
// played: it is what the account really did afterwards that tells of the rule.
type Replayer struct {
	rule    *Rule
	input   ReplayInput
	runs    []int // the days of runs, in order
	upTo    []int // how many runs there are up to a day, counted from that of the first
	covered map[schema.ConnectionID][]schema.Interval
	bounds  []schema.Bound
	// ends are the days on which an exclusion no longer holds.
	ends []int
	// inUse: the rule takes accounts that are in use as well, so that a silence is
	// nothing to it: the span counts as one.
	inUse  bool
	steady bool // neither match nor exclusions can change with time or use alone
}

// Replayer makes the replay of the rule over a record.
func (r *Rule) Replayer(in ReplayInput) *Replayer {
	p := &Replayer{
		rule: r, input: in, runs: runDays(r.rule.Schedule, dayFrom(in.From), dayOf(in.To)),
		covered: make(map[schema.ConnectionID][]schema.Interval, len(in.Connections)),
		inUse:   slices.Contains(r.rule.Grades, schema.GradeActive), steady: r.steady(),
	}
	for i, day := range p.runs {
		for len(p.upTo) < day-p.runs[0] {
			p.upTo = append(p.upTo, i)
		}
		p.upTo = append(p.upTo, i+1)
	}
	if r.match != nil {
		p.bounds = r.match.Bounds()
	}
	for _, c := range in.Connections {
		p.covered[c.ID] = c.Covered
	}
	for _, e := range r.exclude {
		if !e.Until.IsZero() {
			p.ends = append(p.ends, dayOfDate(e.Until)+1)
		}
	}
	return p
}

// Replayed is what the replay finds of one account.
type Replayed struct {
	// Hits are the first run of each silence that would have taken the account; of a
	// rule that takes accounts in use, the first run of all.
	Hits []schema.ReplayHit
	// Unproven counts the silences without a hit that would have one, were there no
	// hole in the coverage.
	Unproven int
}

// Account replays the rule over what is recorded of one account.
func (p *Replayer) Account(a *schema.UsedAccount) Replayed {
	var out Replayed
	if len(p.runs) == 0 || !p.bounded(&a.Subject) {
		return out
	}
	w := p.walk(a)
	for w.next() {
		switch run, hit := w.taken(false); {
		case hit:
			out.Hits = append(out.Hits, w.hit(run))
			if p.inUse {
				out.Unproven = 0
				return out
			}
		case w.holed():
			if _, missed := w.taken(true); missed && (!p.inUse || out.Unproven == 0) {
				out.Unproven++
			}
		}
	}
	return out
}

// Begin is a replay that no account was added to yet.
func (p *Replayer) Begin() schema.Replay {
	return schema.Replay{Policy: p.rule.rule.Name, From: p.input.From, To: p.input.To, Limits: p.limits()}
}

// Add replays one account and adds what it finds to the sums. The hits are
// returned: how many of them are kept is the caller's to say.
func (p *Replayer) Add(sum *schema.Replay, a *schema.UsedAccount) []schema.ReplayHit {
	found := p.Account(a)
	sum.Accounts++
	sum.Unproven += int64(found.Unproven)
	for _, h := range found.Hits {
		if !h.ReturnedOn.IsZero() {
			sum.Returned++
		}
	}
	return found.Hits
}

// runsUpTo counts the runs up to a day.
func (p *Replayer) runsUpTo(day int) int {
	switch i := day - p.runs[0]; {
	case i < 0:
		return 0
	case i < len(p.upTo):
		return p.upTo[i]
	}
	return len(p.runs)
}

// coveredAt is the span that proved silences at an instant: the last that had
// begun, as far as it had come.
func coveredAt(spans []schema.Interval, at time.Time) schema.Interval {
	i := sort.Search(len(spans), func(i int) bool { return spans[i].From.After(at) })
	if i == 0 {
		return schema.Interval{}
	}
	span := spans[i-1]
	if span.To.After(at) {
		span.To = at
	}
	return span
}

// wholeAt is coveredAt had there been no hole since the coverage began.
func wholeAt(spans []schema.Interval, at time.Time) schema.Interval {
	if len(spans) == 0 || spans[0].From.After(at) {
		return schema.Interval{}
	}
	return schema.Interval{From: spans[0].From, To: at}
}
