// Package all lists the vendors. A new connector is a folder beside this one
// and a line here.
package all

import (
	"sendoff/connectors"
	"sendoff/connectors/bamboohr"
	"sendoff/connectors/box"
	"sendoff/schema"
)

// Factories returns one factory per vendor of accounts.
func Factories() []connectors.Factory {
	return []connectors.Factory{
		box.Factory{},
	}
}

// Feeds returns how the API of each kind of source that has one is opened.
func Feeds() map[schema.SourceKind]connectors.FeedFactory {
	return map[schema.SourceKind]connectors.FeedFactory{
		schema.SourceBambooHR: bamboohr.New,
	}
}
