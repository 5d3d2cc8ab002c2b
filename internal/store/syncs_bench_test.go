package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"sendoff/internal/local/localtest"
	"sendoff/internal/store"
	"sendoff/schema"
)

const (
	benchGroups  = 2000
	benchMembers = 100 // of each group
	benchPageLen = 1000
)

// syncBench is a store with an empty connection.
type syncBench struct {
	*testing.B
	s    *store.Store
	by   schema.Principal
	name string
}

func newSyncBench(b *testing.B) *syncBench {
	b.Helper()
	ctx := b.Context()
	url := localtest.DatabaseFrom(b, "store", func(ctx context.Context, url string) error { return store.Migrate(ctx, url, nil) })
	s, err := store.Open(ctx, store.Config{URL: url, AllowUnsafe: true, MaxConnections: 4})
	require.NoError(b, err)
	b.Cleanup(s.Close)
	owner, err := pgx.Connect(ctx, url)
	require.NoError(b, err)
	b.Cleanup(func() { _ = owner.Close(context.Background()) })
	_, err = owner.Exec(ctx, `insert into connection (id, name, vendor, state, read_only, base_url, token_url, client_id, enterprise_id, as_user, version, created_at, updated_at)
		values ('0197c0de-0000-7000-8000-00000000000a', 'box', 'box', 'enabled', true, '', '', '', '900', '', 1, now(), now())`)
	require.NoError(b, err)
	return &syncBench{b, s, schema.Principal{TokenID: "0197c0de-0000-7000-8000-000000000000", Name: "bench"}, "box"}
}

// sync stages a company and publishes it, and returns how long each took.
func (b *syncBench) sync() (staging, publishing time.Duration) {
	b.Helper()
	ctx := b.Context()
	run, err := b.s.StartRun(ctx, b.name, schema.RunSync, schema.TriggerPerson, b.by)
	require.NoError(b, err)
	_, _, err = b.s.BeginRun(ctx, run.ID)
	require.NoError(b, err)
	began := time.Now()
	b.stageCompany(run.ID)
	staging, began = time.Since(began), time.Now()
	run, err = b.s.PublishSync(ctx, run.ID)
	require.NoError(b, err)
	require.Equal(b, schema.RunDone, run.State)
	return staging, time.Since(began)
}

func (b *syncBench) stageCompany(id schema.RunID) {
	b.Helper()
	ctx := b.Context()
	at, err := b.s.Progress(ctx, id, schema.DataAccounts)
	require.NoError(b, err)
	accounts := population(benchAccounts)
	for i := range accounts {
		accounts[i].ObservedAt = time.Now()
	}
	for first := 0; first < len(accounts); first += benchPageLen {
		next := fmt.Sprint(first + benchPageLen)
		if first+benchPageLen >= len(accounts) {
			next = ""
		}
		at, err = b.s.StageAccounts(ctx, id, at, accounts[first:first+benchPageLen], next)
		require.NoError(b, err)
	}
	groups := make([]schema.Group, benchGroups)
	for i := range groups {
		groups[i] = schema.Group{ExternalID: schema.ExternalID(fmt.Sprint("g", i)), Name: fmt.Sprint("Group ", i)}
	}
	at, err = b.s.Progress(ctx, id, schema.DataGroups)
	require.NoError(b, err)
	_, err = b.s.StageGroups(ctx, id, at, groups, "")
	require.NoError(b, err)
	for i, g := range groups {
		members := make([]schema.GroupMember, benchMembers)
		for j := range members {
			account := schema.ExternalID(fmt.Sprint((i*7919+j*131)%benchAccounts + 1))
			members[j] = schema.GroupMember{ExternalID: g.ExternalID + "-" + account, GroupID: g.ExternalID, AccountID: account, Role: "member"}
		}
		require.NoError(b, b.s.StageMembers(ctx, id, schema.GroupListing{GroupID: g.ExternalID, Generation: 1}, members, ""))
	}
	require.NoError(b, b.s.FinishDataset(ctx, id, schema.DataMemberships, schema.DatasetCollected, ""))
	require.NoError(b, b.s.FinishDataset(ctx, id, schema.DataCollaborations, schema.DatasetNotCollected, "SCOPE_OPTIONAL_MISSING"))
}

// BenchmarkSync stages and publishes 100,000 accounts and 200,000 memberships of
// 2,000 groups: into an empty connection, then again without a difference.
func BenchmarkSync(bench *testing.B) {
	for range bench.N {
		b := newSyncBench(bench)
		for _, which := range []string{"first", "unchanged"} {
			staging, publishing := b.sync()
			b.ReportMetric(float64(staging.Milliseconds()), which+"-staging-ms")
			b.ReportMetric(float64(publishing.Milliseconds()), which+"-publishing-ms")
		}
	}
}
