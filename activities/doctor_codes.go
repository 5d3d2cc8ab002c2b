package activities

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"sendoff/connectors"
	"sendoff/schema"
)

const (
	fixClock     = "let this machine's clock follow a time server (timedatectl; chronyc tracking), then test again"
	fixScope     = "tick the scope in the application's configuration, let an administrator authorize the application again, then test again: a token has the scopes of the last authorization"
	fixUnreached = "check --base-url and --token-url, and the network between: try both from this machine (curl -v) for name, route, proxy, certificate; a stored connection is looked at again by itself"
)

// judge turns the answer to a probe into a finding. It says no more than the
// answer does: where one has several causes, they are listed.
func (x *examination) judge(a schema.Ability, err error) schema.ProbeResult {
	r := schema.ProbeResult{Ability: a, Code: schema.ProbeOK, Message: "works"}
	if err == nil {
		if a.Name == connectors.AbilityIdentity {
			x.judgeIdentity(&r)
		}
		return r
	}
	var e *connectors.Error
	errors.As(err, &e) // fault left nothing else
	r.Detail = supportDetail(e)
	switch {
	case e.Kind == connectors.RateLimited:
		r.Code, r.Message = schema.ProbeRateExhausted, "the vendor's call rate for this application or its licence is used up"
		r.Fix = "it is looked at again by itself; if it lasts, see in the vendor's console what else calls with this application, and whether the monthly calls of the licence are used up"
		if e.RetryAfter > 0 {
			r.Message += "; it asks to come back in " + e.RetryAfter.String()
		}
	case e.Kind == connectors.Unavailable:
		r.Code, r.Message, r.Fix = schema.ProbeBaseURLUnreachable, "the vendor gives no answer: "+cmp.Or(e.Detail, statusText(e.Status)), fixUnreached
	case errors.Is(err, connectors.ErrNotTheAPI), foreign(a, e):
		r.Code, r.Message = schema.ProbeBaseURLUnreachable, "what answers is not the vendor's API: "+cmp.Or(e.Detail, statusText(e.Status))
		r.Fix = "check --base-url and --token-url, as sendoff connections show has them, and that no proxy or sign-in page stands between"
	case a.Name == connectors.AbilitySignIn || tokenRefused(err):
		x.judgeGrant(&r, e)
	default:
		x.judgeRefusal(&r, e)
	}
	return r
}

// foreign tells whether an answer is none that the vendor gives there: a token host
// refuses with a code, and who one is can always be asked.
func foreign(a schema.Ability, e *connectors.Error) bool {
	switch a.Name {
	case connectors.AbilitySignIn:
		return e.Code == "" && e.Kind != connectors.Unauthorized
	case connectors.AbilityIdentity:
		return e.Kind == connectors.NotFound || e.Kind == connectors.Invalid
	}
	return false
}

// tokenRefused tells whether the token host refused a token that a call to the API
// needed.
func tokenRefused(err error) bool {
	return errors.Is(err, connectors.ErrGrantLost) || errors.Is(err, connectors.ErrGrantRefused)
}

func (x *examination) judgeIdentity(r *schema.ProbeResult) {
	want, got := x.Connection.EnterpriseID, x.identity.EnterpriseID
	if want == got {
		return
	}
	r.Code, r.Message = schema.ProbeEnterpriseMismatch, "the credentials belong to enterprise "+cmp.Or(got, "none")+", not to "+cmp.Or(want, "none")
	r.Fix = "give the enterprise id of these credentials, or the credentials of that enterprise; nothing else was asked"
}

// judgeGrant reads a refusal of the token host by the codes of RFC 6749 section
// 5.2.
func (x *examination) judgeGrant(r *schema.ProbeResult, e *connectors.Error) {
	switch {
	case errors.Is(e, connectors.ErrGrantLost):
		r.Code, r.Message = schema.ProbeGrantLost, "a refresh was sent whose answer was never stored, and its single-use token is now refused"
		r.Fix = x.consentAgain()
	case errors.Is(e, connectors.ErrTokenExpired):
		r.Code, r.Message = schema.ProbeTokenExpired, "the refresh token was not used for as long as the vendor keeps one"
		r.Fix = x.consentAgain()
	case errors.Is(e, connectors.ErrGrantRefused):
		r.Code, r.Message = schema.ProbeTokenRevoked, "the vendor no longer accepts the refresh token: the consent was withdrawn, it ran out unused, or the user or the application is gone"
		r.Fix = x.consentAgain()
	case errors.Is(e, connectors.ErrAssertionTime):
		r.Code, r.Message, r.Fix = schema.ProbeClockSkew, "the signed assertion is refused for its time", fixClock
	case e.Code == "invalid_client":
		r.Code, r.Message = schema.ProbeCredentialsWrong, "the vendor does not accept these credentials: the client id or the client secret is wrong"
		r.Fix = "copy both from the application's configuration and replace them: sendoff connections rotate"
	case e.Code == "unauthorized_client" && x.Worked:
		x.removed(r)
	case e.Code == "unauthorized_client":
		r.Code, r.Message = schema.ProbeAppNotApproved, "the application is not authorized in the enterprise"
		r.Fix = "let an administrator authorize it by its client id, then test again"
	default:
		r.Code = schema.ProbeGrantRefused
		r.Message = "the vendor does not accept these credentials, with one answer for several causes"
		x.causes(r, e)
		if !x.Worked {
			r.Fix = "check client id and secret first, then " + r.Fix
		}
	}
}

// consentAgain is what brings a grant back.
func (x *examination) consentAgain() string {
	return "sign in again in the browser, as the same user: sendoff connect " + x.Connection.Vendor + " --browser --renew " + x.Connection.Name
}

func (x *examination) removed(r *schema.ProbeResult) {
	r.Code = schema.ProbeIntegrationRemoved
	r.Message = "an administrator removed or switched off the application at the vendor"
	r.Fix = "ask the vendor's administrator whether that was meant; if not, let them authorize the application again, else: sendoff connections disable"
}

// judgeRefusal reads a refusal of the API.
func (x *examination) judgeRefusal(r *schema.ProbeResult, e *connectors.Error) {
	switch {
	case errors.Is(e, connectors.ErrIntegrationRemoved):
		x.removed(r)
	case errors.Is(e, connectors.ErrNotInPlan):
		*r = planWithout(*r)
	case e.Kind == connectors.Unauthorized && e.Code == "" && !errors.Is(e, connectors.ErrActorInactive):
		r.Code, r.Message = schema.ProbeTokenRevoked, "the vendor does not accept an access token that it has just handed out"
		r.Fix = "look whether the token URL and the base URL are of the same vendor and environment, and whether the application was authorized again a moment ago; then test again"
	case errors.Is(e, connectors.ErrScopeMissing), e.Kind == connectors.Forbidden && e.Code == "insufficient_scope": // RFC 6750 section 3.1
		missing(r)
	case e.Kind == connectors.Forbidden && x.known && x.identity.Role == schema.RoleMember && !x.identity.Service:
		r.Code, r.Message = schema.ProbeRoleInsufficient, "the connection acts as a user without administrator rights, whom the vendor does not let do this"
		r.Fix = "connect as the service account, a co-admin with the permissions named, or the primary administrator"
	case e.Kind == connectors.Malformed, e.Kind == connectors.Invalid:
		r.Code, r.Message = schema.ProbeMalformed, "the vendor's answer is not what its documentation says: "+cmp.Or(e.Detail, statusText(e.Status))
		r.Fix = "look for a proxy that changes answers; if there is none, send this and the request id to the vendor's support"
	default:
		r.Code = schema.ProbeAccessRefused
		r.Message = "the vendor refuses this, with one answer for several causes"
		x.causes(r, e)
	}
}

func missing(r *schema.ProbeResult) {
	r.Code, r.Message, r.Fix = schema.ProbeScopeMissing, "the token lacks the scope "+r.Ability.Scope, fixScope
	if !r.Ability.Required {
		r.Code = schema.ProbeScopeOptionalMissing
		r.Message += ": without it " + lost(r.Ability)
	}
}

// lost says what an ability's absence costs.
func lost(a schema.Ability) string {
	text := "this is missing: " + a.Serves
	for i, d := range a.Datasets {
		sep := ", "
		if i == 0 {
			sep = "; not collected: "
		}
		text += sep + string(d)
	}
	return text
}

func planWithout(r schema.ProbeResult) schema.ProbeResult {
	r.Code, r.Candidates = schema.ProbePlanWithoutEvents, nil
	r.Message = "the scope and the role serve for everything else, and events are refused: the vendor's plan does not include them; activity stays not collected"
	r.Fix = "ask the vendor which plan has the enterprise's event stream; nothing has to be changed here"
	return r
}

// causes lists what a refusal may mean, as far as the connector knows.
func (x *examination) causes(r *schema.ProbeResult, e *connectors.Error) {
	r.Fix = "go through the possible causes in order, then test again"
	if x.Worked {
		r.Fix = "go through the possible causes in order (sendoff connections diagnosis " + x.Connection.Name + "), then test again"
	}
	if l, ok := x.Connector.(connectors.CauseLister); ok {
		r.Candidates = l.Causes(connectors.Refusal{Ability: r.Ability, Err: e, Identity: x.identity, Worked: x.Worked})
	}
	if len(r.Candidates) == 0 {
		r.Candidates = []schema.Candidate{{
			Cause: "the credentials, their scopes or the role they act with do not suffice",
			Look:  "the vendor's console, at the application's configuration and authorization",
		}}
	}
}

// supportDetail is what the vendor's support can be told.
func supportDetail(e *connectors.Error) string {
	text := e.Op
	if e.Status != 0 {
		text += ", " + statusText(e.Status)
	}
	if e.Code != "" {
		text += ", code " + e.Code
	}
	if e.RequestID != "" {
		text += ", vendor request " + e.RequestID
	}
	return text
}

func statusText(status int) string {
	if status == 0 {
		return "no answer"
	}
	if text := http.StatusText(status); text != "" {
		return fmt.Sprintf("HTTP %d %s", status, text)
	}
	return "HTTP " + strconv.Itoa(status)
}
