package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"sendoff/internal/apiclient"
	"sendoff/internal/app"
	"sendoff/internal/cli"
)

// Secrets of sources in tests.
const (
	feedSecret  = "whsec_c2VuZG9mZi10ZXN0LXNlY3JldC1vZi0zMi1ieXRlcyE="
	hookSecret  = "123b929362d51613054f71e5e5d4bf2c"
	feedName    = "feed"
	backThen    = "2020-02-29"
	lastDay     = "last_working_day"
	externalID  = "external_id"
	statusField = "status"
)

// feed makes a source with signed webhooks whose leavers get what the template
// says, and their content goes to the receiver.
func (s *stack) feed(template string, receiver person, more ...string) {
	s.t.Helper()
	s.source(feedName, "standard-webhooks", template, receiver, append([]string{"--secret-file", s.file("feed", feedSecret)}, more...)...)
}

func (s *stack) source(name, kind, template string, receiver person, more ...string) {
	s.t.Helper()
	s.must(append([]string{
		"hr", "sources", "add", name, "--kind", kind, "--time-zone", "Europe/Berlin", "--template", template, "--transfer-to", receiver.login,
	}, more...)...)
}

// base is where the server's API is.
func (s *stack) base() string {
	s.t.Helper()
	url, err := s.tryBase()
	require.NoError(s.t, err)
	return url
}

// tryBase is base while the server may be down.
func (s *stack) tryBase() (string, error) {
	var a app.Address
	text, err := os.ReadFile(filepath.Join(s.dir, app.ServerFileName))
	if err == nil {
		err = json.Unmarshal(text, &a)
	}
	return a.URL, err
}

// post sends a signed event of the source "feed" and returns the status.
func (s *stack) post(id string, facts ...map[string]any) int {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{"type": "employment.changed", "timestamp": time.Now().UTC().Format(time.RFC3339), "data": facts})
	require.NoError(s.t, err)
	return s.send(s.base(), id, body)
}

func (s *stack) send(base, id string, body []byte) int {
	s.t.Helper()
	req := signedEvent(s.t, base, id, body)
	res, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer func() { require.NoError(s.t, res.Body.Close()) }()
	said, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	require.Less(s.t, res.StatusCode, http.StatusInternalServerError, "%s", said)
	return res.StatusCode
}

func signedEvent(t *testing.T, base, id string, body []byte) *http.Request {
	t.Helper()
	hook, err := standardwebhooks.NewWebhook(feedSecret)
	require.NoError(t, err)
	now := time.Now()
	signature, err := hook.Sign(id, now, body)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/hooks/"+feedName, bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("webhook-id", id)
	req.Header.Set("webhook-timestamp", fmt.Sprint(now.Unix()))
	req.Header.Set("webhook-signature", signature)
	return req
}

// employed are the facts of somebody who works, with what is told besides.
func employed(id string, p person, more ...string) map[string]any {
	facts := map[string]any{externalID: id, "email": p.login, statusField: "active"}
	for i := 0; i+1 < len(more); i += 2 {
		facts[more[i]] = more[i+1]
	}
	return facts
}

// leaver waits until HR's word on a person is as told.
func (s *stack) leaver(p person, what string, as func(apiclient.Leaver) bool) (l apiclient.Leaver) {
	s.t.Helper()
	s.eventually(patience, what, func() bool {
		api, err := s.asAdmin()
		if err == nil {
			l, err = api.Leaver(s.t.Context(), p.login)
		}
		return err == nil && as(l)
	})
	return l
}

func (s *stack) leaverIn(p person, state string) apiclient.Leaver {
	s.t.Helper()
	return s.leaver(p, "leaver is "+state, func(l apiclient.Leaver) bool { return l.State == state })
}

// An event of HR ends as an account that is proven gone, its content with the
// receiver; heard twice, it is done once.
func TestSignedEventToProof(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
	s.fill(leaver)
	s.apply("gone", "transfer", "delete")
	s.feed("gone", boss)

	require.Equal(t, http.StatusAccepted, s.post("msg_1", employed("7", leaver), employed("8", boss)))
	body := []byte(`{"type":"employment.changed","timestamp":"2026-01-31T18:42:00Z","data":{"external_id":"7","status":"ended"}}`)
	require.Equal(t, http.StatusAccepted, s.send(s.base(), "msg_2", body))
	require.Equal(t, http.StatusOK, s.send(s.base(), "msg_2", body), "a duplicate")
	require.Equal(t, http.StatusConflict, s.send(s.base(), "msg_2", bytes.Replace(body, []byte("7"), []byte("8"), 1)))

	l := s.leaver(leaver, "the leaver has ended", func(l apiclient.Leaver) bool { return l.State == "ended" })
	require.Equal(t, "done", l.End)
	s.requireGone(leaver, boss, 6)
	require.Equal(t, "active", status(t, s.sim, boss))
	require.Contains(t, s.must("alarms", "list").out, "EVENT_ID_REUSED")
	s.must("audit", "verify")
}

// A dated leaver's case waits for the moment in the leaver's own zone, follows the
// dates that HR moves, and goes when HR takes it back.
func TestDatesOfHRMoveAndClear(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
	s.apply("gone", "transfer", "delete")
	s.feed("gone", boss)
	s.post("msg_1", employed("7", leaver, lastDay, "2031-03-30", "time_zone", "Asia/Kathmandu"))

	l := s.leaverIn(leaver, "open")
	c := s.show(l.CaseID)
	require.Equal(t, "planned", c.State)
	require.Equal(t, "2031-03-30T12:15:00Z", c.EffectiveAt.UTC().Format(time.RFC3339), "18:00 in Kathmandu")
	shown := s.must("cases", "show", c.CaseID).out
	for _, part := range []string{"2031-03-30 18:00", "Asia/Kathmandu", "person"} {
		require.Contains(t, shown, part)
	}

	s.post("msg_2", employed("7", leaver, lastDay, "2031-06-30", "time_zone", "Asia/Kathmandu"))
	s.await(c.CaseID, "the case is moved", func(c apiclient.Case) bool {
		return c.EffectiveAt.UTC().Format(time.RFC3339) == "2031-06-30T12:15:00Z"
	})

	s.post("msg_3", employed("7", leaver, lastDay, ""))
	s.awaitState(c.CaseID, "cancelled")
	require.Equal(t, "withdrawn", s.leaverIn(leaver, "ended").End)
	require.Empty(t, writes(s.sim), "nothing was done, so nothing was undone")

	s.post("msg_4", employed("7", leaver, lastDay, time.Now().AddDate(0, 0, -1).Format(time.DateOnly)))
	again := s.leaver(leaver, "another case", func(l apiclient.Leaver) bool { return l.CaseID != "" && l.CaseID != c.CaseID })
	s.awaitState(again.CaseID, "done")
	s.must("audit", "verify")
	require.Len(t, s.auditRecords("leaver.moved"), 1)
}

// A limit that is passed starts nothing; two principals release the batch.
func TestABatchOfLeaversIsHeld(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	boss := s.hire("Bo Ss")
	s.apply("gone", "transfer", "delete")
	s.source("roster", "csv", "gone", boss)
	file := func(status string) string {
		text := "employee_id,work_email,status\n"
		for i := range 8 {
			text += fmt.Sprintf("%d,lea.ver%d@example.com,%s\n", i, i, status)
		}
		return s.file(status+".csv", text)
	}
	var leavers []person
	for i := range 8 {
		leavers = append(leavers, s.hire(fmt.Sprintf("Lea Ver%d", i)))
	}
	s.must("hr", "import", file("active"), "--source", "roster")

	held := s.run("hr", "import", file("terminated"), "--source", "roster")
	require.NotZero(t, held.code, "a held batch needs somebody\n%s", held.out)
	batches := ask[map[string]json.RawMessage](s, cli.ExitDone, "batches", "list")
	var list []apiclient.Batch
	require.NoError(t, json.Unmarshal(batches["batches"], &list))
	require.Len(t, list, 1)
	b := list[0]
	require.Equal(t, 8, b.Size)
	require.Empty(t, writes(s.sim))
	require.Contains(t, s.must("alarms", "list").out, "BATCH_HELD")

	release := []string{"batches", "release", b.ID, "--size", "8", "--reason", "the plant closes"}
	s.must(release...)
	require.NotZero(t, s.run(release...).code, "one principal is not two")
	require.Empty(t, writes(s.sim))
	second := s.runAs(s.token("second", "operator"), release...)
	require.Zero(t, second.code, second.err)
	for _, p := range leavers {
		s.leaver(p, "the leaver has ended", func(l apiclient.Leaver) bool { return l.State == "ended" })
		require.Equal(t, "deleted", status(t, s.sim, p))
	}
	require.NotContains(t, s.must("alarms", "list").out, "BATCH_HELD")
}

// By hand: what somebody says stands against the feed until it is taken back.
func TestByHandStandsAgainstTheFeed(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
	s.feed("leaver", boss)
	s.post("msg_1", employed("7", leaver), employed("8", boss))
	s.must("hr", "leave", leaver.login, "--for-cause", "--reason", "walked out")
	l := s.leaverIn(leaver, "open")

	s.post("msg_2", employed("7", leaver, "department", "Sales"))
	s.eventually(patience, "the account is suspended", func() bool { return status(t, s.sim, leaver) == "inactive" })
	require.Equal(t, l.CaseID, s.leaver(leaver, "one leaver", func(apiclient.Leaver) bool { return true }).CaseID)

	s.must("hr", "return", leaver.login, "--reason", "came back")
	s.eventually(patience, "the account is active again", func() bool { return status(t, s.sim, leaver) == "active" })
	require.Equal(t, "withdrawn", s.leaverIn(leaver, "ended").End)
}

// A contractor who becomes an employee is no leaver, though one employment ends.
func TestContractorTurnedEmployeeIsNoLeaver(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	p, boss := s.hire("Con Tract"), s.hire("Bo Ss")
	s.feed("leaver", boss)
	s.post("msg_1", employed("c1", p, "kind", "contractor"))
	yesterday, today := time.Now().AddDate(0, 0, -1).Format(time.DateOnly), time.Now().Format(time.DateOnly)
	require.Equal(t, http.StatusAccepted, s.post("msg_2",
		employed("c1", p, "kind", "contractor", lastDay, yesterday, statusField, "ended", "hire_date", "2020-01-01"),
		employed("e1", p, "kind", "employee", lastDay, "", statusField, "active", "hire_date", today),
	))
	s.eventually(patience, "the events are applied", s.applied)
	leavers := ask[map[string]json.RawMessage](s, cli.ExitDone, "hr", "leavers", "list")
	require.JSONEq(t, "[]", string(leavers["leavers"]))
	require.Empty(t, writes(s.sim))
}

// applied tells whether every event is.
func (s *stack) applied() bool {
	s.t.Helper()
	pending := ask[map[string]json.RawMessage](s, cli.ExitDone, "hr", "events", "list", "--state", "pending")
	return string(pending["events"]) == "[]"
}
