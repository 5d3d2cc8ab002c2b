// Package webhooks_test lets the Standard Webhooks project's own Node library sign
// what our door is to believe. It knows nothing of this repository, and shares no
// code with the Go library that the door is built on.
package webhooks_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/web"
	"sendoff/internal/web/webtest"
	"sendoff/schema"
)

// drivePatience is how long all webhooks together may take.
const drivePatience = time.Minute

const (
	secret   = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	previous = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
	stranger = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
	body     = `{"type":"employment.changed","timestamp":"2026-11-22T12:00:00Z","data":{"external_id":"5","name":"Ada Lövelace 😀","last_working_day":"2026-11-30"}}`
)

// send is a webhook that the driver signs.
type send struct {
	Name    string    `json:"name"`
	ID      string    `json:"id"`
	At      time.Time `json:"at"`
	Secrets []string  `json:"secrets"`
	Body    string    `json:"body"`
	Posted  *string   `json:"posted,omitempty"` // in place of the body that is signed
	want    int
}

// line is one line of the driver.
type line struct {
	Name   string `json:"name"`
	Status int    `json:"status"`
}

func TestStandardWebhooksNodeLibrary(t *testing.T) {
	t.Parallel()
	program, modules := driver().Program(t), driver().Modules(t)
	door := startDoor(t)
	now := time.Now()
	tampered := strings.Replace(body, "11-30", "12-31", 1)
	large := strings.Replace(body, "Ada", strings.Repeat(" ", 900_000)+"Ada", 1)
	sends := []send{
		{"believed", "msg_1", now, []string{secret}, body, nil, http.StatusAccepted},
		{"again, signed anew", "msg_1", now.Add(time.Second), []string{secret}, body, nil, http.StatusOK},
		{"the same id with another body", "msg_1", now, []string{secret}, tampered, nil, http.StatusConflict},
		{"the secret before", "msg_2", now, []string{previous}, body, nil, http.StatusAccepted},
		{"both secrets", "msg_3", now, []string{stranger, secret}, body, nil, http.StatusAccepted},
		{"another secret", "msg_4", now, []string{stranger}, body, nil, http.StatusUnauthorized},
		{"another body than signed", "msg_5", now, []string{secret}, body, &tampered, http.StatusUnauthorized},
		{"old", "msg_6", now.Add(-10 * time.Minute), []string{secret}, body, nil, http.StatusUnauthorized},
		{"from the future", "msg_7", now.Add(10 * time.Minute), []string{secret}, body, nil, http.StatusUnauthorized},
		{"large", "msg_8", now, []string{secret}, large, nil, http.StatusAccepted},
		{"unreadable", "msg_9", now, []string{secret}, `{"type":"employment.changed"}`, nil, http.StatusUnprocessableEntity},
		{"an id of punctuation", "m%C3%A9:/+=", now, []string{secret}, body, nil, http.StatusAccepted},
	}
	lines := drive(t, program, modules, door.url, sends)
	require.Len(t, lines, len(sends))
	for i, s := range sends {
		t.Run(s.Name, func(t *testing.T) {
			require.Equal(t, line{s.Name, s.want}, lines[i])
		})
	}
	require.ElementsMatch(t, []string{"msg_1", "msg_2", "msg_3", "msg_8", "msg_9", "m%C3%A9:/+="}, door.ids())
}

func drive(t *testing.T, program, modules, url string, sends []send) []line {
	t.Helper()
	config, err := json.Marshal(map[string]any{"url": url, "modules": modules, "sends": sends})
	require.NoError(t, err)
	file := t.TempDir() + "/config.json"
	require.NoError(t, os.WriteFile(file, config, 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), drivePatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "main.mjs", file)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = driverDir, &stdout, &stderr
	require.NoError(t, cmd.Run(), "%s\n%s", &stdout, &stderr)
	var all []line
	lines := bufio.NewScanner(&stdout)
	for lines.Scan() {
		var l line
		require.NoError(t, json.Unmarshal(lines.Bytes(), &l), "%s", lines.Bytes())
		all = append(all, l)
	}
	require.NoError(t, lines.Err())
	return all
}

// door is our server with one source, and what it keeps.
type door struct {
	webtest.HRFuncs
	mu     sync.Mutex
	events map[string]schema.HREvent
	url    string
}

func startDoor(t *testing.T) *door {
	t.Helper()
	d := &door{events: map[string]schema.HREvent{}}
	d.SourceByNameFunc = func(name string) (schema.Source, error) {
		return schema.Source{ID: "s1", Name: name, Kind: schema.SourceStandardWebhooks, State: schema.ConnectionEnabled}, nil
	}
	d.SourceSecretsFunc = func(schema.SourceID) (schema.SourceSecrets, error) {
		return schema.SourceSecrets{Current: secret, Previous: previous}, nil
	}
	d.AcceptEventFunc = func(e schema.HREvent) (schema.Accepted, error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		have, known := d.events[e.EventID]
		if known && have.BodyHash != e.BodyHash {
			return schema.Accepted{}, &schema.Error{Code: schema.CodeConflict, Message: "another event came under this id", Fix: "give each its own"}
		}
		d.events[e.EventID] = e
		return schema.Accepted{Event: e, Duplicate: known}, nil
	}
	srv := httptest.NewServer(web.New(web.Config{Store: &webtest.Store{}, HR: d, Planner: webtest.Planner(nil), Checker: webtest.Checker(nil)}))
	t.Cleanup(srv.Close)
	d.url = srv.URL + "/hooks/hris"
	return d
}

func (d *door) ids() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for id := range d.events {
		out = append(out, id)
	}
	return out
}
