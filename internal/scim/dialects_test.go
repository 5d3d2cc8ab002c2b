package scim_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// TestEntraLegacy speaks as Entra does without a flag in the tenant's URL
// (learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups).
func TestEntraLegacy(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.do(http.MethodGet, `/Users?filter=userName+eq+%22non-existent%22`, "").is(http.StatusOK)
	boss := b.user("boss@example.com")
	made := b.do(http.MethodPost, "/Users", `{"schemas":["`+urnUser+`","`+urnEnterprise+`"],"externalId":"0a21","userName":"ada@example.com",
		"active":true,"emails":[{"primary":true,"type":"work","value":"ada@example.com"}],"meta":{"resourceType":"User"},
		"name":{"formatted":"Ada Byron","familyName":"Byron","givenName":"Ada"},"roles":[],
		"`+urnEnterprise+`":{"employeeNumber":"7","manager":"`+boss+`"}}`).is(http.StatusCreated)
	at := "/Users/" + made.id()
	require.Nil(t, made.at("roles"))
	require.Equal(t, boss, made.at(urnEnterprise, "manager", "value"))

	got := b.patch(at, `{"op":"Add","path":"emails[type eq \"work\"].value","value":"ada.b@example.com"},
		{"op":"Add","path":"phoneNumbers[type eq \"mobile\"].value","value":"1"},
		{"op":"Replace","path":"name.familyName","value":"Lovelace"},
		{"op":"Add","path":"`+urnEnterprise+`:department","value":"R&D"},
		{"op":"Remove","path":"`+urnEnterprise+`:employeeNumber"},
		{"op":"Replace","path":"addresses[type eq \"work\"].country","value":"UK"},
		{"op":"Add","path":"roles[primary eq \"True\"].value","value":"engineer"}`).is(http.StatusOK)
	require.Equal(t, "ada.b@example.com", got.at("emails", 0, "value"))
	require.Equal(t, true, got.at("emails", 0, "primary"))
	require.Equal(t, map[string]any{"type": "mobile", "value": "1"}, got.at("phoneNumbers", 0))
	require.Equal(t, "Lovelace", got.at("name", "familyName"))
	require.Equal(t, "R&D", got.at(urnEnterprise, "department"))
	require.Nil(t, got.at(urnEnterprise, "employeeNumber"))
	require.Equal(t, map[string]any{"type": "work", "country": "UK"}, got.at("addresses", 0))
	require.Equal(t, map[string]any{"primary": true, "value": "engineer"}, got.at("roles", 0))

	got = b.patch(at, `{"op":"Replace","path":"active","value":"False"}`).is(http.StatusOK)
	require.Equal(t, false, got.at("active"))
	require.Equal(t, schema.StatusEnded, b.last().Change.Roster.Employments[0].Status)
	got = b.patch(at, `{"op":"Add","path":"`+urnEnterprise+`:manager","value":"`+made.id()+`"}`).is(http.StatusOK)
	require.Equal(t, made.id(), got.at(urnEnterprise, "manager", "value"))
	got = b.patch(at, `{"op":"Remove","path":"`+urnEnterprise+`:manager"}`).is(http.StatusOK)
	require.Nil(t, got.at(urnEnterprise, "manager"))
	b.do(http.MethodDelete, at, "").is(http.StatusNoContent)
}

// TestEntraFlagged speaks as Entra does with ?aadOptscim062020.
func TestEntraFlagged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.user("ada@example.com")
	got := b.do(http.MethodPatch, "/Users/"+id+"?aadOptscim062020", ops(`{"op":"replace","value":{"displayName":"A","name.givenName":"B",
		"emails[type eq \"work\"].value":"a.b@example.com","`+urnEnterprise+`:employeeNumber":"7","`+urnEnterprise+`:manager":"`+id+`",
		"`+urnUser+`:title":"T"}}`)).is(http.StatusOK)
	require.Equal(t, "A", got.at("displayName"))
	require.Equal(t, "B", got.at("name", "givenName"))
	require.Equal(t, "Byron", got.at("name", "familyName"))
	require.Equal(t, "a.b@example.com", got.at("emails", 0, "value"))
	require.Equal(t, "7", got.at(urnEnterprise, "employeeNumber"))
	require.Equal(t, id, got.at(urnEnterprise, "manager", "value"))
	require.Equal(t, "T", got.at("title"))
	require.Contains(t, got.at("schemas"), urnEnterprise)
	got = b.do(http.MethodPatch, "/Users/"+id+"?aadOptscim062020", ops(`{"op":"replace","path":"active","value":false}`)).is(http.StatusOK)
	require.Equal(t, false, got.at("active"))

	for _, path := range []string{"/Users", "/Groups", "/Users/" + id, "/ServiceProviderConfig", "/Schemas", "/ResourceTypes"} {
		b.do(http.MethodGet, path+"?aadOptscim062020&x=1", "").is(http.StatusOK)
	}
	b.do(http.MethodPost, "/Groups?aadOptscim062020", `{"schemas":["`+urnGroup+`"],"displayName":"g"}`).is(http.StatusCreated)
}

func TestEntraGroups(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada, grace, alan := b.user("ada@example.com"), b.user("grace@example.com"), b.user("alan@example.com")
	made := b.do(http.MethodPost, "/Groups", `{"schemas":["`+urnGroup+`","http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
		"externalId":"8aa1","displayName":"Ops","meta":{"resourceType":"Group"},
		"http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group":{"x":1}}`).is(http.StatusCreated)
	require.Equal(t, []any{urnGroup}, made.at("schemas"))
	require.NotContains(t, string(made.raw), "ADSCIM")
	at := "/Groups/" + made.id()
	three := `[{"$ref":null,"value":"` + ada + `"},{"$ref":null,"value":"` + grace + `"},{"value":"` + alan + `"}]`
	got := b.patch(at, `{"op":"Add","path":"members","value":`+three+`}`).is(http.StatusOK)
	require.Len(t, got.at("members"), 3)
	require.Equal(t, b.url+"/Users/"+dig(got.at("members"), 0, "value").(string), dig(got.at("members"), 0, "$ref"))

	got = b.patch(at, `{"op":"Remove","path":"members","value":[{"$ref":null,"value":"`+ada+`"}]}`).is(http.StatusOK)
	require.ElementsMatch(t, []any{grace, alan}, values(got), "only those that are listed")
	got = b.patch(at, `{"op":"Remove","path":"members","value":[]}`).is(http.StatusOK)
	require.Len(t, got.at("members"), 2, "an empty list removes nobody")
	got = b.patch(at, `{"op":"remove","path":"members[value eq \"`+grace+`\"]"}`).is(http.StatusOK)
	require.Equal(t, []any{alan}, values(got))
	same := b.patch(at, `{"op":"remove","path":"members[value eq \"`+grace+`\"]"}`).is(http.StatusOK)
	require.Equal(t, got.body, same.body, "what is gone is gone")

	list := b.do(http.MethodGet, `/Groups?excludedAttributes=members&filter=displayName+eq+%22OPS%22`, "").is(http.StatusOK)
	require.Equal(t, made.id(), list.at("Resources", 0, "id"))
	require.Nil(t, list.at("Resources", 0, "members"))
	one := b.do(http.MethodGet, at+"?excludedAttributes=members", "").is(http.StatusOK)
	require.Nil(t, one.at("members"))
	require.Equal(t, "Ops", one.at("displayName"))
	require.Equal(t, []string{made.id()}, b.found("/Groups", `id eq "`+made.id()+`" and members eq "`+alan+`"`))
	require.Empty(t, b.found("/Groups", `id eq "`+made.id()+`" and members eq "`+ada+`"`))

	got = b.patch(at, `{"op":"remove","path":"members"}`).is(http.StatusOK)
	require.Nil(t, got.at("members"), "without a list it means all")
	b.patch(at, `{"op":"add","path":"members","value":[{"value":"3fa85f64-5717-4562-b3fc-2c963f66afa6"}]}`).refused(http.StatusBadRequest, "invalidValue")
}

func values(a answer) []any {
	var out []any
	list, _ := a.at("members").([]any)
	for _, m := range list {
		out = append(out, dig(m, "value"))
	}
	return out
}

// TestOkta speaks as Okta does (developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20).
func TestOkta(t *testing.T) {
	t.Parallel()
	b := setup(t)
	none := b.do(http.MethodGet, `/Users?filter=userName%20eq%20%22ada@example.com%22&startIndex=1&count=100`, "").is(http.StatusOK)
	require.EqualValues(t, 0, none.at("totalResults"))
	require.Equal(t, []any{}, none.at("Resources"))
	body := func(active string) string {
		return `{"schemas":["` + urnUser + `"],"userName":"ada@example.com","name":{"givenName":"Ada","familyName":"Byron"},
			"emails":[{"primary":true,"value":"ada@example.com","type":"work"}],"displayName":"Ada Byron","locale":"en-US",
			"externalId":"00ujl29u0le5T6Aj10h7","groups":[],"password":"1mz050nq","active":` + active + `}`
	}
	made := b.do(http.MethodPost, "/Users", body("true"), "User-Agent", "Okta SCIM Client 1.0.0", "Content-Type", "application/scim+json; charset=utf-8").is(http.StatusCreated)
	at := "/Users/" + made.id()
	b.do(http.MethodPost, "/Users", body("true")).refused(http.StatusConflict, "uniqueness")

	t.Run("the wizard's apps PUT", func(t *testing.T) {
		require.Equal(t, false, b.do(http.MethodPut, at, body("false")).is(http.StatusOK).at("active"))
		require.Equal(t, schema.StatusEnded, b.last().Change.Roster.Employments[0].Status)
		require.Equal(t, true, b.do(http.MethodPut, at, body("true")).is(http.StatusOK).at("active"))
		require.Equal(t, schema.StatusActive, b.last().Change.Roster.Employments[0].Status)
	})
	t.Run("the catalogue's apps PATCH without a path", func(t *testing.T) {
		got := b.patch(at, `{"op":"replace","value":{"active":false}}`).is(http.StatusOK)
		require.Equal(t, false, got.at("active"))
		require.Equal(t, "Byron", got.at("name", "familyName"))
		b.patch(at, `{"op":"replace","value":{"password":"new"}}`).is(http.StatusOK)
		b.patch(at, `{"op":"replace","path":"password","value":"new"}`).is(http.StatusOK)
	})
	t.Run("groups", func(t *testing.T) {
		grace := b.user("grace@example.com")
		id := b.grp("Test SCIMv2")
		g := "/Groups/" + id
		got := b.patch(g, `{"op":"replace","value":{"id":"`+id+`","displayName":"Test SCIMv20"}}`).is(http.StatusOK)
		require.Equal(t, "Test SCIMv20", got.at("displayName"))
		got = b.patch(g, `{"op":"remove","path":"members[value eq \"`+grace+`\"]"},
			{"op":"add","path":"members","value":[{"value":"`+made.id()+`","display":"ada@example.com"}]}`).is(http.StatusOK)
		require.Equal(t, []any{made.id()}, values(got))
		require.Equal(t, "ada@example.com", dig(got.at("members"), 0, "display"))
		got = b.patch(g, `{"op":"replace","path":"members","value":[{"value":"`+grace+`"}]}`).is(http.StatusOK)
		require.Equal(t, []any{grace}, values(got))
		got = b.do(http.MethodPut, g, `{"schemas":["`+urnGroup+`"],"displayName":"x","members":[]}`).is(http.StatusOK)
		require.Empty(t, values(got))
		b.do(http.MethodDelete, g, "").is(http.StatusNoContent)
	})
	for _, told := range b.store.Told(b.source.ID) {
		require.NotContains(t, string(told.Raw), "1mz050nq")
	}
	for _, r := range b.store.Kept(b.source.ID) {
		require.NotContains(t, string(r.Body), "1mz050nq")
		require.NotContains(t, string(r.Body), "password")
	}
}
