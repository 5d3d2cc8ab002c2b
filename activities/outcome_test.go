package activities_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/schema"
)

// away is a database that is away for the first tries to record an outcome.
type away struct {
	activities.Store
	left atomic.Int32
}

func (s *away) RecordTransferOutcome(ctx context.Context, ref schema.StepRef, o schema.TransferOutcome) (schema.Transfer, error) {
	if s.left.Add(-1) >= 0 {
		return schema.Transfer{}, &schema.Error{Code: schema.CodeUnavailable, Message: "the database is restarting"}
	}
	return s.Store.RecordTransferOutcome(ctx, ref, o)
}

// TestOutcomeOutlivesTheDatabase: a clear answer is not lost because the database
// was away when it came.
func TestOutcomeOutlivesTheDatabase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.intended()
	b.vendor.outcome = schema.TransferOutcome{Class: schema.OutcomeRefused, HTTPStatus: 403}
	db := &away{Store: b.Store}
	db.left.Store(3)
	b.acts = activities.New(activities.Config{Store: db, Connectors: b.vendors, Clocks: schema.DefaultClocks(), Now: b.now})
	s, err := b.send(ref)
	require.NoError(t, err)
	require.Equal(t, schema.TransferRefused, s.State)
	require.Equal(t, 1, b.vendor.count("send"))
}
