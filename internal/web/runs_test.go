package web_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// aSync is a sync that began two minutes ago: 1000 accounts took 100 s, and its
// groups are being listed.
func aSync() schema.Run {
	began := now.Add(-2 * time.Minute)
	return schema.Run{
		ID: "r1", ConnectionID: "c1", Kind: schema.RunSync, State: schema.RunRunning, Trigger: schema.TriggerPerson, RequestedBy: "root",
		CreatedAt: began, StartedAt: began,
		Datasets: []schema.DatasetProgress{
			{Dataset: schema.DataAccounts, State: schema.DatasetCollected, Generation: 2, Pages: 4, Rows: 1000, UpdatedAt: began.Add(100 * time.Second)},
			{Dataset: schema.DataGroups, State: schema.DatasetCollecting, Generation: 1, Pages: 1, Rows: 50, Marker: "m", UpdatedAt: began.Add(110 * time.Second)},
			{Dataset: schema.DataMemberships, State: schema.DatasetPending, Generation: 1, UpdatedAt: began},
		},
	}
}

func (b *bundle) named() {
	b.store.ConnectionFunc = func(id schema.ConnectionID) (schema.Connection, error) {
		return schema.Connection{ID: id, Name: "box-main"}, nil
	}
}

func TestARunTellsCountsAndRate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.named()
	b.store.RunFunc = func(id schema.RunID) (schema.Run, error) {
		require.Equal(t, schema.RunID("r1"), id)
		return aSync(), nil
	}
	a := b.do("auditor", "GET", "/v1/runs/r1", "")
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.Equal(t, "box-main", a.json["connection"])
	require.InDelta(t, 120, a.json["elapsed_seconds"], 0)
	require.Nil(t, a.json["ended_at"])
	sets, ok := a.json["datasets"].([]any)
	require.True(t, ok)
	for i, want := range []map[string]any{
		{"elapsed_seconds": 100.0, "rows_per_second": 10.0, "generation": 2.0, "pages": 4.0, "rows": 1000.0},
		{"elapsed_seconds": 20.0, "rows_per_second": 2.5, "generation": 1.0, "pages": 1.0, "rows": 50.0},
		{"elapsed_seconds": 0.0, "rows_per_second": 0.0, "generation": 1.0, "pages": 0.0, "rows": 0.0},
	} {
		got, ok := sets[i].(map[string]any)
		require.True(t, ok)
		for key, value := range want {
			require.Equal(t, value, got[key], "%d %s", i, key)
		}
	}
	require.NotContains(t, a.raw, "marker", "the vendor's positions are its own")
}

func TestAQuarantinedRunIsDecidedWithAReason(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.named()
	require.Equal(t, []string{"reason:required"}, b.do("admin", "POST", "/v1/runs/r1/release", `{"reason":" "}`).problems())
	done := aSync()
	done.State, done.EndedAt = schema.RunDiscarded, now
	done.Cause = &schema.RunCause{Code: schema.CauseShrunk, Message: "fewer", Fix: "look"}
	b.store.DiscardRunFunc = func(id schema.RunID, reason string) (schema.Run, error) {
		require.Equal(t, schema.RunID("r1"), id)
		require.Equal(t, "a fault at the vendor", reason)
		return done, nil
	}
	a := b.do("admin", "POST", "/v1/runs/r1/discard", `{"reason":" a fault at the vendor "}`)
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.Equal(t, "discarded", a.json["state"])
	require.Equal(t, map[string]any{"code": "SHRUNK", "message": "fewer", "fix": "look"}, a.json["cause"])
	b.store.ReleaseRunFunc = func(schema.RunID, string) (schema.Run, error) {
		return schema.Run{}, &schema.Error{Code: schema.CodeConflict, Message: "older than what is known"}
	}
	require.Equal(t, http.StatusConflict, b.do("admin", "POST", "/v1/runs/r1/release", `{"reason":"they left"}`).status)
}

func TestRunsAreListedByFilter(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.named()
	b.store.ConnectionByNameFunc = func(name string) (schema.Connection, error) {
		return schema.Connection{ID: "c1", Name: name}, nil
	}
	b.store.ListRunsFunc = func(f schema.RunFilter) ([]schema.Run, string, error) {
		require.Equal(t, schema.RunFilter{ConnectionID: "c1", Kind: schema.RunSync, State: schema.RunFailed, Limit: 7}, f)
		return []schema.Run{aSync()}, "more", nil
	}
	a := b.do("operator", "GET", "/v1/runs?connection=box-main&kind=sync&state=failed&limit=7", "")
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.Equal(t, "more", a.json["next"])
	require.Equal(t, http.StatusUnprocessableEntity, b.do("operator", "GET", "/v1/runs?kind=other", "").status)
}
