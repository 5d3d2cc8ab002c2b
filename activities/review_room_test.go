package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"
	"go.uber.org/zap"

	"sendoff/activities"
	"sendoff/schema"
)

// full is a run with one confirmed account and as many cases at their steps as may
// be at once.
func full(t *testing.T) (*dormancy, schema.ReviewID) {
	t.Helper()
	d := dormant(setup(t))
	d.apply()
	r := d.run()
	require.NoError(t, d.BeginJudging(t.Context(), r.ID))
	for _, fn := range []any{d.reviews.JudgeAccounts, d.reviews.PlanItems, d.reviews.EndPlanning, d.reviews.AskItems} {
		d.piece(fn, r.ID)
	}
	d.exec(`with n as (select n, gen_random_uuid() as account, gen_random_uuid() as kase from generate_series(1, 100) as n),
		who as (insert into person (id, email, created_at) values (gen_random_uuid(), 'busy@example.com', now()) returning id),
		a as (insert into account (id, connection_id, external_id, login, name, role, status, vendor_status, kind, enterprise_id, space_used, space_amount, observed_at)
			select account, $2, 'n' || n, 'n' || n || '@example.com', '', 'member', 'active', 'active', 'person', '900', 0, -1, now() from n),
		c as (insert into lifecycle_case (id, door, person_id, template, grace_seconds, receivers, approvals, requested_by, source, hash, created_at)
			select kase, 'inactivity', who.id, '', 0, '{}', 0, '', 'policy', '', now() from n, who),
		p as (insert into plan (id, case_id, connection_id, account_id, rank, state, hash, facts, template, current_step, fence, approvals, planned_bytes, created_at, updated_at)
			select gen_random_uuid(), kase, $2, account, 1, 'running', '', '{}', '', 0, 0, 0, 0, now(), now() from n)
		insert into review_item (review_id, account_id, connection_id, external_id, login, privileged, state, grade, threshold_seconds, case_id, updated_at)
		select $1, account, $2, 'n' || n, 'n' || n || '@example.com', false, 'started', 'inactive', 1, kase, now() from n`, r.ID, d.conn.ID)
	return d, r.ID
}

func (d *dormancy) ready(run schema.ReviewID) int {
	d.t.Helper()
	items, err := d.Items(d.t.Context(), run, schema.ItemReady, 10)
	require.NoError(d.t, err)
	return len(items)
}

// A case begins as soon as another leaves room, within one activity.
func TestReviewStartsWhatThereIsRoomFor(t *testing.T) {
	t.Parallel()
	d, run := full(t)
	require.Equal(t, 1, d.ready(run))
	ended := make(chan activities.Piece, 1)
	go func() { ended <- d.piece(d.reviews.ActOnItems, run) }()
	select {
	case <-ended:
		t.Fatal("it does not wait for room")
	case <-time.After(300 * time.Millisecond):
		require.Equal(t, 1, d.ready(run))
	}
	d.exec(`update plan set state = 'waiting' where id = (select id from plan where state = 'running' limit 1)`)
	<-ended
	require.Zero(t, d.ready(run))
}

// A worker that stops does not wait for room.
func TestReviewLeavesRoomToTheNextWorker(t *testing.T) {
	t.Parallel()
	d, run := full(t)
	stopping := make(chan struct{})
	close(stopping)
	env := newEnv(worker.Options{}, zap.NewNop())
	env.SetWorkerStopChannel(stopping)
	env.RegisterActivity(d.reviews)
	value, err := env.ExecuteActivity(d.reviews.ActOnItems, activities.ReviewInput{ReviewID: run})
	require.NoError(t, err)
	var p activities.Piece
	require.NoError(t, value.Get(&p))
	require.True(t, p.More)
	require.Equal(t, 1, d.ready(run))
}
