package scim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestNothingTakesLong sends the longest of what nests, repeats or backtracks.
func TestNothingTakesLong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const most = 4096
	fit := func(unit string) string { return strings.Repeat(unit, most/len(unit)) }
	for _, f := range []string{
		fit("("), fit("not ("), strings.Repeat("not (", 24) + "a pr" + strings.Repeat(")", 24), fit("a"), fit("a:"), fit("a."), fit("a["), fit("a[b pr] "), fit(`"`), fit(`\`),
		strings.TrimSuffix(fit("a pr or "), " or "), strings.TrimSuffix(fit("a pr and "), " and "), strings.TrimSuffix(fit("userName eq \"a\" or "), " or "),
		strings.TrimSuffix(fit("not (a pr) and "), " and "), fit("urn:"), "emails[" + fit("(")[:3000] + "]", fit(" "), fit("a pr  "),
		strings.Repeat("(a pr or ", 24) + "a pr" + strings.Repeat(")", 24), strings.Repeat("(", 24) + strings.TrimSuffix(fit("a pr or ")[:3000], " or ") + strings.Repeat(")", 24),
	} {
		w.do(http.MethodGet, "/Users?filter="+url.QueryEscape(f), "")
		w.do(http.MethodGet, "/Users?attributes="+url.QueryEscape(f), "")
		path, err := json.Marshal(f)
		require.NoError(t, err)
		w.do(http.MethodPatch, "/Users/"+w.user, ops(fmt.Sprintf(`{"op":"add","path":%s,"value":"x"}`, path)))
	}
	big := strings.TrimSuffix(strings.Repeat("1,", 1<<19-200), ",")
	for _, op := range []string{
		`{"op":"add","path":"x","value":[` + big + `]}`,
		strings.TrimSuffix(strings.Repeat(`{"op":"add","path":"roles","value":[`+strings.TrimSuffix(strings.Repeat(`"x",`, 200), ",")+`]},`, 1000), ","),
		strings.TrimSuffix(strings.Repeat(`{"op":"remove","path":"roles[a eq 1 or b eq 2].value"},`, 1000), ","),
	} {
		w.do(http.MethodPatch, "/Users/"+w.user, ops(op))
	}
}

// TestGroupsAreLarge fills a group beyond what other attributes may hold.
func TestGroupsAreLarge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var members []string
	for i := range 1100 {
		members = append(members, fmt.Sprintf(`{"value":%q}`, w.made("/Users", fmt.Sprintf(`{"userName":"u%d"}`, i))))
	}
	rec := w.do(http.MethodPatch, "/Groups/"+w.group, ops(`{"op":"replace","path":"members","value":[`+strings.Join(members, ",")+`]}`))
	require.Equal(t, http.StatusOK, rec.Code, "%s", rec.Body)
	rec = w.do(http.MethodPatch, "/Groups/"+w.group, ops(`{"op":"Remove","path":"members","value":[`+strings.Join(members[1:], ",")+`]}`))
	require.Equal(t, http.StatusOK, rec.Code, "%s", rec.Body)
	for _, r := range keptOf(w, "/Groups") {
		require.Len(t, r.Members, 1)
	}
}

// TestAnyPatch makes operations of parts that fit together now and then, which
// random bytes seldom do.
func TestAnyPatch(t *testing.T) {
	t.Parallel()
	names := []string{
		"userName", "USERNAME", "active", "title", "name", "name.givenName", "emails", "emails.value", `emails[type eq "work"]`, `emails[type eq "work"].value`, `emails[type eq "new" and primary eq true].value`,
		`emails[value pr]`, `emails[primary eq true].primary`, "emails.primary", "roles", `roles[value eq "a"]`, "externalId", "displayName", "members", "members.value", "members.display",
		`members[value eq "{user}"]`, `members[value eq "{user}"].display`, "password", "id", "meta", "schemas", "groups", urnEnterprise, urnEnterprise + ":manager", urnEnterprise + ":manager.value",
		urnEnterprise + ":department", urnUser, urnUser + ":title", urnGroup + ":members", "urn:acme:x:User", "urn:acme:x:User:hat", "x", "x.y", `x[y eq "z"].v`, `x[y eq 1]`, "", "a b", "level", "level.x",
	}
	value := rapid.SampledFrom([]string{
		`"x"`, `"True"`, `"false"`, `true`, `null`, `7`, `""`, `[]`, `{}`, `["a","b"]`, `{"value":"v","primary":true}`, `[{"value":"v","type":"work","primary":"True"},{"value":"w","primary":false}]`,
		`[{"value":"{user}"}]`, `{"value":"{user}","display":"D"}`, `{"givenName":"G","familyName":null}`, `{"password":"SECRET","x":1}`, `"grace@example.com"`, `[null,[],{}]`,
		`{"userName":"u","active":"False","emails":[{"type":"work","value":"N@example.com"}],"name.familyName":"F","` + urnEnterprise + `:manager":"m2","urn:acme:x:User":{"hat":{"a":[1]}}}`,
	})
	op := rapid.Custom(func(t *rapid.T) string {
		kind := rapid.SampledFrom([]string{"add", "replace", "remove", "Add", "Replace", "Remove"}).Draw(t, "op")
		path, _ := json.Marshal(rapid.SampledFrom(names).Draw(t, "path"))
		switch rapid.IntRange(0, 5).Draw(t, "form") {
		case 0:
			return fmt.Sprintf(`{"op":%q,"path":%s}`, kind, path)
		case 1:
			return fmt.Sprintf(`{"op":%q,"value":{%s:%s}}`, kind, path, value.Draw(t, "value"))
		case 2:
			return fmt.Sprintf(`{"op":%q,"value":%s}`, kind, value.Draw(t, "value"))
		}
		return fmt.Sprintf(`{"op":%q,"path":%s,"value":%s}`, kind, path, value.Draw(t, "value"))
	})
	taken, refused := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		patch := ops(strings.ReplaceAll(strings.Join(rapid.SliceOfN(op, 1, 5).Draw(rt, "operations"), ","), "{user}", w.user))
		path := rapid.SampledFrom([]string{"/Users/" + w.user, "/Groups/" + w.group}).Draw(rt, "of")
		before := w.store.Kept(w.source.ID)
		rec := w.do(http.MethodPatch, path, patch)
		after := w.store.Kept(w.source.ID)
		if rec.Code != http.StatusOK {
			refused++
			require.Equal(rt, before, after, "what is refused changes nothing")
			return
		}
		taken++
		require.NotContains(rt, rec.Body.String(), "SECRET")
		for i := range after {
			requireWhole(t, before[i], after[i])
		}
		require.Equal(rt, w.do(http.MethodGet, path, "").Body.String(), rec.Body.String(), "what is answered is what is kept")
		// PUT of what GET shows changes nothing.
		put := w.do(http.MethodPut, path, rec.Body.String())
		require.Equal(rt, http.StatusOK, put.Code, "%s", put.Body)
		require.Equal(rt, rec.Body.String(), put.Body.String())
	})
	require.Positive(t, taken)
	require.Positive(t, refused)
	t.Logf("%d taken, %d refused", taken, refused)
}
