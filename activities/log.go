package activities

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/sdk/activity"
	"go.uber.org/zap"

	"sendoff/connectors"
	"sendoff/schema"
)

// logFailure logs an activity's error once, before it is classified. Unknown
// errors are logged by type alone: their text may hold a person's data.
func logFailure(ctx context.Context, log *zap.Logger, err error) {
	info := activity.GetInfo(ctx)
	fields := []zap.Field{
		zap.String("activity", info.ActivityType.Name), zap.Int32("attempt", info.Attempt),
		zap.String("workflow_id", info.WorkflowExecution.ID),
	}
	var (
		not     *notYet
		refusal *Refusal
		vendor  *connectors.Error
		ours    *schema.Error
	)
	switch {
	case errors.As(err, &not):
		log.Debug(not.what, fields...)
	case errors.As(err, &refusal):
		log.Warn("step refused", append(fields, zap.String("code", string(refusal.Code)))...)
	case errors.As(err, &vendor):
		log.Warn("vendor call failed", append(fields, zap.String("error", vendor.Error()))...)
	case errors.As(err, &ours):
		log.Warn("activity failed", append(fields, zap.String("code", string(ours.Code)))...)
	default:
		log.Error("activity failed", append(fields, zap.String("error_type", typeName(err)))...)
	}
}

// typeName names the innermost error's Go type, which is free of data.
func typeName(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return fmt.Sprintf("%T", err)
		}
		err = inner
	}
}
