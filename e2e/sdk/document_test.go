package sdk_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/stretchr/testify/require"
)

// boxDocument reads Box's OpenAPI document; nil means that it is not beside the
// repository. Where Box's own answers are known to differ from it, it is opened.
func boxDocument(t *testing.T) *openapi3.T {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "reference", "box-openapi.json"))
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	// The document requires a field of shared links that it defines nowhere: it
	// means the one called access.
	raw = bytes.ReplaceAll(raw, []byte(`"accessed"`), []byte(`"access"`))
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	require.NoError(t, err)
	schemas := doc.Components.Schemas
	// Box serves about sixty error codes, the document lists seventeen.
	schemas["ClientError"].Value.Properties["code"].Value.Enum = nil
	// The generic form of an event's source fits whatever fits another one.
	source := schemas["EventSourceResource"].Value
	source.AnyOf, source.OneOf = source.OneOf, nil
	for _, x := range [][2]string{{"File", "shared_link"}, {"WebLink", "shared_link"}, {"Event", "additional_details"}, {"Event", "session_id"}} {
		allowNull(schemas[x[0]], x[1])
	}
	return doc
}

// allowNull permits null where Box's real answers have it and the document does
// not say so.
func allowNull(ref *openapi3.SchemaRef, property string) {
	for _, part := range append(openapi3.SchemaRefs{ref}, ref.Value.AllOf...) {
		if p := part.Value.Properties[property]; p != nil {
			p.Value.Nullable = true
		}
	}
}

// findOperation matches a path to the document, whose keys with # are variants
// of one real path; the match with the most literal segments wins.
func findOperation(doc *openapi3.T, method, path string) *openapi3filter.RequestValidationInput {
	var best *openapi3filter.RequestValidationInput
	most := -1
	for key, item := range doc.Paths.Map() {
		template, _, variant := strings.Cut(key, "#")
		params, literals := matchTemplate(template, path)
		if op := item.GetOperation(method); op != nil && params != nil && !variant && literals > most {
			best, most = operationInput(doc, template, method, item, op, params), literals
		}
	}
	return best
}

// matchTemplate gives the path's parameters and how many segments are literal;
// nil means that it does not match.
func matchTemplate(template, path string) (params map[string]string, literals int) {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, 0
	}
	params = map[string]string{}
	for i := range want {
		switch {
		case want[i] == got[i]:
			literals++
		case strings.HasPrefix(want[i], "{"):
			params[strings.Trim(want[i], "{}")] = got[i]
		default:
			return nil, 0
		}
	}
	return params, literals
}
