package simkit_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/simkit"
)

// setup serves a pipe that answers every call of op "echo" with the request's
// body and counts the effects.
func setup(t *testing.T, faults ...simkit.Fault) (*simkit.Pipe, *atomic.Int32, string) {
	t.Helper()
	pipe := &simkit.Pipe{ErrorBody: func(status int) any { return map[string]int{"status": status} }}
	require.NoError(t, pipe.Faults.Add(faults...))
	effects := new(atomic.Int32)
	expired := new(atomic.Bool)
	pipe.Expire = func(*simkit.Call) { expired.Store(true) }
	mux := http.NewServeMux()
	pipe.Control(mux)
	mux.HandleFunc("POST /echo/{id}", func(w http.ResponseWriter, r *http.Request) {
		call, err := simkit.NewCall(r, "echo", r.PathValue("id"))
		if err != nil {
			simkit.WriteError(w, http.StatusRequestEntityTooLarge, err)
			return
		}
		call.ActingUser, call.TokenUser = "acting", "token"
		pipe.Serve(w, call, func(c *simkit.Call) {
			if expired.Load() {
				c.Raw(http.StatusUnauthorized, "text/plain", []byte("expired"))
				return
			}
			effects.Add(1)
			c.Raw(http.StatusOK, "text/plain", c.Body)
		})
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return pipe, effects, srv.URL
}

func post(t *testing.T, url, body string) (int, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	return res.StatusCode, string(raw), err
}

func TestFaultsOfEachAction(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		fault   simkit.Fault
		status  int
		body    string
		fails   bool
		effects int
		ended   string
	}{
		"none":         {fault: simkit.Fault{Op: "other", Action: simkit.ActionHang}, status: 200, body: "hello you", effects: 1, ended: "answered"},
		"status":       {fault: simkit.Fault{Op: "echo", Action: simkit.ActionStatus, Status: 500}, status: 500, body: `{"status":500}`, ended: "answered"},
		"status body":  {fault: simkit.Fault{Op: "echo", Action: simkit.ActionStatus, Status: 409, Body: json.RawMessage(`{"a":1}`)}, status: 409, body: `{"a":1}`, ended: "answered"},
		"status after": {fault: simkit.Fault{Op: "echo", Action: simkit.ActionStatusAfter, Status: 503}, status: 503, body: `{"status":503}`, effects: 1, ended: "answered"},
		"delay":        {fault: simkit.Fault{Op: "echo", Action: simkit.ActionDelay, DelayMS: 1}, status: 200, body: "hello you", effects: 1, ended: "answered"},
		"drop before":  {fault: simkit.Fault{Op: "echo", Action: simkit.ActionDropBefore}, fails: true, ended: "dropped"},
		"drop after":   {fault: simkit.Fault{Op: "echo", Action: simkit.ActionDropAfter}, fails: true, effects: 1, ended: "dropped"},
		"html":         {fault: simkit.Fault{Op: "echo", Action: simkit.ActionHTML}, status: 502, body: page("502 Bad Gateway"), ended: "answered"},
		"html after":   {fault: simkit.Fault{Op: "echo", Action: simkit.ActionHTMLAfter, Status: 504}, status: 504, body: page("504 Gateway Timeout"), effects: 1, ended: "answered"},
		"empty after":  {fault: simkit.Fault{Op: "echo", Action: simkit.ActionEmptyAfter}, status: 200, effects: 1, ended: "answered"},
		"wrong types":  {fault: simkit.Fault{Op: "echo", Action: simkit.ActionWrongTypes}, status: 200, body: "hello you", effects: 1, ended: "answered"},
		"expire":       {fault: simkit.Fault{Op: "echo", Action: simkit.ActionExpire}, status: 401, body: "expired", ended: "answered"},
		"any":          {fault: simkit.Fault{Op: simkit.AnyOp, Attempt: 1, Action: simkit.ActionStatus, Status: 500}, status: 500, body: `{"status":500}`, ended: "answered"},
		"truncate":     {fault: simkit.Fault{Op: "echo", Action: simkit.ActionTruncate}, status: 200, body: "hell", fails: true, effects: 1, ended: "truncated"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pipe, effects, url := setup(t, c.fault)
			status, body, err := post(t, url+"/echo/1", "hello you")
			require.Equal(t, c.fails, err != nil, "%v", err)
			require.Equal(t, c.status, status)
			require.Equal(t, c.body, body)
			require.EqualValues(t, c.effects, effects.Load())
			records := pipe.Log.Records()
			require.Len(t, records, 1)
			require.Equal(t, c.ended, records[0].Ended)
			require.Equal(t, "acting", records[0].ActingUser)
		})
	}
}

func page(title string) string {
	return "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title + "</h1></center>\r\n</body>\r\n</html>\r\n"
}

func TestWrongTypesKeepTheShape(t *testing.T) {
	t.Parallel()
	_, _, url := setup(t, simkit.Fault{Op: "echo", Action: simkit.ActionWrongTypes})
	_, body, err := post(t, url+"/echo/1", `{"id":"123","size":7,"ok":true,"none":null,"list":["a"],"in":{"x":1.5}}`)
	require.NoError(t, err)
	require.JSONEq(t, `{"id":3,"size":{"value":7},"ok":"true","none":[],"list":{"0":1},"in":{"x":{"value":1.5}}}`, body)
}

func TestASharedFaultHitsTheSameAttemptsEachTime(t *testing.T) {
	t.Parallel()
	run := func(seed uint64) (hits []int) {
		var s simkit.Faults
		require.NoError(t, s.Add(simkit.Fault{Op: "a", Action: simkit.ActionHang, Share: 0.25, Seed: seed}))
		for n := 1; n <= 400; n++ {
			if _, fault := s.Next("a", ""); fault != nil {
				hits = append(hits, n)
			}
		}
		return hits
	}
	first := run(1)
	require.InDelta(t, 100, len(first), 30)
	require.Equal(t, first, run(1))
	require.NotEqual(t, first, run(2))
}

func TestFaultsOfUnknownOperationsAreRefused(t *testing.T) {
	t.Parallel()
	var s simkit.Faults
	s.Know([]string{"a", "b"})
	require.ErrorContains(t, s.Add(simkit.Fault{Op: "c", Action: simkit.ActionHang}), `op "c" is unknown: use "*" or one of a, b`)
	require.ErrorContains(t, s.Add(simkit.Fault{Op: "a", Action: simkit.ActionHang, Share: 1.5}), "share")
	require.ErrorContains(t, s.Add(simkit.Fault{Op: "a", Action: simkit.ActionHTML, Status: 99}), "status 99")
	require.NoError(t, s.Add(simkit.Fault{Op: "b", Action: simkit.ActionHang}, simkit.Fault{Op: simkit.AnyOp, Subject: "2", Attempt: 2, Action: simkit.ActionDropAfter}))
	_, fault := s.Next("a", "2")
	require.Nil(t, fault)
	_, fault = s.Next("c", "2")
	require.Equal(t, simkit.ActionDropAfter, fault.Action, "attempts count over all operations")
}

func TestHangLastsUntilTheClientLeaves(t *testing.T) {
	t.Parallel()
	for action, made := range map[simkit.Action]int{simkit.ActionHang: 0, simkit.ActionHangAfter: 1} {
		t.Run(string(action), func(t *testing.T) {
			t.Parallel()
			requireHang(t, action, made)
		})
	}
}

func requireHang(t *testing.T, action simkit.Action, made int) {
	t.Helper()
	pipe, effects, url := setup(t, simkit.Fault{Op: "echo", Action: action})
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/echo/1", strings.NewReader("x"))
	require.NoError(t, err)
	left := make(chan error, 1)
	go func() {
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			err = res.Body.Close()
		}
		left <- err
	}()
	require.Eventually(t, func() bool { return len(pipe.Log.Records()) == 1 }, 10*time.Second, time.Millisecond)
	require.Equal(t, simkit.EndedOpen, pipe.Log.Records()[0].Ended, "a call is logged when it arrives")
	cancel()
	require.Error(t, <-left)
	require.Eventually(t, func() bool { return pipe.Log.Records()[0].Ended == simkit.EndedClientLeft }, 10*time.Second, time.Millisecond)
	require.EqualValues(t, made, effects.Load())
}

func TestAttemptsCountPerOperationAndPerSubject(t *testing.T) {
	t.Parallel()
	var s simkit.Faults
	require.NoError(t, s.Add(
		simkit.Fault{Op: "get", Subject: "b", Attempt: 2, LastAttempt: 3, Action: simkit.ActionStatus, Status: 500},
		simkit.Fault{Op: "get", Attempt: 4, Action: simkit.ActionHang},
	))
	hit := func(subject string) string {
		_, f := s.Next("get", subject)
		if f == nil {
			return ""
		}
		return string(f.Action)
	}
	require.Equal(t, []string{"", "", "status", "hang", "status", ""},
		[]string{hit("a"), hit("b"), hit("b"), hit("a"), hit("b"), hit("b")})
	attempt, _ := s.Next("get", "a")
	require.Equal(t, 3, attempt)
	s.Clear()
	attempt, _ = s.Next("get", "a")
	require.Equal(t, 1, attempt)
	require.Empty(t, s.List())
}

func TestImpossibleFaultsAreRefused(t *testing.T) {
	t.Parallel()
	var s simkit.Faults
	for _, f := range []simkit.Fault{
		{Action: simkit.ActionHang},
		{Op: "x", Action: "explode"},
		{Op: "x", Action: simkit.ActionStatus},
		{Op: "x", Action: simkit.ActionDelay},
		{Op: "x", Action: simkit.ActionHang, Attempt: 3, LastAttempt: 2},
	} {
		require.Error(t, s.Add(simkit.Fault{Op: "good", Action: simkit.ActionHang}, f))
	}
	require.Empty(t, s.List(), "all faults are added or none")
}

func TestClockDividesByItsScale(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		clock := simkit.NewClock(60)
		started := time.Now()
		require.True(t, clock.WaitUntil(t.Context(), started.Add(clock.Wall(time.Hour))))
		require.Equal(t, time.Minute, time.Since(started))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.False(t, clock.WaitUntil(ctx, time.Now().Add(time.Hour)))
		require.InDelta(t, 1, simkit.NewClock(0).Scale(), 0)
	})
}

func TestServersListenOnLoopbackAlone(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "nonsense"} {
		_, err := simkit.ListenLoopback(addr)
		require.Error(t, err, addr)
	}
	ln, err := simkit.ListenLoopback("127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, ln.Close())
}
