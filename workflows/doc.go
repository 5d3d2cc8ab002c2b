// Package workflows says what happens over time: when a case is due, in which
// order a plan's steps run, and what follows each outcome. It is deterministic
// and reaches the world through steps.go alone.
//
// A workflow carries timing, not authority. It is given ids; each activity reads
// the plan afresh and refuses unless it is approved, not superseded, and hash and
// fence match.
package workflows
