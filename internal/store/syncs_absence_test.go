package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// absentSync runs a sync of ten accounts without those left out; read has an
// answer of a read by id for some: true = it was not found.
func (b *bundle) absentSync(notFound map[string]bool, leftOut ...string) schema.Run {
	b.t.Helper()
	v := vendor{}
	for _, a := range population(10) {
		if !contains(leftOut, string(a.ExternalID)) {
			v.accounts = append(v.accounts, a)
		}
	}
	run := b.begun()
	b.stage(run.ID, v)
	for id, gone := range notFound {
		if gone {
			require.NoError(b.t, b.StageAbsence(b.t.Context(), run.ID, schema.ExternalID(id), time.Now()))
			continue
		}
		a := listedAccount(id)
		a.ObservedAt = time.Now()
		require.NoError(b.t, b.StageRead(b.t.Context(), run.ID, a))
	}
	run, err := b.PublishSync(b.t.Context(), run.ID)
	require.NoError(b.t, err)
	require.Equal(b.t, schema.RunDone, run.State)
	return run
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}

func TestAbsenceAloneMakesMissing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.absentSync(nil)
	run := b.absentSync(map[string]bool{"2": true, "3": false}, "1", "2", "3")
	require.Equal(t, schema.AccountMissing, b.known("1").Status, "left out")
	require.Equal(t, schema.AccountMissing, b.known("2").Status, "left out, and not found by a read: nobody says who deleted it")
	require.Equal(t, schema.AccountActive, b.known("3").Status, "left out, and found by a read")
	require.ElementsMatch(t, []string{"account_missing 1 active -> missing", "account_missing 2 active -> missing"}, b.changes(run.ID))
	require.Equal(t, 3, b.count(`select count(*) from account where missing_since is not null or checked_at is not null`))

	again := b.absentSync(map[string]bool{"2": true}, "1", "2")
	require.Empty(t, b.changes(again.ID), "they are missing still")
	back := b.absentSync(nil)
	require.ElementsMatch(t, []string{"account_returned 1 missing -> active", "account_returned 2 missing -> active"}, b.changes(back.ID))
	require.Zero(t, b.count(`select count(*) from account where missing_since is not null`))
}

func TestAbsenceWithProofIsDeletion(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.absentSync(nil)
	// Our journal has a delete for 1 to 4: accepted, refused, unknown, and accepted
	// of an account that no read looked for.
	for id, outcome := range map[string]string{"1": "accepted", "2": "refused", "3": "unknown", "4": "accepted"} {
		p := b.leaver(id, "", "suspend")
		b.exec(`insert into vendor_write (plan_id, op, n, intended_at, outcome, outcome_at) values ($1::text::uuid, 'delete', 1, now(), $2, now())`, string(p.ID), outcome)
	}
	// The vendor's feed tells of the end of 5, and of 6, which is found.
	for _, id := range []string{"5", "6"} {
		b.exec(`insert into vendor_deletion (connection_id, external_id, event_id, deleted_at, deleted_by) values ($1::text::uuid, $2, 'e' || $2, now(), '')`, string(b.conn.ID), id)
	}
	// Another connection's account of that id is another account.
	other, err := b.CreateConnection(t.Context(), schema.Connection{Name: "other", Vendor: "box", EnterpriseID: "901", BaseURL: "https://api.example.com", TokenURL: "https://api.example.com/t", ClientID: "c"}, "s", b.admin)
	require.NoError(t, err)
	b.exec(`insert into vendor_deletion (connection_id, external_id, event_id, deleted_at, deleted_by) values ($1::text::uuid, '7', 'e7', now(), '')`, string(other.ID))

	run := b.begun()
	b.stage(run.ID, vendor{accounts: population(10)[7:]})
	for _, id := range []string{"1", "2", "3", "5", "7"} {
		require.NoError(t, b.StageAbsence(t.Context(), run.ID, schema.ExternalID(id), time.Now()))
	}
	found := listedAccount("6")
	found.ObservedAt = time.Now()
	require.NoError(t, b.StageRead(t.Context(), run.ID, found))
	run, err = b.PublishSync(t.Context(), run.ID)
	require.NoError(t, err)
	require.Equal(t, schema.RunQuarantined, run.State, "six of ten are gone")
	run, err = b.ReleaseRun(t.Context(), run.ID, "they left", b.admin)
	require.NoError(t, err)
	require.Equal(t, schema.RunDone, run.State)

	for id, want := range map[string]schema.AccountStatus{
		"1": schema.AccountDeleted, "2": schema.AccountMissing, "3": schema.AccountMissing, "4": schema.AccountMissing,
		"5": schema.AccountDeleted, "6": schema.AccountActive, "7": schema.AccountMissing, "8": schema.AccountActive,
	} {
		require.Equal(t, want, b.known(id).Status, id)
	}
	require.Contains(t, b.changes(run.ID), "account_deleted 1 active -> deleted")

	back := b.sync(vendor{accounts: population(10)})
	require.Contains(t, b.changes(back.ID), "account_returned 1 deleted -> active", "what is listed is there")
}

func TestListingsLeaveServiceAndExternalAccountsOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i, kind := range []schema.AccountKind{schema.KindService, schema.KindExternal, schema.KindApp, schema.KindPerson} {
		a := listedAccount(fmt.Sprint(100 + i))
		a.ConnectionID, a.Kind, a.ObservedAt = b.conn.ID, kind, time.Now()
		_, err := b.SaveAccount(t.Context(), a)
		require.NoError(t, err)
	}
	run := b.begun()
	b.stage(run.ID, vendor{accounts: population(3)})
	absent, err := b.Absent(t.Context(), run.ID, 10)
	require.NoError(t, err)
	require.Equal(t, []schema.ExternalID{"102", "103"}, absent)
	for _, id := range []schema.ExternalID{"100", "101"} {
		require.NoError(t, b.StageAbsence(t.Context(), run.ID, id, time.Now()))
	}
	run, err = b.PublishSync(t.Context(), run.ID)
	require.NoError(t, err)
	require.Empty(t, b.changes(run.ID), "the first sync shows what there is")
	for id, want := range map[string]schema.AccountStatus{
		"100": schema.AccountActive, "101": schema.AccountActive, "102": schema.AccountMissing, "103": schema.AccountMissing,
	} {
		require.Equal(t, want, b.known(id).Status, id)
	}
}

func TestAbsentTellsTheLongestUnreadFirst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	b.absentSync(nil)
	b.absentSync(map[string]bool{"1": true, "4": true}, "1", "4", "5")
	run := b.begun()
	b.stage(run.ID, vendor{accounts: population(10)[5:]})
	absent, err := b.Absent(ctx, run.ID, 3)
	require.NoError(t, err)
	require.Equal(t, []schema.ExternalID{"2", "3", "5"}, absent)
	require.NoError(t, b.StageAbsence(ctx, run.ID, "2", time.Now()))
	a := listedAccount("3")
	a.ObservedAt = time.Now()
	require.NoError(t, b.StageRead(ctx, run.ID, a))
	absent, err = b.Absent(ctx, run.ID, 2)
	require.NoError(t, err)
	require.Len(t, absent, 2)
	require.Equal(t, schema.ExternalID("5"), absent[0])
	require.Contains(t, []schema.ExternalID{"1", "4"}, absent[1])
}

func TestALaterObservationWins(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	b.sync(vendor{accounts: population(10)})
	run := b.begun()
	b.stage(run.ID, vendor{accounts: population(9)})
	// Between listing and publishing, reads by id show: 1 is suspended, 2 deleted by
	// us, 10 and the new 11 are there.
	for id, status := range map[string]schema.AccountStatus{"1": schema.AccountSuspended, "2": schema.AccountDeleted, "10": schema.AccountActive, "11": schema.AccountActive} {
		a := listedAccount(id)
		a.ConnectionID, a.Status, a.ObservedAt = b.conn.ID, status, time.Now()
		_, err := b.SaveAccount(ctx, a)
		require.NoError(t, err)
	}
	run, err := b.PublishSync(ctx, run.ID)
	require.NoError(t, err)
	require.Empty(t, b.changes(run.ID))
	for id, want := range map[string]schema.AccountStatus{
		"1": schema.AccountSuspended, "2": schema.AccountDeleted, "10": schema.AccountActive, "11": schema.AccountActive,
	} {
		require.Equal(t, want, b.known(id).Status, id)
	}
}

func TestSyncsNeverMixUpLogins(t *testing.T) {
	t.Parallel()
	b := setup(t)
	accounts := population(4)
	accounts[0].Login, accounts[0].Name = "ann@example.com", "ann@example.com.au"
	accounts[1].Login, accounts[1].Name = "ann@example.com.au", "ann@example.com"
	accounts[2].Login, accounts[3].Login = "jo", "jo.ann"
	b.sync(vendor{accounts: accounts})
	accounts[1].Login, accounts[0].Login = accounts[0].Login, accounts[1].Login // an exchange of logins
	accounts[2].Login = "JO"
	accounts[3].Status = schema.AccountSuspended
	run := b.sync(vendor{accounts: accounts})
	require.ElementsMatch(t, []string{
		"login 1 ann@example.com -> ann@example.com.au", "login 2 ann@example.com.au -> ann@example.com", "status 4 active -> suspended",
	}, b.changes(run.ID), "ids decide; case is no difference")
	require.Equal(t, schema.AccountActive, b.known("3").Status)
	require.Equal(t, "jo", b.text(`select login_key from account where external_id = '3'`))
}

func (b *bundle) text(sql string, args ...any) (s string) {
	b.t.Helper()
	require.NoError(b.t, b.sql().QueryRow(b.t.Context(), sql, args...).Scan(&s))
	return s
}

func TestReadsOfOneAccountAreChanges(t *testing.T) {
	t.Parallel()
	b := setup(t)
	save := func(a schema.Account, at time.Time) {
		a.ConnectionID, a.ObservedAt = b.conn.ID, at
		_, err := b.SaveAccount(t.Context(), a)
		require.NoError(t, err)
	}
	changes := func() []string {
		rows, err := b.sql().Query(t.Context(), `select kind || ' ' || before || ' -> ' || after from inventory_change where run_id is null order by id`)
		require.NoError(t, err)
		defer rows.Close()
		list := []string{}
		for rows.Next() {
			var s string
			require.NoError(t, rows.Scan(&s))
			list = append(list, s)
		}
		return list
	}
	now := time.Now()
	a := listedAccount("1")
	save(a, now)
	save(a, now.Add(time.Second))
	require.Empty(t, changes(), "it is new, and then the same")
	a.Status, a.Role, a.Kind, a.Login, a.Name = schema.AccountSuspended, schema.RoleCoadmin, schema.KindApp, "other@example.com", "Other"
	save(a, now.Add(-time.Hour))
	require.Empty(t, changes(), "an older observation says nothing")
	save(a, now.Add(2*time.Second))
	require.ElementsMatch(t, []string{
		"status active -> suspended", "role member -> coadmin", "kind person -> app", "login user1@example.com -> other@example.com",
	}, changes())
	require.Equal(t, 4, b.count(`select count(*) from inventory_change where since = $1 and seen_at = $2 and account_id is not null`,
		now.Add(time.Second).Truncate(time.Microsecond), now.Add(2*time.Second).Truncate(time.Microsecond)))
	a.Status = schema.AccountDeleted
	save(a, now.Add(3*time.Second))
	require.Contains(t, changes(), "account_deleted suspended -> deleted")
}
