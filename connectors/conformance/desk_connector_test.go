package conformance_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"sendoff/connectors"
	"sendoff/connectors/httpx"
	"sendoff/schema"
)

// deskFactory opens connections to Desk.
type deskFactory struct{}

func (deskFactory) Manifest() connectors.Manifest {
	return connectors.Manifest{Vendor: "desk", Title: "Desk", Scopes: []string{"desk.people"}, Docs: "docs/connectors.md"}
}

// Open finds every fault before it gives up.
func (f deskFactory) Open(cfg connectors.Config) (connectors.Connector, error) {
	var problems []schema.Problem
	need := func(ok bool, where, message string) {
		if !ok {
			problems = append(problems, schema.Problem{Where: where, Code: "invalid", Message: message, Fix: "see docs/connectors.md"})
		}
	}
	for where, address := range map[string]string{"base-url": cfg.Connection.BaseURL, "token-url": cfg.Connection.TokenURL} {
		_, err := httpx.ParseURL(address)
		need(err == nil, where, "the address is not an https URL")
	}
	need(cfg.Connection.ClientID != "", "client-id", "the client id is empty")
	need(cfg.Secret != "", "client-secret-file", "the client secret is empty")
	need(cfg.Limiter != nil, "limiter", "there is no rate limiter")
	need(cfg.Guard != nil, "guard", "there is no guard")
	if len(problems) > 0 {
		return nil, &schema.Error{Code: schema.CodeInvalid, Message: "the Desk connection is not configured correctly", Problems: problems}
	}
	tokens, err := httpx.NewCredentialSource(httpx.CredentialOptions{
		Op: "desk.token", TokenURL: cfg.Connection.TokenURL, Now: cfg.Now,
		Credentials: httpx.Credentials{ClientID: cfg.Connection.ClientID, ClientSecret: cfg.Secret},
	})
	if err != nil {
		return nil, err
	}
	client, err := httpx.New(httpx.Options{
		BaseURL: cfg.Connection.BaseURL, Connection: cfg.Connection.ID, ReadOnly: cfg.Connection.ReadOnly,
		TokenUser: cfg.Connection.AsUser, Tokens: tokens, Limiter: cfg.Limiter, Guard: cfg.Guard,
		Observer: cfg.Observer, Now: cfg.Now, Explain: deskExplain,
	})
	if err != nil {
		tokens.Close()
		return nil, err
	}
	return &deskConn{http: client, tokens: tokens, cfg: cfg}, nil
}

// deskConn is a connection to Desk.
type deskConn struct {
	http   *httpx.Client
	tokens *httpx.CredentialSource
	cfg    connectors.Config
}

func (c *deskConn) Manifest() connectors.Manifest { return deskFactory{}.Manifest() }

func (c *deskConn) Close() {
	c.tokens.Close()
	c.http.Close()
}

type deskEnvelope struct {
	Error struct {
		Code string `json:"code"`
	} `json:"error"`
}

// deskExplain keeps the code of a refusal, if it is one of Desk's.
func deskExplain(e *connectors.Error, _ http.Header, body []byte) {
	var env deskEnvelope
	if json.Unmarshal(body, &env) != nil || !regexp.MustCompile(`^[a-z_]{1,40}$`).MatchString(env.Error.Code) {
		return
	}
	e.Code = env.Error.Code
	if e.Op == "desk.delete_account" && e.Code == "owns_items" {
		e.Kind, e.Err = connectors.Conflict, connectors.ErrContentRemains
	}
}

// request makes a request; ids are checked, for they become part of its path.
func (c *deskConn) request(op, method, path string, query url.Values, body any, as schema.ExternalID, ids ...schema.ExternalID) (httpx.Request, error) {
	for _, id := range ids {
		if !regexp.MustCompile(`^[a-z]-[0-9]+$`).MatchString(string(id)) {
			return httpx.Request{}, &connectors.Error{Kind: connectors.Invalid, Op: "desk." + op, Detail: "the id is none of Desk's"}
		}
	}
	r := httpx.Request{Op: "desk." + op, Method: method, Path: "/v1" + path, Query: query, Body: body, ActsAs: as}
	if as != "" {
		r.Header = http.Header{"X-Act-As": {string(as)}}
	}
	return r, nil
}

func (c *deskConn) do(ctx context.Context, out any, r httpx.Request, err error) error {
	if err != nil {
		return err
	}
	return c.http.Do(ctx, r, out)
}

// each walks a listing to its end, which only the vendor's own word ends.
func each[V any](ctx context.Context, c *deskConn, name string, fn func(V) error, r httpx.Request, err error) error {
	after := ""
	for err == nil {
		query := url.Values{"limit": {"100"}}
		for n, v := range r.Query {
			query[n] = v
		}
		if after != "" {
			query.Set("after", after)
		}
		next := r
		next.Query = query
		var page map[string]json.RawMessage
		if err := c.do(ctx, &page, next, nil); err != nil {
			return err
		}
		var entries []V
		last := after
		if json.Unmarshal(page[name], &entries) != nil || json.Unmarshal(page["next"], &after) != nil || entries == nil || after != "" && after == last {
			return &connectors.Error{Kind: connectors.Malformed, Op: r.Op, Sent: true, Detail: "the listing is not what Desk documents"}
		}
		for _, e := range entries {
			if err := fn(e); err != nil {
				return err
			}
		}
		if after == "" {
			return nil
		}
	}
	return err
}

// person is Desk's Person, as far as it is read.
type person struct {
	ID        schema.ExternalID `json:"id"`
	Login     string            `json:"login"`
	Name      string            `json:"name"`
	Role      string            `json:"role"`
	State     string            `json:"state"`
	Company   string            `json:"company"`
	Robot     bool              `json:"robot"`
	SpaceUsed int64             `json:"space_used"`
	Tags      map[string]string `json:"tags"`
}

func (c *deskConn) account(op string, p person) (schema.Account, error) {
	roles := map[string]schema.AccountRole{"member": schema.RoleMember, "manager": schema.RoleCoadmin, "owner": schema.RoleOwner}
	if p.ID == "" || p.Login == "" || p.State == "" || roles[p.Role] == "" {
		return schema.Account{}, &connectors.Error{Kind: connectors.Malformed, Op: "desk." + op, Sent: true, Detail: "a person lacks what Desk documents"}
	}
	a := schema.Account{
		ConnectionID: c.cfg.Connection.ID, ExternalID: p.ID, Login: p.Login, Name: p.Name, Role: roles[p.Role], VendorStatus: p.State,
		Status: schema.AccountRestricted, Kind: schema.KindPerson, EnterpriseID: p.Company, SpaceUsed: p.SpaceUsed, SpaceAmount: -1,
		ObservedAt: c.cfg.Now().UTC(), Tracking: p.Tags,
	}
	switch p.State {
	case "open":
		a.Status = schema.AccountActive
	case "shut":
		a.Status = schema.AccountSuspended
	}
	switch {
	case p.Robot && strings.HasPrefix(p.Login, "app:"):
		a.Kind = schema.KindApp
	case p.Robot:
		a.Kind = schema.KindService
	case p.Company != c.cfg.Connection.EnterpriseID:
		a.Kind = schema.KindExternal
	}
	return a, nil
}

func (c *deskConn) Check(ctx context.Context) (connectors.Identity, error) {
	var p person
	r, err := c.request("check", http.MethodGet, "/me", nil, nil, "")
	if err := c.do(ctx, &p, r, err); err != nil {
		return connectors.Identity{}, err
	}
	a, err := c.account("check", p)
	return connectors.Identity{ExternalID: a.ExternalID, Role: a.Role, EnterpriseID: a.EnterpriseID}, err
}

func (c *deskConn) FindByLogin(ctx context.Context, login string) ([]schema.Account, error) {
	if login == "" {
		return nil, &connectors.Error{Kind: connectors.Invalid, Op: "desk.find_accounts", Detail: "the login is empty"}
	}
	var found []schema.Account
	r, err := c.request("find_accounts", http.MethodGet, "/people", url.Values{"q": {login}}, nil, "")
	err = each(ctx, c, "people", func(p person) error {
		a, err := c.account("find_accounts", p)
		if err == nil && strings.EqualFold(p.Login, login) {
			found = append(found, a)
		}
		return err
	}, r, err)
	return found, err
}

func (c *deskConn) ReadAccount(ctx context.Context, id schema.ExternalID) (schema.Account, error) {
	var p person
	r, err := c.request("read_account", http.MethodGet, "/people/"+string(id), nil, nil, "", id)
	if err := c.do(ctx, &p, r, err); err != nil {
		return schema.Account{}, err
	}
	return c.account("read_account", p)
}

func (c *deskConn) EachAccount(ctx context.Context, fn func(schema.Account) error) error {
	r, err := c.request("list_accounts", http.MethodGet, "/people", nil, nil, "")
	return each(ctx, c, "people", func(p person) error {
		a, err := c.account("list_accounts", p)
		if err != nil {
			return err
		}
		return fn(a)
	}, r, err)
}

func (c *deskConn) SuspendedStatus() string { return "shut" }

func (c *deskConn) ActiveStatus() string { return "open" }

func (c *deskConn) SetStatus(ctx context.Context, id schema.ExternalID, word string) error {
	r, err := c.request("set_status", http.MethodPatch, "/people/"+string(id), nil, map[string]string{"state": word}, "", id)
	return c.do(ctx, nil, r, err)
}

func (c *deskConn) RevokeSessions(ctx context.Context, id schema.ExternalID) error {
	r, err := c.request("revoke_sessions", http.MethodPost, "/people/"+string(id)+"/sign-out", nil, nil, "", id)
	return c.do(ctx, nil, r, err)
}

func (c *deskConn) Holds(ctx context.Context, id schema.ExternalID) (schema.VendorHolds, error) {
	var out struct {
		Holds *[]schema.ExternalID `json:"holds"`
	}
	r, err := c.request("read_holds", http.MethodGet, "/people/"+string(id)+"/holds", nil, nil, "", id)
	if err := c.do(ctx, &out, r, err); err != nil {
		return schema.VendorHolds{}, err
	}
	if out.Holds == nil {
		return schema.VendorHolds{}, &connectors.Error{Kind: connectors.Malformed, Op: "desk.read_holds", Sent: true, Detail: "the answer names no holds"}
	}
	return schema.VendorHolds{Legal: *out.Holds}, nil
}

func (c *deskConn) DeleteAccount(ctx context.Context, id schema.ExternalID) error {
	r, err := c.request("delete_account", http.MethodDelete, "/people/"+string(id), nil, nil, "", id)
	return c.do(ctx, nil, r, err)
}
