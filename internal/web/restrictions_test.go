package web_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func TestEveryFaultOfARestrictionIsNamedAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.do("operator", "POST", "/v1/protections", `{"person":"ada","connection":"box-main","reason":" ","matter":"A v. B","expires":"never"}`)
	require.Equal(t, http.StatusUnprocessableEntity, a.status, a.raw)
	require.Equal(t, []string{"reason:required", "matter:no_matter", "expires:expiry", "person:email_syntax", "connection:no_connection"}, a.problems())
	require.Equal(t, []string{"subject:one_of"}, b.do("operator", "POST", "/v1/holds", `{"reason":"x","person":"a@example.com","login":"b@example.com"}`).problems())
	require.Equal(t, []string{"connection:required"}, b.do("operator", "POST", "/v1/holds", `{"reason":"x","account_id":"12"}`).problems())
	require.Equal(t, []string{"reason:required"}, b.do("admin", "POST", "/v1/holds/x/end", `{"reason":" "}`).problems())
}

func TestALoginIsLookedUpAtTheVendor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.ConnectionByNameFunc = func(name string) (schema.Connection, error) {
		return schema.Connection{ID: "conn-" + schema.ConnectionID(name), Name: name}, nil
	}
	asked := ""
	b.planner = func(r []schema.Request) ([]schema.Draft, error) {
		asked = r[0].Email
		d := draftFor(r[0], "h")
		d.Accounts[0].Connection.ID = "conn-box-main"
		return []schema.Draft{d}, nil
	}
	var added schema.Restriction
	b.store.AddRestrictionFunc = func(r schema.Restriction) (schema.Restriction, error) {
		added = r
		r.ID, r.CreatedAt = "r1", now
		return r, nil
	}
	a := b.do("operator", "POST", "/v1/holds", `{"connection":"box-main","login":"Ada@example.com","reason":"counsel asked","matter":"A v. B","expires":"90d"}`)
	require.Equal(t, http.StatusCreated, a.status, a.raw)
	require.Equal(t, "ada@example.com", asked)
	require.Equal(t, schema.Restriction{
		Kind: schema.RestrictHold, Subject: schema.SubjectAccount, ConnectionID: "conn-box-main", ExternalID: "111",
		Matter: "A v. B", Reason: "counsel asked", ExpiresAt: now.Add(90 * 24 * time.Hour),
	}, added)
	require.Equal(t, "box-main", a.json["connection"])
	require.Equal(t, true, a.json["live"])
	a = b.do("operator", "POST", "/v1/holds", `{"connection":"box-two","login":"ada@example.com","reason":"counsel asked"}`)
	require.Equal(t, http.StatusNotFound, a.status, a.raw)
	require.Contains(t, a.json["detail"], "box-two")
}

func TestAListThatFailsIsNoEmptyList(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.ListRestrictionsFunc = func(schema.RestrictionKind, bool, string, int) ([]schema.Restriction, string, error) {
		return nil, "", errors.New("no database")
	}
	b.store.DeclarationsFunc = func() (map[schema.ConnectionID]schema.Declaration, error) { return nil, errors.New("no database") }
	require.Equal(t, http.StatusInternalServerError, b.do("auditor", "GET", "/v1/holds", "").status)
	require.Equal(t, http.StatusInternalServerError, b.do("auditor", "GET", "/v1/declarations", "").status)
}

func TestADeclarationNeedsReasonAndExpiry(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.Equal(t, []string{"reason:required", "expires:required"}, b.do("admin", "POST", "/v1/connections/box/declaration", `{"no_legal_holds":true,"reason":""}`).problems())
	require.Equal(t, []string{"expires:required"}, b.do("admin", "POST", "/v1/connections/box/declaration", `{"no_legal_holds":true,"reason":"x","expires":"never"}`).problems())
	b.store.WithdrawDeclarationFunc = func(name, reason string) (schema.Declaration, error) {
		return schema.Declaration{Reason: reason, DeclaredAt: now, ExpiresAt: now.Add(time.Hour), WithdrawnAt: now}, nil
	}
	a := b.do("admin", "POST", "/v1/connections/box/declaration", `{"no_legal_holds":false,"reason":"there is one"}`)
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.Equal(t, false, a.json["live"])
}
