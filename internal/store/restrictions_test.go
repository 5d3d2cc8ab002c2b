package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/audit"
	"sendoff/schema"
)

// holder is a principal who is a person.
func (b *bundle) holder(name, email string) schema.Principal {
	p := b.principal(name)
	p.Email = email
	return p
}

func (b *bundle) add(r schema.Restriction) schema.Restriction {
	b.t.Helper()
	r.Reason = "counsel asked"
	made, err := b.AddRestriction(b.t.Context(), r, b.admin)
	require.NoError(b.t, err)
	return made
}

// ids returns the restrictions on an account.
func (b *bundle) on(external string) []schema.RestrictionID {
	b.t.Helper()
	list, err := b.RestrictionsOn(b.t.Context(), b.conn.ID, schema.ExternalID(external), "user"+external+"@example.com")
	require.NoError(b.t, err)
	var out []schema.RestrictionID
	for _, r := range list {
		out = append(out, r.ID)
	}
	return out
}

func TestRestrictionsApplyToWhatTheyName(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.leaver("1", "2", "suspend") // makes the person of user1@example.com
	account := b.add(schema.Restriction{Kind: schema.RestrictProtection, Subject: schema.SubjectAccount, ConnectionID: b.conn.ID, ExternalID: "1"})
	person := b.add(schema.Restriction{Kind: schema.RestrictHold, Subject: schema.SubjectPerson, Email: "User1@Example.com", Matter: "A v. B"})
	pattern := b.add(schema.Restriction{Kind: schema.RestrictProtection, Subject: schema.SubjectPattern, Pattern: "user?@EXAMPLE.*"})
	here := b.add(schema.Restriction{Kind: schema.RestrictProtection, Subject: schema.SubjectPattern, Pattern: "user1*", ConnectionID: b.conn.ID})
	odd := b.add(schema.Restriction{Kind: schema.RestrictProtection, Subject: schema.SubjectPattern, Pattern: "user%_*"})

	require.Equal(t, []schema.RestrictionID{account.ID, person.ID, pattern.ID, here.ID}, b.on("1"))
	require.Equal(t, []schema.RestrictionID{pattern.ID}, b.on("3"))
	require.Empty(t, b.on("33"), "? is one character")
	list, err := b.RestrictionsOn(t.Context(), b.conn.ID, "9", "user%_x")
	require.NoError(t, err)
	require.Equal(t, odd.ID, list[0].ID, "%% and _ mean themselves")
	elsewhere, err := b.RestrictionsOn(t.Context(), "0197c0de-0000-7000-8000-000000000009", "1", "user1@example.com")
	require.NoError(t, err)
	require.Len(t, elsewhere, 2, "the account and the pattern of the other connection do not apply")
	require.Equal(t, "user1@example.com", person.Email)
	require.Equal(t, "admin", person.CreatedBy)
	require.False(t, person.CreatedAt.IsZero())
}

// reconnect removes the connection and makes another to the same enterprise.
func (b *bundle) reconnect() {
	b.t.Helper()
	_, err := b.SetConnectionState(b.t.Context(), b.conn.Name, schema.ConnectionRemoved, "new credentials", b.admin)
	require.NoError(b.t, err)
	b.conn, err = b.CreateConnection(b.t.Context(), schema.Connection{Name: b.conn.Name, Vendor: "box", EnterpriseID: "900"}, "hunter2", b.admin)
	require.NoError(b.t, err)
}

func TestRestrictionsOutliveTheirConnection(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.leaver("1", "2", "suspend") // makes the person of user1@example.com
	b.decide(p, schema.DecideCancel)
	require.NoError(t, b.EndPlan(t.Context(), p.ID, schema.PlanCancelled))
	account := b.add(schema.Restriction{Kind: schema.RestrictHold, Subject: schema.SubjectAccount, ConnectionID: b.conn.ID, ExternalID: "1"})
	person := b.add(schema.Restriction{Kind: schema.RestrictHold, Subject: schema.SubjectPerson, Email: "user1@example.com"})
	pattern := b.add(schema.Restriction{Kind: schema.RestrictHold, Subject: schema.SubjectPattern, Pattern: "user1*", ConnectionID: b.conn.ID})
	own := b.admin
	own.Email = "user1@example.com"

	b.reconnect()

	b.account("1")
	require.Equal(t, []schema.RestrictionID{account.ID, person.ID, pattern.ID}, b.on("1"))
	list, err := b.RestrictionsOn(t.Context(), b.conn.ID, "1", "renamed@example.com")
	require.NoError(t, err)
	require.Len(t, list, 2, "the account and its person, as it was known over the old connection")
	_, err = b.EndRestriction(t.Context(), schema.RestrictHold, account.ID, "over", own)
	requireCode(t, schema.CodeForbidden, err)
	elsewhere, err := b.CreateConnection(t.Context(), schema.Connection{Name: "other", Vendor: "box", EnterpriseID: "901"}, "hunter2", b.admin)
	require.NoError(t, err)
	list, err = b.RestrictionsOn(t.Context(), elsewhere.ID, "1", "nobody@example.com")
	require.NoError(t, err)
	require.Empty(t, list, "the same id in another enterprise is another account")
}

// rename lets the vendor give an account another login.
func (b *bundle) rename(external, login string) {
	b.t.Helper()
	a := b.account(external)
	a.Login, a.ObservedAt = login, time.Now()
	_, err := b.SaveAccount(b.t.Context(), a)
	require.NoError(b.t, err)
}

func TestARestrictionOnAPersonOutlivesTheirLogin(t *testing.T) {
	t.Parallel()
	hold := schema.Restriction{Kind: schema.RestrictHold, Subject: schema.SubjectPerson, Email: "User1@example.com"}
	renamed := func(t *testing.T, b *bundle) {
		t.Helper()
		b.rename("1", "married@example.com")
		list, err := b.RestrictionsOn(t.Context(), b.conn.ID, "1", "married@example.com")
		require.NoError(t, err)
		require.Len(t, list, 1)
	}
	t.Run("of an account known before it", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.account("1")
		b.add(hold)
		renamed(t, b)
	})
	t.Run("of an account seen after it", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.add(hold)
		b.account("1")
		renamed(t, b)
	})
	t.Run("also once a case names the account by its new address", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.account("1")
		held := b.add(hold)
		renamed(t, b)
		d := b.draft("1", "2", "suspend")
		d.Request.Email = "married@example.com"
		b.write(d)
		renamed(t, b)
		_, err := b.EndRestriction(t.Context(), schema.RestrictHold, held.ID, "over", schema.Principal{
			TokenID: b.admin.TokenID, Name: "self", Email: "married@example.com",
		})
		requireCode(t, schema.CodeForbidden, err)
	})
}

func TestRestrictionsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	good := schema.Restriction{Kind: schema.RestrictHold, Subject: schema.SubjectPattern, Pattern: "svc-*@example.com", Reason: "why"}
	for name, change := range map[string]func(*schema.Restriction){
		"everything":         func(r *schema.Restriction) { r.Pattern = "*" },
		"every address":      func(r *schema.Restriction) { r.Pattern = "*@*.*" },
		"nothing":            func(r *schema.Restriction) { r.Pattern = "" },
		"one login":          func(r *schema.Restriction) { r.Pattern = "ada@example.com" },
		"no reason":          func(r *schema.Restriction) { r.Reason = " " },
		"unknown kind":       func(r *schema.Restriction) { r.Kind = "ban" },
		"unknown subject":    func(r *schema.Restriction) { r.Subject = "team" },
		"no address":         func(r *schema.Restriction) { r.Subject = schema.SubjectPerson },
		"no account":         func(r *schema.Restriction) { r.Subject = schema.SubjectAccount },
		"an expiry long ago": func(r *schema.Restriction) { r.ExpiresAt = time.Now().Add(-time.Hour) },
	} {
		r := good
		change(&r)
		_, err := b.AddRestriction(t.Context(), r, b.admin)
		require.Equal(t, schema.CodeInvalid, schema.CodeOf(err), name)
	}
	unknown := good
	unknown.ConnectionID = "0197c0de-0000-7000-8000-000000000009"
	_, err := b.AddRestriction(t.Context(), unknown, b.admin)
	requireCode(t, schema.CodeNotFound, err)
	_, err = b.AddRestriction(t.Context(), good, schema.Principal{})
	requireCode(t, schema.CodeUnauthorized, err)
	list, _, err := b.ListRestrictions(t.Context(), schema.RestrictHold, true, "", 10)
	require.NoError(t, err)
	require.Empty(t, list)
}

func TestARestrictionEndsOnceAndNeverByWhomItIsOn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	b.leaver("1", "2", "suspend")
	own := b.holder("one", "USER1@example.com")
	for name, r := range map[string]schema.Restriction{
		"their account":  {Kind: schema.RestrictProtection, Subject: schema.SubjectAccount, ConnectionID: b.conn.ID, ExternalID: "1"},
		"their person":   {Kind: schema.RestrictProtection, Subject: schema.SubjectPerson, Email: "user1@example.com"},
		"their login":    {Kind: schema.RestrictProtection, Subject: schema.SubjectPattern, Pattern: "user1@*"},
		"their accounts": {Kind: schema.RestrictProtection, Subject: schema.SubjectPattern, Pattern: "user*", ConnectionID: b.conn.ID},
	} {
		made := b.add(r)
		_, err := b.EndRestriction(ctx, r.Kind, made.ID, "I may go", own)
		require.Equal(t, schema.CodeForbidden, schema.CodeOf(err), name)
		_, err = b.EndRestriction(ctx, schema.RestrictHold, made.ID, "wrong kind", b.admin)
		requireCode(t, schema.CodeNotFound, err)
		_, err = b.EndRestriction(ctx, r.Kind, made.ID, "", b.admin)
		requireCode(t, schema.CodeInvalid, err)
		ended, err := b.EndRestriction(ctx, r.Kind, made.ID, "settled", b.holder("other "+name, "boss@example.org"))
		require.NoError(t, err)
		require.Equal(t, "settled", ended.EndReason)
		_, err = b.EndRestriction(ctx, r.Kind, made.ID, "again", b.admin)
		requireCode(t, schema.CodeConflict, err)
	}
	require.Empty(t, b.on("1"))
	during := func(from, to time.Time) int {
		list, err := b.RestrictionsDuring(ctx, b.conn.ID, "1", "user1@example.com", from, to)
		require.NoError(t, err)
		return len(list)
	}
	now := time.Now()
	require.Equal(t, 4, during(now.Add(-time.Hour), now.Add(time.Hour)), "all applied in that time")
	require.Zero(t, during(now.Add(time.Hour), now.Add(2*time.Hour)))
	require.Zero(t, during(now.Add(-2*time.Hour), now.Add(-time.Hour)))
}

func TestRestrictionsAreListedNewestFirst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	var want []schema.RestrictionID
	for i := range 3 {
		want = append([]schema.RestrictionID{b.add(schema.Restriction{Kind: schema.RestrictHold, Subject: schema.SubjectPerson, Email: fmt.Sprintf("p%d@example.com", i)}).ID}, want...)
	}
	b.add(schema.Restriction{Kind: schema.RestrictProtection, Subject: schema.SubjectPerson, Email: "p@example.com"})
	_, err := b.EndRestriction(ctx, schema.RestrictHold, want[1], "over", b.admin)
	require.NoError(t, err)
	b.exec(`update restriction set expires_at = now() - interval '1 hour' where id = $1`, string(want[2]))

	list, next, err := b.ListRestrictions(ctx, schema.RestrictHold, false, "", 10)
	require.NoError(t, err)
	require.Empty(t, next)
	require.Len(t, list, 1)
	require.Equal(t, want[0], list[0].ID)

	var all []schema.RestrictionID
	after := ""
	for {
		list, next, err := b.ListRestrictions(ctx, schema.RestrictHold, true, after, 2)
		require.NoError(t, err)
		for _, r := range list {
			all = append(all, r.ID)
		}
		if after = next; after == "" {
			break
		}
	}
	require.Equal(t, want, all)
}

// TestAHoldStopsTheNextWriteThatItForbids adds them while a plan runs (promise 6).
func TestAHoldStopsTheNextWriteThatItForbids(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	p := b.leaver("1", "2", "leaver")
	ref := b.through(p.ID, 1)
	hold := b.add(schema.Restriction{Kind: schema.RestrictHold, Subject: schema.SubjectPerson, Email: "user1@example.com"})
	require.NoError(t, b.IntendWrite(ctx, ref, schema.VendorWrite{Op: "suspend"}), "a hold lets the account be suspended")
	require.NoError(t, b.CompleteStep(ctx, ref, schema.StepDone, nil))
	require.NoError(t, b.CompleteStep(ctx, b.begin(p.ID, 2), schema.StepDone, nil))
	ref = b.begin(p.ID, 3)
	_, err := b.EnterLane(ctx, ref, schema.Transfer{Source: "1", Receiver: "2"})
	require.NoError(t, err)
	_, err = b.markSent(ref)
	requireCode(t, schema.CodeHeld, err)
	_, err = b.EndRestriction(ctx, schema.RestrictHold, hold.ID, "released", b.admin)
	require.NoError(t, err)
	protection := b.add(schema.Restriction{Kind: schema.RestrictProtection, Subject: schema.SubjectPattern, Pattern: "user1*"})
	_, err = b.markSent(ref)
	requireCode(t, schema.CodeProtected, err)
	_, err = b.EndRestriction(ctx, schema.RestrictProtection, protection.ID, "no need", b.admin)
	require.NoError(t, err)
	_, err = b.markSent(ref)
	require.NoError(t, err)
}

// TestAHoldWaitsForWritesBeingJournalled stands in for a write that is about to
// commit its intent: the hold is not there before that is.
func TestAHoldWaitsForWritesBeingJournalled(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	write, err := b.sql().Begin(ctx)
	require.NoError(t, err)
	_, err = write.Exec(ctx, `select pg_advisory_xact_lock_shared(hashtextextended('restrictions', 0))`)
	require.NoError(t, err)
	added := make(chan error, 1)
	go func() {
		_, err := b.AddRestriction(ctx, schema.Restriction{Kind: schema.RestrictHold, Subject: schema.SubjectPerson, Email: "user1@example.com", Reason: "now"}, b.admin)
		added <- err
	}()
	look := b.sql()
	require.Eventually(t, func() bool {
		waits := false
		err := look.QueryRow(ctx, `select exists (select 1 from pg_locks where locktype = 'advisory' and not granted
			and database = (select oid from pg_database where datname = current_database()))`).Scan(&waits)
		return err == nil && waits
	}, 10*time.Second, 5*time.Millisecond)
	require.Empty(t, b.on("1"))
	require.NoError(t, write.Commit(ctx))
	require.NoError(t, <-added)
	require.Len(t, b.on("1"), 1)
}

func TestRestrictionsAreAudited(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	hold := b.add(schema.Restriction{Kind: schema.RestrictHold, Subject: schema.SubjectPerson, Email: "new.person@example.com", Matter: "A v. B"})
	_, err := b.EndRestriction(ctx, schema.RestrictHold, hold.ID, "settled", b.admin)
	require.NoError(t, err)
	account := b.add(schema.Restriction{Kind: schema.RestrictProtection, Subject: schema.SubjectAccount, ConnectionID: b.conn.ID, ExternalID: "7"})
	pattern := b.add(schema.Restriction{Kind: schema.RestrictProtection, Subject: schema.SubjectPattern, Pattern: "svc-*"})

	var person string
	require.NoError(t, b.sql().QueryRow(ctx, `select id::text from person where email = 'new.person@example.com'`).Scan(&person))
	of := b.auditOf(audit.PersonStream(person))
	require.Equal(t, "hold.added", of[0].Action)
	require.Equal(t, "hold.ended", of[1].Action)
	require.Equal(t, string(hold.ID), of[0].Subject.HoldID)
	require.Equal(t, map[string]string{"kind": "hold", "subject": "person", "reason": "counsel asked", "matter": "A v. B", "expires_at": ""}, of[0].Details)
	require.Equal(t, "settled", of[1].Details["reason"])
	of = b.auditOf(audit.ConnectionStream(string(b.conn.ID)))
	require.Equal(t, string(account.ID), of[len(of)-1].Subject.HoldID)
	require.Equal(t, "7", of[len(of)-1].Details["account"])
	of = b.auditOf(audit.SystemStream)
	require.Equal(t, string(pattern.ID), of[len(of)-1].Subject.HoldID)
	require.Equal(t, "svc-*", of[len(of)-1].Details["pattern"])
}

// auditOf reads a stream.
func (b *bundle) auditOf(stream string) []audit.Event {
	b.t.Helper()
	rows, err := b.sql().Query(b.t.Context(), `select body from audit_record where stream = $1 order by seq`, stream)
	require.NoError(b.t, err)
	defer rows.Close()
	var out []audit.Event
	for rows.Next() {
		var body []byte
		require.NoError(b.t, rows.Scan(&body))
		e, err := audit.ParseEvent(body)
		require.NoError(b.t, err)
		out = append(out, e)
	}
	return out
}
