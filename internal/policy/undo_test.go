package policy_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/policy"
	"sendoff/schema"
)

// TestForecastUndo pins what cancel says beforehand (promise 7).
func TestForecastUndo(t *testing.T) {
	t.Parallel()
	sent := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	steps := func(states ...schema.StepState) []schema.Step {
		kinds := []schema.StepKind{
			schema.StepSuspend, schema.StepRevokeSessions, schema.StepRemoveFromGroups, schema.StepTransfer,
			schema.StepNotify, schema.StepNotify, schema.StepManual, schema.StepDelete,
		}
		out := make([]schema.Step, len(kinds))
		for i, k := range kinds {
			out[i] = schema.Step{Index: i, Kind: k, State: schema.StepPending}
			if i < len(states) {
				out[i].State = states[i]
			}
		}
		return out
	}
	const done, running = schema.StepDone, schema.StepRunning
	groups := []schema.Membership{{ID: "1"}, {ID: "2"}, {ID: "3", Fixed: true}}
	for name, c := range map[string]struct {
		plan     schema.Plan
		transfer *schema.Transfer
		back     []string
		lost     []string
	}{
		"nothing begun": {plan: schema.Plan{State: schema.PlanPlanned, Steps: steps()}},
		"suspended, sessions ended, out of its groups": {
			plan: schema.Plan{State: schema.PlanRunning, PriorStatus: "active", Memberships: groups, Steps: steps(done, done, running)},
			back: []string{"status 'active'", "2 group memberships, made again with role and permissions"},
			lost: []string{"sessions ended: the person signs in again"},
		},
		"a transfer waits for its lane": {
			plan:     schema.Plan{State: schema.PlanWaiting, PriorStatus: "active", Steps: steps(done)},
			transfer: &schema.Transfer{State: schema.TransferWaiting, WitnessTotal: 3},
			back:     []string{"status 'active'"},
		},
		"a transfer is under way": {
			plan:     schema.Plan{State: schema.PlanSettling, PriorStatus: "active", Steps: steps(done)},
			transfer: &schema.Transfer{State: schema.TransferSettling, WitnessTotal: 3, SentAt: sent},
			back:     []string{"status 'active'", "access as co-owner to the folders that the transfer fills; cancel waits for its end first"},
			lost:     []string{"ownership of 3 items, as far as the transfer moves them", "their place: they are in folders of the receiver"},
		},
		"a transfer is proven, people were told": {
			plan:     schema.Plan{State: schema.PlanWaiting, PriorStatus: "active", Steps: steps(done, schema.StepWaived, schema.StepSkipped, done, done, done, done)},
			transfer: &schema.Transfer{State: schema.TransferProven, WitnessTotal: 1, SentAt: sent, FolderIDs: []schema.ExternalID{"9", "10"}},
			back:     []string{"status 'active'", "access to 2 folders as co-owner"},
			lost:     []string{"ownership of 1 item", "their place: they are in folders of the receiver", "2 notices sent", "1 task done by hand"},
		},
		"a transfer stalled, nobody knows where": {
			plan:     schema.Plan{State: schema.PlanParked, Steps: steps()},
			transfer: &schema.Transfer{State: schema.TransferStalled, SentAt: sent},
			lost: []string{
				"access to what was moved: no destination folder is known", "ownership of what was moved of the items",
				"their place: they are in folders of the receiver",
			},
		},
		"the delete is under way": {
			plan: schema.Plan{State: schema.PlanRunning, PriorStatus: "active", Steps: steps(done, schema.StepPending, schema.StepPending, schema.StepSkipped, schema.StepPending, schema.StepPending, schema.StepPending, running)},
			back: []string{"status 'active'"},
			lost: []string{"the account, if the vendor has accepted its delete by then"},
		},
		"deleted": {
			plan: schema.Plan{State: schema.PlanRunning, PriorStatus: "active", Steps: steps(done, done, done, done, done, done, done, done)},
			lost: []string{"the account: it is deleted"},
		},
		"ended": {plan: schema.Plan{State: schema.PlanDone, PriorStatus: "active"}, lost: []string{"anything: the plan has ended as done"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := policy.ForecastUndo(c.plan, c.transfer)
			require.Equal(t, c.back, got.BroughtBack)
			require.Equal(t, c.lost, got.NotBroughtBack)
		})
	}
}
