package web

import (
	"context"
	"net/http"
	"strings"

	"sendoff/schema"
)

type linkInput struct {
	Body struct {
		Connection string `json:"connection" doc:"Name of the account's connection"`
		Account    string `json:"account" doc:"The vendor's id, or the login it has now"`
		Person     string `json:"person" doc:"Address or id of the person"`
		Reason     string `json:"reason"`
	}
}

type unlinkInput struct {
	Body struct {
		Connection string `json:"connection"`
		Account    string `json:"account" doc:"The vendor's id, or the login it has now"`
		Reason     string `json:"reason"`
	}
}

type linkOutput struct{ Body linkBody }

type linkBody struct {
	Connection string            `json:"connection"`
	AccountID  schema.ExternalID `json:"account_id" doc:"The vendor's id"`
	PersonID   schema.PersonID   `json:"person_id" doc:"Empty = whoever the evidence names"`
}

type ruleInput struct {
	Name string `path:"name" maxLength:"63"`
	Body struct {
		Attribute string `json:"attribute" doc:"The vendor's attribute that holds the employee number; empty = none does"`
	}
}

type ruleOutput struct{ Body ruleBody }

type ruleBody struct {
	Connection  string           `json:"connection"`
	Attribute   string           `json:"attribute" doc:"Empty = employee numbers are not compared"`
	Correlation *correlationBody `json:"correlation" doc:"null = nothing was matched anew"`
}

func (s *server) registerLinks() {
	handle(s, route{
		id: "link-account", method: http.MethodPost, path: "/v1/people/links", roles: deciders(),
		summary: "Say whose an account is; it wins over all evidence",
	}, s.linkAccount)
	handle(s, route{
		id: "unlink-account", method: http.MethodPost, path: "/v1/people/links/end", roles: deciders(),
		summary: "End what was said of an account: evidence counts again",
	}, s.unlinkAccount)
	handle(s, route{
		id: "get-correlation-rule", method: http.MethodGet, path: "/v1/connections/{name}/employee-number", roles: readers(),
		summary: "Which attribute of the vendor holds the employee number",
	}, func(ctx context.Context, _ schema.Principal, in *ConnectionName) (*ruleOutput, error) {
		c, err := s.store.ConnectionByName(ctx, in.Name)
		if err != nil {
			return nil, err
		}
		attribute, err := s.store.CorrelationRule(ctx, c.ID)
		return &ruleOutput{Body: ruleBody{Connection: c.Name, Attribute: attribute}}, err
	})
	handle(s, route{
		id: "set-correlation-rule", method: http.MethodPut, path: "/v1/connections/{name}/employee-number", roles: adminsOnly(),
		summary: "Name the attribute of the vendor that holds the employee number; accounts are matched anew",
	}, func(ctx context.Context, by schema.Principal, in *ruleInput) (*ruleOutput, error) {
		var f faults
		checkText(&f, "attribute", in.Body.Attribute, maxField)
		if err := f.err("the request is not valid"); err != nil {
			return nil, err
		}
		attribute := strings.TrimSpace(in.Body.Attribute)
		done, err := s.store.SetCorrelationRule(ctx, in.Name, attribute, by)
		matched := correlationOf(done)
		return &ruleOutput{Body: ruleBody{in.Name, attribute, &matched}}, err
	})
}

func (s *server) linkAccount(ctx context.Context, by schema.Principal, in *linkInput) (*linkOutput, error) {
	if err := needReason(in.Body.Reason); err != nil {
		return nil, err
	}
	a, err := s.store.AccountRef(ctx, in.Body.Connection, in.Body.Account)
	if err != nil {
		return nil, err
	}
	person, err := s.store.PersonRef(ctx, in.Body.Person)
	if err != nil {
		return nil, err
	}
	err = s.store.LinkAccount(ctx, a.ID, person, strings.TrimSpace(in.Body.Reason), by)
	return &linkOutput{Body: linkBody{in.Body.Connection, a.ExternalID, person}}, err
}

func (s *server) unlinkAccount(ctx context.Context, by schema.Principal, in *unlinkInput) (*linkOutput, error) {
	if err := needReason(in.Body.Reason); err != nil {
		return nil, err
	}
	a, err := s.store.AccountRef(ctx, in.Body.Connection, in.Body.Account)
	if err != nil {
		return nil, err
	}
	err = s.store.UnlinkAccount(ctx, a.ID, strings.TrimSpace(in.Body.Reason), by)
	return &linkOutput{Body: linkBody{Connection: in.Body.Connection, AccountID: a.ExternalID}}, err
}
