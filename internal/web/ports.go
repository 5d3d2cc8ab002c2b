package web

import (
	"context"
	"io"
	"time"

	"sendoff/schema"
)

// Store is what the API needs of Postgres. Methods that change state write the
// audit record, and the outbox row where the engine must hear of it, in the
// same transaction. They return schema.Error.
type Store interface {
	RestrictionStore
	TemplateStore
	HealthStore
	ConsentStore
	InventoryStore
	ReportStore
	RunStore
	PeopleStore
	NoticeStore

	// Authenticate returns the principal of a token by the SHA-256 of the
	// token; CodeUnauthorized when unknown, expired or revoked.
	Authenticate(ctx context.Context, tokenHash [32]byte) (schema.Principal, error)
	CreateToken(ctx context.Context, t schema.Token, tokenHash [32]byte, by schema.Principal) (schema.Token, error)
	ListTokens(ctx context.Context, after string, limit int) (tokens []schema.Token, next string, err error)
	RevokeToken(ctx context.Context, nameOrID string, by schema.Principal) (schema.Token, error)

	// CreateConnection seals the secret and stores the connection. CodeConflict
	// when the name is taken.
	CreateConnection(ctx context.Context, c schema.Connection, secret string, by schema.Principal) (schema.Connection, error)
	ListConnections(ctx context.Context, after string, limit int) (connections []schema.Connection, next string, err error)
	ConnectionByName(ctx context.Context, name string) (schema.Connection, error)
	// RotateConnection replaces the secret, the kind of sign-in and the client id
	// of a connection. CodeConflict when it is no longer at c's version.
	RotateConnection(ctx context.Context, c schema.Connection, secret string, by schema.Principal) (schema.Connection, error)
	// SetConnectionState enables, disables or removes. Removing forgets the
	// secret and is refused with CodeConflict while plans are open on it.
	SetConnectionState(ctx context.Context, name string, to schema.ConnectionState, reason string, by schema.Principal) (schema.Connection, error)

	// AllowConnectionWrites lets a read-only connection write. CodeConflict when
	// another one writes to its enterprise.
	AllowConnectionWrites(ctx context.Context, name, reason string, by schema.Principal) (schema.Connection, error)

	// CreateCases writes the persons, cases, plans and outbox rows of all drafts
	// in one transaction: all or none. CodeConflict names the case that already
	// works on an account.
	CreateCases(ctx context.Context, drafts []schema.Draft, by schema.Principal) ([]schema.Case, error)
	// FindCase returns the case of an id, of an unambiguous prefix of one (8
	// characters at least), or the newest case of an e-mail address, an open one
	// before those that have ended.
	FindCase(ctx context.Context, ref string) (schema.Case, error)
	CaseView(ctx context.Context, id schema.CaseID) (schema.CaseView, error)
	ListCases(ctx context.Context, f schema.CaseFilter) (cases []schema.CaseView, next string, err error)
	Decisions(ctx context.Context, id schema.CaseID) ([]schema.Decision, error)
	// Decide writes a decision with its effect (described at schema.DecisionKind)
	// and the outbox row. CodeConflict when no plan is in a state that it fits,
	// CodeForbidden for one's own case.
	Decide(ctx context.Context, d schema.Decision, by schema.Principal) (schema.Decision, error)

	Switch(ctx context.Context) (schema.Switch, error)
	SetSwitch(ctx context.Context, s schema.Switch, by schema.Principal) (schema.Switch, error)

	// ExportAudit streams the audit log in the form that internal/audit verifies.
	ExportAudit(ctx context.Context, w io.Writer) error
	// CaseAudit returns the audit bodies (JSON) of a case's stream, oldest first.
	CaseAudit(ctx context.Context, id schema.CaseID, afterSeq int64, limit int) (bodies [][]byte, err error)
	Ping(ctx context.Context) error
}

// RestrictionStore keeps holds, protections and declarations.
type RestrictionStore interface {
	// AddRestriction puts a hold or a protection on accounts: no write whose
	// intent is journalled after it returned is one that it forbids.
	AddRestriction(ctx context.Context, r schema.Restriction, by schema.Principal) (schema.Restriction, error)
	// EndRestriction ends one. CodeForbidden when it is on the principal.
	EndRestriction(ctx context.Context, kind schema.RestrictionKind, id schema.RestrictionID, reason string, by schema.Principal) (schema.Restriction, error)
	// ListRestrictions lists those that are live, or with ended all, newest first.
	ListRestrictions(ctx context.Context, kind schema.RestrictionKind, ended bool, after string, limit int) (list []schema.Restriction, next string, err error)
	// RestrictionsDuring returns those that applied to the vendor's account at any
	// instant of the time given, oldest first: also those that have ended.
	RestrictionsDuring(ctx context.Context, c schema.ConnectionID, id schema.ExternalID, login string, from, to time.Time) ([]schema.Restriction, error)
	// Connection returns a connection by id, removed ones included.
	Connection(ctx context.Context, id schema.ConnectionID) (schema.Connection, error)
	// DeclareNoHolds keeps an admin's word that the connection's vendor has no
	// legal holds; WithdrawDeclaration ends it before its time.
	DeclareNoHolds(ctx context.Context, name string, d schema.Declaration, by schema.Principal) (schema.Declaration, error)
	WithdrawDeclaration(ctx context.Context, name, reason string, by schema.Principal) (schema.Declaration, error)
	// Declarations returns the last declaration of each connection that has one.
	Declarations(ctx context.Context) (map[schema.ConnectionID]schema.Declaration, error)
}

// Planner makes drafts: it looks up accounts, resolves the template and runs
// pre-flight, and writes nothing but the accounts it saw.
type Planner interface {
	// Draft plans all requests together, so that one's leaver is not another's
	// receiver. CodeNotFound when nobody holds an account for an address.
	Draft(ctx context.Context, requests []schema.Request) ([]schema.Draft, error)
	// CheckReceivers chooses the receiver of each open plan of a case that still
	// has a transfer, from logins in their order, as Draft does. A finding that is
	// no warning refuses them.
	CheckReceivers(ctx context.Context, id schema.CaseID, logins []string) (map[schema.PlanID]schema.Account, []schema.Finding, error)
}

// ConnectionChecker is what the API needs of the vendors' connectors.
type ConnectionChecker interface {
	ConnectionDoctor
	ConsentVendor

	// ReadConfigFile checks a vendor's own configuration file, which then is the
	// connection's secret. Its schema.Error has every fault, and nothing of the
	// file.
	ReadConfigFile(vendor, text string) (ConfigFile, error)
	// Vendors lists the connector types there are.
	Vendors() []string
}

// ConfigFile is what a configuration file says of a connection.
type ConfigFile struct {
	AuthKind     schema.AuthKind
	ClientID     string
	EnterpriseID string
}

// ConnectionCheck is what a check found.
type ConnectionCheck struct {
	ActsAs       schema.ExternalID
	Role         schema.AccountRole
	EnterpriseID string
	Service      bool
}
