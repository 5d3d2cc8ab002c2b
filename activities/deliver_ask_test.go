package activities_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/schema"
)

const (
	askPolicy = "0197c0de-0000-7000-8000-00000000a001"
	askReview = "0197c0de-0000-7000-8000-00000000a002"
	askID     = schema.AskID("0197c0de-0000-7000-8000-00000000a003")
	askToken  = "canary-token-of-a-question"
)

// askNotice asks about the leaver's account, in a run made by hand, and returns the
// question's notice.
func (b *bundle) askNotice(channel schema.Channel, to string) schema.NoticeID {
	b.t.Helper()
	b.open(request("suspend")) // so that the account is known
	account := b.scan(`select id::text from account where external_id = $1`, string(leaver))
	rule, err := json.Marshal(schema.PolicyRule{
		Name: "dormant", Owner: "owner@example.com", Ask: []schema.Ask{{Whom: schema.AskHolder, Silence: schema.SilenceProceeds}},
		Steps: []schema.StepFact{{Kind: schema.StepSuspend}},
	})
	require.NoError(b.t, err)
	b.exec(`insert into policy (id, name, version, state, created_at, updated_at) values ($1, 'dormant', 1, 'active', now(), now())`, askPolicy)
	b.exec(`insert into policy_version (policy_id, version, rule, hash, source, updated_by, updated_at) values ($1, 1, $2, 'h', '', 'admin', now())`, askPolicy, rule)
	b.exec(`insert into review (id, policy_id, version, scheduled_at, trigger, mode, state, hash, approvals, workflow_id, created_at)
		values ($1, $2, 1, now(), 'schedule', 'act', 'acting', 'h', 0, 'review/1', now())`, askReview, askPolicy)
	b.exec(`insert into review_item (review_id, account_id, connection_id, external_id, login, privileged, state, grade, threshold_seconds, updated_at)
		values ($1, $2, $3, $4, $5, false, 'planned', 'inactive', 1, now())`, askReview, account, string(b.conn.ID), string(leaver), leaverLogin)
	sum := sha256.Sum256([]byte(askToken))
	require.NoError(b.t, b.AskAbout(b.t.Context(), askReview, schema.AccountID(account), []schema.AskRow{{
		ID: askID, Whom: schema.AskHolder, Channel: channel, Recipient: to, TokenHash: hex.EncodeToString(sum[:]),
	}}, time.Now().Add(time.Hour)))
	list, _, err := b.ListNotices(b.t.Context(), schema.NoticeFilter{State: schema.NoticePending, Limit: 10})
	require.NoError(b.t, err)
	require.Equal(b.t, askID, list[0].AskID)
	return list[0].ID
}

func (b *bundle) askState() string {
	return b.scan(`select state from review_ask where id = $1`, string(askID))
}

// delivers delivers a notice with a link below the URL by a token.
func (b *bundle) delivers(id schema.NoticeID, url, token string) {
	b.t.Helper()
	d := activities.NewDeliveries(activities.DeliveriesConfig{
		Store: b.Store, Notifier: b.mail, PublicURL: url, AskToken: func(id schema.AskID) string {
			require.Equal(b.t, askID, id)
			return token
		},
	})
	require.NoError(b.t, d.DeliverNotice(b.t.Context(), activities.DeliverInput{NoticeID: id}))
}

// TestAQuestionIsSentWithItsLink: to the account's holder, who is told of nothing
// else; and the token is kept nowhere.
func TestAQuestionIsSentWithItsLink(t *testing.T) {
	t.Parallel()
	for _, channel := range []schema.Channel{schema.ChannelMail, schema.ChannelSlack, schema.ChannelWebhook} {
		t.Run(string(channel), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			id := b.askNotice(channel, leaverLogin)
			b.delivers(id, "https://sendoff.example.com/", askToken)
			require.Len(t, b.mail.notices, 1)
			n := b.mail.notices[0]
			require.Equal(t, []any{channel, []string{leaverLogin}, string(id)}, []any{n.Channel, n.To, n.Key})
			require.Contains(t, n.Message, "To answer: https://sendoff.example.com/answer/"+askToken+"\n")
			require.Contains(t, n.Message, "it is suspended")
			require.Equal(t, "delivered", b.askState())
			require.NotContains(t, fmt.Sprintf("%+v", b.noticed(id)), askToken)
			for _, table := range []string{"notice", "review_ask", "audit_record", "outbox"} {
				require.Equal(t, "0", b.scan(`select count(*)::text from `+table+` x where x::text like '%`+askToken+`%'
					or x::text like '%' || encode('`+askToken+`', 'hex') || '%'`), table)
			}
		})
	}
}

func TestAQuestionWithoutAPageNamesTheOwner(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.askNotice(schema.ChannelMail, leaverLogin)
	b.delivers(id, "", "unused")
	require.Contains(t, b.mail.notices[0].Message, "To answer: tell owner@example.com\n")
	require.NotContains(t, b.mail.notices[0].Message, "http")
}

// TestAQuestionThatWouldNotWorkIsNotSent: and its silence is no answer then.
func TestAQuestionThatWouldNotWorkIsNotSent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.askNotice(schema.ChannelMail, leaverLogin)
	b.delivers(id, "https://sendoff.example.com", "another key's token")
	require.Empty(t, b.mail.notices)
	require.Contains(t, b.noticed(id).LastError, "KEY_CHANGED")
	require.Equal(t, "failed", b.askState())

	_, err := b.RetryNotice(t.Context(), id, b.admin)
	require.NoError(t, err)
	b.exec(`update review_item set state = 'silent' where review_id = $1`, askReview)
	b.delivers(id, "https://sendoff.example.com", askToken)
	require.Empty(t, b.mail.notices)
	require.Contains(t, b.noticed(id).LastError, "OVER")
}

// scan returns the one value of a query.
func (b *bundle) scan(sql string, args ...any) (value string) {
	b.t.Helper()
	conn, err := pgx.Connect(b.t.Context(), b.url)
	require.NoError(b.t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	require.NoError(b.t, conn.QueryRow(b.t.Context(), sql, args...).Scan(&value))
	return value
}
