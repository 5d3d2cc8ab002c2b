package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/connectors"
	"sendoff/schema"
)

// hold puts a hold or protection on the leaver's account.
func (b *bundle) restrict(kind schema.RestrictionKind) schema.Restriction {
	b.t.Helper()
	r, err := b.AddRestriction(b.t.Context(), schema.Restriction{
		Kind: kind, Subject: schema.SubjectAccount, ConnectionID: b.conn.ID, ExternalID: leaver, Reason: "test",
	}, b.admin)
	require.NoError(b.t, err)
	return r
}

func (b *bundle) lift(r schema.Restriction) {
	b.t.Helper()
	_, err := b.EndRestriction(b.t.Context(), r.Kind, r.ID, "test", b.admin)
	require.NoError(b.t, err)
}

// TestDraftRestraint: pre-flight refuses what holds and protections forbid.
func TestDraftRestraint(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		template string
		given    func(b *bundle)
		want     []string
	}{
		"a hold forbids to move content":     {"leaver", func(b *bundle) { b.restrict(schema.RestrictHold) }, []string{"SOURCE_ON_HOLD"}},
		"and allows to suspend":              {"suspend", func(b *bundle) { b.restrict(schema.RestrictHold) }, []string{"(SOURCE_ON_HOLD)"}},
		"a protection forbids everything":    {"suspend", func(b *bundle) { b.restrict(schema.RestrictProtection) }, []string{"SOURCE_PROTECTED"}},
		"so does the vendor's legal hold":    {"leaver", func(b *bundle) { b.vendor.holds.Legal = []schema.ExternalID{"7"} }, []string{"SOURCE_ON_HOLD"}},
		"holds that cannot be read":          {"leaver", func(b *bundle) { b.vendor.errs["holds"] = []error{failure(connectors.Forbidden)} }, []string{"HOLDS_UNREADABLE"}},
		"which a transfer alone may pass":    {"transfer", func(b *bundle) { b.vendor.errs["holds"] = []error{failure(connectors.NotFound)} }, []string{"(HOLDS_UNREADABLE)"}},
		"a vendor that fails fails the plan": {"leaver", func(b *bundle) { b.vendor.errs["holds"] = []error{failure(connectors.Unavailable)} }, []string{"CONNECTION_DEGRADED"}},
		"retention is said":                  {"leaver", func(b *bundle) { b.vendor.holds.Retention = true }, []string{"(RETENTION_PRESENT)"}},
		"an application without the scope": {"leaver", func(b *bundle) {
			b.vendor.errs["survey"] = []error{&connectors.Error{Kind: connectors.Forbidden, Code: "insufficient_scope"}}
		}, []string{"SCOPE_MISSING"}},
		"content that may not be looked at": {"leaver", func(b *bundle) { b.vendor.errs["survey"] = []error{failure(connectors.Forbidden)} }, []string{"(CONTENT_NOT_READ)"}},
		"content that somebody should know of": {"leaver", func(b *bundle) {
			b.vendor.surveyed = schema.ContentSurvey{Items: 3, SharedItems: 2, FileShares: 1, OpenLinks: 1, LockedFolders: 1, Trash: 30, TrashedLately: 30}
		}, []string{
			"(TRASH_PRESENT)", "(MASS_TRASH_RECENT)", "(FILE_SHARES_WILL_DIE)", "(OPEN_LINKS)", "(LOCKED_FOLDERS)", "(CONTENT_FROZEN)", "(RELAY_NOT_COLLECTED)",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			c.given(b)
			r := request(c.template)
			if c.template != "suspend" {
				r = request(c.template, heirLogin)
			}
			require.Equal(t, c.want, findings(b.draft(r)[0].AllFindings()))
		})
	}
}

// TestRestraintInHash: what holds is part of what is approved (promise 5).
func TestRestraintInHash(t *testing.T) {
	t.Parallel()
	b := setup(t)
	free := b.draft(request("suspend"))[0]
	r := b.restrict(schema.RestrictHold)
	held := b.draft(request("suspend"))[0]
	require.NotEqual(t, free.Hash, held.Hash)
	require.Equal(t, []string{"hold:" + string(r.ID)}, held.Accounts[0].Facts.Restrictions)
}

// TestHoldsAtTheCall: a restraint that appears after the plan was made stops the
// next irreversible call, and lets it pass once it is gone (promise 6).
func TestHoldsAtTheCall(t *testing.T) {
	t.Parallel()

	t.Run("before a transfer", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.intended()
		r := b.restrict(schema.RestrictHold)
		_, err := b.send(ref)
		requireParks(t, err, schema.ParkOnHold)
		require.Zero(t, b.vendor.count("send"))
		b.lift(r)
		_, err = b.send(ref)
		require.NoError(t, err)
		require.Equal(t, 1, b.vendor.count("send"))
	})

	t.Run("between the last look and the send", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.intended()
		b.vendor.during["prepare"] = func() { b.restrict(schema.RestrictHold) }
		_, err := b.send(ref)
		requireType(t, err, activities.TypeOf(schema.CodeHeld), false)
		require.Zero(t, b.vendor.count("send"))
	})

	for name, c := range map[string]struct {
		given func(b *bundle)
		park  schema.ParkCode
	}{
		"before a delete: our hold":          {func(b *bundle) { b.restrict(schema.RestrictHold) }, schema.ParkOnHold},
		"before a delete: protection":        {func(b *bundle) { b.restrict(schema.RestrictProtection) }, schema.ParkSourceProtected},
		"before a delete: legal hold":        {func(b *bundle) { b.vendor.holds.Legal = []schema.ExternalID{"7"} }, schema.ParkOnHold},
		"before a delete: unreadable holds":  {func(b *bundle) { b.vendor.errs["holds"] = []error{failure(connectors.Forbidden)} }, schema.ParkHoldsUnreadable},
		"before a delete: the role":          {func(b *bundle) { b.vendor.change(leaver, func(a *schema.Account) { a.Role = schema.RoleCoadmin }) }, schema.ParkSourceProtected},
		"before a delete: a service account": {func(b *bundle) { b.vendor.change(leaver, func(a *schema.Account) { a.Kind = schema.KindService }) }, schema.ParkSourceProtected},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ref := b.moved()
			c.given(b)
			_, err := b.delete(ref)
			requireParks(t, err, c.park)
			require.Zero(t, b.deletes())
		})
	}

	t.Run("a hold of the person, by address, in another spelling", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.moved()
		_, err := b.AddRestriction(t.Context(), schema.Restriction{Kind: schema.RestrictHold, Subject: schema.SubjectPerson, Email: "LEAVER@example.com", Reason: "test"}, b.admin)
		require.NoError(t, err)
		_, err = b.delete(ref)
		requireParks(t, err, schema.ParkOnHold)
	})

	t.Run("a protection by pattern stops even a suspend", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.leave(schema.StepSuspend, "suspend")
		_, err := b.AddRestriction(t.Context(), schema.Restriction{Kind: schema.RestrictProtection, Subject: schema.SubjectPattern, Pattern: "lea*@example.com", Reason: "test"}, b.admin)
		require.NoError(t, err)
		requireType(t, b.step(b.acts.Suspend, ref), activities.TypeOf(schema.CodeProtected), false)
		require.Empty(t, b.vendor.writes())
	})

	t.Run("a declaration stands in for holds that cannot be read, until it ends", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.vendor.during["holds"] = func() {
			b.vendor.mu.Lock()
			defer b.vendor.mu.Unlock()
			b.vendor.errs["holds"] = []error{failure(connectors.Forbidden)}
		}
		declare := func(until time.Duration) {
			_, err := b.DeclareNoHolds(t.Context(), b.conn.Name, schema.Declaration{Reason: "no governance licence", ExpiresAt: time.Now().Add(until)}, b.admin)
			require.NoError(t, err)
		}
		declare(time.Hour)
		ref := b.moved()
		b.exec("update no_holds_declaration set expires_at = now()")
		_, err := b.delete(ref)
		requireParks(t, err, schema.ParkHoldsUnreadable)
		declare(time.Hour)
		s, err := b.delete(ref)
		require.NoError(t, err)
		require.True(t, s.Deleted)
		require.Equal(t, schema.HoldsDeclared, b.plan(ref.PlanID).Facts.Holds)
	})
}
