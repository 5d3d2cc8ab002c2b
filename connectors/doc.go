// Package connectors declares what a connector can do, one small interface per
// capability, and the one kind of error they return. A connector is a folder
// below this one and a line in connectors/all.
package connectors
