package cli

import (
	"strings"

	"sendoff/internal/apiclient"
)

type hrCommands struct {
	Sources sourceCommands      `cmd:"" help:"Look after the sources that tell who leaves."`
	Tokens  sourceTokenCommands `cmd:"" help:"Look after tokens of SCIM sources."`
	Import  importHRCommand     `cmd:"" help:"Take over a file of a source, and act on who leaves by it."`
	Events  hrEventCommands     `cmd:"" help:"See what sources told, and what that did."`
	Leave   leaveCommand        `cmd:"" help:"Say by hand that a person leaves; feeds do not change it."`
	Return  returnCommand       `cmd:"" help:"Say by hand that a person does not leave, or is back."`
	Leavers leaverCommands      `cmd:"" help:"See who leaves by what HR says."`
	Sites   siteCommands        `cmd:"" help:"Look after the zones of places of work."`
}

type leaveCommand struct {
	Email           string `arg:"" help:"An address of the person."`
	LastWorkingDay  string `placeholder:"DAY" help:"The last day at work, such as 2026-11-30."`
	TerminationDate string `placeholder:"DAY" help:"The day the contract ends."`
	TimeZone        string `placeholder:"ZONE" help:"IANA name; the person's, their site's or the company's when left out."`
	ForCause        bool   `help:"At once."`
	reasonFlag
	waitFlag
}

// waitFlag waits until what was said is applied.
type waitFlag struct {
	Wait bool `default:"true" negatable:"" help:"Wait until it is applied, and say what it did."`
}

// Run says that a person leaves.
func (c *leaveCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	got, err := api.Leave(in.ctx, apiclient.HRLeave{
		Email: c.Email, LastWorkingDay: c.LastWorkingDay, TerminatedOn: c.TerminationDate, TimeZone: c.TimeZone, ForCause: c.ForCause, Reason: c.Reason,
	})
	if err != nil {
		return translateFlags(err, map[string]string{
			"email": "EMAIL", "last_working_day": "--last-working-day", "termination_date": "--termination-date", "time_zone": "--time-zone", "reason": "--reason",
		})
	}
	return in.heard(api, got.Event, got.Duplicate, c.Wait)
}

type returnCommand struct {
	Email string `arg:"" help:"An address of the person."`
	reasonFlag
	waitFlag
}

// Run says that a person does not leave.
func (c *returnCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	got, err := api.Return(in.ctx, c.Email, c.Reason)
	if err != nil {
		return translateFlags(err, map[string]string{"email": "EMAIL", "reason": "--reason"})
	}
	return in.heard(api, got.Event, got.Duplicate, c.Wait)
}

// translateFlags names the flags that were typed, where the server names members
// of the request.
func translateFlags(err error, flags map[string]string) error {
	e, ok := err.(*apiclient.Error) //nolint:errorlint // the client returns it unwrapped
	if !ok {
		return err
	}
	for i, p := range e.Problems {
		name, _, _ := strings.Cut(p.Where, "[")
		if flag, ok := flags[name]; ok {
			e.Problems[i].Where = flag
		}
	}
	return e
}

// momentText says when a leaver's clock starts, and why then.
func momentText(m apiclient.Moment) string {
	if m.Date == "" {
		return "at once (heard " + at(m.DueAt) + ")"
	}
	return m.Date + " " + m.At + " " + m.TimeZone + " (" + strings.ReplaceAll(m.Starts, "_", " ") + "; zone of the " + m.ZoneFrom + ")"
}
