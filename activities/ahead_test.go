package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"

	"sendoff/activities"
	"sendoff/connectors"
	"sendoff/schema"
)

func (b *bundle) readAhead(id schema.CaseID) error {
	_, err := b.activityEnv(worker.Options{}).ExecuteActivity(b.acts.ReadAhead, activities.CaseInput{CaseID: id})
	return err
}

// TestReadAhead: what was read before the date is not read again at it, and what
// is new since then is.
func TestReadAhead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.vendor.root[leaver] = []schema.Witness{{ID: "100", Type: "file"}, {ID: "101", Type: "folder"}}
	b.vendor.collabs["100"] = []schema.SharedBy{{ItemID: "100", With: "20", Role: "editor"}}
	r := request("leaver", heirLogin)
	r.EffectiveAt = time.Now().Add(time.Hour)
	p := b.open(r)
	b.vendor.errs["root"] = []error{failure(connectors.Unavailable)}
	requireType(t, b.readAhead(p.CaseID), activities.TypeUnavailable, true)
	require.NoError(t, b.readAhead(p.CaseID))
	require.NoError(t, b.readAhead(p.CaseID), "a repeat reads nothing")
	require.Equal(t, 2, b.vendor.count("collaborations"))

	b.vendor.root[leaver] = append(b.vendor.root[leaver], schema.Witness{ID: "102", Type: "file"})
	b.exec("update lifecycle_case set effective_at = now()") // its date has come
	b.carry(p.ID, schema.StepSuspend)
	s := b.plan(p.ID).Snapshot
	require.Equal(t, 3, b.vendor.count("collaborations"))
	require.Equal(t, []schema.SharedBy{{ItemID: "100", With: "20", Role: "editor"}}, s.Collabs)
	require.Equal(t, 3, s.DeepDone)
	require.Equal(t, 3, s.DeepTotal)
}

// TestReadAheadStandsInNobodysWay: what may not be read is left to the snapshot.
func TestReadAheadStandsInNobodysWay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.open(request("leaver", heirLogin))
	b.vendor.errs["root"] = []error{failure(connectors.Forbidden)}
	require.NoError(t, b.readAhead(p.CaseID))
	require.Nil(t, b.plan(p.ID).Deep)
}
