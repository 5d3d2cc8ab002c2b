package web

import (
	"context"
	"net/http"

	"sendoff/internal/policy"
	"sendoff/schema"
)

type undoBody struct {
	CaseID   schema.CaseID    `json:"case_id"`
	State    schema.PlanState `json:"state"`
	Accounts []undoAccount    `json:"accounts" nullable:"false"`
}

// undoAccount is what a cancel now would do for one account.
type undoAccount struct {
	PlanID         schema.PlanID     `json:"plan_id"`
	Connection     string            `json:"connection"`
	AccountID      schema.ExternalID `json:"account_id"`
	State          schema.PlanState  `json:"state"`
	BroughtBack    []string          `json:"brought_back" nullable:"false"`
	NotBroughtBack []string          `json:"not_brought_back" nullable:"false"`
}

type undoOutput struct{ Body undoBody }

func (s *server) registerUndo() {
	handle(s, route{
		id: "undo-case", method: http.MethodGet, path: "/v1/cases/{ref}/undo", roles: readers(),
		summary: "What cancelling the case now would bring back, and what not; nothing is cancelled",
	}, func(ctx context.Context, _ schema.Principal, in *CaseRef) (*undoOutput, error) {
		view, err := s.find(ctx, in.Ref)
		if err != nil {
			return nil, err
		}
		out := &undoOutput{Body: undoBody{CaseID: view.Case.ID, State: view.State, Accounts: []undoAccount{}}}
		for _, a := range view.Accounts {
			u := policy.ForecastUndo(a.Plan, a.Transfer)
			out.Body.Accounts = append(out.Body.Accounts, undoAccount{
				PlanID: a.Plan.ID, Connection: a.Connection, AccountID: a.Account.ExternalID, State: a.Plan.State,
				BroughtBack: nonNil(u.BroughtBack), NotBroughtBack: nonNil(u.NotBroughtBack),
			})
		}
		return out, nil
	})
}
