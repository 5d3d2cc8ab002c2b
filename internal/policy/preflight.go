package policy

import (
	"fmt"

	"sendoff/schema"
)

// Actor is who a connection acts as, as far as the rules need it.
type Actor struct {
	ExternalID   schema.ExternalID
	Role         schema.AccountRole
	EnterpriseID string
	Service      bool
}

// CheckConnection judges the connection itself.
func CheckConnection(c schema.Connection, actor Actor) []schema.Finding {
	var f []schema.Finding
	if c.EnterpriseID != actor.EnterpriseID {
		f = append(f, finding(c, schema.EnterpriseMismatch,
			"the credentials belong to another enterprise than the one the connection was made for",
			"make a new connection for that enterprise, or restore the credentials of this one"))
	}
	if c.ReadOnly {
		f = append(f, finding(c, schema.ConnectionReadOnly,
			"the connection is read-only", "connect again without --read-only"))
	}
	if !actor.Service && !actor.Role.Privileged() {
		f = append(f, finding(c, schema.PrivilegeTooLow,
			"the connection acts as a member without administrative rights",
			"let it act as an admin (--as) or as the application's service account"))
	}
	return f
}

// CheckSource judges the account that a plan with these effects is about. What no
// plan may write to is refused; a plan that writes nothing, which asks somebody to
// look at a dormant admin for example, is only warned of it.
func CheckSource(c schema.Connection, actor Actor, source schema.Account, e Effects) []schema.Finding {
	f := append(checkKind(c, source), checkRights(c, actor, source)...)
	for i := range f {
		f[i].Warning = !e.Writes && f[i].Code != schema.EnterpriseMismatch
	}
	return append(f, checkStatus(c, source, e)...)
}

func checkKind(c schema.Connection, source schema.Account) []schema.Finding {
	switch source.Kind {
	case schema.KindPerson:
	case schema.KindService, schema.KindApp:
		return []schema.Finding{finding(c, schema.ServiceAccount,
			fmt.Sprintf("account %s is a %s account, not a person's", source.ExternalID, source.Kind),
			"remove the application at the vendor instead")}
	case schema.KindExternal:
		return []schema.Finding{finding(c, schema.EnterpriseMismatch,
			fmt.Sprintf("account %s belongs to another enterprise", source.ExternalID),
			"remove the external collaborator at the vendor instead")}
	}
	return nil
}

func checkRights(c schema.Connection, actor Actor, source schema.Account) []schema.Finding {
	var f []schema.Finding
	switch {
	case source.Role == schema.RoleOwner:
		f = append(f, finding(c, schema.SourceIsAdmin,
			fmt.Sprintf("account %s is the primary admin", source.ExternalID),
			"make somebody else the primary admin at the vendor first"))
	case source.Role == schema.RoleCoadmin && actor.Role != schema.RoleOwner:
		f = append(f, finding(c, schema.PrivilegeTooLow,
			fmt.Sprintf("account %s is a co-admin, and only the primary admin may act on co-admins", source.ExternalID),
			"connect with --as and the primary admin's id, or take the co-admin role away first"))
	}
	if source.ExternalID == actor.ExternalID {
		f = append(f, finding(c, schema.SourceIsAdmin,
			"the account is the one that the connection acts as", "connect as somebody else first"))
	}
	return f
}

// checkStatus warns of a status that a plan would bring the account to.
func checkStatus(c schema.Connection, source schema.Account, e Effects) []schema.Finding {
	var f schema.Finding
	switch {
	case e.Reactivates && source.Status == schema.AccountActive:
		f = finding(c, schema.AlreadyActive, "the account is active already: the step reactivate changes nothing", "look whether the right account is named")
	case source.Status == schema.AccountSuspended && !e.Reactivates:
		f = finding(c, schema.AlreadyInactive,
			"the account is already suspended: its items cannot be listed, so the transfer can be presumed but not proven",
			"activate it before the offboarding if proof is wanted")
	default:
		return nil
	}
	f.Warning = true
	return []schema.Finding{f}
}

// ReceiverFacts are what the choice of a receiver needs.
type ReceiverFacts struct {
	Login        string // as asked for
	Matches      []schema.Account
	Leaving      bool  // is itself planned to leave
	PlannedBytes int64 // what open plans will still bring
}

// receiverSlack is the share of the content kept free beside it (DESIGN: +5 %).
const receiverSlack = 20 // one part in

// CheckReceiver judges one candidate. No finding means it is valid.
func CheckReceiver(c schema.Connection, source schema.Account, r ReceiverFacts) []schema.Finding {
	switch len(r.Matches) {
	case 0:
		return []schema.Finding{finding(c, schema.ReceiverMissing,
			"no account has the login of receiver "+r.Login, "name somebody who has an account in this connection")}
	case 1:
	default:
		return []schema.Finding{finding(c, schema.AmbiguousLogin,
			"several accounts have the login of receiver "+r.Login, "name a receiver whose login is unique")}
	}
	a := r.Matches[0]
	var f []schema.Finding
	if a.ExternalID == source.ExternalID {
		f = append(f, finding(c, schema.ReceiverIsSource, "the receiver is the leaver", "name somebody else"))
	}
	if a.Kind == schema.KindExternal || a.EnterpriseID != source.EnterpriseID {
		f = append(f, finding(c, schema.ReceiverExternal,
			"receiver "+r.Login+" belongs to another enterprise", "name a managed user of this enterprise"))
	}
	if a.Status != schema.AccountActive {
		f = append(f, finding(c, schema.ReceiverInactive,
			"receiver "+r.Login+" is "+string(a.Status), "name an active account, or activate this one"))
	}
	if r.Leaving {
		f = append(f, finding(c, schema.ReceiverLeaving,
			"receiver "+r.Login+" is leaving too", "name somebody who stays"))
	}
	if need := r.PlannedBytes + source.SpaceUsed; a.SpaceAmount >= 0 && a.SpaceUsed+need+need/receiverSlack > a.SpaceAmount {
		f = append(f, finding(c, schema.ReceiverFull,
			fmt.Sprintf("receiver %s has %d bytes free and would get %d bytes with other plans, and 5 %% is kept free",
				r.Login, a.SpaceAmount-a.SpaceUsed, need),
			"raise its storage at the vendor, or name another receiver"))
	}
	return f
}

// Busy is the finding for an account on which another case works.
func Busy(c schema.Connection, running schema.CaseID) schema.Finding {
	f := finding(c, schema.Busy, "case "+string(running)+" already works on this account", "wait for it, or cancel it first")
	f.CaseID = running
	return f
}

// TakesPart is the finding for an account that another leaver's transfer is
// bringing content to, or that is still being emptied.
func TakesPart(c schema.Connection, running schema.CaseID) schema.Finding {
	f := finding(c, schema.Busy, "the transfer of case "+string(running)+" takes part with this account now",
		"wait until that transfer is settled, or cancel that case first")
	f.CaseID = running
	return f
}

// Unsettled is the finding for an account whose earlier transfer has no verdict.
// An operator who was told may send another; then it is a warning.
func Unsettled(c schema.Connection, earlier schema.CaseID, sendAgain bool) schema.Finding {
	f := finding(c, schema.TransferUnsettled,
		"case "+string(earlier)+" ended while its transfer of this account had no verdict: the vendor may still be at it, and sending again may make a second destination folder",
		"look at the vendor; when nothing runs there any more, repeat the command with --send-again")
	f.Warning = sendAgain
	return f
}

// NoReceiver is the finding for content with nobody to get it.
func NoReceiver(c schema.Connection) schema.Finding {
	return finding(c, schema.ReceiverMissing, "the leaver owns content and no receiver is named",
		"name one with --transfer-to")
}

// ContentWithoutTransfer is the finding for a delete that would meet content.
func ContentWithoutTransfer(c schema.Connection) schema.Finding {
	return finding(c, schema.ContentRemainsFound, "the account owns content and the template deletes without a transfer",
		"use the template leaver with a receiver")
}

// Degraded is the finding for a connection that does not answer as it should.
func Degraded(c schema.Connection, what string) schema.Finding {
	return finding(c, schema.ConnectionDegraded, "the connection cannot be used: "+what,
		"run: sendoff connections test "+c.Name+", or disable the connection")
}

func finding(c schema.Connection, code schema.FindingCode, message, fix string) schema.Finding {
	return schema.Finding{Code: code, Connection: c.Name, Message: message, Fix: fix}
}
