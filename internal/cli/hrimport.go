package cli

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"sendoff/internal/apiclient"
	"sendoff/schema"
)

// maxTold is how many leavers of one event are told of one by one.
const maxTold = 50

type importHRCommand struct {
	File   string `arg:"" help:"CSV with a header; - reads stdin. The columns: docs/people.md."`
	Source string `required:"" placeholder:"NAME" help:"Name of the source that the file is from."`
	Mode   string `enum:"whole,changes" default:"whole" help:"whole: every employment of the source, those left out are marked absent, which ends nothing; changes: some."`
	DryRun bool   `help:"Show what it would do to employments and write nothing."`
	Again  bool   `help:"Apply the file although the same one came before, as after a wrong one."`
	waitFlag
}

// Run imports a file of a source.
func (c *importHRCommand) Run(in *invocation) error {
	text, err := (&importPeopleCommand{File: c.File}).read(in)
	if err != nil {
		return err
	}
	api, err := in.client()
	if err != nil {
		return err
	}
	got, err := api.ImportHR(in.ctx, apiclient.HRImport{Source: c.Source, Mode: c.Mode, CSV: text, DryRun: c.DryRun, Again: c.Again})
	if err != nil {
		return translateRoster(err)
	}
	if got.DryRun != nil {
		return in.result(got, func() { in.printRoster(*got.DryRun) })
	}
	if len(got.IgnoredColumns) > 0 {
		in.note("Columns that were not read: %s", strings.Join(got.IgnoredColumns, ", "))
	}
	return in.heard(api, *got.Event, got.Duplicate, c.Wait)
}

// told is what an event did.
type told struct {
	Event     apiclient.HREvent  `json:"event"`
	Duplicate bool               `json:"duplicate"`
	Leavers   []apiclient.Leaver `json:"leavers"` // that the event tells of, the first of many
	Batch     *apiclient.Batch   `json:"batch"`   // that holds some of them; nil = none
}

// heard waits until an event is applied, and says what it did. It ends with
// ExitParked when leavers are held, with ExitRefused when the event was refused.
func (in *invocation) heard(api *apiclient.Client, e apiclient.HREvent, duplicate, wait bool) error {
	if wait {
		var err error
		if e, err = in.waitEvent(api, e); err != nil {
			return err
		}
	}
	t, err := in.toldBy(api, e)
	if err != nil {
		return err
	}
	t.Duplicate = duplicate
	if err := in.result(t, func() { in.printTold(t) }); err != nil {
		return err
	}
	switch {
	case e.State == string(schema.EventRefused):
		return exitStatus(ExitRefused)
	case t.Batch != nil && t.Batch.State == string(schema.BatchHeld):
		return exitStatus(ExitParked)
	}
	return nil
}

// waitEvent reads an event again and again until it is applied or refused. A
// server that is away for a while lost nothing: the event is written.
func (in *invocation) waitEvent(api *apiclient.Client, e apiclient.HREvent) (apiclient.HREvent, error) {
	pause, away := pollFirst, time.Time{}
	for e.State == string(schema.EventPending) {
		if err := sleep(in.ctx, pause); err != nil {
			in.note("No longer waiting; the event will be applied. See: sendoff hr events show %s", e.ID)
			return e, exitStatus(ExitInternal)
		}
		pause = min(pause*3/2, pollMax)
		now, err := api.HREvent(in.ctx, e.ID, false)
		switch {
		case err == nil:
			e, away = now, time.Time{}
		case in.ctx.Err() != nil: // the sleep ends it
		case exitCodeOf(err) != ExitUnreachable:
			return e, err
		case away.IsZero():
			away = time.Now()
			in.note("The server does not answer; trying for %s more. The event is written and will be applied.", patience)
		case time.Since(away) > patience:
			return e, err
		}
	}
	return e, nil
}

// toldBy reads the leavers that an applied event tells of, and the batch that holds
// some of them.
func (in *invocation) toldBy(api *apiclient.Client, e apiclient.HREvent) (told, error) {
	t := told{Event: e, Leavers: []apiclient.Leaver{}}
	seen, held := map[string]bool{}, ""
	for _, o := range e.Outcome {
		isHeld := o.Effect == string(schema.EffectHeld)
		if o.LeaverID == "" || seen[o.LeaverID] || (len(t.Leavers) >= maxTold && (held != "" || !isHeld)) {
			continue
		}
		seen[o.LeaverID] = true
		l, err := api.Leaver(in.ctx, o.LeaverID)
		if err != nil {
			return t, err
		}
		if len(t.Leavers) < maxTold {
			t.Leavers = append(t.Leavers, l)
		}
		if isHeld {
			held = cmp.Or(held, l.BatchID)
		}
	}
	if held == "" {
		return t, nil
	}
	b, err := api.Batch(in.ctx, held)
	t.Batch = &b
	return t, err
}

func (in *invocation) printTold(t told) {
	e := t.Event
	if t.Duplicate {
		in.print("The same came before, %s: nothing was done. It is event %s.", at(e.ReceivedAt), e.ID)
	}
	switch schema.EventState(e.State) {
	case schema.EventPending:
		in.print("Accepted event %s; it is applied within seconds.", e.ID)
		in.note("See: sendoff hr events show %s", e.ID)
		return
	case schema.EventRefused:
		in.print("Event %s was refused:", e.ID)
		in.printEventProblems(e.Problems)
		return
	}
	in.print("Event %s is applied: %s.", e.ID, effectsText(e.Outcome))
	refused := false
	for _, o := range e.Outcome {
		if o.Effect == string(schema.EffectRefused) {
			refused = true
			in.print("  row %s is not applied: %s", o.ExternalID, o.Detail)
		}
	}
	if refused {
		in.note("What stands against the rows, and the way out: sendoff people issues")
	}
	in.printTellLeavers(t)
	if b := t.Batch; b != nil {
		in.printHeld(*b)
	}
}

func (in *invocation) printTellLeavers(t told) {
	if len(t.Leavers) == 0 {
		return
	}
	in.printLeavers(t.Leavers)
	all := map[string]bool{}
	for _, o := range t.Event.Outcome {
		if o.LeaverID != "" {
			all[o.LeaverID] = true
		}
	}
	if more := len(all) - len(t.Leavers); more > 0 {
		in.print("... and %d more", more)
	}
}

// effectsText counts what an event did, in words.
func effectsText(outcome []apiclient.EventOutcome) string {
	counts := map[string]int{}
	for _, o := range outcome {
		counts[o.Effect]++
	}
	var parts []string
	for _, e := range []struct {
		effect schema.EventEffect
		text   string
	}{
		{schema.EffectLeaver, "%d leave"},
		{schema.EffectHeld, "%d held"},
		{schema.EffectMoved, "%d moved"},
		{schema.EffectWithdrawn, "%d do not leave after all"},
		{schema.EffectByHand, "%d left as said by hand"},
		{schema.EffectRefused, "%d rows refused"},
		{schema.EffectPoll, "the source's API is asked"},
	} {
		switch n := counts[string(e.effect)]; {
		case n == 0:
		case strings.Contains(e.text, "%d"):
			parts = append(parts, fmt.Sprintf(e.text, n))
		default:
			parts = append(parts, e.text)
		}
	}
	if len(parts) == 0 {
		return "nobody leaves by it"
	}
	return strings.Join(parts, ", ")
}

func (in *invocation) printEventProblems(list []apiclient.Problem) {
	for _, p := range list {
		in.print("  %s", strings.TrimPrefix(p.Where+": "+p.Message, ": "))
		if p.Fix != "" {
			in.print("    fix: %s", p.Fix)
		}
	}
}
