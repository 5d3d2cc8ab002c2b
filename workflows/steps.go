package workflows

import (
	"context"
	"time"

	"go.temporal.io/sdk/workflow"

	"sendoff/activities"
	"sendoff/schema"
)

// acts is never set: it only names the activities. This file is the one place
// that does.
var acts *activities.Activities

// call executes an activity whose argument and result types the compiler checks.
func call[I, O any](ctx workflow.Context, o workflow.ActivityOptions, fn func(context.Context, I) (O, error), in I) (out O, err error) {
	err = workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, o), fn, in).Get(ctx, &out)
	return out, err
}

// run is call for an activity without a result.
func run[I any](ctx workflow.Context, o workflow.ActivityOptions, fn func(context.Context, I) error, in I) error {
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, o), fn, in).Get(ctx, nil)
}

func loadCase(ctx workflow.Context, id schema.CaseID) (activities.CaseOutline, error) {
	return call(ctx, database(), acts.LoadCase, activities.CaseInput{CaseID: id})
}

func readAhead(ctx workflow.Context, id schema.CaseID) error {
	return run(ctx, ahead(), acts.ReadAhead, activities.CaseInput{CaseID: id})
}

func closeCase(ctx workflow.Context, id schema.CaseID) error {
	return run(ctx, database(), acts.CloseCase, activities.CaseInput{CaseID: id})
}

func endCancelled(ctx workflow.Context, id schema.CaseID) error {
	return run(ctx, database(), acts.EndCancelled, activities.CaseInput{CaseID: id})
}

func loadPlan(ctx workflow.Context, id schema.PlanID) (activities.PlanOutline, error) {
	return call(ctx, database(), acts.LoadPlan, activities.PlanInput{PlanID: id})
}

func park(ctx workflow.Context, id schema.PlanID, cause schema.Cause) error {
	return run(ctx, database(), acts.Park, activities.ParkInput{PlanID: id, Cause: cause})
}

func parkUndo(ctx workflow.Context, id schema.PlanID, cause schema.Cause) error {
	return run(ctx, database(), acts.Park, activities.ParkInput{PlanID: id, Cause: cause, Undo: true})
}

func finish(ctx workflow.Context, id schema.PlanID, to schema.PlanState) error {
	return run(ctx, database(), acts.Finish, activities.FinishInput{PlanID: id, State: to})
}

func wait(ctx workflow.Context, ref schema.StepRef) (activities.WaitResult, error) {
	return call(ctx, database(), acts.Wait, activities.WaitInput{Ref: ref})
}

func takeSnapshot(ctx workflow.Context, ref schema.StepRef) error {
	return run(ctx, snapshot(), acts.Snapshot, activities.StepInput{Ref: ref})
}

func suspend(ctx workflow.Context, ref schema.StepRef) error {
	return run(ctx, shut(), acts.Suspend, activities.StepInput{Ref: ref})
}

func reactivate(ctx workflow.Context, ref schema.StepRef) error {
	return run(ctx, vendor(), acts.Reactivate, activities.StepInput{Ref: ref})
}

func revokeSessions(ctx workflow.Context, ref schema.StepRef) error {
	return run(ctx, shut(), acts.RevokeSessions, activities.StepInput{Ref: ref})
}

func deleteAccount(ctx workflow.Context, ref schema.StepRef) (activities.DeleteStatus, error) {
	return call(ctx, vendor(), acts.Delete, activities.StepInput{Ref: ref})
}

func restoreStatus(ctx workflow.Context, id schema.PlanID) error {
	return run(ctx, vendor(), acts.RestoreStatus, activities.UndoInput{PlanID: id})
}

func removeFromGroups(ctx workflow.Context, ref schema.StepRef) error {
	return run(ctx, vendor(), acts.RemoveFromGroups, activities.StepInput{Ref: ref})
}

func notify(ctx workflow.Context, ref schema.StepRef) error {
	return run(ctx, vendor(), acts.Notify, activities.StepInput{Ref: ref})
}

func task(ctx workflow.Context, ref schema.StepRef) (activities.TaskResult, error) {
	return call(ctx, database(), acts.Task, activities.StepInput{Ref: ref})
}

func openWindow(ctx workflow.Context, ref schema.StepRef) error {
	return run(ctx, vendor(), acts.OpenWindow, activities.StepInput{Ref: ref})
}

func closeWindow(ctx workflow.Context, id schema.PlanID) error {
	return run(ctx, closing(), acts.CloseWindow, activities.UndoInput{PlanID: id})
}

func setRole(ctx workflow.Context, ref schema.StepRef) error {
	return run(ctx, vendor(), acts.SetRole, activities.StepInput{Ref: ref})
}

func restoreRole(ctx workflow.Context, id schema.PlanID) error {
	return run(ctx, vendor(), acts.RestoreRole, activities.UndoInput{PlanID: id})
}

func restoreGroups(ctx workflow.Context, id schema.PlanID) error {
	return run(ctx, vendor(), acts.RestoreGroups, activities.UndoInput{PlanID: id})
}

func restoreAccess(ctx workflow.Context, id schema.PlanID) error {
	return run(ctx, vendor(), acts.RestoreAccess, activities.UndoInput{PlanID: id})
}

func enterTransfer(ctx workflow.Context, ref schema.StepRef) (activities.TransferStatus, error) {
	return call(ctx, vendor(), acts.EnterTransfer, activities.StepInput{Ref: ref})
}

func sendTransfer(ctx workflow.Context, ref schema.StepRef) (activities.TransferStatus, error) {
	return call(ctx, send(), acts.SendTransfer, activities.StepInput{Ref: ref})
}

// sendInWindow is sendTransfer while the source is active for the call: it does
// not wait for a worker that is busy.
func sendInWindow(ctx workflow.Context, ref schema.StepRef) (activities.TransferStatus, error) {
	o := send()
	o.ScheduleToStartTimeout = time.Minute
	return call(ctx, o, acts.SendTransfer, activities.StepInput{Ref: ref})
}

func inspectTransfer(ctx workflow.Context, ref schema.StepRef) (activities.TransferStatus, error) {
	return call(ctx, database(), acts.InspectTransfer, activities.StepInput{Ref: ref})
}

func stopTransfer(ctx workflow.Context, ref schema.StepRef) (activities.TransferStatus, error) {
	return call(ctx, database(), acts.StopTransfer, activities.StepInput{Ref: ref})
}

func rearmTransfer(ctx workflow.Context, ref schema.StepRef) (activities.TransferStatus, error) {
	return call(ctx, database(), acts.RearmTransfer, activities.StepInput{Ref: ref})
}

func reopenTransfer(ctx workflow.Context, ref schema.StepRef) (activities.TransferStatus, error) {
	return call(ctx, database(), acts.ReopenTransfer, activities.StepInput{Ref: ref})
}

func settleTransfer(ctx workflow.Context, ref schema.StepRef) (activities.TransferStatus, error) {
	return call(ctx, settle(), acts.SettleTransfer, activities.StepInput{Ref: ref})
}

func completeTransfer(ctx workflow.Context, ref schema.StepRef) error {
	return run(ctx, database(), acts.CompleteTransfer, activities.StepInput{Ref: ref})
}

// leavers, deliveries, polls, reviews and campaigns name activities as acts does.
var (
	leavers    *activities.Leavers
	deliveries *activities.Deliveries
	polls      *activities.Polls
	reviews    *activities.Reviews
	campaigns  *activities.Campaigns
)

func settleLeaver(ctx workflow.Context, id schema.LeaverID) (activities.LeaverResult, error) {
	return call(ctx, vendor(), leavers.SettleLeaver, activities.LeaverInput{LeaverID: id})
}

func deliverNotice(ctx workflow.Context, id schema.NoticeID) error {
	return run(ctx, delivery(), deliveries.DeliverNotice, activities.DeliverInput{NoticeID: id})
}

func abandonNotice(ctx workflow.Context, id schema.NoticeID) error {
	return run(ctx, database(), deliveries.AbandonNotice, activities.DeliverInput{NoticeID: id})
}

func pollSource(ctx workflow.Context, id schema.SourceID) error {
	_, err := call(ctx, poll(), polls.PollSource, activities.PollInput{SourceID: id})
	return err
}

func giveUpPoll(ctx workflow.Context, id schema.SourceID) error {
	return run(ctx, database(), polls.GiveUpPoll, activities.PollInput{SourceID: id})
}

func beginReview(ctx workflow.Context, in activities.BeginReviewInput) (activities.ReviewOutline, error) {
	return call(ctx, database(), reviews.BeginReview, in)
}

func loadReview(ctx workflow.Context, id schema.ReviewID) (activities.ReviewOutline, error) {
	return call(ctx, database(), reviews.LoadReview, activities.ReviewInput{ReviewID: id})
}

func gatherFacts(ctx workflow.Context, id schema.ReviewID) (activities.Piece, error) {
	return call(ctx, database(), reviews.GatherFacts, activities.ReviewInput{ReviewID: id})
}

func judgeAccounts(ctx workflow.Context, id schema.ReviewID) error {
	return run(ctx, judging(), reviews.JudgeAccounts, activities.ReviewInput{ReviewID: id})
}

func planItems(ctx workflow.Context, id schema.ReviewID) (activities.Piece, error) {
	return call(ctx, ahead(), reviews.PlanItems, activities.ReviewInput{ReviewID: id})
}

func endPlanning(ctx workflow.Context, id schema.ReviewID) error {
	return run(ctx, database(), reviews.EndPlanning, activities.ReviewInput{ReviewID: id})
}

func askItems(ctx workflow.Context, id schema.ReviewID) (activities.Piece, error) {
	return call(ctx, judging(), reviews.AskItems, activities.ReviewInput{ReviewID: id})
}

func actOnItems(ctx workflow.Context, id schema.ReviewID) (activities.Piece, error) {
	return call(ctx, ahead(), reviews.ActOnItems, activities.ReviewInput{ReviewID: id})
}

func endReview(ctx workflow.Context, id schema.ReviewID, end schema.ReviewEnd, why string) error {
	return run(ctx, database(), reviews.EndReview, activities.EndReviewInput{ReviewID: id, End: end, Why: why})
}
