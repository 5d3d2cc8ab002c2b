package web

import (
	"context"
	"net/http"
	"time"

	"sendoff/schema"
)

// budgetWindow is the time whose use counts.
const budgetWindow = 24 * time.Hour

type setBudgetInput struct {
	Body struct {
		PerDay     int `json:"per_day" minimum:"0" maximum:"10000000" doc:"Accounts; 0 = no limit"`
		Connection int `json:"per_connection" minimum:"0" maximum:"10000000" doc:"Accounts of one connection; 0 = no limit"`
	}
}

type budgetOutput struct{ Body budgetBody }

type budgetBody struct {
	PerDay     int          `json:"per_day" doc:"Accounts of all doors together in 24 hours; 0 = no limit"`
	Connection int          `json:"per_connection" doc:"Accounts of one connection in 24 hours; 0 = no limit"`
	Used       spendingBody `json:"used" doc:"In the last 24 hours"`
	UpdatedBy  string       `json:"updated_by"`
	UpdatedAt  *time.Time   `json:"updated_at" doc:"null = never changed"`
}

func (s *server) registerBudget() {
	handle(s, route{
		id: "show-budget", method: http.MethodGet, path: "/v1/budget", roles: readers(),
		summary: "Show how much all doors together may do in 24 hours, and did",
	}, func(ctx context.Context, _ schema.Principal, _ *struct{}) (*budgetOutput, error) {
		return s.budgetShown(ctx)(s.policies.EngineBudget(ctx))
	})
	handle(s, route{
		id: "set-budget", method: http.MethodPut, path: "/v1/budget", roles: adminsOnly(),
		summary: "Say how much all doors together may do in 24 hours",
	}, func(ctx context.Context, by schema.Principal, in *setBudgetInput) (*budgetOutput, error) {
		return s.budgetShown(ctx)(s.policies.SetEngineBudget(ctx, schema.EngineBudget{PerDay: in.Body.PerDay, Connection: in.Body.Connection}, by))
	})
}

func (s *server) budgetShown(ctx context.Context) func(schema.EngineBudget, error) (*budgetOutput, error) {
	return func(b schema.EngineBudget, err error) (*budgetOutput, error) {
		if err != nil {
			return nil, err
		}
		used, err := s.policies.BudgetUsed(ctx, s.now().Add(-budgetWindow))
		if err != nil {
			return nil, err
		}
		names, err := s.connectionNames(ctx)
		return &budgetOutput{Body: budgetBody{
			PerDay: b.PerDay, Connection: b.Connection, Used: spendingOf(used, names), UpdatedBy: b.UpdatedBy, UpdatedAt: instant(b.UpdatedAt),
		}}, err
	}
}
