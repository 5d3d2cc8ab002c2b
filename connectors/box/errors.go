package box

import (
	"encoding/json"
	"net/http"
	"strings"

	"sendoff/connectors"
	"sendoff/schema"
)

// envelope is Box's error body
// (https://developer.box.com/reference/resources/client-error/). Its message is
// compared with known phrases and never kept: it may name people.
type envelope struct {
	Type      string `json:"type"`
	Status    int    `json:"status"`
	Code      string `json:"code"`
	Message   string `json:"message"`
	RequestID string `json:"request_id"`
}

// parseEnvelope returns the body as Box's envelope, and whether it is one: a
// gateway's page or half an answer is not.
func parseEnvelope(status int, body []byte) (envelope, bool) {
	var e envelope
	if json.Unmarshal(body, &e) != nil || e.Type != "error" || (e.Status != 0 && e.Status != status) {
		return envelope{}, false
	}
	return e, true
}

// says tells whether the message holds the phrase, whatever its case.
func (e envelope) says(phrase string) bool {
	return strings.Contains(strings.ToLower(e.Message), phrase)
}

// plainCode is the code, if it is a plain word as Box documents.
func (e envelope) plainCode() string { return plainWord(e.Code) }

func plainWord(s string) string {
	if len(s) > 64 {
		return ""
	}
	for _, r := range s {
		if r > 'z' || !('a' <= r || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_.-", r)) {
			return ""
		}
	}
	return s
}

// explain adds to e what Box's envelope says.
func explain(e *connectors.Error, header http.Header, body []byte) {
	e.RequestID = plainWord(header.Get("Box-Request-Id"))
	env, ok := parseEnvelope(e.Status, body)
	if !ok {
		if e.Op == opReadUser && e.Kind == connectors.NotFound {
			// Whether an account is gone is read by id. A gateway's 404 says
			// nothing of accounts.
			e.Kind, e.Detail = connectors.Unavailable, "a 404 that is none of Box's: something between answered for it"
		}
		return
	}
	if id := plainWord(env.RequestID); id != "" {
		e.RequestID = id
	}
	e.Code = env.plainCode()
	e.Detail = env.reason()
	if e.Kind == connectors.Forbidden && env.says(deactivatedUser) {
		e.Kind = connectors.Unauthorized // Box answers 401 or, so it is reported, 403
	}
	if e.Kind == connectors.Unauthorized {
		e.Err = env.refusedActor()
	}
	if e.Op == opDeleteUser && e.Status == http.StatusBadRequest && env.says(managedContent) {
		e.Kind, e.Err = connectors.Conflict, connectors.ErrContentRemains
	}
}

// refusedActor tells what a 401 that explains itself is about, nil for what is
// not known.
func (e envelope) refusedActor() error {
	switch {
	case e.says(removedApp):
		return connectors.ErrIntegrationRemoved
	case e.says(deactivatedUser):
		return connectors.ErrActorInactive
	}
	return nil
}

// codeScope is the code of a token without the scope a call needs (RFC 6750
// section 3.1).
const codeScope = "insufficient_scope"

// removedApp is the refusal of a token whose application the enterprise does not
// allow, or no longer (https://support.box.com/hc/en-us/articles/360044193313).
const removedApp = "cannot authorize with this service"

// deactivatedUser is the refusal to act as, or for, an inactive user
// (https://support.box.com/hc/en-us/community/posts/360049185473).
const deactivatedUser = "user has been deactivated"

// managedContent is all that tells this refusal to delete from other bad
// requests; the code is the same
// (https://support.box.com/hc/en-us/community/posts/360049178313).
const managedContent = "user has managed content"

// reason is a text of ours for what the envelope says, "" for the unknown.
// Messages are looked at first: Box uses one code for many causes.
func (e envelope) reason() string {
	for _, p := range []struct{ phrase, reason string }{
		{managedContent, "the account still owns content"},
		{"higher privil", "content of or to an administrator can be moved by the primary administrator alone: connect as that user"}, // Box writes "privilaged"
		{deactivatedUser, someoneInactive},
		{removedApp, "the application is not enabled for this enterprise: an administrator must authorize it"},
		{"retention polic", "retention policies protect the account's content"},
		{"user is locked", "another job on the account is running"},
	} {
		if e.says(p.phrase) {
			return p.reason
		}
	}
	switch e.Code {
	case codeScope:
		return "the application lacks a scope: add it, authorize the application again and use a fresh token"
	case "access_denied_insufficient_permissions":
		return "the connection's user may not do this: check its role, the application's access level and scopes, and that an administrator authorized them"
	case "storage_limit_exceeded", "insufficient_storage":
		return "the receiver's storage limit does not allow it: raise the limit or choose another receiver"
	case "forbidden_by_policy", "denied_by_policy":
		return "an information barrier or policy of the enterprise forbids it"
	case "operation_blocked_temporary":
		return "another job on the content is running"
	case "not_found":
		return "Box does not know the account or item, or the connection's user may not see it"
	case "unauthorized":
		return "Box does not accept who acts: check that the application is authorized and the user active"
	}
	switch {
	case e.says("storage limit"):
		return "the receiver's storage limit does not allow it: raise the limit or choose another receiver"
	case e.blamesInactive():
		return someoneInactive
	}
	return ""
}

const someoneInactive = "an account that the call acts as, or moves content of or to, is inactive"

// refusalCause is what a transfer was refused for, as far as the envelope tells.
func (e envelope) refusalCause() schema.RefusalCause {
	switch {
	case e.Code == "storage_limit_exceeded", e.Code == "insufficient_storage", e.says("storage limit"):
		return schema.RefusedReceiverFull
	case e.says("higher privil"), e.Code == "access_denied_insufficient_permissions":
		return schema.RefusedPrivilege
	case e.blamesInactive() && !e.blamesReceiver():
		return schema.RefusedInactiveSource
	}
	return schema.RefusedOther
}

// blamesInactive tells whether the message says that an account is not active.
// Whether Box transfers from an inactive account at all is not documented, and so
// is its answer; these words are those it uses elsewhere.
func (e envelope) blamesInactive() bool {
	return e.says("deactivated") || e.says("inactive") || e.says("not active") || e.says("must be active") || e.says("suspended")
}

// blamesReceiver tells whether the message is about who is to own the content.
func (e envelope) blamesReceiver() bool {
	for _, who := range []string{"owned_by", "new owner", "destination", "receiver", "recipient"} {
		if e.says(who) {
			return true
		}
	}
	return false
}

// busy tells whether the envelope says that a job holds a lock. Whole words
// count, since "blocked" ends like "locked".
func (e envelope) busy() bool {
	if e.Code == "operation_blocked_temporary" {
		return true
	}
	words := strings.FieldsFunc(strings.ToLower(e.Code+" "+e.Message), func(r rune) bool { return r < 'a' || r > 'z' })
	for _, w := range words {
		if w == "locked" {
			return true
		}
	}
	return false
}
