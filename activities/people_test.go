package activities_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// staff imports a roster: the leaver's manager is the heir, whose manager is second.
func (b *bundle) staff(change ...schema.Employment) {
	b.t.Helper()
	rows := []schema.Employment{
		{EmploymentKey: schema.EmploymentKey{ExternalID: "1"}, Kind: schema.Employee, Email: leaverLogin, Manager: "2", Department: "R&D"},
		{EmploymentKey: schema.EmploymentKey{ExternalID: "2"}, Kind: schema.Employee, Email: heirLogin, Manager: "3"},
		{EmploymentKey: schema.EmploymentKey{ExternalID: "3"}, Kind: schema.Employee, Email: secondLogin},
	}
	_, err := b.ImportRoster(b.t.Context(), schema.Roster{
		Source: "hr", Mode: schema.RosterChanges, Employments: append(rows, change...), Fields: []string{"kind", "email", "manager", "department"},
	}, false, b.admin)
	require.NoError(b.t, err)
}

// manages sets an employment's manager.
func (b *bundle) manages(id, manager string) {
	b.t.Helper()
	_, err := b.ImportRoster(b.t.Context(), schema.Roster{
		Source: "hr", Mode: schema.RosterChanges, Fields: []string{"manager"},
		Employments: []schema.Employment{{EmploymentKey: schema.EmploymentKey{ExternalID: id}, Manager: manager}},
	}, false, b.admin)
	require.NoError(b.t, err)
}

// seen puts accounts of the vendor into the inventory, as a sync does.
func (b *bundle) seen(ids ...schema.ExternalID) {
	b.t.Helper()
	for _, id := range ids {
		a, err := b.vendor.ReadAccount(b.t.Context(), id)
		require.NoError(b.t, err)
		a.ConnectionID, a.ObservedAt = b.conn.ID, b.now()
		_, err = b.SaveAccount(b.t.Context(), a)
		require.NoError(b.t, err)
	}
	_, err := b.Correlate(b.t.Context(), b.conn.ID)
	require.NoError(b.t, err)
}

func TestReceiverRulesInDrafts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	receiver := func(list ...string) (schema.ExternalID, []string) {
		a := b.draft(request("leaver", list...))[0].Accounts[0]
		if a.Receiver == nil {
			return "", findings(a.Findings)
		}
		return a.Receiver.ExternalID, findings(a.Findings)
	}
	got, found := receiver(schema.ReceiverManager)
	require.Empty(t, got)
	require.Equal(t, []string{"RECEIVER_MISSING"}, found, "nobody tells of the leaver")

	b.staff()
	got, found = receiver(schema.ReceiverManager, secondLogin)
	require.Equal(t, second, got, "the next in the list")
	require.Equal(t, []string{"(RECEIVER_MISSING)"}, found, "no account of the manager is known")

	b.seen(heir, second)
	got, found = receiver(schema.ReceiverManager)
	require.Equal(t, heir, got)
	require.Empty(t, found)
	got, _ = receiver(schema.ReceiverManagersManager)
	require.Equal(t, second, got)
	got, found = receiver(schema.ReceiverDepartmentOwner, schema.ReceiverManager)
	require.Equal(t, heir, got)
	require.Equal(t, []string{"(RECEIVER_MISSING)"}, found)
	owner, err := b.PersonRef(t.Context(), secondLogin)
	require.NoError(t, err)
	require.NoError(t, b.SetDepartmentOwner(t.Context(), "R&D", owner, b.admin))
	got, _ = receiver(schema.ReceiverDepartmentOwner)
	require.Equal(t, second, got)

	b.manages("1", "1")
	_, found = receiver(schema.ReceiverManager)
	require.Equal(t, []string{"RECEIVER_MISSING"}, found, "the leaver is their own manager")
	b.manages("1", "2")
	b.manages("2", "1")
	_, found = receiver(schema.ReceiverManagersManager)
	require.Equal(t, []string{"RECEIVER_MISSING"}, found, "round in a circle")
}

// TestReceiverRuleWhenTheManagerLeavesToo: whom a rule names is judged as a login is.
func TestReceiverRuleWhenTheManagerLeavesToo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.staff()
	b.seen(heir, second)
	boss := request("suspend")
	boss.Email = heirLogin
	drafts := b.draft(request("leaver", schema.ReceiverManager, schema.ReceiverManagersManager), boss)
	require.Equal(t, second, drafts[0].Accounts[0].Receiver.ExternalID)
	require.Equal(t, []string{"(RECEIVER_LEAVING)"}, findings(drafts[0].Accounts[0].Findings))
}

// TestReceiverRuleAtTheSend: who the manager is counts when the content is sent,
// not when the case was opened.
func TestReceiverRuleAtTheSend(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.staff()
	b.seen(heir, second)
	ref := b.leave(schema.StepTransfer, "leaver", schema.ReceiverManager)
	require.Equal(t, heir, b.plan(ref.PlanID).Facts.Receiver)
	b.manages("1", "3")
	b.transfer(ref)
	require.Equal(t, second, b.plan(ref.PlanID).Facts.Receiver)
	tr, _, err := b.Transfer(t.Context(), ref.PlanID)
	require.NoError(t, err)
	require.Equal(t, second, tr.Receiver)
}

func TestCheckReceiversByRule(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.staff()
	b.seen(heir, second)
	plan := b.open(request("leaver", secondLogin))
	chosen, found, err := b.planner().CheckReceivers(t.Context(), plan.CaseID, []string{schema.ReceiverDepartmentOwner, schema.ReceiverManager})
	require.NoError(t, err)
	require.Equal(t, heir, chosen[plan.ID].ExternalID)
	require.Equal(t, []string{"(RECEIVER_MISSING)"}, findings(found))
}
