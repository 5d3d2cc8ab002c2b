package activities_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"

	"sendoff/activities"
	"sendoff/schema"
)

// tells applies rules: IT is told of everything, and the manager of what is planned.
func (b *bundle) tells() {
	b.t.Helper()
	_, err := b.ApplyNoticeRules(b.t.Context(), schema.NoticeRules{Source: "rules", Routes: []schema.NoticeRoute{
		{Audience: schema.AudienceIT, Events: schema.NoticeEvents(), Channel: schema.ChannelSlack, To: []string{"it"}},
		{Audience: schema.AudienceManager, Events: []schema.NoticeEvent{schema.NoticePlanned}, Channel: schema.ChannelMail},
	}, Texts: map[schema.NoticeEvent]string{schema.NoticeParked: "{{person}}: {{cause}}\n{{fix}}\n{{accounts}}\n{{evidence}}"}}, b.admin)
	require.NoError(b.t, err)
}

// queued returns the case's notice of an event for an audience.
func (b *bundle) queued(id schema.CaseID, event schema.NoticeEvent, audience schema.Audience) schema.QueuedNotice {
	b.t.Helper()
	list, _, err := b.ListNotices(b.t.Context(), schema.NoticeFilter{CaseID: id, Limit: 100})
	require.NoError(b.t, err)
	for _, n := range list {
		if n.Event == event && n.Audience == audience {
			return n
		}
	}
	require.Fail(b.t, "there is no such notice")
	return schema.QueuedNotice{}
}

// deliver runs an activity of notices as a worker does.
func (b *bundle) deliver(store activities.NoticeRecords, id schema.NoticeID, abandon ...bool) error {
	b.t.Helper()
	d := activities.NewDeliveries(activities.DeliveriesConfig{Store: store, Notifier: b.mail, PublicURL: "https://sendoff.example.com/"})
	env := b.activityEnv(worker.Options{})
	env.RegisterActivity(d)
	run := d.DeliverNotice
	if len(abandon) > 0 {
		run = d.AbandonNotice
	}
	_, err := env.ExecuteActivity(run, activities.DeliverInput{NoticeID: id})
	return err
}

func (b *bundle) noticed(id schema.NoticeID) schema.QueuedNotice {
	b.t.Helper()
	n, err := b.QueuedNotice(b.t.Context(), id)
	require.NoError(b.t, err)
	return n
}

func TestDeliverNotice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.tells()
	p := b.open(request("leaver", heirLogin))
	require.NoError(t, b.ParkPlan(t.Context(), p.ID, schema.Cause{
		Code: schema.ParkTransferRefused, Step: schema.StepTransfer, Message: "folder canary-folder is locked, token canary-token", Fix: "canary-fix",
	}))
	n := b.queued(p.CaseID, schema.NoticeParked, schema.AudienceIT)

	b.mail.err = &schema.Error{Code: schema.CodeUnavailable, Message: "Slack answered 500 for it"}
	requireType(t, b.deliver(b.Store, n.ID), activities.TypeOf(schema.CodeUnavailable), true)
	got := b.noticed(n.ID)
	require.Equal(t, []any{schema.NoticePending, 1, "Slack answered 500 for it"}, []any{got.State, got.Attempts, got.LastError})

	b.mail.err = nil
	require.NoError(t, b.deliver(b.Store, n.ID))
	text := leaverLogin + ": TRANSFER_REFUSED: the vendor refused the transfer (step transfer)\nmend what the case names, then resume it: sending again is safe\n" +
		"fake (parked)\nhttps://sendoff.example.com/v1/cases/" + string(p.CaseID) + "/report"
	require.Equal(t, []activities.Notice{{
		Channel: schema.ChannelSlack, To: []string{"it"}, Message: text, CaseID: p.CaseID, PlanID: p.ID, Key: string(n.ID),
	}}, b.mail.notices)
	require.NotContains(t, fmt.Sprint(b.mail.notices), "canary")
	got = b.noticed(n.ID)
	sum := sha256.Sum256([]byte(text))
	require.Equal(t, []any{schema.NoticeDelivered, 2, "", hex.EncodeToString(sum[:])}, []any{got.State, got.Attempts, got.LastError, got.TextHash})
	require.Equal(t, "2", b.audited(p.ID, "notice.delivered")[0]["tries"])

	require.NoError(t, b.deliver(b.Store, n.ID))
	require.NoError(t, b.deliver(b.Store, n.ID, true))
	require.Len(t, b.mail.notices, 1, "what was delivered is not sent again")
	require.Len(t, b.audited(p.ID, "notice.delivered"), 1)
	require.Empty(t, b.audited(p.ID, "notice.failed"))
}

func TestNoticesThatFail(t *testing.T) {
	t.Parallel()
	for _, code := range []schema.Code{schema.CodeInvalid, schema.CodeRefused} {
		b := setup(t)
		b.tells()
		p := b.open(request("suspend"))
		n := b.queued(p.CaseID, schema.NoticePlanned, schema.AudienceIT)
		b.mail.err = &schema.Error{Code: code, Message: "Slack answered 410 for it (channel_is_archived)"}
		require.NoError(t, b.deliver(b.Store, n.ID), "trying again would not help")
		got := b.noticed(n.ID)
		require.Equal(t, []any{schema.NoticeFailed, "Slack answered 410 for it (channel_is_archived)"}, []any{got.State, got.LastError})
		require.Len(t, b.audited(p.ID, "notice.failed"), 1)

		manager := b.queued(p.CaseID, schema.NoticePlanned, schema.AudienceManager)
		require.NoError(t, b.deliver(b.Store, manager.ID))
		require.True(t, strings.HasPrefix(b.noticed(manager.ID).LastError, "NO_RECIPIENT: "))
	}
	t.Run("with nowhere to send to", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.tells()
		n := b.queued(b.open(request("suspend")).CaseID, schema.NoticePlanned, schema.AudienceIT)
		d := activities.NewDeliveries(activities.DeliveriesConfig{Store: b.Store})
		require.NoError(t, d.DeliverNotice(t.Context(), activities.DeliverInput{NoticeID: n.ID}))
		require.Equal(t, schema.NoticeFailed, b.noticed(n.ID).State)
	})
}

func TestAbandonNotice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.tells()
	p := b.open(request("suspend"))
	n := b.queued(p.CaseID, schema.NoticePlanned, schema.AudienceIT)
	b.mail.err = &schema.Error{Code: schema.CodeUnavailable, Message: "Slack does not answer for it"}
	require.Error(t, b.deliver(b.Store, n.ID))
	require.NoError(t, b.deliver(b.Store, n.ID, true))
	got := b.noticed(n.ID)
	require.Equal(t, []any{schema.NoticeFailed, "given up after 1 try: Slack does not answer for it"}, []any{got.State, got.LastError})
}

// forgetful loses the first record of a send, as a worker that dies does.
type forgetful struct {
	activities.NoticeRecords
	lost bool
}

func (f *forgetful) RecordNotice(ctx context.Context, id schema.NoticeID, o schema.NoticeOutcome) error {
	if o.State == schema.NoticeDelivered && !f.lost {
		f.lost = true
		return errors.New("the database is away")
	}
	return f.NoticeRecords.RecordNotice(ctx, id, o)
}

// TestACrashAfterTheSendRepeatsItWithTheSameKey: its receiver can tell.
func TestACrashAfterTheSendRepeatsItWithTheSameKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.tells()
	p := b.open(request("suspend"))
	n := b.queued(p.CaseID, schema.NoticePlanned, schema.AudienceIT)
	records := &forgetful{NoticeRecords: b.Store}
	requireType(t, b.deliver(records, n.ID), activities.TypeOf(schema.CodeInternal), true)
	require.NoError(t, b.deliver(records, n.ID))
	require.Len(t, b.mail.notices, 2)
	require.Equal(t, b.mail.notices[0].Key, b.mail.notices[1].Key)
	require.Len(t, b.audited(p.ID, "notice.delivered"), 1, "and is recorded once")
}
