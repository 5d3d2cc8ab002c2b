package web

import (
	"context"
	"net/http"
	"strings"

	"sendoff/schema"
)

type listPeopleInput struct {
	Page
	Source         string `query:"source" doc:"Only those whom this source tells of" maxLength:"63"`
	Department     string `query:"department" doc:"Only those in this department, as it is written" maxLength:"500"`
	Ended          string `query:"ended" enum:"true,false" doc:"Whether their last day has passed"`
	WithoutManager bool   `query:"without_manager" doc:"Only those who are employed and have no manager that we know of"`
	WithoutAccount bool   `query:"without_account" doc:"Only those of whom no account is known"`
	Absent         bool   `query:"absent" doc:"Only those whom the last whole roster left out"`
}

type listPeopleOutput struct {
	Body struct {
		People []PersonBody `json:"people" nullable:"false"`
		Next   string       `json:"next"`
	}
}

type personRefInput struct {
	Ref string `path:"ref" doc:"Our id, or an address they have or had" maxLength:"254"`
}

type personOutput struct{ Body personDetailBody }

type listIssuesInput struct {
	Page
	Kind string `query:"kind" enum:"email_taken,email_twice,number_taken,number_ambiguous,two_cases,manager_unknown,self_manager,manager_cycle,account_ambiguous,account_contradiction"`
}

type listIssuesOutput struct {
	Body struct {
		Issues []issueBody `json:"issues" nullable:"false"`
		Next   string      `json:"next"`
	}
}

type departmentBody struct {
	Name    string          `json:"name"`
	People  int             `json:"people"`
	OwnerID schema.PersonID `json:"owner_id" doc:"Empty = nobody was named"`
	Owner   string          `json:"owner" doc:"Their address"`
}

type listDepartmentsOutput struct {
	Body struct {
		Departments []departmentBody `json:"departments" nullable:"false"`
		Next        string           `json:"next"`
	}
}

type departmentOwnerInput struct {
	Body struct {
		Department string `json:"department" doc:"As the roster writes it"`
		Owner      string `json:"owner" doc:"Address or id of the person; empty = nobody"`
	}
}

type departmentOwnerOutput struct{ Body departmentOwnerBody }

type departmentOwnerBody struct {
	Department string          `json:"department"`
	OwnerID    schema.PersonID `json:"owner_id"`
}

func (s *server) registerPeople() {
	s.registerRoster()
	s.registerLinks()
	handle(s, route{
		id: "list-people", method: http.MethodGet, path: "/v1/people", roles: readers(), summary: "List people by address",
	}, s.listPeople)
	handle(s, route{
		id: "get-person", method: http.MethodGet, path: "/v1/people/{ref}", roles: readers(),
		summary: "Everything known of a person: employments, addresses, accounts, managers, reports",
	}, func(ctx context.Context, _ schema.Principal, in *personRefInput) (*personOutput, error) {
		v, err := s.store.Person(ctx, in.Ref)
		return &personOutput{Body: personDetailOf(v)}, err
	})
	handle(s, route{
		id: "list-people-issues", method: http.MethodGet, path: "/v1/people/issues", roles: readers(),
		summary: "List what rosters and accounts contradict each other in, or leave open",
	}, func(ctx context.Context, _ schema.Principal, in *listIssuesInput) (*listIssuesOutput, error) {
		list, next, err := s.store.PersonIssues(ctx, schema.IssueKind(in.Kind), in.Cursor, in.Limit)
		out := &listIssuesOutput{}
		out.Body.Issues, out.Body.Next = listOf(list, issueOf), next
		return out, err
	})
	handle(s, route{
		id: "list-departments", method: http.MethodGet, path: "/v1/people/departments", roles: readers(), summary: "List departments with their owners",
	}, func(ctx context.Context, _ schema.Principal, in *Page) (*listDepartmentsOutput, error) {
		list, next, err := s.store.Departments(ctx, in.Cursor, in.Limit)
		out := &listDepartmentsOutput{}
		out.Body.Departments = listOf(list, func(d schema.Department) departmentBody { return departmentBody{d.Name, d.People, d.OwnerID, d.Owner} })
		out.Body.Next = next
		return out, err
	})
	handle(s, route{
		id: "set-department-owner", method: http.MethodPut, path: "/v1/people/departments", roles: deciders(),
		summary: "Name who owns a department: the receiver that the rule department-owner means",
	}, s.setDepartmentOwner)
}

func (s *server) listPeople(ctx context.Context, _ schema.Principal, in *listPeopleInput) (*listPeopleOutput, error) {
	f := schema.PersonFilter{
		Source: in.Source, Department: in.Department, WithoutManager: in.WithoutManager, WithoutAccount: in.WithoutAccount,
		Absent: in.Absent, After: in.Cursor, Limit: in.Limit,
	}
	if in.Ended != "" {
		ended := in.Ended == "true"
		f.Ended = &ended
	}
	list, next, err := s.store.ListPeople(ctx, f)
	out := &listPeopleOutput{}
	out.Body.People, out.Body.Next = listOf(list, personOf), next
	return out, err
}

func (s *server) setDepartmentOwner(ctx context.Context, by schema.Principal, in *departmentOwnerInput) (*departmentOwnerOutput, error) {
	var owner schema.PersonID
	if ref := strings.TrimSpace(in.Body.Owner); ref != "" {
		var err error
		if owner, err = s.store.PersonRef(ctx, ref); err != nil {
			return nil, err
		}
	}
	err := s.store.SetDepartmentOwner(ctx, in.Body.Department, owner, by)
	return &departmentOwnerOutput{Body: departmentOwnerBody{in.Body.Department, owner}}, err
}
