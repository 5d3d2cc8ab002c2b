// Package all lists the vendors. A new connector is a folder beside this one
// and a line here.
package all

import (
	"sendoff/connectors"
	"sendoff/connectors/box"
)

// Factories returns one factory per vendor.
func Factories() []connectors.Factory {
	return []connectors.Factory{
		box.Factory{},
	}
}
