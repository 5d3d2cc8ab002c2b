package boxsim

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// adminLogDelay is how late admin_logs shows an event, in simulated time.
const adminLogDelay = time.Minute

// lateOneIn is how many events there are to one that the switch late_events_s
// holds back.
const lateOneIn = 5

// maxEvents is the most one page of events holds.
const maxEvents = 500

// listEvents serves the two streams of the enterprise.
func (q *request) listEvents() reply {
	switch {
	case !q.actor.privileged(), q.switches.PlanWithoutEvents:
		return failed(denied())
	case q.actor.role == roleCoadmin && (q.actor.noReports || q.switches.CoadminsWithoutReports):
		return failed(denied())
	}
	limit, err := q.number("limit", "invalid_limit", 100)
	if err != nil {
		return failed(err)
	}
	limit = min(limit, maxEvents)
	switch q.param("stream_type") {
	case "admin_logs":
		return q.adminLogs(limit)
	case "admin_logs_streaming":
		return q.adminLogsStreaming(limit)
	}
	return failed(badRequest("stream_type", "Only the streams admin_logs and admin_logs_streaming are simulated"))
}

// eventSpan is what a page of admin_logs is about. Times are those that events
// show, to the second, and both ends belong to it.
type eventSpan struct {
	types         eventTypes
	position      int64
	after, before time.Time // zero is open
}

// adminLogs is in order, without repeats, and late. An event that arrives later
// than those behind it takes its place among them: whoever has read past it
// never sees it.
func (q *request) adminLogs(limit int) reply {
	span, err := q.eventSpan()
	if err != nil {
		return failed(err)
	}
	from, skew := span.position+1, q.switches.eventSkew()
	if oldest := q.now.Add(-adminLogReach); from < oldest.UnixNano() {
		from = oldest.UnixNano()
	}
	if !span.after.IsZero() {
		from = max(from, span.after.Add(-skew).Truncate(time.Second).UnixNano())
	}
	page, next := q.newEventPage(limit), span.position
	for e := range q.w.log.from(from) {
		shown := e.at.Add(skew).Truncate(time.Second)
		if page.count >= limit || !span.before.IsZero() && shown.After(span.before) {
			break
		}
		if q.visible(e) && span.types.match(e.typ) && (span.after.IsZero() || !shown.Before(span.after)) {
			page.add(e)
			next = e.key
		}
	}
	if page.count == 0 && !q.switches.EmptyPageKeepsPosition {
		next = 0
	}
	return page.reply(next)
}

// adminLogReach is how far back admin_logs reaches.
const adminLogReach = 365 * day

// visible tells whether admin_logs shows an event by now.
func (q *request) visible(e event) bool {
	delay := adminLogDelay
	if e.key/2%lateOneIn == 0 {
		delay += seconds(q.switches.LateEventsSeconds)
	}
	return !e.arrived.After(q.now.Add(-q.clock.Wall(delay)))
}

func (q *request) eventSpan() (eventSpan, *apiError) {
	span := eventSpan{types: q.eventTypes()}
	if raw := q.param("stream_position"); raw != "" {
		n, err := strconv.ParseInt(raw, 10, 64)
		if err != nil {
			return span, badRequest("stream_position", "Invalid value '"+raw+"'")
		}
		span.position = n
	}
	for name, to := range map[string]*time.Time{"created_after": &span.after, "created_before": &span.before} {
		raw := q.param(name)
		if raw == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339, raw)
		if err != nil {
			return span, badRequest(name, "Invalid value '"+raw+"'")
		}
		*to = t
	}
	return span, nil
}

// eventTypes are those that are asked for; none are all.
type eventTypes []string

func (t eventTypes) match(typ string) bool { return len(t) == 0 || slices.Contains(t, typ) }

// eventTypes reads the comma separated event_type parameter. The set of types is
// open: a name that no event has finds none.
func (q *request) eventTypes() eventTypes {
	if raw := q.param("event_type"); raw != "" {
		return strings.Split(raw, ",")
	}
	return nil
}

// eventPage is a page of events while it is written.
type eventPage struct {
	q     *request
	skew  time.Duration
	count int
	body  []byte
}

func (q *request) newEventPage(limit int) *eventPage {
	const bytesPerEvent = 700
	return &eventPage{q: q, skew: q.switches.eventSkew(), body: make([]byte, 0, limit*bytesPerEvent)}
}

func (p *eventPage) add(e event) {
	if p.count > 0 {
		p.body = append(p.body, ',')
	}
	p.count++
	p.body = p.q.w.appendEvent(p.body, e, p.skew)
}

func (p *eventPage) reply(next int64) reply {
	b := append([]byte(`{"chunk_size":`), strconv.Itoa(p.count)...)
	b = append(b, `,"entries":[`...)
	b = append(b, p.body...)
	b = append(b, `],"next_stream_position":`...)
	if p.q.switches.PositionType == "text" {
		b = strconv.AppendQuote(b, strconv.FormatInt(next, 10))
	} else {
		b = strconv.AppendInt(b, next, 10)
	}
	return written(append(b, '}'))
}

func (w *world) appendEvent(b []byte, e event, skew time.Duration) []byte {
	b = append(b, `{"type":"event","event_id":"`...)
	b = append(b, e.id...)
	b = append(b, `","event_type":"`...)
	b = append(b, e.typ...)
	b = append(b, `","created_at":`...)
	b = appendStamp(b, e.at.Add(skew))
	b = append(b, `,"created_by":`...)
	b = w.appendMini(b, e.createdBy)
	b = append(b, `,"source":`...)
	b = w.appendSource(b, e.source)
	b = append(b, `,"session_id":null,"ip_address":"Unknown IP","additional_details":`...)
	if e.details == nil {
		b = append(b, "null"...)
	} else {
		b = appendJSON(b, e.details)
	}
	b = append(b, `,"action_by":`...)
	b = w.appendMini(b, e.actionBy)
	return append(b, '}')
}
