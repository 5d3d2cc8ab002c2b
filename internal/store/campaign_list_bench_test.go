package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// BenchmarkListHoldings takes the snapshot of a campaign over all accounts, each an
// item, and a third of them in a group that reaches something. It reports items per
// second and by how much the heap grew. SENDOFF_BENCH_ACCOUNTS sets the number of
// accounts; without it they are 20,000.
func BenchmarkListHoldings(b *testing.B) {
	accounts := benchSize(b, "SENDOFF_BENCH_ACCOUNTS", 20_000)
	s, pool, conn := benchInventory(b, accounts)
	for _, sql := range []string{
		`insert into vendor_group (connection_id, external_id, name, everybody, provenance, first_seen_at)
			select c.id, 'g' || g, 'Group ' || g, false, '', now() from connection c cross join generate_series(0, 99) g`,
		`insert into group_membership (connection_id, group_id, account_id, external_id, role, first_seen_at)
			select a.connection_id, 'g' || a.external_id::int / 3 % 100, a.external_id, 'm', 'member', now() from account a where a.external_id::int % 3 = 0`,
		`insert into group_collaboration (connection_id, group_id, external_id, item_type, item_id, item_name, role, status, first_seen_at)
			select connection_id, external_id, 'c', 'folder', '1', 'Folder', 'editor', 'accepted', now() from vendor_group`,
		`vacuum analyze`,
	} {
		_, err := pool.Exec(b.Context(), sql)
		require.NoError(b, err)
	}
	by := schema.Principal{TokenID: schema.TokenID(newUUID()), Name: "bench"}
	applied, err := s.ApplyAccessReviews(b.Context(), reviewFiles("", looksAt("bench")), by)
	require.NoError(b, err)
	d := applied[0].Review
	for range b.N {
		run, err := s.NewCampaign(b.Context(), schema.NewCampaign{Review: d.Name, Start: true}, by)
		require.NoError(b, err)
		require.NoError(b, s.BeginListing(b.Context(), run.ID, nil))
		stop, began, items := watchHeap(), time.Now(), 0
		err = s.ListHoldings(b.Context(), run.ID, schema.HoldingQuery{
			Review: d.ID, Connections: []schema.ConnectionID{conn}, Items: schema.ItemKinds(), Threshold: 90 * reportDay, Now: time.Now(),
		}, func(list []schema.Holding) ([]schema.NewItem, error) {
			items += len(list)
			return takesAll(new([]schema.Holding))(list)
		})
		require.NoError(b, err)
		took := time.Since(began)
		b.ReportMetric(float64(items), "items")
		b.ReportMetric(float64(items)/took.Seconds(), "items/s")
		b.ReportMetric(took.Seconds(), "s/snapshot")
		b.ReportMetric(float64(stop())/(1<<20), "heap-MB")
		require.NoError(b, s.EndCampaign(b.Context(), run.ID, schema.CampaignCancelled, ""))
	}
}
