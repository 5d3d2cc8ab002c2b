package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"sendoff/schema"
)

// roles are those that may call an operation; the order is that of the document.
type roles []schema.Role

func everybody() roles  { return schema.Roles() }
func adminsOnly() roles { return roles{schema.RoleAdmin} }
func deciders() roles   { return roles{schema.RoleAdmin, schema.RoleOperator} }
func readers() roles    { return roles{schema.RoleAdmin, schema.RoleOperator, schema.RoleAuditor} }

func answerers() roles                    { return roles{schema.RoleAdmin, schema.RoleOperator, schema.RoleReviewer} }
func auditReaders() roles                 { return roles{schema.RoleAdmin, schema.RoleAuditor} }
func (r roles) has(role schema.Role) bool { return slices.Contains(r, role) }

// bigBodyPatience is how long a body above maxBody may take to arrive.
const bigBodyPatience = 2 * time.Minute

// route is one operation of the API.
type route struct {
	id, method, path, summary string
	roles                     roles
	status                    int   // of success; 0 = 200
	body                      int64 // bytes of a request's body at most; 0 = maxBody
}

// Page selects a part of a list.
type Page struct {
	Cursor string `query:"cursor" doc:"The next of the page before; empty for the first page" maxLength:"512"`
	Limit  int    `query:"limit" doc:"How many at most" minimum:"1" maximum:"500" default:"50"`
}

// handle registers an operation. The handler is called only for the roles named;
// its errors become problems.
func handle[I, O any](s *server, r route, fn func(context.Context, schema.Principal, *I) (*O, error)) {
	op := s.operation(r)
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		x := exchangeOf(ctx)
		if !r.roles.has(x.principal.Role) {
			return nil, problemOf(errForbidden(x.principal.Role, r.roles))
		}
		ctx, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		out, err := fn(ctx, x.principal, in)
		if err != nil {
			x.err = err
			return nil, refusalOf(err)
		}
		return out, nil
	})
}

func (s *server) operation(r route) huma.Operation {
	errSchema := s.api.OpenAPI().Components.Schemas.Schema(typeOf[errorBody](), true, "ErrorBody")
	status := r.status
	if status == 0 {
		status = http.StatusOK
	}
	patience := time.Duration(0) // the framework's own, which fits small bodies
	if r.body > 0 {
		patience = bigBodyPatience
	}
	return huma.Operation{
		OperationID: r.id, Method: r.method, Path: r.path, Summary: r.summary, DefaultStatus: status,
		MaxBodyBytes: cmp.Or(r.body, maxBody), BodyReadTimeout: patience,
		Security:   []map[string][]string{{"token": {}}},
		Extensions: map[string]any{"x-roles": r.roles},
		Responses: map[string]*huma.Response{"default": {
			Description: "A problem (RFC 9457)",
			Content:     map[string]*huma.MediaType{problemType: {Schema: errSchema}},
		}},
	}
}

func errForbidden(have schema.Role, need roles) error {
	names := ""
	for i, r := range need {
		if i > 0 {
			names += " or "
		}
		names += string(r)
	}
	return &schema.Error{
		Code: schema.CodeForbidden, Message: "the role " + string(have) + " may not do this",
		Fix: "use a token with the role " + names,
	}
}

// registerAll lists every operation there is.
func (s *server) registerAll() {
	s.registerPlans()
	s.registerCases()
	s.registerDecisions()
	s.registerUndo()
	s.registerReport()
	s.registerRestrictions()
	s.registerDeclarations()
	s.registerTemplates()
	s.registerConnections()
	s.registerHealth()
	s.registerConsents()
	s.registerRemoval()
	s.registerAccounts()
	s.registerReports()
	s.registerRuns()
	s.registerPeople()
	s.registerHR()
	s.registerPolicies()
	s.registerAccessReviews()
	s.registerCampaigns()
	s.registerNotices()
	s.registerRecover()
	s.registerTokens()
	s.registerEngine()
	s.registerAudit()
}
