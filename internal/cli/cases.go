package cli

import "sendoff/internal/apiclient"

type casesCommands struct {
	List        listCasesCommand    `cmd:"" help:"List cases, newest first."`
	Show        showCaseCommand     `cmd:"" help:"Show a case."`
	Watch       watchCasesCommand   `cmd:"" help:"Follow cases live until they end, or Ctrl-C."`
	Report      reportCaseCommand   `cmd:"" help:"Everything known about a case, for the file."`
	Approve     approveCaseCommand  `cmd:"" help:"Approve what a hash covers."`
	Resume      resumeCaseCommand   `cmd:"" help:"Let parked accounts run again."`
	Waive       waiveStepCommand    `cmd:"" help:"Leave a step out and go on."`
	MoveDate    moveDateCommand     `cmd:"" help:"Move the begin of a case, or the end of its wait."`
	SetReceiver setReceiverCommand  `cmd:"" help:"Name other receivers."`
	Complete    completeStepCommand `cmd:"" help:"Tell that a manual step is done."`
	ReleaseLane releaseLaneCommand  `cmd:"" help:"Let other transfers use the accounts of a stalled one."`
	Cancel      cancelCaseCommand   `cmd:"" help:"Cancel what is open and restore access."`
}

type listCasesCommand struct {
	State string `help:"Only cases in this state, such as parked."`
	Email string `help:"Only cases of this address."`
	Limit int    `default:"100" help:"How many at most."`
}

// Run lists cases.
func (c *listCasesCommand) Run(in *invocation) error {
	if c.Limit < 1 {
		return usage("--limit is below 1", "give how many cases to list")
	}
	api, err := in.client()
	if err != nil {
		return err
	}
	cases, cursor := []apiclient.Case{}, ""
	for len(cases) < c.Limit {
		page, err := api.Cases(in.ctx, c.State, c.Email, cursor, min(c.Limit-len(cases), 500))
		if err != nil {
			return err
		}
		cases = append(cases, page.Cases...)
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	return in.result(map[string]any{"cases": cases, "next": cursor}, func() {
		var rows [][]string
		for _, one := range cases {
			rows = append(rows, []string{one.CaseID, one.State, one.Email, one.Template, atOr(one.EffectiveAt, "at once"), at(one.CreatedAt), one.RequestedBy})
		}
		in.table("CASE|STATE|EMAIL|TEMPLATE|BEGINS|MADE|BY", rows)
		if cursor != "" {
			in.note("There are more; raise --limit.")
		}
	})
}

type caseArg struct {
	Case string `arg:"" help:"Id of the case, 8 or more characters of it, or the address of an open one."`
}

type showCaseCommand struct{ caseArg }

// Run shows a case.
func (c *showCaseCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	got, err := api.Case(in.ctx, c.Case)
	if err != nil {
		return err
	}
	return in.result(got, func() { in.printCase(got) })
}

func (in *invocation) printCase(c apiclient.Case) {
	in.print("case       %s", c.CaseID)
	in.print("leaver     %s", c.Email)
	in.print("state      %s", c.State)
	in.print("template   %s, grace %s", c.Template, c.Grace)
	in.print("begins     %s", atOr(c.EffectiveAt, "at once"))
	in.printCaseLeaver(c.Leaver)
	in.print("made       %s by %s", at(c.CreatedAt), c.RequestedBy)
	in.print("hash       %s", c.Hash)
	for _, a := range c.Accounts {
		in.print("")
		in.print("%s account %s: %s", a.Connection, a.AccountID, progressOf(a))
		if d := a.CauseDetail; d != nil {
			in.print("  parked %s: %s: %s", at(d.At), a.Cause, d.Message)
			in.print("  fix (%s): %s", d.Owner, d.Fix)
		}
		in.printSteps("  ", a.Steps)
	}
}

func (in *invocation) printSteps(indent string, steps []apiclient.Step) {
	var rows [][]string
	for _, s := range steps {
		rows = append(rows, []string{indent + s.Kind, s.State, atOr(s.StartedAt, ""), atOr(s.FinishedAt, ""), proofText(s.Proof)})
	}
	in.table(indent+"STEP|STATE|STARTED|FINISHED|PROOF", rows)
}

type watchCasesCommand struct {
	Cases []string `arg:"" help:"Ids of cases, beginnings of ids, or addresses."`
}

// Run follows cases. With JSON it writes one line for each change.
func (c *watchCasesCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	var cases []apiclient.Case
	for _, ref := range c.Cases {
		one, err := api.Case(in.ctx, ref)
		if err != nil {
			return err
		}
		cases = append(cases, one)
	}
	return in.watch(api, cases)
}

type approveCaseCommand struct {
	caseArg
	Hash   string `required:"" help:"Hash of the case that was looked at; cases show prints it."`
	Reason string `help:"Why; kept in the audit trail."`
}

// Run approves.
func (c *approveCaseCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	got, err := api.Approve(in.ctx, c.Case, c.Hash, c.Reason)
	if err != nil {
		return err
	}
	return in.decided("Approved", got)
}
