package policy

import (
	"slices"
	"strconv"
	"time"

	"sendoff/schema"
)

// Restraint is everything that may forbid to move or destroy an account's
// content, or to touch the account at all: our own holds and protections, and
// what the vendor says it keeps.
type Restraint struct {
	Own    []schema.Restriction
	Vendor schema.VendorHolds
	Known  schema.HoldsKnown // of the vendor's holds; empty = not asked
	// DeclaredAt is when an admin declared that there are none; zero = nobody did.
	DeclaredAt time.Time
}

// Facts is the restraint as an approval covers it.
func (r Restraint) Facts() (restrictions []string, known schema.HoldsKnown) {
	for _, o := range r.Own {
		restrictions = append(restrictions, string(o.Kind)+":"+string(o.ID))
	}
	for _, id := range r.Vendor.Legal {
		restrictions = append(restrictions, "legal_hold:"+string(id))
	}
	slices.Sort(restrictions)
	return slices.Compact(restrictions), r.Known
}

// Effects is what steps would do to an account, as far as pre-flight asks.
type Effects struct {
	Writes       bool // anything at the vendor
	MovesContent bool
	Deletes      bool
	Reactivates  bool
}

// EffectsOf sums what steps would do.
func EffectsOf(steps []schema.StepFact) Effects {
	var e Effects
	for _, s := range steps {
		e.Writes = e.Writes || s.Kind.Writes()
		e.MovesContent = e.MovesContent || s.Kind.MovesContent()
		e.Deletes = e.Deletes || s.Kind == schema.StepDelete
		e.Reactivates = e.Reactivates || s.Kind == schema.StepReactivate
	}
	return e
}

// CheckRestraint judges what the effects may not do. Deny wins: a protection
// refuses everything, a hold whatever moves or destroys content, and holds that
// nobody can read refuse a delete. What refuses nothing is a warning.
func CheckRestraint(c schema.Connection, account schema.ExternalID, e Effects, r Restraint) []schema.Finding {
	var f []schema.Finding
	for _, o := range r.Own {
		switch o.Kind {
		case schema.RestrictProtection:
			f = append(f, finding(c, schema.SourceProtected, "account "+string(account)+" is protected ("+string(o.ID)+")",
				"leave it alone; or end the protection: sendoff protect remove "+string(o.ID)))
		case schema.RestrictHold:
			f = append(f, onHold(c, e, "account "+string(account)+" is on hold ("+string(o.ID)+")",
				"use the template suspend until the hold is released: sendoff hold release "+string(o.ID)))
		}
	}
	for _, id := range r.Vendor.Legal {
		f = append(f, onHold(c, e, "the vendor holds account "+string(account)+" under legal hold policy "+string(id),
			"use the template suspend until the policy is released at the vendor"))
	}
	if r.Known == schema.HoldsUnreadable {
		u := finding(c, schema.HoldsUnreadableNow, "the connection may not read the vendor's legal holds, so nobody knows whether the account is held",
			"grant the application the scope to read them; or let an admin declare that there are none: sendoff connections declare "+c.Name+" --no-legal-holds --reason R --expires 30d")
		u.Warning = !e.Deletes
		f = append(f, u)
	}
	if r.Vendor.Retention && e.MovesContent {
		w := finding(c, schema.RetentionPresent, "the enterprise has retention policies: items under retention stay in the trash, and the vendor may refuse the delete for them",
			"nothing, if that is expected: the plan parks when the vendor refuses")
		w.Warning = true
		f = append(f, w)
	}
	return f
}

func onHold(c schema.Connection, e Effects, message, fix string) schema.Finding {
	f := finding(c, schema.SourceOnHold, message, fix)
	f.Warning = !e.MovesContent
	return f
}

// CheckContent turns a survey into the warnings of a plan with these effects.
func CheckContent(c schema.Connection, e Effects, s schema.ContentSurvey) []schema.Finding {
	var f []schema.Finding
	warn := func(when bool, code schema.FindingCode, message, fix string) {
		if when {
			w := finding(c, code, message, fix)
			w.Warning = true
			f = append(f, w)
		}
	}
	if !e.MovesContent {
		return nil
	}
	n := strconv.Itoa
	warn(s.Trash > 0, schema.TrashPresent, "the account's trash holds "+n(s.Trash)+" items, "+strconv.FormatInt(s.TrashBytes, 10)+" bytes",
		"look whether anything in it is needed; what does not arrive at the receiver parks the delete")
	warn(s.TrashedLately >= massTrash, schema.MassTrashRecent, n(s.TrashedLately)+" items were put in the trash within the last 7 days",
		"look whether the leaver cleared their account, and restore what is needed before the offboarding")
	warn(s.FileShares > 0 && e.Deletes, schema.FileSharesWillDie, n(s.FileShares)+" files are shared one by one: such shares end when the account is deleted",
		"share the files' folders, or share the files again from the receiver; the case's report lists who had access")
	warn(s.OpenLinks > 0, schema.OpenLinks, n(s.OpenLinks)+" items can be opened by anybody who has the link, and stay so",
		"take the links away at the vendor if nobody should follow them")
	warn(s.LockedFolders > 0, schema.LockedFolders, n(s.LockedFolders)+" of "+n(s.LocksRead)+" folders looked at are locked against moving, and would stay behind",
		"take the locks away at the vendor before the transfer")
	warn(s.SharedItems > 0, schema.ContentFrozen, n(s.SharedItems)+" items are shared: nobody can open them from the suspend until the transfer is over",
		"tell those who work with them")
	warn(s.Items > 0, schema.RelayNotCollected, "the vendor's API does not list the account's workflows (Relay), so they are not counted",
		"look in the vendor's console whether the leaver owns any; the receiver needs the same licence to get them")
	return f
}

// massTrash is how many items trashed within a week are worth a warning.
const massTrash = 20

// ContentUnread is the warning for an account whose content cannot be looked at.
func ContentUnread(c schema.Connection, why string) schema.Finding {
	w := finding(c, schema.ContentNotSurveyed, "what the account owns cannot be listed ("+why+"): its transfer may be presumed but not proven",
		"let the application act as users, if proof is wanted")
	w.Warning = true
	return w
}

// ScopeMissing is the finding for a scope that the application lacks.
func ScopeMissing(c schema.Connection, what string) schema.Finding {
	return finding(c, schema.ScopeMissing, "the application was not granted the scope to "+what,
		"grant it as docs/box.md lists, let the vendor's admin authorize the application again, and connect anew")
}

// Supersedes is the warning for a running plan of a lower cause that would end.
func Supersedes(c schema.Connection, running schema.CaseID) schema.Finding {
	w := finding(c, schema.SupersedesLower, "case "+string(running)+" works on this account for a lower cause: this case takes over what it has done and found",
		"nothing; that case ends without undoing anything")
	w.Warning = true
	return w
}
