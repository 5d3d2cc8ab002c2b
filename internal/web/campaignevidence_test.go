package web_test

import (
	"encoding/csv"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/evidence"
	"sendoff/schema"
)

// ends is the evidence of a campaign.
func ends(signed bool) schema.CampaignEvidence {
	e := schema.CampaignEvidence{
		Format: schema.EvidenceFormat, Signed: signed, Campaign: heldCampaign(), Review: storedAccessReview(3, time.Hour), ExportedAt: now.Add(-time.Hour),
		Exceptions: []schema.Finding{{Code: schema.CampaignUndecided, Message: "1 item is not decided", Fix: "accept that"}},
		Items:      []schema.EvidenceItem{{CampaignItem: someItem(false)}},
	}
	if signed {
		e.Campaign.State, e.Campaign.SignedAt, e.Campaign.SignedBy = schema.CampaignSigned, now, "boss"
	}
	return e
}

func TestSignCampaign(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var rendered []byte
	b.store.SignCampaignFunc = func(
		_ schema.CampaignID, w schema.SignOff, render func(schema.CampaignEvidence) ([]byte, error), by schema.Principal,
	) (schema.Campaign, error) {
		if by.Email != "boss@example.com" {
			return schema.Campaign{}, &schema.Error{Code: schema.CodeForbidden, Message: "only the owner signs"}
		}
		if !w.AcceptOpen {
			return schema.Campaign{}, &schema.Error{Code: schema.CodeConflict, Message: "not yet", Problems: []schema.Problem{{Code: "ITEMS_UNDECIDED", Message: "3 items"}}}
		}
		var err error
		rendered, err = render(ends(true))
		return schema.Campaign{State: schema.CampaignSigned, SignReason: w.Reason}, err
	}
	a := b.do("boss", "POST", "/v1/campaigns/c1/sign", `{"accept_open":true,"reason":" late "}`)
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.Equal(t, "late", a.json["sign_reason"])
	kept, err := evidence.Read(strings.NewReader(string(rendered)))
	require.NoError(t, err)
	require.True(t, kept.ExportedAt.IsZero(), "when it is exported is not part of what is signed")
	require.Equal(t, "boss", kept.Campaign.SignedBy)
	a = b.do("boss", "POST", "/v1/campaigns/c1/sign", `{}`)
	require.Equal(t, http.StatusConflict, a.status, a.raw)
	require.Equal(t, []string{":ITEMS_UNDECIDED"}, a.problems())
	require.Equal(t, http.StatusForbidden, b.do("admin", "POST", "/v1/campaigns/c1/sign", `{}`).status, "also an admin is not the owner")
	require.Equal(t, []string{"reason:required"}, b.do("boss", "POST", "/v1/campaigns/c1/sign", `{"accept_open":true}`).problems())
	require.Equal(t, []string{"reason:too_long"}, b.do("boss", "POST", "/v1/campaigns/c1/sign", `{"reason":"`+strings.Repeat("x", 501)+`"}`).problems())
}

func TestExportEvidence(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var signed []byte
	b.store.SignedEvidenceFunc = func(schema.CampaignID) ([]byte, error) {
		if signed == nil {
			return nil, &schema.Error{Code: schema.CodeNotFound, Message: "it is not signed"}
		}
		return signed, nil
	}
	b.store.EvidenceFunc = func(id schema.CampaignID) (schema.CampaignEvidence, error) {
		if id != "c1" {
			return schema.CampaignEvidence{}, &schema.Error{Code: schema.CodeNotFound, Message: "there is no such campaign"}
		}
		return ends(false), nil
	}
	read := func(path string) schema.CampaignEvidence {
		a := b.do("auditor", "GET", path, "")
		require.Equal(t, http.StatusOK, a.status, a.raw)
		require.Equal(t, "application/json", a.header.Get("Content-Type"))
		require.Equal(t, `attachment; filename="campaign-c1.json"`, a.header.Get("Content-Disposition"))
		require.Equal(t, "no-store", a.header.Get("Cache-Control"))
		e, err := evidence.Read(strings.NewReader(a.raw))
		require.NoError(t, err)
		return e
	}
	e := read("/v1/campaigns/c1/evidence")
	require.False(t, e.Signed)
	require.Equal(t, now, e.ExportedAt)
	require.Equal(t, http.StatusNotFound, b.do("auditor", "GET", "/v1/campaigns/c2/evidence", "").status)

	var out strings.Builder
	was := ends(true)
	was.ExportedAt = time.Time{}
	require.NoError(t, evidence.JSON(&out, was))
	signed = []byte(out.String())
	b.store.EvidenceFunc = nil // what was signed is read, and nothing else
	e = read("/v1/campaigns/c1/evidence?format=json")
	require.True(t, e.Signed)
	require.Equal(t, now, e.ExportedAt)
	again, err := evidence.Hash(e)
	require.NoError(t, err)
	first, err := evidence.Hash(was)
	require.NoError(t, err)
	require.Equal(t, first, again, "an export is what was signed")

	a := b.do("auditor", "GET", "/v1/campaigns/c1/evidence?format=csv", "")
	require.Contains(t, a.header.Get("Content-Type"), "text/csv")
	require.Contains(t, a.header.Get("Content-Disposition"), "campaign-c1.csv")
	lines := csv.NewReader(strings.NewReader(a.raw))
	lines.FieldsPerRecord = -1
	rows, err := lines.ReadAll()
	require.NoError(t, err)
	require.Greater(t, len(rows), 1)
	a = b.do("auditor", "GET", "/v1/campaigns/c1/evidence?format=html", "")
	require.Equal(t, "text/html; charset=utf-8", a.header.Get("Content-Type"))
	require.Contains(t, a.raw, "ada@example.com")
	policy := a.header.Values("Content-Security-Policy")
	require.Len(t, policy, 1)
	for _, part := range []string{"default-src 'none'", "sandbox", "frame-ancestors 'none'", "form-action 'none'"} {
		require.Contains(t, policy[0], part)
	}
	require.NotContains(t, policy[0], "script-src")
	require.Equal(t, http.StatusUnprocessableEntity, b.do("auditor", "GET", "/v1/campaigns/c1/evidence?format=pdf", "").status)
	signed = []byte("{}")
	require.Equal(t, http.StatusInternalServerError, b.do("auditor", "GET", "/v1/campaigns/c1/evidence", "").status, "what is not evidence is not shown as such")
}

// What tells of everybody's decisions, and of the control items, is for whoever signs
// the campaign too, whatever their role, and for no other reviewer.
func TestOwnersReadWhatTheySign(t *testing.T) {
	t.Parallel()
	b := setup(t)
	knowing(b)
	owner := "boss@example.com"
	b.store.CampaignViewFunc = func(id schema.CampaignID) (schema.CampaignView, error) {
		if id != "c1" {
			return schema.CampaignView{}, &schema.Error{Code: schema.CodeNotFound, Message: "there is no such campaign"}
		}
		c := heldCampaign()
		c.Owner = owner
		return schema.CampaignView{Campaign: c}, nil
	}
	b.store.PersonRefFunc = func(ref string) (schema.PersonID, error) {
		who, known := map[string]schema.PersonID{"boss@example.com": "p1", "boss@old.example.com": "p1", "else@example.com": "p2"}[ref]
		if !known {
			return "", &schema.Error{Code: schema.CodeNotFound, Message: "nobody is known by that"}
		}
		return who, nil
	}
	b.store.SignedEvidenceFunc = func(schema.CampaignID) ([]byte, error) { return nil, &schema.Error{Code: schema.CodeNotFound} }
	b.store.EvidenceFunc = func(schema.CampaignID) (schema.CampaignEvidence, error) { return ends(false), nil }
	b.store.ReviewerStatsFunc = func(schema.CampaignID) ([]schema.ReviewerStats, error) { return nil, nil }
	b.store.RemovalsFunc = func(schema.CampaignID, schema.RemovalFilter) ([]schema.Removal, string, error) { return nil, "", nil }
	b.store.ReturnsFunc = func(schema.CampaignID) ([]schema.Return, error) { return nil, nil }
	for _, what := range []string{"evidence?format=json", "evidence?format=csv", "evidence?format=html", "reviewers", "removals", "returns"} {
		for owned, want := range map[string]int{
			"boss@example.com": http.StatusOK, "BOSS@Example.com": http.StatusOK, "boss@old.example.com": http.StatusOK,
			"else@example.com": http.StatusForbidden, "nobody@example.com": http.StatusForbidden, "": http.StatusForbidden,
		} {
			owner = owned
			require.Equal(t, want, b.do("boss", "GET", "/v1/campaigns/c1/"+what, "").status, "%s of a campaign of %q", what, owned)
			require.Equal(t, http.StatusForbidden, b.do("reviewer", "GET", "/v1/campaigns/c1/"+what, "").status, "%s for who has no address", what)
			require.Equal(t, http.StatusOK, b.do("auditor", "GET", "/v1/campaigns/c1/"+what, "").status)
		}
		require.Equal(t, http.StatusNotFound, b.do("boss", "GET", "/v1/campaigns/c2/"+what, "").status)
	}
}
