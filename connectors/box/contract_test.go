package box_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// TestRequestsKeepBoxsContract drives every call of the connector and holds each
// request against Box's own OpenAPI document.
func TestRequestsKeepBoxsContract(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "reference", "box-openapi.json"))
	if os.IsNotExist(err) {
		t.Skip("Box's OpenAPI document is not beside the repository: requests are not checked against it")
	}
	require.NoError(t, err)
	// The document requires a field that it defines nowhere.
	doc, err := openapi3.NewLoader().LoadFromData(bytes.ReplaceAll(raw, []byte(`"accessed"`), []byte(`"access"`)))
	require.NoError(t, err)

	var mu sync.Mutex
	operations := map[string]bool{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/oauth2/token" {
			_, _ = io.WriteString(w, `{"access_token":"t","expires_in":3600}`)
			return
		}
		name, err := conforms(doc, r)
		if err != nil {
			t.Errorf("%s %s: %v", r.Method, r.URL.RequestURI(), err)
		}
		mu.Lock()
		operations[name] = true
		mu.Unlock()
		// Fits whatever is asked for, as far as this test cares.
		if strings.HasSuffix(r.URL.Path, "/legal_hold_policies") || strings.HasSuffix(r.URL.Path, "/memberships") || strings.HasSuffix(r.URL.Path, "/folders/0/items") {
			_, _ = io.WriteString(w, `{"entries":[{"id":"5","type":"folder","role":"admin","group":{"id":"8"},"owned_by":{"id":"5"}}],"total_count":1,"limit":1000}`)
			return
		}
		_, _ = io.WriteString(w, `{"id":"5","role":"user","entries":[],"total_count":0,"limit":1000,"owned_by":{"id":"6"},"path_collection":{"entries":[]}}`)
	}))
	t.Cleanup(srv.Close)
	driveEverything(t, srv.URL)

	mu.Lock()
	defer mu.Unlock()
	for _, want := range []string{
		"get_users", "get_users_me", "get_users_id", "put_users_id", "delete_users_id", "post_users_terminate_sessions",
		"get_users_id_memberships", "put_users_id_folders_0", "get_folders_id_items", "get_folders_trash_items",
		"get_files_id", "get_folders_id", "get_web_links_id", "get_files_id_trash", "get_folders_id_trash", "get_web_links_id_trash",
		"get_files_id_collaborations", "get_folders_id_collaborations",
		"get_legal_hold_policies", "get_legal_hold_policy_assignments", "get_retention_policies", "get_folder_locks",
		"get_group_memberships_id", "post_group_memberships", "delete_group_memberships_id",
		"get_groups", "get_groups_id_memberships", "get_groups_id_collaborations", "get_events",
	} {
		require.True(t, operations[want], "%s was not called", want)
	}
}

// driveEverything makes each call once; what it answers is of no interest.
func driveEverything(t *testing.T, url string) {
	t.Helper()
	c, ctx := open(t, url), t.Context()
	_, _ = c.Check(ctx)
	_, _ = c.FindByLogin(ctx, leaver)
	_, _ = c.ReadAccount(ctx, "5")
	_ = c.EachAccount(ctx, func(schema.Account) error { return nil })
	_ = c.SetStatus(ctx, "5", "inactive")
	_ = c.RevokeSessions(ctx, "5")
	_, _ = c.Memberships(ctx, "5")
	_ = c.RemoveMembership(ctx, schema.Membership{ID: "7"})
	_ = c.AddMembership(ctx, "5", schema.Membership{GroupID: "8", Role: "admin", Permissions: map[string]bool{"can_run_reports": true}})
	for _, marker := range []string{"", "m:9", "o:1000"} {
		_, _ = c.ListAccounts(ctx, marker)
	}
	_, _ = c.ListGroups(ctx, "")
	_, _ = c.ListGroupMembers(ctx, "8", "o:1000")
	_, _ = c.ListGroupCollaborations(ctx, "8", "")
	_, _ = c.LivePosition(ctx)
	_, _ = c.LiveEvents(ctx, "18014398509481985")
	_, err := c.PastEvents(ctx, span(), "18014398509481985")
	require.NoError(t, err)
	_, _ = c.Holds(ctx, "5")
	_, _ = c.SurveyContent(ctx, "5", time.Now())
	_, _, _ = c.RootItems(ctx, "5")
	_, _, _ = c.TrashItems(ctx, "5")
	for _, typ := range []string{"file", "folder", "web_link"} {
		w := schema.Witness{ID: "9", Type: typ}
		_, _ = c.ItemCollaborations(ctx, "5", w)
		_, _ = c.LocateWitness(ctx, "6", w)
		_, _ = c.LocateTrashed(ctx, "6", w)
	}
	p, err := c.PrepareTransfer(ctx, "5", "6")
	require.NoError(t, err)
	p.Send(ctx)
	require.NoError(t, c.DeleteAccount(ctx, "5"))
}

// conforms finds the request's operation in the document and validates the
// request: parameters by schema, and no parameter that is not documented.
func conforms(doc *openapi3.T, r *http.Request) (string, error) {
	path := strings.TrimPrefix(r.URL.Path, "/2.0")
	for _, literal := range []bool{true, false} {
		for pattern, item := range doc.Paths.Map() {
			params, ok := matchPath(pattern, path)
			op := item.GetOperation(r.Method)
			if !ok || op == nil || strings.Contains(pattern, "#") || (len(params) == 0) != literal {
				continue
			}
			if err := undocumented(op, r); err != "" {
				return op.OperationID, errorString(err)
			}
			return op.OperationID, openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
				Request: r, PathParams: params,
				Route:   &routers.Route{Spec: doc, Path: pattern, PathItem: item, Method: r.Method, Operation: op},
				Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
			})
		}
	}
	return "", errorString("no such operation")
}

type errorString string

func (e errorString) Error() string { return string(e) }

func undocumented(op *openapi3.Operation, r *http.Request) string {
	for name := range r.URL.Query() {
		if op.Parameters.GetByInAndName("query", name) == nil {
			return "the parameter " + name + " is not documented"
		}
	}
	return ""
}

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
