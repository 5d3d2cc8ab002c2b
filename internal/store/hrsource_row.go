package store

import "sendoff/schema"

// sourcePrincipal is who acts for a source of HR events.
func sourcePrincipal(id schema.SourceID, name string) schema.Principal {
	return schema.Principal{TokenID: schema.TokenID(id), Name: "hr:" + name}
}
