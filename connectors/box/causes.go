package box

import (
	"strings"

	"sendoff/connectors"
	"sendoff/schema"
)

// Where in Box's consoles to look.
const (
	devConsole   = "developer console (app.box.com/developers/console), the application, Configuration"
	adminConsole = "admin console, Integrations, Platform Apps Manager"
)

// Causes implements connectors.CauseLister. The orders are those of
// https://developer.box.com/guides/authentication/client-credentials/ and
// https://support.box.com/hc/en-us/articles/360043693434, with what changes by
// itself first for a connection that once worked.
func (c *Connector) Causes(r connectors.Refusal) []schema.Candidate {
	if r.Ability.Name == connectors.AbilitySignIn {
		return c.grantCauses(r)
	}
	if r.Err != nil && r.Err.Kind == connectors.Unauthorized {
		return c.actorCauses()
	}
	return c.accessCauses(r)
}

func (c *Connector) grantCauses(r connectors.Refusal) []schema.Candidate {
	removed := schema.Candidate{Cause: "the application is not authorized in the enterprise, or no longer", Look: adminConsole + ": the client id must be listed as authorized and enabled"}
	secret := schema.Candidate{Cause: "the client id or the client secret is wrong, or the secret was reset", Look: devConsole + ", OAuth 2.0 Credentials"}
	subject := schema.Candidate{Cause: "the enterprise id is another one's", Look: "admin console, Account & Billing: enterprise " + c.conn.EnterpriseID}
	if c.conn.AuthKind.OrDefault() == schema.AuthJWT {
		secret = schema.Candidate{Cause: "the key pair was removed from the application, or the configuration file is of another one", Look: devConsole + ", Add and Manage Public Keys: the key id of the file must be listed"}
	}
	list := []schema.Candidate{secret, removed, subject}
	if r.Worked {
		list = []schema.Candidate{removed, secret, subject}
	}
	if c.conn.AsUser != "" {
		list = append(list,
			schema.Candidate{Cause: "the user the connection acts as is deactivated or gone", Look: "admin console, Users & Groups: user " + string(c.conn.AsUser)},
			schema.Candidate{Cause: "the application may not make tokens of users", Look: devConsole + ": App + Enterprise Access, and Generate user access tokens; then authorize it again"})
	}
	return list
}

func (c *Connector) actorCauses() []schema.Candidate {
	return []schema.Candidate{
		{Cause: "who the connection acts as is deactivated", Look: "admin console, Users & Groups; for a service account: " + adminConsole},
		{Cause: "the application is not allowed in the enterprise", Look: adminConsole + ", and the setting that disables unpublished applications"},
	}
}

func (c *Connector) accessCauses(r connectors.Refusal) []schema.Candidate {
	if r.Ability.Scope == "" {
		return []schema.Candidate{
			{Cause: "the enterprise allows its API from certain networks alone", Look: "admin console, Enterprise Settings, Security: the allowed addresses; this machine's own as the internet sees it"},
			{Cause: "a proxy or firewall between answers for Box", Look: "curl -v of the base URL from this machine"},
		}
	}
	scope := schema.Candidate{Cause: "the application lacks the scope " + r.Ability.Scope, Look: devConsole + ", Application Scopes"}
	stale := schema.Candidate{Cause: "the scope was added after the application was authorized", Look: adminConsole + ": authorize it again, then test again with a fresh token"}
	list := []schema.Candidate{scope, stale}
	person := r.Identity.Role == schema.RoleCoadmin && !r.Identity.Service
	if person {
		role := schema.Candidate{Cause: "the co-admin lacks the permission " + permissionFor(r.Ability.Name), Look: "admin console, Users & Groups, the co-admin, Edit: the administrator ticks it"}
		list = append([]schema.Candidate{role}, list...)
	}
	switch r.Ability.Name {
	case abilityReadHolds, abilityReadRetention:
		list = append([]schema.Candidate{{Cause: "the enterprise has no Box Governance", Look: "admin console, Account & Billing: the add-ons"}}, list...)
	case abilityReadContent:
		list = append([]schema.Candidate{{Cause: "the application may not act as users", Look: devConsole + ": App + Enterprise Access, and Perform actions as users (As-User); then authorize it again"}}, list...)
	case abilityReadEvents:
		list = append(list, schema.Candidate{Cause: "the plan of the enterprise does not include the event stream", Look: "admin console, Account & Billing: the plan"})
	}
	return list
}

// permissionFor is Box's name of the co-admin's permission behind an ability.
func permissionFor(ability string) string {
	switch {
	case ability == abilityReadEvents:
		return `"Run new reports and access existing reports"`
	case strings.HasPrefix(ability, "list_group"):
		return `"Manage groups"`
	case ability == abilityReadContent:
		return `"Log in to users' accounts"`
	case ability == abilityReadHolds, ability == abilityReadRetention:
		return `"View and edit policies"`
	default:
		return `"Manage users"`
	}
}
