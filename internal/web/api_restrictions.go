package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"sendoff/internal/intake"
	"sendoff/schema"
)

// restrictionBody is a hold or a protection as people and programs are shown it.
type restrictionBody struct {
	ID         schema.RestrictionID   `json:"id"`
	Kind       schema.RestrictionKind `json:"kind"`
	Subject    schema.SubjectKind     `json:"subject"`
	Connection string                 `json:"connection" doc:"Of an account; of a pattern, or empty = every connection"`
	AccountID  schema.ExternalID      `json:"account_id" doc:"The vendor's id"`
	Person     string                 `json:"person"`
	Pattern    string                 `json:"pattern"`
	Matter     string                 `json:"matter" doc:"The legal matter of a hold"`
	Reason     string                 `json:"reason"`
	Live       bool                   `json:"live" doc:"Whether it applies now"`
	CreatedBy  string                 `json:"created_by"`
	CreatedAt  time.Time              `json:"created_at"`
	ExpiresAt  *time.Time             `json:"expires_at" doc:"null = until it is ended"`
	EndedBy    string                 `json:"ended_by"`
	EndedAt    *time.Time             `json:"ended_at" doc:"null = nobody ended it"`
	EndReason  string                 `json:"end_reason"`
}

type restrictionOutput struct{ Body restrictionBody }

type addRestrictionInput struct {
	Body addRestrictionBody
}

type addRestrictionBody struct {
	Connection string            `json:"connection,omitempty" doc:"Name of the connection: needed for an account, optional for a pattern"`
	AccountID  schema.ExternalID `json:"account_id,omitempty" doc:"One account by the vendor's id"`
	Login      string            `json:"login,omitempty" doc:"One account by the login it has now; the vendor is asked for its id"`
	Person     string            `json:"person,omitempty" doc:"Every account of the person with this address"`
	Pattern    string            `json:"pattern,omitempty" doc:"Every login that matches: * is any text, ? one character"`
	Reason     string            `json:"reason"`
	Matter     string            `json:"matter,omitempty" doc:"Of holds alone: the legal matter"`
	Expires    string            `json:"expires,omitempty" doc:"A duration such as 90d or an instant with its zone; empty = until it is ended"`
}

type listRestrictionsInput struct {
	Page
	All bool `query:"all" doc:"Also those that have ended or expired"`
}

type endRestrictionInput struct {
	ID   schema.RestrictionID `path:"id" maxLength:"64"`
	Body struct {
		Reason string `json:"reason"`
	}
}

type listRestrictionsOutput[T any] struct{ Body T }

type holdsBody struct {
	Holds []restrictionBody `json:"holds" nullable:"false"`
	Next  string            `json:"next"`
}

type protectionsBody struct {
	Protections []restrictionBody `json:"protections" nullable:"false"`
	Next        string            `json:"next"`
}

func (s *server) registerRestrictions() {
	registerRestriction(s, schema.RestrictHold, "hold", func(list []restrictionBody, next string) holdsBody {
		return holdsBody{Holds: list, Next: next}
	})
	registerRestriction(s, schema.RestrictProtection, "protection", func(list []restrictionBody, next string) protectionsBody {
		return protectionsBody{Protections: list, Next: next}
	})
}

func registerRestriction[T any](s *server, kind schema.RestrictionKind, word string, body func([]restrictionBody, string) T) {
	path := "/v1/" + word + "s"
	handle(s, route{
		id: "list-" + word + "s", method: http.MethodGet, path: path, roles: readers(), summary: "List " + word + "s, newest first",
	}, func(ctx context.Context, _ schema.Principal, in *listRestrictionsInput) (*listRestrictionsOutput[T], error) {
		list, next, err := s.listRestrictions(ctx, kind, in)
		return &listRestrictionsOutput[T]{Body: body(list, next)}, err
	})
	handle(s, route{
		id: "add-" + word, method: http.MethodPost, path: path, roles: deciders(), status: http.StatusCreated,
		summary: "Put a " + word + " on accounts; it stops the next write that it forbids",
	}, func(ctx context.Context, by schema.Principal, in *addRestrictionInput) (*restrictionOutput, error) {
		return s.addRestriction(ctx, by, kind, in.Body)
	})
	handle(s, route{
		id: "end-" + word, method: http.MethodPost, path: path + "/{id}/end", roles: adminsOnly(), summary: "End a " + word + "; never one on oneself",
	}, func(ctx context.Context, by schema.Principal, in *endRestrictionInput) (*restrictionOutput, error) {
		if err := needReason(in.Body.Reason); err != nil {
			return nil, err
		}
		ended, err := s.store.EndRestriction(ctx, kind, in.ID, strings.TrimSpace(in.Body.Reason), by)
		if err != nil {
			return nil, err
		}
		return s.showRestriction(ctx, ended)
	})
}

// needReason refuses what is done without saying why, or in an unfit text.
func needReason(reason string) error {
	var f faults
	if strings.TrimSpace(reason) == "" {
		f.add("reason", "required", "this needs a reason", "say why; it is kept in the audit trail")
	}
	checkText(&f, "reason", reason, maxReason)
	return f.err("the request is not valid")
}

func (s *server) listRestrictions(ctx context.Context, kind schema.RestrictionKind, in *listRestrictionsInput) ([]restrictionBody, string, error) {
	list, next, err := s.store.ListRestrictions(ctx, kind, in.All, in.Cursor, in.Limit)
	if err != nil {
		return nil, "", err
	}
	out, names := []restrictionBody{}, map[schema.ConnectionID]string{"": ""}
	for _, r := range list {
		if _, known := names[r.ConnectionID]; !known {
			c, err := s.store.Connection(ctx, r.ConnectionID)
			if err != nil {
				return nil, "", err
			}
			names[r.ConnectionID] = c.Name
		}
		out = append(out, s.restrictionOf(r, names[r.ConnectionID]))
	}
	return out, next, nil
}

func (s *server) addRestriction(ctx context.Context, by schema.Principal, kind schema.RestrictionKind, in addRestrictionBody) (*restrictionOutput, error) {
	r, err := s.readRestriction(ctx, kind, in)
	if err != nil {
		return nil, err
	}
	r, err = s.store.AddRestriction(ctx, r, by)
	if err != nil {
		return nil, err
	}
	return &restrictionOutput{Body: s.restrictionOf(r, in.Connection)}, nil
}

// readRestriction checks the request and reports every fault at once, then looks
// up the connection and, for a login, the vendor's id.
func (s *server) readRestriction(ctx context.Context, kind schema.RestrictionKind, in addRestrictionBody) (schema.Restriction, error) {
	var f faults
	r := schema.Restriction{Kind: kind, Reason: strings.TrimSpace(in.Reason), Matter: strings.TrimSpace(in.Matter)}
	if r.Reason == "" {
		f.add("reason", "required", "this needs a reason", "say why; it is kept in the audit trail")
	}
	checkText(&f, "reason", in.Reason, maxReason)
	checkText(&f, "matter", in.Matter, maxReason)
	if r.Matter != "" && kind != schema.RestrictHold {
		f.add("matter", "no_matter", "only a hold has a matter", "leave it out, or make a hold")
	}
	if in.Expires != "" {
		r.ExpiresAt = readExpiry(&f, in.Expires, s.now())
		if in.Expires == "never" {
			f.add("expires", "expiry", "without an expiry it holds until it is ended", "leave it out")
		}
	}
	readSubject(&f, in, &r)
	if err := f.err("the request is not valid; nothing was added"); err != nil {
		return r, err
	}
	if in.Connection == "" {
		return r, nil
	}
	c, err := s.store.ConnectionByName(ctx, in.Connection)
	if err != nil {
		return r, err
	}
	r.ConnectionID = c.ID
	if in.Login != "" {
		r.ExternalID, err = s.accountOf(ctx, c, strings.ToLower(strings.TrimSpace(in.Login)))
	}
	return r, err
}

// readSubject sets what the restriction names: exactly one of account, person and
// pattern.
func readSubject(f *faults, in addRestrictionBody, r *schema.Restriction) {
	given := 0
	for _, value := range []string{string(in.AccountID), in.Login, in.Person, in.Pattern} {
		if value != "" {
			given++
		}
	}
	switch {
	case given != 1:
		f.add("subject", "one_of", "not exactly one of account_id, login, person and pattern is given", "name one account, one person, or one pattern")
	case in.Person != "":
		email, err := intake.ParseAddress(in.Person)
		if err != nil {
			f.add("person", "email_syntax", err.Error(), "give the person's whole address")
		}
		if in.Connection != "" {
			f.add("connection", "no_connection", "a person is restricted in every connection", "leave it out, or name the account")
		}
		r.Subject, r.Email = schema.SubjectPerson, email
	case in.Pattern != "":
		checkText(f, "pattern", in.Pattern, maxField)
		r.Subject, r.Pattern = schema.SubjectPattern, strings.ToLower(strings.TrimSpace(in.Pattern))
	default:
		checkText(f, "account_id", string(in.AccountID), maxField)
		checkText(f, "login", in.Login, maxField)
		if in.Connection == "" {
			f.add("connection", "required", "an account is named by its connection too", "give the name of the connection")
		}
		r.Subject, r.ExternalID = schema.SubjectAccount, in.AccountID
	}
}

// accountOf asks the vendor for the account that has the login now, by planning
// for it what harms least; nothing is started.
func (s *server) accountOf(ctx context.Context, c schema.Connection, login string) (schema.ExternalID, error) {
	drafts, err := s.planner.Draft(ctx, []schema.Request{{Email: login, Template: "suspend"}})
	if err != nil {
		return "", err
	}
	for _, d := range drafts {
		for _, a := range d.Accounts {
			if a.Connection.ID == c.ID {
				return a.Account.ExternalID, nil
			}
		}
	}
	return "", &schema.Error{
		Code: schema.CodeNotFound, Message: "no account of connection " + c.Name + " has that login now, or the connection does not answer",
		Fix: "give the vendor's id of the account, or name the person",
	}
}

func (s *server) showRestriction(ctx context.Context, r schema.Restriction) (*restrictionOutput, error) {
	name := ""
	if r.ConnectionID != "" {
		c, err := s.store.Connection(ctx, r.ConnectionID)
		if err != nil {
			return nil, err
		}
		name = c.Name
	}
	return &restrictionOutput{Body: s.restrictionOf(r, name)}, nil
}

func (s *server) restrictionOf(r schema.Restriction, connection string) restrictionBody {
	return restrictionBody{
		ID: r.ID, Kind: r.Kind, Subject: r.Subject, Connection: connection, AccountID: r.ExternalID, Person: r.Email,
		Pattern: r.Pattern, Matter: r.Matter, Reason: r.Reason, Live: r.Live(s.now()), CreatedBy: r.CreatedBy,
		CreatedAt: r.CreatedAt.UTC(), ExpiresAt: instant(r.ExpiresAt), EndedBy: r.EndedBy, EndedAt: instant(r.EndedAt), EndReason: r.EndReason,
	}
}
