package activities_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
	"sendoff/connectors/simkit"
	"sendoff/schema"
)

// changesOf lists the changes that were seen, oldest first.
func (s *survey) changesOf() (kinds []schema.ChangeKind) {
	s.t.Helper()
	report, err := s.ReportChanges(s.t.Context(), schema.ChangeFilter{ConnectionID: s.box.ID, Limit: 500}, s.now())
	require.NoError(s.t, err)
	for i := len(report.Rows) - 1; i >= 0; i-- {
		kinds = append(kinds, report.Rows[i].Kind)
	}
	return kinds
}

// atVendor makes a request that somebody makes at the vendor, as its admin.
func (s *survey) atVendor(method, path string) {
	s.t.Helper()
	resp, err := http.PostForm(s.vendor.TokenURL, url.Values{
		"grant_type": {"client_credentials"}, "client_id": {s.vendor.ClientID}, "client_secret": {s.vendor.ClientSecret},
		"box_subject_type": {"user"}, "box_subject_id": {s.vendor.AdminID},
	})
	require.NoError(s.t, err)
	defer func() { _ = resp.Body.Close() }()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(s.t, json.NewDecoder(resp.Body).Decode(&token))
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.vendor.BaseURL+path, nil)
	require.NoError(s.t, err)
	req.Header.Set("Authorization", "Bearer "+token.AccessToken)
	done, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	require.NoError(s.t, done.Body.Close())
	require.Less(s.t, done.StatusCode, 300)
}

// count counts the connection's rows of a table.
func (s *survey) count(table string) (n int) {
	s.t.Helper()
	conn, err := pgx.Connect(s.t.Context(), s.url)
	require.NoError(s.t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	require.NoError(s.t, conn.QueryRow(s.t.Context(), "select count(*) from "+table+" where connection_id = $1", s.box.ID).Scan(&n))
	return n
}

func (s *survey) hire(spec boxsim.UserSpec) string {
	s.t.Helper()
	id, err := s.sim.AddUser(spec)
	require.NoError(s.t, err)
	return id
}

func TestSyncKnowsWhatTheVendorHas(t *testing.T) {
	t.Parallel()
	s := newSurvey(t, boxsim.Config{Users: 30})
	suspended := s.hire(boxsim.UserSpec{Name: "Sus Pended", Login: "sus@example.com", Status: "inactive"})
	s.hire(boxsim.UserSpec{Name: "Res Tricted", Login: "res@example.com", Status: "cannot_delete_edit"})
	_, err := s.sim.AddGroup(boxsim.GroupSpec{Name: "Everybody", AllUsers: true})
	require.NoError(t, err)
	_, err = s.sim.AddGroup(boxsim.GroupSpec{Name: "Finance", Members: []string{suspended}})
	require.NoError(t, err)

	run := s.sync()

	require.Equal(t, schema.RunDone, run.State)
	require.True(t, run.Baseline)
	require.Equal(t, schema.AccountSuspended, s.known("sus@example.com").Status)
	require.Equal(t, schema.AccountRestricted, s.known("res@example.com").Status)
	require.Empty(t, s.changesOf(), "nothing in the first sync is a change")

	second := s.sync()
	require.False(t, second.Baseline)
	require.Empty(t, s.changesOf())
}

// A login that begins like another's, or is another account's display name, is
// nobody else's.
func TestSyncMixesUpNobody(t *testing.T) {
	t.Parallel()
	s := newSurvey(t, boxsim.Config{Users: 10})
	ids := map[string]string{}
	for login, name := range map[string]string{
		"ann@example.com": "Ann", "ann@example.com.au": "ann@example.com", "Bob@Example.com": "Bob", "bobby@example.com": "bob@example.com",
	} {
		ids[login] = s.hire(boxsim.UserSpec{Name: name, Login: login})
	}
	s.sync()
	for login, id := range ids {
		require.Equal(t, schema.ExternalID(id), s.known(login).ExternalID, login)
	}
}

// Killed after any page, the listing goes on there and ends with the same rows.
func TestSyncGoesOnAtItsPage(t *testing.T) {
	t.Parallel()
	s := newSurvey(t, boxsim.Config{Volume: boxsim.Volume{Users: 3500, Groups: 12, Memberships: 300}})
	require.NoError(t, s.sim.AddFaults(
		simkit.Fault{Op: "users.list", Attempt: 4, Action: simkit.ActionTruncate},
		simkit.Fault{Op: "users.list", Attempt: 6, Action: simkit.ActionDropAfter},
		simkit.Fault{Op: "groups.memberships", Attempt: 5, Action: simkit.ActionStatus, Status: 503},
	))
	run := s.begin(schema.RunSync)
	require.Nil(t, s.examine(run.ID).Cause)
	tries := 0
	require.Eventually(t, func() bool { tries++; return s.try(s.inventory.ListAccounts, run.ID) == nil }, 20*time.Second, time.Millisecond)
	require.Greater(t, tries, 1, "a page that is cut in half costs a try")
	at, err := s.Progress(t.Context(), run.ID, schema.DataAccounts)
	require.NoError(t, err)
	require.Equal(t, 1, at.Generation)
	require.Equal(t, 4, at.Pages, "no page is stored twice")
	s.must(s.inventory.ListGroups, run.ID)
	require.Eventually(t, func() bool { return s.try(s.inventory.ListMemberships, run.ID) == nil }, 20*time.Second, time.Millisecond)
	s.must(s.inventory.ListCollaborations, run.ID)
	s.must(s.inventory.CheckAbsences, run.ID)
	require.Equal(t, schema.RunDone, s.publish(run.ID).State)
	require.Equal(t, 3501, s.count("account"))
	require.Equal(t, 300, s.count("group_membership"))
}

// An account that the listing leaves out is read by id before it is missed, and
// it is not deleted because it is not found.
func TestSyncReadsWhatTheListingLeftOut(t *testing.T) {
	t.Parallel()
	s := newSurvey(t, boxsim.Config{Users: 30})
	gone := s.hire(boxsim.UserSpec{Name: "Go Ne", Login: "gone@example.com"})
	s.sync()
	s.atVendor(http.MethodDelete, "/2.0/users/"+gone)
	run := s.begin(schema.RunSync)
	require.Nil(t, s.examine(run.ID).Cause)
	s.list(run.ID)
	require.Equal(t, schema.RunDone, s.publish(run.ID).State)
	require.Equal(t, schema.AccountMissing, s.known("gone@example.com").Status)
	require.Equal(t, []schema.ChangeKind{schema.ChangeAccountMissing}, s.changesOf())
}

// Events count once, whoever's they are, and grades are proven by what was read.
func TestActivityIsReadOnceAndGraded(t *testing.T) {
	t.Parallel()
	s := newSurvey(t, boxsim.Config{Users: 5})
	now := time.Now().UTC()
	old := now.Add(-300 * 24 * time.Hour)
	busy := s.hire(boxsim.UserSpec{Name: "Bu Sy", Login: "busy@example.com", CreatedAt: old})
	s.hire(boxsim.UserSpec{Name: "Si Lent", Login: "silent@example.com", CreatedAt: old})
	s.hire(boxsim.UserSpec{Name: "Ne Ver", Login: "never@example.com", CreatedAt: now.Add(-24 * time.Hour)})
	watched := s.hire(boxsim.UserSpec{Name: "Wat Ched", Login: "watched@example.com", CreatedAt: old})
	s.emit(boxsim.EventSpec{Type: "PREVIEW", CreatedBy: busy, Time: now.Add(-48 * time.Hour)})
	s.emit(boxsim.EventSpec{Type: "ADMIN_LOGIN", CreatedBy: s.vendor.AdminID, SourceUser: watched, Time: now.Add(-48 * time.Hour)})
	s.sync()

	require.Equal(t, schema.GradeNotCollected, s.grade("busy@example.com"))
	s.read()
	require.Equal(t, schema.GradeActive, s.grade("busy@example.com"))
	require.Equal(t, schema.GradeInactive, s.grade("silent@example.com"))
	require.Equal(t, schema.GradeNever, s.grade("never@example.com"))
	require.Equal(t, schema.GradeInactive, s.grade("watched@example.com"), "that an administrator signed in as them is not their use")

	last := s.known("busy@example.com").LastActiveAt
	s.emit(boxsim.EventSpec{Type: "LOGIN", CreatedBy: busy, Time: now.Add(time.Second)})
	require.Eventually(t, func() bool { s.read(); return s.known("busy@example.com").LastActiveAt.After(last) }, 20*time.Second, 50*time.Millisecond)
	require.Equal(t, "LOGIN", s.known("busy@example.com").LastEvent)
}

func (s *survey) emit(e boxsim.EventSpec) {
	s.t.Helper()
	_, err := s.sim.Emit(e)
	require.NoError(s.t, err)
}

func (s *survey) grade(login string) schema.Grade {
	s.t.Helper()
	sources, created, err := s.ActivityOf(s.t.Context(), s.known(login).ID)
	require.NoError(s.t, err)
	return schema.GradeOf(sources, 90*24*time.Hour, created, time.Now())
}

// Without the right to read events everything else is known, and activity is
// said not to be.
func TestActivityThatMayNotBeReadIsSaidSo(t *testing.T) {
	t.Parallel()
	s := newSurvey(t, boxsim.Config{Users: 5, Switches: boxsim.Switches{PlanWithoutEvents: true}})
	run := s.begin(schema.RunActivity)
	out := s.examine(run.ID)
	require.Nil(t, out.Cause)
	require.Contains(t, out.Without, schema.DataActivity)
	s.end(run.ID)
	require.Equal(t, schema.RunDone, s.sync().State)
	require.Equal(t, schema.GradeNotCollected, s.grade("admin@example.com"))
}

// The owner is told once of what is wrong, however often the doctor looks.
func TestOwnerIsToldOnce(t *testing.T) {
	t.Parallel()
	s := newSurvey(t, boxsim.Config{Users: 5})
	s.sync()
	require.NoError(t, s.sim.SetSwitches(boxsim.Switches{AppState: "disabled"}))
	for range 3 {
		run := s.begin(schema.RunProbe)
		out := s.examine(run.ID)
		require.NotNil(t, out.Cause)
		require.Equal(t, string(schema.ProbeIntegrationRemoved), out.Cause.Code)
		s.end(run.ID)
		s.must(s.inventory.TellOwner, run.ID)
	}
	require.Len(t, s.told.notices, 1)
	require.Equal(t, []string{"owner@example.com"}, s.told.notices[0].To)
	require.Contains(t, s.told.notices[0].Message, "INTEGRATION_REMOVED")
}

// A group with more members than paging reaches is known in part, and the sync
// says so and is applied.
func TestSyncOfAGroupThatIsTooLong(t *testing.T) {
	t.Parallel()
	s := newSurvey(t, boxsim.Config{Volume: boxsim.Volume{Users: 11_000, Groups: 1, Memberships: 10_900}})
	run := s.sync()
	require.Equal(t, schema.RunDone, run.State)
	for _, d := range run.Datasets {
		if d.Dataset == schema.DataMemberships {
			require.Equal(t, schema.DatasetPartial, d.State)
			require.Equal(t, schema.ReasonGroupsRefused, d.Reason)
		}
	}
	require.Positive(t, s.count("group_membership"))
}

// TestAPositionIsGivenUpInTime: reading the past may take a day, after which the
// stream must still know the position.
func TestAPositionIsGivenUpInTime(t *testing.T) {
	t.Parallel()
	s := newSurvey(t, boxsim.Config{Users: 12})
	s.read()
	for age, anew := range map[string]bool{"11 days": false, "13 days 12 hours": true} {
		s.exec(`update activity_feed set live_at = now() - $1::text::interval where connection_id = $2::text::uuid`, age, string(s.box.ID))
		run := s.begin(schema.RunActivity)
		s.must(s.inventory.BeginFeed, run.ID)
		s.end(run.ID)
		f, err := s.Feed(t.Context(), s.box.ID, "box.events")
		require.NoError(t, err)
		require.Equal(t, anew, time.Since(f.LiveAt) < time.Hour, age)
	}
}
