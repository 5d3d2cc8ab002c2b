package cli_test

import (
	"bytes"
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
}
