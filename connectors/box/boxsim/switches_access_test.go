package boxsim_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
)

func accountChecks() map[string]func(*bench, string) {
	return map[string]func(*bench, string){
		"admin_refusal": func(b *bench, v string) {
			b.do(status(v), http.MethodPut, "/users/"+b.id, obj{"status": "inactive"})
			b.do(status(v), http.MethodDelete, "/users/"+b.id, nil)
		},
		"space_lag_s": func(b *bench, v string) {
			ann, bob := b.leaver("Ann"), b.user("Bob")
			b.transfer(http.StatusOK, ann, bob)
			space := func() any { return b.get("/users/" + ann + "?fields=space_used")["space_used"] }
			require.Equal(b.t, map[string]any{"0": 0., "8000": 7000.}[v], space())
			b.eventually(func() bool { return space() == 0. })
		},
		"space_ignores_trash": func(b *bench, v string) {
			ann := b.user("Ann")
			file := b.file(ann, "", "a.docx", 10)
			space := func() any { return b.get("/users/" + ann + "?fields=space_used")["space_used"] }
			b.do(http.StatusNoContent, http.MethodDelete, "/files/"+file, nil, asUser(ann))
			require.Equal(b.t, map[string]any{"false": 10., "true": 0.}[v], space())
			b.do(http.StatusCreated, http.MethodPost, "/files/"+file, obj{}, asUser(ann))
			require.Equal(b.t, 10., space())
		},
		"unlimited_space": func(b *bench, v string) {
			want := map[string]any{"large": 1e15, "minus_one": -1.}[v]
			require.Equal(b.t, want, b.get("/users/" + b.user("Ann"))["space_amount"])
		},
		"status_lag_s": func(b *bench, v string) {
			ann := b.user("Ann")
			changed := b.do(http.StatusOK, http.MethodPut, "/users/"+ann, obj{"status": "inactive"})
			require.Equal(b.t, "inactive", changed.body["status"])
			read := func() any { return b.get("/users/" + ann)["status"] }
			require.Equal(b.t, map[string]any{"0": "inactive", "8000": "active"}[v], read())
			b.do(http.StatusUnauthorized, http.MethodGet, "/users/me", nil, asUser(ann))
			b.eventually(func() bool { return read() == "inactive" })
		},
		"status_not_applied": func(b *bench, v string) {
			ann := b.user("Ann")
			changed := b.do(http.StatusOK, http.MethodPut, "/users/"+ann, obj{"status": "inactive", "phone": "1"})
			require.Equal(b.t, "inactive", changed.body["status"])
			after := b.get("/users/" + ann)
			require.Equal(b.t, map[string]any{"false": "inactive", "true": "active"}[v], after["status"])
			require.Equal(b.t, "1", after["phone"])
		},
		"login_case": func(b *bench, v string) {
			b.user("Ann")
			same := v == "fold"
			require.Equal(b.t, same, len(entries(b.get("/users?filter_term="+url.QueryEscape("ANN@example.com")))) == 1)
			b.do(map[bool]int{true: 409, false: 201}[same], http.MethodPost, "/users", obj{"name": "Other", "login": "ANN@example.com"})
		},
		"filter_matches_aliases": func(b *bench, v string) {
			ann := b.user("Ann")
			alias := b.do(http.StatusCreated, http.MethodPost, "/users/"+ann+"/email_aliases", obj{"email": "nan@example.com"}).body["id"].(string)
			found := entries(b.get("/users?filter_term=nan%40example.com"))
			require.Equal(b.t, v == "true", len(found) == 1)
			require.Len(b.t, entries(b.get("/users/"+ann+"/email_aliases")), 1)
			b.do(http.StatusNoContent, http.MethodDelete, "/users/"+ann+"/email_aliases/"+alias, nil)
			b.do(http.StatusNotFound, http.MethodDelete, "/users/"+ann+"/email_aliases/"+alias, nil)
		},
		"foreign_user": func(b *bench, v string) {
			foreign := b.add(boxsim.UserSpec{Name: "Far", Login: "far@example.org", Foreign: true})
			for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
				b.do(status(v), method, "/users/"+foreign, obj{})
			}
			require.Empty(b.t, entries(b.get("/users?filter_term=far%40example.org")))
		},
		"list_service_account": func(b *bench, v string) {
			require.Equal(b.t, v == "true", len(entries(b.get("/users"))) == 2)
		},
		"seats": func(b *bench, v string) {
			want := map[string]int{"0": 201, "1": 403}[v]
			b.do(want, http.MethodPost, "/users", obj{"name": "New", "login": "new@example.com"})
			b.do(http.StatusCreated, http.MethodPost, "/users", obj{"name": "App", "is_platform_access_only": true})
		},
		"no_seat_answer": func(b *bench, v string) {
			b.set("seats", "1")
			b.do(status(v), http.MethodPost, "/users", obj{"name": "New", "login": "new@example.com"})
		},
		"offset_code": func(b *bench, v string) {
			require.Equal(b.t, v, b.do(http.StatusBadRequest, http.MethodGet, "/users?offset=10000", nil).body["code"])
		},
		"unknown_fields": func(b *bench, v string) {
			want := map[string]int{"ignored": 200, "error": 400}[v]
			b.do(want, http.MethodGet, "/users?fields=role,favourite_colour", nil)
			b.get("/users?fields=role,enterprise,status")
		},
		"provenance_locks": func(b *bench, v string) {
			ann := b.user("Ann")
			group := b.control(http.StatusOK, http.MethodPost, "/groups", obj{"name": "Directory", "members": []string{ann}, "provenance": "ExampleIdP"}).body["id"].(string)
			m := pluck(entries(b.get("/groups/"+group+"/memberships")), "id")[0]
			b.do(map[string]int{"false": 204, "true": 403}[v], http.MethodDelete, "/group_memberships/"+m, nil)
		},
	}
}

func accessChecks() map[string]func(*bench, string) {
	return map[string]func(*bench, string){
		"no_governance_scope": func(b *bench, v string) {
			b.do(map[string]int{"false": 200, "true": 403}[v], http.MethodGet, "/legal_hold_policies", nil)
		},
		"no_as_user": func(b *bench, v string) {
			b.do(map[string]int{"false": 200, "true": 403}[v], http.MethodGet, "/users/me", nil, asUser(b.user("Ann")))
		},
		"no_user_tokens": func(b *bench, v string) {
			res := b.credentials("user", b.user("Ann"))
			require.Equal(b.t, map[string]int{"false": 200, "true": 400}[v], res.status)
			require.Equal(b.t, http.StatusOK, b.credentials("enterprise", boxsim.EnterpriseID).status)
		},
		"coadmins_restricted": func(b *bench, v string) {
			coadmin := b.add(boxsim.UserSpec{Name: "Co", Login: "co@example.com", Role: "coadmin"})
			b.do(map[string]int{"false": 200, "true": 403}[v], http.MethodGet, "/users", nil, asUser(coadmin))
		},
		"app_state": func(b *bench, v string) {
			want := map[string]int{"authorized": 200, "unauthorized": 400, "disabled": 200}[v]
			require.Equal(b.t, want, b.credentials("enterprise", boxsim.EnterpriseID).status)
			res := b.do(map[string]int{"authorized": 200, "unauthorized": 200, "disabled": 401}[v], http.MethodGet, "/users/me", nil)
			require.Equal(b.t, v == "disabled", strings.Contains(res.raw, "Unauthorized - Cannot authorize with this service"))
		},
		"scope_refusal": func(b *bench, v string) {
			res := b.do(http.StatusForbidden, http.MethodGet, "/users", nil, b.app("narrow", "manage_groups"))
			want := map[string]string{"denied": "access_denied_insufficient_permissions", "insufficient_scope": v}[v]
			require.Equal(b.t, want, res.body["code"])
		},
		"removed_app_grant": func(b *bench, v string) {
			b.change(boxsim.MainClientID, "remove")
			require.Equal(b.t, v, b.credentials("enterprise", boxsim.EnterpriseID).body["error"])
		},
		"removed_app_call": func(b *bench, v string) {
			b.change(boxsim.MainClientID, "remove")
			require.Equal(b.t, v == "empty", b.do(http.StatusUnauthorized, http.MethodGet, "/users/me", nil).raw == "")
		},
		"deactivated_answer": func(b *bench, v string) {
			ann := b.user("Ann")
			b.suspend(ann)
			res := b.do(status(v), http.MethodGet, "/users/me", nil, asUser(ann))
			require.Equal(b.t, "Unauthorized - User has been deactivated", res.body["message"])
		},
		"terminate_kills_tokens": func(b *bench, v string) {
			ann := b.user("Ann")
			token := withToken(b.token(boxsim.MainClientID, "user", ann))
			b.do(http.StatusAccepted, http.MethodPost, "/users/terminate_sessions", obj{"user_ids": []string{ann}, "user_logins": []string{}})
			b.do(map[string]int{"false": 200, "true": 401}[v], http.MethodGet, "/users/me", nil, token)
		},
		"as_user_debits": func(b *bench, v string) { checkDebits(b.t, v) },
		"clock_skew_s": func(b *bench, v string) {
			shown, err := http.ParseTime(b.do(http.StatusOK, http.MethodGet, "/users/me", nil).header.Get("Date"))
			require.NoError(b.t, err)
			off := time.Until(shown).Round(time.Hour)
			require.Equal(b.t, map[string]time.Duration{"0": 0, "-86400": -24 * time.Hour}[v], off)
		},
	}
}

// checkDebits runs a simulator that lets two calls through.
func checkDebits(t *testing.T, value string) {
	t.Helper()
	b := setup(t, boxsim.Config{Rate: 2})
	b.set("as_user_debits", value)
	ann := b.user("Ann")
	plain := withToken(b.token(boxsim.MainClientID, "user", ann))
	for range 2 {
		b.get("/users/me", asUser(ann))
	}
	spent := map[string][2]int{"both": {429, 429}, "caller": {429, 200}, "acting": {200, 429}}[value]
	b.do(spent[0], http.MethodGet, "/users/me", nil)
	b.do(spent[1], http.MethodGet, "/users/me", nil, plain)
}

func (b *bench) credentials(kind, id string) answer {
	b.t.Helper()
	return b.form("/oauth2/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {boxsim.MainClientID}, "client_secret": {boxsim.ClientSecret},
		"box_subject_type": {kind}, "box_subject_id": {id},
	})
}

func eventChecks() map[string]func(*bench, string) {
	edits := "/events?stream_type=admin_logs&event_type=EDIT_USER"
	return map[string]func(*bench, string){
		"empty_page_keeps_position": func(b *bench, v string) {
			page := b.get(edits + "&stream_position=18014398509481985")
			require.Empty(b.t, entries(page))
			require.Equal(b.t, map[string]any{"false": 0., "true": float64(18014398509481985)}[v], page["next_stream_position"])
		},
		"position_type": func(b *bench, v string) {
			_, isText := b.get(edits)["next_stream_position"].(string)
			require.Equal(b.t, v == "text", isText)
		},
		"plan_without_events": func(b *bench, v string) {
			want := map[string]int{"false": 200, "true": 403}[v]
			b.do(want, http.MethodGet, edits, nil)
			refused := b.do(want, http.MethodGet, "/events?stream_type=admin_logs_streaming", nil)
			require.Equal(b.t, v == "true", refused.body["code"] == "access_denied_insufficient_permissions")
		},
		"coadmins_without_reports": func(b *bench, v string) {
			coadmin := b.add(boxsim.UserSpec{Name: "Co", Login: "co@example.com", Role: "coadmin"})
			b.do(map[string]int{"false": 200, "true": 403}[v], http.MethodGet, edits, nil, asUser(coadmin))
			b.get(edits)
		},
		"late_events_s": func(b *bench, v string) {
			const count = 40
			ann := b.user("Ann")
			for range count {
				b.do(http.StatusOK, http.MethodPut, "/users/"+ann, obj{"phone": "1"})
			}
			seen := func() int { return len(entries(b.get(edits))) }
			b.eventually(func() bool { return seen() > count/2 })
			if v == "0" {
				b.eventually(func() bool { return seen() == count })
				return
			}
			b.eventually(func() bool {
				return len(unique(pluck(entries(b.get("/events?stream_type=admin_logs_streaming&limit=500&event_type=EDIT_USER")), "event_id"))) == count
			})
			require.Less(b.t, seen(), count, "the stream is no later for it, admin_logs is")
		},
		"stream_reach_s": func(b *bench, v string) {
			old, err := b.sim.Emit(boxsim.EventSpec{Type: "LOGIN", CreatedBy: b.id, Time: time.Now().Add(-48 * time.Hour)})
			require.NoError(b.t, err)
			fresh, err := b.sim.Emit(boxsim.EventSpec{Type: "LOGIN", CreatedBy: b.id})
			require.NoError(b.t, err)
			var seen map[string]bool
			b.eventually(func() bool {
				seen = unique(pluck(entries(b.get("/events?stream_type=admin_logs_streaming")), "event_id"))
				return seen[fresh]
			})
			require.Equal(b.t, v == "0", seen[old])
		},
		"event_skew_s": func(b *bench, v string) {
			b.suspend(b.user("Ann"))
			var seen []obj
			b.eventually(func() bool { seen = entries(b.get(edits)); return len(seen) == 1 })
			at, err := time.Parse(time.RFC3339, seen[0]["created_at"].(string))
			require.NoError(b.t, err)
			require.Equal(b.t, map[string]time.Duration{"0": 0, "-86400": -24 * time.Hour}[v], time.Until(at).Round(time.Hour))
			after := url.QueryEscape(at.Format(time.RFC3339))
			require.Len(b.t, entries(b.get(edits+"&created_after="+after+"&created_before="+after)), 1, "the filter goes by what is shown")
		},
		"as_user_events": func(b *bench, v string) {
			ann := b.leaver("Ann")
			b.get("/folders/0/items", asUser(ann))
			b.do(http.StatusCreated, http.MethodPost, "/folders", obj{"name": "Mine", "parent": obj{"id": "0"}}, withToken(b.token(boxsim.MainClientID, "user", ann)))
			b.suspend(b.user("Bob"))
			b.eventually(func() bool { return len(entries(b.get(edits))) == 1 })
			seen := entries(b.get("/events?stream_type=admin_logs&event_type=CONTENT_ACCESS,PREVIEW"))
			require.Equal(b.t, v != "none", len(seen) == 1)
			if v == "none" {
				return
			}
			require.Equal(b.t, ann, seen[0]["created_by"].(obj)["id"])
			marked := seen[0]["action_by"] != nil && seen[0]["action_by"].(obj)["id"] == b.id
			require.Equal(b.t, v == "marked", marked)
			if v == "marked" {
				require.Equal(b.t, obj{"service_id": boxsim.MainClientID, "service_name": "Simulated app"}, seen[0]["additional_details"])
			}
		},
		"edit_event_details": func(b *bench, v string) {
			b.suspend(b.user("Ann"))
			var seen []obj
			b.eventually(func() bool { seen = entries(b.get(edits)); return len(seen) == 1 })
			want := map[string]any{"false": nil, "true": obj{"old_status": "active", "new_status": "inactive"}}[v]
			require.Equal(b.t, want, seen[0]["additional_details"])
		},
	}
}
