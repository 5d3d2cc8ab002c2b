package box_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/connectors/box"
	"sendoff/schema"
)

const (
	readUser = "GET /2.0/users/5?" + userQuery
	delUser  = "DELETE /2.0/users/5?notify=false"
)

// trap is an answer of Box that a naive client gets wrong, and what to make of it.
type trap struct {
	name   string
	script []exchange
	act    func(t *testing.T, c *box.Connector)
	tokens int // token requests; 0 = 1
}

// fails expects a read of account 5 to fail in a way.
func fails(kind connectors.Kind, says string) func(*testing.T, *box.Connector) {
	return func(t *testing.T, c *box.Connector) {
		t.Helper()
		_, err := c.ReadAccount(t.Context(), "5")
		e := errorOf(t, err)
		require.Equal(t, kind, e.Kind)
		require.Contains(t, e.Error(), says)
	}
}

// deletes expects a delete of account 5 to end in a way.
func deletes(kind connectors.Kind, remains bool) func(*testing.T, *box.Connector) {
	return func(t *testing.T, c *box.Connector) {
		t.Helper()
		err := c.DeleteAccount(t.Context(), "5")
		require.Equal(t, kind, errorOf(t, err).Kind)
		if remains {
			require.ErrorIs(t, err, connectors.ErrContentRemains)
		} else {
			require.NotErrorIs(t, err, connectors.ErrContentRemains)
		}
	}
}

func transfers(class schema.OutcomeClass, cause schema.RefusalCause) func(*testing.T, *box.Connector) {
	return func(t *testing.T, c *box.Connector) {
		t.Helper()
		o := send(t, t.Context(), c)
		require.Equal(t, class, o.Class)
		require.Equal(t, cause, o.Cause)
	}
}

func do(want string, h http.HandlerFunc) []exchange { return []exchange{{want: want, do: h}} }

func answers(want string, status int, body string) []exchange {
	return []exchange{{want: want, status: status, answer: body}}
}

func TestTraps(t *testing.T) {
	t.Parallel()
	for _, group := range [][]trap{wireTraps(), meaningTraps(), transferTraps(), listingTraps()} {
		for _, tr := range group {
			t.Run(tr.name, func(t *testing.T) {
				t.Parallel()
				s := newScript(t, tr.script...)
				tr.act(t, open(t, s.url))
				_, tokens := s.count()
				require.Equal(t, max(tr.tokens, 1), tokens, "token requests")
			})
		}
	}
}

// wireTraps are answers that are broken as such.
func wireTraps() []trap {
	valid := wireUser(`"5"`, leaver)
	return []trap{
		{name: "a 200 cut in half", act: fails(connectors.Unavailable, "broke off"), script: do(readUser, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "500")
			_, _ = io.WriteString(w, valid[:60])
		})},
		{name: "half a JSON, cleanly ended", act: fails(connectors.Malformed, "not the JSON"), script: answers(readUser, 200, valid[:60])},
		{name: "HTML with 200", act: fails(connectors.Malformed, "not the JSON"), script: answers(readUser, 200, "<html>"+leaver)},
		{name: "nothing with 200", act: fails(connectors.Malformed, "not the JSON"), script: answers(readUser, 200, "")},
		{name: "null", act: fails(connectors.Malformed, "another account"), script: answers(readUser, 200, "null")},
		{name: "an array", act: fails(connectors.Malformed, "not the JSON"), script: answers(readUser, 200, "["+valid+"]")},
		{name: "two values", act: fails(connectors.Malformed, "not the JSON"), script: answers(readUser, 200, valid+valid)},
		{name: "wrong-typed fields", act: fails(connectors.Malformed, "not the JSON"), script: answers(readUser, 200, wireUser(`"5"`, leaver, `"status":{"is":"active"}`))},
		{name: "an id that is an object", act: fails(connectors.Malformed, "not the JSON"), script: answers(readUser, 200, wireUser(`{}`, leaver))},
		{name: "an endless body", act: fails(connectors.Malformed, "4 MiB"), script: answers(readUser, 200, valid+strings.Repeat(" ", 5<<20))},
		{name: "a redirect", act: fails(connectors.Malformed, "redirected"), script: []exchange{{want: readUser, status: 302, header: map[string]string{"Location": "/2.0/users/6"}}}},
		{name: "a redirect that keeps the method", act: deletes(connectors.Malformed, false), script: []exchange{{want: delUser, status: 308, header: map[string]string{"Location": "/2.0/users/6"}}}},
		{name: "gzip", script: do(readUser, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, valid)
			_ = z.Close()
		}), act: func(t *testing.T, c *box.Connector) {
			a, err := c.ReadAccount(t.Context(), "5")
			require.NoError(t, err)
			require.Equal(t, schema.AccountActive, a.Status)
		}},
		{name: "a gzip bomb", act: fails(connectors.Malformed, "4 MiB"), script: do(readUser, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, strings.Repeat(" ", 64<<20))
			_ = z.Close()
		})},
		{name: "a gateway's page for an error", act: fails(connectors.Unavailable, "HTTP 502"), script: answers(readUser, 502, "<html>"+leaver)},
		{name: "an envelope with no code", act: fails(connectors.Forbidden, "HTTP 403"), script: answers(readUser, 403, `{"type":"error","status":403}`)},
		{name: "an envelope of another status", act: fails(connectors.Unavailable, "none of Box's"), script: answers(readUser, 404, refusal("403", "insufficient_scope", "x"))},
		{name: "a code that is no word", act: fails(connectors.Forbidden, "HTTP 403"), script: answers(readUser, 403, refusal("403", leaver, leaver))},
		{name: "conflicts as a list", act: fails(connectors.Conflict, "item_name_in_use"), script: answers(readUser, 409, `{"type":"error","status":409,"code":"item_name_in_use","context_info":{"conflicts":[{"type":"file","id":"1"}]}}`)},
		{name: "conflicts as one object", act: fails(connectors.Conflict, "item_name_in_use"), script: answers(readUser, 409, `{"type":"error","status":409,"code":"item_name_in_use","context_info":{"conflicts":{"type":"file","id":"1"}}}`)},
		{name: "a 503 with a wait", act: fails(connectors.Unavailable, "HTTP 503"), script: []exchange{{want: readUser, status: 503, header: map[string]string{"Retry-After": "1.5"}}}},
		{name: "a 405 for an id it does not like", act: fails(connectors.Invalid, "HTTP 405"), script: answers(readUser, 405, "")},
	}
}

// meaningTraps are well-formed answers that mean another thing than they seem to.
func meaningTraps() []trap {
	root := surveyRootItems
	deactivated := refusal("401", "unauthorized", "Unauthorized - User has been deactivated")
	as := func(x exchange, user string) []exchange { x.asUser = user; return []exchange{x} }
	denied := func(t *testing.T, c *box.Connector) {
		t.Helper()
		_, _, err := c.RootItems(t.Context(), "5")
		require.Equal(t, connectors.Unauthorized, errorOf(t, err).Kind)
	}
	return []trap{
		{name: "an empty 401 is an old token", tokens: 2, script: []exchange{{want: readUser, status: 401}, {want: readUser, answer: wireUser(`"5"`, leaver)}}, act: func(t *testing.T, c *box.Connector) {
			_, err := c.ReadAccount(t.Context(), "5")
			require.NoError(t, err)
		}},
		{name: "a 401 that explains itself is not", act: fails(connectors.Unauthorized, "must authorize"), script: answers(readUser, 401, refusal("401", "unauthorized", "Unauthorized - Cannot authorize with this service"))},
		{name: "acting as a suspended user, 401", act: denied, script: as(exchange{want: root, status: 401, answer: deactivated}, "5")},
		{name: "acting as a suspended user, 403", act: denied, script: as(exchange{want: root, status: 403, answer: strings.ReplaceAll(deactivated, "401", "403")}, "5")},
		{name: "403 is not transient", script: answers(readUser, 403, refusal("403", "access_denied_insufficient_permissions", "Access denied")), act: func(t *testing.T, c *box.Connector) {
			_, err := c.ReadAccount(t.Context(), "5")
			require.True(t, errorOf(t, err).Kind.Permanent())
		}},
		{name: "a missing scope says so", act: fails(connectors.Forbidden, "authorize the application again"), script: answers(readUser, 403, refusal("403", "insufficient_scope", "x"))},
		{name: "404 after a delete whose outcome was not heard", act: deletes(connectors.NotFound, false), script: answers(delUser, 404, refusal("404", "not_found", "Not Found"))},
		{name: "managed content, in any case", act: deletes(connectors.Conflict, true), script: answers(delUser, 400, refusal("400", "bad_request", "USER HAS MANAGED CONTENT."))},
		{name: "managed content, in a 403", act: deletes(connectors.Forbidden, false), script: answers(delUser, 403, refusal("403", "forbidden", "User has managed content"))},
		{name: "another bad request", act: deletes(connectors.Invalid, false), script: answers(delUser, 400, refusal("400", "bad_request", "User was recently active"))},
		{name: "retention", act: deletes(connectors.Forbidden, false), script: answers(delUser, 403, refusal("403", "forbidden", "User cannot be deleted due to retention policies. Please transfer user content first"))},
		{name: "a delete that a 503 may have done", act: deletes(connectors.Unavailable, false), script: answers(delUser, 503, refusal("503", "unavailable", "x"))},
		{name: "a status changes by PUT alone", script: []exchange{{want: "PUT /2.0/users/5?fields=id%2Cstatus", body: `{"status":"inactive"}`, answer: `{"id":"5","status":"active"}`}}, act: func(t *testing.T, c *box.Connector) {
			require.NoError(t, c.SetStatus(t.Context(), "5", "inactive"), "what it says is no proof: a read is")
		}},
	}
}

func transferTraps() []trap {
	sent := func(status int, body string) []exchange {
		return []exchange{{want: transferURI, body: transferBody, status: status, answer: body}}
	}
	return []trap{
		{name: "200 is not done", act: transfers(schema.OutcomeAccepted, ""), script: sent(200, `{"id":"9"}`)},
		{name: "504 is not failed", act: transfers(schema.OutcomeUnknown, ""), script: sent(504, "<html>")},
		{name: "500 with an envelope is not refused", act: transfers(schema.OutcomeUnknown, ""), script: sent(500, refusal("500", "internal_server_error", "x"))},
		{name: "a 4xx without an envelope is not refused", act: transfers(schema.OutcomeUnknown, ""), script: sent(400, "bad request")},
		{name: "an empty 401 is not refused, and is not repeated", act: transfers(schema.OutcomeUnauthorized, ""), script: sent(401, "")},
		{name: "misspelt privilege", act: transfers(schema.OutcomeRefused, schema.RefusedPrivilege), script: sent(403, refusal("403", "forbidden", "Cannot transfer files from/to higher privilaged accounts"))},
		{name: "spelt privilege", act: transfers(schema.OutcomeRefused, schema.RefusedPrivilege), script: sent(403, refusal("403", "forbidden", "Cannot transfer files from/to higher privileged accounts"))},
		{name: "locked by a job", act: transfers(schema.OutcomeBusy, ""), script: sent(400, refusal("400", "bad_request", "User is locked"))},
		{name: "a folder's name is not its id", script: sent(200, `{"id":"9","name":"ann@example.com - Ann's Files and Folders"}`), act: func(t *testing.T, c *box.Connector) {
			o := send(t, t.Context(), c)
			require.Equal(t, schema.ExternalID("9"), o.FolderID)
		}},
		{name: "an id that would change a path is none", script: sent(200, `{"id":"9/../0"}`), act: func(t *testing.T, c *box.Connector) {
			require.Empty(t, send(t, t.Context(), c).FolderID)
		}},
	}
}

const surveyRootItems = "GET /2.0/folders/0/items?fields=id%2Ctype%2Cowned_by&limit=1000&usemarker=true"

func listingTraps() []trap {
	const members = "GET /2.0/users/5/memberships?limit=1000&offset="
	const find = "GET /2.0/users?" + userQuery + "&filter_term=ann%40example.com&limit=1000&usemarker=true&user_type=all"
	group := func(n string) string { return `{"id":"` + n + `","role":"member","group":{"id":"g"}}` }
	memberships := func(want int) func(*testing.T, *box.Connector) {
		return func(t *testing.T, c *box.Connector) {
			t.Helper()
			got, err := c.Memberships(t.Context(), "5")
			require.NoError(t, err)
			require.Len(t, got, want)
		}
	}
	finds := func(want int) func(*testing.T, *box.Connector) {
		return func(t *testing.T, c *box.Connector) {
			t.Helper()
			got, err := c.FindByLogin(t.Context(), leaver)
			require.NoError(t, err)
			require.Len(t, got, want)
		}
	}
	return []trap{
		{name: "total_count is more than there is", act: memberships(1), script: []exchange{
			{want: members + "0", answer: `{"total_count":7,"limit":5,"entries":[` + group("1") + `]}`},
			{want: members + "5", answer: `{"total_count":7,"limit":5,"entries":[]}`},
		}},
		{name: "fewer entries than the limit", act: memberships(2), script: []exchange{
			{want: members + "0", answer: `{"total_count":4,"limit":2,"entries":[` + group("1") + `]}`},
			{want: members + "2", answer: `{"total_count":4,"limit":2,"entries":[` + group("2") + `]}`},
		}},
		{name: "the end is null", act: finds(0), script: answers(find, 200, `{"next_marker":null,"entries":[]}`)},
		{name: "the end is absent", act: finds(0), script: answers(find, 200, `{"entries":[]}`)},
		{name: "the end is empty", act: finds(0), script: answers(find, 200, `{"next_marker":"","entries":[]}`)},
		{name: "a login is more than a prefix", act: finds(1), script: answers(find, 200, `{"entries":[`+wireUser(`"1"`, leaver+".au")+`,`+wireUser(`2`, "ANN@example.com")+`,`+wireUser(`"3"`, "other@example.com")+`]}`)},
		{name: "two accounts with one login are both told", act: finds(2), script: answers(find, 200, `{"entries":[`+wireUser(`"1"`, leaver)+`,`+wireUser(`2`, leaver)+`]}`)},
		{name: "the root holds what others own", script: []exchange{{want: surveyRootItems, asUser: "5", answer: `{"entries":[{"type":"folder","id":"1","owned_by":{"id":"6"}}]}`}}, act: func(t *testing.T, c *box.Connector) {
			owned, foreign, err := c.RootItems(t.Context(), "5")
			require.NoError(t, err)
			require.Empty(t, owned)
			require.Equal(t, 1, foreign)
		}},
	}
}
