package app

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/connectors/box/boxsim"
	"sendoff/connectors/simkit"
	"sendoff/internal/config"
	"sendoff/internal/notices"
	"sendoff/internal/notify/slacksim"
	"sendoff/schema"
)

// TestNoticesOfTheRulesReachSlack: from the files that an admin and an operator
// write to what a channel of Slack shows.
func TestNoticesOfTheRulesReachSlack(t *testing.T) {
	t.Parallel()
	const path = "/services/T1/B1/hunter2"
	slack := slacksim.New(slacksim.Config{Webhooks: []string{path}, Unlimited: true})
	srv := httptest.NewServer(slack)
	t.Cleanup(srv.Close)
	settings := filepath.Join(t.TempDir(), "sendoff.yaml")
	require.NoError(t, os.WriteFile(settings, []byte("notify:\n  slack:\n    it: {}\n"), 0o600))
	cfg, err := config.Load(config.Sources{File: settings, Env: func(name string) (string, bool) {
		return srv.URL + path, name == "SENDOFF_SLACK_URL_IT"
	}})
	require.NoError(t, err)
	notifier, err := newNotifier(cfg.Notify)
	require.NoError(t, err)

	b := newConsentBench(t, boxsim.Config{})
	rules, report := notices.Parse("rules.yaml", []byte("apiVersion: sendoff/v1\nkind: Notices\nroutes:\n  - {audience: it, events: [planned], channel: slack, to: [it]}\n"))
	require.NoError(t, report.Err())
	_, err = b.db.ApplyNoticeRules(t.Context(), rules, b.admin)
	require.NoError(t, err)
	b.openCase("<!channel> Ada & co")
	var queued []schema.NoticeID
	list, _, err := b.db.ListNotices(t.Context(), schema.NoticeFilter{State: schema.NoticePending, Limit: 10})
	require.NoError(t, err)
	for _, n := range list {
		queued = append(queued, n.ID)
	}
	require.Len(t, queued, 1)

	require.NoError(t, slack.Fail(simkit.Fault{Op: "webhook.post", Attempt: 1, Action: simkit.ActionStatus, Status: 500}))
	deliver := func() error {
		return activities.NewDeliveries(activities.DeliveriesConfig{Store: b.db, Notifier: notifier}).DeliverNotice(t.Context(), activities.DeliverInput{NoticeID: queued[0]})
	}
	err = deliver()
	require.Equal(t, schema.CodeUnavailable, schema.CodeOf(err))
	require.NotContains(t, err.Error(), "hunter2")
	require.NoError(t, deliver())
	require.NoError(t, deliver())
	shown := slack.Messages()
	require.Len(t, shown, 1)
	require.Contains(t, shown[0].Shown, "Offboarding of <!channel> Ada & co is planned\n")
	require.Empty(t, shown[0].Mentions)
	n, err := b.db.QueuedNotice(t.Context(), queued[0])
	require.NoError(t, err)
	require.Equal(t, []any{schema.NoticeDelivered, 2}, []any{n.State, n.Attempts})
	require.NotContains(t, fmt.Sprintf("%+v", n), "hunter2")
}

// openCase opens a case for somebody of that name.
func (b *consentBench) openCase(name string) {
	b.t.Helper()
	ctx := b.t.Context()
	conn, err := b.db.CreateConnection(ctx, schema.Connection{
		Name: "box", Vendor: "box", BaseURL: b.banner.BaseURL, TokenURL: b.banner.TokenURL, ClientID: b.banner.ClientID, EnterpriseID: b.banner.EnterpriseID,
	}, "secret", b.admin)
	require.NoError(b.t, err)
	_, err = b.db.ImportRoster(ctx, schema.Roster{
		Source: "hr", Mode: schema.RosterChanges, Fields: []string{"name", "email", "kind"},
		Employments: []schema.Employment{{EmploymentKey: schema.EmploymentKey{ExternalID: "1"}, Kind: schema.Employee, Name: name, Email: "ada@example.com"}},
	}, false, b.admin)
	require.NoError(b.t, err)
	account, err := b.db.SaveAccount(ctx, schema.Account{
		ConnectionID: conn.ID, ExternalID: "1", Login: "ada@example.com", Name: name, Role: schema.RoleMember, Status: schema.AccountActive,
		VendorStatus: "active", Kind: schema.KindPerson, EnterpriseID: conn.EnterpriseID, SpaceAmount: -1, ObservedAt: time.Now(),
	})
	require.NoError(b.t, err)
	template, _ := schema.FindTemplate("suspend")
	steps := template.Resolve(0)
	facts := schema.Facts{
		Cause: "offboarding", ConnectionID: conn.ID, EnterpriseID: conn.EnterpriseID, AccountID: account.ExternalID, Login: account.Login, Role: account.Role,
		Kind: account.Kind, Steps: schema.StepFacts(steps), Template: "suspend", TemplateVersion: 1,
	}
	_, err = b.db.CreateCases(ctx, []schema.Draft{{
		Request:  schema.Request{Email: account.Login, Template: "suspend", Source: "api", Receivers: []string{}},
		Accounts: []schema.DraftAccount{{Connection: conn, Account: account, Steps: steps, Facts: facts, TemplateRecord: template}},
		Hash:     schema.CaseHash([]string{facts.Hash()}),
	}}, b.admin)
	require.NoError(b.t, err)
}
