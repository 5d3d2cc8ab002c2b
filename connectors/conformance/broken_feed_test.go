package conformance_test

import (
	"context"
	"net/url"
	"time"

	"sendoff/connectors"
	"sendoff/schema"
)

// feeding tells of events in another way; a nil part is as it should be.
type feeding struct {
	*deskConn
	page  func(p *connectors.EventPage, position string)
	event func(e *schema.ActivityEvent)
	span  func(schema.Interval) schema.Interval
	live  func(c *deskConn, ctx context.Context, position string) (connectors.EventPage, error)
}

func (f feeding) told(p connectors.EventPage, err error, position string) (connectors.EventPage, error) {
	if err != nil {
		return p, err
	}
	if f.page != nil {
		f.page(&p, position)
	}
	for i := range p.Events {
		if f.event != nil {
			f.event(&p.Events[i])
		}
	}
	return p, nil
}

func (f feeding) PastEvents(ctx context.Context, span schema.Interval, position string) (connectors.EventPage, error) {
	if f.span != nil {
		span = f.span(span)
	}
	p, err := f.deskConn.PastEvents(ctx, span, position)
	return f.told(p, err, position)
}

func (f feeding) LiveEvents(ctx context.Context, position string) (connectors.EventPage, error) {
	if f.live != nil {
		return f.live(f.deskConn, ctx, position)
	}
	p, err := f.deskConn.LiveEvents(ctx, position)
	return f.told(p, err, position)
}

// judging takes events for use by a rule of its own.
type judging struct {
	*deskConn
	counts func(deskEvent) bool
}

func (j judging) PastEvents(ctx context.Context, span schema.Interval, position string) (connectors.EventPage, error) {
	out, err := j.deskConn.PastEvents(ctx, span, position)
	if err != nil {
		return out, err
	}
	query := url.Values{"from": {span.From.UTC().Format(time.RFC3339)}, "to": {span.To.UTC().Add(time.Second).Format(time.RFC3339)}}
	if position != "" {
		query.Set("after", position)
	}
	p, err := j.events(ctx, "", query)
	if err != nil {
		return out, err
	}
	out.Events = nil
	for _, w := range *p.Events {
		e := schema.ActivityEvent{ID: w.ID, Type: w.What, At: w.At.UTC()}
		if j.counts(w) {
			e.Actor = schema.ExternalID(w.About)
		}
		out.Events = append(out.Events, e)
	}
	return out, nil
}

type misnamed struct{ *deskConn }

func (misnamed) ActivitySource() schema.ActivitySource { return "events" }

// deaf takes a feed that may not be read for a silent one.
type deaf struct{ *deskConn }

func (c deaf) PastEvents(ctx context.Context, span schema.Interval, position string) (connectors.EventPage, error) {
	p, err := c.deskConn.PastEvents(ctx, span, position)
	if connectors.KindOf(err) == connectors.Forbidden {
		return connectors.EventPage{Next: position, End: true}, nil
	}
	return p, err
}

func brokenFeeds() []broken {
	with := func(f feeding) func(*deskConn) connectors.Connector {
		return func(c *deskConn) connectors.Connector { f.deskConn = c; return f }
	}
	paging := func(f func(*connectors.EventPage, string)) func(*deskConn) connectors.Connector {
		return with(feeding{page: f})
	}
	telling := func(f func(*schema.ActivityEvent)) func(*deskConn) connectors.Connector {
		return with(feeding{event: f})
	}
	counting := func(f func(deskEvent) bool) func(*deskConn) connectors.Connector {
		return func(c *deskConn) connectors.Connector { return judging{c, f} }
	}
	handmade := func(w deskEvent) bool { return w.model().Actor != "" }
	return []broken{
		{"keeps_the_position_of_an_empty_page", "feed/past_again", paging(func(p *connectors.EventPage, _ string) {
			if p.Read == 0 {
				p.Next = "0"
			}
		})},
		{"takes_a_short_page_for_the_last", "feed/past", paging(func(p *connectors.EventPage, _ string) { p.End = p.Read < 100 })},
		{"counts_no_records", "feed/past", paging(func(p *connectors.EventPage, _ string) { p.Read = 0 })},
		{"rounds_times", "feed/past", telling(func(e *schema.ActivityEvent) { e.At = e.At.Truncate(time.Minute) })},
		{"tells_local_times", "feed/past", telling(func(e *schema.ActivityEvent) { e.At = e.At.In(time.FixedZone("", 3600)) })},
		{"leaves_out_whose_it_is", "feed/past", telling(func(e *schema.ActivityEvent) { e.Actor = "" })},
		{"looks_back_too_far", "feed/span", with(feeding{span: func(i schema.Interval) schema.Interval { i.From = i.From.Add(-time.Hour); return i }})},
		{"leaves_out_the_first_moment", "feed/span", with(feeding{span: func(i schema.Interval) schema.Interval { i.From = i.From.Add(time.Second); return i }})},
		{"leaves_out_the_last_moment", "feed/span", with(feeding{span: func(i schema.Interval) schema.Interval { i.To = i.To.Add(-time.Second); return i }})},
		{"reads_on_from_now", "feed/live", with(feeding{live: func(c *deskConn, ctx context.Context, _ string) (connectors.EventPage, error) {
			now, err := c.LivePosition(ctx)
			return connectors.EventPage{Next: now, End: true}, err
		}})},
		{"tells_other_times_live", "feed/live", with(feeding{live: func(c *deskConn, ctx context.Context, position string) (connectors.EventPage, error) {
			p, err := c.LiveEvents(ctx, position)
			for i := range p.Events {
				p.Events[i].At = p.Events[i].At.Add(time.Second)
			}
			return p, err
		}})},
		{"forgets_the_position", "feed/live_again", with(feeding{live: func(c *deskConn, ctx context.Context, position string) (connectors.EventPage, error) {
			if position == "" {
				position = "0"
			}
			return c.LiveEvents(ctx, position)
		}})},
		{"reads_for_ever", "feed/stuck", paging(func(p *connectors.EventPage, _ string) { p.End = p.Read == 0 })},
		{"takes_hidden_events_for_none", "feed/hidden", func(c *deskConn) connectors.Connector { return deaf{c} }},
		{"names_no_source", "feed/reach", func(c *deskConn) connectors.Connector { return misnamed{c} }},
		{"counts_sign_ins_alone", "feed/use/work", counting(func(w deskEvent) bool { return handmade(w) && w.What == "sign_in" })},
		{"counts_administrators", "feed/use/admin_sign_in", counting(func(w deskEvent) bool { return handmade(w) || w.What == "admin_sign_in" })},
		{"counts_failures", "feed/use/failed_sign_in", counting(func(w deskEvent) bool { return handmade(w) || w.What == "failed_sign_in" })},
		{"counts_being_made", "feed/use/created", counting(func(w deskEvent) bool { return handmade(w) || w.What == "created" })},
		{"counts_itself", "feed/use/ours", counting(func(w deskEvent) bool { return handmade(w) || w.App == "desk-app" })},
		{"takes_a_deletion_for_use", "feed/deleted", telling(func(e *schema.ActivityEvent) {
			if e.Deleted != "" {
				e.Actor = e.DeletedBy
			}
		})},
		{"confuses_who_was_deleted", "feed/deleted", telling(func(e *schema.ActivityEvent) { e.Deleted, e.DeletedBy = e.DeletedBy, e.Deleted })},
	}
}
