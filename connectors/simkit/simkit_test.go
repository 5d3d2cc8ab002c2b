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

func TestHangLastsUntilTheClientLeaves(t *testing.T) {
	t.Parallel()
	pipe, effects, url := setup(t, simkit.Fault{Op: "echo", Action: simkit.ActionHang})
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
	require.Zero(t, effects.Load())
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
