package box

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"sendoff/connectors"
	"sendoff/schema"
)

var _ connectors.ActivityFeed = (*Connector)(nil)

const (
	// eventSource names Box's events among the sources of activity.
	eventSource schema.ActivitySource = "box.events"
	// Box keeps a year of events to be asked for, and streams two weeks
	// (https://developer.box.com/guides/events/enterprise-events/for-enterprise/).
	eventsKept, eventsStreamed = 365 * 24 * time.Hour, 14 * 24 * time.Hour
	// eventPageSize is the largest page of events Box serves.
	eventPageSize = 500

	pastStream, liveStream = "admin_logs", "admin_logs_streaming"
	// streamEnd asks for the present end of the live stream.
	streamEnd = "now"
	// streamStart is where a stream begins. Box answers it also behind an empty
	// page, where believing it would replay a year
	// (https://github.com/box/box-windows-sdk-v2/issues/371).
	streamStart = "0"
)

// ActivitySource implements connectors.ActivityFeed.
func (c *Connector) ActivitySource() schema.ActivitySource { return eventSource }

// Reach implements connectors.ActivityFeed.
func (c *Connector) Reach() (past, live time.Duration) { return eventsKept, eventsStreamed }

// LivePosition implements connectors.ActivityFeed.
func (c *Connector) LivePosition(ctx context.Context) (string, error) {
	const op = "box.read_event_position"
	p, err := c.client.events(ctx, op, url.Values{
		"stream_type": {liveStream}, "stream_position": {streamEnd}, "limit": {strconv.Itoa(eventPageSize)},
	})
	switch {
	case err != nil:
		return "", err
	case p.Next == "" || p.Next == streamEnd:
		return "", malformed(op, "the answer names no position in the stream")
	}
	// Were it the stream's start, two weeks would be read again, and nothing lost.
	return string(p.Next), nil
}

// LiveEvents implements connectors.ActivityFeed. Box repeats itself there, and
// tells in no order.
func (c *Connector) LiveEvents(ctx context.Context, position string) (connectors.EventPage, error) {
	const op = "box.read_live_events"
	if position == "" || position == streamEnd {
		return connectors.EventPage{}, invalid(op, "there is no position to read on at: ask for the live one first")
	}
	return c.eventPage(ctx, op, position, url.Values{"stream_type": {liveStream}})
}

// PastEvents implements connectors.ActivityFeed. Box takes times in whole
// seconds, so that the span is asked for with the seconds it begins and ends in.
func (c *Connector) PastEvents(ctx context.Context, span schema.Interval, position string) (connectors.EventPage, error) {
	const op = "box.read_past_events"
	if span.Empty() {
		return connectors.EventPage{}, invalid(op, "the span of time is empty")
	}
	until := span.To.UTC().Truncate(time.Second)
	if until.Before(span.To) {
		until = until.Add(time.Second)
	}
	return c.eventPage(ctx, op, position, url.Values{
		"stream_type":   {pastStream},
		"created_after": {span.From.UTC().Format(time.RFC3339)}, "created_before": {until.Format(time.RFC3339)},
	})
}

// mostEmptyPages is how many empty pages in a row are followed. Box is not known
// to serve them before the end, but nothing says that it does not, where its filter
// left nothing of a page.
const mostEmptyPages = 20

// eventPage reads one page behind a position. A page that is followed by the
// position asked with, or by none, is the last, and so is an empty one that leads
// nowhere but to empty ones: a page with fewer events than asked for is not
// (https://developer.box.com/reference/get-events/).
func (c *Connector) eventPage(ctx context.Context, op, position string, query url.Values) (connectors.EventPage, error) {
	at := position
	for range mostEmptyPages {
		p, err := c.onePage(ctx, op, at, query)
		if err != nil || !p.End || p.Read > 0 {
			return p, err
		}
		if p.Next == at {
			break
		}
		at = p.Next
	}
	return connectors.EventPage{Next: position, End: true}, nil
}

func (c *Connector) onePage(ctx context.Context, op, position string, query url.Values) (connectors.EventPage, error) {
	query.Set("limit", strconv.Itoa(eventPageSize))
	query.Set("event_type", askedTypes())
	if position != "" {
		query.Set("stream_position", position)
	}
	p, err := c.client.events(ctx, op, query)
	if err != nil {
		return connectors.EventPage{}, err
	}
	if p.Entries == nil || len(*p.Entries) == 0 {
		if p.Next.behind(position) {
			position = string(p.Next)
		}
		return connectors.EventPage{Next: position, End: true}, nil
	}
	switch string(p.Next) {
	case "":
		return connectors.EventPage{}, malformed(op, "the page of events names no position behind it")
	case streamStart:
		if position != streamStart {
			return connectors.EventPage{}, malformed(op, "the page of events is followed by the beginning and would never end")
		}
	}
	events, err := c.judge(op, *p.Entries)
	if err != nil {
		return connectors.EventPage{}, err
	}
	return connectors.EventPage{
		Events: events, Next: string(p.Next), End: string(p.Next) == position, Read: len(*p.Entries),
	}, nil
}

// behind tells whether a position lies behind another: positions are numbers that
// grow, too large for any of ours, and "0" leads back to the beginning.
func (t text) behind(position string) bool {
	return len(t) > len(position) || len(t) == len(position) && string(t) > position
}

// wireEvents is a page of events. Positions exceed what floats hold exactly, are
// numbers in one stream and texts in another, and are kept as they are written.
type wireEvents struct {
	Next    text     `json:"next_stream_position"`
	Entries *[]event `json:"entries"`
}

// events reads a page. Box is known to answer null for no entries; an answer that
// names no position either is none of Box's.
func (c *client) events(ctx context.Context, op string, query url.Values) (wireEvents, error) {
	var p wireEvents
	if err := c.do(ctx, call{op: op, path: "/events", query: query}, &p); err != nil {
		return p, err
	}
	if p.Entries == nil && p.Next == "" {
		return p, malformed(op, "the answer holds neither events nor a position")
	}
	return p, nil
}
