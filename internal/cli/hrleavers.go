package cli

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"sendoff/internal/apiclient"
)

type leaverCommands struct {
	List  listLeaversCommand `cmd:"" help:"List leavers, newest first."`
	Show  showLeaverCommand  `cmd:"" help:"Show a leaver."`
	Retry retryLeaverCommand `cmd:"" help:"Plan a leaver now who was refused or has no account, in place of at the next try."`
}

type listLeaversCommand struct {
	Source string `placeholder:"NAME" help:"Only leavers of this source."`
	State  string `enum:",held,planning,no_account,refused,open,withdrawn,ended" default:"" help:"Only leavers in this state: held, planning, no_account, refused, open, withdrawn or ended."`
	Email  string `placeholder:"EMAIL" help:"Only leavers with this address."`
	Open   bool   `help:"Only those that have not ended."`
	Batch  string `placeholder:"ID" help:"Only those of this batch."`
	Limit  int    `default:"100" help:"How many at most."`
}

// Run lists leavers.
func (c *listLeaversCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	filters := url.Values{"source": {c.Source}, "state": {c.State}, "email": {c.Email}, "batch": {c.Batch}}
	if c.Open {
		filters.Set("open", "true")
	}
	list, next, err := upTo(c.Limit, func(cursor string, limit int) ([]apiclient.Leaver, string, error) {
		return api.Leavers(in.ctx, filters, cursor, limit)
	})
	if err != nil {
		return translateFlags(err, map[string]string{"email": "--email"})
	}
	return in.result(map[string]any{"leavers": list, "next": next}, func() {
		in.printLeavers(list)
		in.more(next)
	})
}

func (in *invocation) printLeavers(list []apiclient.Leaver) {
	var rows [][]string
	for _, l := range list {
		rows = append(rows, []string{l.Email, leaverState(l), momentText(l.Moment), l.Source, l.CaseID, l.ID})
	}
	in.table("LEAVER|STATE|BEGINS|TOLD BY|CASE|ID", rows)
}

// leaverState is how far a leaver is; of an ended one also how it ended.
func leaverState(l apiclient.Leaver) string {
	if l.End != "" {
		return l.State + ": " + l.End
	}
	return l.State
}

type showLeaverCommand struct {
	Leaver string `arg:"" help:"Id of the leaver, or an address."`
}

// Run shows a leaver.
func (c *showLeaverCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	l, err := api.Leaver(in.ctx, c.Leaver)
	if err != nil {
		return err
	}
	return in.result(l, func() { in.printLeaver(l) })
}

func (in *invocation) printLeaver(l apiclient.Leaver) {
	in.print("leaver     %s (%s)", noneIf(l.Email), l.ID)
	in.print("state      %s", leaverState(l))
	in.print("begins     %s", beginsText(l.Moment, l.Source))
	of := "employment " + l.ExternalID
	if l.ByHand {
		of = "by hand; feeds do not change it"
	}
	if l.ForCause {
		of += ", for cause"
	}
	in.print("told       %s, last changed %s", of, at(l.UpdatedAt))
	if l.Reason != "" {
		in.print("reason     %s", l.Reason)
	}
	in.print("cases      template %s, receivers %s, approvals %d", l.Template, noneIf(strings.Join(l.Receivers, ", ")), l.Approvals)
	switch {
	case l.CaseID == "":
		in.print("case       none")
	case l.OwnCase:
		in.print("case       %s", l.CaseID)
	default:
		in.print("case       %s, which was opened for another reason: HR neither moves nor cancels it", l.CaseID)
	}
	if l.BatchID != "" {
		in.print("batch      %s", l.BatchID)
	}
	in.printFindings("  ", l.Findings)
	for _, lost := range l.Lost {
		in.print("  does not come back: %s", lost)
	}
}

// printCaseLeaver says what HR wants of a case's person.
func (in *invocation) printCaseLeaver(l *apiclient.CaseLeaver) {
	if l == nil {
		return
	}
	cause := ""
	if l.ForCause {
		cause = ", for cause"
	}
	in.print("HR says    %s: begins %s%s", l.State, beginsText(l.Moment, l.Source), cause)
	for _, lost := range l.Lost {
		in.print("  does not come back: %s", lost)
	}
}

// beginsText says when a leaver's clock starts, and who said so.
func beginsText(m apiclient.Moment, source string) string {
	return momentText(m) + ", told by " + source
}

// howMany says how many of something there are.
func howMany(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%s %ss", strconv.Itoa(n), what)
}

type retryLeaverCommand struct {
	Leaver string `arg:"" help:"Id of the leaver, or an address."`
}

// Run lets a leaver be planned now.
func (c *retryLeaverCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	l, err := api.RetryLeaver(in.ctx, c.Leaver)
	if err != nil {
		return err
	}
	return in.result(l, func() { in.print("Looking at leaver %s now; see: sendoff hr leavers show %s", l.ID, l.ID) })
}
