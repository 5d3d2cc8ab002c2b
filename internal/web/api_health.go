package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"

	"sendoff/schema"
)

// diagnosisBody is what the doctor found.
type diagnosisBody struct {
	At     time.Time        `json:"at"`
	Health schema.Health    `json:"health" enum:"active,degraded,failed"`
	Since  *time.Time       `json:"since" doc:"When the health became that; null = it was not kept"`
	Code   schema.ProbeCode `json:"code" doc:"The first fault; OK = none"`
	// Usable tells programs what the exit code of connections test is.
	Usable  bool         `json:"usable" doc:"Whether everything works that is required"`
	Partial bool         `json:"partial" doc:"Whether probing stopped at a fault"`
	Results []resultBody `json:"results" nullable:"false"`
	Limits  []string     `json:"limits" nullable:"false" doc:"What the acting role cannot do, whatever its scopes"`
}

type resultBody struct {
	AbilityBody
	Code       schema.ProbeCode   `json:"code"`
	Message    string             `json:"message"`
	Fix        string             `json:"fix"`
	Candidates []schema.Candidate `json:"candidates" nullable:"false" doc:"Where one answer has several causes: what it may be, likeliest first"`
	Detail     string             `json:"detail" doc:"For the vendor's support"`
}

// AbilityBody is one thing a connection wants to be able to do. (Exported, for huma
// leaves out unexported embedded structs.)
type AbilityBody struct {
	Ability  string           `json:"ability"`
	Scope    string           `json:"scope" doc:"What the vendor calls the right; empty = none is needed"`
	Serves   string           `json:"serves" doc:"The features that need it"`
	Datasets []schema.Dataset `json:"datasets" nullable:"false" doc:"Not collected without it"`
	Required bool             `json:"required"`
	Writes   bool             `json:"writes" doc:"Only a write could prove it: it is never probed"`
}

type diagnosisOutput struct{ Body diagnosisBody }

type abilitiesInput struct {
	Vendor   string `path:"vendor" maxLength:"63"`
	ReadOnly bool   `query:"read_only"`
}

type abilitiesOutput struct {
	Body struct {
		Vendor    string        `json:"vendor"`
		Abilities []AbilityBody `json:"abilities" nullable:"false"`
	}
}

func (s *server) registerHealth() {
	handle(s, route{
		id: "test-connection", method: http.MethodPost, path: "/v1/connections/{name}/test", roles: adminsOnly(),
		summary: "Let the doctor look at a stored connection, by reads alone, and keep what it finds",
	}, s.testConnection)
	handle(s, route{
		id: "show-diagnosis", method: http.MethodGet, path: "/v1/connections/{name}/diagnosis", roles: readers(),
		summary: "Show what the doctor last found",
	}, s.showDiagnosis)
	handle(s, route{
		id: "list-abilities", method: http.MethodGet, path: "/v1/vendors/{vendor}/abilities", roles: readers(),
		summary: "List the scopes that connections of a vendor want, and what each serves",
	}, s.listAbilities)
	s.registerAlarms()
	s.registerUpkeep()
}

// examine asks the doctor about a connection that is to be stored, and refuses one
// that could not be used.
func (s *server) examine(ctx context.Context, c schema.Connection, secret string) (schema.Diagnosis, error) {
	d, err := s.checker.Diagnose(ctx, c, secret)
	if err != nil {
		return d, checkFailed(err)
	}
	return d, unfit(d)
}

// unfit is the refusal of a connection of which something required does not work,
// nil when all does.
func unfit(d schema.Diagnosis) error {
	var e *schema.Error
	for _, r := range d.Faults() {
		if usable(r) {
			continue
		}
		if e == nil {
			e = &schema.Error{Code: schema.CodeVendor, Message: r.Message, Fix: r.Fix}
			if r.Code == schema.ProbeEnterpriseMismatch {
				e.Code = schema.CodeRefused
			}
		}
		e.Problems = append(e.Problems, schema.Problem{Where: r.Ability.Name, Code: string(r.Code), Message: r.Message, Fix: r.Fix})
		for _, c := range r.Candidates {
			e.Problems = append(e.Problems, schema.Problem{Where: r.Ability.Name, Code: "possible_cause", Message: c.Cause, Fix: "look at: " + c.Look})
		}
	}
	if e == nil {
		return nil // not e: an interface that holds a nil is none
	}
	return e
}

// usable tells whether a fault leaves the connection of use: it is about something
// optional, or about a clock that is wrong while the sign-in works.
func usable(r schema.ProbeResult) bool {
	return !r.Ability.Required || r.Code == schema.ProbeClockSkew && r.Detail == ""
}

// keep stores what was found about a connection just stored. It is found again at
// the next visit, so that it is no reason to fail.
func (s *server) keep(ctx context.Context, c *schema.Connection, d schema.Diagnosis) {
	d.ConnectionID = c.ID
	if err := s.store.SaveDiagnosis(ctx, d); err != nil {
		s.log.Warn("what the doctor found could not be kept", zap.String("connection", c.Name), zap.Error(err))
		return
	}
	c.Health, c.HealthCode, c.HealthAt = d.Health, d.Code(), d.At
}

// lookAgain lets the doctor see what new credentials are good for.
func (s *server) lookAgain(ctx context.Context, c *schema.Connection) *diagnosisBody {
	d, err := s.checker.Diagnose(ctx, *c, "")
	if err != nil {
		s.log.Warn("the doctor could not look", zap.String("connection", c.Name), zap.Error(err))
		return nil
	}
	s.keep(ctx, c, d)
	out := diagnosisOf(d)
	return &out
}

func (s *server) testConnection(ctx context.Context, _ schema.Principal, in *ConnectionName) (*connectOutput, error) {
	c, err := s.store.ConnectionByName(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	if err := refuseDisabled(c); err != nil {
		return nil, err
	}
	d, err := s.checker.Diagnose(ctx, c, "")
	if err != nil {
		return nil, checkFailed(err)
	}
	s.keep(ctx, &c, d)
	return connected(c, d), nil
}

// connected is the answer about a connection that the doctor looked at.
func connected(c schema.Connection, d schema.Diagnosis) *connectOutput {
	out := &connectOutput{}
	out.Body.Connection, out.Body.Check = connectionOf(c), checkBody{
		ActsAs: d.Identity.ExternalID, Role: d.Identity.Role, EnterpriseID: d.Identity.EnterpriseID, Service: d.Identity.Service,
	}
	found := diagnosisOf(d)
	out.Body.Diagnosis = &found
	return out
}

func (s *server) showDiagnosis(ctx context.Context, _ schema.Principal, in *ConnectionName) (*diagnosisOutput, error) {
	c, err := s.store.ConnectionByName(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	d, err := s.store.Diagnosis(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	out := &diagnosisOutput{Body: diagnosisOf(d.Diagnosis)}
	out.Body.Since = instant(d.Since)
	return out, nil
}

func (s *server) listAbilities(_ context.Context, _ schema.Principal, in *abilitiesInput) (*abilitiesOutput, error) {
	list, err := s.checker.Abilities(in.Vendor, in.ReadOnly)
	if err != nil {
		return nil, err
	}
	out := &abilitiesOutput{}
	out.Body.Vendor, out.Body.Abilities = strings.ToLower(in.Vendor), []AbilityBody{}
	for _, a := range list {
		out.Body.Abilities = append(out.Body.Abilities, abilityOf(a))
	}
	return out, nil
}

func diagnosisOf(d schema.Diagnosis) diagnosisBody {
	out := diagnosisBody{
		At: d.At.UTC(), Health: d.Health, Code: d.Code(), Usable: unfit(d) == nil, Partial: d.Partial, Results: []resultBody{}, Limits: d.Limits,
	}
	if out.Limits == nil {
		out.Limits = []string{}
	}
	for _, r := range d.Results {
		if r.Candidates == nil {
			r.Candidates = []schema.Candidate{}
		}
		out.Results = append(out.Results, resultBody{
			AbilityBody: abilityOf(r.Ability), Code: r.Code, Message: r.Message, Fix: r.Fix, Candidates: r.Candidates, Detail: r.Detail,
		})
	}
	return out
}

func abilityOf(a schema.Ability) AbilityBody {
	if a.Datasets == nil {
		a.Datasets = []schema.Dataset{}
	}
	return AbilityBody{Ability: a.Name, Scope: a.Scope, Serves: a.Serves, Datasets: a.Datasets, Required: a.Required, Writes: a.Writes}
}
