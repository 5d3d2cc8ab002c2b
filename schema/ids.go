package schema

// Identifiers are UUIDs (version 7) in text form. Each has a type of its own so
// that one cannot be passed where another is meant.
type (
	// PersonID names a person.
	PersonID string
	// ConnectionID names a connection.
	ConnectionID string
	// AccountID names an account in our inventory; it is never the vendor's id.
	AccountID string
	// CaseID names a case.
	CaseID string
	// PlanID names a plan.
	PlanID string
	// DecisionID names a decision a principal took.
	DecisionID string
	// TokenID names an API token.
	TokenID string
)

// ExternalID is the vendor's own id of an account, item or folder. Vendors
// publish them as decimal or opaque strings; we never do arithmetic on them.
type ExternalID string
