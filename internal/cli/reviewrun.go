package cli

import (
	"fmt"
	"strings"
	"time"

	"sendoff/internal/apiclient"
	"sendoff/schema"
)

type runPolicyCommand struct {
	policyArg
	ReportOnly bool `help:"Look and count, and do nothing."`
	Wait       bool `help:"Show the progress and wait until it has ended or needs somebody."`
}

// Run asks for a review run.
func (c *runPolicyCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	mode := string(schema.ReviewActs)
	if c.ReportOnly {
		mode = string(schema.ReviewReports)
	}
	r, err := api.RequestReview(in.ctx, c.Policy, mode)
	if err != nil {
		return err
	}
	if c.Wait {
		return in.waitReview(api, r.ID)
	}
	return in.result(r, func() {
		in.print("Review %s of policy %s begins (%s).", r.ID, r.Policy, strings.ReplaceAll(r.Mode, "_", " "))
		in.note("Follow with: sendoff policy reviews show %s --wait", r.ID)
	})
}

// waitReview follows a run on stderr until it has ended, or only people can take it
// further: those who release, approve or answer.
func (in *invocation) waitReview(api *apiclient.Client, id string) error {
	r, err := in.followReview(api, id)
	if err != nil {
		if in.ctx.Err() != nil {
			in.note("No longer waiting; the review goes on. See: sendoff policy reviews show %s", id)
			return exitStatus(ExitInternal)
		}
		return err
	}
	_ = in.result(map[string]any{"review": r.Review, "items": r.Items}, func() { in.printReview(r) })
	return exitOfReview(r.Review).orNil()
}

func (in *invocation) followReview(api *apiclient.Client, id string) (apiclient.ReviewReport, error) {
	pause, away, last := pollFirst, time.Time{}, ""
	for {
		r, err := api.ReviewReport(in.ctx, id)
		switch {
		case err == nil:
			away = time.Time{}
			if text := reviewText(r); text != last {
				last = text
				in.note("%s  %s", at(time.Now()), text)
			}
			if reviewRests(r) {
				return r, nil
			}
		case exitCodeOf(err) != ExitUnreachable || in.ctx.Err() != nil:
			return r, err
		case away.IsZero():
			away = time.Now()
			in.note("The server does not answer; trying for %s more. The review goes on without it being watched.", patience)
		case time.Since(away) > patience:
			return r, err
		}
		if err := sleep(in.ctx, pause); err != nil {
			return r, err
		}
		pause = min(pause*3/2, pollMax)
	}
}

// reviewText says in one line how far a run is.
func reviewText(r apiclient.ReviewReport) string {
	parts := []string{r.Review.Policy + " " + reviewState(r.Review)}
	if r.Review.JudgedAt != nil {
		parts = append(parts, fmt.Sprintf("looked at %d, matched %d", r.Review.Looked, r.Review.Matched))
	}
	for _, c := range r.Items {
		parts = append(parts, fmt.Sprintf("%s %d", c.State, c.Count))
	}
	return strings.Join(parts, ", ")
}

// reviewRests tells whether a run has ended, or goes on only when somebody releases,
// approves or answers, or when a budget has room again.
func reviewRests(r apiclient.ReviewReport) bool {
	switch schema.ReviewState(r.Review.State) {
	case schema.ReviewEnded, schema.ReviewHeld, schema.ReviewApproving:
		return true
	case schema.ReviewActing:
		if r.Review.BudgetWait != nil {
			return true // a day, mostly
		}
		asking := false
		for _, c := range r.Items {
			state := schema.ItemState(c.State)
			if c.Count > 0 && !state.Ended() && state != schema.ItemAsking {
				return false
			}
			asking = asking || (c.Count > 0 && state == schema.ItemAsking)
		}
		return asking
	}
	return false
}

// exitOfReview is the exit code of a run that was waited for.
func exitOfReview(r apiclient.Review) exitStatus {
	switch schema.ReviewState(r.State) {
	case schema.ReviewHeld, schema.ReviewApproving:
		return ExitParked
	}
	switch schema.ReviewEnd(r.End) {
	case schema.ReviewStale, schema.ReviewTooMany, schema.ReviewDark:
		return ExitRefused
	case schema.ReviewFailed:
		return ExitParked
	case schema.ReviewDiscarded, schema.ReviewCancelled:
		return ExitCancelled
	}
	return ExitDone
}
