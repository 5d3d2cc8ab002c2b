package web

import (
	"context"
	"net/http"
	"time"

	"sendoff/internal/intake"
	"sendoff/schema"
)

type tokenBody struct {
	ID         schema.TokenID `json:"id"`
	Name       string         `json:"name"`
	Role       schema.Role    `json:"role"`
	Email      string         `json:"email" doc:"Of the person who holds it; empty = not a person's"`
	CreatedAt  time.Time      `json:"created_at"`
	CreatedBy  string         `json:"created_by"`
	ExpiresAt  *time.Time     `json:"expires_at" doc:"null = never"`
	RevokedAt  *time.Time     `json:"revoked_at" doc:"null = valid"`
	LastUsedAt *time.Time     `json:"last_used_at" doc:"null = never used"`
}

type createTokenInput struct {
	Body struct {
		Name    string `json:"name"`
		Role    string `json:"role" doc:"admin, operator, reviewer or auditor"`
		Email   string `json:"email,omitempty" doc:"Of the person who will hold it: nobody may offboard themselves"`
		Expires string `json:"expires" doc:"A duration from now such as 90d, an instant in RFC 3339, or never"`
	}
}

type createTokenOutput struct {
	Body struct {
		Token  string    `json:"token" doc:"Shown once; only its hash is kept"`
		Record tokenBody `json:"record"`
	}
}

type listTokensOutput struct {
	Body struct {
		Tokens []tokenBody `json:"tokens" nullable:"false"`
		Next   string      `json:"next"`
	}
}

type tokenName struct {
	Name string `path:"name" doc:"The token's name or id" maxLength:"63"`
}

type tokenOutput struct{ Body tokenBody }

type whoamiOutput struct {
	Body struct {
		Name    string         `json:"name"`
		Role    schema.Role    `json:"role"`
		Email   string         `json:"email" doc:"Of the person who holds it; empty = not a person's"`
		TokenID schema.TokenID `json:"token_id"`
	}
}

func (s *server) registerTokens() {
	handle(s, route{
		id: "create-token", method: http.MethodPost, path: "/v1/tokens", roles: adminsOnly(), status: http.StatusCreated,
		summary: "Make an API token",
	}, s.createToken)
	handle(s, route{
		id: "list-tokens", method: http.MethodGet, path: "/v1/tokens", roles: adminsOnly(), summary: "List API tokens",
	}, s.listTokens)
	handle(s, route{
		id: "revoke-token", method: http.MethodDelete, path: "/v1/tokens/{name}", roles: adminsOnly(), summary: "Revoke an API token",
	}, func(ctx context.Context, by schema.Principal, in *tokenName) (*tokenOutput, error) {
		t, err := s.store.RevokeToken(ctx, in.Name, by)
		return &tokenOutput{Body: tokenOf(t)}, err
	})
	handle(s, route{
		id: "whoami", method: http.MethodGet, path: "/v1/whoami", roles: everybody(), summary: "Whose token this is",
	}, func(_ context.Context, by schema.Principal, _ *struct{}) (*whoamiOutput, error) {
		out := &whoamiOutput{}
		out.Body.Name, out.Body.Role, out.Body.Email, out.Body.TokenID = by.Name, by.Role, by.Email, by.TokenID
		return out, nil
	})
}

func (s *server) createToken(ctx context.Context, by schema.Principal, in *createTokenInput) (*createTokenOutput, error) {
	var f faults
	checkName(&f, in.Body.Name)
	role, err := schema.ParseRole(in.Body.Role)
	if err != nil {
		f.add("role", "unknown_role", "there is no such role", "use admin, operator, reviewer or auditor")
	}
	email := in.Body.Email
	if email != "" {
		if email, err = intake.ParseAddress(email); err != nil {
			f.add("email", "email_syntax", err.Error(), "give the address that the holder of the token signs in with, or leave it out")
		}
	}
	expires := readExpiry(&f, in.Body.Expires, s.now())
	if err := f.err("the token is not valid; none was made"); err != nil {
		return nil, err
	}
	token, hash := NewToken()
	record, err := s.store.CreateToken(ctx, schema.Token{
		Name: in.Body.Name, Role: role, Email: email, CreatedAt: s.now().UTC(), CreatedBy: by.Name, ExpiresAt: expires,
	}, hash, by)
	if err != nil {
		return nil, err
	}
	out := &createTokenOutput{}
	out.Body.Token, out.Body.Record = token, tokenOf(record)
	return out, nil
}

// readExpiry has no default: whoever makes a token says how long it lives.
func readExpiry(f *faults, s string, now time.Time) time.Time {
	if s == "never" {
		return time.Time{}
	}
	if d, err := intake.ParseDuration(s); err == nil {
		if d == 0 {
			f.add("expires", "past", "the token would never be valid", "give a duration such as 90d")
		}
		return now.Add(d).UTC()
	}
	t, err := intake.ParseInstant(s)
	switch {
	case err != nil:
		f.add("expires", "expiry", "neither a duration, an instant with its zone, nor never", "give 90d, 2026-12-01T18:00:00+01:00, or never")
	case !t.After(now):
		f.add("expires", "past", "the instant has passed", "give one in the future")
	}
	return t.UTC()
}

func (s *server) listTokens(ctx context.Context, _ schema.Principal, in *Page) (*listTokensOutput, error) {
	list, next, err := s.store.ListTokens(ctx, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &listTokensOutput{}
	out.Body.Tokens, out.Body.Next = []tokenBody{}, next
	for _, t := range list {
		out.Body.Tokens = append(out.Body.Tokens, tokenOf(t))
	}
	return out, nil
}

func tokenOf(t schema.Token) tokenBody {
	return tokenBody{
		ID: t.ID, Name: t.Name, Role: t.Role, Email: t.Email, CreatedAt: t.CreatedAt.UTC(), CreatedBy: t.CreatedBy,
		ExpiresAt: instant(t.ExpiresAt), RevokedAt: instant(t.RevokedAt), LastUsedAt: instant(t.LastUsedAt),
	}
}
