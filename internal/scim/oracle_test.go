package scim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFiltersAgreeWithAnother holds filters against scim2-parse-filter, which
// knows no schemas: the texts here are in lower case, and complex attributes are
// named with a sub-attribute.
func TestFiltersAgreeWithAnother(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, body := range []string{
		`{"userName":"ada","title":"countess","active":true,"level":7,"emails":[{"type":"work","value":"ada@example.com","primary":true},{"type":"home","value":"ada@home.example"}],"` + urnEnterprise + `":{"department":"r&d"}}`,
		`{"userName":"grace","active":false,"level":12,"name":{"familyName":"hopper"},"emails":[{"type":"work","value":"grace@example.com"}]}`,
		`{"userName":"alan","title":"fellow","active":true,"name":{"familyName":"turing"}}`,
		`{"userName":"barbara","title":"count","active":false,"roles":[{"value":"a"},{"value":"b"}],"` + urnEnterprise + `":{"department":"ops","manager":{"value":"m"}}}`,
	} {
		b.do(http.MethodPost, "/Users", body).is(http.StatusCreated)
	}
	list, _ := b.do(http.MethodGet, "/Users", "").at("Resources").([]any)
	filters := manyFilters()
	out := ask(t, question{Filters: filters, Resources: list})
	for i, f := range filters {
		require.True(t, out.Filters[i].OK, "%s: %s", f, out.Filters[i].Error)
		want := []string{}
		for j, r := range list {
			if out.Filters[i].Value[j] {
				want = append(want, dig(r, "id").(string))
			}
		}
		require.Equal(t, want, b.found("/Users", f), f)
	}
	t.Logf("%d filters", len(filters))
}

func manyFilters() []string {
	var simple []string
	for _, attr := range []string{"userName", "title", "name.familyName", "emails.value", "emails.type", "roles.value", urnEnterprise + ":department", urnEnterprise + ":manager.value", "meta.created", "nothing"} {
		for _, op := range []string{"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"} {
			for _, value := range []string{"ada", "count", "countess", "hopper", "a", "m", "r&d"} {
				if attr == "meta.created" {
					if op == "co" || op == "sw" || op == "ew" || value != "ada" {
						continue
					}
					value = "2026-11-02T09:00:02.000Z"
				}
				simple = append(simple, fmt.Sprintf("%s %s %q", attr, op, value))
			}
		}
		simple = append(simple, attr+" pr")
	}
	for _, op := range []string{"eq", "ne", "gt", "ge", "lt", "le"} {
		simple = append(simple, "level "+op+" 7", "level "+op+" 9.5")
	}
	simple = append(simple, "active eq true", "active ne true", "active eq false", `emails[type eq "work"]`, `emails[type eq "home" and value sw "ada"]`, `emails[not (type eq "work") or primary eq true]`)
	all := simple
	for i := range simple {
		a, b, c := simple[i], simple[(i*7+3)%len(simple)], simple[(i*13+5)%len(simple)]
		all = append(all, "not ("+a+")", a+" and "+b, a+" or "+b, a+" or "+b+" and "+c, "("+a+" or "+b+") and "+c, "not ("+a+" and "+b+") or "+c)
	}
	return all
}

// TestPatchesAgreeWithAnother holds patches against scim-patch, one after the
// other and by twos.
func TestPatchesAgreeWithAnother(t *testing.T) {
	t.Parallel()
	b := setup(t)
	before := `{"userName":"ada","title":"T","active":true,"name":{"givenName":"A","familyName":"B"},"nickName":"N",
		"emails":[{"type":"work","value":"w","primary":true},{"type":"home","value":"h"}],"roles":[{"value":"a"},{"value":"b"}],
		"` + urnEnterprise + `":{"department":"D","manager":{"value":"m"}}}`
	single := []string{
		`{"op":"replace","path":"title","value":"X"}`, `{"op":"add","path":"title","value":"Y"}`, `{"op":"remove","path":"title"}`, `{"op":"add","path":"displayName","value":"X"}`,
		`{"op":"Replace","path":"active","value":false}`, `{"op":"replace","value":{"active":false}}`, `{"op":"replace","value":{"title":"Z","nickName":"Q"}}`, `{"op":"add","value":{"displayName":"Z"}}`,
		`{"op":"replace","path":"name.givenName","value":"X"}`, `{"op":"add","path":"name.middleName","value":"X"}`, `{"op":"remove","path":"name.givenName"}`, `{"op":"remove","path":"name"}`,
		`{"op":"replace","path":"name","value":{"givenName":"X"}}`, `{"op":"add","path":"name","value":{"middleName":"X"}}`, `{"op":"replace","value":{"name.familyName":"X"}}`,
		`{"op":"replace","path":"emails[type eq \"work\"].value","value":"x"}`, `{"op":"add","path":"emails[type eq \"work\"].display","value":"x"}`, `{"op":"replace","path":"emails[type eq \"other\"].value","value":"x"}`,
		`{"op":"add","path":"emails[type eq \"other\"].value","value":"x"}`, `{"op":"remove","path":"emails[type eq \"work\"]"}`, `{"op":"remove","path":"emails[type eq \"home\"].value"}`,
		`{"op":"replace","path":"emails[type eq \"home\"]","value":{"type":"home","value":"x"}}`, `{"op":"add","path":"emails[type eq \"home\"]","value":{"display":"x"}}`,
		`{"op":"add","path":"emails","value":[{"type":"other","value":"o"}]}`, `{"op":"add","path":"emails","value":[{"type":"home","value":"h"}]}`, `{"op":"replace","path":"emails","value":[{"type":"other","value":"o"}]}`, `{"op":"remove","path":"emails"}`,
		`{"op":"add","path":"roles","value":[{"value":"a"},{"value":"c"}]}`, `{"op":"remove","path":"roles[value eq \"a\"]"}`, `{"op":"remove","path":"roles","value":[{"value":"a"}]}`, `{"op":"remove","path":"roles[value eq \"none\"]"}`,
		`{"op":"replace","path":"` + urnEnterprise + `:department","value":"X"}`, `{"op":"add","path":"` + urnEnterprise + `:division","value":"X"}`, `{"op":"remove","path":"` + urnEnterprise + `:department"}`,
		`{"op":"replace","path":"` + urnEnterprise + `:manager.value","value":"X"}`, `{"op":"remove","path":"` + urnEnterprise + `:manager"}`, `{"op":"replace","value":{"` + urnEnterprise + `:department":"X"}}`,
		`{"op":"replace","path":"` + urnUser + `:title","value":"X"}`, `{"op":"remove","path":"nickName"}`, `{"op":"remove","path":"profileUrl"}`,
	}
	cases := append([]string{}, single...)
	for i, a := range single {
		for j, c := range single {
			if i != j {
				cases = append(cases, a+","+c)
			}
		}
	}
	q := question{}
	var ours []map[string]any
	for _, c := range cases {
		made := b.do(http.MethodPost, "/Users", before).is(http.StatusCreated)
		var operations []any
		require.NoError(t, json.Unmarshal([]byte("["+c+"]"), &operations))
		q.Patches = append(q.Patches, patchAsked{content(made.body), operations})
		got := b.patch("/Users/"+made.id(), c).is(http.StatusOK)
		ours = append(ours, content(got.body))
		b.do(http.MethodDelete, "/Users/"+made.id(), "").is(http.StatusNoContent)
	}
	out := ask(t, q)
	agreed, refused := 0, 0
	for i, c := range cases {
		if !out.Patches[i].OK {
			refused++ // it takes no filter on a list that is gone
			continue
		}
		if apart[c] {
			require.NotEqual(t, ours[i], withoutEmpty(out.Patches[i].Value), "they agree by now: %s", c)
			continue
		}
		require.Equal(t, ours[i], withoutEmpty(out.Patches[i].Value), c)
		agreed++
	}
	require.Greater(t, agreed, len(cases)*9/10)
	t.Logf("%d patches agree, %d it refuses", agreed, refused)
}

// apart are patches that the two read differently.
var apart = map[string]bool{
	// RFC 7644 section 3.5.2.3: the values that a filter finds are replaced, not merged.
	`{"op":"add","path":"emails[type eq \"home\"]","value":{"display":"x"}},{"op":"replace","path":"emails[type eq \"home\"]","value":{"type":"home","value":"x"}}`: true,
	// The filter finds nothing: scim-patch does nothing, we make the value.
	`{"op":"replace","path":"emails","value":[{"type":"other","value":"o"}]},{"op":"add","path":"emails[type eq \"home\"]","value":{"display":"x"}}`: true,
}

// content is a resource without what the server makes.
func content(r map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range r {
		if k != "id" && k != "meta" && k != "schemas" {
			out[k] = v
		}
	}
	return out
}

// withoutEmpty takes out lists and objects without values, which are none to RFC
// 7643 section 2.5.
func withoutEmpty(m map[string]any) map[string]any {
	for k, v := range m {
		if sub, ok := v.(map[string]any); ok {
			withoutEmpty(sub)
			if len(sub) == 0 {
				delete(m, k)
			}
		}
		if list, ok := v.([]any); ok && len(list) == 0 {
			delete(m, k)
		}
	}
	return m
}
