package scim

// userSchema is the core schema of users (RFC 7643 section 4.1) without password,
// which is never kept, and groups, which groups tell.
func userSchema() schemaDef {
	userName := text("userName", "The name that the identity provider signs the person in with")
	userName.Required, userName.Uniqueness = true, "server"
	photos := many("photos", "Addresses of pictures", "photo", "thumbnail")
	photos.SubAttributes[0] = reference("value", "The address", "external")
	certificates := many("x509Certificates", "Certificates")
	certificates.SubAttributes[0].Type, certificates.SubAttributes[0].CaseExact = typeBinary, true
	return schemaDef{ID: urnUser, Name: "User", Description: "User account", Attributes: []attribute{
		userName,
		complexOf("name", "The parts of the person's name",
			text("formatted", "The whole name"), text("familyName", "The family name"), text("givenName", "The given name"),
			text("middleName", "The middle name"), text("honorificPrefix", "Such as Dr."), text("honorificSuffix", "Such as III")),
		text("displayName", "The name to show"),
		text("nickName", "The name among friends"),
		reference("profileUrl", "The address of a page about the person", "external"),
		text("title", "The title at work"),
		text("userType", "How the person is employed; what contains \"contract\" is a contractor"),
		text("preferredLanguage", "The preferred language"),
		text("locale", "The locale"),
		text("timezone", "The IANA name of the person's time zone, such as Europe/Berlin"),
		flag("active", "Whether the person is employed; false is a leaver"),
		many("emails", "E-mail addresses", "work", "home", "other"),
		many("phoneNumbers", "Phone numbers", "work", "home", "mobile", "fax", "pager", "other"),
		many("ims", "Addresses of instant messengers", "aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"),
		photos,
		addresses(),
		many("entitlements", "Entitlements"),
		many("roles", "Roles"),
		certificates,
	}}
}

func addresses() attribute {
	kind := text("type", "What the address is for")
	kind.Canonical = []string{"work", "home", "other"}
	a := complexOf("addresses", "Postal addresses",
		text("formatted", "The whole address"), text("streetAddress", "The street"), text("locality", "The town"),
		text("region", "The region"), text("postalCode", "The postal code"), text("country", "The country"), kind,
		flag("primary", "Whether it is the preferred one; at most one is"))
	a.MultiValued = true
	return a
}

// enterpriseSchema is the enterprise extension (RFC 7643 section 4.3).
func enterpriseSchema() schemaDef {
	shown := text("displayName", "The manager's name")
	shown.Mutability = readOnly
	return schemaDef{ID: urnEnterprise, Name: "EnterpriseUser", Description: "Enterprise user", Attributes: []attribute{
		text("employeeNumber", "The number that people know the person by"),
		text("costCenter", "The cost centre"),
		text("organization", "The organization"),
		text("division", "The division"),
		text("department", "The department"),
		complexOf("manager", "The person's manager",
			text("value", "The id of the manager's user here"), reference("$ref", "The address of the manager's user", "User"), shown),
	}}
}

// groupSchema is the core schema of groups (RFC 7643 section 4.2).
func groupSchema() schemaDef {
	name := text("displayName", "The group's name")
	name.Required, name.Uniqueness = true, "server"
	value := text("value", "The id of the user")
	value.CaseExact = true
	kind := text("type", "The type of the member")
	kind.Canonical = []string{"User"}
	ref := reference("$ref", "The address of the user", "User")
	for _, a := range []*attribute{&value, &kind, &ref} {
		a.Mutability = immutable
	}
	members := complexOf("members", "The users in the group", value, text("display", "A name to show"), ref, kind)
	members.MultiValued = true
	return schemaDef{ID: urnGroup, Name: "Group", Description: "Group", Attributes: []attribute{name, members}}
}
