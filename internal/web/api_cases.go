package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"sendoff/internal/intake"
	"sendoff/schema"
)

type createCasesInput struct {
	Body struct {
		Requests []requestBody `json:"requests" nullable:"false"`
		Confirm  string        `json:"confirm,omitempty" doc:"The hash of the plan that was looked at; empty = whatever is planned now"`
		Source   string        `json:"source,omitempty" enum:"cli,csv,api" doc:"Where the request comes from; empty = api"`
	}
}

type createCasesOutput struct {
	Body struct {
		Cases    []caseBody       `json:"cases" nullable:"false"`
		Warnings []schema.Finding `json:"warnings" nullable:"false"`
	}
}

type listCasesInput struct {
	Page
	State string `query:"state" doc:"Only cases in this state"`
	Email string `query:"email" doc:"Only cases of this address"`
}

type listCasesOutput struct {
	Body struct {
		Cases []caseBody `json:"cases" nullable:"false"`
		Next  string     `json:"next" doc:"The cursor of the next page; empty = this is the last"`
	}
}

// CaseRef is the path parameter of operations on one case. It is exported because the
// framework reads no parameters from embedded types that are not.
type CaseRef struct {
	Ref string `path:"ref" doc:"A case id, 8 or more characters of one, or an address with an open case" maxLength:"254"`
}

type caseOutput struct{ Body caseBody }

func (s *server) registerCases() {
	handle(s, route{
		id: "create-cases", method: http.MethodPost, path: "/v1/cases", roles: deciders(), status: http.StatusCreated,
		summary: "Start offboardings: all of them or none",
	}, s.createCases)
	handle(s, route{
		id: "list-cases", method: http.MethodGet, path: "/v1/cases", roles: readers(),
		summary: "List cases, newest first",
	}, s.listCases)
	handle(s, route{
		id: "show-case", method: http.MethodGet, path: "/v1/cases/{ref}", roles: readers(),
		summary: "Show a case",
	}, s.showCase)
}

func (s *server) createCases(ctx context.Context, by schema.Principal, in *createCasesInput) (*createCasesOutput, error) {
	source := in.Body.Source
	if source == "" {
		source = "api"
	}
	drafts, err := s.draft(ctx, in.Body.Requests, source)
	if err != nil {
		return nil, err
	}
	if err := refuseOneself(drafts, by); err != nil {
		return nil, err
	}
	if err := refusal(drafts); err != nil {
		return nil, err
	}
	if now := hashOf(drafts); in.Body.Confirm != "" && !strings.EqualFold(in.Body.Confirm, now) {
		return nil, errHashDiffers(in.Body.Confirm, now)
	}
	cases, err := s.store.CreateCases(ctx, drafts, by)
	if err != nil {
		return nil, err
	}
	out := &createCasesOutput{}
	for _, c := range cases {
		out.Body.Cases = append(out.Body.Cases, s.created(ctx, c))
	}
	out.Body.Warnings = []schema.Finding{}
	for _, d := range drafts {
		out.Body.Warnings = append(out.Body.Warnings, d.AllFindings()...)
	}
	return out, nil
}

// created shows a case that was just written.
func (s *server) created(ctx context.Context, c schema.Case) caseBody {
	return caseOf(s.viewOf(ctx, c))
}

// viewOf is the view of a case that was just written. It exists whatever happens
// now, so a failed read shows less instead of claiming that nothing was done.
func (s *server) viewOf(ctx context.Context, c schema.Case) schema.CaseView {
	view, err := s.store.CaseView(ctx, c.ID)
	if err != nil {
		view = schema.CaseView{Case: c, State: schema.PlanPlanned}
	}
	return view
}

// refuseOneself refuses drafts for the person who holds the token, by the address
// asked for and by the logins found for it. A token without an address is no
// person's, or nobody said whose.
func refuseOneself(drafts []schema.Draft, by schema.Principal) error {
	own := func(address string) bool { return by.Email != "" && strings.EqualFold(by.Email, address) }
	for _, d := range drafts {
		if own(d.Request.Email) || slices.ContainsFunc(d.Accounts, func(a schema.DraftAccount) bool { return own(a.Account.Login) }) {
			return &schema.Error{
				Code: schema.CodeForbidden, Message: "nobody offboards themselves; nothing was started",
				Fix: "let another operator do it",
			}
		}
	}
	return nil
}

// refusal is the error for drafts that pre-flight refuses, with every finding of
// every request. When the only thing wrong is that a login fits several
// accounts, its code says so.
func refusal(drafts []schema.Draft) error {
	var f faults
	ambiguousOnly := true
	for i, d := range drafts {
		for _, found := range d.AllFindings() {
			if found.Warning {
				continue
			}
			where := fmt.Sprintf("requests[%d]", i)
			if found.Connection != "" {
				where += " (" + found.Connection + ")"
			}
			f.add(where, string(found.Code), found.Message, found.Fix)
			ambiguousOnly = ambiguousOnly && found.Code == schema.AmbiguousLogin
		}
	}
	switch {
	case len(f.list) == 0:
		return nil
	case ambiguousOnly:
		return &schema.Error{Code: schema.CodeAmbiguous, Message: "a login fits several accounts; nothing was started", Problems: f.list}
	default:
		return &schema.Error{Code: schema.CodeRefused, Message: "pre-flight refused; nothing was started", Problems: f.list}
	}
}

func errHashDiffers(confirmed, now string) error {
	return &schema.Error{
		Code: schema.CodeHashDiffers, Message: "what was confirmed is not what would run now; nothing was started",
		Fix: "look at the plan again and confirm its new hash",
		Problems: []schema.Problem{
			{Where: "confirm", Code: "CONFIRMED_HASH", Message: "confirmed " + confirmed},
			{Where: "confirm", Code: "CURRENT_HASH", Message: "now " + now},
		},
	}
}

func (s *server) listCases(ctx context.Context, _ schema.Principal, in *listCasesInput) (*listCasesOutput, error) {
	var f faults
	filter := schema.CaseFilter{State: schema.PlanState(in.State), After: in.Cursor, Limit: in.Limit}
	if in.State != "" && !slices.Contains(stateNames(), in.State) {
		f.add("state", "unknown_state", "there is no such state", "use one of "+strings.Join(stateNames(), ", "))
	}
	if in.Email != "" {
		email, err := intake.ParseAddress(in.Email)
		if err != nil {
			f.add("email", "email_syntax", err.Error(), "give the whole address")
		}
		filter.Email = email
	}
	if err := f.err("the request is not valid"); err != nil {
		return nil, err
	}
	cases, next, err := s.store.ListCases(ctx, filter)
	if err != nil {
		return nil, err
	}
	out := &listCasesOutput{}
	out.Body.Cases, out.Body.Next = []caseBody{}, next
	for _, c := range cases {
		out.Body.Cases = append(out.Body.Cases, caseOf(c))
	}
	return out, nil
}

func (s *server) showCase(ctx context.Context, _ schema.Principal, in *CaseRef) (*caseOutput, error) {
	view, err := s.find(ctx, in.Ref)
	if err != nil {
		return nil, err
	}
	out := &caseOutput{Body: caseOf(view)}
	out.Body.Leaver, err = s.leaverOfCase(ctx, view.Case.ID)
	return out, err
}

func (s *server) find(ctx context.Context, ref string) (schema.CaseView, error) {
	c, err := s.store.FindCase(ctx, ref)
	if err != nil {
		return schema.CaseView{}, err
	}
	return s.store.CaseView(ctx, c.ID)
}

func stateNames() []string {
	states := []schema.PlanState{
		schema.PlanPlanned, schema.PlanRunning, schema.PlanWaiting, schema.PlanSettling, schema.PlanCancelling,
		schema.PlanParked, schema.PlanSuperseded, schema.PlanCancelled, schema.PlanDone,
	}
	names := make([]string, len(states))
	for i, st := range states {
		names[i] = string(st)
	}
	return names
}
