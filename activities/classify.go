package activities

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.uber.org/zap"

	"sendoff/connectors"
	"sendoff/schema"
)

// Refusal is an activity's own verdict that a step cannot go on without an
// operator: the workflow parks with exactly this cause.
type Refusal struct {
	Code    schema.ParkCode
	Message string
	Fix     string
}

// Error is the refusal's message.
func (r *Refusal) Error() string { return string(r.Code) + ": " + r.Message }

// notYet asks Temporal to look again after a delay; it is no failure.
type notYet struct {
	what  string
	after time.Duration
}

func (n *notYet) Error() string { return "not yet: " + n.what }

// ErrorType is the type string of the application errors that leave activities.
type ErrorType = string

// The types of our own. A schema.Error's type is TypeOf its code.
const (
	TypeRefusal ErrorType = "refusal"
	TypeNotYet  ErrorType = "not_yet"
)

// The types of vendor errors, for workflows, which know no connectors.
const (
	TypeRateLimited  = ErrorType(connectors.RateLimited)
	TypeUnavailable  = ErrorType(connectors.Unavailable)
	TypeConflict     = ErrorType(connectors.Conflict)
	TypeUnauthorized = ErrorType(connectors.Unauthorized)
	TypeForbidden    = ErrorType(connectors.Forbidden)
	TypeInvalid      = ErrorType(connectors.Invalid)
	TypeMalformed    = ErrorType(connectors.Malformed)
	TypeNotFound     = ErrorType(connectors.NotFound)
	TypeUnsupported  = ErrorType(connectors.Unsupported)
	TypeBlocked      = ErrorType(connectors.Blocked)
)

// TypeOf is the type of a schema.Error: its code, told apart from vendor kinds of
// the same word.
func TypeOf(code schema.Code) ErrorType { return "sendoff/" + string(code) }

// pausedLook is how often a paused engine looks whether it may go on.
const pausedLook = 10 * time.Second

// classify turns any error of an activity into the Temporal error that says
// whether and when to try again. It is the only maker of such errors.
func classify(err error, attempt int32) error {
	var (
		not     *notYet
		refusal *Refusal
		vendor  *connectors.Error
		ours    *schema.Error
	)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, activity.ErrResultPending), temporal.IsCanceledError(err):
		return err
	case errors.Is(err, context.Canceled):
		return context.Canceled // what wraps it may hold anything
	case errors.As(err, &not):
		return temporal.NewApplicationErrorWithOptions(not.Error(), TypeNotYet, temporal.ApplicationErrorOptions{
			NextRetryDelay: not.after, Category: temporal.ApplicationErrorCategoryBenign,
		})
	case errors.As(err, &refusal):
		return temporal.NewApplicationErrorWithOptions(refusal.Error(), TypeRefusal, temporal.ApplicationErrorOptions{
			NonRetryable: true, Details: []any{schema.Cause{Code: refusal.Code, Message: refusal.Message, Fix: refusal.Fix}},
		})
	case errors.As(err, &ours): // before the vendor's: a guard's refusal wraps ours
		return classifyOurs(ours)
	case errors.As(err, &vendor):
		return temporal.NewApplicationErrorWithOptions(vendor.Error(), string(vendor.Kind), temporal.ApplicationErrorOptions{
			NonRetryable: permanent(vendor, attempt), NextRetryDelay: vendor.RetryAfter,
		})
	default:
		// Unknown: worth another try within ScheduleToClose. The text may hold
		// anything, so it stays in our log and out of the history.
		return temporal.NewApplicationErrorWithOptions("internal error, see the worker's log", TypeOf(schema.CodeInternal), temporal.ApplicationErrorOptions{})
	}
}

// malformedTries is how often an answer that breaks the vendor's contract is asked
// for again: with the usual pauses for about eight minutes, as long as a gateway's
// maintenance page lasts. A proxy that stays in the way is for an operator.
const malformedTries = 9

func permanent(e *connectors.Error, attempt int32) bool {
	if e.Kind == connectors.Malformed && attempt < malformedTries {
		return false
	}
	return e.Kind.Permanent()
}

func classifyOurs(e *schema.Error) error {
	o := temporal.ApplicationErrorOptions{NonRetryable: true}
	if e.Fix != "" {
		o.Details = []any{e.Fix}
	}
	switch e.Code {
	case schema.CodePaused:
		o = temporal.ApplicationErrorOptions{NextRetryDelay: pausedLook, Category: temporal.ApplicationErrorCategoryBenign}
	case schema.CodeUnavailable, schema.CodeInternal:
		o = temporal.ApplicationErrorOptions{}
	}
	return temporal.NewApplicationErrorWithOptions(e.Message, TypeOf(e.Code), o)
}

// Interceptor is the worker interceptor that classifies every activity's error
// and logs it with the activity's name. Worker and tests use the same one.
func Interceptor(log *zap.Logger) interceptor.WorkerInterceptor {
	return &workerInterceptor{log: log}
}

type workerInterceptor struct {
	interceptor.WorkerInterceptorBase
	log *zap.Logger
}

func (w *workerInterceptor) InterceptActivity(ctx context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	in := &inboundInterceptor{log: w.log}
	in.Next = next
	return in
}

type inboundInterceptor struct {
	interceptor.ActivityInboundInterceptorBase
	log *zap.Logger
}

func (i *inboundInterceptor) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	stop := beat(ctx)
	out, err := i.Next.ExecuteActivity(ctx, in)
	stop()
	if err != nil {
		logFailure(ctx, i.log, err)
	}
	return out, classify(err, activity.GetInfo(ctx).Attempt)
}
