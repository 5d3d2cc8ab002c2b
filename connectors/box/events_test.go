package box_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/connectors/box"
	"sendoff/schema"
)

// The requests for events, up to the position.
var (
	eventFilter = "&event_type=" + strings.ReplaceAll(box.AskedTypes(), ",", "%2C") + "&limit=500"
	liveEvents  = "GET /2.0/events?" + eventFilter[1:]
	pastEvents  = "GET /2.0/events?created_after=2026-01-02T03%3A04%3A05Z&created_before=2026-01-02T04%3A00%3A01Z" + eventFilter
)

func ofStream(position, stream string) string {
	if position != "" {
		position = "&stream_position=" + position
	}
	return position + "&stream_type=" + stream
}

// span is one whose ends are no whole seconds.
func span() schema.Interval {
	return schema.Interval{
		From: time.Date(2026, 1, 2, 3, 4, 5, 999, time.UTC), To: time.Date(2026, 1, 2, 5, 0, 0, 1, time.FixedZone("", 3600)),
	}
}

// wireEvent is an event of user 5 with fields changed.
func wireEvent(id, typ string, change ...string) string {
	f := []string{
		`"created_at":"2015-12-02T09:41:31-08:00"`, `"created_by":{"type":"user","id":"5","name":"A Name","login":"` + leaver + `"}`,
		`"action_by":null`, `"source":{"item_type":"file","item_id":"9","owned_by":{"type":"user","id":"77"}}`, `"additional_details":null`,
	}
	for _, c := range change {
		name, _, _ := strings.Cut(c, ":")
		for i := range f {
			if strings.HasPrefix(f[i], name+":") {
				f[i] = c
			}
		}
	}
	return `{"type":"event","session_id":null,"ip_address":"Unknown IP","event_id":` + id + `,"event_type":"` + typ + `",` + strings.Join(f, ",") + `}`
}

func eventPage(next string, events ...string) string {
	return `{"chunk_size":1,"next_stream_position":` + next + `,"entries":[` + strings.Join(events, ",") + `]}`
}

func TestPastEventsAreAskedForInWholeSeconds(t *testing.T) {
	t.Parallel()
	s := newScript(t,
		exchange{want: pastEvents + ofStream("", "admin_logs"), answer: eventPage(`18014398509481985`, wireEvent(`"e1"`, "LOGIN"), wireEvent(`"e2"`, "GROUP_CREATION"))},
		exchange{want: pastEvents + ofStream("18014398509481985", "admin_logs"), answer: eventPage(`"18014398509481987"`, wireEvent(`7`, "PREVIEW"))},
		exchange{want: pastEvents + ofStream("18014398509481987", "admin_logs"), answer: eventPage(`18014398509481987`, wireEvent(`"e3"`, "EDIT"))},
	)
	c := open(t, s.url)
	first, err := c.PastEvents(t.Context(), span(), "")
	require.NoError(t, err)
	require.Equal(t, connectors.EventPage{Next: "18014398509481985", Read: 2, Events: []schema.ActivityEvent{
		{ID: "e1", Type: "LOGIN", At: time.Date(2015, 12, 2, 17, 41, 31, 0, time.UTC), Actor: "5"},
	}}, first, "fewer than asked for is not the end, and no digit of the position is lost")
	second, err := c.PastEvents(t.Context(), span(), first.Next)
	require.NoError(t, err)
	require.False(t, second.End)
	require.Equal(t, "7", second.Events[0].ID)
	last, err := c.PastEvents(t.Context(), span(), second.Next)
	require.NoError(t, err)
	require.True(t, last.End, "followed by the position asked with")
	require.Len(t, last.Events, 1)

	_, err = c.PastEvents(t.Context(), schema.Interval{From: span().To, To: span().From}, "")
	require.Equal(t, connectors.Invalid, errorOf(t, err).Kind)
}

// TestEmptyPagesKeepThePosition: believing the "0" behind one would replay a year.
func TestEmptyPagesKeepThePosition(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{
		`{"next_stream_position":"0","entries":[]}`, `{"next_stream_position":0,"entries":[]}`, `{"next_stream_position":41,"entries":[]}`,
		`{"next_stream_position":"0","entries":null}`, `{"next_stream_position":"0"}`, `{"next_stream_position":null,"entries":[]}`, `{"entries":[]}`,
	} {
		s := newScript(t,
			exchange{want: liveEvents + ofStream("42", "admin_logs_streaming"), answer: answer},
			exchange{want: pastEvents + ofStream("42", "admin_logs"), answer: answer},
		)
		c := open(t, s.url)
		got, err := c.LiveEvents(t.Context(), "42")
		require.NoError(t, err, answer)
		require.Equal(t, connectors.EventPage{Next: "42", End: true}, got, answer)
		got, err = c.PastEvents(t.Context(), span(), "42")
		require.NoError(t, err, answer)
		require.Equal(t, connectors.EventPage{Next: "42", End: true}, got, answer)
	}
}

// TestEmptyPagesBeforeTheEnd: to take one for the end would hide all that lies
// behind it, for ever, and cover the time of it.
func TestEmptyPagesBeforeTheEnd(t *testing.T) {
	t.Parallel()
	empty := func(next string) string { return `{"entries":[],"next_stream_position":` + next + `}` }
	s := newScript(t,
		exchange{want: liveEvents + ofStream("99", "admin_logs_streaming"), answer: empty(`"100"`)},
		exchange{want: liveEvents + ofStream("100", "admin_logs_streaming"), answer: empty(`101`)},
		exchange{want: liveEvents + ofStream("101", "admin_logs_streaming"), answer: eventPage(`102`, wireEvent(`"e"`, "LOGIN"))},
		exchange{want: pastEvents + ofStream("", "admin_logs"), answer: empty(`5`)},
		exchange{want: pastEvents + ofStream("5", "admin_logs"), answer: empty(`"0"`)},
	)
	c := open(t, s.url)
	got, err := c.LiveEvents(t.Context(), "99")
	require.NoError(t, err)
	require.Len(t, got.Events, 1)
	require.Equal(t, "102", got.Next)
	require.False(t, got.End)
	got, err = c.PastEvents(t.Context(), span(), "")
	require.NoError(t, err)
	require.Equal(t, connectors.EventPage{End: true}, got, "where nothing came, the position stays")

	var always []exchange // positions that grow with the time alone
	for n := range 20 {
		always = append(always, exchange{want: liveEvents + ofStream(strconv.Itoa(500+n), "admin_logs_streaming"), answer: empty(strconv.Itoa(501 + n))})
	}
	got, err = open(t, newScript(t, always...).url).LiveEvents(t.Context(), "500")
	require.NoError(t, err)
	require.Equal(t, connectors.EventPage{Next: "500", End: true}, got)
}

// TestEventsWithoutALegibleTime: they happened, so that who made them is not
// inactive, and one of them does not stop the feed. A null tells of nobody.
func TestEventsWithoutALegibleTime(t *testing.T) {
	t.Parallel()
	for _, at := range []string{`null`, `"yesterday"`, `7`, `"2015-12-02T09:41:31"`} {
		s := newScript(t, exchange{
			want:   liveEvents + ofStream("4", "admin_logs_streaming"),
			answer: eventPage(`5`, wireEvent(`"e1"`, "LOGIN", `"created_at":`+at), `null`, wireEvent(`"e2"`, "LOGIN", `"created_at":`+at+`,"recorded_at":"2026-01-02T03:04:05Z"`)),
		})
		before := time.Now().Add(-time.Second)
		got, err := open(t, s.url).LiveEvents(t.Context(), "4")
		require.NoError(t, err, at)
		require.Len(t, got.Events, 2, at)
		require.WithinRange(t, got.Events[0].At, before, time.Now().Add(time.Second), at)
		require.Equal(t, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), got.Events[1].At, at)
	}
}

func TestEventPagesThatBreakTheContract(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"nothing":               `{}`,
		"null":                  `null`,
		"no position":           eventPage(`null`, wireEvent(`"e"`, "LOGIN")),
		"the beginning follows": eventPage(`"0"`, wireEvent(`"e"`, "LOGIN")),
		"a rounded position":    eventPage(`1.8014398509481985e16`, wireEvent(`"e"`, "LOGIN")),
		"no id":                 eventPage(`5`, wireEvent(`""`, "LOGIN")),
		"no type":               eventPage(`5`, wireEvent(`"e"`, "")),
		"an actor that is none": eventPage(`5`, wireEvent(`"e"`, "LOGIN", `"created_by":"5"`)),
	} {
		s := newScript(t, exchange{want: liveEvents + ofStream("4", "admin_logs_streaming"), answer: answer})
		_, err := open(t, s.url).LiveEvents(t.Context(), "4")
		require.Equal(t, connectors.Malformed, errorOf(t, err).Kind, name)
	}
}

func TestLivePosition(t *testing.T) {
	t.Parallel()
	const now = "GET /2.0/events?limit=500" + "&stream_position=now&stream_type=admin_logs_streaming"
	for answer, want := range map[string]string{
		`{"chunk_size":0,"next_stream_position":"18014398509481985","entries":[]}`: "18014398509481985",
		`{"chunk_size":0,"next_stream_position":18014398509481985,"entries":null}`: "18014398509481985",
		`{"chunk_size":0,"next_stream_position":0,"entries":[]}`:                   "0",
	} {
		s := newScript(t, exchange{want: now, answer: answer})
		got, err := open(t, s.url).LivePosition(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	s := newScript(t, exchange{want: now, answer: `{"entries":[]}`}, exchange{want: now, answer: `{"entries":[],"next_stream_position":"now"}`})
	c := open(t, s.url)
	for range 2 {
		_, err := c.LivePosition(t.Context())
		require.Equal(t, connectors.Malformed, errorOf(t, err).Kind)
	}
	for _, position := range []string{"", "now"} {
		_, err := c.LiveEvents(t.Context(), position)
		require.Equal(t, connectors.Invalid, errorOf(t, err).Kind, "from %q on events would be lost or come for ever", position)
	}
	past, live := c.Reach()
	require.Equal(t, []time.Duration{8760 * time.Hour, 336 * time.Hour}, []time.Duration{past, live})
}

// TestWhoseUseAnEventProves: "" is nobody's, and the event is left out.
func TestWhoseUseAnEventProves(t *testing.T) {
	t.Parallel()
	const acting = schema.ExternalID("90")
	as := func(c *connectors.Config) { c.Connection.AsUser = acting }
	by := func(id string) string { return `"created_by":{"type":"user","id":` + id + `}` }
	for name, tc := range map[string]struct {
		event string
		want  schema.ExternalID
	}{
		"a sign-in":                      {wireEvent(`"e"`, "LOGIN"), "5"},
		"work":                           {wireEvent(`"e"`, "PREVIEW"), "5"},
		"an id that is a number":         {wireEvent(`"e"`, "UPLOAD", by(`5`)), "5"},
		"what cannot be asked for":       {wireEvent(`"e"`, "CONTENT_ACCESS"), "5"},
		"a list as source":               {wireEvent(`"e"`, "COPY", `"source":[]`), "5"},
		"a list as details":              {wireEvent(`"e"`, "COPY", `"additional_details":["app"]`), "5"},
		"another application":            {wireEvent(`"e"`, "COPY", `"additional_details":{"service_id":"other app"}`), "5"},
		"acted by the same":              {wireEvent(`"e"`, "COPY", `"action_by":{"type":"user","id":5}`), "5"},
		"an administrator's sign-in":     {wireEvent(`"e"`, "ADMIN_LOGIN"), ""},
		"a sign-in that failed":          {wireEvent(`"e"`, "FAILED_LOGIN"), ""},
		"a new account":                  {wireEvent(`"e"`, "NEW_USER", `"source":{"type":"user","id":"6"}`), ""},
		"a token":                        {wireEvent(`"e"`, "USER_AUTHENTICATE_OAUTH2_ACCESS_TOKEN_CREATE"), ""},
		"an invitation taken for them":   {wireEvent(`"e"`, "COLLABORATION_ACCEPT"), ""},
		"a type nobody knows":            {wireEvent(`"e"`, "BRAND_NEW", `"created_at":7`), ""},
		"nobody":                         {wireEvent(`"e"`, "PREVIEW", `"created_by":null`), ""},
		"somebody anonymous":             {wireEvent(`"e"`, "DOWNLOAD", by(`"2"`)), ""},
		"an application's":               {wireEvent(`"e"`, "DOWNLOAD", `"created_by":{"type":"service","id":"5"}`), ""},
		"done by another":                {wireEvent(`"e"`, "PREVIEW", `"action_by":{"type":"user","id":"90"}`), ""},
		"done by this application":       {wireEvent(`"e"`, "PREVIEW", `"additional_details":{"service_id":"app","size":4}`), ""},
		"the acting account's work":      {wireEvent(`"e"`, "PREVIEW", by(`"90"`)), ""},
		"the acting account's sign-in":   {wireEvent(`"e"`, "LOGIN", by(`"90"`)), acting},
		"somebody who has it as a start": {wireEvent(`"e"`, "PREVIEW", by(`"901"`)), "901"},
	} {
		event := strings.Replace(tc.event, `"created_at":7`, `"created_at":"7"`, 1)
		s := newScript(t, exchange{want: liveEvents + ofStream("4", "admin_logs_streaming"), answer: eventPage(`5`, event)})
		got, err := open(t, s.url, as).LiveEvents(t.Context(), "4")
		require.NoError(t, err, name)
		require.Equal(t, 1, got.Read, name)
		if tc.want == "" {
			require.Empty(t, got.Events, name)
			continue
		}
		require.Len(t, got.Events, 1, name)
		require.Equal(t, tc.want, got.Events[0].Actor, name)
	}
}

func TestDeletedAccounts(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]schema.ExternalID{
		`{"type":"user","id":"6","login":"bob@example.com"}`: "6", `{"type":"user","id":6}`: "6", `{"id":"6"}`: "6",
		`null`: "", `[]`: "", `{"type":"group","id":"6"}`: "", `{"type":"user"}`: "",
	} {
		s := newScript(t, exchange{want: liveEvents + ofStream("4", "admin_logs_streaming"), answer: eventPage(`5`, wireEvent(`"e"`, "DELETE_USER", `"source":`+source))})
		got, err := open(t, s.url, func(c *connectors.Config) { c.Connection.AsUser = "5" }).LiveEvents(t.Context(), "4")
		require.NoError(t, err)
		if want == "" {
			require.Empty(t, got.Events, source)
			continue
		}
		require.Equal(t, []schema.ActivityEvent{{
			ID: "e", Type: "DELETE_USER", At: time.Date(2015, 12, 2, 17, 41, 31, 0, time.UTC), Deleted: want, DeletedBy: "5",
		}}, got.Events, "whoever did it, and it is nobody's use: %s", source)
	}
}

// TestEventsAreHandedOnAsTheyCome: to sort and to count once is for who stores them.
func TestEventsAreHandedOnAsTheyCome(t *testing.T) {
	t.Parallel()
	late, early := `"created_at":"2026-02-02T00:00:00Z"`, `"created_at":"2026-01-01T00:00:00Z"`
	s := newScript(t, exchange{want: liveEvents + ofStream("4", "admin_logs_streaming"), answer: eventPage(`5`,
		wireEvent(`"b"`, "LOGIN", late), wireEvent(`"a"`, "LOGIN", early), wireEvent(`"b"`, "LOGIN", late))})
	got, err := open(t, s.url).LiveEvents(t.Context(), "4")
	require.NoError(t, err)
	var ids []string
	for _, e := range got.Events {
		ids = append(ids, e.ID)
	}
	require.Equal(t, []string{"b", "a", "b"}, ids)
	require.Equal(t, got.Events[0], got.Events[2])
}

func TestForbiddenEvents(t *testing.T) {
	t.Parallel()
	s := newScript(t, exchange{want: pastEvents + ofStream("", "admin_logs"), status: 403, answer: refusal("403", "insufficient_scope", "no")})
	_, err := open(t, s.url).PastEvents(t.Context(), span(), "")
	require.Equal(t, connectors.Forbidden, errorOf(t, err).Kind)
}
