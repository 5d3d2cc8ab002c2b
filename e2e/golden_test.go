package e2e_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/worker"

	"sendoff/connectors/box/boxsim"
	"sendoff/internal/apiclient"
	"sendoff/internal/app"
	"sendoff/internal/secret"
	"sendoff/schema"
	"sendoff/workflows"
)

func planID(c apiclient.Case) schema.PlanID { return schema.PlanID(c.Accounts[0].PlanID) }
func caseID(c apiclient.Case) schema.CaseID { return schema.CaseID(c.CaseID) }

// goldenDir is where workflows keeps the histories it must always be able to
// replay.
const goldenDir = "../workflows/testdata/history"

// Histories of a real server replay without a difference. With
// SENDOFF_UPDATE_GOLDEN=1 they become the ones that workflows replays from then
// on: a change of a workflow that breaks them would break cases under way.
func TestGoldenHistories(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		scenario func(s *stack, leaver, boss person) apiclient.Case
	}{
		{"done", func(s *stack, leaver, boss person) apiclient.Case {
			s.mode(leaver, boxsim.ModeGateway504)
			return s.begin(leaver.login, "--transfer-to", boss.login, "--grace", "10m")
		}},
		{"resumed", func(s *stack, leaver, boss person) apiclient.Case {
			s.mode(leaver, boxsim.ModeRefused)
			c := s.begin(leaver.login, "--transfer-to", boss.login, "--grace", "0s", "--at", soon(0))
			s.awaitState(c.CaseID, "parked")
			s.mode(leaver, boxsim.ModeQuick)
			s.must("cases", "resume", c.CaseID, "--reason", "mended")
			return c
		}},
		{"approved", func(s *stack, leaver, _ person) apiclient.Case {
			other := s.token("second", "operator")
			c := s.begin(leaver.login, "--template", "suspend", "--approvals", "1")
			r := s.runAs(other, "cases", "approve", c.CaseID, "--hash", c.Hash)
			require.Zero(s.t, r.code, r.err)
			return c
		}},
		{"cancelled", func(s *stack, leaver, boss person) apiclient.Case {
			s.mode(leaver, boxsim.ModeGateway504)
			c := s.begin(leaver.login, "--transfer-to", boss.login)
			s.await(c.CaseID, "settling", inTransfer("settling"))
			s.must("cases", "cancel", c.CaseID, "--reason", "stays")
			return c
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, settings{})
			leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
			s.fill(leaver)
			done := c.scenario(s, leaver, boss)
			s.await(done.CaseID, "the case ends", func(c apiclient.Case) bool { return schema.PlanState(c.State).Ended() })
			s.replay("Offboarding", c.name, workflows.OffboardingID(caseID(done)))
			s.replay("Deprovision", c.name, workflows.DeprovisionID(planID(done)))
		})
	}
}

// The ways back are kept too. They share a stack whose vendor transfers from
// active accounts alone and whose clocks let a transfer stall within seconds.
func TestGoldenHistoriesOfWaysBack(t *testing.T) {
	t.Parallel()
	s := start(t, settings{engineScale: stalling, switches: boxsim.Switches{RefuseInactiveSource: true}})
	s.apply("task", "manual: {title: Take the laptop into the store, owner: office, due: 300d}")
	s.apply("groups", "remove_from_groups", "manual: {title: Take the laptop into the store, owner: office, due: 300d}")
	s.apply("reactivating", "transfer: {inactive_source: reactivate}")
	inTask := func(c apiclient.Case) bool { return c.Accounts[0].Step == "manual" && c.State == "waiting" }
	for _, c := range []struct {
		name, template, ends string
		when                 func(apiclient.Case) bool
		decide               []string
	}{
		{"manual", "task", "done", inTask, []string{"complete", "--evidence", "ticket 4711"}},
		{"waived", "task", "done", inTask, []string{"waive", "--yes", "--reason", "there is none"}},
		{"groups_undone", "groups", "cancelled", inTask, []string{"cancel", "--reason", "stays"}},
		{"send_again", "transfer", "done", func(c apiclient.Case) bool { return c.State == "parked" }, []string{"resume", "--send-again", "--yes", "--reason", "it is dead"}},
		{"window", "reactivating", "done", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := s.in(t)
			leaver, boss := s.hire("Leaver "+c.name), s.hire("Boss "+c.name)
			s.fill(leaver)
			s.group(boxsim.GroupSpec{Name: "Team " + c.name, Members: []string{leaver.id}})
			args := []string{leaver.login, "--template", c.template}
			switch c.name {
			case "send_again":
				s.dying(leaver)
				args = append(args, "--transfer-to", boss.login)
			case "window":
				args = append(args, "--transfer-to", boss.login, "--grace", "0s")
			}
			begun := s.begin(args...)
			if c.when != nil {
				s.await(begun.CaseID, "the decision is due", c.when)
				s.must(append([]string{"cases", c.decide[0], begun.CaseID}, c.decide[1:]...)...)
			}
			s.awaitState(begun.CaseID, c.ends)
			s.replay("Offboarding", c.name, workflows.OffboardingID(caseID(begun)))
			s.replay("Deprovision", c.name, workflows.DeprovisionID(planID(begun)))
		})
	}
}

// url is where the stack's API is, and adminToken opens it.
func (s *stack) url() string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, app.ServerFileName))
	require.NoError(s.t, err)
	var at app.Address
	require.NoError(s.t, json.Unmarshal(text, &at))
	return at.URL
}

func (s *stack) adminToken() string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, app.TokenFileName))
	require.NoError(s.t, err)
	return strings.TrimSpace(string(text))
}

// Runs are kept too: as they go, without what cannot be had, and failing.
func TestGoldenHistoriesOfRuns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		kinds    []string
		switches boxsim.Switches
	}{
		{"done", []string{"sync", "activity", "probe"}, boxsim.Switches{}},
		{"without_events", []string{"activity"}, boxsim.Switches{PlanWithoutEvents: true}},
		{"failed", []string{"sync", "activity", "probe"}, boxsim.Switches{AppState: "disabled"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, settings{})
			require.NoError(t, s.sim.SetSwitches(c.switches))
			api, err := apiclient.New(s.url(), s.adminToken())
			require.NoError(t, err)
			runs, err := api.StartRuns(t.Context(), "box", c.kinds...)
			require.NoError(t, err)
			for _, r := range runs {
				s.replay(map[string]string{"sync": "Sync", "activity": "CollectActivity", "probe": "Probe"}[r.Kind], c.name,
					workflows.RunID(schema.RunKind(r.Kind), schema.RunID(r.RunID)))
			}
		})
	}
}

// replay replays a history once its workflow has ended, and keeps it if asked to.
func (s *stack) replay(workflow, name, id string) {
	s.t.Helper()
	client := s.client()
	require.NoError(s.t, client.GetWorkflow(s.t.Context(), id, "").Get(s.t.Context(), nil))
	history := &historypb.History{}
	events := client.GetWorkflowHistory(s.t.Context(), id, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		require.NoError(s.t, err)
		history.Events = append(history.Events, event)
	}
	s.open(history)
	replayer := worker.NewWorkflowReplayer()
	workflows.Register(replayer)
	require.NoError(s.t, replayer.ReplayWorkflowHistory(nil, history))
	if os.Getenv("SENDOFF_UPDATE_GOLDEN") != "" {
		keep(s.t, filepath.Join(goldenDir, workflow, name+".json"), history)
	}
}

// open decrypts a history's payloads in place. They hold ids and states alone,
// so they may lie in the repository, where a reviewer can read them and a replay
// needs no key.
func (s *stack) open(history *historypb.History) {
	s.t.Helper()
	codec := secret.NewPayloadCodec(s.keyring(), s.namespace)
	err := proxy.VisitPayloads(s.t.Context(), history, proxy.VisitPayloadsOptions{
		SkipSearchAttributes: true,
		Visitor: func(_ *proxy.VisitPayloadsContext, sealed []*commonpb.Payload) ([]*commonpb.Payload, error) {
			return codec.Decode(sealed)
		},
	})
	require.NoError(s.t, err)
}

func keep(t *testing.T, path string, history *historypb.History) {
	t.Helper()
	text, err := temporalproto.CustomJSONMarshalOptions{}.Marshal(history)
	require.NoError(t, err)
	require.NotContains(t, strings.ToLower(string(text)), "@example.com")
	var steady bytes.Buffer // the marshaller varies its white space on purpose
	require.NoError(t, json.Indent(&steady, text, "", "  "))
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755)) //nolint:gosec // part of the source
	require.NoError(t, os.WriteFile(path, append(steady.Bytes(), '\n'), 0o644))
}
