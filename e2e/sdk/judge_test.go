package sdk_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/stretchr/testify/require"
)

// judge is a transport that holds what goes through it against Box's document
// and writes down what does not fit. It changes nothing.
type judge struct {
	next http.RoundTripper
	doc  *openapi3.T // nil: there is nothing to judge by
	// ofRequests also judges requests: those of the SDK are no business of ours,
	// and some of its checks send what Box must refuse.
	ofRequests bool

	mu     sync.Mutex
	seen   map[string]int // operation ids
	faults []string
}

func (j *judge) RoundTrip(req *http.Request) (*http.Response, error) {
	path, isAPI := strings.CutPrefix(req.URL.Path, "/2.0")
	if strings.HasPrefix(req.URL.Path, "/oauth2/") {
		path, isAPI = req.URL.Path, true
	}
	if j.doc == nil || !isAPI {
		return j.next.RoundTrip(req)
	}
	input := findOperation(j.doc, req.Method, path)
	if input == nil {
		j.fault(req, "there is no such operation")
		return j.next.RoundTrip(req)
	}
	j.count(input.Route.Operation.OperationID)
	input.Request = req
	if j.ofRequests {
		j.request(req, input)
	}
	res, err := j.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	j.answer(req, res, input)
	return res, nil
}

// request judges parameters and body; parameters that are not documented are
// faults too.
func (j *judge) request(req *http.Request, input *openapi3filter.RequestValidationInput) {
	for name := range req.URL.Query() {
		if input.Route.Operation.Parameters.GetByInAndName("query", name) == nil {
			j.fault(req, "the parameter "+name+" is not documented")
		}
	}
	if err := openapi3filter.ValidateRequest(req.Context(), input); err != nil {
		j.fault(req, "the request: "+err.Error())
	}
}

// answer judges the status of a success, and the body of what claims to be JSON.
// What ends early is passed on as it came.
func (j *judge) answer(req *http.Request, res *http.Response, input *openapi3filter.RequestValidationInput) {
	if res.StatusCode < http.StatusBadRequest && input.Route.Operation.Responses.Status(res.StatusCode) == nil {
		j.fault(req, fmt.Sprintf("the answer %d is not documented", res.StatusCode))
	}
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		return
	}
	raw, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(raw))
	if err != nil {
		res.Body = io.NopCloser(io.MultiReader(bytes.NewReader(raw), failingReader{err}))
		return
	}
	if err := openapi3filter.ValidateResponse(req.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: res.StatusCode, Header: res.Header, Options: input.Options,
		Body: io.NopCloser(bytes.NewReader(raw)),
	}); err != nil {
		j.fault(req, fmt.Sprintf("the answer %d: %v\n%s", res.StatusCode, err, raw))
	}
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

func operationInput(
	doc *openapi3.T, path, method string, item *openapi3.PathItem, op *openapi3.Operation, params map[string]string,
) *openapi3filter.RequestValidationInput {
	return &openapi3filter.RequestValidationInput{
		PathParams: params,
		Route:      &routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: op},
		Options:    &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}
}

func (j *judge) count(operation string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.seen[operation]++
}

func (j *judge) fault(req *http.Request, what string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.faults = append(j.faults, req.Method+" "+req.URL.RequestURI()+": "+what)
}

// operations lists the ids of the operations that went through.
func (j *judge) operations() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Sorted(maps.Keys(j.seen))
}

// requireNoFault fails the test with every fault, or skips it where there was no
// document to judge by.
func (j *judge) requireNoFault(t *testing.T) {
	t.Helper()
	if j.doc == nil {
		t.Skip("Box's OpenAPI document is not beside the repository: nothing was checked against it")
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	require.Empty(t, j.faults, strings.Join(j.faults, "\n\n"))
	t.Logf("%d operations", len(j.seen))
}
