// Package policy holds pure rules: what pre-flight refuses, which receiver is
// taken, and what a plan's facts are. It calls nobody and reads no clock.
package policy
