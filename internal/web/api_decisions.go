package web

import (
	"context"
	"net/http"
	"strings"

	"sendoff/schema"
)

const maxReason = 500 // characters

type approveInput struct {
	CaseRef
	Body struct {
		Hash   string `json:"hash" doc:"The hash of the case that was looked at"`
		Reason string `json:"reason,omitempty"`
	}
}

type decideInput struct {
	CaseRef
	Body struct {
		Reason string `json:"reason"`
	}
}

type decisionBody struct {
	DecisionID schema.DecisionID   `json:"decision_id"`
	CaseID     schema.CaseID       `json:"case_id"`
	Kind       schema.DecisionKind `json:"kind"`
	Hash       string              `json:"hash,omitempty"`
	Reason     string              `json:"reason"`
	Principal  string              `json:"principal"`
	CreatedAt  string              `json:"created_at"`
}

type decideOutput struct {
	Body struct {
		Decision decisionBody `json:"decision"`
		Case     caseBody     `json:"case"`
	}
}

func (s *server) registerDecisions() {
	handle(s, route{
		id: "approve-case", method: http.MethodPost, path: "/v1/cases/{ref}/approve", roles: deciders(),
		summary: "Approve what the hash covers; never one's own request",
	}, func(ctx context.Context, by schema.Principal, in *approveInput) (*decideOutput, error) {
		if in.Body.Hash == "" {
			return nil, oneFault("hash", "required", "an approval names the hash of what it approves", "show the case and give its hash")
		}
		return s.decide(ctx, by, in.Ref, schema.Decision{Kind: schema.DecideApprove, Hash: strings.ToLower(in.Body.Hash), Reason: in.Body.Reason})
	})
	for _, d := range []struct {
		kind    schema.DecisionKind
		summary string
	}{
		{schema.DecideResume, "Let parked accounts run again"},
		{schema.DecideCancel, "Cancel what is open and restore access; ownership, places and sessions do not come back"},
	} {
		handle(s, route{
			id: string(d.kind) + "-case", method: http.MethodPost, path: "/v1/cases/{ref}/" + string(d.kind), roles: deciders(), summary: d.summary,
		}, func(ctx context.Context, by schema.Principal, in *decideInput) (*decideOutput, error) {
			if strings.TrimSpace(in.Body.Reason) == "" {
				return nil, oneFault("reason", "required", "this needs a reason", "say why; it is kept in the audit trail")
			}
			return s.decide(ctx, by, in.Ref, schema.Decision{Kind: d.kind, Reason: in.Body.Reason})
		})
	}
}

func (s *server) decide(ctx context.Context, by schema.Principal, ref string, d schema.Decision) (*decideOutput, error) {
	d.Reason = strings.TrimSpace(d.Reason)
	if err := reasonFault(d.Reason); err != nil {
		return nil, err
	}
	c, err := s.store.FindCase(ctx, ref)
	if err != nil {
		return nil, err
	}
	d.CaseID, d.Principal, d.TokenID, d.CreatedAt = c.ID, by.Name, by.TokenID, s.now().UTC()
	done, err := s.store.Decide(ctx, d, by)
	if err != nil {
		return nil, err
	}
	out := &decideOutput{}
	out.Body.Decision, out.Body.Case = decisionOf(done), s.created(ctx, c)
	return out, nil
}

func decisionOf(d schema.Decision) decisionBody {
	return decisionBody{
		DecisionID: d.ID, CaseID: d.CaseID, Kind: d.Kind, Hash: d.Hash, Reason: d.Reason,
		Principal: d.Principal, CreatedAt: schema.FormatInstant(d.CreatedAt),
	}
}

func reasonFault(reason string) error {
	var f faults
	checkText(&f, "reason", reason, maxReason)
	return f.err("the request is not valid")
}

func oneFault(where, code, message, fix string) error {
	var f faults
	f.add(where, code, message, fix)
	return f.err("the request is not valid")
}
