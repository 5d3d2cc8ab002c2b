package boxsim

import (
	"slices"
	"strconv"
	"time"
)

// job is a running or finished transfer. Its steps carry wall instants.
type job struct {
	id           int
	source, dest string
	folder       string // the destination folder
	inner        string // where root items go: the folder or one below it
	by           string // who sent the request
	mode         Mode
	started      time.Time
	ends         time.Time // zero: never
	steps        []moveStep
	stops        int // how many steps are made by themselves
	next         int
	done         bool
	dies, died   bool // ends after its stops without having moved the rest
	finished     time.Time
	notify       bool
}

// moveStep gives one item to the receiver at an instant.
type moveStep struct {
	item *item
	at   time.Time
}

// Durations of jobs by mode, in simulated time. A quick job's follows from what
// it moves but stays below the gateway's limit.
const (
	quickBase        = 2 * time.Second
	quickPerItem     = 50 * time.Millisecond
	quickBytesPerSec = 200 << 20
	quickMost        = 45 * time.Second
	longJob          = 5 * time.Minute
	veryLongJob      = 15 * time.Minute
)

// storageDies is the value of the switch storage_full by which a job finds out.
const storageDies = "dies"

func (m transferMode) jobDuration(items int, bytes int64) time.Duration {
	if m.duration > 0 {
		return m.duration
	}
	switch m.mode {
	case ModeSlow200:
		return veryLongJob
	case ModeGateway504, ModeDrop, ModeNever:
		return longJob
	}
	moving := time.Duration(float64(bytes) / quickBytesPerSec * float64(time.Second))
	return min(quickMost, quickBase+time.Duration(items)*quickPerItem+moving)
}

// jobsOf lists the running jobs that an account is source or receiver of.
func (s *Sim) jobsOf(userID string) []*job {
	var out []*job
	for _, j := range s.w.running {
		if j.source == userID || j.dest == userID {
			out = append(out, j)
		}
	}
	return out
}

// startJob makes the destination folder and plans every move.
func (q *request) startJob(source, dest *user) *job {
	w := q.w
	j := &job{
		id: len(w.jobs) + 1, source: source.id, dest: dest.id, by: q.actor.id, mode: source.mode.mode,
		started: q.now, notify: q.param("notify") == "true",
	}
	items := q.planMoves(source)
	j.folder = q.jobFolder(dest, "", q.destinationName(source, dest)).id
	j.inner = j.folder
	if q.switches.RootItemsNested && len(items) > 0 {
		j.inner = q.jobFolder(dest, j.folder, "Files and Folders").id
	}
	whole := q.clock.Wall(source.mode.jobDuration(len(items), source.bytes))
	for i, it := range items {
		j.steps = append(j.steps, moveStep{it, q.now.Add(whole * time.Duration(i+1) / time.Duration(len(items)))})
	}
	j.ends, j.stops = q.now.Add(whole), len(j.steps)
	if j.mode == ModeNever {
		j.ends, j.stops = time.Time{}, len(j.steps)/2
	}
	q.letDie(j, source, dest)
	w.jobs = append(w.jobs, j)
	w.running = append(w.running, j)
	for _, u := range []*user{source, dest} {
		u.maxJobs = max(u.maxJobs, len(q.jobsOf(u.id)))
	}
	q.log.Info("transfer job started", "job", j.id, "source", j.source, "receiver", j.dest, "items", len(items), "mode", string(j.mode))
	return j
}

// letDie ends a job early where the plan says so, or where the receiver's room
// is used up. What kills a job by plan kills one job alone.
func (q *request) letDie(j *job, source, dest *user) {
	stops := -1
	if source.mode.dies {
		stops = source.mode.diesAt(len(j.steps))
		source.mode.dies = false
	} else if q.switches.StorageFull == storageDies && dest != source {
		room := dest.spaceAmount - dest.bytes
		for i, step := range j.steps {
			if room -= step.item.size; room < 0 {
				stops = i
				break
			}
		}
	}
	if stops < 0 {
		return
	}
	j.dies, j.stops = true, stops
	if last := len(j.steps) - 1; last >= 0 {
		j.ends = j.steps[min(stops, last)].at
	}
}

func (q *request) jobFolder(dest *user, parent, name string) *item {
	return q.w.add(&item{
		typ: typeFolder, name: name, owner: dest.id, parent: parent, createdBy: q.actor.id, madeByJob: true,
		createdAt: q.now, modifiedAt: q.now,
	}, q.now)
}

// planMoves lists what will move, folders before what is in them, so that the
// source's root is empty long before the job is done. Folders locked against
// moves stay with all below them; so does retained trash.
func (q *request) planMoves(source *user) []*item {
	var plan []*item
	seen := map[string]bool{}
	var visit func(*item)
	visit = func(it *item) {
		seen[it.id] = true
		if q.pinned(it, false) || slices.Contains(source.mode.leaves, it.id) {
			for _, x := range q.w.subtree(it) {
				seen[x.id] = true
			}
			return
		}
		if it.owner == source.id && !(it.state == stateTrashed && (q.w.retains(it) || q.switches.TrashStays)) {
			plan = append(plan, it)
		}
		for _, id := range it.children {
			if child := q.w.items[id]; child != nil && child.state != stateDestroyed {
				visit(child)
			}
		}
	}
	roots := append(q.w.children("", source.id, stateAlive), q.w.children("", source.id, stateTrashed)...)
	slices.SortStableFunc(roots, func(a, b *item) int {
		if a.state != b.state && a.alive() {
			return -1
		} else if a.state != b.state {
			return 1
		}
		return compareItems(a, b)
	})
	for _, it := range roots {
		visit(it)
	}
	for _, it := range byID(source.owned) {
		if !seen[it.id] {
			visit(it)
		}
	}
	return plan
}

// advanceJobs makes every move that is due, in the order of their instants.
func (s *Sim) advanceJobs(now time.Time) {
	for _, j := range slices.Clone(s.w.running) {
		for j.next < j.stops && !j.steps[j.next].at.After(now) {
			s.makeMove(j, j.steps[j.next])
			j.next++
		}
		if !j.ends.IsZero() && !j.ends.After(now) {
			j.died = j.dies
			s.endJob(j, j.ends, !j.dies)
			if !j.died {
				s.mailCompletion(j)
			}
		}
	}
}

func (s *Sim) makeMove(j *job, step moveStep) {
	it := step.item
	if it.owner != j.source || it.state == stateDestroyed {
		return
	}
	if it.parent == "" {
		s.w.unlink(it)
		it.parent = j.inner
		s.w.own(it, j.dest, step.at)
		s.w.link(it)
	} else {
		s.w.own(it, j.dest, step.at)
	}
	it.destination = j.folder
	it.modifiedAt = step.at
	if s.switches.TransferEvents == "some" {
		s.emit(step.at, "MOVE", j.by, it.eventSource(s.w))
	}
	if s.switches.ChangeIDs {
		s.w.changeID(it)
	}
}

// changeID gives an item a new id and mends everything that refers to it.
func (w *world) changeID(it *item) {
	w.unlink(it)
	old, u := it.id, w.users[it.owner]
	delete(w.items, old)
	delete(u.owned, old)
	it.formerIDs = append(it.formerIDs, old)
	it.id = w.id("item")
	w.items[it.id] = it
	u.own(it)
	w.link(it)
	for _, id := range it.children {
		if child := w.items[id]; child != nil {
			child.parent = it.id
		}
	}
	for _, c := range w.itemCollabs[old] {
		c.item = it.id
	}
	w.itemCollabs[it.id] = w.itemCollabs[old]
	delete(w.itemCollabs, old)
	for _, l := range w.locks {
		if l.folder == old {
			l.folder = it.id
		}
	}
}

// endJob takes a job off the running ones; what it has not moved stays. A job
// that completes takes the source's workflows along.
func (s *Sim) endJob(j *job, at time.Time, complete bool) {
	if j.done {
		return
	}
	j.done, j.finished = true, at
	if complete && !s.switches.WorkflowsStay {
		s.w.handOverWorkflows(j.source, j.dest)
	}
	s.w.running = slices.DeleteFunc(s.w.running, func(x *job) bool { return x == j })
	s.log.Info("transfer job ended", "job", j.id, "source", j.source, "receiver", j.dest, "moved", j.next)
}

// mailCompletion is the message Box sends to the admin; no API tells as much.
func (s *Sim) mailCompletion(j *job) {
	to := []string{s.admin}
	if j.notify {
		to = append(to, j.dest)
	}
	for _, id := range to {
		s.w.mails = append(s.w.mails, Mail{
			Time: j.finished, To: s.w.users[id].login,
			Subject: "Content transfer complete",
			Body: "The transfer of content from user " + j.source + " to user " + j.dest + " is complete. Items moved: " +
				strconv.Itoa(j.next) + ". Folder: " + j.folder + ".",
		})
	}
}
