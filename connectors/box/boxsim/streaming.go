package boxsim

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The streaming stream: how late it is, in simulated time, how far back it
// reaches, in wall time, and how often it repeats itself.
const (
	streamDelay     = 12 * time.Second
	streamReach     = 14 * day
	streamRepeatOne = 3 // one event of so many comes twice
)

// adminLogsStreaming is near to now, out of order and at least once. It knows
// no dates; the position "now" stands behind everything there is.
func (q *request) adminLogsStreaming(limit int) reply {
	q.stream(q.now.Add(-q.clock.Wall(streamDelay)))
	end := positionBase + int64(len(q.w.streamed))
	position := positionBase
	switch raw := q.param("stream_position"); raw {
	case "", "0":
	case "now":
		position = end
	default:
		n, err := strconv.ParseInt(raw, 10, 64)
		if err != nil {
			return failed(badRequest("stream_position", "Invalid value '"+raw+"'"))
		}
		position = max(positionBase, min(n, end))
	}
	var types []string
	if raw := q.param("event_type"); raw != "" {
		types = strings.Split(raw, ",")
	}
	entries := []any{}
	for ; position < end && len(entries) < limit; position++ {
		e := q.w.streamed[position-positionBase]
		if types == nil || slices.Contains(types, e.typ) {
			entries = append(entries, q.eventView(e))
		}
	}
	return q.eventPage(entries, position)
}

// stream delivers what has become visible: shuffled, and some of it twice. What
// was delivered once keeps its place, so that positions stay good.
func (q *request) stream(visible time.Time) {
	var fresh []*event
	for ; q.w.inStream < len(q.w.events); q.w.inStream++ {
		e := q.w.events[q.w.inStream]
		if e.at.After(visible) {
			break
		}
		if q.now.Sub(e.at) > streamReach {
			continue
		}
		fresh = append(fresh, e)
		if e.seq%streamRepeatOne == 0 {
			fresh = append(fresh, e)
		}
	}
	rng := rand.New(rand.NewPCG(uint64(q.cfg.Seed), uint64(len(q.w.streamed)))) //nolint:gosec // a seed must give one order
	rng.Shuffle(len(fresh), func(i, j int) { fresh[i], fresh[j] = fresh[j], fresh[i] })
	q.w.streamed = append(q.w.streamed, fresh...)
}
