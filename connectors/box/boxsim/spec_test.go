package boxsim_test

import (
	"bytes"
	"context"
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

// boxDocumentPath is where Box's OpenAPI document may lie beside the repository.
var boxDocumentPath = filepath.Join("..", "..", "..", "..", "shared", "reference", "box-openapi.json")

// loadBoxDocument reads the document once; nil means that it is not there.
var loadBoxDocument = sync.OnceValues(func() (*openapi3.T, error) {
	raw, err := os.ReadFile(boxDocumentPath)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	// The document requires a field of shared links that it defines nowhere: it
	// means the one called access.
	raw = bytes.ReplaceAll(raw, []byte(`"accessed"`), []byte(`"access"`))
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	if err == nil {
		openCodes(doc)
		anySource(doc)
		allowNull(doc, "File", "shared_link")
		allowNull(doc, "WebLink", "shared_link")
		allowNull(doc, "Event", "additional_details")
		allowNull(doc, "Event", "session_id")
		allowNull(doc, "Collaboration", "created_by") // as one of the switches has it
	}
	return doc, err
})

// openCodes lifts the enum of error codes: Box serves about sixty codes and the
// document lists seventeen.
func openCodes(doc *openapi3.T) {
	doc.Components.Schemas["ClientError"].Value.Properties["code"].Value.Enum = nil
}

func boxDocument(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := loadBoxDocument()
	require.NoError(t, err)
	return doc
}

func TestBoxDocumentIsValid(t *testing.T) {
	t.Parallel()
	doc := boxDocument(t)
	if doc == nil {
		t.Skip("Box's OpenAPI document is not beside the repository: answers are not checked against it")
	}
	require.NoError(t, doc.Validate(context.Background(), openapi3.DisableExamplesValidation(), openapi3.DisableSchemaDefaultsValidation()))
	require.NotNil(t, findOperation(doc, http.MethodPut, "/users/1/folders/0"))
}

// anySource lets an event's source match several forms, as the generic one fits
// whatever fits another, and be null, as Box has answered.
func anySource(doc *openapi3.T) {
	source := doc.Components.Schemas["EventSourceResource"].Value
	null := &openapi3.Schema{Nullable: true, Enum: []any{nil}}
	source.AnyOf, source.OneOf = append(source.OneOf, null.NewRef()), nil
	source.Nullable = true
	doc.Components.Schemas["Event"].Value.Properties["source"].Value.Nullable = true
	for _, part := range doc.Components.Schemas["Event"].Value.Properties["source"].Value.AllOf {
		part.Value.Nullable = true
	}
}

// allowNull permits null where Box's real answers have it and the document does
// not say so: links of files (it does for folders) and details of events.
func allowNull(doc *openapi3.T, schema, property string) {
	ref := doc.Components.Schemas[schema]
	for _, part := range append(openapi3.SchemaRefs{ref}, ref.Value.AllOf...) {
		if p := part.Value.Properties[property]; p != nil {
			p.Value.Nullable = true
		}
	}
}

// specChecker fails the test for a JSON answer that Box's document forbids. An
// answer that a fault injected, or that ends early, is not looked at.
type specChecker struct {
	t    *testing.T
	doc  *openapi3.T
	next http.RoundTripper
}

func (c *specChecker) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := c.next.RoundTrip(req)
	path, isAPI := strings.CutPrefix(req.URL.Path, "/2.0")
	if strings.HasPrefix(req.URL.Path, "/oauth2/") {
		path, isAPI = req.URL.Path, true
	}
	if err != nil || c.doc == nil || !isAPI {
		return res, err
	}
	route := findOperation(c.doc, req.Method, path)
	if route == nil || !strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		return res, nil
	}
	raw, err := io.ReadAll(res.Body)
	res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(raw))
	if err != nil {
		res.Body = io.NopCloser(io.MultiReader(bytes.NewReader(raw), failingReader{err}))
		return res, nil
	}
	check := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, Route: route},
		Status:                 res.StatusCode, Header: res.Header, Body: io.NopCloser(bytes.NewReader(raw)),
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: false},
	}
	if err := openapi3filter.ValidateResponse(req.Context(), check); err != nil {
		c.t.Errorf("%s %s: answer %d is not what Box's document says: %v\n%s", req.Method, req.URL.Path, res.StatusCode, err, raw)
	}
	return res, nil
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

// findOperation matches a path to the document, whose keys with # are variants
// of one real path; the match with the most literal segments wins.
func findOperation(doc *openapi3.T, method, path string) *routers.Route {
	var best *routers.Route
	bestLiterals := -1
	for key, item := range doc.Paths.Map() {
		template, _, variant := strings.Cut(key, "#")
		op := item.GetOperation(method)
		literals, matches := matchTemplate(template, path)
		if op == nil || !matches || literals < bestLiterals || (literals == bestLiterals && variant) {
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
