package boxsim_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
)

// veryFast makes ten simulated minutes last 300 ms and a minute 30 ms.
const veryFast = 2000

// switchChecks shows what each switch does. Every check runs once per value of
// its switch, which is set by then.
func switchChecks() map[string]func(b *bench, value string) {
	all := map[string]func(*bench, string){}
	for _, part := range []map[string]func(*bench, string){transferChecks(), deleteChecks(), accountChecks(), listingChecks(), accessChecks(), eventChecks()} {
		for name, check := range part {
			all[name] = check
		}
	}
	return all
}

func TestEverySwitchInEverySetting(t *testing.T) {
	t.Parallel()
	checks := switchChecks()
	numbers := map[string]string{
		"space_lag_s": "8000", "status_lag_s": "8000", "seats": "1", "clock_skew_s": "-86400",
		"marker_pages": "2", "marker_life_s": "0.03", "late_events_s": "86400", "stream_reach_s": "3600", "event_skew_s": "-86400",
	}
	known := boxsim.KnownSwitches()
	require.Len(t, checks, len(known))
	for _, info := range known {
		check := checks[info.Name]
		require.NotNil(t, check, "switch %s has no check", info.Name)
		values := info.Values
		if n, isNumber := numbers[info.Name]; isNumber {
			values = []string{"0", n}
		}
		require.Greater(t, len(values), 1, info.Name)
		for _, value := range values {
			t.Run(info.Name+"="+value, func(t *testing.T) {
				t.Parallel()
				b := setup(t, boxsim.Config{Scale: veryFast})
				b.set(info.Name, value)
				check(b, value)
			})
		}
	}
}

// set changes one switch over the control endpoint.
func (b *bench) set(name, value string) {
	b.t.Helper()
	var v any = value
	if n, err := strconv.ParseFloat(value, 64); err == nil && (strings.HasSuffix(name, "_s") || name == "seats" || name == "marker_pages") {
		v = n
	} else if flag, err := strconv.ParseBool(value); err == nil {
		v = flag
	}
	got := b.control(http.StatusOK, http.MethodPost, "/switches", obj{name: v}).body
	require.Equal(b.t, v, got[name])
}

func TestUnknownSwitchesAndValuesAreRefusedByName(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	refused := b.control(http.StatusBadRequest, http.MethodPost, "/switches", obj{"delete_ignores_everything": true})
	require.Contains(t, refused.body["error"], `"delete_ignores_everything" is unknown`)
	require.Contains(t, refused.body["error"], "delete_ignores_zero_byte")
	refused = b.control(http.StatusBadRequest, http.MethodPost, "/switches", obj{"storage_full": "410"})
	require.Contains(t, refused.body["error"], "use one of 403, 507, dies")
	b.control(http.StatusBadRequest, http.MethodPost, "/switches", obj{"space_lag_s": -1})
	_, err := boxsim.New(boxsim.Config{Switches: boxsim.Switches{AppState: "odd"}})
	require.ErrorContains(t, err, `app_state "odd" is unknown`)

	known := b.control(http.StatusOK, http.MethodGet, "/switches/known", nil).body["switches"].([]any)
	shown := b.control(http.StatusOK, http.MethodGet, "/switches", nil).body
	require.Len(t, known, len(shown), "each switch is documented and each documented one exists")
	for _, info := range known {
		require.Contains(t, shown, info.(obj)["name"])
	}
}

func TestDocumentsNameEverySwitchAndMode(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "simulator.md"))
	require.NoError(t, err)
	for _, info := range boxsim.KnownSwitches() {
		require.True(t, strings.Contains(string(raw), "| `"+info.Name+"` |"), "docs/simulator.md has no row for %s", info.Name)
	}
}

// start begins a transfer whose job is still running when this returns.
func (b *bench) start(source, dest string) {
	b.t.Helper()
	require.NoError(b.t, b.sim.SetTransferMode(source, boxsim.ModeNever, 0))
	b.do(http.StatusGatewayTimeout, http.MethodPut, transferPath(source), transferTo(dest))
}

func (b *bench) transfer(status int, source, dest string) answer {
	b.t.Helper()
	return b.do(status, http.MethodPut, transferPath(source), transferTo(dest))
}

func (b *bench) add(spec boxsim.UserSpec) string {
	b.t.Helper()
	id, err := b.sim.AddUser(spec)
	require.NoError(b.t, err)
	return id
}

func (b *bench) suspend(id string) {
	b.t.Helper()
	b.do(http.StatusOK, http.MethodPut, "/users/"+id, obj{"status": "inactive"})
}

func status(value string) int {
	n, err := strconv.Atoi(value)
	if err != nil {
		return 0
	}
	return n
}

func transferChecks() map[string]func(*bench, string) {
	return map[string]func(*bench, string){
		"change_ids": func(b *bench, v string) {
			ann, bob := b.user("Ann"), b.user("Bob")
			file := b.file(ann, "", "a.docx", 1)
			folder := b.transfer(http.StatusOK, ann, bob).body["id"].(string)
			arrived := pluck(entries(b.get("/folders/"+folder+"/items", asUser(bob))), "id")
			require.Equal(b.t, v == "true", arrived[0] != file)
		},
		"root_items_nested": func(b *bench, v string) {
			ann, bob := b.user("Ann"), b.user("Bob")
			file := b.file(ann, "", "a.docx", 1)
			folder := b.transfer(http.StatusOK, ann, bob).body["id"].(string)
			require.Equal(b.t, v == "false", b.item(file).Parent == folder)
		},
		"busy_answer": func(b *bench, v string) {
			ann, bob := b.leaver("Ann"), b.user("Bob")
			b.start(ann, bob)
			want := map[string]int{"409": 409, "locked403": 403, "locked400": 400, "start": 504}[v]
			b.transfer(want, ann, bob)
			require.Equal(b.t, v == "start", b.account(ann).MaxConcurrentJobs == 2)
		},
		"refuse_inactive_source": func(b *bench, v string) {
			ann, bob := b.leaver("Ann"), b.user("Bob")
			b.suspend(ann)
			b.transfer(map[string]int{"true": 403, "false": 200}[v], ann, bob)
		},
		"inactive_source_answer": func(b *bench, v string) {
			b.set("refuse_inactive_source", "true")
			ann, bob := b.leaver("Ann"), b.user("Bob")
			b.suspend(ann)
			res := b.transfer(status(v), ann, bob)
			require.Contains(b.t, res.body["message"], "User has been deactivated")
			require.Empty(b.t, b.sim.Ledger().Jobs)
		},
		"accept_inactive_destination": func(b *bench, v string) {
			ann, bob := b.leaver("Ann"), b.user("Bob")
			b.suspend(bob)
			b.transfer(map[string]int{"true": 200, "false": 403}[v], ann, bob)
		},
		"external_destination": func(b *bench, v string) {
			guest := b.add(boxsim.UserSpec{Name: "Guest", Login: "guest@example.org", External: true})
			b.transfer(status(v), b.leaver("Ann"), guest)
			require.Empty(b.t, b.sim.Ledger().Jobs)
		},
		"same_destination": func(b *bench, v string) {
			ann := b.leaver("Ann")
			b.transfer(map[string]int{"400": 400, "403": 403, "accepted": 200}[v], ann, ann)
			require.Equal(b.t, v == "accepted", len(b.sim.Ledger().Jobs) == 1)
			require.Zero(b.t, b.sim.Ledger().Totals.Destroyed)
		},
		"storage_full": func(b *bench, v string) {
			ann := b.leaver("Ann")
			tiny := b.add(boxsim.UserSpec{Name: "Tiny", Login: "tiny@example.com", SpaceAmountBytes: 1500})
			if v != "dies" {
				b.transfer(status(v), ann, tiny)
				require.Empty(b.t, b.sim.Ledger().Jobs)
				return
			}
			b.transfer(http.StatusInternalServerError, ann, tiny)
			require.Equal(b.t, "died", b.sim.Ledger().Jobs[0].State)
			require.EqualValues(b.t, 1000, b.account(tiny).Bytes, "what had room has moved")
		},
		"dead_job_answer": func(b *bench, v string) {
			ann, bob := b.leaver("Ann"), b.user("Bob")
			b.control(http.StatusOK, http.MethodPost, "/mode", obj{"user": ann, "mode": "quick", "dies_after_items": 2})
			b.transfer(status(v), ann, bob)
			require.Equal(b.t, 3, b.account(ann).Items)
			require.Equal(b.t, map[string]int{"died" + v: 1}, b.account(ann).Transfers)
		},
		"folder_name": func(b *bench, v string) {
			name := b.transfer(http.StatusOK, b.user("Ann"), b.user("Bob")).body["name"]
			require.Equal(b.t, map[string]string{"login": "ann@example.com - Ann's Files and Folders", "name": "Ann's Files and Folders"}[v], name)
		},
		"second_folder_name": func(b *bench, v string) {
			ann, bob := b.user("Ann"), b.user("Bob")
			first := b.transfer(http.StatusOK, ann, bob).body["name"].(string)
			second := b.transfer(http.StatusOK, ann, bob).body["name"].(string)
			require.Equal(b.t, map[string]string{"numbered": first + " (1)", "same": first}[v], second)
		},
		"trash_stays": func(b *bench, v string) {
			ann, bob := b.user("Ann"), b.user("Bob")
			file := b.file(ann, "", "a.docx", 1)
			b.do(http.StatusNoContent, http.MethodDelete, "/files/"+file, nil, asUser(ann))
			b.transfer(http.StatusOK, ann, bob)
			require.Equal(b.t, v == "true", b.item(file).Owner == ann)
		},
		"workflows_stay": func(b *bench, v string) {
			ann, bob := b.user("Ann"), b.user("Bob")
			b.control(http.StatusOK, http.MethodPost, "/workflows", obj{"owner": ann, "name": "Approvals"})
			b.transfer(http.StatusOK, ann, bob)
			require.Equal(b.t, v == "true", b.sim.Ledger().Workflows[0].Owner == ann)
		},
		"transfer_events": func(b *bench, v string) {
			ann, bob := b.leaver("Ann"), b.user("Bob")
			b.transfer(http.StatusOK, ann, bob)
			b.do(http.StatusOK, http.MethodPut, "/users/"+ann, obj{"phone": "1"})
			seen := func(typ string) int { return len(entries(b.get("/events?stream_type=admin_logs&event_type=" + typ))) }
			b.eventually(func() bool { return seen("EDIT_USER") == 1 })
			require.Equal(b.t, map[string]int{"none": 0, "some": 5}[v], seen("MOVE"))
		},
		"content_stays_open": func(b *bench, v string) {
			ann, bob := b.user("Ann"), b.user("Bob")
			file := b.file(ann, "", "a.docx", 1)
			_, err := b.sim.AddCollaboration(boxsim.CollaborationSpec{Item: file, User: bob, Role: "viewer"})
			require.NoError(b.t, err)
			b.suspend(ann)
			b.do(map[string]int{"true": 200, "false": 403}[v], http.MethodGet, "/files/"+file, nil, asUser(bob))
		},
	}
}

func deleteChecks() map[string]func(*bench, string) {
	// passes checks that a delete goes through, and destroys, where switched.
	passes := func(b *bench, v, user string) {
		b.t.Helper()
		b.do(map[string]int{"true": 204, "false": 400}[v], http.MethodDelete, "/users/"+user, nil)
		last := b.sim.Ledger().Deletes[0]
		require.Equal(b.t, v == "true", last.ItemsDestroyed+last.WorkflowsDestroyed > 0)
	}
	return map[string]func(*bench, string){
		"delete_ignores_trash": func(b *bench, v string) {
			ann := b.user("Ann")
			_, err := b.sim.AddFile(boxsim.ItemSpec{Owner: ann, Name: "old.docx", SizeBytes: 9, Trashed: true})
			require.NoError(b.t, err)
			passes(b, v, ann)
		},
		"delete_ignores_zero_byte": func(b *bench, v string) {
			ann := b.user("Ann")
			b.file(ann, b.folder(ann, "", "Work"), "empty.docx", 0)
			passes(b, v, ann)
		},
		"delete_ignores_workflows": func(b *bench, v string) {
			ann := b.user("Ann")
			_, err := b.sim.AddWorkflow(boxsim.WorkflowSpec{Owner: ann, Name: "Approvals"})
			require.NoError(b.t, err)
			passes(b, v, ann)
		},
		"delete_ignores_running_job": func(b *bench, v string) {
			ann, bob := b.leaver("Ann"), b.user("Bob")
			b.start(ann, bob)
			passes(b, v, ann)
			require.True(b.t, b.sim.Ledger().Deletes[0].JobRunning)
		},
		"running_delete_answer": func(b *bench, v string) {
			ann, bob := b.leaver("Ann"), b.user("Bob")
			b.start(ann, bob)
			b.do(status(v), http.MethodDelete, "/users/"+ann, nil)
		},
		"retained_delete_answer": func(b *bench, v string) {
			ann := b.user("Ann")
			_, err := b.sim.AddFile(boxsim.ItemSpec{Owner: ann, Name: "kept.docx", SizeBytes: 9, Trashed: true, Retained: true})
			require.NoError(b.t, err)
			b.do(status(v), http.MethodDelete, "/users/"+ann, nil)
			b.file(ann, "", "more.docx", 1)
			refused := b.do(http.StatusBadRequest, http.MethodDelete, "/users/"+ann, nil)
			require.Equal(b.t, "User has managed content", refused.body["message"])
		},
		"recently_active_answer": func(b *bench, v string) {
			long := time.Now().Add(-100 * 24 * time.Hour)
			fresh := b.add(boxsim.UserSpec{Name: "Fresh", Login: "fresh@example.com"})
			seen := b.add(boxsim.UserSpec{Name: "Seen", Login: "seen@example.com", CreatedAt: long, LastLogin: time.Now()})
			idle := b.add(boxsim.UserSpec{Name: "Idle", Login: "idle@example.com", CreatedAt: long, LastLogin: long})
			want := max(status(v), http.StatusNoContent)
			b.do(want, http.MethodDelete, "/users/"+fresh, nil)
			b.do(want, http.MethodDelete, "/users/"+seen, nil)
			b.do(http.StatusNoContent, http.MethodDelete, "/users/"+idle, nil)
			if v != "off" {
				b.do(http.StatusNoContent, http.MethodDelete, "/users/"+fresh+"?force=true", nil)
			}
		},
		"held_delete_answer": func(b *bench, v string) {
			ann := b.user("Ann")
			policy := b.sim.AddLegalHoldPolicy("Litigation")
			b.control(http.StatusOK, http.MethodPost, "/assignments", obj{"policy": policy, "type": "user", "id": ann})
			b.do(max(status(v), http.StatusNoContent), http.MethodDelete, "/users/"+ann, nil)
			require.True(b.t, b.sim.Ledger().Deletes[0].UnderLegalHold)
		},
		"delete_event_source": func(b *bench, v string) {
			ann := b.user("Ann")
			b.do(http.StatusNoContent, http.MethodDelete, "/users/"+ann, nil)
			var seen []obj
			b.eventually(func() bool {
				seen = entries(b.get("/events?stream_type=admin_logs&event_type=DELETE_USER"))
				return len(seen) == 1
			})
			want := map[string]any{"user": obj{"type": "user", "id": ann, "name": "Ann", "login": "ann@example.com"}, "id": obj{"type": "user", "id": ann}, "null": nil}[v]
			require.Equal(b.t, want, seen[0]["source"])
		},
	}
}
