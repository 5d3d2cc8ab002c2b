package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/cli"
	"sendoff/internal/evidence"
	"sendoff/schema"
)

// signedEvidence is that of a small campaign.
func signedEvidence(t *testing.T) schema.CampaignEvidence {
	t.Helper()
	c := openCampaign()
	c.State, c.SignedAt, c.SignedBy = schema.CampaignSigned, now, "owner"
	return schema.CampaignEvidence{
		Format: schema.EvidenceFormat, ExportedAt: now, Signed: true, Campaign: c, Review: quarterly(t), Items: []schema.EvidenceItem{{CampaignItem: membership(item1)}},
	}
}

func TestReviewVerifiesOffline(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.env = nil
	e := signedEvidence(t)
	want, err := evidence.Hash(e)
	require.NoError(t, err)
	written := func(at time.Time) string {
		e.ExportedAt = at
		var out bytes.Buffer
		require.NoError(t, evidence.JSON(&out, e))
		return out.String()
	}
	for _, at := range []time.Time{now, now.AddDate(1, 0, 0)} {
		r := b.run("review", "verify", b.file("evidence.json", written(at)), "--hash", strings.ToUpper(want))
		require.Equal(t, cli.ExitDone, r.code, r.out+r.errout)
		require.Contains(t, r.out, "sha-256   "+want)
		require.Contains(t, r.out, "signed by owner")
	}
	r, v := b.runJSON("review", "verify", b.file("evidence.json", written(now)))
	require.Equal(t, cli.ExitDone, r.code)
	require.Equal(t, []any{want, false, true}, []any{v["hash"], v["compared"], v["ok"]})

	changed := strings.Replace(written(now), "Ada Lovelace", "Ada Lovelacf", 1)
	r = b.run("review", "verify", b.file("evidence.json", changed), "--hash", want)
	require.Equal(t, cli.ExitHashDiffers, r.code)
	require.Contains(t, r.out, "It is NOT the hash that was given")
	require.Equal(t, cli.ExitUsage, b.run("review", "verify", b.file("evidence.json", written(now)+" ")).code, "formatted anew")
	require.Equal(t, cli.ExitUsage, b.run("review", "verify", "/nowhere").code)
	require.Equal(t, cli.ExitUsage, b.run("review", "verify", b.file("evidence.json", written(now)), "--hash", want[:63]).code, "a hash that was cut off says nothing of the file")
}

func TestReviewSigns(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.SignCampaignFunc = func(_ schema.CampaignID, w schema.SignOff, render func(schema.CampaignEvidence) ([]byte, error), _ schema.Principal) (schema.Campaign, error) {
		if !w.AcceptOpen {
			return schema.Campaign{}, &schema.Error{
				Code: schema.CodeConflict, Message: "the campaign cannot be signed yet",
				Problems: []schema.Problem{{Code: string(schema.CampaignHasAlarms), Message: "1 of the reviewers decided in a way that is doubted", Fix: "let somebody else look"}},
			}
		}
		require.Equal(t, "two interns left", w.Reason)
		c := openCampaign()
		c.State, c.Evidence = schema.CampaignSigned, "beef"
		return c, nil
	}
	r := b.run("review", "sign", string(campaign1), "--reason", "all looked at")
	require.Equal(t, cli.ExitRefused, r.code)
	require.Contains(t, r.errout, "REVIEWER_ALARMED: 1 of the reviewers decided in a way that is doubted\n    fix: let somebody else look")
	r = b.run("review", "sign", string(campaign1), "--accept-open", "--reason", "two interns left")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Contains(t, r.out, "The SHA-256 of its evidence is beef")
	require.Contains(t, r.errout, "sendoff review verify FILE --hash beef")
	require.Equal(t, cli.ExitUsage, b.run("review", "sign", string(campaign1)).code)
}

func TestReviewExportsWholeFilesAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	e := signedEvidence(t)
	b.store.SignedEvidenceFunc = func(schema.CampaignID) ([]byte, error) {
		return nil, &schema.Error{Code: schema.CodeNotFound, Message: "the campaign is not signed"}
	}
	b.store.EvidenceFunc = func(schema.CampaignID) (schema.CampaignEvidence, error) { return e, nil }
	want, err := evidence.Hash(e)
	require.NoError(t, err)
	dir := t.TempDir()
	file := filepath.Join(dir, "evidence.json")
	r := b.run("review", "export", string(campaign1), "--out", file)
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Equal(t, cli.ExitDone, b.run("review", "verify", file, "--hash", want).code)
	require.Contains(t, b.run("review", "export", string(campaign1), "--format", "csv").out, string(item1))
	require.Contains(t, b.run("review", "export", string(campaign1), "--format", "html").out, "<html")

	before, err := os.ReadFile(file)
	require.NoError(t, err)
	b.store.EvidenceFunc = func(schema.CampaignID) (schema.CampaignEvidence, error) {
		return e, &schema.Error{Code: schema.CodeNotFound, Message: "there is no such campaign"}
	}
	require.Equal(t, cli.ExitNotFound, b.run("review", "export", string(campaign1), "--out", file).code)
	after, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(before), string(after), "what was there stays")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1, "and nothing half written is beside it")
	require.Equal(t, cli.ExitUsage, b.run("review", "export", string(campaign1), "--out", filepath.Join(dir, "no", "where")).code)
}
