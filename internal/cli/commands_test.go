package cli_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/tlog"

	"sendoff/internal/app"
	"sendoff/internal/audit"
	"sendoff/internal/cli"
	"sendoff/internal/web"
	"sendoff/schema"
)

func TestConnectBox(t *testing.T) {
	t.Parallel()
	b := setup(t)
	secret := b.file("secret", "s3cret\n")
	args := func(file string) []string {
		return []string{"connect", "box", "--name", "box-main", "--base-url", "http://127.0.0.1:9", "--token-url", "http://127.0.0.1:9/t", "--client-id", "sim", "--client-secret-file", file, "--enterprise-id", "900001", "--read-only"}
	}
	b.store.ConnectionByNameFunc = func(string) (schema.Connection, error) {
		return schema.Connection{}, &schema.Error{Code: schema.CodeNotFound, Message: "no such connection"}
	}
	stored := 0
	b.store.CreateConnectionFunc = func(c schema.Connection, s string) (schema.Connection, error) {
		stored++
		require.Equal(t, "s3cret", s)
		require.True(t, c.ReadOnly)
		return c, nil
	}
	var fails error
	enterprise := "900001"
	b.checker = func(schema.Connection, string) (web.ConnectionCheck, error) {
		return web.ConnectionCheck{ActsAs: "7", Role: schema.RoleCoadmin, EnterpriseID: enterprise, Service: true}, fails
	}
	r := b.run(args(secret)...)
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Contains(t, r.out, "Connected box-main: box enterprise 900001, as service account 7 (role coadmin), read only.")
	require.Equal(t, 1, stored)

	for says, err := range map[string]error{
		"the vendor does not answer":                   &schema.Error{Code: schema.CodeUnavailable, Message: "the vendor does not answer", Fix: "check --base-url"},
		"the vendor does not accept these credentials": &schema.Error{Code: schema.CodeVendor, Message: "the vendor does not accept these credentials", Fix: "check the secret"},
		"belong to enterprise 42, not to 900001":       nil,
	} {
		fails, enterprise = err, "42"
		r := b.run(args(secret)...)
		require.Equal(t, cli.ExitRefused, r.code, r.errout)
		require.Contains(t, r.errout, says)
		require.Contains(t, r.errout, "fix: ")
		require.NotContains(t, r.errout+r.out, "s3cret")
	}
	for _, file := range []string{"/nowhere/secret", b.file("empty", "\n"), b.file("long", "a\nb\n")} {
		r := b.run(args(file)...)
		require.Equal(t, cli.ExitUsage, r.code)
		require.Contains(t, r.errout, "client secret alone")
	}
	require.Equal(t, 1, stored)
	r = b.run(append(args(secret), "--client-secret", "x")...)
	require.Equal(t, cli.ExitUsage, r.code, "a secret must not be a flag's value")
}

func TestConnectionsCommands(t *testing.T) {
	t.Parallel()
	b := setup(t)
	box := schema.Connection{Name: "box-main", Vendor: "box", State: schema.ConnectionEnabled, EnterpriseID: "900001", CreatedAt: now}
	b.store.ListConnectionsFunc = func(after string, limit int) ([]schema.Connection, string, error) {
		require.Equal(t, 500, limit)
		if after == "" {
			return []schema.Connection{box}, "box-main", nil
		}
		return []schema.Connection{{Name: "second", Vendor: "box", ReadOnly: true}}, "", nil
	}
	b.store.ConnectionByNameFunc = func(string) (schema.Connection, error) { return box, nil }
	b.checker = func(_ schema.Connection, secret string) (web.ConnectionCheck, error) {
		require.Empty(t, secret)
		return web.ConnectionCheck{ActsAs: "7", EnterpriseID: "900001"}, nil
	}
	var moves []string
	b.store.SetConnectionStateFunc = func(name string, to schema.ConnectionState, reason string) (schema.Connection, error) {
		moves = append(moves, string(to)+":"+reason)
		return schema.Connection{Name: name}, nil
	}
	r := b.run("connections", "list")
	require.Regexp(t, `box-main\s+box\s+pending\s+-\s+-\s+read-write\s+900001`, r.out)
	require.Regexp(t, `second\s+box\s+-\s+-\s+-\s+read-only`, r.out)
	_, v := b.runJSON("connections", "list")
	require.Len(t, v["connections"], 2)
	require.Contains(t, b.run("connections", "test", "box-main").out, "Works: box-main")
	require.Equal(t, 0, b.run("connections", "disable", "box-main", "--reason", "outage").code)
	require.Equal(t, 0, b.run("connections", "enable", "box-main").code)
	b.store.OpenPlansOnFunc = func(schema.ConnectionID) (int, error) { return 3, nil }
	r = b.run("connections", "remove", "box-main", "--reason", "gone")
	require.Equal(t, cli.ExitRefused, r.code)
	require.Contains(t, r.errout, "3 plans are open on connection box-main")
	require.Equal(t, []string{"disabled:outage", "enabled:"}, moves)
}

func TestCasesCommands(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.ListCasesFunc = func(f schema.CaseFilter) ([]schema.CaseView, string, error) {
		require.Equal(t, schema.PlanParked, f.State)
		return []schema.CaseView{viewFor("case-a", "ada@example.com", schema.PlanParked)}, "", nil
	}
	b.store.FindCaseFunc = func(ref string) (schema.Case, error) {
		if ref == "ffffffff" {
			return schema.Case{}, &schema.Error{Code: schema.CodeNotFound, Message: "there is no such case", Fix: "see: sendoff cases list"}
		}
		return schema.Case{ID: "case-a"}, nil
	}
	b.store.CaseViewFunc = func(schema.CaseID) (schema.CaseView, error) {
		return viewFor("case-a", "ada@example.com", schema.PlanParked), nil
	}
	var decided []string
	b.store.DecideFunc = func(d schema.Decision, by schema.Principal) (schema.Decision, error) {
		decided = append(decided, string(d.Kind)+":"+d.Hash+":"+d.Reason)
		d.ID = "d1"
		return d, nil
	}
	require.Regexp(t, `case-a\s+parked\s+ada@example.com\s+leaver\s+at once\s+2026-11-21 12:00:00 UTC\s+root`, b.run("cases", "list", "--state", "parked").out)
	r := b.run("cases", "show", "ada@example.com")
	require.Equal(t, 0, r.code, r.errout)
	for _, s := range []string{"parked", "TRANSFER_REFUSED: Box refused the transfer", "fix (vendor): check the receiver, then resume", "status=inactive"} {
		require.Contains(t, r.out, s)
	}
	_, v := b.runJSON("cases", "show", "case-a")
	require.Equal(t, "TRANSFER_REFUSED", v["accounts"].([]any)[0].(map[string]any)["cause"])
	r = b.run("cases", "show", "ffffffff")
	require.Equal(t, cli.ExitNotFound, r.code)
	require.Contains(t, r.errout, "there is no such case")

	require.Equal(t, 0, b.run("cases", "approve", "case-a", "--hash", "ABC123").code)
	require.Equal(t, 0, b.run("cases", "resume", "case-a", "--reason", "receiver is back").code)
	r = b.run("cases", "cancel", "case-a", "--reason", "stays with us")
	require.Contains(t, r.errout, "box-main account 111 (parked):")
	require.Contains(t, r.errout, "not brought back: sessions ended")
	require.Contains(t, r.out, "Cancelling case case-a")
	require.Equal(t, []string{"approve:abc123:", "resume::receiver is back", "cancel::stays with us"}, decided)
	require.Equal(t, cli.ExitUsage, b.run("cases", "cancel", "case-a").code)
}

func TestCasesWatchEndsWithTheCase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.starts(schema.PlanDone)
	r := b.run("cases", "watch", "case-a")
	require.Equal(t, 0, r.code, r.errout)
	require.Contains(t, r.out, "settling, step transfer (3 of 6 done), transfer settling, 3.0 MiB left of 10.0 MiB")
	require.Contains(t, r.out, "done")

	b.starts(schema.PlanDone)
	r = b.run("cases", "watch", "case-a", "--output", "json")
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	require.Len(t, lines, 2)
	for _, l := range lines {
		require.True(t, json.Valid([]byte(l)), l)
	}
}

func TestCasesReportReadsAsAReport(t *testing.T) {
	t.Parallel()
	b := setup(t)
	view := viewFor("case-a", "ada@example.com", schema.PlanDone)
	view.Accounts[0].Transfer.State = schema.TransferPresumed
	view.Accounts[0].Plan.Snapshot = &schema.Snapshot{TakenAt: now, Status: "active", Role: "user", SpaceUsed: 10 << 20, WitnessesOK: true, DeepDone: 2, DeepTotal: 2}
	b.store.FindCaseFunc = func(string) (schema.Case, error) { return view.Case, nil }
	b.store.CaseViewFunc = func(schema.CaseID) (schema.CaseView, error) { return view, nil }
	b.store.DecisionsFunc = func(schema.CaseID) ([]schema.Decision, error) {
		return []schema.Decision{{Kind: schema.DecideResume, Principal: "root", Reason: "receiver is back", CreatedAt: now}}, nil
	}
	b.store.CaseAuditFunc = func(schema.CaseID, int64, int) ([][]byte, error) {
		body, err := audit.Event{At: now, Actor: audit.Actor{Kind: audit.ActorEngine}, Action: "step.done", Subject: audit.Subject{Step: "suspend"}, Details: map[string]string{"status": "inactive"}}.Body()
		return [][]byte{body}, err
	}
	r := b.run("cases", "report", "case-a")
	require.Equal(t, 0, r.code, r.errout)
	for _, s := range []string{
		"OFFBOARDING REPORT", "Leaver          ada@example.com", "1. ACCOUNT 111 IN BOX-MAIN", "10.0 MiB in use", "requests sent: 1",
		"WRITES AT THE VENDOR", "WHAT COULD NOT BE PROVEN", "the transfer is presumed", "DECISIONS", "receiver is back", "AUDIT TRAIL (1 records)", "step.done", "status=inactive",
	} {
		require.Contains(t, r.out, s)
	}
	_, v := b.runJSON("cases", "report", "case-a")
	require.Len(t, v["events"], 1)
}

func TestTokensAndPause(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var made schema.Token
	b.store.CreateTokenFunc = func(tok schema.Token) (schema.Token, error) { made = tok; return tok, nil }
	b.store.ListTokensFunc = func(string, int) ([]schema.Token, string, error) {
		return []schema.Token{{ID: "t9", Name: "ci", Role: schema.RoleOperator, CreatedBy: "root"}, {Name: "ada", Role: schema.RoleOperator, Email: "ada@example.com"}}, "", nil
	}
	b.store.RevokeTokenFunc = func(name string) (schema.Token, error) { return schema.Token{Name: name}, nil }
	b.store.SetSwitchFunc = func(sw schema.Switch) (schema.Switch, error) { return sw, nil }
	r := b.run("tokens", "create", "--name", "ci", "--role", "operator", "--expires", "90d")
	require.Regexp(t, `^sendoff_[A-Za-z0-9_-]{43}\n$`, r.out, "the token alone, so that it can be piped")
	require.Contains(t, r.errout, "expires 2027-02-19 12:00:00 UTC")
	require.Equal(t, cli.ExitUsage, b.run("tokens", "create", "--name", "ci", "--role", "king", "--expires", "90d").code)
	require.Equal(t, cli.ExitUsage, b.run("tokens", "create", "--name", "ci", "--role", "admin", "--expires", "soon").code)
	require.Empty(t, made.Email)
	require.Equal(t, 0, b.run("tokens", "create", "--name", "ada", "--role", "operator", "--email", "Ada@example.com", "--expires", "90d").code)
	require.Equal(t, "ada@example.com", made.Email)
	require.Equal(t, cli.ExitUsage, b.run("tokens", "create", "--name", "ada", "--role", "operator", "--email", "ada", "--expires", "90d").code)
	r = b.run("tokens", "list")
	require.Regexp(t, `ci\s+operator\s+-\s+never`, r.out)
	require.Regexp(t, `ada\s+operator\s+ada@example.com\s+never`, r.out)
	require.Contains(t, b.run("tokens", "revoke", "ci").out, "Revoked token ci.")
	require.Contains(t, b.run("pause", "--reason", "vendor outage").out, "Paused")
	require.Equal(t, cli.ExitUsage, b.run("pause").code)
	_, v := b.runJSON("unpause")
	require.Equal(t, false, v["paused"])
}

// auditSource is a log of one sealed record, or of none.
type auditSource struct {
	sealed     []audit.SealedRecord
	checkpoint []byte
}

// oneRecord is a log whose one record stands under a signed checkpoint.
func oneRecord(t *testing.T, signer *audit.Signer) auditSource {
	t.Helper()
	body, err := audit.Event{At: now, Actor: audit.Actor{Kind: audit.ActorEngine}, Action: "token.created"}.Body()
	require.NoError(t, err)
	record := audit.Next(audit.Head{}, audit.SystemStream, body)
	root := tlog.RecordHash(record.Hash[:])
	signed, err := signer.Sign(audit.Checkpoint{Origin: signer.Origin(), Size: 1, Root: root, Time: now})
	require.NoError(t, err)
	return auditSource{sealed: []audit.SealedRecord{{Record: record}}, checkpoint: signed}
}

func (s auditSource) Checkpoints(_ context.Context, after int64, _ int) ([][]byte, error) {
	if after > 0 || s.checkpoint == nil {
		return nil, nil
	}
	return [][]byte{s.checkpoint}, nil
}

func (s auditSource) Sealed(_ context.Context, from int64, _ int) ([]audit.SealedRecord, error) {
	return s.sealed[min(int(from), len(s.sealed)):], nil
}

func (s auditSource) Unsealed(context.Context, string, int64, int) ([]audit.Record, error) {
	return nil, nil
}

func TestAuditExportAndVerify(t *testing.T) {
	t.Parallel()
	b := setup(t)
	seed := make([]byte, audit.SeedSize)
	_, err := rand.Read(seed)
	require.NoError(t, err)
	signer, err := audit.NewSigner("sendoff-test", seed)
	require.NoError(t, err)
	source := auditSource{}
	b.store.ExportAuditFunc = func(w io.Writer) error {
		return audit.Export(t.Context(), audit.ExportInfo{Origin: signer.Origin(), VerifierKey: signer.VerifierKey(), At: now}, source, w)
	}
	r := b.run("audit", "verify")
	require.Equal(t, cli.ExitInternal, r.code, "a log that was emptied proves nothing")
	require.Contains(t, r.out, "unproven: nothing to verify")
	require.NotContains(t, r.out, "log verifies")
	source = oneRecord(t, signer)
	r = b.run("audit", "verify")
	require.Equal(t, 0, r.code, r.errout+r.out)
	require.Contains(t, r.out, "The audit log verifies.")
	require.Contains(t, r.out, signer.VerifierKey())
	require.Contains(t, r.errout, "The key came from the server itself")

	file := filepath.Join(t.TempDir(), "audit.ndjson")
	require.Equal(t, 0, b.run("audit", "export", "--to", file).code)
	b.srv.Close() // from here on offline
	require.Equal(t, cli.ExitUsage, b.run("audit", "verify", file).code)
	r, v := b.runJSON("audit", "verify", file, "--key", signer.VerifierKey())
	require.Equal(t, 0, r.code, r.errout)
	require.Equal(t, true, v["ok"])

	whole, err := os.ReadFile(file)
	require.NoError(t, err)
	damaged := b.file("damaged.ndjson", string(bytes.Replace(whole, []byte("2026"), []byte("2025"), 1)))
	r = b.run("audit", "verify", damaged, "--key", signer.VerifierKey())
	require.Equal(t, cli.ExitInternal, r.code)
	require.Contains(t, r.out, "does NOT verify")
	require.Equal(t, cli.ExitUsage, b.run("audit", "verify", file, "--key", "nonsense").code)
	require.Equal(t, cli.ExitUsage, b.run("audit", "verify", "/nowhere", "--key", signer.VerifierKey()).code)

	gone := filepath.Join(t.TempDir(), "gone.ndjson")
	require.Equal(t, cli.ExitUnreachable, b.run("audit", "export", "--to", gone).code)
	require.NoFileExists(t, gone)
	require.NoFileExists(t, gone+".part")
}

func TestLocalServerIsFoundByItsDirectory(t *testing.T) {
	t.Parallel()
	b := setup(t)
	data := t.TempDir()
	b.env = nil
	b.store.ListTokensFunc = func(string, int) ([]schema.Token, string, error) { return nil, "", nil }
	require.NoError(t, os.WriteFile(filepath.Join(data, app.ServerFileName), []byte(`{"url":"`+b.srv.URL+`","temporal_ui":""}`), 0o600))
	require.Equal(t, cli.ExitUsage, b.run("tokens", "list", "--data", data).code)
	require.NoError(t, os.WriteFile(filepath.Join(data, app.TokenFileName), []byte("sendoff_admin\n"), 0o600))
	r := b.run("tokens", "list", "--data", data)
	require.Equal(t, 0, r.code, r.errout)
	require.NoError(t, os.WriteFile(filepath.Join(data, app.ServerFileName), []byte(`{`), 0o600))
	require.Equal(t, cli.ExitUsage, b.run("tokens", "list", "--data", data).code)
}

func TestSimBoxPrintsItsBannerAndEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	out, in := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Run(ctx, []string{"sim", "box", "--users", "3", "--scale", "100"}, strings.NewReader(""), in, io.Discard, nil)
		_ = in.Close()
	}()
	var banner map[string]string
	require.NoError(t, json.NewDecoder(out).Decode(&banner))
	for _, member := range []string{"base_url", "upload_url", "token_url", "client_id", "client_secret", "enterprise_id", "admin_id"} {
		require.NotEmpty(t, banner[member], member)
	}
	cancel()
	require.Equal(t, 0, <-ended)
	var errout bytes.Buffer
	require.Equal(t, cli.ExitUsage, cli.Run(t.Context(), []string{"sim", "box", "--addr", "0.0.0.0:0"}, strings.NewReader(""), io.Discard, &errout, nil))
	require.Contains(t, errout.String(), "loopback")
}

func TestHelpAndVersion(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, args := range [][]string{{}, {"--help"}, {"offboard", "--help"}, {"--version"}} {
		r := b.run(args...)
		require.Equal(t, 0, r.code)
		require.NotEmpty(t, r.out)
		require.Empty(t, r.errout)
	}
}
