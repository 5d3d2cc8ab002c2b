package cli

import (
	"os"
	"strings"
	"time"

	"sendoff/internal/apiclient"
	"sendoff/internal/intake"
	"sendoff/schema"
)

// planFlags name one plan of a case.
type planFlags struct {
	Account string `placeholder:"ACCOUNT" xor:"plan" help:"Only this account of the case: the vendor's id, CONNECTION/ID, or the login."`
	Plan    string `placeholder:"ID" xor:"plan" help:"Only this plan of the case, by its id."`
}

func (f planFlags) decide(reason string) apiclient.Decide {
	return apiclient.Decide{PlanID: f.Plan, Account: f.Account, Reason: reason}
}

type yesFlag struct {
	Yes bool `short:"y" help:"Do not ask."`
}

type reasonFlag struct {
	Reason string `required:"" help:"Why; kept in the audit trail."`
}

// The meanings that are said before a dangerous decision.
const (
	meansSendAgain = "The content transfer is sent once more. The vendor may still be at the first one: a second destination folder may appear, and items may be spread over both. It works only after the transfer stalled."
	meansReactive  = "The account is made active for the time of the transfer's call, and suspended again when that ends: its holder can sign in meanwhile. Sessions are ended again after it."
	meansWaive     = "The step is left out for good, and the plan goes on as if it were done."
	meansTransfer  = " Waiving the transfer leaves the content where it is, and waives the delete too: the account stays, suspended."
	meansRelease   = "Other transfers may use the accounts of the stalled one from now on. If the vendor is still at it, two run at once for an account."
)

type resumeCaseCommand struct {
	caseArg
	planFlags
	reasonFlag
	yesFlag
	SendAgain  bool `xor:"how" help:"Send a stalled transfer anew; a second destination folder may appear."`
	Reactivate bool `xor:"how" help:"Let a refused transfer make its suspended source active for the call."`
}

// Run resumes.
func (c *resumeCaseCommand) Run(in *invocation) error {
	kind, means := schema.DecideResume, ""
	switch {
	case c.SendAgain:
		kind, means = schema.DecideSendAgain, meansSendAgain
	case c.Reactivate:
		kind, means = schema.DecideReactivate, meansReactive
	}
	return in.decideAfter(means, c.Yes, "Resumed", c.Case, kind, c.decide(c.Reason))
}

type waiveStepCommand struct {
	caseArg
	planFlags
	reasonFlag
	yesFlag
	Step string `placeholder:"KIND" help:"Which step, such as transfer; the one that the plan is parked or waiting in when left out."`
}

// Run waives a step.
func (c *waiveStepCommand) Run(in *invocation) error {
	means := meansWaive
	if c.Step == "" || c.Step == string(schema.StepTransfer) {
		means += meansTransfer
	}
	d := c.decide(c.Reason)
	d.Step = c.Step
	return in.decideAfter(means, c.Yes, "Waived a step of", c.Case, schema.DecideWaive, d)
}

type moveDateCommand struct {
	caseArg
	planFlags
	reasonFlag
	To string `required:"" placeholder:"TIME" help:"When it begins, or its wait ends: 2026-12-01T18:00:00+01:00 or \"2026-12-01 18:00 Europe/Berlin\"."`
}

// Run moves a date.
func (c *moveDateCommand) Run(in *invocation) error {
	to, err := intake.ParseInstant(c.To)
	if err != nil {
		return usage("the command line cannot be used; nothing was moved", "", apiclient.Problem{Where: "--to", Message: err.Error(), Fix: "write it with its zone"})
	}
	d := c.decide(c.Reason)
	d.To = to.Format(time.RFC3339)
	return in.decide("Moved the date of", c.Case, schema.DecideMoveDate, d)
}

type setReceiverCommand struct {
	caseArg
	reasonFlag
	TransferTo []string `required:"" placeholder:"EMAIL" sep:"none" help:"Who gets the content of every account of the case, by login or rule (manager, manager-of-manager, department-owner); repeat it for further choices."`
}

// Run sets other receivers.
func (c *setReceiverCommand) Run(in *invocation) error {
	return in.decide("Set the receivers of", c.Case, schema.DecideSetReceiver, apiclient.Decide{Receivers: c.TransferTo, Reason: c.Reason})
}

type completeStepCommand struct {
	caseArg
	planFlags
	Evidence string `required:"" help:"What shows that the task is done, such as a ticket; kept as its proof."`
}

// Run completes a manual step.
func (c *completeStepCommand) Run(in *invocation) error {
	d := c.decide("")
	d.Evidence = c.Evidence
	return in.decide("Completed the manual step of", c.Case, schema.DecideComplete, d)
}

type releaseLaneCommand struct {
	caseArg
	planFlags
	reasonFlag
	yesFlag
}

// Run releases a lane.
func (c *releaseLaneCommand) Run(in *invocation) error {
	return in.decideAfter(meansRelease, c.Yes, "Released the lane of", c.Case, schema.DecideReleaseLane, c.decide(c.Reason))
}

// decideAfter decides after it said what that means and was told to.
func (in *invocation) decideAfter(means string, yes bool, done, ref string, kind schema.DecisionKind, d apiclient.Decide) error {
	if means != "" {
		in.note("%s", means)
		if !yes && !in.confirms("Do this? [y/N] ") {
			return usage("nothing was decided", "answer y, or give --yes")
		}
	}
	return in.decide(done, ref, kind, d)
}

func (in *invocation) decide(done, ref string, kind schema.DecisionKind, d apiclient.Decide) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	got, err := api.Decide(in.ctx, ref, string(kind), d)
	if err != nil {
		return translateDecision(err)
	}
	return in.decided(done, got)
}

// decided shows a decision, and what it asks for next.
func (in *invocation) decided(done string, got apiclient.Decided) error {
	in.warn(got.Warnings)
	return in.result(got, func() {
		in.print("%s case %s: %s (decision %s by %s).", done, got.Case.CaseID, got.Case.State, got.Decision.DecisionID, got.Decision.Principal)
		if got.Case.Hash == got.HashBefore {
			return
		}
		in.print("What would run has changed: its hash is %s now.", got.Case.Hash)
		if n := got.ApprovalsNeeded; n > 0 {
			in.print("It needs approval by %d again: sendoff cases approve %s --hash %s", n, got.Case.CaseID, got.Case.Hash)
		} else {
			in.print("No approval is needed.")
		}
	})
}

// translateDecision names the flags that were typed, where the server names
// members of the request.
func translateDecision(err error) error {
	e, ok := err.(*apiclient.Error) //nolint:errorlint // the client returns it unwrapped
	if !ok {
		return err
	}
	flags := map[string]string{
		"plan_id": "--plan", "account": "--account", "step": "--step", "to": "--to", "evidence": "--evidence", "receivers": "--transfer-to", "reason": "--reason",
	}
	for i, p := range e.Problems {
		name, rest, found := strings.Cut(p.Where, " ")
		name, _, _ = strings.Cut(name, "[")
		if flag, ok := flags[name]; ok {
			if found {
				flag += " " + rest
			}
			e.Problems[i].Where = flag
		}
	}
	return e
}

type cancelCaseCommand struct {
	caseArg
	planFlags
	reasonFlag
	yesFlag
}

// Run cancels, and says first what comes back and what does not. It asks a person
// alone: a script that stops something is not held up by a question.
func (c *cancelCaseCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	undo, err := api.Undo(in.ctx, c.Case)
	if err != nil {
		return err
	}
	in.sayUndo(undo, c.planFlags)
	if !c.Yes && in.person() && !in.confirms("Cancel? [y/N] ") {
		return usage("nothing was cancelled", "answer y, or give --yes")
	}
	return in.decide("Cancelling", c.Case, schema.DecideCancel, c.decide(c.Reason))
}

// sayUndo says what a cancel does, of the plan named or of all.
func (in *invocation) sayUndo(u apiclient.Undo, only planFlags) {
	for _, a := range u.Accounts {
		if schema.PlanState(a.State).Ended() || (only.Plan != "" && !strings.HasPrefix(a.PlanID, strings.ToLower(only.Plan))) {
			continue
		}
		in.note("%s account %s (%s):", a.Connection, a.AccountID, a.State)
		if len(a.BroughtBack)+len(a.NotBroughtBack) == 0 {
			in.note("  Nothing was changed yet.")
		}
		for _, what := range a.BroughtBack {
			in.note("  brought back:     %s", what)
		}
		for _, what := range a.NotBroughtBack {
			in.note("  not brought back: %s", what)
		}
	}
}

// person tells whether somebody at a terminal can answer. The null device is a
// device too, and what programs that nobody watches have as their input.
func (in *invocation) person() bool {
	f, ok := in.stdin.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err == nil && !os.SameFile(info, null)
}
