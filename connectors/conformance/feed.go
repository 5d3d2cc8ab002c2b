package conformance

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/schema"
)

// feed: no event is lost, and only what an account's holder did counts as use.
func (b bench) feed(t T) {
	t.Run("reach", func(t T) {
		s := b.open(t)
		c := as[connectors.ActivityFeed](s, "ActivityFeed")
		require.True(t, strings.HasPrefix(string(c.ActivitySource()), s.conn.Manifest().Vendor+"."), "a source is called VENDOR.what")
		past, live := c.Reach()
		require.Positive(t, past)
		require.Positive(t, live)
	})
	t.Run("past", b.pastEvents)
	t.Run("past_again", b.pastAgain)
	t.Run("span", b.pastSpan)
	t.Run("live", b.liveEvents)
	t.Run("live_again", b.liveAgain)
	t.Run("use", b.eventsOfUse)
	t.Run("deleted", b.eventOfDeletion)
	t.Run("stuck", b.stuckFeed)
	t.Run("hidden", func(t T) {
		s := b.open(t)
		c := as[connectors.ActivityFeed](s, "ActivityFeed")
		position := s.livePosition()
		require.NoError(t, s.world.Events.Hide())
		_, err := c.LivePosition(t.Context())
		s.fails(err, connectors.Forbidden)
		_, err = c.LiveEvents(t.Context(), position)
		s.fails(err, connectors.Forbidden)
		_, err = c.PastEvents(t.Context(), pastHour(), "")
		s.fails(err, connectors.Forbidden)
	})
}

func (s *scene) livePosition() string {
	s.Helper()
	position, err := as[connectors.ActivityFeed](s, "ActivityFeed").LivePosition(s.Context())
	require.NoError(s, err)
	require.NotEmpty(s, position)
	return position
}

// reader reads a page of a feed.
type reader func(c connectors.ActivityFeed, position string) (connectors.EventPage, error)

func (s *scene) past(span schema.Interval) reader {
	return func(c connectors.ActivityFeed, position string) (connectors.EventPage, error) {
		return c.PastEvents(s.Context(), span, position)
	}
}

func (s *scene) live(c connectors.ActivityFeed, position string) (connectors.EventPage, error) {
	return c.LiveEvents(s.Context(), position)
}

// drain reads a feed to its present end, each page over a connection of its own,
// and returns what came and the position behind it.
func (s *scene) drain(read reader, position string) ([]schema.ActivityEvent, string) {
	s.Helper()
	var all []schema.ActivityEvent
	for range 100 {
		conn, err := s.world.Factory.Open(s.cfg)
		require.NoError(s, err)
		p, err := read(conn.(connectors.ActivityFeed), position)
		conn.Close()
		require.NoError(s, err)
		require.LessOrEqual(s, len(p.Events), p.Read, "Read counts all records of the page")
		if p.Read == 0 {
			require.Equal(s, position, p.Next, "where nothing came, the position stays")
		}
		for _, e := range p.Events {
			require.NotEmpty(s, e.ID)
			require.NotEmpty(s, e.Type)
			require.Equal(s, time.UTC, e.At.Location(), "times are in UTC")
		}
		all = append(all, p.Events...)
		if position = p.Next; p.End {
			return all, position
		}
	}
	require.FailNow(s, "the feed does not end")
	return nil, ""
}

// soon reads a feed until it tells what is wanted: events are told late.
func (s *scene) soon(read reader, position string, told func([]schema.ActivityEvent) bool) []schema.ActivityEvent {
	s.Helper()
	var all []schema.ActivityEvent
	for deadline := time.Now().Add(promptly); ; {
		events, _ := s.drain(read, position)
		if all = events; told(all) {
			return all
		}
		require.True(s, time.Now().Before(deadline), "the feed does not tell what happened")
	}
}

func has(id string) func([]schema.ActivityEvent) bool {
	return func(all []schema.ActivityEvent) bool {
		return slices.ContainsFunc(all, func(e schema.ActivityEvent) bool { return e.ID == id })
	}
}

// history makes sign-ins, a second apart, and waits until the last is told.
func (s *scene) history(n int) []schema.ActivityEvent {
	s.Helper()
	var all []schema.ActivityEvent
	for i := range n {
		who, at := s.person(), lately().Add(time.Duration(i)*time.Second)
		all = append(all, schema.ActivityEvent{ID: s.event(Event{Sort: SignIn, Account: who, At: at}), At: at, Actor: who})
	}
	s.soon(s.past(pastHour()), "", has(all[n-1].ID))
	return all
}

// among are those of the events that are wanted, without the vendor's words.
func among(all, want []schema.ActivityEvent) []schema.ActivityEvent {
	var out []schema.ActivityEvent
	for _, e := range all {
		if has(e.ID)(want) {
			e.Type = ""
			out = append(out, e)
		}
	}
	return out
}

// pastEvents: all of a span, once and in order.
func (b bench) pastEvents(t T) {
	s := b.open(t)
	as[connectors.ActivityFeed](s, "ActivityFeed")
	want := s.history(7)
	if s.world.PageParam != "" {
		s.wire.smallPages(nil)
	}
	got, _ := s.drain(s.past(pastHour()), "")
	require.Equal(t, want, among(got, want), "each event once, in order, with its time to the second and who it was")
}

// pastAgain: whoever asks on at the end gets nothing, and above all not all of it
// once more.
func (b bench) pastAgain(t T) {
	s := b.open(t)
	as[connectors.ActivityFeed](s, "ActivityFeed")
	want := s.history(3)
	span := pastHour()
	_, end := s.drain(s.past(span), "")
	again, still := s.drain(s.past(span), end)
	require.Empty(t, among(again, want), "what was read does not come again")
	require.Equal(t, end, still)
}

// pastSpan: what is outside of it is left out, and both its ends belong to it.
func (b bench) pastSpan(t T) {
	s := b.open(t)
	as[connectors.ActivityFeed](s, "ActivityFeed")
	all := s.history(5)
	want := all[1:4]
	got, _ := s.drain(s.past(schema.Interval{From: want[0].At, To: want[2].At}), "")
	require.Equal(t, want, among(got, all))
	none, _ := s.drain(s.past(schema.Interval{From: all[0].At.Add(-time.Hour), To: all[0].At.Add(-time.Minute)}), "")
	require.Empty(t, among(none, all))
	_, err := s.conn.(connectors.ActivityFeed).PastEvents(t.Context(), schema.Interval{From: want[2].At, To: want[0].At}, "")
	require.False(t, s.fails(err, connectors.Invalid).Sent, "a span that ends before it begins is none")
}

// liveEvents: all that happens after a position, in whatever order and number.
func (b bench) liveEvents(t T) {
	s := b.open(t)
	as[connectors.ActivityFeed](s, "ActivityFeed")
	position := s.livePosition()
	want := s.history(7)
	if s.world.PageParam != "" {
		s.wire.smallPages(nil)
	}
	got := s.soon(s.live, position, func(all []schema.ActivityEvent) bool {
		return !slices.ContainsFunc(want, func(e schema.ActivityEvent) bool { return !has(e.ID)(all) })
	})
	for _, e := range among(got, want) {
		require.Contains(t, want, e, "the same as in the past, id and all")
	}
}

// liveAgain: reading goes on where it stopped, over any pause.
func (b bench) liveAgain(t T) {
	s := b.open(t)
	c := as[connectors.ActivityFeed](s, "ActivityFeed")
	position := s.livePosition()
	first := s.history(3)
	s.soon(s.live, position, has(first[2].ID))
	_, position = s.drain(s.live, position)
	second := s.history(3)
	got := s.soon(s.live, position, func(all []schema.ActivityEvent) bool { return has(second[0].ID)(all) && has(second[2].ID)(all) })
	require.True(t, has(second[1].ID)(got))
	_, err := c.LiveEvents(t.Context(), "")
	require.False(t, s.fails(err, connectors.Invalid).Sent, "without a position there is nowhere to read on")
}

// stuckFeed: a vendor that answers the same page again and again is noticed, one
// way or the other.
func (b bench) stuckFeed(t T) {
	s := b.open(t)
	c := as[connectors.ActivityFeed](s, "ActivityFeed")
	s.history(5)
	if s.world.PageParam != "" {
		s.wire.smallPages(nil)
	}
	s.wire.freeze()
	position := ""
	for range 10 {
		p, err := c.PastEvents(t.Context(), pastHour(), position)
		if err != nil {
			s.fails(err, connectors.Malformed)
			return
		}
		if position = p.Next; p.End {
			return
		}
	}
	require.FailNow(t, "a feed that stays where it is would be read for ever")
}

// eventsOfUse: what keeps an account from being called inactive.
func (b bench) eventsOfUse(t T) {
	for sort, counts := range map[EventSort]bool{
		SignIn: true, Work: true, AdminSignIn: false, FailedSignIn: false, Created: false, TokenIssued: false, Ours: false,
	} {
		t.Run(string(sort), func(t T) {
			s := b.open(t)
			as[connectors.ActivityFeed](s, "ActivityFeed")
			position := s.livePosition()
			who, admin, other := s.person(), s.person(func(p *Person) { p.Role = schema.RoleCoadmin }), s.person()
			id, err := s.world.Events.Record(Event{Sort: sort, Account: who, By: admin, At: lately()})
			if errors.Is(err, errors.ErrUnsupported) {
				t.Skipf("the vendor has no event for this")
			}
			require.NoError(t, err)
			last := s.event(Event{Sort: SignIn, Account: other, At: lately().Add(time.Second)})
			for _, stream := range []struct {
				read reader
				from string
			}{{s.past(pastHour()), ""}, {s.live, position}} {
				for _, e := range s.soon(stream.read, stream.from, func(all []schema.ActivityEvent) bool { return has(last)(all) && (!counts || has(id)(all)) }) {
					require.True(t, counts || e.Actor != who, "it proves nobody's use of the account")
					if e.ID == id {
						require.True(t, e.Actor == who || !counts && e.Actor == "", "whose use it is")
						require.Empty(t, e.Deleted)
					}
				}
			}
		})
	}
}

// eventOfDeletion: it says who is gone and who did it, and is nobody's use.
func (b bench) eventOfDeletion(t T) {
	s := b.open(t)
	as[connectors.ActivityFeed](s, "ActivityFeed")
	who, admin := s.person(), s.person(func(p *Person) { p.Role = schema.RoleCoadmin })
	id, err := s.world.Events.Record(Event{Sort: Deleted, Account: who, By: admin, At: lately()})
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skipf("the vendor has no event for this")
	}
	require.NoError(t, err)
	for _, e := range s.soon(s.past(pastHour()), "", has(id)) {
		if e.ID == id {
			require.Equal(t, who, e.Deleted)
			require.Contains(t, []schema.ExternalID{admin, ""}, e.DeletedBy, "whoever did it, or nobody is named")
			require.Empty(t, e.Actor, "what an administrator did is no use of either account")
		}
	}
}
