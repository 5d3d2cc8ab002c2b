package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func dormant(c ...schema.ConnectionID) schema.PopulationQuery {
	return schema.PopulationQuery{
		Connections: c, Now: reportNow, Threshold: schema.Threshold{Default: 90 * reportDay},
		Kinds: []schema.AccountKind{schema.KindPerson}, Statuses: []schema.AccountStatus{schema.AccountActive},
		Grades: []schema.Grade{schema.GradeInactive, schema.GradeNever},
	}
}

// TestPopulationOfTheFixture: counted by hand.
func TestPopulationOfTheFixture(t *testing.T) {
	t.Parallel()
	b := reportFixture(t)
	logins := map[schema.ExternalID]schema.Subject{}
	each := func(list []schema.Subject) error {
		for _, s := range list {
			logins[s.Account.ExternalID] = s
		}
		return nil
	}
	p, err := b.Population(t.Context(), dormant(b.conn.ID, boxTwo, boxThree), each)
	require.NoError(t, err)
	require.EqualValues(t, 19+6+2, p.Total)
	require.Equal(t, []schema.ReasonCount{
		{Reason: schema.ReasonKind, Count: 4},
		{Reason: schema.ReasonStatus, Count: 5},
		{Reason: schema.ReasonNotCollected, Count: 1},
		{Reason: schema.ReasonUnknown, Count: 2},
		{Reason: schema.ReasonGrade, Count: 8},
	}, p.Reasons)
	require.Len(t, logins, 7)
	for _, login := range []schema.ExternalID{"eve", "fay", "hal", "ida", "jan", "ola", "tom"} {
		require.Contains(t, logins, login)
	}
	require.Len(t, p.Basis, 3)

	stop := errors.New("stop")
	_, err = b.Population(t.Context(), dormant(b.conn.ID), func([]schema.Subject) error { return stop })
	require.ErrorIs(t, err, stop)
	q := dormant(b.conn.ID)
	q.Bounds = []schema.Bound{{Field: schema.BoundSpaceUsed, Op: schema.BoundLess, Values: []string{"many"}}}
	_, err = b.Population(t.Context(), q, each)
	requireCode(t, schema.CodeInternal, err)
	_, err = b.Population(t.Context(), dormant(schema.ConnectionID(uuid.NewString())), each)
	requireCode(t, schema.CodeNotFound, err)
}

// TestSubjectHoldsAllThatIsAskedFor: the employment that counts now, groups, and the
// last time that somebody said it is needed.
func TestSubjectHoldsAllThatIsAskedFor(t *testing.T) {
	t.Parallel()
	b := reportFixture(t)
	id := b.accountID("eve")
	b.exec(`insert into employment (source, external_id, person_id, kind, name, email, department, site, status, manager_id, hire_date, last_working_day, updated_at)
		select 'hr', 'E2', id, 'employee', 'eve', 'eve@example.com', 'Old', 'Rome', 'ended', null, '2019-01-01'::date, '2020-01-01'::date, now() from person where name = 'eve' union all
		select 'hr', 'E3', id, 'contractor', 'eve', 'eve@example.com', 'New', 'Oslo', 'active', (select id from person where name = 'ann'), '2021-02-03', '2999-04-05', now()
			from person where name = 'eve'`)
	b.exec(`insert into group_membership (connection_id, group_id, account_id, external_id, role, first_seen_at)
		values ($1, 'z9', 'eve', 'm1', 'admin', now()), ($1, 'z8', 'ann', 'm2', 'member', now())`, string(b.conn.ID))
	b.exec(`insert into vendor_group (connection_id, external_id, name, everybody, provenance, first_seen_at)
		values ($1, 'z9', 'Z', false, '', now()), ($1, 'z8', 'Y', false, '', now()), ($1, 'zz', 'All', true, '', now())`, string(b.conn.ID))
	b.exec(`insert into account_kept (account_id, kept_at, by_name, reason) values ($1, $2, 'p', 'r'), ($1, $3, 'p', 'r')`, string(id), daysAgo(9), daysAgo(3))
	s, err := b.Subject(t.Context(), id, schema.Needs{Person: true, Groups: true})
	require.NoError(t, err)
	require.Equal(t, "box", s.Connection)
	require.Equal(t, schema.Activity{
		Source: "box.events", LastActiveAt: daysAgo(100), LastEvent: "LOGIN", Covered: schema.Interval{From: daysAgo(180.5), To: reportNow.Add(-10 * time.Minute)},
	}, s.Activity)
	require.Equal(t, daysAgo(3), s.KeptAt)
	require.Equal(t, &schema.Holder{
		ID: s.Account.PersonID, Email: "eve@example.com", Name: "eve", Employment: schema.Contractor, Status: schema.StatusActive, Department: "New", Site: "Oslo",
		Manager: "ann@example.com", HireDate: dateIn(2021, 2, 3), LastDay: dateIn(2999, 4, 5),
	}, s.Person)
	require.Contains(t, s.Groups, schema.HeldGroup{ID: "z9", Name: "Z", Role: "admin"})
	require.Contains(t, s.Groups, schema.HeldGroup{ID: "zz", Name: "All"}, "of a group of everybody the vendor lists no members")
	require.NotContains(t, s.Groups, schema.HeldGroup{ID: "z8", Name: "Y", Role: "member"})
	stored, err := b.Account(t.Context(), id)
	require.NoError(t, err)
	stored.Tracking = nil // none
	require.Equal(t, stored, s.Account)

	s, err = b.Subject(t.Context(), id, schema.Needs{})
	require.NoError(t, err)
	require.Nil(t, s.Person)
	require.Nil(t, s.Groups)
	s, err = b.Subject(t.Context(), b.accountID("gone"), schema.Needs{Person: true})
	require.NoError(t, err, "in any state")
	require.Equal(t, schema.AccountDeleted, s.Account.Status)
	require.Nil(t, s.Person)
	for _, none := range []string{"none", uuid.NewString()} {
		_, err = b.Subject(t.Context(), schema.AccountID(none), schema.Needs{})
		requireCode(t, schema.CodeNotFound, err)
	}
}

func (b *bundle) accountID(external string) schema.AccountID {
	b.t.Helper()
	var id string
	require.NoError(b.t, b.sql().QueryRow(b.t.Context(), `select id::text from account where connection_id = $1 and external_id = $2`, string(b.conn.ID), external).Scan(&id))
	return schema.AccountID(id)
}

// TestPopulationBasis: why use is not known, and when accounts were listed.
func TestPopulationBasis(t *testing.T) {
	t.Parallel()
	b := setup(t)
	now := time.Now().UTC().Truncate(time.Microsecond)
	basis := func() schema.PopulationBasis {
		t.Helper()
		list, err := b.PopulationBasis(t.Context(), []schema.ConnectionID{b.conn.ID})
		require.NoError(t, err)
		require.Len(t, list, 1)
		return list[0]
	}
	require.Equal(t, schema.PopulationBasis{ConnectionID: b.conn.ID, Connection: "box", Unread: true, Why: "NEVER_RUN"}, basis())
	b.exec(`insert into dataset (connection_id, dataset, state, reason, as_of) values ($1, 'accounts', 'collected', '', $2), ($1, 'activity', 'not_collected', 'SCOPE_MISSING', null)`,
		string(b.conn.ID), now.Add(-time.Hour))
	require.Equal(t, "SCOPE_MISSING", basis().Why)
	require.Equal(t, now.Add(-time.Hour), basis().SyncedAt)
	b.exec(`update dataset set state = 'collected', reason = '' where dataset = 'activity'`)
	require.Equal(t, "NEVER_RUN", basis().Why, "it is said to be collected, and nothing is covered yet")
	b.exec(`insert into activity_feed (connection_id, source, live, updated_at) values ($1, 'box.events', '1', now())`, string(b.conn.ID))
	b.exec(`insert into activity_interval values ($1, 'box.events', $2, $3)`, string(b.conn.ID), now.Add(-99*reportDay), now.Add(-time.Minute))
	require.Empty(t, basis().Why)
	require.Equal(t, schema.Interval{From: now.Add(-99 * reportDay), To: now.Add(-time.Minute)}, basis().Covered)
	b.exec(`update dataset set state = 'partial', reason = 'LISTING_TOO_LONG' where dataset = 'accounts'`)
	require.Equal(t, "LISTING_TOO_LONG", basis().Why)
	b.exec(`insert into run (id, connection_id, kind, state, trigger, requested_by, cause, created_at, ended_at)
		values (gen_random_uuid(), $1, 'activity', 'failed', 'schedule', '', '{"code": "UNAUTHORIZED", "message": ""}', now(), now()),
			(gen_random_uuid(), $1, 'sync', 'quarantined', 'schedule', '', '{"code": "SHRUNK", "message": ""}', now(), now())`, string(b.conn.ID))
	require.Equal(t, "SHRUNK", basis().Why, "a failed read of events is no matter while what is covered is fresh")
	b.exec(`update activity_interval set to_at = now() - interval '50 hours'`)
	require.Equal(t, "UNAUTHORIZED", basis().Why)
	b.exec(`delete from run`)
	require.Equal(t, "STALE", basis().Why)
	_, err := b.PopulationBasis(t.Context(), []schema.ConnectionID{b.conn.ID, schema.ConnectionID(uuid.NewString())})
	requireCode(t, schema.CodeNotFound, err)
}

// TestAskRun: one run at a time, none over a sync that waits for an admin.
func TestAskRun(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	for range 2 {
		require.NoError(t, b.AskRun(ctx, b.conn.ID, schema.RunSync))
	}
	require.NoError(t, b.AskRun(ctx, b.conn.ID, schema.RunActivity))
	runs, _, err := b.ListRuns(ctx, schema.RunFilter{ConnectionID: b.conn.ID, Limit: 10})
	require.NoError(t, err)
	require.Len(t, runs, 2)
	for _, r := range runs {
		require.Equal(t, schema.RunQueued, r.State)
		require.Equal(t, schema.TriggerSchedule, r.Trigger)
		require.Empty(t, r.RequestedBy)
	}
	require.Len(t, b.drain(), 2, "each is started")

	b.exec(`update run set state = 'quarantined', ended_at = now(), cause = '{"code": "SHRUNK", "message": ""}' where kind = 'sync'`)
	requireCode(t, schema.CodeClosed, b.AskRun(ctx, b.conn.ID, schema.RunSync))
	require.NoError(t, b.AskRun(ctx, b.conn.ID, schema.RunActivity))
	_, err = b.SetConnectionState(ctx, "box", schema.ConnectionDisabled, "test", b.admin)
	require.NoError(t, err)
	requireCode(t, schema.CodeClosed, b.AskRun(ctx, b.conn.ID, schema.RunProbe))
	requireCode(t, schema.CodeNotFound, b.AskRun(ctx, schema.ConnectionID(uuid.NewString()), schema.RunProbe))
	c, err := b.ConnectionNamed(ctx, "box")
	require.NoError(t, err)
	require.Equal(t, b.conn.ID, c.ID)
}
