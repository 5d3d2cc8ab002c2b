package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/apiclient"
	"sendoff/internal/local/localtest"
)

// eventCount is how many events are posted; SENDOFF_EVENTS sets another number.
func eventCount(t *testing.T) int {
	t.Helper()
	text := os.Getenv("SENDOFF_EVENTS")
	if text == "" {
		return 500
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

// Promise of the door: what was answered 2xx is applied, once, though the server is
// killed twice while events come as fast as they are taken.
func TestAcceptedEventsAreAppliedOnce(t *testing.T) {
	t.Parallel()
	s := startServer(t, settings{simScale: fast, engineScale: fast})
	s.spawn("worker")
	s.feed("leaver", s.hire("Bo Ss"))
	n := eventCount(t)
	var accepted sync.Map
	var posted atomic.Int64
	next := make(chan int)
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for i := range next {
				for !s.tryPost(i) { // refused, or the answer was lost: the sender sends again
					continue
				}
				accepted.Store(i, true)
				posted.Add(1)
			}
		})
	}
	go func() {
		defer close(next)
		for i := range n {
			next <- i
		}
	}()
	for _, at := range []int{n / 3, 2 * n / 3} {
		localtest.Wait(t, patience, "part of the events is accepted", func() bool { return posted.Load() >= int64(at) })
		s.server.Kill()
		s.serve()
	}
	clients.Wait()

	s.eventually(patience, "nothing is pending", s.applied)
	ids := s.eventIDs()
	require.Len(t, ids, n)
	applied := map[string]int{}
	for _, details := range s.auditRecords("hr_event.applied") {
		applied[ids[details["event"]]]++
	}
	for i := range n {
		require.Equal(t, 1, applied[eventID(i)], "event %d", i)
	}
	require.Len(t, applied, n)
	s.must("audit", "verify")
}

func eventID(i int) string { return fmt.Sprintf("msg_%05d", i) }

// tryPost posts event i and tells whether it was answered 2xx.
func (s *stack) tryPost(i int) bool {
	base, err := s.tryBase()
	if err != nil {
		return false
	}
	body := fmt.Appendf(nil, `{"type":"employment.changed","timestamp":"2026-01-31T18:42:00Z","data":{"external_id":"%d","email":"p%d@example.com","status":"active","department":"%d"}}`, i%500, i%500, i)
	res, err := http.DefaultClient.Do(signedEvent(s.t, base, eventID(i), body))
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return err == nil && (res.StatusCode == http.StatusAccepted || res.StatusCode == http.StatusOK)
}

// eventIDs are the sources' ids of all events by ours.
func (s *stack) eventIDs() map[string]string {
	s.t.Helper()
	api, err := apiclient.New(s.base(), s.adminToken())
	require.NoError(s.t, err)
	ids := map[string]string{}
	for cursor := ""; ; {
		events, next, err := api.HREvents(s.t.Context(), "", "applied", cursor, 500)
		require.NoError(s.t, err)
		for _, e := range events {
			ids[e.ID] = e.EventID
		}
		if cursor = next; cursor == "" {
			return ids
		}
	}
}

// auditRecords are the details of all records of an action.
func (s *stack) auditRecords(action string) (found []map[string]string) {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), "audit.ndjson")
	s.must("audit", "export", "--to", path)
	text, err := os.ReadFile(path)
	require.NoError(s.t, err)
	for line := range bytes.Lines(text) {
		var record struct{ Body string }
		require.NoError(s.t, json.Unmarshal(line, &record))
		var event struct {
			Action  string
			Details map[string]string
		}
		if record.Body == "" {
			continue
		}
		require.NoError(s.t, json.Unmarshal([]byte(record.Body), &event))
		if event.Action == action {
			found = append(found, event.Details)
		}
	}
	return found
}
