package bamboosim_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/stretchr/testify/require"
)

// loadDocument reads BambooHR's OpenAPI document once; nil means that it is not
// beside the repository.
var loadDocument = sync.OnceValues(func() (*openapi3.T, error) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "reference", "bamboohr-openapi.json"))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	// A table that changed nowhere is a list, as PHP writes an empty map.
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	if err == nil {
		for _, path := range []string{"/api/v1/employees/changed", "/api/v1/employees/changed/tables/{table}"} {
			body := doc.Paths.Find(path).Get.Responses.Status(http.StatusOK).Value.Content["application/json"].Schema.Value
			employees := body.Properties["employees"].Value
			empty := &openapi3.Schema{Type: &openapi3.Types{"array"}, MaxItems: new(uint64)}
			body.Properties["employees"] = (&openapi3.Schema{AnyOf: openapi3.SchemaRefs{employees.NewRef(), empty.NewRef()}}).NewRef()
		}
	}
	return doc, err
})

func TestTheDocumentIsThere(t *testing.T) {
	t.Parallel()
	doc, err := loadDocument()
	require.NoError(t, err)
	if doc == nil {
		t.Skip("BambooHR's OpenAPI document is not beside the repository: answers are not checked against it")
	}
	require.NotNil(t, findOperation(doc, http.MethodGet, "/api/v1/employees/1"))
}

// specChecker fails the test for a JSON answer that the document forbids.
type specChecker struct {
	t    *testing.T
	doc  *openapi3.T
	next http.RoundTripper
}

func (c *specChecker) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := c.next.RoundTrip(req)
	if err != nil || c.doc == nil {
		return res, err
	}
	route := findOperation(c.doc, req.Method, req.URL.Path)
	if route == nil {
		return res, nil
	}
	raw, err := io.ReadAll(res.Body)
	res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(raw))
	require.NoError(c.t, err)
	if res.StatusCode == http.StatusServiceUnavailable || res.StatusCode == http.StatusUnauthorized {
		return res, nil // not in the document for every operation
	}
	require.NotNil(c.t, route.Operation.Responses.Status(res.StatusCode), "%s %s: the document has no answer %d", req.Method, req.URL.Path, res.StatusCode)
	if len(raw) == 0 {
		return res, nil
	}
	check := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, Route: route},
		Status:                 res.StatusCode, Header: res.Header, Body: io.NopCloser(bytes.NewReader(raw)),
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}
	if err := openapi3filter.ValidateResponse(req.Context(), check); err != nil {
		c.t.Errorf("%s %s: answer %d is not what the document says: %v\n%s", req.Method, req.URL.Path, res.StatusCode, err, raw)
	}
	return res, nil
}

// checkPayload holds the payload of a webhook of the plain family against the
// document.
func checkPayload(t *testing.T, event string, payload any) {
	t.Helper()
	doc, err := loadDocument()
	require.NoError(t, err)
	if doc == nil {
		return
	}
	schema := doc.Components.Schemas[map[string]string{
		"employee.created": "EmployeeCreatedWebhookPayload", "employee.updated": "EmployeeUpdatedWebhookPayload",
		"employee.deleted": "EmployeeDeletedWebhookPayload",
	}[event]]
	require.NotNil(t, schema, event)
	require.NoError(t, schema.Value.VisitJSON(payload, openapi3.MultiErrors()))
}

// findOperation matches a path to the document; the match with the most literal
// segments wins.
func findOperation(doc *openapi3.T, method, path string) *routers.Route {
	var best *routers.Route
	bestLiterals := -1
	for template, item := range doc.Paths.Map() {
		op := item.GetOperation(method)
		literals, matches := matchTemplate(template, path)
		if op == nil || !matches || literals < bestLiterals {
			continue
		}
		best, bestLiterals = &routers.Route{Spec: doc, Path: template, PathItem: item, Method: method, Operation: op}, literals
	}
	return best
}

func matchTemplate(template, path string) (literals int, matches bool) {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return 0, false
	}
	for i := range want {
		switch {
		case want[i] == got[i]:
			literals++
		case !strings.HasPrefix(want[i], "{"):
			return 0, false
		}
	}
	return literals, true
}
