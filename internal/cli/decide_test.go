package cli_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/cli"
	"sendoff/internal/store"
	"sendoff/schema"
)

// decider is a case in a real database that a test brings into states that only
// the engine reaches.
type decider struct {
	*bundle
	store *store.Store
	id    schema.CaseID
	plan  schema.PlanID
}

// offboarded starts a case for ada with the flags.
func offboarded(t *testing.T, flags ...string) *decider {
	t.Helper()
	b, s, _ := setupStore(t)
	r := b.run("connect", "box", "--name", "box-main", "--base-url", "http://127.0.0.1:9", "--token-url", "http://127.0.0.1:9/t",
		"--client-id", "sim", "--client-secret-file", b.file("secret", "s3cret"), "--enterprise-id", "900001")
	require.Equal(t, 0, r.code, r.errout)
	r, made := b.runJSON(append([]string{"offboard", "ada@example.com", "--grace", "2w"}, flags...)...)
	require.Equal(t, 0, r.code, r.errout)
	d := &decider{bundle: b, store: s, id: schema.CaseID(made["case_id"].(string))}
	plans, err := s.CasePlans(t.Context(), d.id)
	require.NoError(t, err)
	d.plan = plans[0].ID
	return d
}

func (d *decider) begin(index int) schema.StepRef {
	d.t.Helper()
	p, err := d.store.Plan(d.t.Context(), d.plan)
	require.NoError(d.t, err)
	ref := schema.StepRef{PlanID: d.plan, Index: index, Fence: p.Fence}
	_, err = d.store.BeginStep(d.t.Context(), ref)
	require.NoError(d.t, err)
	return ref
}

// through carries out the steps before index and begins that one.
func (d *decider) through(index int) schema.StepRef {
	d.t.Helper()
	for i := range index {
		ref := d.begin(i)
		if i == 1 {
			require.NoError(d.t, d.store.SavePriorStatus(d.t.Context(), ref, "active"))
		}
		require.NoError(d.t, d.store.CompleteStep(d.t.Context(), ref, schema.StepDone, map[string]string{"proof": "seen"}))
	}
	return d.begin(index)
}

func (d *decider) park(code schema.ParkCode) {
	d.t.Helper()
	require.NoError(d.t, d.store.ParkPlan(d.t.Context(), d.plan, schema.Cause{Code: code, Message: "why", Fix: "how"}))
}

// sent sends the transfer and records what became of it.
func (d *decider) sent(ref schema.StepRef, class schema.OutcomeClass) {
	d.t.Helper()
	ctx := d.t.Context()
	p, err := d.store.Plan(ctx, d.plan)
	require.NoError(d.t, err)
	p.Facts.Receiver = "2"
	_, err = d.store.ReplacePlan(ctx, d.plan, p.Facts, []string{"receiver"})
	require.NoError(d.t, err)
	_, err = d.store.EnterLane(ctx, ref, schema.Transfer{Source: "1", Receiver: "2", BytesBefore: 10, BytesLeft: 10, WitnessTotal: 3})
	require.NoError(d.t, err)
	_, err = d.store.MarkSent(ctx, ref, "2")
	require.NoError(d.t, err)
	_, err = d.store.RecordTransferOutcome(ctx, ref, schema.TransferOutcome{Class: class, FolderID: "900"})
	require.NoError(d.t, err)
}

func (d *decider) stalled() {
	d.t.Helper()
	ref := d.through(3)
	d.sent(ref, schema.OutcomeUnknown)
	_, err := d.store.ConcludeTransfer(d.t.Context(), ref, schema.TransferStalled, nil)
	require.NoError(d.t, err)
	d.park(schema.ParkTransferStalled)
}

func (d *decider) state() (schema.Plan, schema.Transfer) {
	d.t.Helper()
	p, err := d.store.Plan(d.t.Context(), d.plan)
	require.NoError(d.t, err)
	tr, _, err := d.store.Transfer(d.t.Context(), d.plan)
	require.NoError(d.t, err)
	return p, tr
}

// decide runs cases VERB on the case.
func (d *decider) decide(verb string, flags ...string) ran {
	d.t.Helper()
	return d.run(append([]string{"cases", verb, string(d.id)}, flags...)...)
}

func TestSendAgainAsksAndSendsAStalledTransferAnew(t *testing.T) {
	t.Parallel()
	d := offboarded(t)
	require.Equal(t, cli.ExitRefused, d.decide("resume", "--send-again", "--yes", "--reason", "too early").code)
	d.stalled()
	for _, answer := range []string{"", "n\n"} {
		d.stdin = answer
		r := d.decide("resume", "--send-again", "--reason", "nothing runs at Box")
		require.Equal(t, cli.ExitUsage, r.code)
		require.Contains(t, r.errout, "a second destination folder may appear")
		require.Contains(t, r.errout, "nothing was decided")
	}
	_, tr := d.state()
	require.Equal(t, schema.TransferStalled, tr.State)
	d.stdin = "y\n"
	r := d.decide("resume", "--send-again", "--reason", "nothing runs at Box")
	require.Equal(t, 0, r.code, r.errout)
	p, tr := d.state()
	require.Equal(t, schema.PlanRunning, p.State)
	require.Equal(t, schema.TransferIntended, tr.State)
	_, report := d.runJSON("cases", "report", string(d.id))
	decision := report["decisions"].([]any)[0].(map[string]any)
	require.Equal(t, "send_again", decision["kind"])
	require.NotEmpty(t, decision["token_id"])
	require.Equal(t, cli.ExitUsage, d.decide("resume", "--send-again", "--reactivate", "--yes", "--reason", "both").code)
}

func TestReactivateAndReleaseLane(t *testing.T) {
	t.Parallel()
	d := offboarded(t)
	ref := d.through(3)
	require.Equal(t, cli.ExitRefused, d.decide("resume", "--reactivate", "--yes", "--reason", "nothing was refused").code)
	d.sent(ref, schema.OutcomeRefused)
	d.park(schema.ParkInactiveRefused)
	r := d.decide("resume", "--reactivate", "--reason", "Box wants it active")
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.errout, "can sign in meanwhile")
	require.Equal(t, 0, d.decide("resume", "--reactivate", "--yes", "--reason", "Box wants it active").code)
	p, _ := d.state()
	require.True(t, p.Reactivate)
	require.Equal(t, schema.PlanRunning, p.State)

	d = offboarded(t)
	require.Equal(t, cli.ExitRefused, d.decide("release-lane", "--yes", "--reason", "others wait").code)
	d.stalled()
	r = d.decide("release-lane", "--reason", "others wait")
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.errout, "two run at once")
	require.Equal(t, 0, d.decide("release-lane", "--yes", "--reason", "others wait", "--account", "ada@example.com").code)
	_, held, err := d.store.LaneHolder(t.Context(), p.ConnectionID, "2")
	require.NoError(t, err)
	require.False(t, held)
	p, tr := d.state()
	require.Equal(t, schema.PlanParked, p.State)
	require.Equal(t, schema.TransferStalled, tr.State)
}

func TestWaiveSaysWhatIsNotDoneThen(t *testing.T) {
	t.Parallel()
	d := offboarded(t)
	d.stalled()
	r := d.decide("waive", "--reason", "the rest is worthless")
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.errout, "waives the delete too")
	r, v := d.runJSON("cases", "waive", string(d.id), "--step", "transfer", "--yes", "--reason", "the rest is worthless")
	require.Equal(t, 0, r.code, r.errout)
	require.Equal(t, "transfer", v["decision"].(map[string]any)["step"])
	p, tr := d.state()
	require.Equal(t, schema.PlanRunning, p.State)
	require.Equal(t, schema.TransferGivenUp, tr.State)
	require.Equal(t, schema.StepWaived, p.Steps[3].State)
	require.Equal(t, schema.StepWaived, p.Steps[5].State)
	require.Equal(t, cli.ExitUsage, d.decide("waive", "--step", "everything", "--yes", "--reason", "x").code)
	require.Equal(t, cli.ExitRefused, d.decide("waive", "--step", "notify", "--yes", "--reason", "there is none").code)

	d = offboarded(t)
	d.through(1)
	d.park(schema.ParkVendorRefused)
	r = d.decide("waive", "--yes", "--reason", "never mind")
	require.Equal(t, cli.ExitRefused, r.code)
	require.Contains(t, r.errout, "suspend cannot be waived")
	require.Contains(t, r.errout, "cancel the case instead")
}

func TestMoveDateAsksForApprovalAgain(t *testing.T) {
	t.Parallel()
	d := offboarded(t, "--approvals", "1", "--at", "2099-12-01T18:00:00+01:00")
	admin := d.env
	d.as("second", "operator")
	_, shown := d.runJSON("cases", "show", string(d.id))
	require.Equal(t, 0, d.decide("approve", "--hash", shown["hash"].(string)).code)
	r, v := d.runJSON("cases", "move-date", string(d.id), "--to", "2099-12-24 18:00 Europe/Berlin", "--reason", "stays for the handover")
	require.Equal(t, 0, r.code, r.errout)
	require.Equal(t, shown["hash"], v["hash_before"])
	moved := v["case"].(map[string]any)
	require.NotEqual(t, shown["hash"], moved["hash"])
	require.Equal(t, "2099-12-24T17:00:00Z", moved["effective_at"])
	require.InDelta(t, 1, v["approvals_needed"], 0)
	r = d.decide("move-date", "--to", "2099-12-25T18:00:00Z", "--reason", "a day more")
	require.Regexp(t, `its hash is [0-9a-f]{64} now`, r.out)
	require.Contains(t, r.out, "It needs approval by 1 again: sendoff cases approve "+string(d.id))
	for _, bad := range []string{"2099-12-25", "tomorrow"} {
		r = d.decide("move-date", "--to", bad, "--reason", "x")
		require.Equal(t, cli.ExitUsage, r.code)
		require.Contains(t, r.errout, "--to")
	}
	d.env = admin

	d = offboarded(t)
	ref := d.through(4)
	require.NoError(t, d.store.WaitStep(t.Context(), ref, time.Now().Add(time.Hour)))
	r = d.decide("move-date", "--to", "2020-01-01T00:00:00Z", "--reason", "no need to wait")
	require.Equal(t, 0, r.code, r.errout)
	require.Contains(t, r.errout, "EFFECTIVE_AT_PAST")
	require.Contains(t, r.out, "No approval is needed.")
	p, _ := d.state()
	require.Equal(t, "2020-01-01T00:00:00Z", p.Steps[4].Params.Until)
	require.NoError(t, d.store.CompleteStep(t.Context(), ref, schema.StepDone, nil))
	d.begin(5)
	r = d.decide("move-date", "--to", "2099-01-01T00:00:00Z", "--reason", "too late")
	require.Equal(t, cli.ExitRefused, r.code)
}

func TestSetReceiverIsCheckedBeforeItIsWritten(t *testing.T) {
	t.Parallel()
	d := offboarded(t)
	d.through(3)
	d.park(schema.ParkReceiverMissing)
	asked := []string{}
	d.receivers = func(id schema.CaseID, logins []string) (map[schema.PlanID]schema.Account, []schema.Finding, error) {
		asked = logins
		return nil, []schema.Finding{{Code: schema.ReceiverFull, Connection: "box-main", Message: "too small", Fix: "another"}}, nil
	}
	before, _ := d.state()
	r := d.decide("set-receiver", "--transfer-to", "Boss@example.com", "--transfer-to", "deputy@example.com", "--reason", "boss is back")
	require.Equal(t, cli.ExitRefused, r.code, r.errout)
	require.Contains(t, r.errout, "--transfer-to (box-main): RECEIVER_FULL: too small")
	require.Equal(t, []string{"boss@example.com", "deputy@example.com"}, asked)
	after, _ := d.state()
	require.Equal(t, before.Hash, after.Hash)

	d.receivers = func(schema.CaseID, []string) (map[schema.PlanID]schema.Account, []schema.Finding, error) {
		return map[schema.PlanID]schema.Account{d.plan: {ExternalID: "77", Login: "deputy@example.com"}},
			[]schema.Finding{{Code: schema.ReceiverInactive, Warning: true, Message: "the first one is suspended"}}, nil
	}
	r = d.decide("set-receiver", "--transfer-to", "boss@example.com", "--transfer-to", "deputy@example.com", "--reason", "boss is back")
	require.Equal(t, 0, r.code, r.errout)
	require.Contains(t, r.errout, "RECEIVER_INACTIVE: the first one is suspended")
	after, _ = d.state()
	require.Equal(t, schema.ExternalID("77"), after.Facts.Receiver)
	require.Equal(t, schema.PlanRunning, after.State)
	require.Contains(t, r.out, "its hash is "+schema.CaseHash([]string{after.Hash})+" now")
	c, err := d.store.Case(t.Context(), d.id)
	require.NoError(t, err)
	require.Equal(t, []string{"boss@example.com", "deputy@example.com"}, c.Receivers)
	r = d.decide("set-receiver", "--transfer-to", "boss", "--reason", "x")
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.errout, "--transfer-to: this is neither an e-mail address nor one of the rules")
}

func TestCompleteNeedsAManualStep(t *testing.T) {
	t.Parallel()
	d := offboarded(t)
	d.through(3)
	r := d.decide("complete", "--evidence", "OPS-12")
	require.Equal(t, cli.ExitRefused, r.code)
	require.Contains(t, r.errout, "no plan of the case is in a manual step")
	require.Equal(t, cli.ExitUsage, d.decide("complete", "--evidence", " ").code)
}

func TestADecisionNamesOnePlan(t *testing.T) {
	t.Parallel()
	d := offboarded(t)
	d.through(1)
	d.park(schema.ParkVendorRefused)
	p, _ := d.state()
	require.Equal(t, cli.ExitNotFound, d.decide("resume", "--account", "nobody", "--reason", "x").code)
	require.Equal(t, cli.ExitNotFound, d.decide("resume", "--plan", "ffffffff", "--reason", "x").code)
	require.Equal(t, cli.ExitUsage, d.decide("resume", "--plan", "ffffffff", "--account", "1", "--reason", "x").code)
	r, v := d.runJSON("cases", "resume", string(d.id), "--account", "box-main/"+string(p.Facts.AccountID), "--reason", "mended")
	require.Equal(t, 0, r.code, r.errout)
	require.Equal(t, string(d.plan), v["decision"].(map[string]any)["plan_id"])
	d.park(schema.ParkVendorRefused)
	require.Equal(t, 0, d.decide("resume", "--plan", string(d.plan), "--reason", "mended").code)
}

func TestCancelSaysFirstWhatItBringsBack(t *testing.T) {
	t.Parallel()
	d := offboarded(t)
	r, undo := d.runJSON("cases", "show", string(d.id))
	require.Equal(t, 0, r.code)
	require.NotNil(t, undo)
	ref := d.through(3)
	d.sent(ref, schema.OutcomeUnknown)
	_, err := d.store.ConcludeTransfer(t.Context(), ref, schema.TransferProven, nil)
	require.NoError(t, err)
	nobody, err := os.Open(os.DevNull)
	require.NoError(t, err)
	defer nobody.Close()
	var out, errout bytes.Buffer
	code := cli.Run(t.Context(), []string{"cases", "cancel", string(d.id), "--reason", "she stays"}, nobody, &out, &errout, d.env)
	r = ran{code, out.String(), errout.String()}
	require.Equal(t, 0, r.code, r.errout)
	for _, s := range []string{
		"brought back:     status 'active'", "brought back:     access to 1 folder as co-owner",
		"not brought back: ownership of 3 items", "not brought back: their place", "not brought back: sessions ended",
	} {
		require.Contains(t, r.errout, s)
	}
	p, _ := d.state()
	require.Equal(t, schema.PlanCancelling, p.State)
}
