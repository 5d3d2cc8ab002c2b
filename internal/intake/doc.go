// Package intake reads what people type: durations, instants and addresses.
// The command line and the API use the same rules, so that a value one accepts
// is never refused by the other.
package intake
