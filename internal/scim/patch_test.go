package scim_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPatch(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ops  string
		at   []any
		want any
	}{
		"replace by path":                  {`{"op":"replace","path":"title","value":"T"}`, []any{"title"}, "T"},
		"names in any case":                {`{"OP":"REPLACE","PATH":"TITLE","VALUE":"T"}`, []any{"title"}, "T"},
		"the core schema's URN":            {`{"op":"add","path":"` + strings.ToUpper(urnUser) + `:Name.GivenName","value":"G"}`, []any{"name", "givenName"}, "G"},
		"a URN alone is all of the core":   {`{"op":"replace","path":"` + urnUser + `","value":{"title":"T"}}`, []any{"title"}, "T"},
		"a whole extension is merged":      {`{"op":"add","path":"` + urnEnterprise + `:department","value":"D"},{"op":"replace","path":"` + urnEnterprise + `","value":{"division":"V"}}`, []any{urnEnterprise}, map[string]any{"department": "D", "division": "V"}},
		"a whole extension goes":           {`{"op":"add","path":"` + urnEnterprise + `:department","value":"D"},{"op":"remove","path":"` + urnEnterprise + `"}`, []any{urnEnterprise}, nil},
		"a URN in any case goes":           {`{"op":"add","path":"` + urnEnterprise + `:department","value":"D"},{"op":"remove","path":"` + strings.ToUpper(urnEnterprise) + `"}`, []any{urnEnterprise}, nil},
		"the manager's name is ours":       {`{"op":"replace","value":{"` + urnEnterprise + `:manager":{"value":"m","displayName":"M"}}}`, []any{urnEnterprise, "manager"}, map[string]any{"value": "m"}},
		"another's extension":              {`{"op":"add","value":{"urn:acme:hr-x:2.0:User":{"shoeSize":"7","hat":"8"}}},{"op":"replace","path":"urn:acme:hr-x:2.0:User:hat","value":"9"}`, nil, nil},
		"a complex value is merged":        {`{"op":"replace","path":"name","value":{"middleName":"K"}}`, []any{"name"}, map[string]any{"givenName": "Ada", "familyName": "Byron", "middleName": "K"}},
		"null in it takes away":            {`{"op":"replace","value":{"name":{"givenName":null}}}`, []any{"name"}, map[string]any{"familyName": "Byron"}},
		"null takes away":                  {`{"op":"add","path":"title","value":"T"},{"op":"replace","path":"title","value":null}`, []any{"title"}, nil},
		"add of null is nothing":           {`{"op":"add","path":"title","value":"T"},{"op":"add","path":"title","value":null}`, []any{"title"}, "T"},
		"add appends":                      {`{"op":"add","path":"roles","value":[{"value":"a"}]},{"op":"add","path":"roles","value":{"value":"b"}}`, []any{"roles", 1, "value"}, "b"},
		"add of what is there is nothing":  {`{"op":"add","path":"roles","value":[{"value":"a"}]},{"op":"add","path":"roles","value":[{"value":"a"}]}`, []any{"roles", 1}, nil},
		"replace of a list":                {`{"op":"add","path":"roles","value":[{"value":"a"}]},{"op":"replace","path":"roles","value":[{"value":"b"}]}`, []any{"roles"}, []any{map[string]any{"value": "b"}}},
		"an empty list is none":            {`{"op":"add","path":"roles","value":[{"value":"a"}]},{"op":"replace","path":"roles","value":[]}`, []any{"roles"}, nil},
		"plain texts become values":        {`{"op":"add","path":"roles","value":["a"]}`, []any{"roles"}, []any{map[string]any{"value": "a"}}},
		"remove by filter":                 {`{"op":"remove","path":"emails[type eq \"work\"]"}`, []any{"emails"}, nil},
		"remove a sub-attribute by filter": {`{"op":"remove","path":"emails[type eq \"work\"].primary"}`, []any{"emails", 0}, map[string]any{"type": "work", "value": "ada@example.com"}},
		"a filter with parentheses":        {`{"op":"replace","path":"emails[(type eq \"work\" or type eq \"x\") and not (value pr and value eq \"y\")].display","value":"D"}`, []any{"emails", 0, "display"}, "D"},
		"a bracket in a text":              {`{"op":"add","path":"emails[type eq \"]\"].value","value":"v@example.com"}`, []any{"emails", 1}, map[string]any{"type": "]", "value": "v@example.com"}},
		"add below a filter without match": {`{"op":"replace","path":"emails[type eq \"home\" and primary eq false].value","value":"h@example.com"}`, []any{"emails", 1}, map[string]any{"type": "home", "primary": false, "value": "h@example.com"}},
		"replace of a value by filter":     {`{"op":"replace","path":"emails[type eq \"work\"]","value":{"value":"n@example.com"}}`, []any{"emails", 0}, map[string]any{"type": "work", "value": "n@example.com"}},
		"add to a value by filter":         {`{"op":"add","path":"emails[type eq \"work\"]","value":{"display":"D"}}`, []any{"emails", 0, "primary"}, true},
		"a sub-attribute of all values":    {`{"op":"replace","path":"emails.display","value":"D"}`, []any{"emails", 0, "display"}, "D"},
		"a new primary takes it":           {`{"op":"add","path":"emails","value":[{"type":"home","value":"h@example.com","primary":true}]}`, []any{"emails", 0, "primary"}, false},
		"by sub-attribute too":             {`{"op":"add","path":"emails[type eq \"home\"].value","value":"h@example.com"},{"op":"replace","path":"emails[type eq \"home\"].primary","value":"True"}`, []any{"emails", 0, "primary"}, false},
		"manager as text":                  {`{"op":"replace","value":{"` + urnEnterprise + `":{"manager":"m"}}}`, []any{urnEnterprise, "manager"}, map[string]any{"value": "m"}},
		"an empty manager is none":         {`{"op":"add","path":"` + urnEnterprise + `:manager","value":"m"},{"op":"replace","path":"` + urnEnterprise + `:manager","value":""}`, []any{urnEnterprise}, nil},
		"schemas is ignored":               {`{"op":"add","path":"schemas","value":["x"]},{"op":"replace","value":{"id":"x","meta":{"version":"x"},"schemas":["x"],"groups":[]}}`, []any{"title"}, nil},
		"an unknown attribute":             {`{"op":"add","path":"shoeSize","value":{"eu":38}},{"op":"add","path":"SHOESIZE.uk","value":5}`, []any{"shoeSize"}, map[string]any{"eu": 38.0, "uk": 5.0}},
		"remove of what is not there":      {`{"op":"remove","path":"nickName"},{"op":"remove","path":"name.middleName"},{"op":"remove","path":"ims[type eq \"x\"]"}`, []any{"nickName"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			id := b.user("ada@example.com")
			got := b.patch("/Users/"+id, c.ops).is(http.StatusOK)
			require.Equal(t, id, got.at("id"))
			if c.at == nil {
				require.Equal(t, map[string]any{"shoeSize": "7", "hat": "9"}, got.at("urn:acme:hr-x:2.0:User"))
				return
			}
			require.Equal(t, c.want, got.at(c.at...), "%s", got.raw)
		})
	}
}

func TestPatchIsAllOrNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.user("ada@example.com")
	group := b.grp("Ops", id)
	for name, c := range map[string]struct{ path, op, scimType string }{
		"read-only":                    {"/Users/", `{"op":"replace","path":"id","value":"x"}`, "mutability"},
		"read-only below":              {"/Users/", `{"op":"replace","path":"meta.version","value":"x"}`, "mutability"},
		"groups of a user":             {"/Users/", `{"op":"add","path":"groups","value":[{"value":"x"}]}`, "mutability"},
		"the manager's name":           {"/Users/", `{"op":"add","path":"` + urnEnterprise + `:manager.displayName","value":"x"}`, "mutability"},
		"the name goes":                {"/Users/", `{"op":"remove","path":"userName"}`, "mutability"},
		"active goes":                  {"/Users/", `{"op":"remove","path":"active"}`, "mutability"},
		"active is null":               {"/Users/", `{"op":"replace","path":"active","value":null}`, "invalidValue"},
		"active is no boolean":         {"/Users/", `{"op":"replace","path":"active","value":"maybe"}`, "invalidValue"},
		"an empty name":                {"/Users/", `{"op":"replace","path":"userName","value":""}`, "invalidValue"},
		"no such operation":            {"/Users/", `{"op":"move","path":"title"}`, "invalidSyntax"},
		"no operation":                 {"/Users/", `{"path":"title"}`, "invalidSyntax"},
		"an operation that is none":    {"/Users/", `7`, "invalidSyntax"},
		"no value":                     {"/Users/", `{"op":"add","path":"title"}`, "invalidValue"},
		"no path to remove":            {"/Users/", `{"op":"remove"}`, "noTarget"},
		"neither path nor object":      {"/Users/", `{"op":"add","value":"x"}`, "invalidValue"},
		"path is no text":              {"/Users/", `{"op":"add","path":7,"value":"x"}`, "invalidPath"},
		"a path that cannot be read":   {"/Users/", `{"op":"add","path":"a b","value":"x"}`, "invalidPath"},
		"a bracket that is not closed": {"/Users/", `{"op":"add","path":"emails[type eq \"work\"","value":"x"}`, "invalidPath"},
		"a filter that cannot be read": {"/Users/", `{"op":"add","path":"emails[type is \"work\"]","value":{}}`, "invalidPath"},
		"a filter on one value":        {"/Users/", `{"op":"add","path":"name[type eq \"work\"].givenName","value":"x"}`, "invalidPath"},
		"below a text":                 {"/Users/", `{"op":"add","path":"title.x","value":"x"}`, "invalidPath"},
		"a filter that makes nothing":  {"/Users/", `{"op":"replace","path":"emails[type ne \"work\"].value","value":"x"}`, "noTarget"},
		"an object as text":            {"/Users/", `{"op":"add","path":"title","value":{"a":1}}`, "invalidValue"},
		"too many at once":             {"/Users/", strings.TrimSuffix(strings.Repeat(`{"op":"add","path":"title","value":"x"},`, 1001), ","), "tooMany"},
		"a member changes":             {"/Groups/", `{"op":"replace","path":"members[value eq \"` + id + `\"].value","value":"x"}`, "mutability"},
		"a member's value goes":        {"/Groups/", `{"op":"remove","path":"members.value"}`, "mutability"},
		"a member without id":          {"/Groups/", `{"op":"add","path":"members","value":[{"display":"x"}]}`, "invalidValue"},
		"the group's name goes":        {"/Groups/", `{"op":"remove","path":"displayName"}`, "mutability"},
	} {
		t.Run(name, func(t *testing.T) {
			at := c.path + id
			if c.path == "/Groups/" {
				at = c.path + group
			}
			kept := b.store.Kept(b.source.ID)
			b.patch(at, `{"op":"add","path":"nickName","value":"half"},{"op":"add","path":"externalId","value":"half"},`+c.op).refused(http.StatusBadRequest, c.scimType)
			require.Equal(t, kept, b.store.Kept(b.source.ID), "nothing is half done")
		})
	}
	for _, body := range []string{`{}`, `{"Operations":[]}`, `{"Operations":{}}`, `{"schemas":["x"],"Operations":[{"op":"add","value":{"title":"x"}}]}`, `{"schemas":"x"}`} {
		b.do(http.MethodPatch, "/Users/"+id, body).refused(http.StatusBadRequest, "invalidSyntax")
	}
	b.do(http.MethodPatch, "/Users/"+id, `{"Operations":[{"op":"add","value":{"title":"x"}}]}`).is(http.StatusOK) // some say no schema
}

// TestPasswordsAreNowhere hides passwords where they could slip through.
func TestPasswordsAreNowhere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.user("ada@example.com")
	for i, ops := range []string{
		`{"op":"replace","value":{"PASSWORD":"hunter2"}}`,
		`{"op":"replace","path":"` + urnUser + `:password","value":"hunter2"}`,
		`{"op":"replace","value":{"` + urnUser + `:password":"hunter2"}}`,
		`{"op":"replace","path":"` + urnUser + `","value":{"password":"hunter2"}}`,
		`{"op":"add","value":{"pass\u0077ord":"hunter2"}}`,
		`{"op":"add","path":"custom","value":{"password":"hunter2","a":1}}`,
		`{"Op":"add","Path":"Password","Value":"hunter2"}`,
		`{"op":"add","path":"custom.password","value":"hunter2"}`,
		`{"op":"add","path":"roles[value eq \"x\"].password","value":"hunter2"}`,
		`{"op":"add","value":{"urn:acme:2.0:User":{"password":"hunter2"}}}`,
	} {
		// Each changes something, so that it is written and told.
		a := b.patch("/Users/"+id, ops+`,{"op":"add","path":"displayName","value":"`+strings.Repeat("x", i+1)+`"}`).is(http.StatusOK)
		require.NotContains(t, string(a.raw), "hunter2", ops)
		require.Len(t, b.store.Told(b.source.ID), i+2)
		require.NotContains(t, string(b.last().Raw), "hunter2", ops)
	}
	for _, r := range b.store.Kept(b.source.ID) {
		require.NotContains(t, string(r.Body), "hunter2")
	}
	require.Empty(t, b.found("/Users", `password eq "hunter2"`))
}
