package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"sendoff/connectors"
	"sendoff/connectors/conformance"
	"sendoff/schema"
)

// deskEvent is what Desk tells of one thing that happened.
type deskEvent struct {
	ID    string    `json:"id"`
	What  string    `json:"what"`
	At    time.Time `json:"at"`
	By    string    `json:"by"`
	App   string    `json:"app,omitempty"` // who acted in the name of By
	About string    `json:"about"`
}

// pastEvents is in order and without repeats. Behind an empty page stands 0, as
// with a vendor we know.
func (d *desk) pastEvents(r *http.Request) (int, any) {
	from, err := time.Parse(time.RFC3339, r.URL.Query().Get("from"))
	to, err2 := time.Parse(time.RFC3339, r.URL.Query().Get("to"))
	if err != nil || err2 != nil {
		return refuse(400, "bad_time")
	}
	var within []int
	for i, e := range d.events {
		if !e.At.Before(from) && !e.At.After(to) {
			within = append(within, i)
		}
	}
	slices.SortStableFunc(within, func(a, b int) int { return d.events[a].At.Compare(d.events[b].At) })
	return d.eventPage(r, within, "after")
}

// liveEvents is in no order, with one in two told twice.
func (d *desk) liveEvents(r *http.Request) (int, any) {
	if r.URL.Query().Get("after") == "now" {
		return d.eventPage(r, nil, strconv.Itoa(len(d.order)))
	}
	return d.eventPage(r, d.order, "after")
}

// eventPage cuts a page behind the place that is asked for.
func (d *desk) eventPage(r *http.Request, all []int, now string) (int, any) {
	if d.unlogged {
		return refuse(403, "no_scope")
	}
	if now != "after" {
		return 200, map[string]any{"events": []deskEvent{}, "next": now}
	}
	at, _ := strconv.Atoi(r.URL.Query().Get("after"))
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit < 1 || at < 0 {
		return refuse(400, "bad_limit")
	}
	page := []deskEvent{}
	next := "0"
	for ; at < len(all) && len(page) < limit; at++ {
		page = append(page, d.events[all[at]])
		next = strconv.Itoa(at + 1)
	}
	return 200, map[string]any{"events": page, "next": next}
}

type deskEvents desk

func (d *deskEvents) Record(e conformance.Event) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w := deskEvent{ID: (*desk)(d).id("e"), At: e.At, By: string(e.Account), About: string(e.Account)}
	switch w.What = string(e.Sort); e.Sort {
	case conformance.AdminSignIn, conformance.Created, conformance.Deleted:
		w.By = string(e.By)
	case conformance.Ours:
		w.What, w.App = "work", "desk-app"
	case conformance.TokenIssued:
		return "", fmt.Errorf("desk tells nothing of tokens: %w", errors.ErrUnsupported)
	}
	if e.Sort == conformance.AdminSignIn {
		w.By, w.App = string(e.Account), string(e.By)
	}
	d.events = append(d.events, w)
	n := len(d.events) - 1
	d.order = append(d.order, n)
	if n%2 == 0 {
		d.order = append(d.order, n)
	}
	if last := len(d.order) - 1; n%3 == 2 { // behind one that came before it
		d.order = append(d.order[:last], d.order[last], n-1)
	}
	return w.ID, nil
}

func (d *deskEvents) Position() (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strconv.Itoa(len(d.order)), nil
}

func (d *deskEvents) Hide() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unlogged = true
	return nil
}

func (c *deskConn) ActivitySource() schema.ActivitySource { return "desk.events" }

func (c *deskConn) Reach() (past, live time.Duration) { return 90 * 24 * time.Hour, 24 * time.Hour }

func (c *deskConn) LivePosition(ctx context.Context) (string, error) {
	p, err := c.events(ctx, "/live", url.Values{"after": {"now"}})
	return p.Next, err
}

func (c *deskConn) LiveEvents(ctx context.Context, position string) (connectors.EventPage, error) {
	if position == "" {
		return connectors.EventPage{}, &connectors.Error{Kind: connectors.Invalid, Op: "desk.read_events", Detail: "there is no position"}
	}
	return c.eventPage(ctx, "/live", position, url.Values{})
}

func (c *deskConn) PastEvents(ctx context.Context, span schema.Interval, position string) (connectors.EventPage, error) {
	if span.Empty() {
		return connectors.EventPage{}, &connectors.Error{Kind: connectors.Invalid, Op: "desk.read_events", Detail: "the span is empty"}
	}
	return c.eventPage(ctx, "", position, url.Values{
		"from": {span.From.UTC().Format(time.RFC3339)}, "to": {span.To.UTC().Add(time.Second - 1).Format(time.RFC3339)},
	})
}

type wirePage struct {
	Events *[]deskEvent `json:"events"`
	Next   string       `json:"next"`
}

func (c *deskConn) events(ctx context.Context, path string, query url.Values) (wirePage, error) {
	query.Set("limit", "100")
	var p wirePage
	r, err := c.request("read_events", http.MethodGet, "/events"+path, query, nil, "")
	if err := c.do(ctx, &p, r, err); err != nil {
		return p, err
	}
	if p.Events == nil || p.Next == "" {
		return p, senseless("desk.read_events")
	}
	return p, nil
}

func (c *deskConn) eventPage(ctx context.Context, path, position string, query url.Values) (connectors.EventPage, error) {
	if position != "" {
		query.Set("after", position)
	}
	p, err := c.events(ctx, path, query)
	if err != nil {
		return connectors.EventPage{}, err
	}
	if len(*p.Events) == 0 {
		return connectors.EventPage{Next: position, End: true}, nil
	}
	out := connectors.EventPage{Next: p.Next, End: p.Next == position, Read: len(*p.Events)}
	for _, w := range *p.Events {
		if w.ID == "" || w.At.IsZero() {
			return connectors.EventPage{}, senseless("desk.read_events")
		}
		if e := w.model(); e.Actor != "" || e.Deleted != "" {
			out.Events = append(out.Events, e)
		}
	}
	return out, nil
}

// model keeps what somebody did with their own hands, and deletions.
func (w deskEvent) model() schema.ActivityEvent {
	e := schema.ActivityEvent{ID: w.ID, Type: w.What, At: w.At.UTC()}
	switch {
	case w.What == "deleted":
		e.Deleted, e.DeletedBy = schema.ExternalID(w.About), schema.ExternalID(w.By)
	case w.App == "" && (w.What == "sign_in" || w.What == "work"):
		e.Actor = schema.ExternalID(w.By)
	}
	return e
}
