package scim_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/scim"
	"sendoff/internal/scim/scimtest"
)

func TestNobodyGetsInWithoutAToken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.user("ada@example.com")
	for _, path := range []string{"/Users", "/Users/" + id, "/Groups", "/ServiceProviderConfig", "/Schemas", "/ResourceTypes", "/Bulk", "/nowhere", ""} {
		for _, wrong := range []string{"", "wrong", strings.Repeat("x", 1000)} {
			a := b.as(wrong, http.MethodGet, path, "").is(http.StatusUnauthorized)
			require.Equal(t, "401", a.at("status"))
			require.Contains(t, a.header.Get("WWW-Authenticate"), "Bearer")
		}
	}
	b.as("", http.MethodGet, "/Users", "", "Authorization", "Basic "+token).is(http.StatusUnauthorized)
	b.as("", http.MethodGet, "/Users", "", "Authorization", token).is(http.StatusUnauthorized)
	b.as("", http.MethodGet, "/Users", "", "Authorization", "bearer "+token).is(http.StatusOK)

	b.store.AddToken(b.source, "fresh")
	b.as("fresh", http.MethodGet, "/Users/"+id, "").is(http.StatusOK)
	b.do(http.MethodGet, "/Users/"+id, "").is(http.StatusOK) // both, while they overlap
	b.store.Revoke(token)
	b.do(http.MethodGet, "/Users/"+id, "").is(http.StatusUnauthorized)
	b.as("fresh", http.MethodGet, "/Users/"+id, "").is(http.StatusOK)
}

// TestNoTokenIsNoKey would fail if the hash of nothing could be a source's token.
func TestNoTokenIsNoKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.AddSource("odd", "")
	b.as("", http.MethodGet, "/Users", "").is(http.StatusUnauthorized)
}

// TestASourceSeesItsOwnAlone tries every operation with another source's token.
func TestASourceSeesItsOwnAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	user := b.user("ada@example.com")
	group := b.grp("Ops", user)
	kept := b.store.Kept(b.source.ID)
	told := len(b.store.Told(b.source.ID))
	userBody := `{"schemas":["` + urnUser + `"],"userName":"mallory@example.com","active":false}`
	groupBody := `{"schemas":["` + urnGroup + `"],"displayName":"taken"}`
	for _, c := range []struct {
		method, path, body string
		headers            []string
	}{
		{http.MethodGet, "/Users/" + user, "", nil},
		{http.MethodGet, "/Users/" + user, "", []string{"If-None-Match", `W/"1"`}},
		{http.MethodPut, "/Users/" + user, userBody, nil},
		{http.MethodPut, "/Users/" + user, userBody, []string{"If-Match", `W/"1"`}},
		{http.MethodPatch, "/Users/" + user, ops(`{"op":"replace","path":"active","value":false}`), nil},
		{http.MethodPatch, "/Users/" + user, ops(`{"op":"replace","path":"active","value":false}`), []string{"If-Match", `W/"1", W/"2"`}},
		{http.MethodDelete, "/Users/" + user, "", nil},
		{http.MethodDelete, "/Users/" + user, "", []string{"If-Match", "*"}},
		{http.MethodGet, "/Groups/" + group, "", nil},
		{http.MethodGet, "/Groups/" + group + "?excludedAttributes=members", "", nil},
		{http.MethodPut, "/Groups/" + group, groupBody, nil},
		{http.MethodPatch, "/Groups/" + group, ops(`{"op":"remove","path":"members"}`), nil},
		{http.MethodDelete, "/Groups/" + group, "", nil},
	} {
		a := b.as(otherToken, c.method, c.path, c.body, c.headers...).is(http.StatusNotFound)
		require.NotContains(t, string(a.raw), "ada", c.path)
	}
	for _, f := range []string{
		"", `userName eq "ada@example.com"`, `id eq "` + user + `"`, `userName pr`, `emails.value eq "ada@example.com"`, `emails[type eq "work"].value eq "ada@example.com"`,
		`not (userName eq "x")`, `displayName eq "Ops"`, `members eq "` + user + `"`, `id eq "` + group + `"`, `meta.created gt "2000-01-01T00:00:00Z"`,
	} {
		for _, path := range []string{"/Users", "/Groups"} {
			a := b.as(otherToken, http.MethodGet, path+"?filter="+url.QueryEscape(f), "").is(http.StatusOK)
			require.EqualValues(t, 0, a.at("totalResults"), "%s %s", path, f)
		}
		for _, path := range []string{"/.search", "/Users/.search", "/Groups/.search"} {
			a := b.as(otherToken, http.MethodPost, path, fmt.Sprintf(`{"filter":%q}`, f)).is(http.StatusOK)
			require.EqualValues(t, 0, a.at("totalResults"), "%s %s", path, f)
		}
	}
	// Another's user is no member, and another's names are free.
	b.as(otherToken, http.MethodPost, "/Groups", `{"displayName":"x","members":[{"value":"`+user+`"}]}`).refused(http.StatusBadRequest, "invalidValue")
	b.as(otherToken, http.MethodPost, "/Users", `{"userName":"ADA@example.com"}`).is(http.StatusCreated)

	require.Equal(t, kept, b.store.Kept(b.source.ID), "nothing of the source was touched")
	require.Len(t, b.store.Told(b.source.ID), told)
}

func TestWhatIsNotThere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.user("ada@example.com")
	for _, path := range []string{"", "/", "/nowhere", "/users", "/Users/" + id + "/x", "/Users/00919288221112222", "/Users/%00", "/Users/%ff", "/Groups/" + id, "/.search/x", "/Schemas/urn:x", "/ResourceTypes/Robot", "/ServiceProviderConfig/x"} {
		method := http.MethodGet
		if strings.HasPrefix(path, "/.search") {
			method = http.MethodPost
		}
		b.do(method, path, "").is(http.StatusNotFound)
	}
	for _, path := range []string{"/Bulk", "/Me", "/Me/x"} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPatch} {
			b.do(method, path, "").is(http.StatusNotImplemented)
		}
	}
	for path, allow := range map[string]string{"/Users": "GET, POST", "/Users/" + id: "GET, PUT, PATCH, DELETE", "/.search": "POST", "/Schemas": "GET", "/Users/.search": "POST"} {
		a := b.do(http.MethodTrace, path, "").is(http.StatusMethodNotAllowed)
		require.Equal(t, allow, a.header.Get("Allow"))
	}
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	b := setup(t)
	conf := b.do(http.MethodGet, "/ServiceProviderConfig", "").is(http.StatusOK)
	for what, supported := range map[string]bool{"patch": true, "bulk": false, "filter": true, "changePassword": false, "sort": false, "etag": true} {
		require.Equal(t, supported, conf.at(what, "supported"), what)
	}
	require.EqualValues(t, 200, conf.at("filter", "maxResults"))
	require.NotContains(t, conf.body, "documentationUri", "an empty one breaks strict clients")
	for _, what := range []string{"Schemas", "ResourceTypes"} {
		list := b.do(http.MethodGet, "/"+what, "").is(http.StatusOK)
		for i := range int(list.at("totalResults").(float64)) {
			one := list.at("Resources", i)
			location, _ := dig(one, "meta", "location").(string)
			require.Equal(t, one, any(b.do(http.MethodGet, strings.TrimPrefix(location, b.url), "").is(http.StatusOK).body))
		}
		b.do(http.MethodGet, "/"+what+"?filter=id+pr", "").is(http.StatusForbidden)
	}
	all := b.do(http.MethodGet, "/Schemas", "")
	require.NotContains(t, string(all.raw), "password")
	require.Contains(t, string(all.raw), "employeeNumber")
}

func TestETags(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.user("ada@example.com")
	at := "/Users/" + id
	for _, same := range []string{`W/"1"`, `"1"`, `*`, `W/"9", W/"1"`} {
		a := b.do(http.MethodGet, at, "", "If-None-Match", same).is(http.StatusNotModified)
		require.Empty(t, a.raw)
		require.Equal(t, `W/"1"`, a.header.Get("ETag"))
	}
	b.do(http.MethodGet, at, "", "If-None-Match", `W/"2"`).is(http.StatusOK)

	title := ops(`{"op":"replace","path":"title","value":"T"}`)
	put := `{"userName":"ada@example.com","title":"T"}`
	for _, wrong := range []string{`W/"2"`, `W/"0"`, `W/"-1"`, `"x"`, `W/"2", "y"`} {
		b.do(http.MethodPatch, at, title, "If-Match", wrong).is(http.StatusPreconditionFailed)
		b.do(http.MethodPut, at, put, "If-Match", wrong).is(http.StatusPreconditionFailed)
		b.do(http.MethodDelete, at, "", "If-Match", wrong).is(http.StatusPreconditionFailed)
	}
	a := b.do(http.MethodPatch, at, title, "If-Match", `W/"1"`).is(http.StatusOK)
	require.Equal(t, `W/"2"`, a.header.Get("ETag"))
	b.do(http.MethodPatch, at, title, "If-Match", `W/"1"`).is(http.StatusPreconditionFailed)
	b.do(http.MethodPut, at, put, "If-Match", `W/"7", W/"2"`).is(http.StatusOK)
	b.do(http.MethodDelete, at, "", "If-Match", "*").is(http.StatusNoContent)
	b.do(http.MethodDelete, at, "", "If-Match", `W/"3"`).is(http.StatusNotFound)
}

// TestOneOfManyWritersWins lets writers race with one version.
func TestOneOfManyWritersWins(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.user("ada@example.com")
	const writers = 16
	status := make(chan int, 2*writers)
	for i := range writers {
		go func() {
			status <- b.do(http.MethodPatch, "/Users/"+id, ops(fmt.Sprintf(`{"op":"replace","path":"title","value":"%d"}`, i)), "If-Match", `W/"1"`).status
		}()
	}
	won := 0
	for range writers {
		if s := <-status; s == http.StatusOK {
			won++
		} else {
			require.Equal(t, http.StatusPreconditionFailed, s)
		}
	}
	require.Equal(t, 1, won)
	// Without a version every change is made to what is there then.
	for i := range writers {
		go func() {
			status <- b.patch("/Users/"+id, fmt.Sprintf(`{"op":"add","path":"roles","value":[{"value":"r%d"}]}`, i)).status
		}()
	}
	for range writers {
		require.Equal(t, http.StatusOK, <-status)
	}
	require.Len(t, b.do(http.MethodGet, "/Users/"+id, "").at("roles"), writers)
}

func TestBodiesThatAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.user("ada@example.com")
	kept, told := b.store.Kept(b.source.ID), len(b.store.Told(b.source.ID))
	deep := strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100)
	for name, c := range map[string]struct {
		body     string
		status   int
		scimType string
	}{
		"no body":         {"", http.StatusBadRequest, "invalidSyntax"},
		"no JSON":         {"{", http.StatusBadRequest, "invalidSyntax"},
		"a list":          {"[]", http.StatusBadRequest, "invalidSyntax"},
		"null":            {"null", http.StatusBadRequest, "invalidSyntax"},
		"two objects":     {"{}{}", http.StatusBadRequest, "invalidSyntax"},
		"bad UTF-8":       {"{\"userName\":\"\xff\"}", http.StatusBadRequest, "invalidSyntax"},
		"too deep":        {`{"userName":"x","y":` + deep + `}`, http.StatusBadRequest, "invalidSyntax"},
		"NUL":             {`{"userName":"a\u0000b"}`, http.StatusBadRequest, "invalidValue"},
		"a huge number":   {`{"userName":"x","n":1e99999}`, http.StatusBadRequest, "invalidValue"},
		"too large":       {`{"userName":"` + strings.Repeat("x", 1<<20) + `"}`, http.StatusRequestEntityTooLarge, ""},
		"no userName":     {`{"active":true}`, http.StatusBadRequest, "invalidValue"},
		"an empty one":    {`{"userName":""}`, http.StatusBadRequest, "invalidValue"},
		"a long one":      {`{"userName":"` + strings.Repeat("x", 600) + `"}`, http.StatusBadRequest, "invalidValue"},
		"another schema":  {`{"schemas":["` + urnGroup + `"],"userName":"x"}`, http.StatusBadRequest, "invalidSyntax"},
		"active as word":  {`{"userName":"x","active":"yes"}`, http.StatusBadRequest, "invalidValue"},
		"name as text":    {`{"userName":"x","name":"Ada"}`, http.StatusBadRequest, "invalidValue"},
		"title as object": {`{"userName":"x","title":{}}`, http.StatusBadRequest, "invalidValue"},
		"two primaries":   {`{"userName":"x","emails":[{"value":"a","primary":true},{"value":"b","primary":"True"}]}`, http.StatusBadRequest, "invalidValue"},
		"a key twice":     {`{"userName":"x","USERNAME":"y"}`, http.StatusBadRequest, "invalidSyntax"},
		"the same twice":  {`{"userName":"x","active":false,"active":true}`, http.StatusBadRequest, "invalidSyntax"},
		"twice, deeper":   {`{"userName":"x","emails":[{"value":"a","value":"b"}]}`, http.StatusBadRequest, "invalidSyntax"},
		"too many values": {`{"userName":"x","roles":["` + strings.Repeat(`a","`, 1001) + `"]}`, http.StatusBadRequest, "invalidValue"},
		"a bad extension": {`{"userName":"x","` + urnEnterprise + `":"x"}`, http.StatusBadRequest, "invalidValue"},
	} {
		t.Run(name, func(t *testing.T) {
			b.do(http.MethodPost, "/Users", c.body).refused2(c.status, c.scimType)
			b.do(http.MethodPut, "/Users/"+id, c.body).refused2(c.status, c.scimType)
			require.Equal(t, kept, b.store.Kept(b.source.ID), "nothing is half written")
			require.Len(t, b.store.Told(b.source.ID), told)
		})
	}
	b.do(http.MethodPost, "/Users", `{"userName":"x"}`, "Content-Type", "text/plain").is(http.StatusUnsupportedMediaType)
	b.do(http.MethodPost, "/Users", `{"userName":"x"}`, "Content-Type", "application/json").is(http.StatusCreated)
}

// refused2 demands an error whose scimType may be absent.
func (a answer) refused2(status int, scimType string) {
	a.t.Helper()
	a.is(status)
	got, _ := a.body["scimType"].(string)
	require.Equal(a.t, scimType, got, "%s", a.raw)
}

func TestPublicURL(t *testing.T) {
	t.Parallel()
	store := scimtest.NewMemory()
	store.AddSource("okta", token)
	h := scim.New(scim.Config{Store: store, PublicURL: "https://sendoff.example.com/"})
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/scim/v2/Users", strings.NewReader(`{"userName":"ada"}`))
	req.Header.Set("Authorization", "Bearer "+token)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	require.Equal(t, http.StatusCreated, rec.Code)
	require.Regexp(t, `^https://sendoff\.example\.com/scim/v2/Users/[0-9a-f-]{36}$`, rec.Header().Get("Location"))
}
