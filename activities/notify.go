package activities

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"sendoff/schema"
)

// Notify tells people or machines what a notify step's template says. That their
// servers accepted the notice is the proof (promise 3's exception).
func (a *Activities) Notify(ctx context.Context, in StepInput) error {
	plan, err := a.store.BeginStep(ctx, in.Ref)
	if err != nil {
		return err
	}
	step, ok := plan.Step(in.Ref.Index)
	if !ok {
		return errors.New("the plan has no such step")
	}
	if step.State.Finished() {
		return nil // an earlier try did, and its answer was lost
	}
	if a.notifier == nil {
		return noticeRefusal("no mail server and no webhook is configured")
	}
	conn, err := a.store.Connection(ctx, plan.ConnectionID)
	if err != nil {
		return err
	}
	err = a.notifier.Notify(ctx, Notice{
		Channel: step.Params.Channel, To: step.Params.To, Message: fillNotice(step.Params.Message, plan, conn, in.Ref.Index),
		CaseID: plan.CaseID, PlanID: plan.ID, Step: in.Ref.Index, Key: string(plan.ID) + "/" + strconv.Itoa(in.Ref.Index),
	})
	var refused *schema.Error
	if errors.As(err, &refused) && (refused.Code == schema.CodeInvalid || refused.Code == schema.CodeRefused) {
		return noticeRefusal(refused.Message)
	}
	if err != nil {
		return err
	}
	return a.store.CompleteStep(ctx, in.Ref, schema.StepDone, map[string]string{
		"accepted": "true", "channel": string(step.Params.Channel), "recipients": strconv.Itoa(len(step.Params.To)),
	})
}

func noticeRefusal(message string) error {
	return &Refusal{
		Code: schema.ParkNoticeFailed, Message: "the notice was not accepted: " + message,
		Fix: "mend the configuration or the recipient, then resume; or leave the notice out: sendoff cases waive",
	}
}

// fillNotice puts ids in the place of a message's placeholders.
func fillNotice(message string, plan schema.Plan, conn schema.Connection, step int) string {
	return strings.NewReplacer(
		"{{case}}", string(plan.CaseID), "{{plan}}", string(plan.ID), "{{step}}", strconv.Itoa(step),
		"{{account}}", string(plan.Facts.AccountID), "{{connection}}", conn.Name,
	).Replace(message)
}

// TaskResult says whether a manual step was completed, or how long it has left.
type TaskResult struct {
	Done bool          `json:"done"`
	Left time.Duration `json:"left"`
}

// Task begins or looks at a manual step. Somebody's decision completes it, with
// their evidence; when its time is over it parks, and a resume gives it again.
func (a *Activities) Task(ctx context.Context, in StepInput) (TaskResult, error) {
	plan, err := a.store.BeginStep(ctx, in.Ref)
	if err != nil {
		return TaskResult{}, err
	}
	step, ok := plan.Step(in.Ref.Index)
	if !ok {
		return TaskResult{}, errors.New("the plan has no such step")
	}
	if step.State == schema.StepDone {
		return TaskResult{Done: true}, nil
	}
	until := plan.WaitUntil
	if until.IsZero() {
		until = a.now().Add(a.clocks.PlanWait(step.Wait()))
	}
	left := until.Sub(a.now())
	if left <= 0 {
		return TaskResult{}, &Refusal{
			Code: schema.ParkManualOverdue, Message: "nobody completed the task of step " + strconv.Itoa(in.Ref.Index) + " within " + step.Wait().String(),
			Fix: "do it and complete it: sendoff cases complete; or leave it out: sendoff cases waive; resume gives it the same time again",
		}
	}
	return TaskResult{Left: left}, a.store.WaitStep(ctx, in.Ref, until)
}
