package bamboohr_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/connectors/bamboohr"
	"sendoff/connectors/bamboohr/bamboosim"
)

// TestRequestsKeepBambooHRsContract drives the feed and holds each request against
// BambooHR's own OpenAPI document.
func TestRequestsKeepBambooHRsContract(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "reference", "bamboohr-openapi.json"))
	if os.IsNotExist(err) {
		t.Skip("BambooHR's OpenAPI document is not beside the repository: requests are not checked against it")
	}
	require.NoError(t, err)
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	require.NoError(t, err)
	mend(doc)

	sim, err := bamboosim.New(bamboosim.Config{Employees: 600})
	require.NoError(t, err)
	t.Cleanup(sim.Close)
	var mu sync.Mutex
	operations := map[string]bool{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, err := conforms(doc, r)
		if err != nil {
			t.Errorf("%s %s: %v", r.Method, r.URL.RequestURI(), err)
		}
		mu.Lock()
		operations[name] = true
		mu.Unlock()
		sim.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	f, err := bamboohr.New(connectors.FeedConfig{BaseURL: srv.URL, APIKey: bamboosim.APIKey, Limiter: unlimited{}})
	require.NoError(t, err)
	require.NoError(t, f.CheckFeed(t.Context()))
	got, err := f.ReadChanges(t.Context(), "")
	require.NoError(t, err)
	_, err = f.ReadChanges(t.Context(), got.Marker)
	require.NoError(t, err)
	for _, want := range []string{"list-employees", "get-employee", "get-changed-employee-ids", "get-changed-employee-table-data"} {
		require.True(t, operations[want], "%s was not called", want)
	}
}

// mend mends the document: it names a scheme of sign-in that it does not declare,
// and calls cursors whole numbers where they are sent, and texts where they are
// answered and in its examples.
func mend(doc *openapi3.T) {
	doc.Components.SecuritySchemes["oauth"] = doc.Components.SecuritySchemes["basic"]
	query := doc.Components.Schemas["EmployeeCursorPaginationQueryObject"].Value
	for _, part := range query.AllOf {
		for _, name := range []string{"before", "after"} {
			if p := part.Value.Properties[name]; p != nil {
				p.Value.Type = &openapi3.Types{"string"}
			}
		}
		if p := part.Value.Properties["limit"]; p != nil {
			most := 2500.0 // the general kind of paging says 100, that of employees 2500
			p.Value.Max = &most
		}
	}
}

func conforms(doc *openapi3.T, r *http.Request) (string, error) {
	route, params := findRoute(doc, r.Method, r.URL.Path)
	if route == nil {
		return "", errorString("no such operation")
	}
	for name := range r.URL.Query() {
		base, _, _ := strings.Cut(name, "[")
		if route.Operation.Parameters.GetByInAndName("query", base) == nil {
			return route.Operation.OperationID, errorString("the parameter " + name + " is not documented")
		}
	}
	return route.Operation.OperationID, openapi3filter.ValidateRequest(context.Background(), &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	})
}

// findRoute matches a path to the document; the match with the most literal
// segments wins.
func findRoute(doc *openapi3.T, method, path string) (*routers.Route, map[string]string) {
	var best *routers.Route
	var with map[string]string
	for pattern, item := range doc.Paths.Map() {
		params, ok := matchPath(pattern, path)
		op := item.GetOperation(method)
		if !ok || op == nil || best != nil && len(params) >= len(with) {
			continue
		}
		best, with = &routers.Route{Spec: doc, Path: pattern, PathItem: item, Method: method, Operation: op}, params
	}
	return best, with
}

type errorString string

func (e errorString) Error() string { return string(e) }

func matchPath(pattern, path string) (map[string]string, bool) {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	params := map[string]string{}
	for i := range want {
		if strings.HasPrefix(want[i], "{") {
			params[strings.Trim(want[i], "{}")] = got[i]
		} else if want[i] != got[i] {
			return nil, false
		}
	}
	return params, true
}
