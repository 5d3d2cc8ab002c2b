package e2e_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/apiclient"
	"sendoff/internal/cli"
	"sendoff/schema"
	"sendoff/workflows"
)

// What follows from HR's events is kept too: a leaver who is moved and taken back,
// one whose case is done, a poll and a notice.
func TestGoldenHistoriesOfHR(t *testing.T) {
	t.Parallel()
	t.Run("feed", func(t *testing.T) {
		t.Parallel()
		s := start(t, settings{})
		leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
		s.apply("gone", "transfer", "delete")
		s.feed("gone", boss, "--owner", "hr.it@example.com")
		s.post("msg_1", employed("7", leaver, lastDay, "2031-03-30"))
		l := s.leaverIn(leaver, "open")
		s.post("msg_2", employed("7", leaver, lastDay, "2031-06-30"))
		s.await(l.CaseID, "the case is moved", func(c apiclient.Case) bool { return c.EffectiveAt.Month() == 6 })
		s.post("msg_3", employed("7", leaver, lastDay, ""))
		s.leaverIn(leaver, "ended")
		s.replay("Leaver", "withdrawn", workflows.LeaverFlowID(schema.LeaverID(l.ID)))

		s.post("msg_4", employed("7", leaver, statusField, "ended"))
		done := s.leaver(leaver, "another leaver is done", func(l apiclient.Leaver) bool { return l.End == "done" })
		s.replay("Leaver", "done", workflows.LeaverFlowID(schema.LeaverID(done.ID)))

		require.Equal(t, http.StatusConflict, s.post("msg_4", employed("8", boss)), "the owner is told")
		var list noticePage
		s.eventually(patience, "a notice is queued", func() bool {
			list = ask[noticePage](s, cli.ExitDone, "notices", "list")
			return len(list.Notices) == 1
		})
		id := workflows.NoticeFlowID(schema.NoticeID(list.Notices[0].ID))
		s.awaitFlow(id)
		s.replay("DeliverNotice", "failed", id)
	})
	t.Run("poll", func(t *testing.T) {
		t.Parallel()
		s := start(t, settings{})
		s.bamboo("leaver", s.hire("Lea Ver"), s.hire("Bo Ss"))
		src := ask[apiclient.Source](s, cli.ExitDone, "hr", "sources", "show", "bamboo")
		s.replay("PollSource", "done", workflows.PollID(schema.SourceID(src.ID)))
	})
}

// noticePage is the first page of notices.
type noticePage struct {
	Notices []struct {
		ID    string `json:"id"`
		Event string `json:"event"`
		State string `json:"state"`
	} `json:"notices"`
}

// awaitFlow waits until a workflow was started.
func (s *stack) awaitFlow(id string) {
	s.t.Helper()
	client := s.client()
	s.eventually(patience, "the workflow is started", func() bool {
		_, err := client.DescribeWorkflowExecution(s.t.Context(), id, "")
		return err == nil
	})
}
