package web

import (
	"context"
	"net/http"
	"time"

	"sendoff/internal/intake"
	"sendoff/schema"
)

// draftBody is a case that was planned and not written.
type draftBody struct {
	Email       string           `json:"email"`
	Template    string           `json:"template"`
	Receivers   []string         `json:"receivers" nullable:"false"`
	EffectiveAt *time.Time       `json:"effective_at" doc:"null = at once"`
	Grace       string           `json:"grace"`
	Approvals   int              `json:"approvals"`
	Hash        string           `json:"hash"`
	Refused     bool             `json:"refused" doc:"Whether pre-flight refuses it"`
	Accounts    []draftAccount   `json:"accounts" nullable:"false"`
	Findings    []schema.Finding `json:"findings" nullable:"false"`
}

type draftAccount struct {
	Connection   string           `json:"connection"`
	Vendor       string           `json:"vendor"`
	AccountID    string           `json:"account_id" doc:"The vendor's id"`
	Login        string           `json:"login"`
	Role         string           `json:"role"`
	Status       string           `json:"status"`
	Receiver     *draftReceiver   `json:"receiver" doc:"null = none needed, or none valid"`
	PlannedBytes int64            `json:"planned_bytes"`
	Steps        []draftStep      `json:"steps" nullable:"false"`
	Findings     []schema.Finding `json:"findings" nullable:"false"`
}

type draftReceiver struct {
	AccountID string `json:"account_id"`
	Login     string `json:"login"`
}

type draftStep struct {
	Kind         schema.StepKind `json:"kind"`
	WaitSeconds  int64           `json:"wait_seconds,omitempty"`
	Irreversible bool            `json:"irreversible,omitempty"`
}

type planInput struct {
	Body struct {
		Requests []requestBody `json:"requests" nullable:"false"`
	}
}

type planOutput struct {
	Body struct {
		Drafts  []draftBody `json:"drafts" nullable:"false"`
		Hash    string      `json:"hash" doc:"What to confirm when the cases are created"`
		Refused bool        `json:"refused"`
	}
}

func (s *server) registerPlans() {
	handle(s, route{
		id: "plan", method: http.MethodPost, path: "/v1/plans", roles: deciders(),
		summary: "Plan offboardings without starting anything",
	}, s.plan)
}

func (s *server) plan(ctx context.Context, _ schema.Principal, in *planInput) (*planOutput, error) {
	drafts, err := s.draft(ctx, in.Body.Requests, "api")
	if err != nil {
		return nil, err
	}
	out := &planOutput{}
	out.Body.Hash = hashOf(drafts)
	for _, d := range drafts {
		b := draftOf(d)
		out.Body.Refused = out.Body.Refused || b.Refused
		out.Body.Drafts = append(out.Body.Drafts, b)
	}
	return out, nil
}

// draft reads the requests and plans them.
func (s *server) draft(ctx context.Context, in []requestBody, source string) ([]schema.Draft, error) {
	templates, err := s.templatesOf(ctx, in)
	if err != nil {
		return nil, err
	}
	read, err := readRequests(in, source, s.now(), templates)
	if err != nil {
		return nil, err
	}
	drafts, err := s.planner.Draft(ctx, read.requests)
	if err != nil {
		return nil, err
	}
	read.warn(drafts)
	return drafts, nil
}

// hashOf is what is confirmed: the hash of the one draft, or one over all.
func hashOf(drafts []schema.Draft) string {
	if len(drafts) == 1 {
		return drafts[0].Hash
	}
	hashes := make([]string, len(drafts))
	for i, d := range drafts {
		hashes[i] = d.Hash
	}
	return schema.CaseHash(hashes)
}

func draftOf(d schema.Draft) draftBody {
	b := draftBody{
		Email: d.Request.Email, Template: d.Request.Template, Receivers: nonNil(d.Request.Receivers),
		EffectiveAt: instant(d.Request.EffectiveAt), Grace: intake.FormatDuration(d.Request.Grace),
		Approvals: d.Request.Approvals, Hash: d.Hash,
		Refused: schema.Refused(d.AllFindings()), Findings: nonNil(d.Findings), Accounts: []draftAccount{},
	}
	for _, a := range d.Accounts {
		acc := draftAccount{
			Connection: a.Connection.Name, Vendor: a.Connection.Vendor, AccountID: string(a.Account.ExternalID),
			Login: a.Account.Login, Role: string(a.Account.Role), Status: string(a.Account.Status),
			PlannedBytes: a.PlannedBytes, Findings: nonNil(a.Findings), Steps: []draftStep{},
		}
		if a.Receiver != nil {
			acc.Receiver = &draftReceiver{AccountID: string(a.Receiver.ExternalID), Login: a.Receiver.Login}
		}
		for _, st := range a.Steps {
			acc.Steps = append(acc.Steps, draftStep{Kind: st.Kind, WaitSeconds: st.WaitSeconds, Irreversible: st.Kind.Irreversible()})
		}
		b.Accounts = append(b.Accounts, acc)
	}
	return b
}
