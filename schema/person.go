package schema

import "time"

// Person is somebody whose accounts we look after.
type Person struct {
	ID        PersonID
	Email     string // the address the case was opened for, lower case
	CreatedAt time.Time
}
