package box

import (
	"slices"

	"sendoff/connectors"
	"sendoff/schema"
)

// The scopes of https://developer.box.com/guides/api-calls/permissions-and-errors/scopes/
// that sendoff wants.
const (
	scopeUsers      = "manage_managed_users"
	scopeGroups     = "manage_groups"
	scopeRead       = "root_readonly"
	scopeWrite      = "root_readwrite"
	scopeEnterprise = "manage_enterprise_properties"
	scopeHolds      = "manage_legal_hold"
	scopeRetention  = "manage_data_retention"
)

// What a connection to Box is asked to prove.
const (
	abilityListAccounts       = "list_accounts"
	abilityReadAccount        = "read_account"
	abilityListGroups         = "list_groups"
	abilityListMembers        = "list_group_members"
	abilityListCollaborations = "list_group_collaborations"
	abilityReadContent        = "read_content"
	abilityReadEvents         = "read_events"
	abilityReadHolds          = "read_holds"
	abilityReadRetention      = "read_retention"
)

// Abilities implements connectors.ScopeLister. Groups and content are required of
// a connection that offboards, as a snapshot reads them before anything is
// changed.
func (Factory) Abilities(readOnly bool) []schema.Ability {
	all := []schema.Ability{
		{Name: connectors.AbilitySignIn, Serves: "everything", Required: true},
		{Name: connectors.AbilityIdentity, Serves: "everything", Required: true},
		{
			Name: abilityListAccounts, Scope: scopeUsers, Required: true, Datasets: []schema.Dataset{schema.DataAccounts},
			Serves: "syncs, licence reports, finding the leaver's account",
		},
		{Name: abilityReadAccount, Scope: scopeUsers, Required: true, Serves: "plans, proofs, telling missing from deleted"},
		{
			Name: abilityListGroups, Scope: scopeGroups, Required: !readOnly, Datasets: []schema.Dataset{schema.DataGroups},
			Serves: "group reports, the snapshot before a change",
		},
		{
			Name: abilityListMembers, Scope: scopeGroups, Required: !readOnly, Datasets: []schema.Dataset{schema.DataMemberships},
			Serves: "who is in which group, the snapshot before a change",
		},
		{
			Name: abilityListCollaborations, Scope: scopeGroups, Datasets: []schema.Dataset{schema.DataCollaborations},
			Serves: "what groups may reach",
		},
		{
			Name: abilityReadContent, Scope: scopeRead + " or " + scopeWrite, Required: !readOnly,
			Serves: "the snapshot and the proof of a transfer, acting as the owner; no report needs it",
		},
		{
			Name: abilityReadEvents, Scope: scopeEnterprise, Datasets: []schema.Dataset{schema.DataActivity},
			Serves: "activity, usage reports, who is inactive",
		},
		{
			Name: abilityReadHolds, Scope: scopeHolds + " + enterprise_content",
			Serves: "legal holds, which stop a delete that cannot read them unless an admin declared that there are none",
		},
		{
			Name: abilityReadRetention, Scope: scopeRetention + " + enterprise_content",
			Serves: "the warning of retention policies",
		},
	}
	if !readOnly {
		all = append(all, writeAbilities()...)
	}
	slices.SortStableFunc(all, func(a, b schema.Ability) int { return rank(a) - rank(b) })
	return all
}

func rank(a schema.Ability) int {
	switch {
	case a.Required && !a.Writes:
		return 0
	case a.Required:
		return 1
	default:
		return 2
	}
}

// writeAbilities are never probed.
func writeAbilities() []schema.Ability {
	return []schema.Ability{
		{Name: "suspend", Scope: scopeUsers, Serves: "suspend, reactivate and sign out accounts", Required: true, Writes: true},
		{Name: "delete", Scope: scopeUsers, Serves: "delete accounts that own nothing", Required: true, Writes: true},
		{Name: "transfer", Scope: scopeWrite, Serves: "transfer content, give access back on cancel", Required: true, Writes: true},
		{Name: "remove_from_groups", Scope: scopeGroups, Serves: "the template step remove_from_groups", Writes: true},
	}
}

// Abilities implements connectors.Prober.
func (c *Connector) Abilities() []schema.Ability { return Factory{}.Abilities(c.conn.ReadOnly) }

// Limits implements connectors.Prober
// (https://support.box.com/hc/en-us/articles/360043693434,
// https://developer.box.com/guides/authentication/jwt/as-user/).
func (c *Connector) Limits(role schema.AccountRole) []string {
	switch role {
	case schema.RoleOwner:
		return []string{"an administrator may do all that the scopes allow; Box lets nobody delete or suspend the primary administrator"}
	case schema.RoleCoadmin:
		return []string{
			"a co-admin cannot change, delete, impersonate or take the content of the primary administrator or of other co-admins: their offboarding needs a connection of the primary administrator",
			"a co-admin who is a person may do only what the administrator ticked: Manage users, Manage groups, View users' content, Log in to users' accounts, Run new reports and access existing reports",
			"a service account counts as a co-admin here; it acts as no other service account, and its own storage is 10 GB unless raised, so that it makes a poor receiver",
		}
	default:
		return []string{"a user without administrator rights can list, change or act as nobody else; a service account may, by its scopes, and cannot touch administrators and co-admins"}
	}
}
