package policy

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"sendoff/schema"
)

// endlessAfter is how many years ahead a last day means that there is none.
const endlessAfter = 50

// The windows of the judge, in days.
const (
	// historyAfter: an employment that ended this long before it was first heard of
	// is history.
	historyAfter = 7
	// bridge: an employment that begins within this of the end of another goes on
	// from it.
	bridge = 30
)

// JudgeLeaver tells whether a person leaves, when, and why. A person leaves when
// an employment ends that no other goes on from; of several such the earliest
// counts. docs/moment.md has the rules in plain words.
func JudgeLeaver(f schema.LeaverFacts) (schema.Leaving, error) {
	if f.Rule.Starts == "" {
		f.Rule = schema.DefaultMoment()
	}
	j := judge{facts: f, zones: map[string]*time.Location{}}
	j.look()
	ending := slices.Clone(j.ending)
	var decides *tenure
	for i, e := range ending {
		if next := j.successor(e); next != nil {
			j.say(e.name() + " " + e.how + ", and " + next.name() + " goes on from it")
			continue
		}
		moment, err := j.moment(e)
		if err != nil {
			return schema.Leaving{}, err
		}
		ending[i].moment = moment
		if decides == nil || moment.DueAt.Before(decides.moment.DueAt) {
			decides = &ending[i]
		}
	}
	return j.verdict(decides), nil
}

// judge is one judgement under way.
type judge struct {
	facts   schema.LeaverFacts
	zones   map[string]*time.Location
	ending  []tenure // and not history, by source and id
	lasting []tenure // by source and id
	cause   bool     // an employment that ends for cause lately
	notes   []string
}

func (j *judge) say(note string) { j.notes = append(j.notes, note) }

// look sorts the employments into those that end and those that last. What is
// history neither ends nor protects.
func (j *judge) look() {
	list := slices.Clone(j.facts.Employments)
	slices.SortStableFunc(list, func(a, b schema.Employment) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.ExternalID, b.ExternalID))
	})
	for _, e := range list {
		switch t := j.tenure(e); {
		case t.ends && t.history:
			j.say(t.name() + " had ended on " + t.over.String() + ", long before it was first heard of")
		case t.ends:
			j.ending = append(j.ending, t)
			j.cause = j.cause || t.ForCause && !later(t.heard, addDays(t.day, bridge))
		default:
			j.lasting = append(j.lasting, t)
			j.cause = j.cause || t.ForCause
			if t.how != "" {
				j.say(t.name() + " " + t.how)
			}
		}
	}
}

// successor is an employment that goes on from one that ends: one that lasts,
// else one that ends later. Nil = none does.
func (j *judge) successor(e tenure) *tenure {
	for i := range j.lasting {
		if j.succeeds(j.lasting[i], e) {
			return &j.lasting[i]
		}
	}
	for i := range j.ending {
		if later(j.ending[i].day, e.day) && j.succeeds(j.ending[i], e) {
			return &j.ending[i]
		}
	}
	return nil
}

// succeeds tells whether an employment that is there after the end of another
// goes on from it. Another source that tells of the same kind is taken for a
// second record of the same employment, which protects nobody, unless it began
// only when the other had ended. A directory's record protects nobody elsewhere.
func (j *judge) succeeds(next, e tenure) bool {
	begins := next.HireDate
	switch {
	case next.Source != e.Source && j.facts.Directories[next.Source]:
		return false
	case !begins.IsZero() && later(begins, addDays(latest(e.over, e.heard), bridge)):
		return false
	case next.Source == e.Source, next.Kind != e.Kind:
		return true
	}
	return !begins.IsZero() && later(begins, e.day)
}

// verdict puts the judgement into words. Nil: nobody leaves.
func (j *judge) verdict(e *tenure) schema.Leaving {
	out := schema.Leaving{Contradicts: j.cause}
	if e == nil {
		out.Key = j.remaining()
		if out.Contradicts {
			j.say("dismissed for cause, and yet employed: people must look")
		}
		out.Why = strings.Join(j.notes, "; ")
		return out
	}
	out.Leaves, out.Key, out.Moment = true, e.EmploymentKey, e.moment
	out.ForCause, out.Reason = e.ForCause, e.LeaveReason
	if !e.moment.DueAt.After(j.facts.HeardAt) {
		out.Contradicts = false
	}
	if out.Contradicts {
		j.say("dismissed for cause, and yet employed until then: people must look")
	}
	out.Why = strings.Join(append([]string{e.name() + " " + e.how + ": " + inWords(e.moment)}, j.notes...), "; ")
	return out
}

// remaining names the employment that lasts, one that the source still lists
// before one that it left out.
func (j *judge) remaining() schema.EmploymentKey {
	for _, e := range j.lasting {
		if e.AbsentSince.IsZero() {
			return e.EmploymentKey
		}
	}
	if len(j.lasting) > 0 {
		return j.lasting[0].EmploymentKey
	}
	return schema.EmploymentKey{}
}
