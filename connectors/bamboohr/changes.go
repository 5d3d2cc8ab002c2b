package bamboohr

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sendoff/connectors"
)

// change is an employee of whom something may have changed.
type change struct {
	id      string
	at      time.Time // of the last change; zero = not said
	deleted bool
	rows    []row // of employment status
}

// ReadChanges implements connectors.EmployeeFeed. Employees whom the key's owner
// may not see are left out: nothing is known of them.
func (f *feed) ReadChanges(ctx context.Context, position string) (connectors.EmployeeChanges, error) {
	defer f.http.Close()
	from, err := parseMarker(position)
	if err != nil {
		return connectors.EmployeeChanges{}, err
	}
	all, next, err := f.changes(ctx, from)
	if err != nil {
		return connectors.EmployeeChanges{}, err
	}
	todo := from.unread(all)
	if position == "" {
		if todo, err = f.population(ctx, all); err != nil {
			return connectors.EmployeeChanges{}, err
		}
	}
	employees, err := f.readAll(ctx, todo)
	return connectors.EmployeeChanges{Employees: employees, Marker: next.String()}, err
}

// changes lists what changed since a marker, by number, and the marker behind it.
// The rows are asked for first, so that the list that follows tells of whatever
// had changed by then.
func (f *feed) changes(ctx context.Context, from marker) ([]change, marker, error) {
	asked := f.now()
	rows, err := f.changedRows(ctx, from.from())
	if err == nil {
		err = rows.told()
	}
	if err != nil {
		return nil, from, err
	}
	asked = asked.Add(f.skew())
	changed, err := f.changedEmployees(ctx, from.from())
	if err != nil {
		return nil, from, err
	}
	byID := make(map[string]change, len(changed.Employees))
	for id, r := range changed.Employees {
		byID[id] = change{id: id, at: r.LastChanged.Time, deleted: r.deleted()}
	}
	for id, r := range rows.Employees {
		c := byID[id]
		c.id, c.rows = id, r.Rows
		if r.LastChanged.After(c.at) {
			c.at = r.LastChanged.Time
		}
		byID[id] = c
	}
	all := make([]change, 0, len(byID))
	for _, c := range byID {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b change) int { return byNumber(a.id, b.id) })
	return all, from.next(changed.Latest.Time, all, asked), nil
}

// maxSkew is how far the vendor's clock is believed to be off.
const maxSkew = 24 * time.Hour

func (f *feed) skew() time.Duration {
	if skew := f.http.ClockSkew(); skew.Abs() < maxSkew {
		return skew
	}
	return 0
}

// population is everybody: those who ever changed and were not deleted, and those
// who are listed. The list is documented for OAuth alone, so that a key may be
// refused it.
func (f *feed) population(ctx context.Context, changed []change) ([]change, error) {
	all := slices.DeleteFunc(changed, func(c change) bool { return c.deleted })
	listed, err := f.everybody(ctx)
	switch connectors.KindOf(err) {
	case connectors.Unauthorized, connectors.Forbidden, connectors.NotFound:
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	known := make(map[string]bool, len(all))
	for _, c := range all {
		known[c.id] = true
	}
	for _, id := range listed {
		if !known[id] {
			known[id] = true
			all = append(all, change{id: id})
		}
	}
	slices.SortFunc(all, func(a, b change) int { return byNumber(a.id, b.id) })
	return all, nil
}

// readers is how many records are read at a time.
const readers = 4

// readAll reads the records of changes, in their order. The first failure ends it.
func (f *feed) readAll(ctx context.Context, todo []change) ([]connectors.Employee, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	read := make([]*connectors.Employee, len(todo))
	var next atomic.Int64
	var hiddenOnes atomic.Int64
	var running sync.WaitGroup
	for range min(readers, len(todo)) {
		running.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(todo) {
					return
				}
				e, err := f.read(ctx, todo[i])
				switch {
				case connectors.KindOf(err) == connectors.Forbidden && !wanting(err):
					hiddenOnes.Add(1)
				case err != nil:
					cancel(err)
				default:
					read[i] = e
				}
			}
		})
	}
	running.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if n := int(hiddenOnes.Load()); n > 0 && n == len(todo) {
		// Nobody could be read: perhaps nobody can be any more.
		if err := f.CheckFeed(ctx); err != nil {
			return nil, err
		}
	}
	out := make([]connectors.Employee, 0, len(read))
	for _, e := range read {
		if e != nil {
			out = append(out, *e)
		}
	}
	return out, nil
}

const (
	// patience is how often a record is asked for again within a poll that was told
	// to slow down: there is no place to go on from in the middle of one.
	patience = 5
	// slowest is the longest pause made for that; whoever is told to wait longer
	// comes back with the next try.
	slowest = time.Minute
	// slower is the pause where none is named.
	slower = 2 * time.Second
)

// read reads the record of a change; nil = it is gone. A deletion tells itself,
// with the next poll.
func (f *feed) read(ctx context.Context, c change) (*connectors.Employee, error) {
	if c.deleted {
		e, err := ended(c)
		return &e, err
	}
	for try := 1; ; try++ {
		rec, err := f.readRecord(ctx, c.id)
		if err == nil {
			e, err := employee(c, rec, f.today())
			return &e, err
		}
		if connectors.KindOf(err) == connectors.NotFound {
			return nil, nil
		}
		pause, again := slowDown(err)
		if !again || try == patience {
			return nil, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, err
		case <-timer.C:
		}
	}
}
