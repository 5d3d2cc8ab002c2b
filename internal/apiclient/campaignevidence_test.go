package apiclient_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/apiclient"
	"sendoff/internal/web/webtest"
	"sendoff/schema"
)

func TestSignAndExportEvidence(t *testing.T) {
	t.Parallel()
	store := &webtest.Store{}
	c, get := served(t, store)
	store.SignCampaignFunc = func(
		_ schema.CampaignID, w schema.SignOff, _ func(schema.CampaignEvidence) ([]byte, error), _ schema.Principal,
	) (schema.Campaign, error) {
		require.Equal(t, schema.SignOff{AcceptOpen: true, Reason: "late"}, w)
		return fullCampaign(), nil
	}
	signed, err := c.SignCampaign(t.Context(), "c1", true, "late")
	require.NoError(t, err)
	require.Equal(t, "signed", signed.State)
	store.SignedEvidenceFunc = func(schema.CampaignID) ([]byte, error) {
		return nil, &schema.Error{Code: schema.CodeNotFound, Message: "it is not signed"}
	}
	store.EvidenceFunc = func(schema.CampaignID) (schema.CampaignEvidence, error) {
		return schema.CampaignEvidence{Format: schema.EvidenceFormat, Campaign: fullCampaign()}, nil
	}
	for _, format := range []string{apiclient.EvidenceJSON, apiclient.EvidenceCSV, apiclient.EvidenceHTML} {
		var b bytes.Buffer
		require.NoError(t, c.Evidence(t.Context(), "c1", format, &b))
		require.Equal(t, get("/v1/campaigns/c1/evidence?format="+format), b.String(), format)
	}
	require.Error(t, c.Evidence(t.Context(), "c1", "pdf", &bytes.Buffer{}))
}
