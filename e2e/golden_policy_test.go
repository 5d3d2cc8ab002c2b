package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"

	"sendoff/internal/apiclient"
	"sendoff/schema"
	"sendoff/workflows"
)

// Review runs are kept too: one that waits for an approval and starts a case, one
// that is held and cancelled, and one that a schedule began.
func TestGoldenHistoriesOfReviews(t *testing.T) {
	t.Parallel()
	t.Run("asked_for", func(t *testing.T) {
		t.Parallel()
		s := start(t, settings{})
		boss := s.hire("Bo Ss")
		s.staff(4)
		silent := s.dormant("Si Lent")
		s.synced("box")
		s.policy(dormantPolicy(boss, "approvals: 1", "steps: [snapshot, suspend]"))
		r := s.reviewed()
		got := s.runAs(s.token("approver", "operator"), "policy", "reviews", "approve", r.ID, "--hash", r.Hash, "--reason", "looks right")
		require.Zero(t, got.code, got.err)
		s.reviewIn(r.ID, "ended")
		s.replay("Review", "approved", flowOf(r))
		s.awaitState(s.item(r.ID, silent).CaseID, "done")

		s.dormant("Al So")
		s.dormant("An Other")
		s.synced("box")
		s.policy(dormantPolicy(boss, "budget: {per_run: 1, percent: 90}", "steps: [snapshot, suspend]"))
		r = s.reviewed()
		require.Equal(t, "held", r.State)
		s.must("policy", "reviews", "cancel", r.ID, "--reason", "not now")
		s.reviewIn(r.ID, "ended")
		s.replay("Review", "held", flowOf(r))
	})
	t.Run("scheduled", func(t *testing.T) {
		t.Parallel()
		s := start(t, settings{})
		boss := s.hire("Bo Ss")
		s.staff(2)
		s.synced("box")
		s.policy(dormantPolicy(boss, "schedule: {every: 1h}"))
		s.eventually(patience, "a review begins by itself and ends", func() bool {
			api, err := s.asAdmin()
			require.NoError(t, err)
			list, _, err := api.Reviews(t.Context(), "dormant", "ended", "", 10)
			return err == nil && len(list) > 0
		})
		s.must("policy", "pause", "dormant", "--reason", "seen enough")
		var id string
		s.eventually(patience, "Temporal lists the ended workflow", func() bool {
			found, err := s.client().ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
				Namespace: s.namespace, Query: "WorkflowType = 'Review' AND ExecutionStatus = 'Completed'",
			})
			require.NoError(t, err)
			if len(found.Executions) > 0 {
				id = found.Executions[0].Execution.WorkflowId
			}
			return id != ""
		})
		s.replay("Review", "scheduled", id)
	})
}

func flowOf(r apiclient.Review) string {
	return workflows.ReviewFlowID(schema.PolicyID(r.PolicyID), schema.ReviewID(r.ID))
}
