package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/store"
	"sendoff/schema"
)

// The alarms of campaigns that an earlier program raised end as those of this one.
func TestMigrateToAlarmsOfCampaigns(t *testing.T) {
	t.Parallel()
	url, db := migratedTo(t, 18)
	const review, first, second = "0197c0de-0000-7000-8000-000000000001", "0197c0de-0000-7000-8000-000000000002", "0197c0de-0000-7000-8000-000000000003"
	for _, statement := range []string{
		`insert into access_review (id, name, version, state, created_at, updated_at) values ('` + review + `', 'quarter', 1, 'active', now(), now())`,
		`insert into access_review_version (review_id, version, rule, hash, source, updated_by, updated_at) values ('` + review + `', 1, '{}', '', '', '', now())`,
		`insert into campaign (id, review_id, version, trigger, scheduled_at, state, workflow_id, created_at)
			values ('` + first + `', '` + review + `', 1, 'person', now(), 'signed', '1', now()), ('` + second + `', '` + review + `', 1, 'person', now(), 'open', '2', now())`,
		`insert into batch (id, scope, scope_id, scope_name, state, size, started, allowed, limit_number, limit_percent, limit_window_seconds, grown_at, created_at)
			select id, 'access_review', id::text, 'quarter', 'held', 7, 0, 0, 0, 0, 0, now(), now() from campaign`,
		`update campaign set batch_id = id`,
		`insert into alarm (id, access_review_id, code, message, fix, raised_at) values
			(gen_random_uuid(), '` + review + `', 'CAMPAIGN_FAILED', 'campaign ` + second + ` cannot go on: the disk is full', '', now()),
			(gen_random_uuid(), '` + review + `', 'OVER_BUDGET', 'm', 'look at it with sendoff review show ` + first + `; two people release batch', now())`,
	} {
		_, err := db.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	_, err := db.ExecContext(t.Context(), `insert into alarm (id, access_review_id, code, message, fix, raised_at, cleared_at)
		values (gen_random_uuid(), '`+review+`', 'CAMPAIGN_FAILED', 'the campaign of 2026-01-01T00:00:00Z did not begin: why', '', now(), now())`)
	require.NoError(t, err)
	require.NoError(t, store.Migrate(t.Context(), url, nil))

	b := &bundle{t: t, url: url}
	b.Store, err = store.Open(t.Context(), store.Config{URL: url, Sealer: keySealer{keyring(t, 1)}, AllowUnsafe: true, MaxConnections: 5})
	require.NoError(t, err)
	t.Cleanup(b.Close)
	list, _, err := b.ListAlarms(t.Context(), true, "", 10)
	require.NoError(t, err)
	of := map[string]schema.CampaignID{}
	for _, a := range list {
		require.Equal(t, "quarter", a.AccessReview)
		of[a.Code+" "+a.Message] = a.CampaignID
	}
	require.Equal(t, map[string]schema.CampaignID{
		schema.AlarmCampaignFailed + " campaign " + second + " cannot go on: the disk is full":    second,
		schema.AlarmCampaignNotBegun + " the campaign of 2026-01-01T00:00:00Z did not begin: why": "",
		schema.AlarmOverBudget + " m": first,
		schema.AlarmOverBudget + " a campaign of quarter would remove access of 7 accounts and is over budget: none of them starts": second,
	}, of)
	require.NoError(t, b.CampaignWentOn(t.Context(), second))
	require.Len(t, b.alarms(), 2)
}
