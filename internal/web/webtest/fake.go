// Package webtest holds fakes of the ports of internal/web, for tests of the
// API and of the command line that speaks to it.
package webtest

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"sendoff/internal/web"
	"sendoff/schema"
)

// Store is a web.Store, a web.HRStore, and all that policies and access reviews need, of functions. A method whose function is
// nil panics: the test did not expect the call. Authenticate knows Tokens alone.
type Store struct {
	RestrictionFuncs
	TemplateFuncs
	HealthFuncs
	ConsentFuncs
	InventoryFuncs
	ReportFuncs
	RunFuncs
	PeopleFuncs
	NoticeFuncs
	HRFuncs
	PolicyFuncs
	AccessReviewFuncs
	CampaignFuncs
	Tokens map[string]schema.Principal // by the token itself

	CreateTokenFunc           func(schema.Token) (schema.Token, error)
	ListTokensFunc            func(after string, limit int) ([]schema.Token, string, error)
	RevokeTokenFunc           func(name string) (schema.Token, error)
	CreateConnectionFunc      func(schema.Connection, string) (schema.Connection, error)
	ListConnectionsFunc       func(after string, limit int) ([]schema.Connection, string, error)
	ConnectionByNameFunc      func(name string) (schema.Connection, error)
	RotateConnectionFunc      func(schema.Connection, string) (schema.Connection, error)
	SetConnectionStateFunc    func(name string, to schema.ConnectionState, reason string) (schema.Connection, error)
	AllowConnectionWritesFunc func(name, reason string) (schema.Connection, error)
	CreateCasesFunc           func([]schema.Draft, schema.Principal) ([]schema.Case, error)
	FindCaseFunc              func(ref string) (schema.Case, error)
	CaseViewFunc              func(schema.CaseID) (schema.CaseView, error)
	ListCasesFunc             func(schema.CaseFilter) ([]schema.CaseView, string, error)
	DecisionsFunc             func(schema.CaseID) ([]schema.Decision, error)
	DecideFunc                func(schema.Decision, schema.Principal) (schema.Decision, error)
	SwitchFunc                func() (schema.Switch, error)
	SetSwitchFunc             func(schema.Switch) (schema.Switch, error)
	ExportAuditFunc           func(io.Writer) error
	CaseAuditFunc             func(id schema.CaseID, afterSeq int64, limit int) ([][]byte, error)
	PingFunc                  func() error
}

var _ web.Store = (*Store)(nil)

// Authenticate knows the tokens of the field.
func (s *Store) Authenticate(_ context.Context, hash [32]byte) (schema.Principal, error) {
	for token, p := range s.Tokens {
		if web.HashToken(token) == hash {
			return p, nil
		}
	}
	return schema.Principal{}, &schema.Error{Code: schema.CodeUnauthorized, Message: "the token is not valid", Fix: "use one that is neither expired nor revoked"}
}

// CreateToken calls its function, as does each method below.
func (s *Store) CreateToken(_ context.Context, t schema.Token, _ [32]byte, _ schema.Principal) (schema.Token, error) {
	return s.CreateTokenFunc(t)
}

// ListTokens calls its function.
func (s *Store) ListTokens(_ context.Context, after string, limit int) ([]schema.Token, string, error) {
	return s.ListTokensFunc(after, limit)
}

// RevokeToken calls its function.
func (s *Store) RevokeToken(_ context.Context, name string, _ schema.Principal) (schema.Token, error) {
	return s.RevokeTokenFunc(name)
}

// CreateConnection calls its function.
func (s *Store) CreateConnection(_ context.Context, c schema.Connection, secret string, _ schema.Principal) (schema.Connection, error) {
	return s.CreateConnectionFunc(c, secret)
}

// ListConnections calls its function.
func (s *Store) ListConnections(_ context.Context, after string, limit int) ([]schema.Connection, string, error) {
	return s.ListConnectionsFunc(after, limit)
}

// ConnectionByName calls its function.
func (s *Store) ConnectionByName(_ context.Context, name string) (schema.Connection, error) {
	return s.ConnectionByNameFunc(name)
}

// RotateConnection calls its function.
func (s *Store) RotateConnection(_ context.Context, c schema.Connection, secret string, _ schema.Principal) (schema.Connection, error) {
	return s.RotateConnectionFunc(c, secret)
}

// SetConnectionState calls its function.
func (s *Store) SetConnectionState(_ context.Context, name string, to schema.ConnectionState, reason string, _ schema.Principal) (schema.Connection, error) {
	return s.SetConnectionStateFunc(name, to, reason)
}

// CreateCases calls its function.
func (s *Store) CreateCases(_ context.Context, d []schema.Draft, by schema.Principal) ([]schema.Case, error) {
	return s.CreateCasesFunc(d, by)
}

// FindCase calls its function.
func (s *Store) FindCase(_ context.Context, ref string) (schema.Case, error) {
	return s.FindCaseFunc(ref)
}

// CaseView calls its function.
func (s *Store) CaseView(_ context.Context, id schema.CaseID) (schema.CaseView, error) {
	return s.CaseViewFunc(id)
}

// ListCases calls its function.
func (s *Store) ListCases(_ context.Context, f schema.CaseFilter) ([]schema.CaseView, string, error) {
	return s.ListCasesFunc(f)
}

// Decisions calls its function.
func (s *Store) Decisions(_ context.Context, id schema.CaseID) ([]schema.Decision, error) {
	return s.DecisionsFunc(id)
}

// Decide calls its function.
func (s *Store) Decide(_ context.Context, d schema.Decision, by schema.Principal) (schema.Decision, error) {
	return s.DecideFunc(d, by)
}

// Switch calls its function.
func (s *Store) Switch(context.Context) (schema.Switch, error) { return s.SwitchFunc() }

// SetSwitch calls its function.
func (s *Store) SetSwitch(_ context.Context, sw schema.Switch, _ schema.Principal) (schema.Switch, error) {
	return s.SetSwitchFunc(sw)
}

// ExportAudit calls its function.
func (s *Store) ExportAudit(_ context.Context, w io.Writer) error { return s.ExportAuditFunc(w) }

// CaseAudit calls its function.
func (s *Store) CaseAudit(_ context.Context, id schema.CaseID, afterSeq int64, limit int) ([][]byte, error) {
	return s.CaseAuditFunc(id, afterSeq, limit)
}

// Ping calls its function.
func (s *Store) Ping(context.Context) error { return s.PingFunc() }

// Planner is a web.Planner of one function.
type Planner func([]schema.Request) ([]schema.Draft, error)

// Draft calls the function.
func (p Planner) Draft(_ context.Context, r []schema.Request) ([]schema.Draft, error) { return p(r) }

// CheckReceivers fails: nobody is checked without a Receivers.
func (Planner) CheckReceivers(context.Context, schema.CaseID, []string) (map[schema.PlanID]schema.Account, []schema.Finding, error) {
	return nil, nil, errors.New("receivers not expected")
}

// Receivers is a Planner that checks receivers by its function.
type Receivers struct {
	Planner
	Check func(schema.CaseID, []string) (map[schema.PlanID]schema.Account, []schema.Finding, error)
}

// CheckReceivers calls the function.
func (r Receivers) CheckReceivers(_ context.Context, id schema.CaseID, logins []string) (map[schema.PlanID]schema.Account, []schema.Finding, error) {
	return r.Check(id, logins)
}

// Checker is a web.ConnectionChecker of one function, by which its doctor goes; it
// knows the vendor box.
type Checker func(schema.Connection, string) (web.ConnectionCheck, error)

// ReadConfigFile reads a web.ConfigFile in JSON.
func (Checker) ReadConfigFile(_, text string) (web.ConfigFile, error) {
	var file web.ConfigFile
	if err := json.Unmarshal([]byte(text), &file); err != nil {
		return file, &schema.Error{
			Code: schema.CodeInvalid, Message: "the configuration file cannot be used", Fix: "give another",
			Problems: []schema.Problem{{Where: "config-file", Code: "malformed", Message: "no JSON", Fix: "give JSON"}},
		}
	}
	return file, nil
}

// Vendors are box alone.
func (Checker) Vendors() []string { return []string{"box"} }
