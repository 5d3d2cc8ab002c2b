package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"sendoff/schema"
)

// maxField bounds ids and secrets of a connection, in characters.
const maxField = 1000

type connectionBody struct {
	Name         string            `json:"name"`
	Vendor       string            `json:"vendor"`
	State        string            `json:"state" enum:"pending,active,degraded,failed,disabled,removed" doc:"How it fares, as the doctor last saw it; disabled = nobody may use it"`
	Code         schema.ProbeCode  `json:"code" doc:"The first fault that the doctor found; empty or OK = none"`
	Since        *time.Time        `json:"since" doc:"When the doctor first found it in that state; null = not looked at, or not asked"`
	CheckedAt    *time.Time        `json:"checked_at" doc:"When the doctor last looked; null = not yet"`
	ReadOnly     bool              `json:"read_only"`
	BaseURL      string            `json:"base_url"`
	TokenURL     string            `json:"token_url"`
	AuthKind     schema.AuthKind   `json:"auth_kind" enum:"client_credentials,jwt,authorization_code"`
	ClientID     string            `json:"client_id"`
	EnterpriseID string            `json:"enterprise_id"`
	AsUser       schema.ExternalID `json:"as_user" doc:"Empty = the enterprise's service account"`
	Owner        string            `json:"owner" doc:"E-mail address of who looks after it; empty = nobody named"`
	CreatedAt    time.Time         `json:"created_at"`
	UpdatedAt    time.Time         `json:"updated_at"`
}

type checkBody struct {
	ActsAs       schema.ExternalID  `json:"acts_as" doc:"The vendor's id of the account that calls are made as"`
	Role         schema.AccountRole `json:"role"`
	EnterpriseID string             `json:"enterprise_id"`
	Service      bool               `json:"service" doc:"Whether that is an automation account"`
}

type connectInput struct {
	Body connectBody
}

type connectBody struct {
	Name         string `json:"name"`
	Vendor       string `json:"vendor"`
	BaseURL      string `json:"base_url"`
	TokenURL     string `json:"token_url"`
	ClientID     string `json:"client_id,omitempty" doc:"Left out with config_file"`
	EnterpriseID string `json:"enterprise_id,omitempty" doc:"Left out with config_file"`
	SecretBody
	AsUser   schema.ExternalID `json:"as_user,omitempty"`
	ReadOnly bool              `json:"read_only,omitempty"`
	Owner    string            `json:"owner,omitempty" doc:"E-mail address of who looks after the connection"`
}

// SecretBody is what a connection signs in with: one of the two. (Exported, for
// huma leaves out unexported embedded structs.)
type SecretBody struct {
	ClientSecret string `json:"client_secret,omitempty" writeOnly:"true"`
	ConfigFile   string `json:"config_file,omitempty" writeOnly:"true" doc:"The vendor's own configuration file as it is, for sign-in by JWT"`
}

// secret is the connection's secret.
func (b SecretBody) secret() string {
	if b.ConfigFile != "" {
		return b.ConfigFile
	}
	return b.ClientSecret
}

type rotateInput struct {
	ConnectionName
	Body SecretBody
}

type connectOutput struct {
	Body struct {
		Connection connectionBody `json:"connection"`
		Check      checkBody      `json:"check"`
		Diagnosis  *diagnosisBody `json:"diagnosis" doc:"What the doctor found; null = it could not look"`
	}
}

// ConnectionName is the path parameter of operations on one connection.
type ConnectionName struct {
	Name string `path:"name" maxLength:"63"`
}

type reasonInput struct {
	ConnectionName
	Body struct {
		Reason string `json:"reason,omitempty"`
	}
}

type connectionOutput struct{ Body connectionBody }

type listConnectionsOutput struct {
	Body struct {
		Connections []connectionBody `json:"connections" nullable:"false"`
		Next        string           `json:"next"`
	}
}

func (s *server) registerConnections() {
	handle(s, route{
		id: "list-connections", method: http.MethodGet, path: "/v1/connections", roles: readers(), summary: "List connections",
	}, s.listConnections)
	handle(s, route{
		id: "connect", method: http.MethodPost, path: "/v1/connections", roles: adminsOnly(), status: http.StatusCreated,
		summary: "Check a connection at its vendor and store it; nothing is stored when the check fails",
	}, s.connect)
	handle(s, route{
		id: "show-connection", method: http.MethodGet, path: "/v1/connections/{name}", roles: readers(), summary: "Show a connection",
	}, func(ctx context.Context, _ schema.Principal, in *ConnectionName) (*connectionOutput, error) {
		c, err := s.store.ConnectionByName(ctx, in.Name)
		if err != nil {
			return nil, err
		}
		out := &connectionOutput{Body: connectionOf(c)}
		since, err := s.store.HealthSince(ctx)
		out.Body.Since = instant(since[c.ID])
		return out, err
	})
	handle(s, route{
		id: "rotate-connection", method: http.MethodPost, path: "/v1/connections/{name}/rotate", roles: adminsOnly(),
		summary: "Check new credentials at the vendor and replace the old ones; running cases go on",
	}, s.rotateConnection)
	for verb, to := range map[string]schema.ConnectionState{"disable": schema.ConnectionDisabled, "enable": schema.ConnectionEnabled} {
		handle(s, route{
			id: verb + "-connection", method: http.MethodPost, path: "/v1/connections/{name}/" + verb, roles: adminsOnly(),
			summary: "Make the connection " + string(to),
		}, func(ctx context.Context, by schema.Principal, in *reasonInput) (*connectionOutput, error) {
			return s.setConnection(ctx, by, in.Name, to, in.Body.Reason)
		})
	}
}

func (s *server) setConnection(ctx context.Context, by schema.Principal, name string, to schema.ConnectionState, reason string) (*connectionOutput, error) {
	if err := reasonFault(reason); err != nil {
		return nil, err
	}
	c, err := s.store.SetConnectionState(ctx, name, to, strings.TrimSpace(reason), by)
	return &connectionOutput{Body: connectionOf(c)}, err
}

func (s *server) listConnections(ctx context.Context, _ schema.Principal, in *Page) (*listConnectionsOutput, error) {
	list, next, err := s.store.ListConnections(ctx, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	since, err := s.store.HealthSince(ctx)
	if err != nil {
		return nil, err
	}
	out := &listConnectionsOutput{}
	out.Body.Connections, out.Body.Next = []connectionBody{}, next
	for _, c := range list {
		body := connectionOf(c)
		body.Since = instant(since[c.ID])
		out.Body.Connections = append(out.Body.Connections, body)
	}
	return out, nil
}

func (s *server) connect(ctx context.Context, by schema.Principal, in *connectInput) (*connectOutput, error) {
	c, err := s.readConnection(in.Body)
	if err != nil {
		return nil, err
	}
	if _, err := s.store.ConnectionByName(ctx, c.Name); err == nil {
		return nil, nameTaken()
	} else if schema.CodeOf(err) != schema.CodeNotFound {
		return nil, err
	}
	d, err := s.examine(ctx, c, in.Body.secret())
	if err != nil {
		return nil, err
	}
	c, err = s.store.CreateConnection(ctx, c, in.Body.secret(), by)
	if err != nil {
		return nil, err
	}
	s.keep(ctx, &c, d)
	return connected(c, d), nil
}

func enterpriseMismatch(got, want string) error {
	return &schema.Error{
		Code:    schema.CodeRefused,
		Message: "the credentials belong to enterprise " + quoteID(got) + ", not to " + quoteID(want),
		Fix:     "give the enterprise id of these credentials, or the credentials of that enterprise",
		Problems: []schema.Problem{{
			Where: "enterprise_id", Code: string(schema.EnterpriseMismatch), Message: "does not match what the vendor says",
		}},
	}
}

func quoteID(id string) string {
	if id == "" {
		return "none"
	}
	return id
}

func connectionOf(c schema.Connection) connectionBody {
	return connectionBody{
		Name: c.Name, Vendor: c.Vendor, State: c.Shown(), Code: c.HealthCode, CheckedAt: instant(c.HealthAt), ReadOnly: c.ReadOnly, BaseURL: c.BaseURL, TokenURL: c.TokenURL,
		AuthKind: c.AuthKind.OrDefault(), ClientID: c.ClientID, EnterpriseID: c.EnterpriseID, AsUser: c.AsUser, Owner: c.Owner,
		CreatedAt: c.CreatedAt.UTC(), UpdatedAt: c.UpdatedAt.UTC(),
	}
}
