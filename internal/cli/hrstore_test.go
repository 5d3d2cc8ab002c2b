package cli_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/cli"
	"sendoff/internal/policy"
	"sendoff/internal/store"
)

// appliesEvents applies what is told until the test ends, as a server does.
func appliesEvents(t *testing.T, s *store.Store) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	t.Cleanup(func() { cancel(); <-ended })
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			if _, more, err := s.ApplyEvents(ctx, policy.JudgeLeaver); !more || err != nil {
				_ = s.WaitEvents(ctx, 100*time.Millisecond)
			}
		}
	}()
}

// TestHRAgainstPostgres drives the commands of HR through the API into a real
// database that applies what it is told.
func TestHRAgainstPostgres(t *testing.T) {
	t.Parallel()
	b, s, _ := setupStore(t)
	appliesEvents(t, s)
	admin := b.env
	r := b.run("hr", "sources", "add", "hris", "--kind", "csv", "--time-zone", "Europe/Berlin", "--limit-number", "1", "--limit-percent", "0")
	require.Equal(t, 0, r.code, r.errout)
	require.Equal(t, cli.ExitRefused, b.run("hr", "sources", "add", "hris", "--kind", "csv", "--time-zone", "UTC").code, "the name is taken")
	require.Equal(t, 0, b.run("hr", "sites", "set", "Tokyo", "Asia/Tokyo").code)

	b.as("hr-desk", "operator")
	desk := b.env
	roster := func(rows ...string) string {
		return b.file("roster.csv", "id,work_email,last_working_day,site\n"+strings.Join(rows, "\n")+"\n")
	}
	rows := []string{"1,ada@example.com,,", "2,grace@example.com,,Tokyo", "3,alan@example.com,,", "4,kurt@example.com,,"}
	r = b.run("hr", "import", roster(rows...), "--source", "hris")
	require.Equal(t, 0, r.code, r.errout)
	require.Contains(t, r.out, "nobody leaves by it")
	r, v := b.runJSON("hr", "import", roster(rows...), "--source", "hris")
	require.Equal(t, 0, r.code, r.errout)
	require.Equal(t, true, v["duplicate"])
	require.Equal(t, cli.ExitRefused, b.run("people", "import", roster(rows...), "--source", "hris").code, "that would ask nobody whether they leave")

	day := time.Now().AddDate(0, 0, 30).Format(time.DateOnly)
	r = b.run("hr", "import", roster("2,grace@example.com,"+day+",Tokyo"), "--source", "hris", "--mode", "changes")
	require.Equal(t, 0, r.code, r.errout)
	require.Regexp(t, `grace@example.com\s+planning\s+`+day+` 18:00 Asia/Tokyo \(last working day; zone of the site\)\s+hris`, r.out)
	r = b.run("hr", "import", roster("1,ada@example.com,"+day+",", "3,alan@example.com,"+day+","), "--source", "hris", "--mode", "changes")
	require.Equal(t, cli.ExitParked, r.code, r.out+r.errout)
	require.Contains(t, r.out, "2 held")
	_, listed := b.runJSON("hr", "leavers", "list", "--open")
	require.Len(t, listed["leavers"], 3)
	_, events := b.runJSON("hr", "events", "list", "--source", "hris")
	require.Len(t, events["events"], 3)
	first := events["events"].([]any)[0].(map[string]any)["id"].(string)
	r = b.run("hr", "events", "show", first)
	require.Contains(t, r.out, "tells      changes, 2 employments")
	require.Equal(t, cli.ExitUsage, b.run("hr", "events", "show", first, "--body", b.file("body", "")).code, "for admins and auditors alone")

	checkBatchReleased(t, b, admin, desk)
	checkByHand(t, b, day)
	b.env = admin
	require.Equal(t, 0, b.run("hr", "sources", "remove", "hris", "--reason", "gone").code)
	require.Equal(t, cli.ExitUsage, b.run("hr", "import", roster(rows...), "--source", "hris").code)
	require.Equal(t, cli.ExitRefused, b.run("hr", "sources", "disable", "manual", "--reason", "x").code, "it is built in")
}

func checkBatchReleased(t *testing.T, b *bundle, admin, desk []string) {
	t.Helper()
	_, listed := b.runJSON("batches", "list", "--state", "held")
	require.Len(t, listed["batches"], 1)
	batch := listed["batches"].([]any)[0].(map[string]any)
	id := batch["id"].(string)
	release := []string{"batches", "release", id[:8], "--size", fmt.Sprint(batch["size"]), "--reason", "a team moves"}
	require.Contains(t, b.run("batches", "show", id[:8]).out, "ada@example.com")
	require.Contains(t, b.run(release...).out, "still held: it has 1 of 2 releases")
	require.Equal(t, cli.ExitRefused, b.run(release...).code, "the same principal again")
	b.env = admin
	require.Contains(t, b.run(release...).out, "Released batch")
	require.Equal(t, cli.ExitRefused, b.run(release...).code, "it is released")
	_, leavers := b.runJSON("hr", "leavers", "list", "--state", "planning")
	require.Len(t, leavers["leavers"], 3)
	b.env = desk
}

// checkByHand: what is said by hand stands whatever the feed says.
func checkByHand(t *testing.T, b *bundle, day string) {
	t.Helper()
	r := b.run("hr", "leave", "kurt@example.com", "--last-working-day", day, "--time-zone", "America/New_York", "--reason", "told by phone")
	require.Equal(t, 0, r.code, r.out+r.errout)
	require.Contains(t, r.out, day+" 18:00 America/New_York")
	r = b.run("hr", "leavers", "show", "kurt@example.com")
	require.Contains(t, r.out, "by hand; feeds do not change it")
	r = b.run("hr", "import", b.file("r.csv", "id,work_email,last_working_day\n4,kurt@example.com,\n"), "--source", "hris", "--mode", "changes")
	require.Equal(t, 0, r.code, r.errout)
	require.Contains(t, r.out, "1 left as said by hand")
	r = b.run("hr", "return", "kurt@example.com", "--reason", "he stays")
	require.Equal(t, 0, r.code, r.errout)
	require.Contains(t, r.out, "1 do not leave after all")
	r = b.run("hr", "leave", "nobody@example.com", "--for-cause", "--reason", "x")
	require.Equal(t, 0, r.code, r.out+r.errout)
	require.Regexp(t, `nobody@example.com\s+planning\s+at once`, r.out, "an account may be found for them later")
}
