package boxsim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// adminLogDelay is how late admin_logs shows an event, in simulated time.
const adminLogDelay = time.Minute

// maxEvents is the most one page of events holds.
const maxEvents = 500

// positionBase makes stream positions exceed 2^53, as Box's do.
const positionBase = int64(1) << 54

// event is one record of the enterprise's stream.
type event struct {
	seq       int64
	typ       string
	createdBy string
	source    any
	at        time.Time
	details   any
}

func (s *Sim) eventView(e *event) any {
	return map[string]any{
		"type": "event", "event_id": fmt.Sprintf("00000000-5eed-4000-8000-%012d", e.seq), "event_type": e.typ,
		"created_at": stamp(e.at), "created_by": s.w.miniUser(e.createdBy), "source": e.source,
		"session_id": nil, "ip_address": "Unknown IP", "additional_details": e.details, "action_by": nil,
	}
}

// listEvents serves the two streams of the enterprise.
func (q *request) listEvents() reply {
	if !q.actor.privileged() {
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

// adminLogs is in order, without repeats, and late.
func (q *request) adminLogs(limit int) reply {
	match, position, err := q.eventFilter()
	if err != nil {
		return failed(err)
	}
	visible := q.now.Add(-q.clock.Wall(adminLogDelay))
	entries := []any{}
	next := position
	for _, e := range q.w.events {
		if len(entries) >= limit || e.at.After(visible) {
			break
		}
		if positionBase+e.seq > position && match(e) {
			entries = append(entries, q.eventView(e))
			next = positionBase + e.seq
		}
	}
	if len(entries) == 0 && !q.switches.EmptyPageKeepsPosition {
		next = 0
	}
	return q.eventPage(entries, next)
}

func (q *request) eventPage(entries []any, next int64) reply {
	var position any = next
	if q.switches.PositionType == "text" {
		position = strconv.FormatInt(next, 10)
	}
	return ok(map[string]any{"chunk_size": len(entries), "next_stream_position": position, "entries": entries})
}

func (q *request) eventFilter() (match func(*event) bool, position int64, err *apiError) {
	if raw := q.param("stream_position"); raw != "" {
		n, bad := strconv.ParseInt(raw, 10, 64)
		if bad != nil {
			return nil, 0, badRequest("stream_position", "Invalid value '"+raw+"'")
		}
		position = n
	}
	var after, before time.Time
	for name, to := range map[string]*time.Time{"created_after": &after, "created_before": &before} {
		raw := q.param(name)
		if raw == "" {
			continue
		}
		t, bad := time.Parse(time.RFC3339, raw)
		if bad != nil {
			return nil, 0, badRequest(name, "Invalid value '"+raw+"'")
		}
		*to = t
	}
	var types []string
	if raw := q.param("event_type"); raw != "" {
		types = strings.Split(raw, ",")
	}
	return func(e *event) bool {
		return (types == nil || slices.Contains(types, e.typ)) &&
			(after.IsZero() || !e.at.Before(after)) && (before.IsZero() || !e.at.After(before))
	}, position, nil
}
