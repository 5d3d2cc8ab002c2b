package cli

import (
	"context"
	"errors"

	"sendoff/internal/apiclient"
	"sendoff/schema"
)

// The exit codes (docs/cli.md).
const (
	ExitDone        = 0 // it worked; with --wait: every case is done
	ExitInternal    = 1 // a fault of ours, or an audit log that does not verify
	ExitUsage       = 2 // flags, files, times or tokens that cannot be used
	ExitRefused     = 3 // pre-flight, the vendor or the present state refuses it
	ExitNotFound    = 4 // not found, or ambiguous
	ExitParked      = 5 // a case needs an operator
	ExitCancelled   = 6 // a case was cancelled or superseded
	ExitUnreachable = 7 // no server answers, or it cannot work
	ExitHashDiffers = 8 // what was confirmed is not what would run
)

// exitCodeOf is the one table from the codes of errors to exit codes.
func exitCodeOf(err error) int {
	var status exitStatus
	if errors.As(err, &status) {
		return int(status)
	}
	if errors.Is(err, context.Canceled) {
		return ExitInternal
	}
	switch code := apiclient.CodeOf(err); schema.Code(code) {
	case apiclient.CodeUsage, schema.CodeInvalid, schema.CodeUnauthorized, schema.CodeForbidden:
		return ExitUsage
	case schema.CodeRefused, schema.CodeVendor, schema.CodeConflict, schema.CodePaused, schema.CodeReadOnly, schema.CodeClosed,
		schema.CodeNotApproved, schema.CodeSuperseded, schema.CodeStopped, schema.CodeStale, schema.CodeStateBehind,
		schema.CodeWaived, schema.CodeHeld, schema.CodeProtected:
		return ExitRefused
	case schema.CodeNotFound, schema.CodeAmbiguous:
		return ExitNotFound
	case schema.CodeHashDiffers:
		return ExitHashDiffers
	case apiclient.CodeUnreachable, schema.CodeUnavailable:
		return ExitUnreachable
	default:
		return ExitInternal
	}
}

// exitStatus ends a command with a code although everything was said already.
type exitStatus int

func (exitStatus) Error() string { return "" }

// orNil is nil for ExitDone.
func (s exitStatus) orNil() error {
	if s == ExitDone {
		return nil
	}
	return s
}

// exitOfState is the exit code of a case that was waited for.
func exitOfState(state string) exitStatus {
	switch schema.PlanState(state) {
	case schema.PlanParked:
		return ExitParked
	case schema.PlanCancelled, schema.PlanSuperseded:
		return ExitCancelled
	default:
		return ExitDone
	}
}

// worse returns the worse of two: parked, then cancelled, then done.
func worse(a, b exitStatus) exitStatus {
	rank := map[exitStatus]int{ExitDone: 0, ExitCancelled: 1, ExitParked: 2}
	if rank[b] > rank[a] {
		return b
	}
	return a
}

// usage is an error of what was typed.
func usage(message, fix string, problems ...apiclient.Problem) error {
	return &apiclient.Error{Code: apiclient.CodeUsage, Message: message, Fix: fix, Problems: problems}
}
