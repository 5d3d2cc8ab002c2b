package boxsim

import (
	"cmp"
	"strconv"
	"time"
)

// The streaming stream: how late it is, in simulated time, how far back it
// reaches, in wall time, and how often it repeats itself.
const (
	streamDelay     = 12 * time.Second
	streamReach     = 14 * day
	streamRepeatOne = 3 // one event of so many comes twice
)

// positionBase is the position of the streaming stream's beginning. Positions
// exceed 2^53, as Box's do.
const positionBase = int64(1) << 54

// streamReach is how far back the streaming stream reaches.
func (s Switches) streamReach() time.Duration {
	return cmp.Or(seconds(s.StreamReachSeconds), streamReach)
}

// adminLogsStreaming is near to now, out of order and at least once. It knows
// no dates; the position "now" stands behind everything there is. What is older
// than its reach is left out, and nothing tells so.
func (q *request) adminLogsStreaming(limit int) reply {
	log, oldest := &q.w.log, q.now.Add(-q.switches.streamReach())
	log.deliver(q.now.Add(-q.clock.Wall(streamDelay)), q.now.Add(-streamReach), q.cfg.Seed)
	for log.forgotten < len(log.streamed) && log.arrival(log.forgotten).Before(q.now.Add(-streamReach)) {
		log.forgotten++
	}
	end := positionBase + int64(len(log.streamed))
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
		position = min(n, end)
	}
	position = min(max(position, positionBase+int64(log.forgotten)), end)
	types := q.eventTypes()
	page := q.newEventPage(limit)
	for ; position < end && page.count < limit; position++ {
		place := int(position - positionBase)
		e := log.resolve(log.streamed[place])
		if types.match(e.typ) && !log.arrival(place).Before(oldest) {
			page.add(e)
		}
	}
	return page.reply(position)
}
