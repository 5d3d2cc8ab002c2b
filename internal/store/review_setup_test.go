package store_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/internal/audit"
	"sendoff/internal/store"
	"sendoff/internal/web"
	"sendoff/schema"
)

var (
	_ activities.ReviewItems   = (*store.Store)(nil)
	_ activities.NoticeRecords = (*store.Store)(nil)
	_ web.AskStore             = (*store.Store)(nil)
)

// reviewed is a bundle with a policy and a run of it that acts.
type reviewed struct {
	*bundle
	policy schema.PolicyID
	run    schema.ReviewID
}

func newUUID() string { return uuid.Must(uuid.NewV7()).String() }

// unusedRule is the rule of the policy.
func unusedRule() schema.PolicyRule {
	return schema.PolicyRule{
		Name: "dormant", Title: "Dormant for 90 days", Owner: "owner@example.com", Connections: []string{"box"},
		Exclude: []schema.Exclusion{{Login: "svc-*", Reason: "robots"}, {Login: "ceo@*", Reason: "the chief"}},
		Ask: []schema.Ask{
			{Whom: schema.AskHolder, Channel: schema.ChannelMail, Silence: schema.SilenceProceeds, Text: "own\n{{link}}"},
			{Whom: schema.AskManager, Channel: schema.ChannelMail, Silence: schema.SilenceNothing},
		},
		Steps: []schema.StepFact{{Kind: schema.StepSnapshot}, {Kind: schema.StepSuspend}}, Schedule: schema.PolicySchedule{Zone: "Europe/Berlin"},
	}
}

func reviewSetup(t *testing.T) *reviewed {
	t.Helper()
	r := &reviewed{bundle: setup(t), policy: schema.PolicyID(newUUID())}
	rule, err := json.Marshal(unusedRule())
	require.NoError(t, err)
	r.exec(`insert into policy (id, name, version, state, created_at, updated_at) values ($1, 'dormant', 3, 'active', now(), now())`, string(r.policy))
	r.exec(`insert into policy_version (policy_id, version, rule, hash, source, updated_by, updated_at) values ($1, 3, $2, 'h', '', 'admin', now())`, string(r.policy), rule)
	r.begins()
	return r
}

// begins opens another run, and ends the one before.
func (r *reviewed) begins() {
	r.t.Helper()
	r.exec(`update review set state = 'ended', end_kind = 'done', ended_at = now() where policy_id = $1 and state <> 'ended'`, string(r.policy))
	r.run = schema.ReviewID(newUUID())
	r.exec(`insert into review (id, policy_id, version, scheduled_at, trigger, mode, state, hash, approvals, workflow_id, created_at)
		values ($1, $2, 3, clock_timestamp(), 'schedule', 'act', 'acting', 'run hash', 1, $3, now())`,
		string(r.run), string(r.policy), "review/"+string(r.run))
}

func (r *reviewed) in(state schema.ReviewState) {
	r.t.Helper()
	r.exec(`update review set state = $2, ended_at = case when $2 = 'ended' then now() end where id = $1`, string(r.run), string(state))
}

func (r *reviewed) approved(names ...string) {
	r.t.Helper()
	for _, name := range names {
		r.exec(`insert into review_approval (review_id, hash, principal, token_id, reason, created_at) values ($1, 'run hash', $2, $3, 'looked', now())`,
			string(r.run), name, newUUID())
	}
}

// unused is the plan of an account that nobody uses.
func (r *reviewed) unused(external string) schema.Draft {
	r.t.Helper()
	d := r.draft(external, "", "suspend")
	d.Request.Door, d.Request.Source, d.Request.Approvals = schema.DoorInactivity, "policy", 1
	facts := &d.Accounts[0].Facts
	facts.Cause, facts.Template, facts.LastActiveAt, facts.ThresholdSeconds = string(schema.DoorInactivity), "policy:dormant", "never", 7_776_000
	d.Hash = schema.CaseHash([]string{facts.Hash()})
	return d
}

func judgedOf(a schema.Account, reason schema.VerdictReason) schema.Judged {
	return schema.Judged{
		AccountID: a.ID, ConnectionID: a.ConnectionID, ExternalID: a.ExternalID, Login: a.Login, Bytes: 1000,
		Verdict:      schema.Verdict{Reason: reason, Grade: schema.GradeInactive, Threshold: 90 * 24 * time.Hour, Exclusion: -1},
		LastActiveAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
}

// planned brings an account into the run as a planned item.
func (r *reviewed) planned(external string) (schema.AccountID, schema.Draft) {
	r.t.Helper()
	d := r.unused(external)
	a := d.Accounts[0].Account
	r.in(schema.ReviewJudging)
	require.NoError(r.t, r.AddJudged(r.t.Context(), r.run, []schema.Judged{judgedOf(a, schema.ReasonMatched)}))
	r.in(schema.ReviewPlanning)
	require.NoError(r.t, r.PlanItem(r.t.Context(), r.run, schema.PlannedItem{AccountID: a.ID, Facts: d.Accounts[0].Facts, Bytes: 1000}))
	r.in(schema.ReviewActing)
	return a.ID, d
}

// asks makes questions to the addresses, for an hour.
func asks(to ...string) []schema.AskRow {
	var out []schema.AskRow
	for i, address := range to {
		id := schema.AskID(newUUID())
		out = append(out, schema.AskRow{
			ID: id, Index: min(i, 1), Whom: []schema.AskWhom{schema.AskHolder, schema.AskManager}[min(i, 1)], Channel: schema.ChannelMail, Recipient: address,
			TokenHash: hashOf(id), ExpiresAt: time.Now().Add(time.Hour).Truncate(time.Microsecond).UTC(),
		})
	}
	return out
}

func hashOf(id schema.AskID) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}

// asked is a planned item that two are asked about.
func (r *reviewed) asked(external string) (schema.AccountID, schema.Draft, []schema.AskRow) {
	r.t.Helper()
	account, d := r.planned(external)
	list := asks("holder@example.com", "boss@example.com")
	require.NoError(r.t, r.AskAbout(r.t.Context(), r.run, account, list, list[0].ExpiresAt))
	return account, d, list
}

// started is an item with its case.
func (r *reviewed) started(external string) (schema.AccountID, schema.Plan, []schema.AskRow) {
	r.t.Helper()
	account, d, list := r.asked(external)
	require.NoError(r.t, r.SettleItem(r.t.Context(), r.run, account, schema.ItemReady, "silence", nil))
	c, err := r.StartItem(r.t.Context(), r.run, account, d)
	require.NoError(r.t, err)
	plans, err := r.CasePlans(r.t.Context(), c.ID)
	require.NoError(r.t, err)
	return account, plans[0], list
}

func (r *reviewed) item(account schema.AccountID) schema.ReviewItem {
	r.t.Helper()
	list, _, err := r.ReviewItems(r.t.Context(), r.run, schema.ItemFilter{Limit: 500})
	require.NoError(r.t, err)
	for _, i := range list {
		if i.AccountID == account {
			return i
		}
	}
	require.Fail(r.t, "there is no such item")
	return schema.ReviewItem{}
}

// askStates are the states of the questions about an item, in order.
func (r *reviewed) askStates(account schema.AccountID) string {
	r.t.Helper()
	list, err := r.AnswersOf(r.t.Context(), r.run, account)
	require.NoError(r.t, err)
	var out []string
	for _, a := range list {
		out = append(out, string(a.State))
	}
	return strings.Join(out, " ")
}

func (r *reviewed) answer(a schema.AskRow, answer schema.Answer, reason string) error {
	_, err := r.AnswerAsk(r.t.Context(), a.TokenHash, answer, reason)
	return err
}

// policyActions are the audited actions of the policy, oldest first.
func (r *reviewed) policyActions() string {
	r.t.Helper()
	var out []string
	for _, e := range r.auditOf(audit.PolicyStream(string(r.policy))) {
		out = append(out, e.Action)
	}
	return strings.Join(out, " ")
}

// toldReview dispatches the outbox and counts the messages to the run.
func (r *reviewed) toldReview() (n int) {
	r.t.Helper()
	_, err := r.ClaimOutbox(r.t.Context(), 1000, func(_ context.Context, row schema.OutboxRow) error {
		if row.Kind == schema.OutboxReview && row.ReviewID == r.run {
			n++
		}
		return nil
	})
	require.NoError(r.t, err)
	return n
}
