package boxsim_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
	"sendoff/connectors/simkit"
)

// control calls an endpoint below /_sim.
func (b *bench) control(status int, method, path string, body any) answer {
	b.t.Helper()
	res, err := b.try(method, "/_sim"+path, body)
	require.NoError(b.t, err)
	require.Equal(b.t, status, res.status, res.raw)
	return res
}

func TestRequestsShowEveryCallAndItsEnd(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	ann := b.user("Ann")
	b.get("/folders/0/items?fields=name", asUser(ann))
	b.do(http.StatusNotFound, http.MethodGet, "/users/1", nil)

	lines := strings.Split(strings.TrimSpace(b.control(200, http.MethodGet, "/requests", nil).raw), "\n")
	require.Len(t, lines, 3)
	var rec simkit.Record
	require.NoError(t, json.Unmarshal([]byte(lines[1]), &rec))
	rec.Time, rec.DurationMS = time.Time{}, 0
	require.Equal(t, simkit.Record{
		Seq: 2, Method: "GET", Path: "/2.0/folders/0/items", Query: "fields=name", ActingUser: ann, TokenUser: b.id,
		Status: 200, Op: "folders.items", Subject: "0", Attempt: 1, Ended: "answered",
	}, rec)
	require.Contains(t, lines[0], `"op":"token"`)
	require.Contains(t, lines[2], `"status":404`)
}

func TestFaultsHitByOperationAndAttempt(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{})
	ann, bob := b.user("Ann"), b.user("Bob")
	b.control(201, http.MethodPost, "/faults", []obj{
		{"op": "users.get", "subject": ann, "attempt": 2, "action": "status", "status": 503, "headers": obj{"Retry-After": "7"}},
		{"op": "users.delete", "subject": ann, "attempt": 1, "action": "drop_after"},
		{"op": "users.delete", "subject": bob, "attempt": 1, "action": "status_after", "status": 503},
		{"op": "users.list", "action": "truncate"},
		{"op": "groups.list", "attempt": 1, "action": "drop_before"},
	})
	b.control(400, http.MethodPost, "/faults", obj{"op": "users.get", "action": "explode"})

	b.get("/users/" + ann)
	spoilt := b.do(http.StatusServiceUnavailable, http.MethodGet, "/users/"+ann, nil)
	require.Equal(t, "7", spoilt.header.Get("Retry-After"))
	require.Equal(t, "unavailable", spoilt.body["code"])
	b.get("/users/" + ann)

	_, err := b.try(http.MethodDelete, "/2.0/users/"+ann, nil)
	require.Error(t, err)
	b.do(http.StatusNotFound, http.MethodGet, "/users/"+ann, nil)
	b.do(http.StatusServiceUnavailable, http.MethodDelete, "/users/"+bob, nil)
	b.do(http.StatusNotFound, http.MethodDelete, "/users/"+bob, nil)
	_, err = b.try(http.MethodGet, "/2.0/users", nil)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)

	require.Len(t, b.control(200, http.MethodGet, "/faults", nil).body["faults"], 5)
	b.control(204, http.MethodDelete, "/faults", nil)
	b.get("/users")
}

func TestControlSeedsAndShows(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Scale: fast})
	id := func(path string, body obj) string {
		return b.control(200, http.MethodPost, path, body).body["id"].(string)
	}
	ann := id("/users", obj{"name": "Ann", "login": "ann@example.com"})
	bob := id("/users", obj{"name": "Bob", "login": "bob@example.com"})
	work := id("/folders", obj{"owner": ann, "name": "Work"})
	id("/files", obj{"parent": work, "name": "a.docx", "size_bytes": 12})
	id("/web_links", obj{"owner": ann, "name": "Link", "url": "https://example.com/"})
	id("/collaborations", obj{"item": work, "user": bob, "role": "viewer"})
	group := id("/groups", obj{"name": "Writers", "members": []string{ann, bob}})
	id("/collaborations", obj{"item": work, "group": group, "role": "editor"})
	id("/policies", obj{"kind": "legal_hold_policy", "name": "Litigation"})
	require.Len(t, entries(b.get("/groups/"+group+"/collaborations")), 1)
	require.Equal(t, []string{"admin", "member"}, pluck(entries(b.get("/groups/"+group+"/memberships")), "role"))
	b.control(400, http.MethodPost, "/files", obj{"owner": "nobody", "name": "a"})
	b.control(400, http.MethodPost, "/mode", obj{"user": ann, "mode": "odd"})
	b.control(200, http.MethodPost, "/mode", obj{"user": ann, "mode": "never", "duration_s": 60})
	require.Equal(t, true, b.control(200, http.MethodPost, "/switches", obj{"trash_stays": true}).body["trash_stays"])

	people := b.control(200, http.MethodGet, "/users", nil).body["users"].([]any)
	require.Contains(t, people, obj{
		"id": ann, "login": "ann@example.com", "name": "Ann", "role": "user", "status": "active", "service": false,
		"items": 3., "root_items": 2., "trashed": 0., "bytes": 12., "mode": "never",
	})
	b.do(http.StatusGatewayTimeout, http.MethodPut, transferPath(ann), transferTo(bob))
	require.EqualValues(t, 1, b.control(200, http.MethodPost, "/jobs", obj{"user": ann, "action": "finish"}).body["ended"])
	require.Zero(t, b.account(ann).Items)
	require.Contains(t, b.control(200, http.MethodGet, "/ledger", nil).body, "totals")
	require.Contains(t, b.control(200, http.MethodGet, "/mail", nil).body, "mail")
	require.EqualValues(t, 1, b.control(200, http.MethodPost, "/tokens/expire", obj{}).body["expired"])
	b.do(http.StatusUnauthorized, http.MethodGet, "/users/me", nil)
}

func TestRunPrintsTheBannerAndEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- boxsim.Run(ctx, boxsim.RunOptions{Users: 10}, writer) }()
	line, err := bufio.NewReader(reader).ReadString('\n')
	require.NoError(t, err)
	var banner boxsim.Banner
	require.NoError(t, json.Unmarshal([]byte(line), &banner))
	require.NotContains(t, banner.BaseURL, "2.0")
	require.Equal(t, banner.BaseURL+"/oauth2/token", banner.TokenURL)
	res, err := http.Get(banner.BaseURL + "/_sim/users")
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode)
	cancel()
	require.NoError(t, <-ended)
	require.ErrorContains(t, boxsim.Run(t.Context(), boxsim.RunOptions{Addr: "0.0.0.0:0"}, io.Discard), "not loopback")
}

func TestAStoppedServerLetsGoOfOpenCalls(t *testing.T) {
	t.Parallel()
	sim, err := boxsim.New(boxsim.Config{})
	require.NoError(t, err)
	require.NoError(t, sim.AddFaults(simkit.Fault{Op: "token", Action: simkit.ActionHang}))
	srv, banner, err := sim.Start("127.0.0.1:0")
	require.NoError(t, err)
	answered := make(chan error, 1)
	go func() {
		res, err := http.Post(banner.TokenURL, "application/x-www-form-urlencoded", strings.NewReader(""))
		if err == nil {
			err = res.Body.Close()
		}
		answered <- err
	}()
	require.Eventually(t, func() bool { return len(sim.Requests()) == 1 }, 10*time.Second, time.Millisecond)
	require.NoError(t, srv.Close())
	require.Error(t, <-answered)
}
