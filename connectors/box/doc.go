// Package box is the connector for Box (https://developer.box.com/reference).
// client.go and the files by topic speak Box's wire; connector.go turns that
// into the words of schema.
package box
