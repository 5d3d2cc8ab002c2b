package schema

import "time"

// SCIMType is a type of SCIM resource.
type SCIMType string

// The types.
const (
	SCIMUser  SCIMType = "User"
	SCIMGroup SCIMType = "Group"
)

// SCIMResource is a resource that an identity provider keeps with us. Body is the
// resource's JSON without id, meta, password and, of a group, members.
type SCIMResource struct {
	SourceID   SourceID
	Type       SCIMType
	ID         string
	ExternalID string
	// Name is a user's userName or a group's displayName, as it was sent: unique in
	// source and type without regard to case.
	Name       string
	Email      string // of a user: the primary work address, lower case
	Active     bool
	Body       []byte
	Members    []SCIMMember // of a group
	Version    int64
	CreatedAt  time.Time
	ModifiedAt time.Time
}

// SCIMMember is a member of a group.
type SCIMMember struct {
	Value   string // id of the user
	Display string
}

// SCIMQuery selects resources of one type: all those that equal what is given.
type SCIMQuery struct {
	Name       string // without regard to case
	ExternalID string
	ID         string
	Email      string
	Member     string // of groups: that have the user
	Offset     int
	Limit      int
	// WithoutMembers leaves the members of groups unread.
	WithoutMembers bool
}
