package audit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"sendoff/internal/audit"
)

func TestRecordHash(t *testing.T) {
	t.Parallel()

	t.Run("is fixed for ever", func(t *testing.T) {
		t.Parallel()
		// Computed independently with Python's hashlib from the documented layout; a change would orphan old logs.
		first := audit.Next(audit.Head{}, "case/c1", []byte(`{"v":1}`))
		second := audit.Next(first.Head(), "case/c1", []byte(`{}`))
		require.Equal(t, int64(1), first.Seq)
		require.Equal(t, "deca9dc43e4ef3f866302842ab013a9d64d2f17e0c30dc89c7845a7f00c8e96e", first.Hash.String())
		require.Equal(t, "a436ca07a931cad99cc494ac54f5e97ec3587e6f8943cdc2f804de47c680831d", second.Hash.String())
		require.Equal(t, first.Hash, second.PrevHash)
	})

	t.Run("depends on every field and on where fields end", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			draw := func(name string) audit.Record {
				return audit.Record{
					Stream: rapid.StringMatching(`case/[ab]{0,3}`).Draw(t, name+" stream"),
					Seq:    rapid.Int64Range(0, 3).Draw(t, name+" seq"),
					Body:   []byte(rapid.StringMatching(`[ab]{0,3}`).Draw(t, name+" body")),
				}
			}
			a, b := draw("a"), draw("b")
			same := a.Stream == b.Stream && a.Seq == b.Seq && string(a.Body) == string(b.Body)
			require.Equal(t, same, a.ComputeHash() == b.ComputeHash())
		})
	})
}

func TestValidateStream(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		audit.SystemStream, audit.CaseStream("0196-ab"), audit.ConnectionStream("box.eu:1"),
		audit.PersonStream("p_1"), audit.PolicyStream(strings.Repeat("a", 128)),
	} {
		require.NoError(t, audit.ValidateStream(name), name)
	}
	for _, name := range []string{
		"", "case", "case/", "system/x", "person/mia@example.com", "case/a/b", "case/a b", "account/1", "case/ü",
		"policy/" + strings.Repeat("a", 129),
	} {
		require.Error(t, audit.ValidateStream(name), name)
	}
}

func TestEvent(t *testing.T) {
	t.Parallel()
	event := audit.Event{
		At:     time.Date(2026, 3, 1, 10, 0, 0, 5000, time.FixedZone("CET", 3600)),
		Actor:  audit.Actor{Kind: audit.ActorPrincipal, ID: "pr1", Name: "ci"},
		Action: "plan.approved", Subject: audit.Subject{CaseID: "c1", PlanID: "p1"},
		Details: map[string]string{"reason": "a < b", "hash": "00ff"},
	}

	t.Run("has one spelling", func(t *testing.T) {
		t.Parallel()
		body, err := event.Body()
		require.NoError(t, err)
		require.Equal(t, `{"v":1,"at":"2026-03-01T09:00:00.000005Z","actor":{"kind":"principal","id":"pr1","name":"ci"},`+
			`"action":"plan.approved","subject":{"case_id":"c1","plan_id":"p1"},"details":{"hash":"00ff","reason":"a < b"}}`, string(body))
		back, err := audit.ParseEvent(body)
		require.NoError(t, err)
		require.True(t, event.At.Equal(back.At))
		require.Equal(t, event.Subject, back.Subject)
		require.Equal(t, event.Details, back.Details)
	})

	t.Run("is refused when it says too little or cannot be kept", func(t *testing.T) {
		t.Parallel()
		for name, spoil := range map[string]func(*audit.Event){
			"no time":              func(e *audit.Event) { e.At = time.Time{} },
			"no actor":             func(e *audit.Event) { e.Actor = audit.Actor{} },
			"principal with no id": func(e *audit.Event) { e.Actor.ID = "" },
			"no action":            func(e *audit.Event) { e.Action = "" },
			"action in capitals":   func(e *audit.Event) { e.Action = "Plan.Approved" },
			"broken text":          func(e *audit.Event) { e.Details = map[string]string{"reason": "\xff"} },
			"broken id":            func(e *audit.Event) { e.Subject.AccountID = "\xff" },
		} {
			bad := event
			spoil(&bad)
			_, err := bad.Body()
			require.Error(t, err, name)
		}
	})

	t.Run("is read only in its own spelling", func(t *testing.T) {
		t.Parallel()
		body, err := event.Body()
		require.NoError(t, err)
		for _, change := range [][2]string{
			{`"v":1`, `"v":2`},
			{`"v":1`, `"V":1`},
			{`{"v"`, `{ "v"`},
			{`"c1"`, `"\u0063\u0031"`},
			{`"action"`, `"extra":1,"action"`},
			{`"2026-03-01T09:00:00.000005Z"`, `"today"`},
		} {
			spoiled := strings.Replace(string(body), change[0], change[1], 1)
			require.NotEqual(t, string(body), spoiled)
			_, err := audit.ParseEvent([]byte(spoiled))
			require.Error(t, err, spoiled)
		}
	})
}
