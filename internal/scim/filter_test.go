package scim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFilters(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := func(body string) string { return b.do(http.MethodPost, "/Users", body).is(http.StatusCreated).id() }
	ada := made(`{"userName":"ada@example.com","externalId":"X1","title":"Countess","active":true,"name":{"familyName":"O'Byron"},
		"emails":[{"type":"work","value":"ada@example.com","primary":true},{"type":"home","value":"ada@home.example"}],
		"` + urnEnterprise + `":{"department":"R&D","manager":{"value":"m1"}},"level":7,"quote":"say \"hi\""}`)
	grace := made(`{"userName":"Grace","externalId":"x1","active":"False","userType":"Contractor","level":12,
		"emails":[{"type":"work","value":"grace@example.com"},{"type":"work","value":"amazing@example.com"}]}`)
	both, none := []string{ada, grace}, []string{}
	for f, want := range map[string][]string{
		// what the store selects by
		`userName eq "ADA@example.com"`:                         {ada},
		`USERNAME EQ "grace"`:                                   {grace},
		urnUser + `:userName eq "grace"`:                        {grace},
		`userName eq ""`:                                        none,
		`externalId eq "x1"`:                                    {grace},
		`id eq "` + ada + `"`:                                   {ada},
		`id eq "` + strings.ToUpper(ada) + `"`:                  none,
		`id eq "no-id"`:                                         none,
		`userName eq "grace" and externalId eq "x1"`:            {grace},
		`userName eq "grace" and externalId eq "X1"`:            none,
		`userName eq "grace" and userName eq "ada@example.com"`: none,
		`userName eq "grace" and active eq true`:                none,
		`userName eq "grace" or active eq true`:                 both,
		`emails[type eq "work"].value eq "ADA@example.com"`:     {ada},
		`emails[type eq "work" and value eq "ada@example.com"]`: {ada},
		`emails.value eq "grace@example.com"`:                   {grace},
		`emails eq "grace@example.com"`:                         {grace},
		`emails.value eq "amazing@example.com"`:                 {grace}, // not the one the store knows
		`emails.value eq "ada@home.example"`:                    {ada},
		`emails[type eq "work"].value eq "ada@home.example"`:    none,
		// every operator
		`title eq "countess"`:           {ada},
		`title ne "x"`:                  {ada}, // what has none differs from nothing
		`not (title eq "x")`:            both,
		`title co "UNT"`:                {ada},
		`title sw "coun"`:               {ada},
		`title ew "ESS"`:                {ada},
		`title pr`:                      {ada},
		`not (title pr)`:                {grace},
		`userName gt "b"`:               {grace},
		`userName ge "grace"`:           {grace},
		`userName lt "b"`:               {ada},
		`userName le "ada@example.com"`: {ada},
		`active eq true`:                {ada},
		`active eq "True"`:              {ada},
		`active ne true`:                {grace},
		`level gt 7`:                    {grace},
		`level ge 7`:                    both,
		`level eq 7.0`:                  {ada},
		`level lt 1.2e1`:                {ada},
		`title eq null`:                 {grace},
		`title ne null`:                 {ada},
		`name.familyName co "'"`:        {ada},
		`name pr`:                       {ada},
		`roles pr`:                      none,
		`emails[type eq "home"]`:        {ada},
		`emails[not (type eq "work")]`:  {ada},
		`emails[type eq "work" and (value sw "a" or value sw "z") and primary eq true]`: {ada},
		`quote eq "say \"hi\""`:                            {ada},
		`quote co "\u0068i"`:                               {ada},
		urnEnterprise + `:department eq "r&d"`:             {ada},
		urnEnterprise + `:manager.value eq "M1"`:           {ada},
		urnEnterprise + `:manager eq "m1"`:                 {ada},
		`urn:acme:hr-x:2.0:User:hat pr`:                    none,
		`schemas eq "` + urnEnterprise + `"`:               {ada},
		`meta.resourceType eq "User"`:                      both,
		`meta.created gt "2026-11-02T09:00:01.500Z"`:       {grace},
		`meta.lastModified le "2026-11-02T10:00:01+01:00"`: {ada},
		`nothing eq "x"`:                                   none,
		`$w0 eq "x" or $w7 pr`:                             none, // the placeholders' names
		`nothing ne "x"`:                                   none,
		`title pr and (active eq true or userType co "contract") or userType sw "CON"`: both,
	} {
		require.Equal(t, want, b.found("/Users", f), f)
		a := b.do(http.MethodPost, "/Users/.search", fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":%q,"attributes":["userName"]}`, f)).is(http.StatusOK)
		require.EqualValues(t, len(want), a.at("totalResults"), f)
	}
	for _, f := range []string{
		`userName`, `userName eq`, `eq "x"`, `userName is "x"`, `userName eq x`, `userName eq "x`, `(userName pr`, `userName pr)`, `userName pr and`,
		`emails[type eq "work"`, `emails[type`, `emails]`, `emails[]`, `emails[a[b eq 1] pr]`, `active gt true`, `title gt null`, `level co 7`, `active eq "perhaps"`,
		`meta.created gt "yesterday"`, `a.b.c eq 1`, urnUser + ` eq "x"`, `not userName pr`, "userName eq \"\x00\"", "userName eq \"\xff\"",
		strings.Repeat("(", 50) + "title pr" + strings.Repeat(")", 50), `title eq "` + strings.Repeat("x", 5000) + `"`,
	} {
		a := b.do(http.MethodGet, "/Users?filter="+url.QueryEscape(f), "")
		require.Equal(t, http.StatusBadRequest, a.status, f)
		a.refused(http.StatusBadRequest, "invalidFilter")
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var made []string
	for i := range 205 {
		made = append(made, b.user(fmt.Sprintf("u%03d@example.com", i)))
	}
	b.grp("Ops")
	for _, c := range []struct {
		query              string
		from, to, start, n int
	}{
		{"", 0, 100, 1, 205},
		{"count=7", 0, 7, 1, 205},
		{"startIndex=201&count=100", 200, 205, 201, 205},
		{"startIndex=0&count=1", 0, 1, 1, 205},
		{"startIndex=-5&count=-5", 0, 0, 1, 205},
		{"count=0", 0, 0, 1, 205},
		{"count=99999", 0, 200, 1, 205},
		{"startIndex=99999999999999999999", 0, 0, 1 << 31, 205},
		{"sortBy=userName&sortOrder=descending&count=2", 0, 2, 1, 205}, // not supported, so ignored
		{"filter=userName+sw+%22u%22&startIndex=204", 203, 205, 204, 205},
		{"filter=userName+sw+%22u00%22&startIndex=3&count=2", 2, 4, 3, 10},
		{"filter=userName+sw+%22u00%22&count=0", 0, 0, 1, 10},
		{"filter=userName+eq+%22u004@example.com%22&count=0", 0, 0, 1, 1},
	} {
		a := b.do(http.MethodGet, "/Users?"+c.query, "").is(http.StatusOK)
		require.EqualValues(t, c.n, a.at("totalResults"), c.query)
		require.EqualValues(t, c.start, a.at("startIndex"), c.query)
		require.EqualValues(t, c.to-c.from, a.at("itemsPerPage"), c.query)
		ids := []string{}
		for _, r := range a.at("Resources").([]any) {
			ids = append(ids, dig(r, "id").(string))
		}
		require.Equal(t, append([]string{}, made[c.from:c.to]...), ids, c.query)
	}
	b.do(http.MethodGet, "/Users?startIndex=x", "").refused(http.StatusBadRequest, "invalidValue")
	b.do(http.MethodGet, "/Users?count=1.5", "").refused(http.StatusBadRequest, "invalidValue")

	all := b.do(http.MethodPost, "/.search", `{"startIndex":205,"count":5}`).is(http.StatusOK)
	require.EqualValues(t, 206, all.at("totalResults"))
	require.Equal(t, made[204], all.at("Resources", 0, "id"))
	require.Equal(t, "Ops", all.at("Resources", 1, "displayName"))
	for _, body := range []string{`{"count":"x"}`, `{"startIndex":[]}`, `{"filter":7}`, `{"schemas":["x"]}`} {
		require.Equal(t, http.StatusBadRequest, b.do(http.MethodPost, "/.search", body).status)
	}
}

func TestProjections(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.do(http.MethodPost, "/Users", `{"userName":"ada","title":"T","name":{"givenName":"A","familyName":"B"},
		"emails":[{"type":"work","value":"a@example.com"},{"type":"home","value":"b@example.com"}],
		"`+urnEnterprise+`":{"department":"D","division":"V"},"urn:acme:2.0:User":{"hat":"7"}}`).is(http.StatusCreated).id()
	const always = 2 // schemas and id
	for _, c := range []struct {
		query string
		has   []string
		lacks []string
	}{
		{"attributes=userName", []string{"userName"}, []string{"title", "meta", "emails", urnEnterprise}},
		{"attributes=USERNAME,Name.givenName", []string{"userName", "name.givenName"}, []string{"name.familyName"}},
		{"attributes=emails.value", []string{"emails"}, []string{"userName"}},
		{"attributes=" + urnEnterprise, []string{urnEnterprise + ":department"}, []string{"userName"}},
		{"attributes=" + urnEnterprise + ":division", []string{urnEnterprise + ":division"}, []string{urnEnterprise + ":department"}},
		{"attributes=" + urnUser + ":title", []string{"title"}, []string{"userName"}},
		{"attributes=urn:acme:2.0:User", []string{"urn:acme:2.0:User"}, []string{"userName"}},
		{"attributes=nothing,a%20b", nil, []string{"userName"}},
		{"excludedAttributes=title,name.givenName,id,schemas", []string{"userName", "name.familyName", "meta"}, []string{"title", "name.givenName"}},
		{"excludedAttributes=" + urnEnterprise + ":division,meta", []string{urnEnterprise + ":department"}, []string{urnEnterprise + ":division", "meta"}},
		{"excludedAttributes=" + urnEnterprise + ",urn:acme:2.0:User,emails.value", []string{"emails"}, []string{urnEnterprise, "urn:acme:2.0:User"}},
		{"attributes=title&excludedAttributes=title", []string{"title"}, []string{"userName"}},
	} {
		one := b.do(http.MethodGet, "/Users/"+id+"?"+c.query, "").is(http.StatusOK)
		list := b.do(http.MethodGet, "/Users?"+c.query, "").is(http.StatusOK)
		require.Equal(t, any(one.body), list.at("Resources", 0), c.query)
		require.Equal(t, id, one.at("id"))
		require.NotEmpty(t, one.at("schemas"))
		for _, name := range c.has {
			require.NotNil(t, byName(one.body, name), "%s has no %s", c.query, name)
		}
		for _, name := range c.lacks {
			require.Nil(t, byName(one.body, name), "%s has %s", c.query, name)
		}
		if strings.HasPrefix(c.query, "attributes=nothing") {
			require.Len(t, one.body, always)
		}
	}
	made := b.do(http.MethodPost, "/Users?attributes=userName", `{"userName":"x","title":"T"}`).is(http.StatusCreated)
	require.Nil(t, made.at("title"))
	values := b.do(http.MethodGet, "/Users/"+id+"?attributes=emails.value,emails.type", "").at("emails")
	require.Equal(t, []any{map[string]any{"type": "work", "value": "a@example.com"}, map[string]any{"type": "home", "value": "b@example.com"}}, values)
}

// byName finds a value by its name, URN and all.
func byName(body map[string]any, name string) any {
	if v, ok := body[name]; ok {
		return v
	}
	if i := strings.LastIndex(name, ":"); i > 0 {
		return dig(body[name[:i]], name[i+1:])
	}
	head, sub, _ := strings.Cut(name, ".")
	return dig(body[head], sub)
}
