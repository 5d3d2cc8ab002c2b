package web

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"sendoff/internal/intake"
	"sendoff/schema"
)

type listHREventsInput struct {
	Page
	Source string            `query:"source" doc:"Name; empty = every one" maxLength:"63"`
	State  schema.EventState `query:"state" enum:"pending,applied,refused," doc:"Empty = every state"`
}

type listHREventsOutput struct {
	Body struct {
		Events []HREventBody `json:"events" nullable:"false"`
		Next   string        `json:"next"`
	}
}

type hrEventInput struct {
	ID      schema.HREventID `path:"id" maxLength:"63"`
	WithRaw bool             `query:"raw" doc:"Also the body as it came; for admins and auditors"`
}

type hrEventOutput struct {
	Body struct {
		HREventBody
		Size int    `json:"body_size" doc:"Bytes of the body as it came"`
		Raw  string `json:"body,omitempty" doc:"Base64, when it was asked for"`
	}
}

type acceptedOutput struct {
	Body acceptedBody
}

type acceptedBody struct {
	Event     HREventBody `json:"event"`
	Duplicate bool        `json:"duplicate" doc:"The same came before: nothing was done, and the event is the one from then"`
}

type leaveInput struct {
	Body struct {
		Email          string `json:"email" doc:"An address of the person"`
		LastWorkingDay string `json:"last_working_day,omitempty" doc:"YYYY-MM-DD"`
		TerminatedOn   string `json:"termination_date,omitempty" doc:"The day the contract ends, YYYY-MM-DD"`
		TimeZone       string `json:"time_zone,omitempty" doc:"IANA name; the person's, their site's or the company's when left out"`
		ForCause       bool   `json:"for_cause,omitempty" doc:"At once"`
		Reason         string `json:"reason" doc:"Kept in the audit trail"`
	}
}

type returnInput struct {
	Body struct {
		Email  string `json:"email" doc:"An address of the person"`
		Reason string `json:"reason" doc:"Kept in the audit trail"`
	}
}

func (s *server) registerHREvents() {
	handle(s, route{
		id: "list-hr-events", method: http.MethodGet, path: "/v1/hr/events", roles: readers(), summary: "List what sources told, newest first",
	}, s.listHREvents)
	handle(s, route{
		id: "show-hr-event", method: http.MethodGet, path: "/v1/hr/events/{id}", roles: readers(), summary: "Show what a source told, and what that did",
	}, s.showHREvent)
	handle(s, route{
		id: "hr-leave", method: http.MethodPost, path: "/v1/hr/leave", roles: deciders(), status: http.StatusAccepted,
		summary: "Say by hand that a person leaves; feeds do not change it",
	}, s.leave)
	handle(s, route{
		id: "hr-return", method: http.MethodPost, path: "/v1/hr/return", roles: deciders(), status: http.StatusAccepted,
		summary: "Say by hand that a person does not leave, or is back; feeds do not change it",
	}, func(ctx context.Context, by schema.Principal, in *returnInput) (*acceptedOutput, error) {
		var f faults
		hand := schema.ByHand{Email: f.person(in.Body.Email), Reason: f.reason(in.Body.Reason)}
		return s.sayByHand(ctx, by, &f, schema.ChangeReturn, hand)
	})
}

func (s *server) listHREvents(ctx context.Context, _ schema.Principal, in *listHREventsInput) (*listHREventsOutput, error) {
	list, next, err := s.hr.ListHREvents(ctx, schema.HREventFilter{Source: in.Source, State: in.State, After: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &listHREventsOutput{}
	out.Body.Events, out.Body.Next = listOf(list, hrEventOf), next
	return out, nil
}

// showHREvent keeps the body from those who only work with what was read of it: it
// holds whatever HR sent.
func (s *server) showHREvent(ctx context.Context, by schema.Principal, in *hrEventInput) (*hrEventOutput, error) {
	if in.WithRaw && !auditReaders().has(by.Role) {
		return nil, errForbidden(by.Role, auditReaders())
	}
	e, err := s.hr.HREvent(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &hrEventOutput{}
	out.Body.HREventBody, out.Body.Size = hrEventOf(e), len(e.Body)
	if in.WithRaw {
		out.Body.Raw = base64.StdEncoding.EncodeToString(e.Body)
	}
	return out, nil
}

func (s *server) leave(ctx context.Context, by schema.Principal, in *leaveInput) (*acceptedOutput, error) {
	var f faults
	b := in.Body
	hand := schema.ByHand{
		Email: f.person(b.Email), LastWorkingDay: f.date("last_working_day", b.LastWorkingDay), TerminatedOn: f.date("termination_date", b.TerminatedOn),
		TimeZone: f.zone("time_zone", b.TimeZone, false), ForCause: b.ForCause, Reason: f.reason(b.Reason),
	}
	if b.LastWorkingDay == "" && b.TerminatedOn == "" && !b.ForCause {
		f.add("last_working_day", "one_of", "nothing says when", "give the last working day, the termination date, or for_cause to begin at once")
	}
	if !hand.TerminatedOn.IsZero() && hand.TerminatedOn.Before(hand.LastWorkingDay) {
		f.add("termination_date", "dates_order", "the contract ends before the last working day", "correct one of the dates")
	}
	return s.sayByHand(ctx, by, &f, schema.ChangeLeave, hand)
}

// sayByHand writes what a person says as an event of the built-in source.
func (s *server) sayByHand(ctx context.Context, by schema.Principal, f *faults, kind schema.HRChangeKind, hand schema.ByHand) (*acceptedOutput, error) {
	if err := f.err("the request is not valid; nothing was accepted"); err != nil {
		return nil, err
	}
	if err := s.refuseOwnLeave(ctx, by, hand.Email); err != nil {
		return nil, err
	}
	src, err := s.hr.SourceByName(ctx, schema.ManualSource)
	if err != nil {
		return nil, err
	}
	hand.Principal, hand.TokenID = by.Name, by.TokenID
	body, err := json.Marshal(hand)
	if err != nil {
		return nil, err
	}
	return accepted(s.hr.AcceptEvent(ctx, schema.HREvent{
		SourceID: src.ID, Source: src.Name, EventID: uuid.NewString(), Via: schema.ViaHand, Body: body, BodyHash: hexSum(body),
		Change: schema.HRChange{Kind: kind, Hand: &hand}, State: schema.EventPending,
	}))
}

func accepted(a schema.Accepted, err error) (*acceptedOutput, error) {
	if err != nil {
		return nil, err
	}
	return &acceptedOutput{Body: acceptedBody{Event: hrEventOf(a.Event), Duplicate: a.Duplicate}}, nil
}

// refuseOwnLeave: nobody offboards themselves, nor brings themselves back, under
// whatever address they are known.
func (s *server) refuseOwnLeave(ctx context.Context, by schema.Principal, email string) error {
	if by.Email == "" {
		return nil
	}
	own := strings.EqualFold(by.Email, email)
	if !own {
		me, err := s.store.PersonRef(ctx, by.Email)
		if err == nil && me != "" {
			them, err := s.store.PersonRef(ctx, email)
			own = err == nil && me == them
		}
	}
	if own {
		return &schema.Error{
			Code: schema.CodeForbidden, Message: "nobody says of themselves that they leave or return; nothing was accepted", Fix: "let somebody else do it",
		}
	}
	return nil
}

func (f *faults) person(address string) string {
	email, err := intake.ParseAddress(address)
	if err != nil {
		f.add("email", "email_syntax", err.Error(), "give the work address of the person")
	}
	return email
}

func (f *faults) reason(text string) string {
	checkText(f, "reason", text, maxReason)
	f.required("reason", text, "say why; it is kept in the audit trail")
	return strings.TrimSpace(text)
}

// The years that a date may be in: those of a roster.
const (
	minYear = 1900
	maxYear = 9998
)

func (f *faults) date(field, text string) schema.Date {
	d, err := schema.ParseDate(strings.TrimSpace(text))
	if err != nil || (!d.IsZero() && (d.Year < minYear || d.Year > maxYear)) {
		f.add(field, "date_syntax", "this is not a date written YYYY-MM-DD", "write it such as 2026-11-30")
		return schema.Date{}
	}
	return d
}
