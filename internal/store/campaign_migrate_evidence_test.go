package store_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/store"
)

// TestMigrateToEvidenceOfCampaigns: what an earlier program kept in its audit log alone
// is kept where the evidence finds it.
func TestMigrateToEvidenceOfCampaigns(t *testing.T) {
	t.Parallel()
	url, db := migratedTo(t, 19)
	id := func(n int) string { return fmt.Sprintf("0197c0de-0000-7000-8000-%012d", n) }
	const review, campaign, person, token, item = 1, 2, 3, 4, 5
	stream := "campaign/" + id(campaign)
	look := func(seq int, at, reason, redone string) string {
		return fmt.Sprintf(`insert into audit_record (stream, seq, prev_hash, hash, body) values ('%s', %d, sha256(''), sha256('%d'), convert_to(
			'{"v":1,"at":"%s","actor":{"kind":"principal","id":"%s","name":"Ann"},"action":"campaign.second_look","subject":{},"details":{"decisions":"4","reason":"%s","redone":"%s","reviewer":"%s"}}', 'UTF8'))`,
			stream, seq, seq, at, id(token), reason, redone, id(person))
	}
	word := func(seq, n int) string {
		return fmt.Sprintf(`insert into audit_record (stream, seq, prev_hash, hash, body) values ('%s', %d, sha256(''), sha256('w%d'), convert_to(
			'{"v":1,"at":"2026-01-02T03:04:05Z","actor":{"kind":"engine"},"action":"campaign.item_decided","subject":{"decision_id":"%s"}}', 'UTF8'))`,
			stream+":"+id(person), seq, seq, id(n))
	}
	said := func(n int, current bool) string {
		return fmt.Sprintf(`insert into campaign_decision (id, campaign_id, item_id, stage, version, answer, principal, token_id, reviewer_id, decided_at, current)
			values ('%s', '%s', '%s', 0, 1, 'keep', 'Boss', '%s', '%s', '2026-01-02T03:04:05Z', %t)`, id(n), id(campaign), id(item), id(token), id(person), current)
	}
	for _, statement := range []string{
		`insert into access_review (id, name, version, state, created_at, updated_at) values ('` + id(review) + `', 'quarter', 1, 'active', now(), now())`,
		`insert into access_review_version (review_id, version, rule, hash, source, updated_by, updated_at) values ('` + id(review) + `', 1, '{}', '', '', '', now())`,
		`insert into batch (id, scope, scope_id, scope_name, state, size, started, allowed, limit_number, limit_percent, limit_window_seconds, created_at)
			values ('` + id(9) + `', 'access_review', '` + id(campaign) + `', 'quarter', 'held', 2, 0, 1, 1, 0, 0, now())`,
		`insert into campaign (id, review_id, version, trigger, scheduled_at, state, workflow_id, created_at, batch_id, overruns)
			values ('` + id(campaign) + `', '` + id(review) + `', 1, 'person', now(), 'held', '1', now(), '` + id(9) + `', '[{"limit": "per_run", "used": 0, "wanted": 2, "allowed": 1}]')`,
		`insert into person (id, email, created_at) values ('` + id(person) + `', 'boss@example.com', now())`,
		`insert into connection (id, name, vendor, state, read_only, base_url, token_url, client_id, enterprise_id, as_user, version, created_at, updated_at)
			values ('` + id(7) + `', 'box', 'box', 'enabled', true, '', '', '', '', '', 1, now(), now())`,
		`insert into campaign_item (id, campaign_id, kind, connection_id, login, facts, facts_hash, context, risk, score, applies, state, updated_at)
			values ('` + id(item) + `', '` + id(campaign) + `', 'account', '` + id(7) + `', 'x', '{}', '', '{}', 'low', 0, '{}', 'decided', now())`,
		look(1, "2026-01-02T03:04:05.123456Z", "fine", "0"), look(2, "2026-01-03T03:04:05Z", "again", "3"),
		said(22, false), said(21, true), said(23, false), word(1, 23), word(2, 22), word(3, 21),
	} {
		_, err := db.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	require.NoError(t, store.Migrate(t.Context(), url, nil))
	text := func(query string) (out string) {
		require.NoError(t, db.QueryRowContext(t.Context(), query).Scan(&out))
		return out
	}
	require.Equal(t, "Ann fine 4 false 0, Ann again 4 true 3", text(`select string_agg(concat_ws(' ', look_by, reason, decisions, redo::text, redone), ', ' order by id) from campaign_look`))
	require.Equal(t, "1", text(`select count(*)::text from campaign_look where reviewer_id = '`+id(person)+`' and look_id = '`+id(token)+`' and at = '2026-01-02T03:04:05.123456Z'`))
	require.Equal(t, "per_run 2", text(`select concat_ws(' ', overruns->0->>'limit', overruns->0->>'wanted') from batch`))
	_, err := db.ExecContext(t.Context(), said(20, false))
	require.NoError(t, err)
	require.Equal(t, id(23)+id(22)+id(21)+id(20), text(`select string_agg(id::text, '' order by seq) from campaign_decision`), "as they were recorded, then what comes")
}
