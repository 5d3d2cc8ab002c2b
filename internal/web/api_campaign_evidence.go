package web

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"sendoff/internal/evidence"
	"sendoff/schema"
)

// evidenceCSP is for a page that is read and printed: it loads nothing, runs nothing
// and sends nothing.
const evidenceCSP = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"

type signCampaignInput struct {
	CampaignRef
	Body struct {
		AcceptOpen bool   `json:"accept_open,omitempty" doc:"Accept what is undecided, refused, impossible or not removed yet: it is listed as an exception under the signature"`
		Reason     string `json:"reason,omitempty" doc:"Needed with accept_open"`
	}
}

type evidenceInput struct {
	CampaignRef
	Format string `query:"format" enum:"json,csv,html" default:"json" doc:"json is what the hash is over but for exported_at, and what evidence is verified by"`
}

// evidenceFormat is one form that evidence is written in.
type evidenceFormat struct {
	contentType string
	write       func(io.Writer, schema.CampaignEvidence) error
}

func evidenceFormats() map[string]evidenceFormat {
	return map[string]evidenceFormat{
		"json": {"application/json", evidence.JSON},
		"csv":  {csvType, evidence.CSV},
		"html": {"text/html; charset=utf-8", evidence.HTML},
	}
}

func (s *server) registerCampaignEvidence() {
	handle(s, route{
		id: "sign-campaign", method: http.MethodPost, path: "/v1/campaigns/{id}/sign", roles: answerers(),
		summary: "Sign a closed campaign: nothing of its evidence changes then. Only its owner signs",
	}, s.signCampaign)
	op := route{
		id: "export-evidence", method: http.MethodGet, path: "/v1/campaigns/{id}/evidence", roles: everybody(),
		summary: "Everything a campaign comes to, for an auditor: as it was signed, or as it is now. Reviewers see it of campaigns that they own",
	}
	handle(s, op, s.exportEvidence)
	text := &huma.MediaType{Schema: &huma.Schema{Type: "string"}}
	s.api.OpenAPI().Paths[op.path].Get.Responses["200"].Content = map[string]*huma.MediaType{
		"application/json": {Schema: &huma.Schema{Type: "object"}}, "text/csv": text, "text/html": text,
	}
}

func (s *server) signCampaign(ctx context.Context, by schema.Principal, in *signCampaignInput) (*campaignOutput, error) {
	var f faults
	w := schema.SignOff{AcceptOpen: in.Body.AcceptOpen, Reason: strings.TrimSpace(in.Body.Reason)}
	if w.AcceptOpen {
		f.reason(in.Body.Reason)
	} else {
		checkText(&f, "reason", w.Reason, maxReason)
	}
	if err := f.err("the request is not valid; nothing was signed"); err != nil {
		return nil, err
	}
	return s.campaignShown(ctx)(s.campaigns.SignCampaign(ctx, in.ID, w, renderEvidence, by))
}

// renderEvidence is what is kept with a signature: the time of an export is not part
// of it.
func renderEvidence(e schema.CampaignEvidence) ([]byte, error) {
	e.ExportedAt = time.Time{}
	var b bytes.Buffer
	err := evidence.JSON(&b, e)
	return b.Bytes(), err
}

// readsAll refuses reviewers what tells of others' decisions and of control items,
// but for the owner of the campaign: nobody signs what they may not read.
func (s *server) readsAll(ctx context.Context, id schema.CampaignID, by schema.Principal) error {
	if readers().has(by.Role) {
		return nil
	}
	v, err := s.campaigns.CampaignView(ctx, id)
	if err != nil {
		return err
	}
	own, err := s.samePerson(ctx, by.Email, v.Owner)
	if err != nil || own {
		return err
	}
	return &schema.Error{
		Code: schema.CodeForbidden, Message: "of those with the role " + string(by.Role) + " only the owner of the campaign may do this",
		Fix: "use a token that carries the owner's address, or one with the role admin or operator or auditor",
	}
}

// samePerson tells whether two addresses are one, or of one person.
func (s *server) samePerson(ctx context.Context, one, other string) (bool, error) {
	if one == "" || other == "" || strings.EqualFold(one, other) {
		return one != "" && other != "", nil
	}
	var who [2]schema.PersonID
	for i, address := range []string{one, other} {
		id, err := s.store.PersonRef(ctx, address)
		switch {
		case schema.CodeOf(err) == schema.CodeNotFound:
			return false, nil
		case err != nil:
			return false, err
		}
		who[i] = id
	}
	return who[0] == who[1], nil
}

func (s *server) exportEvidence(ctx context.Context, by schema.Principal, in *evidenceInput) (*huma.StreamResponse, error) {
	if err := s.readsAll(ctx, in.ID, by); err != nil {
		return nil, err
	}
	e, err := s.evidenceOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	e.ExportedAt = s.now().UTC().Truncate(time.Second)
	as := evidenceFormats()[in.Format]
	return &huma.StreamResponse{Body: func(c huma.Context) {
		if in.Format == "html" {
			c.SetHeader("Content-Security-Policy", evidenceCSP)
		}
		stream(c, as.contentType, "campaign-"+string(e.Campaign.ID)+"."+in.Format, func(_ context.Context, w io.Writer) error { return as.write(w, e) })
	}}, nil
}

// evidenceOf is what was signed, or what there is now.
func (s *server) evidenceOf(ctx context.Context, id schema.CampaignID) (schema.CampaignEvidence, error) {
	signed, err := s.campaigns.SignedEvidence(ctx, id)
	switch {
	case schema.CodeOf(err) == schema.CodeNotFound:
		return s.campaigns.Evidence(ctx, id)
	case err != nil:
		return schema.CampaignEvidence{}, err
	}
	e, err := evidence.Read(bytes.NewReader(signed))
	if err != nil {
		err = &schema.Error{Code: schema.CodeInternal, Message: "the evidence that is kept with the signature cannot be read"}
	}
	return e, err
}
