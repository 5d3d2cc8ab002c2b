package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// What an account holds and is called is taken over before the rest is published,
// which then has nothing of it to lock; and it changes nobody's status.
func TestNamesAndSpaceAreTakenOverFirst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	v := vendor{accounts: population(12)}
	b.sync(v)
	for i := range v.accounts {
		v.accounts[i].SpaceUsed, v.accounts[i].Name = int64(1000+i), "Renamed"
	}
	v.accounts[3].Status, v.accounts[3].VendorStatus = schema.AccountSuspended, "inactive"
	run := b.begun()
	b.stage(run.ID, v)
	locked := b.sql()
	tx, err := locked.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), `select 1 from run where id = $1::text::uuid for update`, string(run.ID)) // so that publishing waits
	require.NoError(t, err)
	published := make(chan error, 1)
	go func() { _, err := b.PublishSync(t.Context(), run.ID); published <- err }()
	watch := b.sql()
	require.Eventually(t, func() bool {
		var taken int
		return watch.QueryRow(t.Context(), `select count(*) from account where name = 'Renamed'`).Scan(&taken) == nil && taken == 11
	}, 20*time.Second, 20*time.Millisecond)
	require.Equal(t, schema.AccountActive, b.known(string(v.accounts[3].ExternalID)).Status)
	require.NoError(t, tx.Rollback(t.Context()))
	require.NoError(t, <-published)
	for i, a := range v.accounts {
		known := b.known(string(a.ExternalID))
		require.Equal(t, int64(1000+i), known.SpaceUsed)
		require.Equal(t, "Renamed", known.Name)
		require.Equal(t, a.Status, known.Status)
	}
}
