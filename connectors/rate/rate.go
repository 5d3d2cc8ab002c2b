// Package rate shares a vendor's call rate among all processes: tokens are
// leased in small batches from a common store and handed out here by priority.
package rate

import (
	"container/heap"
	"context"
	"math"
	"sync"
	"time"

	"sendoff/connectors"
	"sendoff/schema"
)

const (
	// LeaseSpan is how much of the rate is leased at once at most, and how long
	// leased tokens are good for. A process that dies loses no more than that.
	LeaseSpan = time.Second
	// minPause keeps a store that grants nothing and names no wait from being
	// asked in a tight loop.
	minPause = 20 * time.Millisecond
	// maxPause is the longest sleep before the store is asked again.
	maxPause = 5 * time.Second
	// sweepAt is the number of buckets from which idle ones are dropped.
	sweepAt = 1024
)

// Leaser grants tokens of the bucket (connection, user), which fills at
// ratePerMinute. It grants 0 to want; with 0 it says how long to wait before
// asking again.
type Leaser interface {
	Lease(ctx context.Context, connection, user string, want int, ratePerMinute float64) (granted int, wait time.Duration, err error)
}

// Limiter implements connectors.Limiter over a Leaser.
type Limiter struct {
	leaser    Leaser
	perMinute float64
	most      int // tokens leased at once at most

	mu      sync.Mutex
	buckets map[key]*bucket
}

var _ connectors.Limiter = (*Limiter)(nil)

type key struct{ connection, user string }

// New returns a limiter for ratePerMinute calls per minute and acting user.
func New(leaser Leaser, ratePerMinute float64) *Limiter {
	most := int(math.Max(1, math.Floor(ratePerMinute*LeaseSpan.Minutes())))
	return &Limiter{leaser: leaser, perMinute: ratePerMinute, most: most, buckets: map[key]*bucket{}}
}

// bucket holds the leased tokens of one acting user and those who wait for more.
// The limiter's lock guards it.
type bucket struct {
	key     key
	tokens  int
	expires time.Time
	next    int // how many tokens to lease next
	waiters queue
	arrived uint64
	leasing bool               // whether a goroutine leases for the waiters
	stop    context.CancelFunc // ends its round: nobody waits any more
}

// Wait implements connectors.Limiter: lower priorities first, then first come.
func (l *Limiter) Wait(ctx context.Context, connection schema.ConnectionID, actingUser schema.ExternalID, p connectors.Priority) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := l.join(key{string(connection), string(actingUser)}, p)
	if w == nil {
		return nil
	}
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return l.leave(w, ctx.Err())
	}
}

// join takes a token that is at hand, or queues for one.
func (l *Limiter) join(k key, p connectors.Priority) *waiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(k)
	if b.waiters.Len() == 0 && b.take() {
		return nil
	}
	b.arrived++
	w := &waiter{bucket: b, priority: p, order: b.arrived, done: make(chan error, 1)}
	heap.Push(&b.waiters, w)
	if !b.leasing {
		b.leasing = true
		go l.lease(b)
	}
	return w
}

// leave gives up a place in the queue. A token that came at the same moment is
// kept for the next caller.
func (l *Limiter) leave(w *waiter, cause error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.index >= 0 {
		heap.Remove(&w.bucket.waiters, w.index)
		if w.bucket.waiters.Len() == 0 && w.bucket.stop != nil {
			w.bucket.stop()
		}
		return cause
	}
	if err := <-w.done; err == nil {
		w.bucket.tokens++
		w.bucket.serve()
	}
	return cause
}

func (l *Limiter) bucket(k key) *bucket {
	if b := l.buckets[k]; b != nil {
		return b
	}
	if len(l.buckets) >= sweepAt {
		for name, b := range l.buckets {
			if !b.leasing && !time.Now().Before(b.expires) {
				delete(l.buckets, name)
			}
		}
	}
	b := &bucket{key: k}
	l.buckets[k] = b
	return b
}

// lease asks the store for tokens until nobody waits.
func (l *Limiter) lease(b *bucket) {
	for l.round(b) {
	}
}

// round leases once, or tells that nobody waits any more. Its context ends when
// the last waiter leaves; whoever comes after that is served by the next round.
func (l *Limiter) round(b *bucket) bool {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	want, ok := l.want(b, cancel)
	if !ok {
		return false
	}
	asked := time.Now()
	granted, wait, err := l.leaser.Lease(ctx, b.key.connection, b.key.user, want, l.perMinute)
	if ctx.Err() != nil {
		err = nil
	}
	if pause := l.settle(b, asked, granted, wait, err); pause > 0 {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
	return true
}

// want is how many tokens to ask for next; false when nobody waits any more. A
// bucket whose lease ran out begins small again: an idle worker holds nothing
// that others could use.
func (l *Limiter) want(b *bucket, stop context.CancelFunc) (int, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b.waiters.Len() == 0 {
		b.leasing, b.stop = false, nil
		return 0, false
	}
	b.stop = stop
	if !time.Now().Before(b.expires) {
		b.next = 1
	}
	return min(max(b.next, b.waiters.Len()), l.most), true
}

// settle books what the store answered and returns how long to pause.
func (l *Limiter) settle(b *bucket, asked time.Time, granted int, wait time.Duration, err error) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		for b.waiters.Len() > 0 {
			heap.Pop(&b.waiters).(*waiter).done <- err
		}
		return 0
	}
	if granted <= 0 {
		return min(max(wait, minPause), maxPause)
	}
	// Used up in time: lease more at once, so that a busy worker asks rarely.
	b.next = min(granted*2, l.most)
	b.tokens, b.expires = granted, asked.Add(LeaseSpan)
	b.serve()
	return 0
}

// take uses one token that is still good.
func (b *bucket) take() bool {
	if b.tokens <= 0 || !time.Now().Before(b.expires) {
		b.tokens = 0
		return false
	}
	b.tokens--
	return true
}

// serve gives tokens to those who wait, in order.
func (b *bucket) serve() {
	for b.waiters.Len() > 0 && b.take() {
		heap.Pop(&b.waiters).(*waiter).done <- nil
	}
}

type waiter struct {
	bucket   *bucket
	priority connectors.Priority
	order    uint64
	done     chan error // buffered: the one send never blocks
	index    int        // in the queue; -1 = served
}

// queue is a heap of waiters (container/heap).
type queue []*waiter

// Len implements heap.Interface.
func (q queue) Len() int { return len(q) }

// Less implements heap.Interface.
func (q queue) Less(i, j int) bool {
	if q[i].priority != q[j].priority {
		return q[i].priority < q[j].priority
	}
	return q[i].order < q[j].order
}

// Swap implements heap.Interface.
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push implements heap.Interface.
func (q *queue) Push(x any) {
	w := x.(*waiter)
	w.index = len(*q)
	*q = append(*q, w)
}

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	old := *q
	w := old[len(old)-1]
	old[len(old)-1] = nil
	*q, w.index = old[:len(old)-1], -1
	return w
}
