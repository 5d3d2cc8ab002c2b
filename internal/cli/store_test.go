package cli_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/audit"
	"sendoff/internal/cli"
	"sendoff/internal/local/localtest"
	"sendoff/internal/secret"
	"sendoff/internal/store"
	"sendoff/internal/web"
	"sendoff/internal/web/webtest"
	"sendoff/schema"
)

// sealer lends a keyring to the store, as the application does.
type sealer struct{ *secret.Keyring }

func (s sealer) Seal(purpose string, aad, plain []byte) ([]byte, error) {
	return s.Keyring.Seal(secret.Purpose(purpose), secret.NewAAD(string(aad)), plain)
}

func (s sealer) Open(purpose string, aad, sealed []byte) ([]byte, error) {
	return s.Keyring.Open(secret.Purpose(purpose), secret.NewAAD(string(aad)), sealed)
}

// setupStore is setup over the real store in a database of the test's own, with
// a sealer of its audit log. The planner finds one account for each address, in
// the connection box-main.
func setupStore(t *testing.T) (*bundle, *store.Store, *audit.Sealer) {
	t.Helper()
	url := localtest.DatabaseFrom(t, "store", func(ctx context.Context, url string) error { return store.Migrate(ctx, url, nil) })
	keys, err := secret.NewKeyring(make([]byte, secret.RootKeyBytes))
	require.NoError(t, err)
	s, err := store.Open(t.Context(), store.Config{URL: url, Sealer: sealer{keys}, AllowUnsafe: true, MaxConnections: 5})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	signer, err := audit.NewSigner("audit.example.com", make([]byte, audit.SeedSize))
	require.NoError(t, err)
	s.SetAuditKey(signer.Origin(), signer.VerifierKey())
	sealer, err := audit.NewSealer(audit.SealerConfig{Store: s, Signer: signer})
	require.NoError(t, err)
	token, hash := web.NewToken()
	made, err := s.BootstrapToken(t.Context(), hash)
	require.NoError(t, err)
	require.True(t, made)

	b := &bundle{t: t}
	b.srv = httptest.NewServer(web.New(web.Config{
		Store: s, HR: s, AccessReviews: s, Campaigns: s,
		Planner: webtest.Receivers{
			Planner: func(requests []schema.Request) ([]schema.Draft, error) { return draftsIn(t.Context(), s, requests) },
			Check: func(id schema.CaseID, logins []string) (map[schema.PlanID]schema.Account, []schema.Finding, error) {
				return b.receivers(id, logins)
			},
		},
		Checker: webtest.Checker(func(schema.Connection, string) (web.ConnectionCheck, error) {
			return web.ConnectionCheck{ActsAs: "7", Role: schema.RoleCoadmin, EnterpriseID: "900001", Service: true}, nil
		}),
	}))
	t.Cleanup(b.srv.Close)
	b.env = []string{"SENDOFF_URL=" + b.srv.URL, "SENDOFF_TOKEN=" + token}
	return b, s, sealer
}

func draftsIn(ctx context.Context, s *store.Store, requests []schema.Request) ([]schema.Draft, error) {
	conn, err := s.ConnectionByName(ctx, "box-main")
	if err != nil {
		return nil, err
	}
	var drafts []schema.Draft
	for _, r := range requests {
		sum := sha256.Sum256([]byte(r.Email))
		a, err := s.SaveAccount(ctx, schema.Account{
			ConnectionID: conn.ID, ExternalID: schema.ExternalID(fmt.Sprint(int(sum[0])*256 + int(sum[1]))), Login: r.Email, Role: schema.RoleMember,
			Status: schema.AccountActive, VendorStatus: "active", Kind: schema.KindPerson, EnterpriseID: "900001", ObservedAt: time.Now(),
		})
		if err != nil {
			return nil, err
		}
		template, _ := schema.FindTemplate(r.Template)
		steps := template.Resolve(r.Grace)
		facts := schema.Facts{
			Cause: "offboarding", ConnectionID: conn.ID, EnterpriseID: "900001", AccountID: a.ExternalID, Login: a.Login, Role: a.Role,
			Kind: a.Kind, Steps: schema.StepFacts(steps), Template: template.Name, TemplateVersion: template.Version,
			EffectiveAt: schema.FormatInstant(r.EffectiveAt),
		}
		drafts = append(drafts, schema.Draft{
			Request: r, Hash: schema.CaseHash([]string{facts.Hash()}),
			Accounts: []schema.DraftAccount{{Connection: conn, Account: a, Steps: steps, Facts: facts, TemplateRecord: template}},
		})
	}
	return drafts, nil
}

// TestAgainstPostgres drives the commands through the API into a real database.
func TestAgainstPostgres(t *testing.T) {
	t.Parallel()
	b, s, sealer := setupStore(t)
	checkNewInstallation(t, b, sealer)
	connect := []string{
		"connect", "box", "--name", "box-main", "--base-url", "http://127.0.0.1:9", "--token-url", "http://127.0.0.1:9/t",
		"--client-id", "sim", "--client-secret-file", b.file("secret", "s3cret"), "--enterprise-id", "900001",
	}
	require.Equal(t, cli.ExitNotFound, b.run("connections", "test", "box-main").code)
	r := b.run(connect...)
	require.Equal(t, 0, r.code, r.errout)
	r = b.run(connect...)
	require.Equal(t, cli.ExitRefused, r.code)
	require.Contains(t, r.errout, "there is a connection of that name")
	connect[3] = "box-two"
	r = b.run(connect...)
	require.Equal(t, cli.ExitRefused, r.code, "a second connection that writes to the enterprise")
	require.Contains(t, r.errout, "connection box-main already writes to box enterprise 900001")
	require.Contains(t, r.errout, "fix: remove box-main first, or connect with --read-only")
	require.Equal(t, 0, b.run(append(connect, "--read-only")...).code)
	require.Equal(t, 0, b.run("connections", "remove", "box-two", "--reason", "seen").code)

	_, plan := b.runJSON("offboard", "ada@example.com", "--plan", "--grace", "2w", "--approvals", "1", "--at", "2099-12-01T18:00:00+01:00")
	args := []string{"offboard", "ada@example.com", "--grace", "2w", "--approvals", "1", "--at", "2099-12-01T18:00:00+01:00", "--confirm", plan["hash"].(string)}
	r, made := b.runJSON(args...)
	require.Equal(t, 0, r.code, r.errout)
	id := made["case_id"].(string)
	require.Contains(t, r.errout, "It needs approval by 1: sendoff cases approve "+id)
	require.Equal(t, "2099-12-01T17:00:00Z", made["effective_at"])
	require.Equal(t, "14d", made["grace"])
	require.Equal(t, plan["hash"], made["hash"])
	r = b.run(args...)
	require.Equal(t, cli.ExitRefused, r.code, "a second case for the same account")
	require.Contains(t, r.errout, id)

	for _, ref := range []string{id, "Ada@example.com"} {
		_, shown := b.runJSON("cases", "show", ref)
		require.Equal(t, id, shown["case_id"])
	}
	require.Equal(t, cli.ExitNotFound, b.run("cases", "show", "ffffffff").code)
	require.Equal(t, cli.ExitUsage, b.run("cases", "show", "nonsense").code)
	_, listed := b.runJSON("cases", "list", "--state", "planned")
	require.Len(t, listed["cases"], 1)

	r = b.run("cases", "approve", id, "--hash", "feed")
	require.Equal(t, cli.ExitHashDiffers, r.code, r.errout)
	r = b.run("cases", "approve", id, "--hash", plan["hash"].(string))
	require.Equal(t, cli.ExitUsage, r.code, r.errout)
	require.Contains(t, r.errout, "nobody approves their own request")
	r, second := b.runJSON("tokens", "create", "--name", "second", "--role", "operator", "--expires", "1d")
	require.Equal(t, 0, r.code)
	first := b.env[1]
	b.env[1] = "SENDOFF_TOKEN=" + second["token"].(string)
	r = b.run("cases", "approve", id, "--hash", plan["hash"].(string))
	require.Equal(t, 0, r.code, r.errout)
	require.Equal(t, cli.ExitRefused, b.run("cases", "resume", id, "--reason", "why not").code, "nothing is parked")
	require.Equal(t, 0, b.run("cases", "cancel", id, "--reason", "she stays").code)
	b.env[1] = first

	_, report := b.runJSON("cases", "report", id)
	require.Len(t, report["decisions"], 2)
	require.GreaterOrEqual(t, len(report["events"].([]any)), 3)
	require.Contains(t, b.run("cases", "report", id).out, "she stays")
	checkAuditAndAdmin(t, b, s, sealer)
}

// checkNewInstallation: what the first start writes is a record, so that the
// first round of the sealer already makes a log that verifies.
func checkNewInstallation(t *testing.T, b *bundle, sealer *audit.Sealer) {
	t.Helper()
	r, v := b.runJSON("audit", "verify")
	require.Equal(t, cli.ExitInternal, r.code, "nothing is signed yet")
	require.Equal(t, false, v["ok"])
	sealed, err := sealer.SealPending(t.Context())
	require.NoError(t, err)
	require.Positive(t, sealed)
	r, v = b.runJSON("audit", "verify")
	require.Equal(t, 0, r.code, r.out)
	require.Equal(t, true, v["ok"])
	require.Equal(t, false, v["continues"])
}

func checkAuditAndAdmin(t *testing.T, b *bundle, s *store.Store, sealer *audit.Sealer) {
	t.Helper()
	_, err := sealer.SealPending(t.Context())
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "audit.ndjson")
	require.Equal(t, 0, b.run("audit", "export", "--to", file).code)
	r, v := b.runJSON("audit", "verify")
	require.Equal(t, 0, r.code, r.out)
	kept := filepath.Join(t.TempDir(), "checkpoint")
	r = b.run("audit", "verify", file, "--key", v["key"].(string), "--checkpoint-to", kept)
	require.Equal(t, 0, r.code, r.out)
	require.Contains(t, r.out, "cut off behind the newest checkpoint cannot be seen")
	require.Contains(t, r.out, "--since")
	r = b.run("audit", "verify", file, "--key", v["key"].(string), "--since", kept)
	require.Equal(t, 0, r.code, r.out)
	require.NotContains(t, r.out, "cannot be seen")

	require.Equal(t, 0, b.run("pause", "--reason", "drill").code)
	sw, err := s.Switch(t.Context())
	require.NoError(t, err)
	require.True(t, sw.Paused)
	require.Equal(t, 0, b.run("unpause").code)
	require.Equal(t, cli.ExitRefused, b.run("connections", "remove", "box-main", "--reason", "gone").code, "plans are open on it")
	require.Equal(t, 0, b.run("connections", "disable", "box-main", "--reason", "drill").code)
	require.Equal(t, 0, b.run("tokens", "revoke", "second").code)
	require.Equal(t, cli.ExitNotFound, b.run("tokens", "revoke", "second").code)
	r = b.run("tokens", "revoke", "admin")
	require.Equal(t, cli.ExitRefused, r.code, r.errout)
	_, listed := b.runJSON("tokens", "list")
	require.Len(t, listed["tokens"], 2)
}
