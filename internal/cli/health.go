package cli

import (
	"cmp"
	"strconv"

	"sendoff/internal/apiclient"
	"sendoff/schema"
)

type testConnectionCommand struct {
	Name string `arg:"" help:"Name of the connection."`
}

// Run lets the doctor look at a connection.
func (c *testConnectionCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	got, err := api.TestConnection(in.ctx, c.Name)
	if err != nil {
		return err
	}
	if err := in.result(got, func() { in.printTested(got) }); err != nil {
		return err
	}
	return usableOrRefused(got.Diagnosis)
}

func (in *invocation) printTested(got apiclient.Checked) {
	if got.Diagnosis != nil && got.Diagnosis.Usable {
		in.printCheck("Works:", got)
	}
	in.printDiagnosis(got.Connection.Name, got.Diagnosis)
}

// usableOrRefused is the exit code of a look at a connection.
func usableOrRefused(d *apiclient.Diagnosis) error {
	if d == nil || d.Usable {
		return nil
	}
	return exitStatus(ExitRefused)
}

type diagnosisCommand struct {
	Name string `arg:"" help:"Name of the connection."`
}

// Run shows what the doctor last found.
func (c *diagnosisCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	got, err := api.Diagnosis(in.ctx, c.Name)
	if err != nil {
		return err
	}
	return in.result(got, func() { in.printDiagnosis(c.Name, &got) })
}

// printDiagnosis prints a line for each ability, the possible causes where there
// are several, and what the role cannot do.
func (in *invocation) printDiagnosis(name string, d *apiclient.Diagnosis) {
	if d == nil {
		return
	}
	since := ""
	if d.Since != nil {
		since = " since " + at(*d.Since)
	}
	in.print("Connection %s is %s%s, looked at %s.", name, d.Health, since, at(d.At))
	rows := make([][]string, 0, len(d.Results))
	for _, r := range d.Results {
		rows = append(rows, []string{r.Name, needText(r.Ability), r.Scope, r.Code, todo(r)})
	}
	in.table("ABILITY|NEED|SCOPE|RESULT|WHAT TO DO", rows)
	for _, r := range d.Results {
		if schema.ProbeCode(r.Code).Fault() {
			in.printFault(r)
		}
	}
	for _, l := range d.Limits {
		in.print("Limit of the role: %s.", l)
	}
}

func (in *invocation) printFault(r apiclient.Result) {
	in.print("")
	in.print("%s: %s: %s", r.Name, r.Code, r.Message)
	for i, c := range r.Candidates {
		in.print("  %d. %s", i+1, c.Cause)
		in.print("     look at: %s", c.Look)
	}
	if r.Detail != "" {
		in.print("  for the vendor's support: %s", r.Detail)
	}
}

func needText(a apiclient.Ability) string {
	need := "optional"
	if a.Required {
		need = "required"
	}
	if a.Writes {
		need += ", write"
	}
	return need
}

// todo is the fix, or for what works or was not asked what it is for.
func todo(r apiclient.Result) string {
	switch {
	case r.Fix != "":
		return r.Fix
	case schema.ProbeCode(r.Code) == schema.ProbeOK:
		return "nothing; serves " + r.Serves
	default:
		return r.Message + "; serves " + r.Serves
	}
}

type scopesCommand struct {
	Vendor   string `arg:"" help:"Type of the vendor, such as box."`
	ReadOnly bool   `help:"Of a read-only connection."`
}

// Run lists what connections of a vendor want, before there is one.
func (c *scopesCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	list, err := api.Abilities(in.ctx, c.Vendor, c.ReadOnly)
	if err != nil {
		return err
	}
	return in.result(map[string]any{"abilities": orEmpty(list)}, func() {
		var rows [][]string
		for _, a := range list {
			rows = append(rows, []string{a.Scope, needText(a), a.Name, a.Serves})
		}
		in.table("SCOPE|NEED|ABILITY|SERVES", rows)
	})
}

type ownerCommand struct {
	Name  string `arg:"" help:"Name of the connection."`
	Email string `arg:"" optional:"" help:"Who looks after it and is told of its alarms; left out = nobody."`
}

// Run names the owner.
func (c *ownerCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	got, err := api.SetOwner(in.ctx, c.Name, c.Email)
	if err != nil {
		return err
	}
	return in.result(got, func() {
		if got.Owner == "" {
			in.print("Nobody is told of alarms of %s; they are listed by: sendoff alarms list", got.Name)
			return
		}
		in.print("%s is told of alarms of %s.", got.Owner, got.Name)
	})
}

type scheduleCommand struct {
	Name     string `arg:"" help:"Name of the connection."`
	Sync     string `placeholder:"24h" help:"How often accounts and groups are listed; 0 = never."`
	Activity string `placeholder:"15m" help:"How often events are read; 0 = never."`
	Probe    string `placeholder:"15m" help:"How often the doctor looks."`
	Backfill string `placeholder:"183d" help:"How far back the first read of events goes."`
}

// Run changes the schedule, or without a flag shows it.
func (c *scheduleCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	to := apiclient.Schedule{Sync: c.Sync, Activity: c.Activity, Probe: c.Probe, Backfill: c.Backfill}
	var got apiclient.Schedule
	if to == (apiclient.Schedule{}) {
		got, err = api.Schedule(in.ctx, c.Name)
	} else {
		got, err = api.SetSchedule(in.ctx, c.Name, to)
	}
	if err != nil {
		return err
	}
	return in.result(got, func() {
		in.print("sync      %s", everyText(got.Sync))
		in.print("activity  %s", everyText(got.Activity))
		in.print("probe     %s", everyText(got.Probe))
		in.print("backfill  %s back, at the first read of events", got.Backfill)
	})
}

func everyText(d string) string {
	if d == "0s" {
		return "never by itself"
	}
	return "every " + d
}

type alarmCommands struct {
	List listAlarmsCommand `cmd:"" help:"List alarms, newest first."`
	End  endAlarmCommand   `cmd:"" help:"End an alarm that nothing ends but somebody's word."`
}

type listAlarmsCommand struct {
	Ended bool `help:"Those that are over as well."`
}

// Run lists alarms.
func (c *listAlarmsCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	list, err := api.Alarms(in.ctx, c.Ended)
	if err != nil {
		return err
	}
	return in.result(map[string]any{"alarms": orEmpty(list)}, func() {
		var rows [][]string
		for _, a := range list {
			rows = append(rows, []string{at(a.RaisedAt), cmp.Or(a.Connection, a.Source, a.Policy, a.AccessReview), a.Code, atOr(a.ToldAt, "nobody yet"), atOr(a.ClearedAt, "open"), a.Message, a.Fix, a.ID})
		}
		in.table("RAISED|OF|CODE|OWNER TOLD|OVER|WHAT|WHAT TO DO|ID", rows)
		in.note("%s", strconv.Itoa(len(list))+" alarms")
	})
}

type endAlarmCommand struct {
	Alarm  string `arg:"" help:"Id of the alarm."`
	Reason string `required:"" help:"Why it is over; kept in the audit log."`
}

// Run ends an alarm.
func (c *endAlarmCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	if err := api.EndAlarm(in.ctx, c.Alarm, c.Reason); err != nil {
		return err
	}
	return in.result(map[string]any{"alarm": c.Alarm, "ended": true}, func() { in.print("Ended alarm %s.", c.Alarm) })
}
