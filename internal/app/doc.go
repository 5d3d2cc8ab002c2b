// Package app builds sendoff from its configuration: the one place that knows
// the store, the secrets and the list of connectors. The program's commands and
// the tests start what is here.
package app
