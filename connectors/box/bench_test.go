package box_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box"
)

// The benchmarks read one page over and over through the connector, and beside
// it as one would who only wants the same values: GET, read, decode.

func BenchmarkListAccounts(b *testing.B) {
	const perPage = 1000
	page := `{"limit":1000,"next_marker":"next","entries":` + entriesOf(perPage, func(n int) string {
		return wireUser(fmt.Sprintf(`"%d"`, 1e9+n), fmt.Sprintf("person-%d@example.com", n),
			`"created_at":"2012-12-12T10:53:43-08:00","tracking_codes":[{"type":"tracking_code","name":"cost centre","value":"4711"}]`)
	}) + `}`
	type plain struct {
		Entries []struct {
			ID, Login, Name, Role, Status string
			SpaceUsed                     int64                          `json:"space_used"`
			SpaceAmount                   int64                          `json:"space_amount"`
			Enterprise                    struct{ ID string }            `json:"enterprise"`
			App                           bool                           `json:"is_platform_access_only"`
			CreatedAt                     string                         `json:"created_at"`
			Tracking                      []struct{ Name, Value string } `json:"tracking_codes"`
		} `json:"entries"`
	}
	beside(b, page, perPage, func() any { return new(plain) }, func(c *box.Connector) (int, error) {
		p, err := c.ListAccounts(b.Context(), "")
		return len(p.Entries), err
	})
}

func BenchmarkPastEvents(b *testing.B) {
	const perPage = 500
	types := strings.Split(box.AskedTypes(), ",")
	page := eventPage(`18014398509481985`, strings.Trim(entriesOf(perPage, func(n int) string {
		return wireEvent(fmt.Sprintf(`"00000000-5eed-4000-8000-%012d"`, n), types[n%12], `"additional_details":{"size":4711,"version_id":"12345","service_id":"1","service_name":"Box Web"}`)
	}), "[]"))
	type plain struct {
		Next    json.Number `json:"next_stream_position"`
		Entries []struct {
			ID        string              `json:"event_id"`
			Type      string              `json:"event_type"`
			At        string              `json:"created_at"`
			CreatedBy struct{ ID string } `json:"created_by"`
		} `json:"entries"`
	}
	beside(b, page, perPage, func() any { return new(plain) }, func(c *box.Connector) (int, error) {
		p, err := c.PastEvents(b.Context(), span(), "5")
		return p.Read, err
	})
}

// beside measures the connector and plain decoding of a page with so many entries.
func beside(b *testing.B, page string, entries int, plain func() any, read func(*box.Connector) (int, error)) {
	b.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/oauth2/token" {
			_, _ = io.WriteString(w, `{"access_token":"t","expires_in":3600}`)
			return
		}
		_, _ = io.WriteString(w, page)
	}))
	b.Cleanup(srv.Close)
	cfg := config(srv.URL)
	c, err := box.Factory{}.Open(cfg)
	require.NoError(b, err)
	b.Cleanup(c.Close)
	rate := func(b *testing.B) {
		b.Helper()
		b.ReportMetric(float64(entries)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
	}
	b.Run("connector", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			n, err := read(c.(*box.Connector))
			require.NoError(b, err)
			require.Equal(b, entries, n)
		}
		rate(b)
	})
	b.Run("plain", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			resp, err := http.Get(srv.URL) //nolint:noctx // the least there is to compare with
			require.NoError(b, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(b, err)
			require.NoError(b, resp.Body.Close())
			require.NoError(b, json.Unmarshal(body, plain()))
		}
		rate(b)
	})
}
