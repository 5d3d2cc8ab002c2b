package e2e_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

	"sendoff/internal/apiclient"
)

// dormantCount is how many accounts one review starts; SENDOFF_ACCOUNTS sets
// another number.
func dormantCount(t *testing.T) int {
	t.Helper()
	text := os.Getenv("SENDOFF_ACCOUNTS")
	if text == "" {
		return 1000
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

// A review of very many accounts starts each exactly once, though server and
// worker are killed twice in the middle, and its history stays small.
func TestReviewOfManyAccountsIsKilledTwice(t *testing.T) {
	t.Parallel()
	n := dormantCount(t)
	s := startServer(t, settings{simScale: fast, engineScale: fast})
	worker := s.spawn("worker")
	for i := range n {
		s.dormant(fmt.Sprintf("Si Lent %05d", i))
	}
	s.synced("box")
	s.policy(dormantPolicy(person{login: "nobody@example.com"}, "steps: [snapshot, suspend]",
		"budget: {per_run: 100000, per_day: 100000, percent: 100}", "allow: {most_of_population: true}"))
	id := s.begunReview()
	for _, at := range []int{n / 3, 2 * n / 3} {
		s.rarely(n, "part of the accounts is suspended", func() bool { return len(requests(s.sim, opUpdate, "")) >= at })
		worker.Kill()
		s.server.Kill()
		s.serve()
		worker = s.spawn("worker")
	}
	var r apiclient.Review
	s.rarely(n, "the review ends", func() bool {
		var err error
		r, err = s.review(id)
		return err == nil && r.State == "ended"
	})
	s.rarely(n, "every account is suspended", func() bool { return len(requests(s.sim, opUpdate, "")) >= n })

	once := map[string]int{}
	for _, r := range requests(s.sim, opUpdate, "") {
		once[r.Subject]++
	}
	require.Len(t, once, n)
	for id, times := range once {
		require.Equal(t, 1, times, "account %s", id)
	}
	require.Equal(t, n, s.startedOf(id))
	s.requireSmallHistories(flowOf(r))
}

// rarely waits for what a review of n accounts comes to, which takes long to look
// at and longer to come true.
func (s *stack) rarely(n int, what string, done func() bool) {
	s.t.Helper()
	atMost := max(15*time.Minute, time.Duration(n)*time.Second)
	require.Eventually(s.t, done, atMost, time.Second, "waited %s for: %s", atMost, what)
}

// mostEvents and mostBytes are where Temporal begins to warn of a history. It ends
// workflows at five times as much.
const (
	mostEvents = 10_240
	mostBytes  = 10 << 20
)

// requireSmallHistories follows a workflow from its last run to its first.
func (s *stack) requireSmallHistories(id string) {
	s.t.Helper()
	client, runs := s.client(), 0
	for run := ""; run != "" || runs == 0; runs++ {
		d, err := client.DescribeWorkflowExecution(s.t.Context(), id, run)
		require.NoError(s.t, err)
		info := d.GetWorkflowExecutionInfo()
		s.t.Logf("run %d from the end: %d events, %d bytes", runs, info.GetHistoryLength(), info.GetHistorySizeBytes())
		require.Less(s.t, info.GetHistoryLength(), int64(mostEvents))
		require.Less(s.t, info.GetHistorySizeBytes(), int64(mostBytes))
		first, err := client.GetWorkflowHistory(s.t.Context(), id, info.GetExecution().GetRunId(), false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT).Next()
		require.NoError(s.t, err)
		run = first.GetWorkflowExecutionStartedEventAttributes().GetContinuedExecutionRunId()
	}
}

// begunReview starts a review of the policy.
func (s *stack) begunReview() string {
	s.t.Helper()
	return ask[apiclient.Review](s, 0, "policy", "run", "dormant").ID
}

func (s *stack) review(id string) (apiclient.Review, error) {
	api, err := s.asAdmin()
	if err != nil {
		return apiclient.Review{}, err
	}
	return api.Review(s.t.Context(), id)
}

// startedOf is how many accounts of a review have a case, by its report.
func (s *stack) startedOf(id string) int {
	api, err := s.asAdmin()
	if err != nil {
		return 0
	}
	report, err := api.ReviewReport(s.t.Context(), id)
	if err != nil {
		return 0
	}
	for _, i := range report.Items {
		if i.State == "started" {
			return int(i.Count)
		}
	}
	return 0
}
