package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"sendoff/schema"
)

// declarationBody is an admin's word that a vendor has no legal holds.
type declarationBody struct {
	Connection  string     `json:"connection"`
	Live        bool       `json:"live" doc:"Whether it counts now"`
	Reason      string     `json:"reason"`
	DeclaredBy  string     `json:"declared_by"`
	DeclaredAt  time.Time  `json:"declared_at"`
	ExpiresAt   time.Time  `json:"expires_at"`
	WithdrawnAt *time.Time `json:"withdrawn_at" doc:"null = it was not withdrawn"`
}

type declareInput struct {
	ConnectionName
	Body struct {
		NoLegalHolds bool   `json:"no_legal_holds" doc:"true: the vendor has no legal holds. false: the declaration is withdrawn"`
		Reason       string `json:"reason"`
		Expires      string `json:"expires,omitempty" doc:"A duration such as 30d or an instant with its zone, 365 days away at most; needed to declare"`
	}
}

type declarationOutput struct{ Body declarationBody }

type listDeclarationsOutput struct {
	Body struct {
		Declarations []declarationBody `json:"declarations" nullable:"false"`
	}
}

func (s *server) registerDeclarations() {
	handle(s, route{
		id: "declare-connection", method: http.MethodPost, path: "/v1/connections/{name}/declaration", roles: adminsOnly(),
		summary: "Declare that a vendor whose legal holds cannot be read has none, or withdraw that",
	}, s.declare)
	handle(s, route{
		id: "list-declarations", method: http.MethodGet, path: "/v1/declarations", roles: readers(),
		summary: "List the last declaration of each connection that has one",
	}, s.listDeclarations)
}

func (s *server) declare(ctx context.Context, by schema.Principal, in *declareInput) (*declarationOutput, error) {
	var f faults
	reason := strings.TrimSpace(in.Body.Reason)
	if reason == "" {
		f.add("reason", "required", "this needs a reason", "say how you know; it is kept in the audit trail")
	}
	checkText(&f, "reason", reason, maxReason)
	var expires time.Time
	switch {
	case !in.Body.NoLegalHolds:
	case in.Body.Expires == "", in.Body.Expires == "never":
		f.add("expires", "required", "a declaration expires", "give a duration such as 30d, 365d at most")
	default:
		expires = readExpiry(&f, in.Body.Expires, s.now())
	}
	if err := f.err("the declaration is not valid"); err != nil {
		return nil, err
	}
	var d schema.Declaration
	var err error
	if in.Body.NoLegalHolds {
		d, err = s.store.DeclareNoHolds(ctx, in.Name, schema.Declaration{Reason: reason, ExpiresAt: expires}, by)
	} else {
		d, err = s.store.WithdrawDeclaration(ctx, in.Name, reason, by)
	}
	if err != nil {
		return nil, err
	}
	return &declarationOutput{Body: s.declarationOf(d, in.Name)}, nil
}

func (s *server) listDeclarations(ctx context.Context, _ schema.Principal, _ *struct{}) (*listDeclarationsOutput, error) {
	byConnection, err := s.store.Declarations(ctx)
	if err != nil {
		return nil, err
	}
	out := &listDeclarationsOutput{}
	out.Body.Declarations = []declarationBody{}
	for after := ""; ; {
		list, next, err := s.store.ListConnections(ctx, after, maxConnectionsPage)
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			if d, ok := byConnection[c.ID]; ok {
				out.Body.Declarations = append(out.Body.Declarations, s.declarationOf(d, c.Name))
			}
		}
		if after = next; after == "" {
			return out, nil
		}
	}
}

// maxConnectionsPage is the longest page of connections that the store gives.
const maxConnectionsPage = 500

func (s *server) declarationOf(d schema.Declaration, connection string) declarationBody {
	return declarationBody{
		Connection: connection, Live: d.Live(s.now()), Reason: d.Reason, DeclaredBy: d.DeclaredBy,
		DeclaredAt: d.DeclaredAt.UTC(), ExpiresAt: d.ExpiresAt.UTC(), WithdrawnAt: instant(d.WithdrawnAt),
	}
}
