package web

import (
	"context"
	"net/http"
	"strings"

	"sendoff/internal/intake"
	"sendoff/schema"
)

type listAbsencesInput struct {
	Page
	Person string `query:"person" doc:"Our id, or an address they have or had; empty = everybody, for reviewers themselves" maxLength:"254"`
}

type listAbsencesOutput struct {
	Body struct {
		Absences []absenceBody `json:"absences" nullable:"false"`
		Next     string        `json:"next"`
	}
}

type setAbsenceInput struct {
	Body struct {
		Person   string `json:"person,omitempty" doc:"An address; empty = whoever asks. Of others only an admin or operator"`
		From     string `json:"from,omitempty" doc:"RFC 3339 with zone; empty = now"`
		Until    string `json:"until,omitempty" doc:"RFC 3339 with zone; empty = until it is ended"`
		Delegate string `json:"delegate,omitempty" doc:"The address of who decides meanwhile; empty = the next in each chain. Never about an account that the delegate holds"`
		Reason   string `json:"reason"`
	}
}

type absenceRefInput struct {
	ID string `path:"id" doc:"Id of the absence" maxLength:"63"`
}

type absenceOutput struct{ Body absenceBody }

func (s *server) registerAbsences() {
	handle(s, route{
		id: "list-absences", method: http.MethodGet, path: "/v1/absences", roles: everybody(), summary: "List when people decide nothing; reviewers see their own alone",
	}, s.listAbsences)
	handle(s, route{
		id: "set-absence", method: http.MethodPost, path: "/v1/absences", roles: answerers(), status: http.StatusCreated,
		summary: "Say that one is away, and who decides meanwhile",
	}, s.setAbsence)
	handle(s, route{
		id: "end-absence", method: http.MethodDelete, path: "/v1/absences/{id}", roles: answerers(), summary: "End an absence now",
	}, func(ctx context.Context, by schema.Principal, in *absenceRefInput) (*absenceOutput, error) {
		a, err := s.campaigns.EndAbsence(ctx, in.ID, by)
		return &absenceOutput{Body: s.absenceOf(a)}, err
	})
}

func (s *server) listAbsences(ctx context.Context, by schema.Principal, in *listAbsencesInput) (*listAbsencesOutput, error) {
	person := strings.TrimSpace(in.Person)
	if keepsSecrets(by) {
		switch {
		case by.Email == "":
			return nil, &schema.Error{Code: schema.CodeForbidden, Message: "the token is of no person", Fix: "use a token that carries your address"}
		case person != "" && !strings.EqualFold(person, by.Email):
			return nil, &schema.Error{Code: schema.CodeForbidden, Message: "reviewers see their own absences alone", Fix: "leave the person out"}
		}
		person = by.Email
	}
	list, next, err := s.campaigns.Absences(ctx, person, in.Cursor, in.Limit)
	out := &listAbsencesOutput{}
	out.Body.Absences, out.Body.Next = listOf(list, s.absenceOf), next
	return out, err
}

func (s *server) setAbsence(ctx context.Context, by schema.Principal, in *setAbsenceInput) (*absenceOutput, error) {
	var f faults
	a := schema.NewAbsence{Reason: f.reason(in.Body.Reason)}
	for _, p := range []struct {
		field, text string
		into        *string
	}{{"person", in.Body.Person, &a.Person}, {"delegate", in.Body.Delegate, &a.Delegate}} {
		if strings.TrimSpace(p.text) == "" {
			continue
		}
		var err error
		if *p.into, err = intake.ParseAddress(p.text); err != nil {
			f.add(p.field, "email_syntax", err.Error(), "give the person's address")
		}
	}
	if in.Body.From != "" {
		a.From = f.instant("from", in.Body.From)
	}
	if in.Body.Until != "" {
		a.Until = f.instant("until", in.Body.Until)
		if !a.Until.IsZero() && (!a.Until.After(a.From) || !a.Until.After(s.now())) {
			f.add("until", "order", "it ends before it begins, or has ended", "give a later time, or leave it out")
		}
	}
	if err := f.err("the request is not valid; nothing was changed"); err != nil {
		return nil, err
	}
	made, err := s.campaigns.SetAbsence(ctx, a, by)
	return &absenceOutput{Body: s.absenceOf(made)}, err
}
