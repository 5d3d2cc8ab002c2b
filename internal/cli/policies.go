package cli

import (
	"fmt"
	"strconv"
	"strings"

	"sendoff/internal/apiclient"
)

type listPoliciesCommand struct {
	State string `enum:",active,paused" default:"" help:"Only policies in this state: active or paused."`
	Set   string `placeholder:"NAME" help:"Only policies of this set of files."`
	Limit int    `default:"100" help:"How many at most."`
}

// Run lists policies.
func (c *listPoliciesCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	list, next, err := upTo(c.Limit, func(cursor string, limit int) ([]apiclient.Policy, string, error) {
		return api.Policies(in.ctx, c.State, c.Set, cursor, limit)
	})
	if err != nil {
		return err
	}
	return in.result(map[string]any{"policies": list, "next": next}, func() {
		var rows [][]string
		for _, p := range list {
			rows = append(rows, []string{
				p.Name, strconv.Itoa(p.Version), p.State, actsText(p), strings.Join(p.Rule.Connections, ","), p.Rule.Threshold.Default,
				templateSteps(apiclient.Template{Steps: p.Rule.Steps}), runsBegin(p.Rule.Schedule), p.Set, p.Rule.Owner,
			})
		}
		in.table("NAME|VERSION|STATE|NEXT RUN|CONNECTIONS|THRESHOLD|STEPS|BEGINS|SET|OWNER", rows)
		in.more(next)
	})
}

// firstRun is what the next run of a policy in its cold start does.
const firstRun = "reports (first run)"

// actsText says what the next run of a policy by its schedule does.
func actsText(p apiclient.Policy) string {
	switch {
	case p.State == "paused":
		return "none"
	case p.Stopped:
		return "none (a run failed)"
	case p.Rule.Mode == "shadow":
		return "reports (shadow)"
	case p.Acts:
		return "acts"
	case p.Acted == 0 && p.Rule.ColdStart == "report":
		return firstRun
	}
	return "reports"
}

// runsBegin says when review runs begin.
func runsBegin(s apiclient.PolicySchedule) string {
	if s.Every != "" && s.Every != "0s" {
		return "every " + s.Every
	}
	if len(s.Times) == 0 {
		return "by hand"
	}
	var times []string
	for _, t := range s.Times {
		text := fmt.Sprintf("%02d:%02d", t.Hour, t.Minute)
		if len(t.Weekdays) > 0 {
			text += " " + strings.Join(t.Weekdays, ",")
		}
		for i, d := range t.Days {
			text += strings.Repeat(" day", 1-min(i, 1)) + " " + strconv.Itoa(d)
		}
		if len(t.Months) > 0 {
			text += " " + strings.Join(t.Months, ",")
		}
		times = append(times, text)
	}
	return strings.Join(times, "; ") + " " + s.Zone
}

type policyArg struct {
	Policy string `arg:"" name:"name" help:"Name or id of the policy."`
}

type showPolicyCommand struct {
	policyArg
	Source bool `help:"Print the file as it was applied."`
}

// Run shows a policy.
func (c *showPolicyCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	p, err := api.Policy(in.ctx, c.Policy)
	if err != nil {
		return err
	}
	return in.result(p, func() {
		if c.Source {
			in.print("%s", strings.TrimSuffix(p.Source, "\n"))
			return
		}
		in.printPolicy(p)
	})
}

func (in *invocation) printPolicy(p apiclient.Policy) {
	r := p.Rule
	in.print("policy       %s version %d, %s (%s)", p.Name, p.Version, p.State, p.ID)
	if p.State == "paused" {
		in.print("paused       by %s: %s", orDash(p.PausedBy), orDash(p.PauseReason))
	}
	in.print("title        %s", orDash(r.Title))
	in.print("owner        %s; applied by %s %s%s", r.Owner, p.UpdatedBy, at(p.UpdatedAt), setText(p.Set))
	in.print("next run     %s; runs since what it takes or does was changed: %d", actsText(p), p.Acted)
	if actsText(p) == firstRun {
		in.print("             a run that only reports does nothing; those after it act without another word, unless the policy is paused")
	}
	if p.Stopped {
		in.print("stopped      a run failed, so that its schedule makes none until: sendoff policy resume %s --reason TEXT", p.Name)
	}
	in.print("begins       %s", runsBegin(r.Schedule))
	for _, b := range r.Schedule.Blackout {
		in.print("  not from %s to %s: %s", b.From, b.To, b.Reason)
	}
	in.print("looks at     %s; kinds %s; statuses %s", strings.Join(r.Connections, ", "), strings.Join(r.Kinds, ", "), strings.Join(r.Statuses, ", "))
	in.print("threshold    %s; grades %s", thresholdText(r.Threshold), strings.Join(r.Grades, ", "))
	in.print("match        %s", orDash(r.Match))
	for i, e := range r.Exclude {
		in.print("  without %d  %s: %s", i, exclusionText(e), e.Reason)
	}
	for _, a := range r.Ask {
		in.print("asks         %s by %s, waits %s; silence means: %s", strings.TrimSpace(a.Whom+" "+strings.Join(a.To, ", ")), a.Channel, a.Wait, a.Silence)
	}
	in.print("steps        %s", templateSteps(apiclient.Template{Steps: r.Steps}))
	in.print("approvals    %d", r.Approvals)
	in.print("budget       %s", policyBudgetText(r.Budget))
	in.print("freshness    sync %s, activity %s, waits %s for them", r.Freshness.Sync, r.Freshness.Activity, r.Freshness.Patience)
	for _, allowed := range allowancesText(r.Allow) {
		in.print("allows       %s", allowed)
	}
}

func setText(set string) string {
	if set == "" {
		return ""
	}
	return ", in the set " + set
}

func thresholdText(t apiclient.PolicyThreshold) string {
	text := t.Default
	for _, k := range t.Kinds {
		text += ", " + k.Kind + " " + k.For
	}
	for _, r := range t.Roles {
		text += ", " + r.Role + " " + r.For
	}
	return text
}

func exclusionText(e apiclient.PolicyExclusion) string {
	text := ""
	switch {
	case e.Group != "":
		text = "group " + e.Group
	case e.Person != "":
		text = "person " + e.Person
	case e.Login != "":
		text = "login " + e.Login
	default:
		text = "when " + e.When
	}
	switch {
	case !e.Live:
		text += " (over since " + e.Until + ")"
	case e.Until != "":
		text += " (until " + e.Until + ")"
	}
	return text
}

func policyBudgetText(b apiclient.PolicyBudget) string {
	var parts []string
	for _, l := range []struct {
		n    int64
		text string
	}{
		{int64(b.PerRun), "%d per run"},
		{int64(b.PerDay), "%d in 24 hours"},
		{int64(b.Connection), "%d of a connection in 24 hours"},
		{int64(b.Percent), "%d %% of the population"},
	} {
		if l.n > 0 {
			parts = append(parts, fmt.Sprintf(l.text, l.n))
		}
	}
	if b.Bytes > 0 {
		parts = append(parts, size(b.Bytes)+" in a run")
	}
	return strings.Join(append(parts, fmt.Sprintf("%d privileged in a run", b.Privileged)), ", ")
}

func allowancesText(a apiclient.PolicyAllowances) []string {
	var out []string
	if a.DeleteWithoutTransfer {
		out = append(out, "to delete without a transfer")
	}
	if a.ZeroThreshold {
		out = append(out, "a threshold of zero")
	}
	if a.MostOfPopulation {
		out = append(out, "to take more than half of the population")
	}
	return out
}

type pausePolicyCommand struct {
	policyArg
	reasonFlag
}

// Run pauses a policy.
func (c *pausePolicyCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	p, err := api.PausePolicy(in.ctx, c.Policy, c.Reason)
	if err != nil {
		return translateFlags(err, map[string]string{"reason": "--reason"})
	}
	return in.result(p, func() {
		in.print("Paused policy %s: its schedule makes no runs. Runs and plans that are open go on.", p.Name)
	})
}

type resumePolicyCommand struct {
	policyArg
	reasonFlag
}

// Run lets a policy go on.
func (c *resumePolicyCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	p, err := api.ResumePolicy(in.ctx, c.Policy, c.Reason)
	if err != nil {
		return translateFlags(err, map[string]string{"reason": "--reason"})
	}
	return in.result(p, func() { in.print("Policy %s makes runs again: %s.", p.Name, runsBegin(p.Rule.Schedule)) })
}

type policyHistoryCommand struct {
	policyArg
	Limit int `default:"20" help:"How many at most."`
}

// Run lists the versions of a policy, with what each changed.
func (c *policyHistoryCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	return in.history(c.Limit, func(cursor string, limit int) ([]apiclient.PolicyVersion, string, error) {
		return api.PolicyHistory(in.ctx, c.Policy, cursor, limit)
	})
}

type explainPolicyCommand struct {
	policyArg
	Account string `arg:"" help:"The whole login, CONNECTION/ID with the vendor's id, or our id."`
}

// Run says why a policy takes an account or leaves it.
func (c *explainPolicyCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	e, err := api.ExplainPolicy(in.ctx, c.Policy, c.Account)
	if err != nil {
		return err
	}
	return in.result(e, func() { in.printExplanation(e) })
}

func (in *invocation) printExplanation(e apiclient.Explanation) {
	word := "leaves"
	if e.Verdict.Matched {
		word = "takes"
	}
	in.print("Policy %s version %d %s %s of %s: %s.", e.Policy, e.Version, word, e.Login, e.Connection, verdictText(e.Verdict))
	if e.Excluded != "" {
		in.print("It is excluded: %s", e.Excluded)
	}
	if e.Recorded != nil {
		in.print("The newest review that keeps a verdict said: %s.", verdictText(*e.Recorded))
	}
	var facts, parts [][]string
	for _, f := range e.Facts {
		facts = append(facts, []string{f.Name, f.Value})
	}
	for _, p := range e.Parts {
		parts = append(parts, []string{p.Result, p.Expression})
	}
	in.section("FACTS", "NAME|VALUE", facts, "none")
	in.section("MATCH", "CAME TO|CONDITION", parts, "it has no condition")
}

func verdictText(v apiclient.Verdict) string {
	text := strings.ReplaceAll(v.Reason, "_", " ")
	if v.Grade != "" {
		text += " (" + v.Grade + " for " + v.Threshold + ")"
	}
	if v.Detail != "" {
		text += ", " + v.Detail
	}
	return text
}
