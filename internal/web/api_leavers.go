package web

import (
	"context"
	"net/http"

	"sendoff/internal/intake"
	"sendoff/schema"
)

type listLeaversInput struct {
	Page
	Source string             `query:"source" doc:"Name; empty = every one" maxLength:"63"`
	State  schema.LeaverState `query:"state" enum:"held,planning,no_account,refused,open,withdrawn,ended," doc:"Empty = every state"`
	Email  string             `query:"email" doc:"Only of the person with this address" maxLength:"254"`
	Open   bool               `query:"open" doc:"Only those that have not ended"`
	Batch  schema.BatchID     `query:"batch" doc:"Only those of this batch" maxLength:"63"`
}

type listLeaversOutput struct {
	Body struct {
		Leavers []leaverBody `json:"leavers" nullable:"false"`
		Next    string       `json:"next"`
	}
}

type leaverRef struct {
	Ref string `path:"ref" doc:"The leaver's id, or an address" maxLength:"254"`
}

type leaverOutput struct{ Body leaverBody }

func (s *server) registerLeavers() {
	handle(s, route{
		id: "list-hr-leavers", method: http.MethodGet, path: "/v1/hr/leavers", roles: readers(), summary: "List who leaves by what HR says, newest first",
	}, s.listLeavers)
	handle(s, route{
		id: "show-hr-leaver", method: http.MethodGet, path: "/v1/hr/leavers/{ref}", roles: readers(), summary: "Show a leaver",
	}, func(ctx context.Context, _ schema.Principal, in *leaverRef) (*leaverOutput, error) {
		l, err := s.hr.FindLeaver(ctx, in.Ref)
		return &leaverOutput{Body: leaverOf(l)}, err
	})
	handle(s, route{
		id: "retry-hr-leaver", method: http.MethodPost, path: "/v1/hr/leavers/{ref}/retry", roles: deciders(),
		summary: "Plan a leaver now, in place of at the next try",
	}, s.retryLeaver)
}

func (s *server) listLeavers(ctx context.Context, _ schema.Principal, in *listLeaversInput) (*listLeaversOutput, error) {
	filter := schema.LeaverFilter{Source: in.Source, State: in.State, Open: in.Open, Batch: in.Batch, After: in.Cursor, Limit: in.Limit}
	if in.Email != "" {
		email, err := intake.ParseAddress(in.Email)
		if err != nil {
			return nil, oneFault("email", "email_syntax", err.Error(), "give the whole address")
		}
		filter.Email = email
	}
	list, next, err := s.hr.ListLeavers(ctx, filter)
	if err != nil {
		return nil, err
	}
	out := &listLeaversOutput{}
	out.Body.Leavers, out.Body.Next = listOf(list, leaverOf), next
	return out, nil
}

func (s *server) retryLeaver(ctx context.Context, by schema.Principal, in *leaverRef) (*leaverOutput, error) {
	l, err := s.hr.FindLeaver(ctx, in.Ref)
	if err != nil {
		return nil, err
	}
	if err := s.hr.RetryLeaver(ctx, l.ID, by); err != nil {
		return nil, err
	}
	return &leaverOutput{Body: leaverOf(l)}, nil
}

// leaverOfCase is what HR wants of a case's person; nil when HR did not ask.
func (s *server) leaverOfCase(ctx context.Context, id schema.CaseID) (*caseLeaverBody, error) {
	if s.hr == nil {
		return nil, nil
	}
	l, found, err := s.hr.LeaverOfCase(ctx, id)
	if err != nil || !found {
		return nil, err
	}
	return caseLeaverOf(l), nil
}
