package e2e_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
	"sendoff/internal/apiclient"
	"sendoff/internal/cli"
)

// apply applies a template that begins with a snapshot, suspends and ends
// sessions, and then does the steps given; a transfer alone is followed by a wait
// and the delete.
func (s *stack) apply(name string, steps ...string) {
	s.t.Helper()
	steps = append([]string{"snapshot", "suspend", "revoke_sessions"}, steps...)
	if last := steps[len(steps)-1]; strings.HasPrefix(last, "transfer") {
		steps = append(steps, "wait", "delete")
	}
	file := s.file(name+".yaml", "apiVersion: sendoff/v1\nkind: Template\nname: "+name+"\nsteps:\n  - "+strings.Join(steps, "\n  - ")+"\n")
	s.must("templates", "apply", file, "--yes")
}

// membership is somebody's place in a group, as the vendor tells it.
type membership struct {
	ID    string `json:"id"`
	Role  string `json:"role"`
	Group struct {
		ID string `json:"id"`
	} `json:"group"`
	Permissions map[string]bool `json:"configurable_permissions"`
}

// memberships are somebody's, by the group.
func (s *stack) memberships(p person) map[string]membership {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.vendor.BaseURL+"/2.0/users/"+p.id+"/memberships", http.NoBody)
	require.NoError(s.t, err)
	req.Header.Set("Authorization", "Bearer "+adminToken(s.t, s.vendor))
	res, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer func() { require.NoError(s.t, res.Body.Close()) }()
	var page struct {
		Entries []membership `json:"entries"`
	}
	require.NoError(s.t, json.NewDecoder(res.Body).Decode(&page))
	by := map[string]membership{}
	for _, m := range page.Entries {
		by[m.Group.ID] = m
	}
	return by
}

func (s *stack) group(spec boxsim.GroupSpec) string {
	s.t.Helper()
	id, err := s.sim.AddGroup(spec)
	require.NoError(s.t, err)
	return id
}

// Cancelling gives back what a template's steps took away, as far as it can be
// given back, and says both beforehand (promise 7).
func TestPromiseStopGivesGroupsBack(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	s.apply("leaver-with-groups", "remove_from_groups", "transfer")
	leaver, boss := s.hire("Lea Ver"), s.hire("Bo Ss")
	s.fill(leaver)
	team := s.group(boxsim.GroupSpec{Name: "Team", Members: []string{leaver.id, boss.id}})
	fleeting := s.group(boxsim.GroupSpec{Name: "Fleeting", Members: []string{leaver.id}})
	everybody := s.group(boxsim.GroupSpec{Name: "Everybody", Members: []string{leaver.id, boss.id}, AllUsers: true})
	permissions := map[string]bool{"can_run_reports": true, "can_create_accounts": false}
	require.Equal(t, 200, byHand(t, s.vendor, "PUT", "group_memberships/"+s.memberships(leaver)[team].ID,
		map[string]any{"role": "admin", "configurable_permissions": permissions}))
	before := s.memberships(leaver)[team]
	require.Equal(t, "admin", before.Role)
	require.Equal(t, permissions, before.Permissions)

	c := s.begin(leaver.login, "--template", "leaver-with-groups", "--transfer-to", boss.login)
	c = s.await(c.CaseID, "grace", inStep("wait"))
	require.Equal(t, map[string]string{"removed": "2", "left_by_vendor": "1"}, c.Accounts[0].Steps[3].Proof)
	require.Len(t, s.memberships(leaver), 1)
	require.Contains(t, s.memberships(leaver), everybody)
	require.Equal(t, 204, byHand(t, s.vendor, "DELETE", "groups/"+fleeting, nil))

	r := s.must("cases", "cancel", c.CaseID, "--reason", "stays after all")
	for _, says := range []string{
		"brought back:     status 'active'", "brought back:     2 group memberships, made again with role and permissions",
		"brought back:     access to 1 folder as co-owner", "not brought back: ownership of 3 items", "not brought back: sessions",
	} {
		require.Contains(t, r.err, says)
	}
	c = s.awaitState(c.CaseID, "cancelled")

	require.Equal(t, "active", status(t, s.sim, leaver))
	after := s.memberships(leaver)
	require.Len(t, after, 2, "one group is gone")
	require.Equal(t, before.Role, after[team].Role)
	require.Equal(t, before.Permissions, after[team].Permissions)
	require.Equal(t, 200, byHandAs(t, s.vendor, leaver.id, "GET", "folders/"+c.Accounts[0].Transfer.FolderIDs[0], nil))
	require.Equal(t, map[string]int{boss.id: 6}, owned(s.sim, leaver))
	undone := map[string]int{}
	report := s.report(c.CaseID)
	for _, w := range report.Writes {
		if w.Undo {
			undone[w.Op+" "+w.Outcome]++
		}
	}
	require.Equal(t, map[string]int{
		"restore_status accepted": 1, "restore_membership accepted": 1, "restore_membership refused": 1, "restore_access accepted": 1,
	}, undone)
	decided(t, report, "cancel", "stays after all")
	require.True(t, strings.Contains(fmt.Sprint(report.Unproven), "group"), "%+v", report.Unproven)
	requireHarmless(t, s.sim)
}

// A manual step waits for somebody, and for longer than they were given with a
// parked case.
func TestManualStep(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	s.apply("laptop", "wait: {for: 5m}", "manual: {title: Take the laptop into the store, owner: office, due: 20d}")
	s.apply("laptop-soon", "manual: {title: Take the laptop into the store, owner: office, due: 10m}")

	t.Run("is done by its evidence", func(t *testing.T) {
		s := s.in(t)
		leaver := s.hire("Lap Top")
		c := s.begin(leaver.login, "--template", "laptop")
		c = s.await(c.CaseID, "the task waits", func(c apiclient.Case) bool { return c.Accounts[0].Step == "manual" && c.State == "waiting" })
		require.Equal(t, cli.ExitUsage, s.run("cases", "complete", c.CaseID, "--evidence", " ").code)
		s.must("cases", "complete", c.CaseID, "--evidence", "ticket 4711")
		c = s.awaitState(c.CaseID, "done")
		proof := c.Accounts[0].Steps[4].Proof
		require.Equal(t, "ticket 4711", proof["evidence"])
		require.NotEmpty(t, proof["completed_by"])
		decided(t, s.report(c.CaseID), "complete", "ticket 4711")
	})
	t.Run("parks when its time is over, and gets it again", func(t *testing.T) {
		s := s.in(t)
		leaver := s.hire("Late Laptop")
		c := s.begin(leaver.login, "--template", "laptop-soon")
		s.parkedFor(c.CaseID, "MANUAL_OVERDUE")
		s.resume(c.CaseID)
		s.parkedFor(c.CaseID, "MANUAL_OVERDUE")
		s.must("cases", "complete", c.CaseID, "--evidence", "done, only late")
		s.awaitState(c.CaseID, "done")
	})
}

// Notices reach a mail server and a signed webhook; one that is refused parks,
// and may be left out.
func TestNotices(t *testing.T) {
	t.Parallel()
	mails, hooks := startMail(t), startHook(t)
	host, port, err := net.SplitHostPort(mails.address)
	require.NoError(t, err)
	set := settings{}
	set.file = (&stack{t: t}).file("sendoff.yaml", "notify:\n  smtp: {host: "+host+", port: "+port+", tls: none, from: sendoff@example.com}\n"+
		"  webhooks:\n    tickets: {url: \""+hooks.url+"\", secret_file: "+(&stack{t: t}).file("secret", hooks.secret)+"}\n")
	s := start(t, set)
	s.apply("telling", `notify: {channel: mail, to: [it@example.com, office@example.com], message: "Account {{account}}\n\nCase {{case}}"}`,
		`notify: {channel: webhook, to: [tickets], message: "{{account}} in {{connection}}, step {{step}}"}`)
	s.apply("refused", "notify: {channel: mail, to: [nobody@example.com], message: Gone}")

	t.Run("reach their receivers", func(t *testing.T) {
		s := s.in(t)
		leaver := s.hire("To Ld")
		c := s.offboard(cli.ExitDone, leaver.login, "--template", "telling")
		got := mails.to("it@example.com")
		require.Len(t, got, 1)
		require.Len(t, mails.to("office@example.com"), 1)
		require.Contains(t, got[0], "Subject: Account "+leaver.id)
		require.Contains(t, got[0], c.CaseID)
		require.NotContains(t, got[0], leaver.login, "messages name nobody")
		bodies := hooks.accepted()
		require.Len(t, bodies, 1)
		require.Equal(t, leaver.id+" in box, step 4", bodies[0].Data.Message)
		require.Equal(t, c.CaseID, bodies[0].Data.CaseID)
		require.Equal(t, "2", c.Accounts[0].Steps[3].Proof["recipients"])
	})
	t.Run("that are refused park and may be waived", func(t *testing.T) {
		s := s.in(t)
		leaver := s.hire("Un Told")
		c := s.begin(leaver.login, "--template", "refused")
		c = s.parkedFor(c.CaseID, "NOTICE_FAILED")
		require.NotContains(t, c.Accounts[0].CauseDetail.Message, "nobody@example.com")
		s.resume(c.CaseID)
		s.parkedFor(c.CaseID, "NOTICE_FAILED")
		s.must("cases", "waive", c.CaseID, "--step", "notify", "--yes", "--reason", "told them by phone")
		c = s.awaitState(c.CaseID, "done")
		require.Equal(t, "waived", stepStates(c)["notify"])
		require.Empty(t, mails.to("nobody@example.com"))
	})
}

// mailServer takes mail for anybody but nobody@example.com.
type mailServer struct {
	address string
	mu      sync.Mutex
	taken   map[string][]string // texts by recipient
}

func startMail(t *testing.T) *mailServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	m := &mailServer{address: l.Addr().String(), taken: map[string][]string{}}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go m.talk(conn)
		}
	}()
	return m
}

func (m *mailServer) to(address string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.taken[address]
}

// talk speaks what RFC 5321 needs of a server, one recipient a mail.
func (m *mailServer) talk(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	say := func(line string) { _, _ = io.WriteString(conn, line+"\r\n") }
	say("220 here")
	to := ""
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		switch verb := strings.ToUpper(line); {
		case strings.HasPrefix(verb, "RCPT") && strings.Contains(line, "nobody@"):
			say("550 5.1.1 no such box")
		case strings.HasPrefix(verb, "RCPT"):
			to = line[strings.Index(line, "<")+1 : strings.Index(line, ">")]
			say("250 ok")
		case strings.HasPrefix(verb, "DATA"):
			say("354 go on")
			var text strings.Builder
			for line, err = in.ReadString('\n'); err == nil && line != ".\r\n"; line, err = in.ReadString('\n') {
				text.WriteString(line)
			}
			m.mu.Lock()
			m.taken[to] = append(m.taken[to], text.String())
			m.mu.Unlock()
			say("250 taken")
		case strings.HasPrefix(verb, "QUIT"):
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// hookServer takes webhooks whose signature verifies.
type hookServer struct {
	url, secret string
	mu          sync.Mutex
	bodies      []hookBody
}

type hookBody struct {
	Type string `json:"type"`
	Data struct {
		CaseID  string `json:"case_id"`
		Message string `json:"message"`
	} `json:"data"`
}

func startHook(t *testing.T) *hookServer {
	t.Helper()
	h := &hookServer{secret: base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef"))}
	verifier, err := standardwebhooks.NewWebhook(h.secret)
	require.NoError(t, err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		var body hookBody
		if err != nil || verifier.Verify(text, r.Header) != nil || json.Unmarshal(text, &body) != nil {
			http.Error(w, "not signed", http.StatusForbidden)
			return
		}
		h.mu.Lock()
		h.bodies = append(h.bodies, body)
		h.mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(server.Close)
	h.url = server.URL
	return h
}

func (h *hookServer) accepted() []hookBody {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]hookBody(nil), h.bodies...)
}
