package web

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"

	"sendoff/schema"
)

// sourceTokenPrefix tells a token of an identity provider from one of this API.
const sourceTokenPrefix = tokenPrefix + "scim_"

// NewSourceToken makes a token of a SCIM source, as NewToken makes one of the API.
func NewSourceToken() (token string, hash [32]byte) {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails; it stops the program instead
	token = sourceTokenPrefix + base64.RawURLEncoding.EncodeToString(b[:])
	return token, HashToken(token)
}

type createSourceTokenInput struct {
	SourceName
	Body struct {
		Expires string `json:"expires" doc:"A duration from now such as 365d, an instant in RFC 3339, or never"`
	}
}

type createSourceTokenOutput struct {
	Body struct {
		Token  string          `json:"token" doc:"Shown once; only its hash is kept"`
		Record sourceTokenBody `json:"record"`
	}
}

type listSourceTokensOutput struct {
	Body struct {
		Tokens []sourceTokenBody `json:"tokens" nullable:"false"`
	}
}

type sourceTokenInput struct {
	SourceName
	ID schema.TokenID `path:"id" maxLength:"63"`
}

type sourceTokenOutput struct{ Body sourceTokenBody }

func (s *server) registerSourceTokens() {
	handle(s, route{
		id: "list-hr-source-tokens", method: http.MethodGet, path: "/v1/hr/sources/{name}/tokens", roles: adminsOnly(),
		summary: "List the tokens of a SCIM source",
	}, func(ctx context.Context, _ schema.Principal, in *SourceName) (*listSourceTokensOutput, error) {
		list, err := s.hr.ListSourceTokens(ctx, in.Name)
		out := &listSourceTokensOutput{}
		out.Body.Tokens = listOf(list, sourceTokenOf)
		return out, err
	})
	handle(s, route{
		id: "create-hr-source-token", method: http.MethodPost, path: "/v1/hr/sources/{name}/tokens", roles: adminsOnly(), status: http.StatusCreated,
		summary: "Make a token that an identity provider pushes to a SCIM source with",
	}, s.createSourceToken)
	handle(s, route{
		id: "revoke-hr-source-token", method: http.MethodDelete, path: "/v1/hr/sources/{name}/tokens/{id}", roles: adminsOnly(),
		summary: "Revoke a token of a SCIM source",
	}, func(ctx context.Context, by schema.Principal, in *sourceTokenInput) (*sourceTokenOutput, error) {
		t, err := s.hr.RevokeSourceToken(ctx, in.Name, in.ID, by)
		return &sourceTokenOutput{Body: sourceTokenOf(t)}, err
	})
}

func (s *server) createSourceToken(ctx context.Context, by schema.Principal, in *createSourceTokenInput) (*createSourceTokenOutput, error) {
	src, err := s.hr.SourceByName(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	if src.Kind != schema.SourceSCIM {
		return nil, &schema.Error{
			Code: schema.CodeRefused, Message: "source " + src.Name + " is of the kind " + string(src.Kind) + ": only sources of the kind scim have tokens",
			Fix: "rotate its secret in place of that: sendoff hr sources rotate " + src.Name,
		}
	}
	var f faults
	expires := readExpiry(&f, in.Body.Expires, s.now())
	if err := f.err("the token is not valid; none was made"); err != nil {
		return nil, err
	}
	token, hash := NewSourceToken()
	record, err := s.hr.CreateSourceToken(ctx, src.Name, hash, expires, by)
	if err != nil {
		return nil, err
	}
	out := &createSourceTokenOutput{}
	out.Body.Token, out.Body.Record = token, sourceTokenOf(record)
	return out, nil
}
