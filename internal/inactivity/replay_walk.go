package inactivity

import (
	"slices"
	"sort"
	"time"

	"sendoff/schema"
)

// unused stands for the day of a use that is not recorded.
const unused = -1 << 40

// walk goes through the silences of one account: from the day after a use to the
// day of the next one, whose run did not know of it yet.
type walk struct {
	*Replayer
	account *schema.UsedAccount
	subject schema.Subject // as of the run that is looked at
	spans   []schema.Interval
	use     int // index of the use that ends the silence

	threshold   time.Duration
	lastUse     int // the day of the use before it, or unused
	endUse      int // the day of the use that ends it
	lastAt      time.Time
	first, last int // the silence's runs, by index
	// fixed are the runs from which something else than use may be different.
	fixed     []int
	fixedDone bool
	// same is the run before which an account in use is judged as it was.
	same int
}

func (p *Replayer) walk(a *schema.UsedAccount) *walk {
	w := &walk{Replayer: p, account: a, subject: a.Subject, use: -1, spans: p.covered[a.Account.ConnectionID]}
	w.threshold = p.rule.rule.Threshold.Of(a.Account.Kind, a.Account.Role)
	w.subject.Activity.LastEvent = "" // the one of now
	w.last, w.endUse = -1, unused
	if !a.Before.IsZero() {
		w.endUse = dayOfDate(a.Before)
	}
	return w
}

// next goes to the next silence that a run may take the account in.
func (w *walk) next() bool {
	for w.use < len(w.account.Days) {
		w.use++
		w.lastUse, w.first = w.endUse, w.last+1
		if w.use == len(w.account.Days) {
			w.last = len(w.runs) - 1
		} else {
			w.endUse = dayOfDate(w.account.Days[w.use])
			w.last = w.runsUpTo(w.endUse) - 1
		}
		if w.first <= w.last && w.worth() {
			return true
		}
	}
	return false
}

// worth tells whether the silence has to be looked at. Of a short one it is known
// that the account is in use all through it.
func (w *walk) worth() bool {
	w.lastAt = time.Time{}
	if w.lastUse == unused {
		return true
	}
	w.lastAt = begin(w.lastUse + 1).Add(-1)
	if w.runs[w.last] > dayOf(w.lastAt.Add(w.threshold)) {
		return true
	}
	return w.inUse && w.last >= w.same
}

// taken is the first run of the silence that takes the account; whole = had there
// been no hole in the coverage. Between two of its changes every run comes to the
// same, unless the match itself looks at the time.
func (w *walk) taken(whole bool) (run int, ok bool) {
	changes := w.changes()
	for i := 0; i < len(changes); i++ {
		end := w.last + 1
		if i+1 < len(changes) {
			end = changes[i+1]
		}
		for run := changes[i]; run < end; run++ {
			v := w.judge(run, whole)
			if v.Matched() {
				return run, true
			}
			if w.steady || !mayTurn(v.Reason) {
				break
			}
		}
	}
	return 0, false
}

// mayTurn tells whether a verdict may be another one on the next day although
// nothing happened.
func mayTurn(r schema.VerdictReason) bool {
	return r == schema.ReasonNoMatch || r == schema.ReasonMatchFailed || r == schema.ReasonExcluded
}

// judge judges the account as of a run.
func (w *walk) judge(run int, whole bool) schema.Verdict {
	at := begin(w.runs[run])
	if at.Before(w.account.Account.CreatedAt) || w.gone(at) {
		return schema.Verdict{Reason: schema.ReasonElsewhere, Exclusion: -1}
	}
	w.subject.Activity.LastActiveAt = w.lastAt
	w.subject.Activity.Covered = coveredAt(w.spans, at)
	if whole {
		w.subject.Activity.Covered = wholeAt(w.spans, at)
	}
	w.subject.Account.Status = statusAt(w.account, at)
	w.subject.KeptAt = w.account.KeptAt
	if w.subject.KeptAt.After(at) {
		w.subject.KeptAt = time.Time{}
	}
	v := w.rule.Judge(&w.subject, at)
	if w.steady && v.Grade == schema.GradeActive && !v.Matched() {
		w.same = w.nextFixed(run)
	}
	return v
}

func (w *walk) gone(at time.Time) bool {
	return !w.account.GoneAt.IsZero() && !at.Before(w.account.GoneAt)
}

// statusAt is the status that an account had.
func statusAt(a *schema.UsedAccount, at time.Time) schema.AccountStatus {
	i := sort.Search(len(a.Changes), func(i int) bool { return a.Changes[i].At.After(at) })
	switch {
	case i > 0:
		return a.Changes[i-1].After
	case len(a.Changes) > 0:
		return a.Changes[0].Before
	}
	return a.Account.Status
}

// changes are the runs of the silence from which a verdict may be another one.
func (w *walk) changes() []int {
	all := []int{w.first}
	if w.lastUse != unused {
		all = w.add(all, w.lastAt.Add(w.threshold))
	}
	w.fix()
	for _, run := range w.fixed {
		if run > w.first && run <= w.last {
			all = append(all, run)
		}
	}
	all = slices.DeleteFunc(all, func(run int) bool { return run < w.first || run > w.last })
	slices.Sort(all)
	return slices.Compact(all)
}

// fix finds the runs from which something else than use may be different.
func (w *walk) fix() {
	if w.fixedDone {
		return
	}
	w.fixedDone = true
	a := w.account
	all := w.add(nil, a.Account.CreatedAt)
	all = w.add(all, a.Account.CreatedAt.Add(w.threshold))
	all = w.add(all, a.GoneAt)
	for _, c := range w.spans {
		all = w.add(all, c.From)
		all = w.add(all, c.From.Add(w.threshold))
		all = w.add(all, c.To.Add(schema.FreshFor))
	}
	for _, c := range a.Changes {
		all = w.add(all, c.At)
	}
	if !a.KeptAt.IsZero() {
		all = w.add(all, a.KeptAt)
		all = w.add(all, a.KeptAt.Add(keptFor(w.threshold)))
	}
	for _, day := range w.ends {
		all = append(all, sort.SearchInts(w.runs, day))
	}
	slices.Sort(all)
	w.fixed = slices.Compact(all)
}

// nextFixed is the first of the fixed runs after a run.
func (w *walk) nextFixed(run int) int {
	if i := sort.SearchInts(w.fixed, run+1); i < len(w.fixed) {
		return w.fixed[i]
	}
	return len(w.runs)
}

// add adds the first run at an instant or after it, and the first after it.
func (w *walk) add(runs []int, at time.Time) []int {
	if at.IsZero() {
		return runs
	}
	return append(runs, sort.SearchInts(w.runs, dayFrom(at)), sort.SearchInts(w.runs, dayOf(at)+1))
}

// holed tells whether coverage is missing of what runs judged, after it had begun.
func (w *walk) holed() bool {
	n := len(w.spans)
	return n > 1 || n == 1 && w.spans[0].To.Before(begin(w.runs[len(w.runs)-1]))
}

func (w *walk) hit(run int) schema.ReplayHit {
	day := w.runs[run]
	h := schema.ReplayHit{
		AccountID: w.account.Account.ID, Connection: w.account.Connection, Login: w.account.Account.Login, HitOn: dateOfDay(day),
	}
	if w.use < len(w.account.Days) {
		h.ReturnedOn = w.account.Days[w.use]
	}
	if w.lastUse != unused {
		h.LastUsedOn, h.SilentForDay = dateOfDay(w.lastUse), day-w.lastUse-1
		return h
	}
	since := coveredAt(w.spans, begin(day)).From
	if created := w.account.Account.CreatedAt; created.After(since) {
		since = created
	}
	h.SilentForDay = day - dayFrom(since)
	return h
}
