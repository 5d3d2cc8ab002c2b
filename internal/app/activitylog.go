package app

import (
	"context"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"sendoff/activities"
	"sendoff/schema"
	"sendoff/workflows"
)

// planReader is where a log line learns which case and step a plan is at.
type planReader interface {
	Plan(ctx context.Context, id schema.PlanID) (schema.Plan, error)
}

// activityLog is the engine's interceptor with a log of its own for each attempt:
// its lines say which case, plan and step it works on.
type activityLog struct {
	interceptor.WorkerInterceptorBase
	log   *zap.Logger
	plans planReader
}

// InterceptActivity implements interceptor.WorkerInterceptor.
func (l *activityLog) InterceptActivity(ctx context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	in := &activityLogInbound{root: l}
	in.Next = next
	return in
}

type activityLogInbound struct {
	interceptor.ActivityInboundInterceptorBase
	root *activityLog
}

// ExecuteActivity implements interceptor.ActivityInboundInterceptor.
func (i *activityLogInbound) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	// Lazily: most attempts write no line, and those that do are worth a query.
	log := i.root.log.WithLazy(zap.Inline(&attempt{ctx: ctx, plans: i.root.plans, args: in.Args}))
	began := time.Now()
	out, err := activities.Interceptor(log).InterceptActivity(ctx, i.Next).ExecuteActivity(ctx, in)
	if err == nil {
		log.Debug("activity done", zap.String("activity", activity.GetInfo(ctx).ActivityType.Name), zap.Duration("took", time.Since(began)))
	}
	return out, err
}

// attempt is one attempt of an activity, as its log lines name it.
type attempt struct {
	ctx   context.Context //nolint:containedctx // an attempt is one call
	plans planReader
	args  []any
}

// lookupPatience bounds the query for a log line.
const lookupPatience = time.Second

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (a *attempt) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	if span := trace.SpanContextFromContext(a.ctx); span.IsValid() {
		enc.AddString("trace_id", span.TraceID().String())
	}
	id := activity.GetInfo(a.ctx).WorkflowExecution.ID
	if found, ok := strings.CutPrefix(id, workflows.OffboardingID("")); ok {
		enc.AddString("case_id", found)
		return nil
	}
	plan, ok := strings.CutPrefix(id, workflows.DeprovisionID(""))
	if !ok {
		return nil
	}
	enc.AddString("plan_id", plan)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(a.ctx), lookupPatience)
	defer cancel()
	p, err := a.plans.Plan(ctx, schema.PlanID(plan))
	if err != nil {
		return nil //nolint:nilerr // the line is worth more than what it lacks
	}
	enc.AddString("case_id", string(p.CaseID))
	index := p.CurrentStep
	for _, arg := range a.args {
		if step, ok := arg.(activities.StepInput); ok {
			index = step.Ref.Index
		}
	}
	if index >= 0 && index < len(p.Steps) {
		enc.AddString("step", string(p.Steps[index].Kind))
	}
	return nil
}
