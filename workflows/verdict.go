package workflows

import (
	"errors"

	"go.temporal.io/sdk/temporal"

	"sendoff/activities"
	"sendoff/schema"
)

// verdict is what a failed activity means for its plan.
type verdict struct {
	// stopped means that the plan is being cancelled, was superseded, or ended:
	// its row says which.
	stopped bool
	// waived means that an operator left the step out.
	waived bool
	cause  schema.Cause
}

// judge turns an activity's error into a verdict. Activities type their errors
// in activities/classify.go.
func judge(step schema.StepKind, err error) verdict {
	var app *temporal.ApplicationError
	if !errors.As(err, &app) {
		// A timeout without an answer, or the retries used up without one.
		return parkAs(step, schema.ParkVendorFailing, "no answer within the time allowed", "check the connection and the worker's log, then resume")
	}
	if app.Type() == activities.TypeRefusal {
		var cause schema.Cause
		if app.Details(&cause) == nil {
			cause.Step = step
			return verdict{cause: cause}
		}
	}
	switch app.Type() {
	case activities.TypeOf(schema.CodeStopped), activities.TypeOf(schema.CodeSuperseded):
		return verdict{stopped: true}
	case activities.TypeOf(schema.CodeWaived):
		return verdict{waived: true}
	case activities.TypeOf(schema.CodeHeld):
		return parkAs(step, schema.ParkOnHold, app.Message(), fixOf(app))
	case activities.TypeOf(schema.CodeProtected):
		return parkAs(step, schema.ParkSourceProtected, app.Message(), fixOf(app))
	case activities.TypeOf(schema.CodeNotApproved):
		return parkAs(step, schema.ParkFactsChanged, "what was approved is not what would run now", "look at the plan, approve its new hash, then resume")
	case activities.TypeOf(schema.CodeStateBehind), activities.TypeOf(schema.CodeStale):
		return parkAs(step, schema.ParkStateBehind, "the database is behind the workflow or another run took over", "if a backup was restored: sendoff recover --after-restore (docs/recover.md); else resume")
	case activities.TypeOf(schema.CodeReadOnly):
		return parkAs(step, schema.ParkConnectionClosed, "the connection is read-only", "let it write (sendoff connections allow-writes) or connect again without --read-only, then resume")
	case activities.TypeOf(schema.CodeClosed):
		return parkAs(step, schema.ParkConnectionClosed, "the connection is disabled or removed", "enable the connection, then resume")
	case activities.TypeOf(schema.CodePaused):
		return parkAs(step, schema.ParkVendorFailing, "the engine was paused for the whole time allowed", "sendoff unpause, then resume")
	}
	return judgeVendor(step, app)
}

func judgeVendor(step schema.StepKind, app *temporal.ApplicationError) verdict {
	switch app.Type() {
	case activities.TypeUnauthorized:
		return parkAs(step, schema.ParkUnauthorized, app.Message(), "renew the connection's credentials, then resume")
	case activities.TypeForbidden, activities.TypeInvalid, activities.TypeNotFound, activities.TypeBlocked:
		fix := "see the code at the vendor; mend rights or state there, then resume"
		if step.Waivable() && !step.MovesContent() {
			fix += "; or leave the step out: sendoff cases waive"
		}
		return parkAs(step, schema.ParkVendorRefused, app.Message(), fix)
	case activities.TypeMalformed:
		return parkAs(step, schema.ParkBadAnswer, app.Message(), "check the base URL and any proxy between, then resume")
	case activities.TypeUnsupported:
		return parkAs(step, schema.ParkUnsupported, app.Message(), "do the step at the vendor by hand, and cancel the case or use another template")
	case activities.TypeRateLimited, activities.TypeUnavailable, activities.TypeConflict:
		return parkAs(step, schema.ParkVendorFailing, app.Message(), "wait until the vendor works again, then resume")
	default:
		return parkAs(step, schema.ParkInternal, "the step failed for a reason the worker's log tells", "read the worker's log, then resume")
	}
}

// fixOf is the way out that our own error names.
func fixOf(app *temporal.ApplicationError) string {
	var fix string
	if app.Details(&fix) != nil {
		return "see the case's report, then resume"
	}
	return fix
}

func parkAs(step schema.StepKind, code schema.ParkCode, message, fix string) verdict {
	return verdict{cause: schema.Cause{Code: code, Step: step, Message: message, Fix: fix}}
}

// refusal is a workflow's own verdict, in the form that activities send theirs.
func refusal(code schema.ParkCode, message, fix string) error {
	return temporal.NewNonRetryableApplicationError(message, activities.TypeRefusal, nil,
		schema.Cause{Code: code, Message: message, Fix: fix})
}

// stoppedError is err, or when that is nil the error of a stopped plan.
func stoppedError(err error) error {
	if err != nil {
		return err
	}
	return temporal.NewNonRetryableApplicationError("the plan was stopped", activities.TypeOf(schema.CodeStopped), nil)
}
