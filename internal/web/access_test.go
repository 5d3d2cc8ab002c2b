package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func TestNobodyGetsInByDefault(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.PingFunc = func() error { return nil }
	for _, path := range []string{"/healthz", "/readyz", "/openapi.json", "/openapi.yaml"} {
		require.Equal(t, http.StatusOK, b.do("", "GET", path, "").status, path)
	}
	for _, role := range []string{"", "nobody", strings.Repeat("x", 500)} {
		for _, path := range []string{"/", "/v1/cases", "/v1/whoami", "/nowhere"} {
			a := b.do(role, "GET", path, "")
			require.Equal(t, http.StatusUnauthorized, a.status, path)
			require.Equal(t, "unauthorized", a.json["code"])
			require.NotEmpty(t, a.json["fix"])
			require.NotEmpty(t, a.header.Get("WWW-Authenticate"))
		}
	}
}

// TestEachOperationKeepsItsRoles reads the roles from the document and tries
// every operation with every role: a role that is not named gets 403 before any
// port is asked, all others get past that.
func TestEachOperationKeepsItsRoles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	doc := spec(t, b)
	want := map[string]string{
		"plan": "admin operator", "create-cases": "admin operator", "list-cases": "admin operator auditor",
		"show-case": "admin operator auditor", "report-case": "admin operator auditor", "case-events": "admin operator auditor",
		"send-again-case": "admin operator", "reactivate-case": "admin operator", "release-lane-case": "admin operator", "waive-case": "admin operator",
		"complete-case": "admin operator", "move-date-case": "admin operator", "set-receiver-case": "admin operator", "undo-case": "admin operator auditor",
		"approve-case": "admin operator", "resume-case": "admin operator", "cancel-case": "admin operator",
		"list-connections": "admin operator auditor", "show-connection": "admin operator auditor", "connect": "admin",
		"test-connection": "admin", "disable-connection": "admin", "enable-connection": "admin", "remove-connection": "admin",
		"create-token": "admin", "list-tokens": "admin", "revoke-token": "admin", "whoami": "admin operator reviewer auditor",
		"version": "admin operator reviewer auditor", "show-engine": "admin operator auditor", "set-engine": "admin operator",
		"export-audit":  "admin auditor",
		"list-accounts": "admin operator auditor", "show-account": "admin operator auditor", "list-account-groups": "admin operator auditor",
		"list-groups": "admin operator auditor", "list-group-members": "admin operator auditor",
		"list-licenses": "admin operator auditor", "set-license": "admin", "report-licenses": "admin operator auditor",
		"report-usage": "admin operator auditor", "report-inactive": "admin operator auditor", "report-orphans": "admin operator auditor",
		"report-unmanaged": "admin operator auditor", "report-changes": "admin operator auditor",
		"import-roster": "admin operator", "list-people": "admin operator auditor", "get-person": "admin operator auditor",
		"list-people-issues": "admin operator auditor", "list-departments": "admin operator auditor", "set-department-owner": "admin operator",
		"link-account": "admin operator", "unlink-account": "admin operator", "get-correlation-rule": "admin operator auditor", "set-correlation-rule": "admin",
		"sync": "admin operator", "list-runs": "admin operator auditor", "show-run": "admin operator auditor", "release-run": "admin", "discard-run": "admin",
		"list-holds": "admin operator auditor", "add-hold": "admin operator", "end-hold": "admin",
		"list-protections": "admin operator auditor", "add-protection": "admin operator", "end-protection": "admin",
		"list-templates": "admin operator auditor", "show-template": "admin operator auditor", "apply-templates": "admin", "remove-template": "admin",
		"show-notice-rules": "admin", "apply-notice-rules": "admin", "list-notices": "admin operator auditor", "retry-notice": "admin operator",
		"show-diagnosis": "admin operator auditor", "list-abilities": "admin operator auditor", "list-alarms": "admin operator auditor", "end-alarm": "admin operator",
		"set-connection-owner": "admin", "show-schedule": "admin operator auditor", "set-schedule": "admin",
		"list-hr-sources": "admin operator auditor", "show-hr-source": "admin operator auditor", "create-hr-source": "admin", "set-hr-source": "admin",
		"rotate-hr-source": "admin", "set-hr-source-state": "admin", "poll-hr-source": "admin operator",
		"list-hr-source-tokens": "admin", "create-hr-source-token": "admin", "revoke-hr-source-token": "admin",
		"list-hr-events": "admin operator auditor", "show-hr-event": "admin operator auditor", "import-hr": "admin operator",
		"hr-leave": "admin operator", "hr-return": "admin operator",
		"list-hr-leavers": "admin operator auditor", "show-hr-leaver": "admin operator auditor", "retry-hr-leaver": "admin operator", "list-sites": "admin operator auditor", "set-site": "admin",
		"list-batches": "admin operator auditor", "show-batch": "admin operator auditor", "release-batch": "admin operator", "discard-batch": "admin operator",
		"apply-policies": "admin", "list-policies": "admin operator auditor", "show-policy": "admin operator auditor", "list-policy-versions": "admin operator auditor",
		"pause-policy": "admin", "resume-policy": "admin", "preview-policy": "admin operator", "explain-policy": "admin operator auditor", "replay-policy": "admin operator auditor",
		"request-review": "admin operator", "list-reviews": "admin operator auditor", "show-review": "admin operator auditor", "list-review-items": "admin operator auditor",
		"list-review-verdicts": "admin operator auditor", "report-review": "admin operator auditor", "approve-review": "admin operator", "cancel-review": "admin operator",
		"answer-review-item": "admin operator", "show-budget": "admin operator auditor", "set-budget": "admin",
		"apply-access-reviews": "admin", "pause-access-review": "admin", "resume-access-review": "admin", "list-access-review-versions": "admin operator auditor",
		"list-access-reviews": "admin operator reviewer auditor", "show-access-review": "admin operator reviewer auditor",
		"create-campaign": "admin operator", "start-campaign": "admin operator", "extend-campaign": "admin operator", "close-campaign": "admin operator", "cancel-campaign": "admin operator",
		"list-campaigns": "admin operator reviewer auditor", "show-campaign": "admin operator reviewer auditor", "list-campaign-items": "admin operator reviewer auditor",
		"show-campaign-item": "admin operator reviewer auditor", "list-item-decisions": "admin operator reviewer auditor", "list-my-items": "admin operator reviewer auditor",
		"decide-items": "admin operator reviewer", "list-campaign-reviewers": "admin operator reviewer auditor", "remind-reviewers": "admin operator", "reassign-items": "admin operator",
		"look-at-reviewer": "admin operator", "list-removals": "admin operator reviewer auditor", "list-returns": "admin operator reviewer auditor",
		"sign-campaign": "admin operator reviewer", "export-evidence": "admin operator reviewer auditor",
		"list-absences": "admin operator reviewer auditor", "set-absence": "admin operator reviewer", "end-absence": "admin operator reviewer",
		"declare-connection": "admin", "allow-connection-writes": "admin", "rotate-connection": "admin", "begin-consent": "admin", "finish-consent": "admin", "list-declarations": "admin operator auditor",
	}
	bodies := map[string]string{
		"apply-policies": `{"files":[]}`, "pause-policy": `{"reason":""}`, "resume-policy": `{"reason":""}`, "preview-policy": `{}`, "replay-policy": `{"since":""}`,
		"request-review": `{}`, "approve-review": `{"hash":"","reason":""}`, "cancel-review": `{"reason":""}`, "answer-review-item": `{"answer":"needed","reason":""}`,
		"set-budget":           `{"per_day":1,"per_connection":1}`,
		"apply-access-reviews": `{"files":[]}`, "pause-access-review": `{"reason":""}`, "resume-access-review": `{"reason":""}`, "create-campaign": `{"review":""}`,
		"extend-campaign": `{"to":"","reason":""}`, "close-campaign": `{"reason":""}`, "cancel-campaign": `{"reason":""}`, "decide-items": `{"decisions":[]}`,
		"remind-reviewers": `{}`, "reassign-items": `{"to":"","reason":""}`, "look-at-reviewer": `{"reviewer":"","reason":""}`, "set-absence": `{"reason":""}`,
		"sign-campaign":    `{}`,
		"create-hr-source": `{"name":"","kind":""}`, "set-hr-source": `{}`, "rotate-hr-source": `{}`, "set-hr-source-state": `{"state":"enabled","reason":""}`,
		"create-hr-source-token": `{"expires":""}`, "import-hr": `{"source":"","csv":""}`, "hr-leave": `{"email":"","reason":""}`, "hr-return": `{"email":"","reason":""}`,
		"set-site": `{"name":"","time_zone":""}`, "release-batch": `{"reason":"","size":1}`, "discard-batch": `{"reason":"","size":1}`,
		"import-roster": `{"source":""}`, "set-department-owner": `{"department":"","owner":""}`, "set-correlation-rule": `{"attribute":""}`,
		"link-account": `{"connection":"","account":"","person":"","reason":""}`, "unlink-account": `{"connection":"","account":"","reason":""}`,
		"set-license":   `{"seats":1,"unit_price":"","currency":"","period":"month"}`,
		"begin-consent": `{"name":"","authorize_url":"","client_secret":""}`, "finish-consent": `{"state":""}`,
		"sync": `{}`, "release-run": `{"reason":""}`, "discard-run": `{"reason":""}`,
		"set-connection-owner": `{"owner":""}`, "set-schedule": `{}`,
		"apply-notice-rules": `{"file":"","source":""}`,
		"apply-templates":    `{"files":[]}`, "remove-template": `{"reason":""}`,
		"add-hold": `{"reason":""}`, "end-hold": `{"reason":""}`, "add-protection": `{"reason":""}`, "end-protection": `{"reason":""}`,
		"allow-connection-writes": `{}`, "rotate-connection": `{}`, "declare-connection": `{"no_legal_holds":true,"reason":""}`,
		"plan": `{"requests":[]}`, "create-cases": `{"requests":[]}`, "approve-case": `{"hash":""}`,
		"send-again-case": `{"reason":""}`, "reactivate-case": `{"reason":""}`, "release-lane-case": `{"reason":""}`, "waive-case": `{"reason":""}`,
		"complete-case": `{"evidence":""}`, "move-date-case": `{"to":"","reason":""}`, "set-receiver-case": `{"receivers":[],"reason":""}`,
		"end-alarm": `{"reason":""}`, "resume-case": `{"reason":""}`, "cancel-case": `{"reason":""}`, "set-engine": `{"paused":true}`,
		"connect":      `{"name":"","vendor":"","base_url":"","token_url":"","client_id":"","client_secret":"","enterprise_id":""}`,
		"create-token": `{"name":"","role":"","expires":""}`, "disable-connection": `{}`, "enable-connection": `{}`,
	}
	queries := map[string]string{"report-usage": "?connection=x", "explain-policy": "?account=x"}
	seen := 0
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			seen++
			allowed, known := want[op.OperationID]
			require.True(t, known, "operation %s has no roles in this test", op.OperationID)
			require.Equal(t, allowed, strings.Join(rolesOf(t, op), " "), op.OperationID)
			for _, role := range []string{"admin", "operator", "reviewer", "auditor"} {
				if strings.Contains(allowed, role) {
					continue
				}
				target := strings.NewReplacer("{ref}", "x", "{name}", "x", "{id}", "x", "{vendor}", "x", "{account}", "x", "{item}", "x").Replace(path) + queries[op.OperationID]
				a := b.do(role, method, target, bodies[op.OperationID])
				require.Equal(t, http.StatusForbidden, a.status, "%s as %s: %s", op.OperationID, role, a.raw)
				require.Equal(t, "forbidden", a.json["code"])
			}
		}
	}
	require.Len(t, want, seen)
}

func TestSpecIsValidOpenAPI(t *testing.T) {
	t.Parallel()
	doc := spec(t, setup(t))
	require.Equal(t, "3.1.0", doc.OpenAPI)
	require.NoError(t, doc.Validate(t.Context()))
	schemas := doc.Components.Schemas
	require.Contains(t, schemas, "ErrorBody")
	for _, member := range []string{"title", "status", "detail", "code", "fix", "problems"} {
		require.Contains(t, schemas["ErrorBody"].Value.Properties, member)
	}
	for _, name := range []string{"ErrorModel", "ErrorDetail"} {
		require.NotContains(t, schemas, name, "the framework's own error form must not be described")
	}
}

func TestAnotherSitesPageIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	req, err := http.NewRequestWithContext(t.Context(), "POST", b.srv.URL+"/v1/plans", strings.NewReader(`{}`))
	require.NoError(t, err)
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	req.Header.Set("Authorization", "Bearer sendoff_admin")
	res, err := b.srv.Client().Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, http.StatusForbidden, res.StatusCode)
	require.Equal(t, "application/problem+json", res.Header.Get("Content-Type"))
	require.Empty(t, res.Header.Get("Access-Control-Allow-Origin"))
	require.Equal(t, "nosniff", res.Header.Get("X-Content-Type-Options"))
	require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
}

// TestNothingPersonalIsEchoedOrLogged sends canaries in every place of a request.
func TestNothingPersonalIsEchoedOrLogged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.FindCaseFunc = func(string) (schema.Case, error) {
		return schema.Case{}, errFor("query failed for canary@example.com with sendoff_canary")
	}
	b.planner = func([]schema.Request) ([]schema.Draft, error) { panic("canary@example.com") }
	for _, body := range []string{
		`{"requests":[{"email":"canary@example.com","stray":"canary"}]}`,
		`{"requests":"canary"}`, `{"canary`, `{"requests":[{"email":7}],"client_secret":"canary"}`,
		`{"requests":[{"email":"canary"}]}`, `{"requests":[{"email":"canary@example.com"}]}`,
	} {
		a := b.do("admin", "POST", "/v1/plans", body)
		require.GreaterOrEqual(t, a.status, 400)
		require.Equal(t, "application/problem+json", a.header.Get("Content-Type"))
		require.NotContains(t, a.raw, "canary", body)
	}
	a := b.do("admin", "GET", "/v1/cases/canary@example.com?x=canary", "")
	require.NotContains(t, a.raw, "canary@")
	a = b.do("admin", "GET", "/v1/cases/canary@example.com", "")
	require.Equal(t, http.StatusInternalServerError, a.status)
	require.NotContains(t, a.raw, "canary")
	require.NotEmpty(t, a.header.Get("X-Request-Id"))
	entries := b.logs.All()
	require.NotEmpty(t, entries)
	for _, e := range entries {
		fields, err := json.Marshal(e.ContextMap())
		require.NoError(t, err)
		require.NotContains(t, e.Message+string(fields), "canary")
		require.NotContains(t, e.Message+string(fields), "sendoff_admin")
	}
	require.NotEmpty(t, b.logs.FilterField(zapRoute("GET /v1/cases/{ref}")).All())
}

func TestRequestsAreBounded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.do("admin", "POST", "/v1/plans", `{"requests":[{"email":"`+strings.Repeat("a", 1<<20)+`"}]}`)
	require.Equal(t, http.StatusRequestEntityTooLarge, a.status, a.raw)
	require.Equal(t, "invalid", a.json["code"])
	require.Contains(t, a.json["fix"], "fewer")
	require.Equal(t, http.StatusUnprocessableEntity, b.do("admin", "GET", "/v1/cases?limit=501", "").status)
}

func spec(t *testing.T, b *bundle) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData([]byte(b.do("", "GET", "/openapi.json", "").raw))
	require.NoError(t, err)
	return doc
}

func rolesOf(t *testing.T, op *openapi3.Operation) []string {
	t.Helper()
	list, ok := op.Extensions["x-roles"].([]any)
	require.True(t, ok, op.OperationID)
	var out []string
	for _, r := range list {
		out = append(out, r.(string))
	}
	return out
}

func TestTextThatNobodyTypesIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, path := range []string{"/v1/cases/a%00b", "/v1/cases/%ff%ff", "/v1/cases?email=%00"} {
		require.Equal(t, []string{"url:encoding"}, b.do("admin", "GET", path, "").problems(), path)
	}
	nul := `a\u0000`
	require.Equal(t, []string{"reason:control_character"}, b.do("admin", "POST", "/v1/cases/x/cancel", `{"reason":"`+nul+`"}`).problems())
	require.Equal(t, []string{"reason:too_long"}, b.do("admin", "PUT", "/v1/engine", `{"paused":true,"reason":"`+strings.Repeat("x", 501)+`"}`).problems())
	require.Equal(t, []string{"reason:control_character"}, b.do("admin", "POST", "/v1/connections/x/disable", `{"reason":"`+nul+`"}`).problems())
}
