package web

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"sendoff/internal/intake"
	"sendoff/schema"
)

type waiveInput struct {
	CaseRef
	Body struct {
		PlanChoice
		Step   schema.StepKind `json:"step,omitempty" doc:"The kind of step; empty = the one that the plan is parked or waiting in"`
		Reason string          `json:"reason"`
	}
}

type completeInput struct {
	CaseRef
	Body struct {
		PlanChoice
		Evidence string `json:"evidence" doc:"What shows that the task is done"`
	}
}

type moveDateInput struct {
	CaseRef
	Body struct {
		PlanChoice
		To     string `json:"to" doc:"RFC 3339 with zone"`
		Reason string `json:"reason"`
	}
}

type setReceiverInput struct {
	CaseRef
	Body struct {
		Receivers []string `json:"receivers" nullable:"false" doc:"Who may get the content, in order of preference, by login or rule; of every plan of the case"`
		Reason    string   `json:"reason"`
	}
}

// registerChanges lists the decisions that say more than a reason.
func (s *server) registerChanges() {
	handle(s, decisionRoute(schema.DecideWaive, "Leave a step out and go on; a waived transfer waives the delete too"),
		func(ctx context.Context, by schema.Principal, in *waiveInput) (*decideOutput, error) {
			if err := needReason(in.Body.Reason); err != nil {
				return nil, err
			}
			if step := in.Body.Step; step != "" && !slices.Contains(schema.StepKinds(), step) {
				return nil, oneFault("step", "unknown_step", "there is no such kind of step", fmt.Sprintf("use one of %v", schema.StepKinds()))
			}
			return s.decide(ctx, by, in.Ref, in.Body.PlanChoice, schema.Decision{Kind: schema.DecideWaive, Step: in.Body.Step, Reason: in.Body.Reason})
		})
	handle(s, decisionRoute(schema.DecideComplete, "A manual step is done; the evidence is its proof"),
		func(ctx context.Context, by schema.Principal, in *completeInput) (*decideOutput, error) {
			var f faults
			if strings.TrimSpace(in.Body.Evidence) == "" {
				f.add("evidence", "required", "a task is done by its evidence", "say what shows it, such as a ticket")
			}
			checkText(&f, "evidence", in.Body.Evidence, maxReason)
			if err := f.err("the request is not valid"); err != nil {
				return nil, err
			}
			return s.decide(ctx, by, in.Ref, in.Body.PlanChoice, schema.Decision{Kind: schema.DecideComplete, Reason: in.Body.Evidence})
		})
	handle(s, decisionRoute(schema.DecideMoveDate, "Another effective time before the begin, or another end of a wait; approvals are asked again"), s.moveDate)
	handle(s, decisionRoute(schema.DecideSetReceiver, "Other receivers, checked as pre-flight does; approvals are asked again"), s.setReceiver)
}

func (s *server) moveDate(ctx context.Context, by schema.Principal, in *moveDateInput) (*decideOutput, error) {
	var f faults
	if strings.TrimSpace(in.Body.Reason) == "" {
		f.add("reason", "required", "this needs a reason", "say why; it is kept in the audit trail")
	}
	to, err := time.Parse(time.RFC3339, in.Body.To)
	if err != nil {
		f.add("to", "time_without_zone", "not an instant with its zone", "write it in RFC 3339 such as 2026-12-01T18:00:00+01:00")
	}
	if err := f.err("the request is not valid; nothing was moved"); err != nil {
		return nil, err
	}
	d := schema.Decision{Kind: schema.DecideMoveDate, To: to.UTC().Truncate(time.Second), Reason: in.Body.Reason}
	out, err := s.decide(ctx, by, in.Ref, in.Body.PlanChoice, d)
	if err == nil && to.Before(s.now()) {
		out.Body.Warnings = append(out.Body.Warnings, schema.Finding{
			Code: effectiveAtPast, Warning: true, Message: "the time asked for has passed: what waited for it goes on at once",
			Fix: "check the date if that is not meant",
		})
	}
	return out, err
}

func (s *server) setReceiver(ctx context.Context, by schema.Principal, in *setReceiverInput) (*decideOutput, error) {
	var f faults
	if strings.TrimSpace(in.Body.Reason) == "" {
		f.add("reason", "required", "this needs a reason", "say why; it is kept in the audit trail")
	}
	if n := len(in.Body.Receivers); n == 0 || n > maxReceivers {
		f.add("receivers", "count", fmt.Sprintf("%d receivers", n), fmt.Sprintf("give 1 to %d", maxReceivers))
	}
	var logins []string
	for i, address := range in.Body.Receivers {
		login, err := intake.ParseReceiver(address)
		if err != nil {
			f.add(fmt.Sprintf("receivers[%d]", i), "email_syntax", err.Error(), "give the address the receiver signs in with, or a rule")
		} else if !slices.Contains(logins, login) {
			logins = append(logins, login)
		}
	}
	if err := f.err("the request is not valid; nothing was changed"); err != nil {
		return nil, err
	}
	return s.decide(ctx, by, in.Ref, PlanChoice{}, schema.Decision{Kind: schema.DecideSetReceiver, Receivers: logins, Reason: in.Body.Reason})
}

// checkReceivers runs pre-flight for other receivers of a case: the one chosen
// for each plan, with the warnings, or the refusal.
func (s *server) checkReceivers(ctx context.Context, id schema.CaseID, logins []string) (map[schema.PlanID]schema.Account, []schema.Finding, error) {
	chosen, findings, err := s.planner.CheckReceivers(ctx, id, logins)
	if err != nil {
		return nil, nil, err
	}
	var f faults
	for _, found := range findings {
		if !found.Warning {
			where := "receivers"
			if found.Connection != "" {
				where += " (" + found.Connection + ")"
			}
			f.add(where, string(found.Code), found.Message, found.Fix)
		}
	}
	if len(f.list) > 0 {
		return nil, nil, &schema.Error{Code: schema.CodeRefused, Message: "pre-flight refuses the receivers; nothing was changed", Problems: f.list}
	}
	return chosen, findings, nil
}
