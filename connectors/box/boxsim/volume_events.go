package boxsim

import (
	"fmt"
	"sort"
	"time"
)

// pastEvents is the past year of a big company. Nothing of it is stored: an
// event follows from its index.
type pastEvents struct {
	s           *Sim
	people      []*user
	count       int
	start, step int64 // nanoseconds; both even
	kinds       []pastKind
}

func newPastEvents(s *Sim, people []*user, count int) *pastEvents {
	const year = 365 * day
	end := s.cfg.Epoch.UnixNano()
	step := max(int64(year)/int64(count)&^1, 2)
	return &pastEvents{s: s, people: people, count: count, start: (end - step*int64(count)) &^ 1, step: step, kinds: pastKinds()}
}

// key is the event's time and place: one in each step of the year, somewhere in
// it. Keys are even.
func (p *pastEvents) key(i int) int64 {
	within := int64(p.s.number(mixTime, i)%uint64(p.step)) &^ 1 //nolint:gosec // below step
	return p.start + int64(i)*p.step + within
}

// search is the index of the first event at or behind a key.
func (p *pastEvents) search(key int64) int {
	return sort.Search(p.count, func(i int) bool { return p.key(i) >= key })
}

// pastKind is one kind of event and how many of a thousand are of it.
type pastKind struct {
	typ   string
	share uint64
	by    int
}

// Who is behind a kind of event.
const (
	byUserOnFile = iota
	byUserOnSelf
	byAdminOnUser
	byAnonymous
	byNobody
)

// pastKinds are, most often, what counts as use of an account; sign-ins by
// admins, failed ones, visitors without an account and events of nobody are not.
func pastKinds() []pastKind {
	return []pastKind{
		{"PREVIEW", 255, byUserOnFile},
		{"LOGIN", 240, byUserOnSelf},
		{"DOWNLOAD", 200, byUserOnFile},
		{"UPLOAD", 100, byUserOnFile},
		{"EDIT", 80, byUserOnFile},
		{"FAILED_LOGIN", 20, byUserOnSelf},
		{"COPY", 15, byUserOnFile},
		{"MOVE", 15, byUserOnFile},
		{"DELETE", 15, byUserOnFile},
		{"SHARE", 12, byUserOnFile},
		{"DOWNLOAD", 8, byAnonymous},
		{"PREVIEW", 8, byAnonymous},
		{"COMMENT_CREATE", 8, byUserOnFile},
		{"ADMIN_LOGIN", 6, byAdminOnUser},
		{"LOCK", 5, byUserOnFile},
		{"UNLOCK", 5, byUserOnFile},
		{"UNDELETE", 3, byUserOnFile},
		{"EDIT_USER", 3, byAdminOnUser},
		{"SHARE_EXPIRATION", 2, byNobody},
	}
}

func (p *pastEvents) kind(n uint64) pastKind {
	n %= 1000
	for _, k := range p.kinds {
		if n < k.share {
			return k
		}
		n -= k.share
	}
	return p.kinds[0]
}

// event makes the event of an index.
func (p *pastEvents) event(i int) event {
	key := p.key(i)
	at := time.Unix(0, key).UTC()
	n := p.s.number(mixType, i)
	kind := p.kind(n)
	e := event{key: key, id: fmt.Sprintf("00000000-5eed-4001-8000-%012d", i+1), typ: kind.typ, at: at, arrived: at}
	item := pastItem{number: 600_000_000_000 + int64(n>>20%1_000_000)*7, owner: p.s.admin} //nolint:gosec // below a million
	switch kind.by {
	case byAdminOnUser:
		e.createdBy, e.source = p.s.admin, userSource(p.people[n>>10%uint64(len(p.people))].id)
	case byAnonymous:
		e.createdBy, e.source = anonymousID, item
	case byNobody:
		e.source = item
	default:
		e.createdBy = p.actor(i, at)
		item.owner = e.createdBy
		e.source = item
		if kind.by == byUserOnSelf {
			e.source = userSource(e.createdBy)
		}
	}
	return e
}

// actor is somebody who used the account at that time. Where chance finds nobody
// it was the admin.
func (p *pastEvents) actor(i int, at time.Time) string {
	const tries = 16
	for try := range tries {
		k := int(mix(p.s.number(mixActor, i), uint64(try)) % uint64(len(p.people))) //nolint:gosec // below a count
		u, h := p.people[k], p.s.habitOf(k)
		if !h.never && !at.Before(u.createdAt) && at.Before(p.s.cfg.Epoch.Add(-h.stopped)) {
			return u.id
		}
	}
	return p.s.admin
}
