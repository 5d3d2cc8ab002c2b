package cli

import (
	"cmp"
	"time"

	"sendoff/internal/apiclient"
)

type awayCommands struct {
	Set  setAwayCommand  `cmd:"" default:"withargs" help:"Say that somebody is away."`
	List listAwayCommand `cmd:"" help:"List when people decide nothing."`
	End  endAwayCommand  `cmd:"" help:"End an absence now."`
}

type setAwayCommand struct {
	Person   string `placeholder:"EMAIL" help:"Who is away; you without. Of others only admins and operators say so."`
	From     string `required:"" placeholder:"TIME" help:"From when on: now, or a time with its zone."`
	Until    string `placeholder:"TIME" help:"Until when; without, until it is ended."`
	Delegate string `placeholder:"EMAIL" help:"Who decides meanwhile; the next in each chain without. Never about what they hold."`
	reasonFlag
}

// Run makes an absence.
func (c *setAwayCommand) Run(in *invocation) error {
	n := apiclient.NewAbsence{Person: c.Person, Delegate: c.Delegate, Reason: c.Reason}
	var problems []apiclient.Problem
	for _, f := range []struct {
		flag, text string
		to         *string
	}{{"--from", c.From, &n.From}, {"--until", c.Until, &n.Until}} {
		if f.text == "" || f.text == "now" && f.flag == "--from" {
			continue
		}
		t, err := instantFlag(f.flag, f.text)
		if err != nil {
			problems = append(problems, asError(err).Problems...)
			continue
		}
		*f.to = t.UTC().Format(time.RFC3339)
	}
	if len(problems) > 0 {
		return usage("the command line cannot be used; nothing was changed", "", problems...)
	}
	api, err := in.client()
	if err != nil {
		return err
	}
	a, err := api.SetAbsence(in.ctx, n)
	if err != nil {
		return translateFlags(err, map[string]string{"person": "--person", "delegate": "--delegate", "from": "--from", "until": "--until", "reason": "--reason"})
	}
	return in.result(a, func() {
		in.print("Away from %s until %s. Undo with: sendoff review away end %s", at(a.From), atOr(a.Until, "it is ended"), a.ID)
	})
}

type listAwayCommand struct {
	Person string `placeholder:"EMAIL" help:"Only of this person."`
	Limit  int    `default:"100" help:"How many at most."`
}

// Run lists absences.
func (c *listAwayCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	list, next, err := upTo(c.Limit, func(cursor string, limit int) ([]apiclient.Absence, string, error) {
		return api.Absences(in.ctx, c.Person, cursor, limit)
	})
	if err != nil {
		return translateFlags(err, map[string]string{"person": "--person"})
	}
	return in.result(map[string]any{"absences": list, "next": next}, func() {
		var rows [][]string
		for _, a := range list {
			now := "no"
			if a.Now {
				now = "yes"
			}
			rows = append(rows, []string{cmp.Or(a.Person, a.PersonID), at(a.From), atOr(a.Until, "open"), cmp.Or(a.Delegate, a.DelegateID), now, atOr(a.EndedAt, ""), a.Reason, a.ID})
		}
		in.table("PERSON|FROM|UNTIL|DELEGATE|NOW|ENDED|REASON|ID", rows)
		in.more(next)
	})
}

type endAwayCommand struct {
	Absence string `arg:"" name:"id" help:"Id of the absence."`
}

// Run ends an absence.
func (c *endAwayCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	a, err := api.EndAbsence(in.ctx, c.Absence)
	if err != nil {
		return err
	}
	return in.result(a, func() { in.print("The absence %s has ended.", a.ID) })
}
