package boxsim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// event is one record of the enterprise's stream.
type event struct {
	// key is its place in admin_logs: the nanosecond of its time or one near to
	// it, unlike any other event's.
	key       int64
	id        string
	typ       string
	createdBy string // user id; empty is nobody, anonymousID somebody not signed in
	actionBy  string
	source    any // a form that appendSource knows, or anything JSON has
	at        time.Time
	arrived   time.Time // when Box knew of it, usually at
	details   any
}

// eventLog is all that happened: the past of a big company, which is computed
// when it is read, and what was recorded one by one.
type eventLog struct {
	past     *pastEvents
	recorded []*event // by key
	arrivals []*event // in the order in which Box knew of them
	streamed []delivered
	inStream int // how many of arrivals are in streamed
	// forgotten are those of streamed that are too old for good.
	forgotten int
}

// delivered is one event of the streaming stream: a recorded one, or that of the
// past with an index.
type delivered struct {
	recorded *event
	index    int32
}

func (l *eventLog) resolve(d delivered) event {
	if d.recorded != nil {
		return *d.recorded
	}
	return l.past.event(int(d.index))
}

// record adds an event. Keys of recorded events are odd and those of the past
// even, so that no two are the same.
func (l *eventLog) record(e event) *event {
	e.key = e.at.UnixNano() | 1
	i, taken := l.find(e.key)
	for ; taken; i, taken = l.find(e.key) {
		e.key += 2
	}
	e.id = fmt.Sprintf("00000000-5eed-4000-8000-%012d", len(l.arrivals)+1)
	l.recorded = slices.Insert(l.recorded, i, &e)
	l.arrivals = append(l.arrivals, &e)
	return &e
}

func (l *eventLog) find(key int64) (int, bool) {
	return slices.BinarySearchFunc(l.recorded, key, func(e *event, key int64) int {
		switch {
		case e.key < key:
			return -1
		case e.key > key:
			return 1
		}
		return 0
	})
}

// from yields events in order, from a key on.
func (l *eventLog) from(key int64) func(yield func(event) bool) {
	return func(yield func(event) bool) {
		j, _ := l.find(key)
		i, count := 0, 0
		if l.past != nil {
			i, count = l.past.search(key), l.past.count
		}
		for i < count || j < len(l.recorded) {
			var e event
			if i < count && (j == len(l.recorded) || l.past.key(i) < l.recorded[j].key) {
				e = l.past.event(i)
				i++
			} else {
				e = *l.recorded[j]
				j++
			}
			if !yield(e) {
				return
			}
		}
	}
}

// deliver puts into the stream what has become visible: shuffled, and some of it
// twice. What was delivered once keeps its place, so that positions stay good.
func (l *eventLog) deliver(visible, oldest time.Time, seed int64) {
	var fresh []delivered
	put := func(d delivered, n int) {
		fresh = append(fresh, d)
		if n%streamRepeatOne == 0 {
			fresh = append(fresh, d)
		}
	}
	if l.past != nil && len(l.streamed) == 0 && l.inStream == 0 {
		for i := l.past.search(oldest.UnixNano()); i < l.past.count; i++ {
			put(delivered{index: int32(i)}, i) //nolint:gosec // count is checked to fit
		}
	}
	for ; l.inStream < len(l.arrivals); l.inStream++ {
		e := l.arrivals[l.inStream]
		if e.arrived.After(visible) {
			break
		}
		if !e.arrived.Before(oldest) {
			put(delivered{recorded: e}, l.inStream+1)
		}
	}
	rng := rand.New(rand.NewPCG(uint64(seed), uint64(len(l.streamed)))) //nolint:gosec // a seed must give one order
	rng.Shuffle(len(fresh), func(i, j int) { fresh[i], fresh[j] = fresh[j], fresh[i] })
	l.streamed = append(l.streamed, fresh...)
}

// arrival is when Box knew of what was delivered at a place of the stream.
func (l *eventLog) arrival(place int) time.Time {
	if d := l.streamed[place]; d.recorded == nil {
		return time.Unix(0, l.past.key(int(d.index)))
	}
	return l.streamed[place].recorded.arrived
}
