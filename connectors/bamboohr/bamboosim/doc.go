// Package bamboosim simulates BambooHR's API, version 1: employees with the history
// of their employment, lists of what changed, and signed webhooks. It is written
// from BambooHR's OpenAPI document and never imports the client. What that document
// leaves open is a switch.
package bamboosim
