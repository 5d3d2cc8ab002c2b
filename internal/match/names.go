package match

import (
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types/ref"

	"sendoff/schema"
)

// Name is a name that a match can use.
type Name struct {
	Name string
	Type string // in CEL's words
	Doc  string
	// Values are all that a text can be; empty = any. A match that compares it with
	// another is refused.
	Values []string
}

// Names lists what a match can use, in the order of the documentation.
func Names() []Name {
	var list []Name
	for _, f := range fields() {
		list = append(list, Name{Name: f.name, Type: f.kind.String(), Doc: f.doc, Values: f.values})
	}
	return list
}

// Function is a function that matches have beyond those of CEL.
type Function struct{ Signature, Doc string }

// Functions lists the functions of ours.
func Functions() []Function {
	return []Function{{"days(int) -> duration", "so many times 24 hours; CEL's own duration(\"2160h\") knows no days"}}
}

// field is a name with what it is read by. get returns nil when the value is not
// known.
type field struct {
	name   string
	kind   *cel.Type
	doc    string
	values []string
	get    func(*view) ref.Val
}

// root is the first part of the name, or all of it.
func (f field) root() string { root, _, _ := strings.Cut(f.name, "."); return root }

// leaf is the second part of the name; empty = it has one part.
func (f field) leaf() string { _, leaf, _ := strings.Cut(f.name, "."); return leaf }

func fields() []field {
	list := accountFields()
	list = append(list, activityFields()...)
	list = append(list, personFields()...)
	list = append(list, employmentFields()...)
	list = append(list, entitlementFields()...)
	return append(list,
		yes("licence.seat", "it uses a seat of the vendor's contract, also a suspended one", func(v *view) bool { return v.seat() }),
		at("now", "when the review judges", func(v *view) time.Time { return v.now }),
	)
}

func accountFields() []field {
	return []field{
		text("account.login", "the name that it signs in with", func(v *view) string { return v.subject.Account.Login }),
		text("account.name", "the name that people see; not known when the vendor gives none",
			func(v *view) string { return v.subject.Account.Name }),
		word("account.kind", "who stands behind it", words(schema.KindPerson, schema.KindService, schema.KindApp, schema.KindExternal),
			func(v *view) string { return string(v.subject.Account.Kind) }),
		word("account.role", "its standing at the vendor", words(schema.RoleMember, schema.RoleCoadmin, schema.RoleOwner),
			func(v *view) string { return string(v.subject.Account.Role) }),
		word("account.status", "its status, in our words", words(schema.AccountActive, schema.AccountSuspended,
			schema.AccountRestricted, schema.AccountMissing, schema.AccountDeleted),
			func(v *view) string { return string(v.subject.Account.Status) }),
		text("account.vendor_status", "its status, in the vendor's word", func(v *view) string { return v.subject.Account.VendorStatus }),
		text("account.connection", "the connection's name", func(v *view) string { return v.subject.Connection }),
		yes("account.privileged", "its role administers others", func(v *view) bool { return v.subject.Account.Role.Privileged() }),
		yes("account.seat", "as licence.seat", func(v *view) bool { return v.seat() }),
		yes("account.created_known", "it is known when it was created", func(v *view) bool { return !v.subject.Account.CreatedAt.IsZero() }),
		at("account.created_at", "when it was created; not known unless account.created_known",
			func(v *view) time.Time { return v.subject.Account.CreatedAt }),
		span("account.age", "for how long it has been there; not known unless account.created_known", func(v *view) (time.Duration, bool) {
			return v.now.Sub(v.subject.Account.CreatedAt), !v.subject.Account.CreatedAt.IsZero()
		}),
		number("account.space_used", "bytes of content that it owns", func(v *view) (int64, bool) { return v.subject.Account.SpaceUsed, true }),
		text("account.external_id", "its id at the vendor", func(v *view) string { return string(v.subject.Account.ExternalID) }),
		{
			name: "account.tracking", kind: cel.MapType(cel.StringType, cel.StringType), get: (*view).tracking,
			doc: `attributes that the vendor keeps for its customer, by name, such as account.tracking["cost_centre"]; one that is not there is not known, "cost_centre" in account.tracking asks`,
		},
	}
}

func activityFields() []field {
	return []field{
		word("activity.grade", "what its use comes to for the policy's threshold; unknown and not_collected are never matched", words(
			schema.GradeActive, schema.GradeInactive, schema.GradeNever, schema.GradeUnknown, schema.GradeNotCollected),
			func(v *view) string { return string(v.grade) }),
		yes("activity.used", "some use was ever seen", func(v *view) bool { return !v.subject.Activity.LastActiveAt.IsZero() }),
		at("activity.last_active_at", "its last use that was seen; not known unless activity.used",
			func(v *view) time.Time { return v.subject.Activity.LastActiveAt }),
		span("activity.silent_for", "for how long it is proven that nobody used it: since its last use, its creation or the begin of the unbroken "+
			"record, whichever is the latest, until the record's last read; not known when the grade is unknown or not_collected", (*view).silence),
		text("activity.last_event", "the last use, in the vendor's word; not known unless activity.used",
			func(v *view) string { return v.subject.Activity.LastEvent }),
		text("activity.source", "where its use is known from, such as box.events", func(v *view) string { return string(v.subject.Activity.Source) }),
	}
}

func personFields() []field {
	return []field{
		yes("person.known", "it is known who holds it; all else of person is not known without", func(v *view) bool { return v.subject.Person != nil }),
		of("person.email", "the holder's address", func(p *schema.Holder) string { return p.Email }),
		of("person.name", "the holder's name", func(p *schema.Holder) string { return p.Name }),
		{
			name: "person.employment", kind: cel.StringType, values: append([]string{""}, words(schema.Employee, schema.Contractor)...),
			doc: "the kind of the employment that counts now; \"\" = no source tells of one",
			get: held(boxed("", string(schema.Employee), string(schema.Contractor)), func(p *schema.Holder) string { return string(p.Employment) }),
		},
		{
			name: "person.status", kind: cel.StringType, values: words(schema.StatusActive, schema.StatusOnLeave, schema.StatusEnded),
			doc: "the state of that employment; not known when no source says",
			get: held(filled(boxed(words(schema.StatusActive, schema.StatusOnLeave, schema.StatusEnded)...)),
				func(p *schema.Holder) string { return string(p.Status) }),
		},
		of("person.department", "not known when no source says", func(p *schema.Holder) string { return p.Department }),
		of("person.site", "not known when no source says", func(p *schema.Holder) string { return p.Site }),
		of("person.manager", "the manager's address; not known when no source says", func(p *schema.Holder) string { return p.Manager }),
	}
}

func employmentFields() []field {
	return []field{
		at("person.hire_date", "00:00 UTC of the first day; not known when no source says", func(v *view) time.Time {
			return midnight(v.subject.Person, func(p *schema.Holder) schema.Date { return p.HireDate })
		}),
		yes("person.has_last_day", "a last working day is said", func(v *view) bool {
			return v.subject.Person != nil && !v.subject.Person.LastDay.IsZero()
		}),
		at("person.last_day", "00:00 UTC of the last working day; not known unless person.has_last_day", (*view).lastDay),
		number("person.days_past_last_day", "days since the last working day, by the calendar of UTC: 0 on the day itself, negative before it; "+
			"not known unless person.has_last_day", (*view).daysPast),
	}
}

func entitlementFields() []field {
	return []field{
		{name: "entitlements.groups", kind: cel.ListType(cel.StringType), doc: "the names of its groups", get: func(v *view) ref.Val {
			return v.list(func(g schema.HeldGroup) string { return g.Name })
		}},
		{name: "entitlements.group_ids", kind: cel.ListType(cel.StringType), doc: "their ids at the vendor", get: func(v *view) ref.Val {
			return v.list(func(g schema.HeldGroup) string { return g.ID })
		}},
		number("entitlements.group_count", "how many groups it is in", func(v *view) (int64, bool) { return int64(len(v.subject.Groups)), true }),
	}
}
