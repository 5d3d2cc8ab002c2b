package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// TestAHoldIsOnWhatTheirFormerAddressNamed: a sync lists an account by an address
// that its person had, and later by one that nobody knows.
func TestAHoldIsOnWhatTheirFormerAddressNamed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	b.whole(employment("1", "old@example.com"))
	b.whole(employment("1", "new@example.com"))
	a := listedAccount("5")
	a.Login, a.Kind = "old@example.com", schema.KindApp
	b.sync(vendor{accounts: []schema.Account{a}})
	a.Login = "renamed@example.com"
	b.sync(vendor{accounts: []schema.Account{a}})
	_, err := b.AddRestriction(ctx, schema.Restriction{Kind: schema.RestrictHold, Subject: schema.SubjectPerson, Email: "new@example.com", Reason: "matter"}, b.admin)
	require.NoError(t, err)
	on, err := b.RestrictionsOn(ctx, b.conn.ID, "5", "renamed@example.com")
	require.NoError(t, err)
	require.Len(t, on, 1)
}

// TestAHoldThatWaitsStopsNoWrite: while a roster is imported a hold waits, and
// vendor writes do not wait for it.
func TestAHoldThatWaitsStopsNoWrite(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	imp := b.sql()
	_, err := imp.Exec(ctx, `begin; select pg_advisory_xact_lock(hashtextextended('people', 0))`)
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() {
		_, err := b.AddRestriction(ctx, schema.Restriction{Kind: schema.RestrictHold, Subject: schema.SubjectPerson, Email: "x@example.com", Reason: "matter"}, b.admin)
		done <- err
	}()
	require.Eventually(t, func() bool {
		return b.count(`select count(*) from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())`) == 1
	}, 5*time.Second, 10*time.Millisecond)
	require.Equal(t, 1, b.count(`select pg_try_advisory_xact_lock_shared(hashtextextended('restrictions', 0))::int`), "vendor writes wait for the import")
	_, err = imp.Exec(ctx, `rollback`)
	require.NoError(t, err)
	require.NoError(t, <-done)
}

func TestMergedPersonsAreFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	hold := func(email string) schema.Restriction {
		r, err := b.AddRestriction(ctx, schema.Restriction{Kind: schema.RestrictHold, Subject: schema.SubjectPerson, Email: email, Reason: "matter"}, b.admin)
		require.NoError(t, err)
		return r
	}
	hold("x@example.com") // known by this address alone
	x, err := b.PersonRef(ctx, "x@example.com")
	require.NoError(t, err)
	b.whole(employment("1", "a@example.com"))
	a, err := b.PersonRef(ctx, "a@example.com")
	require.NoError(t, err)
	b.whole(employment("1", "x@example.com")) // so the two are one
	b.leaver("77", "", "suspend")             // a case keeps its person
	withCase, err := b.PersonRef(ctx, "user77@example.com")
	require.NoError(t, err)
	b.whole(employment("1", "user77@example.com"))
	for _, id := range []schema.PersonID{x, a} {
		got, err := b.PersonRef(ctx, string(id))
		require.NoError(t, err)
		require.Equal(t, withCase, got)
	}
}

func TestMatchingAnewLocksNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	b.whole(employment("1", "user1@example.com"))
	b.sync(vendor{accounts: population(2)})
	_, err := b.Correlate(ctx, b.conn.ID)
	require.NoError(t, err)
	holder := b.sql()
	_, err = holder.Exec(ctx, `begin; select 1 from account for no key update`)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	_, err = b.Correlate(ctx, b.conn.ID)
	require.NoError(t, err)
}

func TestWhoHasLeftReceivesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	leaver := b.account("1")
	b.account("2")
	ask := func(last time.Time) schema.RuleReceiver {
		b.whole(employment("1", "user1@example.com", "manager=2"), employment("2", "user2@example.com", "last="+last.Format(time.DateOnly)))
		got, err := b.ReceiverByRule(t.Context(), schema.ReceiverManager, b.conn.ID, leaver.ID, leaver.Login)
		require.NoError(t, err)
		return got
	}
	require.Equal(t, "user2@example.com", ask(time.Now().AddDate(0, 0, 2)).Login)
	got := ask(time.Now().AddDate(0, 0, -2))
	require.Equal(t, schema.GapLeft, got.Gap)
	require.Empty(t, got.Login)
}
