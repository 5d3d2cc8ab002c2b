package connectors

import (
	"context"

	"sendoff/schema"
)

// Renewal reads a connection and its secret again, as they are stored now. A
// connector calls it when the vendor no longer accepts the ones it holds: they
// may have been rotated while it was open.
type Renewal func(ctx context.Context) (c schema.Connection, secret string, err error)

// ConfigFile is what a vendor's own configuration file says of a connection.
type ConfigFile struct {
	AuthKind     schema.AuthKind
	ClientID     string
	EnterpriseID string
}

// ConfigFileReader is a Factory whose vendor hands out an application's
// configuration as a file, which is then the connection's secret as a whole.
type ConfigFileReader interface {
	// ReadConfigFile checks the file and returns what is no secret in it. Its error
	// is a *schema.Error with every fault and its fix, free of the file's contents.
	// It calls nobody.
	ReadConfigFile(text string) (ConfigFile, error)
}
