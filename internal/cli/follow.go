package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"sendoff/internal/apiclient"
	"sendoff/schema"
)

const (
	pollFirst = 250 * time.Millisecond
	pollMax   = 2 * time.Second
	// patience is how long a server may be away while a case is followed: it
	// may be restarted, and the case goes on.
	patience = 2 * time.Minute
)

// wait follows cases on stderr until each is done, parked or cancelled; the exit
// code is that of the worst. list says whether JSON is a list even for one.
func (in *invocation) wait(api *apiclient.Client, cases []apiclient.Case, list bool) error {
	settled := func(state string) bool {
		return state == string(schema.PlanParked) || schema.PlanState(state).Ended()
	}
	cases, err := in.follow(api, cases, settled, in.progress(in.stderr))
	if err != nil {
		if in.ctx.Err() != nil {
			in.note("No longer waiting; the cases go on. See: sendoff cases list")
			return exitStatus(ExitInternal)
		}
		return err
	}
	_ = in.result(caseShape(cases, list), func() { in.printOutcome(cases) })
	worst := exitStatus(ExitDone)
	for _, c := range cases {
		worst = worse(worst, exitOfState(c.State))
	}
	return worst.orNil()
}

// watch follows cases on stdout until each has ended, or Ctrl-C.
func (in *invocation) watch(api *apiclient.Client, cases []apiclient.Case) error {
	show := in.progress(in.stdout)
	if in.json {
		show = jsonChanges(in.stdout)
	}
	_, err := in.follow(api, cases, func(state string) bool { return schema.PlanState(state).Ended() }, show)
	if in.ctx.Err() != nil {
		return nil // Ctrl-C is how a watch ends
	}
	return err
}

// follow reads the cases again and again until all are over.
func (in *invocation) follow(api *apiclient.Client, cases []apiclient.Case, over func(state string) bool, show func([]apiclient.Case)) ([]apiclient.Case, error) {
	cases = slices.Clone(cases)
	pause, away := pollFirst, time.Time{}
	for {
		show(cases)
		if !slices.ContainsFunc(cases, func(c apiclient.Case) bool { return !over(c.State) }) {
			return cases, nil
		}
		if err := sleep(in.ctx, pause); err != nil {
			return cases, err
		}
		pause = min(pause*3/2, pollMax)
		err := refresh(in.ctx, api, cases, over)
		switch {
		case err == nil:
			away = time.Time{}
		case exitCodeOf(err) != ExitUnreachable || in.ctx.Err() != nil:
			return cases, err
		case away.IsZero():
			away = time.Now()
			in.note("The server does not answer; trying for %s more. The cases go on without it being watched.", patience)
		case time.Since(away) > patience:
			return cases, err
		}
	}
}

// refresh reads each case that is not over.
func refresh(ctx context.Context, api *apiclient.Client, cases []apiclient.Case, over func(string) bool) error {
	for i, c := range cases {
		if over(c.State) {
			continue
		}
		now, err := api.Case(ctx, c.CaseID)
		if err != nil {
			return err
		}
		cases[i] = now
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// progress shows cases live: redrawn in place on a terminal, else a line for
// each change.
func (in *invocation) progress(out io.Writer) func([]apiclient.Case) {
	if in.terminal(out) {
		return redraw(out)
	}
	last := map[string]string{}
	return func(cases []apiclient.Case) {
		for _, l := range progressLines(cases) {
			if last[l.key] != l.text {
				last[l.key] = l.text
				_, _ = fmt.Fprintf(out, "%s  %s\n", at(time.Now()), l.text)
			}
		}
	}
}

// What redraw needs of a terminal (ECMA-48; DECAWM): lines are cut at the right
// edge instead of wrapped, because a wrapped line would count as two.
const (
	cursorUp  = "\x1b[%dA"
	clearDown = "\x1b[J"
	noWrap    = "\x1b[?7l"
	wrap      = "\x1b[?7h"
	// maxDrawn is how many lines are redrawn: the cursor cannot go up beyond
	// the screen.
	maxDrawn = 20
)

func redraw(out io.Writer) func([]apiclient.Case) {
	drawn := 0
	return func(cases []apiclient.Case) {
		var b strings.Builder
		if drawn > 0 {
			fmt.Fprintf(&b, cursorUp, drawn)
		}
		b.WriteString(clearDown + noWrap)
		lines := progressLines(cases)
		if hidden := len(lines) - maxDrawn; hidden > 0 {
			// Those still at work first: they are what is watched.
			slices.SortStableFunc(lines, func(a, b progressLine) int { return cmp.Compare(a.rank, b.rank) })
			lines = append(lines[:maxDrawn-1], progressLine{text: fmt.Sprintf("... and %d more", hidden+1)})
		}
		for _, l := range lines {
			b.WriteString(l.text + "\n")
		}
		b.WriteString(wrap)
		drawn = len(lines)
		_, _ = io.WriteString(out, b.String())
	}
}

// jsonChanges writes a case as one line each time it differs.
func jsonChanges(out io.Writer) func([]apiclient.Case) {
	last := map[string]string{}
	return func(cases []apiclient.Case) {
		for _, c := range cases {
			b, _ := json.Marshal(c) // strings, numbers and times alone: cannot fail
			if last[c.CaseID] != string(b) {
				last[c.CaseID] = string(b)
				_, _ = fmt.Fprintln(out, string(b))
			}
		}
	}
}

// progressLine is one account; rank is 0 at work, 1 parked, 2 ended.
type progressLine struct {
	key, text string
	rank      int
}

func rankOf(state string) int {
	switch {
	case schema.PlanState(state).Ended():
		return 2
	case state == string(schema.PlanParked):
		return 1
	}
	return 0
}

func progressLines(cases []apiclient.Case) []progressLine {
	var lines []progressLine
	for _, c := range cases {
		if len(c.Accounts) == 0 {
			lines = append(lines, progressLine{c.CaseID, c.Email + "  " + c.State, rankOf(c.State)})
		}
		for _, a := range c.Accounts {
			lines = append(lines, progressLine{a.PlanID, fmt.Sprintf("%s  %s %s  %s", c.Email, a.Connection, a.AccountID, progressOf(a)), rankOf(a.State)})
		}
	}
	return lines
}

// progressOf says in one line how far an account is.
func progressOf(a apiclient.Account) string {
	parts := []string{a.State}
	if a.Step != "" {
		done := 0
		for _, s := range a.Steps {
			if s.State == string(schema.StepDone) || s.State == string(schema.StepSkipped) {
				done++
			}
		}
		parts = append(parts, fmt.Sprintf("step %s (%d of %d done)", a.Step, done, len(a.Steps)))
	}
	if t := a.Transfer; t != nil && (a.Step == string(schema.StepTransfer) || a.Step == "") {
		parts = append(parts, transferText(*t))
	}
	if a.WaitUntil != nil && a.State == string(schema.PlanWaiting) {
		parts = append(parts, "until "+at(*a.WaitUntil))
	}
	if a.Cause != "" {
		parts = append(parts, a.Cause)
	}
	return strings.Join(parts, ", ")
}

func transferText(t apiclient.Transfer) string {
	switch schema.TransferState(t.State) {
	case schema.TransferSkipped:
		return "transfer skipped: it owns nothing"
	case schema.TransferWaiting:
		return fmt.Sprintf("transfer waiting at position %d", t.Position)
	}
	return fmt.Sprintf("transfer %s, %s left of %s, %d of %d items found", t.State, size(t.BytesLeft), size(t.BytesBefore), t.WitnessesFound, t.WitnessesTotal)
}

func (in *invocation) printOutcome(cases []apiclient.Case) {
	for _, c := range cases {
		in.print("%s: %s (case %s)", c.Email, c.State, c.CaseID)
		for _, a := range c.Accounts {
			in.print("  %s account %s: %s", a.Connection, a.AccountID, progressOf(a))
			if a.CauseDetail != nil {
				in.print("    %s", a.CauseDetail.Message)
				in.print("    fix (%s): %s", a.CauseDetail.Owner, a.CauseDetail.Fix)
			}
		}
	}
}
