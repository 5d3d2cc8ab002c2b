package scim

import (
	"strings"

	"sendoff/schema"
)

// The schemas' names (RFC 7643 section 8.7, RFC 7644 section 3).
const (
	urnUser       = "urn:ietf:params:scim:schemas:core:2.0:User"
	urnGroup      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	urnEnterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

	urnList    = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	urnPatchOp = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	urnSearch  = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
	urnError   = "urn:ietf:params:scim:api:messages:2.0:Error"

	// prefixADSCIM begins the schemas that Entra adds to what it sends, and that
	// hold nothing.
	prefixADSCIM = "http://schemas.microsoft.com/2006/11/resourcemanagement/adscim/"
)

// The characteristics of attributes (RFC 7643 section 7).
const (
	typeString    = "string"
	typeBoolean   = "boolean"
	typeComplex   = "complex"
	typeDateTime  = "dateTime"
	typeReference = "reference"
	typeBinary    = "binary"

	readWrite = "readWrite"
	readOnly  = "readOnly"
	immutable = "immutable"
)

// attribute is what we know of an attribute, in the form of RFC 7643 section 7.
type attribute struct {
	Name          string      `json:"name"`
	Type          string      `json:"type"`
	MultiValued   bool        `json:"multiValued"`
	Description   string      `json:"description"`
	Required      bool        `json:"required"`
	Canonical     []string    `json:"canonicalValues,omitempty"`
	CaseExact     bool        `json:"caseExact"`
	Mutability    string      `json:"mutability"`
	Returned      string      `json:"returned"`
	Uniqueness    string      `json:"uniqueness"`
	References    []string    `json:"referenceTypes,omitempty"`
	SubAttributes []attribute `json:"subAttributes,omitempty"`
}

// sub finds a sub-attribute; names are compared without regard to case.
func (a *attribute) sub(name string) *attribute {
	if a == nil {
		return nil
	}
	return find(a.SubAttributes, name)
}

func find(all []attribute, name string) *attribute {
	for i := range all {
		if strings.EqualFold(all[i].Name, name) {
			return &all[i]
		}
	}
	return nil
}

// schemaDef is a schema of attributes.
type schemaDef struct {
	ID, Name, Description string
	Attributes            []attribute
}

// resourceType is one type of resource that we keep.
type resourceType struct {
	kind      schema.SCIMType
	endpoint  string // path segment
	about     string
	core      schemaDef
	extension *schemaDef
	nameAttr  string // the attribute that is unique
}

func userType() *resourceType {
	ext := enterpriseSchema()
	return &resourceType{
		kind: schema.SCIMUser, endpoint: "Users", about: "People who work here",
		core: userSchema(), extension: &ext, nameAttr: "userName",
	}
}

func groupType() *resourceType {
	return &resourceType{
		kind: schema.SCIMGroup, endpoint: "Groups", about: "Groups of people",
		core: groupSchema(), nameAttr: "displayName",
	}
}

// commonAttributes are those of every resource, which no schema lists (RFC 7643
// section 3.1).
func commonAttributes() []attribute {
	ro := func(a attribute) attribute { a.Mutability = readOnly; return a }
	exact := func(a attribute) attribute { a.CaseExact = true; return a }
	instant := func(name string) attribute { a := ro(text(name, "")); a.Type = typeDateTime; return a }
	schemas := ro(exact(text("schemas", "")))
	schemas.MultiValued = true
	return []attribute{
		ro(exact(text("id", ""))), exact(text("externalId", "")), schemas,
		ro(complexOf("meta", "", exact(text("resourceType", "")), instant("created"), instant("lastModified"),
			exact(text("location", "")), exact(text("version", "")))),
	}
}

// isOurs tells the attributes that we make ourselves: they are left out of what
// is sent to us, as are groups of a user, which only groups tell.
func (rt *resourceType) isOurs(name string) bool {
	for _, ours := range []string{"id", "meta", "schemas"} {
		if strings.EqualFold(ours, name) {
			return true
		}
	}
	return rt.kind == schema.SCIMUser && strings.EqualFold("groups", name)
}

// in is the schema of a URN among ours, without regard to case.
func (rt *resourceType) in(urn string) *schemaDef {
	switch {
	case urn == "" || strings.EqualFold(urn, rt.core.ID):
		return &rt.core
	case rt.extension != nil && strings.EqualFold(urn, rt.extension.ID):
		return rt.extension
	}
	return nil
}

// lookup finds an attribute of the core, the extension, or common to all.
func (rt *resourceType) lookup(urn, name string, common []attribute) *attribute {
	def := rt.in(urn)
	if def == nil {
		return nil
	}
	if a := find(def.Attributes, name); a != nil {
		return a
	}
	if def == &rt.core {
		return find(common, name)
	}
	return nil
}

func text(name, about string) attribute {
	return attribute{
		Name: name, Type: typeString, Description: about,
		Mutability: readWrite, Returned: "default", Uniqueness: "none",
	}
}

func flag(name, about string) attribute {
	a := text(name, about)
	a.Type = typeBoolean
	return a
}

func reference(name, about string, to ...string) attribute {
	a := text(name, about)
	a.Type, a.CaseExact, a.References = typeReference, true, to
	return a
}

func complexOf(name, about string, subs ...attribute) attribute {
	a := text(name, about)
	a.Type, a.SubAttributes = typeComplex, subs
	return a
}

// many is a multi-valued attribute with the sub-attributes that RFC 7643 section
// 2.4 gives to all.
func many(name, about string, canonical ...string) attribute {
	kind := text("type", "What the value is for")
	kind.Canonical = canonical
	a := complexOf(name, about, text("value", "The value"), text("display", "A name to show"), kind,
		flag("primary", "Whether it is the preferred one; at most one is"))
	a.MultiValued = true
	return a
}
