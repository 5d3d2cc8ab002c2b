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

// PlanChoice names one plan of a case; without either every plan of the case that
// the decision fits is meant. It is exported for the framework's sake.
type PlanChoice struct {
	PlanID  schema.PlanID `json:"plan_id,omitempty" doc:"One plan by its id, or 8 or more characters of it"`
	Account string        `json:"account,omitempty" doc:"One plan by its account: the vendor's id, CONNECTION/ID, or the login"`
}

type decideInput struct {
	CaseRef
	Body struct {
		PlanChoice
		Reason string `json:"reason"`
	}
}

type decisionBody struct {
	DecisionID schema.DecisionID   `json:"decision_id"`
	CaseID     schema.CaseID       `json:"case_id"`
	PlanID     schema.PlanID       `json:"plan_id,omitempty" doc:"Empty = every plan of the case that it fits"`
	Kind       schema.DecisionKind `json:"kind"`
	Hash       string              `json:"hash,omitempty" doc:"What was approved"`
	Step       schema.StepKind     `json:"step,omitempty"`
	To         string              `json:"to,omitempty"`
	Receivers  []string            `json:"receivers,omitempty"`
	Reason     string              `json:"reason"`
	Principal  string              `json:"principal"`
	TokenID    schema.TokenID      `json:"token_id"`
	CreatedAt  string              `json:"created_at"`
}

type decideOutput struct {
	Body struct {
		Decision decisionBody `json:"decision"`
		Case     caseBody     `json:"case"`
		// A decision that changes hashed facts makes another hash.
		HashBefore      string           `json:"hash_before" doc:"The case's hash before the decision; its hash now is the case's"`
		ApprovalsNeeded int              `json:"approvals_needed" doc:"How many must approve the case's hash before it goes on"`
		Warnings        []schema.Finding `json:"warnings" nullable:"false"`
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
		return s.decide(ctx, by, in.Ref, PlanChoice{}, schema.Decision{Kind: schema.DecideApprove, Hash: strings.ToLower(in.Body.Hash), Reason: in.Body.Reason})
	})
	for _, d := range []struct {
		kind    schema.DecisionKind
		summary string
	}{
		{schema.DecideResume, "Let parked accounts run again"},
		{schema.DecideSendAgain, "Resume, and send a stalled transfer anew; a second destination folder may appear"},
		{schema.DecideReactivate, "Resume, and let a refused transfer make its source active for the call"},
		{schema.DecideReleaseLane, "Let other transfers use the accounts of a stalled one"},
		{schema.DecideCancel, "Cancel what is open and restore access; ownership, places and sessions do not come back"},
	} {
		handle(s, decisionRoute(d.kind, d.summary), func(ctx context.Context, by schema.Principal, in *decideInput) (*decideOutput, error) {
			if err := needReason(in.Body.Reason); err != nil {
				return nil, err
			}
			return s.decide(ctx, by, in.Ref, in.Body.PlanChoice, schema.Decision{Kind: d.kind, Reason: in.Body.Reason})
		})
	}
	s.registerChanges()
}

func decisionRoute(kind schema.DecisionKind, summary string) route {
	word := strings.ReplaceAll(string(kind), "_", "-")
	return route{id: word + "-case", method: http.MethodPost, path: "/v1/cases/{ref}/" + word, roles: deciders(), summary: summary}
}

// decide writes a decision. What was asked for is checked by then but for the
// length of its reason.
func (s *server) decide(ctx context.Context, by schema.Principal, ref string, choice PlanChoice, d schema.Decision) (*decideOutput, error) {
	d.Reason = strings.TrimSpace(d.Reason)
	if err := reasonFault(d.Reason); err != nil {
		return nil, err
	}
	c, err := s.store.FindCase(ctx, ref)
	if err != nil {
		return nil, err
	}
	if d.PlanID, err = s.choosePlan(ctx, c.ID, choice); err != nil {
		return nil, err
	}
	var warnings []schema.Finding
	if d.Kind == schema.DecideSetReceiver {
		if d.ReceiverFor, warnings, err = s.checkReceivers(ctx, c.ID, d.Receivers); err != nil {
			return nil, err
		}
	}
	d.CaseID, d.Principal, d.TokenID, d.CreatedAt = c.ID, by.Name, by.TokenID, s.now().UTC()
	done, err := s.store.Decide(ctx, d, by)
	if err != nil {
		return nil, err
	}
	out := &decideOutput{}
	view := s.viewOf(ctx, c)
	out.Body.Decision, out.Body.Case = decisionOf(done), caseOf(view)
	out.Body.HashBefore, out.Body.ApprovalsNeeded, out.Body.Warnings = c.Hash, approvalsNeeded(view), nonNil(warnings)
	return out, nil
}

// approvalsNeeded is how many approvals the open plan that lacks most still needs.
func approvalsNeeded(v schema.CaseView) int {
	most := 0
	for _, a := range v.Accounts {
		if !a.Plan.State.Ended() {
			most = max(most, a.Plan.Approvals-a.Plan.Approved)
		}
	}
	return most
}

// choosePlan returns the plan that a choice names, "" for none.
func (s *server) choosePlan(ctx context.Context, id schema.CaseID, choice PlanChoice) (schema.PlanID, error) {
	if choice == (PlanChoice{}) {
		return "", nil
	}
	if choice.PlanID != "" && choice.Account != "" {
		return "", oneFault("plan_id", "one_of", "both a plan and an account are named", "name one of them")
	}
	view, err := s.store.CaseView(ctx, id)
	if err != nil {
		return "", err
	}
	var found []schema.PlanID
	for _, a := range view.Accounts {
		if choice.names(a) {
			found = append(found, a.Plan.ID)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", &schema.Error{Code: schema.CodeNotFound, Message: "the case has no such plan", Fix: "see: sendoff cases show " + string(id)}
	default:
		return "", &schema.Error{Code: schema.CodeAmbiguous, Message: "several plans of the case fit", Fix: "name the account as CONNECTION/ID, or the plan by its whole id"}
	}
}

// minPlanPrefix is the shortest part of a plan's id that names it.
const minPlanPrefix = 8

func (c PlanChoice) names(a schema.AccountView) bool {
	if c.PlanID != "" {
		prefix := strings.ToLower(string(c.PlanID))
		return prefix == string(a.Plan.ID) || (len(prefix) >= minPlanPrefix && strings.HasPrefix(string(a.Plan.ID), prefix))
	}
	id := string(a.Account.ExternalID)
	return c.Account == id || c.Account == a.Connection+"/"+id || strings.EqualFold(c.Account, a.Account.Login)
}

func decisionOf(d schema.Decision) decisionBody {
	return decisionBody{
		DecisionID: d.ID, CaseID: d.CaseID, PlanID: d.PlanID, Kind: d.Kind, Hash: d.Hash, Step: d.Step, To: schema.FormatInstant(d.To),
		Receivers: d.Receivers, Reason: d.Reason, Principal: d.Principal, TokenID: d.TokenID, CreatedAt: schema.FormatInstant(d.CreatedAt),
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
