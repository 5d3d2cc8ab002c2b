package notices

import "sendoff/schema"

// words are our own for a code: what happened, and what to do. A message of a
// cause or a finding may quote the vendor, who may quote anything; these cannot.
type words struct{ what, fix string }

// causeWords are those of docs/cases.md, section Causes.
func causeWords(c schema.ParkCode) words {
	if w, ok := vendorCauses()[c]; ok {
		return w
	}
	if w, ok := contentCauses()[c]; ok {
		return w
	}
	if w, ok := ownCauses()[c]; ok {
		return w
	}
	return words{"it waits for a decision", "look at the case and decide"}
}

func vendorCauses() map[schema.ParkCode]words {
	return map[schema.ParkCode]words{
		schema.ParkVendorRefused:    {"the vendor refused a call", "mend rights or state at the vendor, then resume the case"},
		schema.ParkUnauthorized:     {"the credentials of the connection are not accepted", "renew its authorization, then resume the case"},
		schema.ParkVendorFailing:    {"the vendor failed for a whole day", "wait until the vendor works, then resume the case"},
		schema.ParkBadAnswer:        {"the vendor's answer breaks its contract", "check the base URL and proxies between, then resume the case"},
		schema.ParkUnsupported:      {"the connector cannot do the step", "do it by hand and waive the step"},
		schema.ParkNotConfirmed:     {"a change was accepted and reads do not show it", "look at the account at the vendor, then resume the case"},
		schema.ParkAccountGone:      {"the vendor does not know the account any more", "find out who deleted it, then cancel the case"},
		schema.ParkEnterprise:       {"the connection belongs to another enterprise now", "restore its credentials, then resume the case"},
		schema.ParkReactivated:      {"somebody activated the account again", "suspend it at the vendor and resume the case, or cancel it if the account is needed"},
		schema.ParkInactiveRefused:  {"the vendor transfers from active accounts alone", "resume the case with --reactivate, or activate the account at the vendor and resume"},
		schema.ParkWindowOpen:       {"the account was made active for a call and could not be suspended again", "suspend it at the vendor now, then resume the case"},
		schema.ParkActivityUnknown:  {"nobody knows whether the account was used lately", "see to it that its activity is collected again (sendoff doctor), then resume the case; or cancel it"},
		schema.ParkConnectionClosed: {"the connection is disabled, removed or read-only", "enable it, then resume the case"},
	}
}

func contentCauses() map[schema.ParkCode]words {
	return map[schema.ParkCode]words{
		schema.ParkTransferRefused:  {"the vendor refused the transfer", "mend what the case names, then resume it: sending again is safe"},
		schema.ParkTransferStalled:  {"nothing moved for a day and the transfer is not proven", "look at the vendor whether it still runs, then resume the case"},
		schema.ParkTransferBusy:     {"another job held the account at the vendor for a day", "look what runs there, then resume the case"},
		schema.ParkReceiverMissing:  {"nobody who could receive the content is valid now", "name another receiver (sendoff cases set-receiver)"},
		schema.ParkReceiverInactive: {"the receiver was suspended while the transfer is watched", "activate the receiver, then resume the case"},
		schema.ParkContentRemains:   {"deleting would meet content", "move what is left at the vendor, then resume the case"},
		schema.ParkTrashRemains:     {"trashed items did not arrive at the receiver", "restore or purge them at the vendor, then resume the case"},
	}
}

func ownCauses() map[schema.ParkCode]words {
	return map[schema.ParkCode]words{
		schema.ParkFactsChanged:    {"what was approved has changed", "look at the plan and approve it as it is now, then resume the case"},
		schema.ParkSourceProtected: {"the account is protected, or became an admin's or a service account", "take the role or the protection away and resume the case, or cancel it"},
		schema.ParkOnHold:          {"a hold keeps the account's content", "wait until the hold is released, then resume the case"},
		schema.ParkHoldsUnreadable: {"nobody knows whether the vendor has legal holds on it", "grant the right to read them, or declare that there are none, then resume the case"},
		schema.ParkStateBehind:     {"the database was restored behind the work", "stop server and workers and run sendoff recover"},
		schema.ParkNoticeFailed:    {"a notice of the plan was not accepted", "mend its configuration and resume the case, or waive the step"},
		schema.ParkManualOverdue:   {"nobody completed a manual step by its time", "do it and complete it, or waive the step"},
		schema.ParkInternal:        {"a fault of sendoff", "read the worker's log, then resume the case; report it"},
	}
}

// findingWords are those of docs/cases.md, section Pre-flight.
func findingWords(c schema.FindingCode) words {
	if w, ok := receiverFindings()[c]; ok {
		return w
	}
	if w, ok := sourceFindings()[c]; ok {
		return w
	}
	if w, ok := campaignFindings()[c]; ok {
		return w
	}
	return words{"pre-flight refuses it", "look at the leaver"}
}

func receiverFindings() map[schema.FindingCode]words {
	return map[schema.FindingCode]words{
		schema.ReceiverMissing:  {"there is content and no receiver is valid", "name a receiver, or give the leaver a manager in HR"},
		schema.ReceiverExternal: {"the receiver belongs to another enterprise", "name a managed user"},
		schema.ReceiverInactive: {"the receiver is suspended", "activate the receiver, or name another"},
		schema.ReceiverLeaving:  {"the receiver leaves too", "name somebody who stays"},
		schema.ReceiverIsSource: {"the receiver is the leaver", "name somebody else"},
		schema.ReceiverFull:     {"the receiver has not enough space", "raise it, or name another"},
	}
}

func sourceFindings() map[schema.FindingCode]words {
	return map[schema.FindingCode]words{
		schema.PrivilegeTooLow:     {"the connection may not act on the account", "connect as an admin"},
		schema.SourceIsAdmin:       {"the account is the primary admin, or whom the connection acts as", "change that at the vendor first"},
		schema.ServiceAccount:      {"the account is not a person's", "remove the application at the vendor"},
		schema.ScopeMissing:        {"the application lacks a right that a step needs", "grant it and authorize the application again"},
		schema.ConnectionDegraded:  {"the connection does not answer as it should", "test the connection"},
		schema.EnterpriseMismatch:  {"the connection belongs to another enterprise", "restore its credentials"},
		schema.AmbiguousLogin:      {"several accounts have the login", "make it unique at the vendor"},
		schema.Busy:                {"another case works on the account", "wait for that case, or cancel it"},
		schema.TransferUnsettled:   {"an earlier transfer of the account has no verdict", "look at the vendor, then offboard by hand with --send-again"},
		schema.ConnectionReadOnly:  {"the connection may not write", "connect again without --read-only"},
		schema.ContentRemainsFound: {"the template deletes and the account owns content", "use a template that transfers it"},
		schema.SourceProtected:     {"the account is protected", "leave it, or end the protection"},
		schema.SourceOnHold:        {"the account is on hold", "wait until the hold is released, or use a template that only suspends"},
		schema.HoldsUnreadableNow:  {"nobody knows whether there are legal holds on the account", "grant the right to read them, or declare that there are none"},
		schema.PlanImpossible:      {"no plan can be made", "check that the source's template exists"},
		schema.OverBudget:          {"the engine's budget of a day is used up", "wait until there is room again, or raise the budget"},
	}
}

// campaignFindings are what keeps a campaign from being launched or signed.
func campaignFindings() map[schema.FindingCode]words {
	return map[schema.FindingCode]words{
		schema.CampaignStaleFacts:     {"what it would show is too old", "see to it that the connection is synced"},
		schema.CampaignUnhealthy:      {"a connection is not healthy", "test it (sendoff doctor)"},
		schema.CampaignOverlaps:       {"another open campaign looks at the same access", "nothing: what one revokes has ended for the other"},
		schema.CampaignNotCollected:   {"part of what it looks at cannot be known", "see to it that the vendor's data are collected"},
		schema.CampaignOwnerUnknown:   {"nobody is known by its owner's address", "name an owner who is known"},
		schema.CampaignHasAlarms:      {"decisions of a reviewer are doubted", "let somebody else take a second look at them"},
		schema.CampaignUndecided:      {"something is not decided", "have it decided, or accept that with the signature"},
		schema.CampaignOpenRemovals:   {"something revoked is not proven to be gone", "wait for it, or accept that with the signature"},
		schema.CampaignFailedRemovals: {"something revoked could not be removed", "remove it by hand, correct the decision, or accept that with the signature"},
		schema.CampaignNotClosed:      {"the campaign is not closed", "wait until it is, or close it early"},
	}
}
