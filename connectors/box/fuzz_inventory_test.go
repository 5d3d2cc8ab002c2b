package box_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/schema"
)

// FuzzUserPage holds a page of accounts to this: each entry is whole, or the page
// is refused, and the page after it is another one.
func FuzzUserPage(f *testing.F) {
	s := newSameAnswer(f)
	c := s.opened(f)
	user := wireUser(`"5"`, leaver, `"created_at":null,"tracking_codes":[{"name":"a","value":"b"}]`)
	for _, body := range []string{
		"", "null", "{}", `{"entries":null}`, `{"entries":[null]}`, `{"entries":[` + user + `],"next_marker":"a"}`, `{"entries":[` + user + `],"next_marker":7}`,
		`{"entries":[],"next_marker":"b"}`, `{"entries":[],"total_count":5,"limit":2,"offset":0}`, `{"entries":[],"total_count":"5","limit":"2","offset":"0"}`,
		`{"entries":[` + user + `],"total_count":-1,"limit":-1,"offset":0}`, `{"entries":[` + strings.Replace(user, `"b"`, `[[[`, 1) + `]}`,
		`{"entries":[` + strings.Replace(user, `[{`, `[7,{`, 1) + `]}`, `{"entries":[],"total_count":9223372036854775807,"limit":9223372036854775807,"offset":0}`,
	} {
		f.Add(body, "")
		f.Add(body, "m:a")
		f.Add(body, "o:2")
	}
	f.Fuzz(func(t *testing.T, body, marker string) {
		s.say(body)
		p, err := c.ListAccounts(t.Context(), marker)
		if err != nil {
			require.Contains(t, []connectors.Kind{connectors.Malformed, connectors.Invalid}, errorOf(t, err).Kind)
			require.Empty(t, p, "half a page is none")
			return
		}
		require.False(t, marker != "" && p.Next == marker, "a listing that goes on where it is")
		for _, a := range p.Entries {
			require.NotEmpty(t, a.ExternalID)
			require.NotEmpty(t, a.Login)
			require.True(t, a.Kind == schema.KindExternal || a.VendorStatus != "")
			for name, value := range a.Tracking {
				require.NotEmpty(t, name)
				require.NotEmpty(t, value)
			}
		}
	})
}

// FuzzGranter holds a group's listing to this: whatever JSON stands where Box tells
// who gave access, the access is listed, and what is told is a text that can be kept.
func FuzzGranter(f *testing.F) {
	s := newSameAnswer(f)
	c := s.opened(f)
	for _, by := range []string{"null", "{}", "[]", `"5"`, `{"login":7,"name":"Ann"}`, `{"login":"ann@example.com","name":null,"login":{}}`, `{"name":"a\u0000b"}`, `{"login":"\ud800"}`} {
		f.Add(by)
	}
	f.Fuzz(func(t *testing.T, by string) {
		if !json.Valid([]byte(by)) {
			return
		}
		s.say(`{"total_count":1,"limit":1000,"offset":0,"entries":[{"id":"3","role":"viewer","status":"accepted","created_by":` + by + `}]}`)
		p, err := c.ListGroupCollaborations(t.Context(), "8", "")
		require.NoError(t, err)
		require.Len(t, p.Entries, 1)
		require.Equal(t, schema.ExternalID("3"), p.Entries[0].ExternalID)
		for _, said := range []string{p.Entries[0].GrantedBy, p.Entries[0].GrantedByName} {
			require.True(t, utf8.ValidString(said) && !strings.Contains(said, "\x00"))
		}
	})
}

// FuzzEventPage holds a page of events to this: no position is lost or made up,
// and each event that is kept says when, and whose use it is or who is deleted.
func FuzzEventPage(f *testing.F) {
	s := newSameAnswer(f)
	c := s.opened(f)
	for _, body := range []string{
		"", "null", "{}", `{"entries":null,"next_stream_position":0}`, eventPage(`0`), eventPage(`"0"`), eventPage(`null`, wireEvent(`"e"`, "LOGIN")),
		eventPage(`18014398509481985`, wireEvent(`"e"`, "LOGIN")), eventPage(`"18014398509481985"`, wireEvent(`7`, "DELETE_USER", `"source":{"id":6}`)),
		eventPage(`1e3`, wireEvent(`"e"`, "EDIT")), eventPage(`5`, `null`), eventPage(`5`, wireEvent(`"e"`, "EDIT", `"created_by":[]`)),
		eventPage(`5`, wireEvent(`"e"`, "EDIT", `"source":[]`, `"additional_details":"app"`)), eventPage(`4`, wireEvent(`"e"`, "COPY")),
		eventPage(`5`, wireEvent(`"e"`, "COPY", `"created_at":"2026-01-01T00:00:00.5+14:00"`)),
	} {
		f.Add(body, "4")
		f.Add(body, "")
	}
	f.Fuzz(func(t *testing.T, body, position string) {
		s.say(body)
		p, err := c.PastEvents(t.Context(), span(), position)
		if err != nil {
			require.Equal(t, connectors.Malformed, errorOf(t, err).Kind)
			require.Empty(t, p)
			return
		}
		require.Equal(t, p.Next == position, p.End, "the last page alone is followed by where it was asked from")
		require.LessOrEqual(t, len(p.Events), p.Read)
		if p.Next != position {
			require.NotEqual(t, "0", p.Next)
			require.Contains(t, body, p.Next[:1])
		}
		for _, e := range p.Events {
			require.NotEmpty(t, e.ID)
			require.Equal(t, time.UTC, e.At.Location())
			require.NotEqual(t, e.Actor != "", e.Deleted != "", "either use or a deletion")
			require.NotEqual(t, schema.ExternalID("2"), e.Actor)
		}
	})
}
