// Package notices reads the rules of who is told of what, and writes the texts.
package notices
