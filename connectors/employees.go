package connectors

import (
	"context"
	"time"

	"sendoff/schema"
)

// EmployeeFeed is the API of an HR system that tells of employments.
type EmployeeFeed interface {
	// CheckFeed proves that the credentials may read what leavers are known by: the
	// status, the termination date and the manager of an employee. Forbidden names
	// what may not be read.
	CheckFeed(ctx context.Context) error
	// ReadChanges returns the employments that changed since the marker, "" = all
	// there are, with a marker to go on from. One that was deleted has the status
	// ended and tells nothing else.
	ReadChanges(ctx context.Context, marker string) (EmployeeChanges, error)
}

// EmployeeChanges is what changed at an HR system.
type EmployeeChanges struct {
	Employees []Employee
	Marker    string
}

// Employee is an employment as the HR system has it.
type Employee struct {
	// EventID is the same when the same change is read again.
	EventID    string
	Employment schema.Employment
	Fields     []string // that it tells, as schema.Roster has them
	Body       []byte   // as it came
}

// FeedConfig is what the feed of a source is opened with.
type FeedConfig struct {
	Source   schema.SourceID // whose rate its calls use
	BaseURL  string
	APIKey   string // never logged
	Limiter  Limiter
	Observer Observer         // of each request; nil = none
	Now      func() time.Time // nil = time.Now
}

// FeedFactory opens feeds of one kind of source. It validates the whole
// configuration and calls nobody; its error is a *schema.Error with every problem.
type FeedFactory func(FeedConfig) (EmployeeFeed, error)
