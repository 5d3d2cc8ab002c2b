package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sendoff/internal/apiclient"
	"sendoff/schema"
)

type syncCommand struct {
	Connection string `arg:"" optional:"" help:"Name of a connection; without it every enabled one."`
	Only       string `enum:"accounts,activity," default:"" help:"Only list accounts and groups, or only read events: accounts, activity."`
	Wait       bool   `help:"Show the progress and wait for the end."`
}

// kinds are the runs to start; none = all that a sync is.
func (c *syncCommand) kinds() []string {
	switch c.Only {
	case "accounts":
		return []string{string(schema.RunSync)}
	case "activity":
		return []string{string(schema.RunActivity)}
	}
	return nil
}

// Run starts runs.
func (c *syncCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	runs, err := api.StartRuns(in.ctx, c.Connection, c.kinds()...)
	if err != nil {
		return err
	}
	if c.Wait {
		return in.waitRuns(api, runs)
	}
	return in.result(map[string]any{"runs": orEmpty(runs)}, func() {
		for _, r := range runs {
			in.print("%s: %s %s (run %s)", r.Connection, r.Kind, r.State, r.RunID)
		}
		in.note("Follow with: sendoff runs show RUN, or sendoff sync --wait")
	})
}

// waitRuns follows runs on stderr until all have ended.
func (in *invocation) waitRuns(api *apiclient.Client, runs []apiclient.Run) error {
	runs, err := in.followRuns(api, runs, in.runProgress())
	if err != nil {
		if in.ctx.Err() != nil {
			in.note("No longer waiting; the runs go on. See: sendoff runs list")
			return exitStatus(ExitInternal)
		}
		return err
	}
	_ = in.result(map[string]any{"runs": orEmpty(runs)}, func() {
		for _, r := range runs {
			in.printRun(r)
		}
	})
	return exitOfRuns(runs).orNil()
}

// exitOfRuns is the worst of: needs somebody, was given up, done.
func exitOfRuns(runs []apiclient.Run) exitStatus {
	worst := exitStatus(ExitDone)
	for _, r := range runs {
		switch schema.RunState(r.State) {
		case schema.RunQuarantined, schema.RunFailed:
			worst = worse(worst, ExitParked)
		case schema.RunDiscarded:
			worst = worse(worst, ExitCancelled)
		}
	}
	return worst
}

func runOpen(r apiclient.Run) bool { return schema.RunState(r.State).Open() }

func (in *invocation) followRuns(api *apiclient.Client, runs []apiclient.Run, show func([]apiclient.Run)) ([]apiclient.Run, error) {
	runs = slices.Clone(runs)
	pause, away := pollFirst, time.Time{}
	for {
		show(runs)
		if !slices.ContainsFunc(runs, runOpen) {
			return runs, nil
		}
		if err := sleep(in.ctx, pause); err != nil {
			return runs, err
		}
		pause = min(pause*3/2, pollMax)
		err := in.refreshRuns(api, runs)
		switch {
		case err == nil:
			away = time.Time{}
		case exitCodeOf(err) != ExitUnreachable || in.ctx.Err() != nil:
			return runs, err
		case away.IsZero():
			away = time.Now()
			in.note("The server does not answer; trying for %s more. The runs go on without it being watched.", patience)
		case time.Since(away) > patience:
			return runs, err
		}
	}
}

func (in *invocation) refreshRuns(api *apiclient.Client, runs []apiclient.Run) error {
	for i, r := range runs {
		if !runOpen(r) {
			continue
		}
		now, err := api.Run(in.ctx, r.RunID)
		if err != nil {
			return err
		}
		runs[i] = now
	}
	return nil
}

// runProgress writes a line for each run whenever it got further.
func (in *invocation) runProgress() func([]apiclient.Run) {
	last := map[string]string{}
	return func(runs []apiclient.Run) {
		for _, r := range runs {
			if now := runText(r); last[r.RunID] != now {
				last[r.RunID] = now
				in.note("%s  %s  %s %s", at(time.Now()), r.Connection, r.Kind, now)
			}
		}
	}
}

// runText says in one line how far a run is.
func runText(r apiclient.Run) string {
	parts := []string{r.State}
	for _, d := range r.Datasets {
		if d.State != string(schema.DatasetPending) {
			parts = append(parts, datasetText(d))
		}
	}
	if r.Cause != nil {
		parts = append(parts, r.Cause.Code)
	}
	return strings.Join(parts, ", ")
}

func datasetText(d apiclient.RunDataset) string {
	switch schema.DatasetState(d.State) {
	case schema.DatasetNotCollected:
		return d.Dataset + " not collected (" + d.Reason + ")"
	case schema.DatasetCollecting:
		text := fmt.Sprintf("%s %d so far, %s", d.Dataset, d.Rows, rate(d))
		if d.Generation > 1 {
			text += fmt.Sprintf(", begun anew %d times", d.Generation-1)
		}
		return text
	case schema.DatasetPartial:
		return fmt.Sprintf("%s %d in part (%s)", d.Dataset, d.Rows, d.Reason)
	default:
		return fmt.Sprintf("%s %d", d.Dataset, d.Rows)
	}
}

func rate(d apiclient.RunDataset) string { return fmt.Sprintf("%.0f/s", d.RowsPerSecond) }

type runCommands struct {
	List    listRunsCommand   `cmd:"" help:"List runs, newest first."`
	Show    showRunCommand    `cmd:"" help:"Show how far a run is, or how it ended."`
	Release releaseRunCommand `cmd:"" help:"Apply a quarantined sync after all."`
	Discard discardRunCommand `cmd:"" help:"Give a quarantined sync up."`
}

type listRunsCommand struct {
	Connection string `help:"Only those of this connection."`
	Kind       string `enum:"sync,activity,probe," default:"" help:"Only those of this kind: sync, activity, probe."`
	State      string `enum:"queued,running,done,quarantined,failed,discarded," default:"" help:"Only those in this state."`
	Limit      int    `default:"50" help:"How many, 1 to 500."`
	Cursor     string `help:"Continue where the page before ended."`
}

// Run lists runs.
func (c *listRunsCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	page, err := api.Runs(in.ctx, c.Connection, c.Kind, c.State, c.Cursor, c.Limit)
	if err != nil {
		return err
	}
	page.Runs = orEmpty(page.Runs)
	return in.result(page, func() {
		rows := make([][]string, len(page.Runs))
		for i, r := range page.Runs {
			rows[i] = []string{at(r.CreatedAt), r.Kind, r.Connection, runText(r), elapsed(r.Elapsed), r.RunID}
		}
		in.table("BEGAN|KIND|CONNECTION|STATE|TOOK|RUN", rows)
		if page.Next != "" {
			in.note("More: --cursor %s", page.Next)
		}
	})
}

func elapsed(seconds float64) string {
	return time.Duration(seconds * float64(time.Second)).Round(100 * time.Millisecond).String()
}

type showRunCommand struct {
	ID   string `arg:"" name:"run" help:"Id of the run."`
	Wait bool   `help:"Show the progress and wait for the end."`
}

// Run shows a run.
func (c *showRunCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	r, err := api.Run(in.ctx, c.ID)
	if err != nil {
		return err
	}
	if c.Wait {
		return in.waitRuns(api, []apiclient.Run{r})
	}
	return in.result(r, func() { in.printRun(r) })
}

func (in *invocation) printRun(r apiclient.Run) {
	in.print("%s of %s: %s (run %s)", r.Kind, r.Connection, r.State, r.RunID)
	by := "its schedule"
	if r.RequestedBy != "" {
		by = r.RequestedBy
	}
	in.print("  asked for by %s %s, ended %s, took %s", by, at(r.CreatedAt), atOr(r.EndedAt, "not yet"), elapsed(r.Elapsed))
	if r.Cause != nil {
		in.print("  %s: %s", r.Cause.Code, r.Cause.Message)
		if r.Cause.Fix != "" {
			in.print("  fix: %s", r.Cause.Fix)
		}
	}
	if len(r.Datasets) == 0 {
		return
	}
	rows := make([][]string, len(r.Datasets))
	for i, d := range r.Datasets {
		rows[i] = []string{d.Dataset, d.State, fmt.Sprint(d.Rows), fmt.Sprint(d.Pages), fmt.Sprint(d.Generation), elapsed(d.Elapsed), rate(d), d.Reason}
	}
	in.table("DATA SET|STATE|ROWS|PAGES|GENERATION|TOOK|RATE|REASON", rows)
}

type releaseRunCommand struct {
	ID     string `arg:"" name:"run" help:"Id of the quarantined sync."`
	Reason string `required:"" help:"What you found at the vendor; kept in the audit trail."`
}

// Run applies a quarantined sync.
func (c *releaseRunCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	r, err := api.ReleaseRun(in.ctx, c.ID, c.Reason)
	if err != nil {
		return err
	}
	return in.result(r, func() { in.printRun(r) })
}

type discardRunCommand struct {
	ID     string `arg:"" name:"run" help:"Id of the quarantined sync."`
	Reason string `required:"" help:"What you found at the vendor; kept in the audit trail."`
}

// Run gives a quarantined sync up.
func (c *discardRunCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	r, err := api.DiscardRun(in.ctx, c.ID, c.Reason)
	if err != nil {
		return err
	}
	return in.result(r, func() { in.printRun(r) })
}
