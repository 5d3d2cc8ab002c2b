package cli

import (
	"io"
	"os"
	"strconv"
	"strings"

	"sendoff/internal/apiclient"
)

// maxPolicyFile is a little more than a policy's file may have, so that one that is
// too large is refused for that.
const maxPolicyFile = 1<<20 + 1

// maxPreviewRows is how many accounts a plan shows at most.
const maxPreviewRows = 200

// readPolicyFile reads one file of a policy.
func readPolicyFile(path string) (string, error) {
	unreadable := usage("the file "+path+" cannot be read", "check the path and its permissions")
	f, err := os.Open(path)
	if err != nil {
		return "", unreadable
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxPolicyFile))
	if err != nil {
		return "", unreadable
	}
	return string(b), nil
}

// ruleChoice is the rule that was typed: a file where it looks like a path or is
// one, else the name of a policy.
func ruleChoice(typed string) (apiclient.RuleChoice, error) {
	info, err := os.Stat(typed)
	isFile := err == nil && !info.IsDir()
	if !isFile && !strings.ContainsAny(typed, `/\`) && !strings.HasSuffix(typed, ".yaml") && !strings.HasSuffix(typed, ".yml") {
		return apiclient.RuleChoice{Ref: typed}, nil
	}
	source, err := readPolicyFile(typed)
	return apiclient.RuleChoice{File: typed, Source: source}, err
}

type ruleArg struct {
	Rule string `arg:"" name:"file|name" help:"File of a policy, or the name of one that was applied."`
}

type planPolicyCommand struct {
	ruleArg
	Rows int `default:"25" help:"How many accounts to plan and show, 0 to 200."`
}

// Run shows what a run would do now. It ends as the run would: refused where it
// takes too many, held where it is over budget.
func (c *planPolicyCommand) Run(in *invocation) error {
	if c.Rows < 0 || c.Rows > maxPreviewRows {
		return usage("--rows is not between 0 and "+strconv.Itoa(maxPreviewRows), "give 0 to "+strconv.Itoa(maxPreviewRows)+": the counts are of all accounts, whatever is shown")
	}
	rule, err := ruleChoice(c.Rule)
	if err != nil {
		return err
	}
	api, err := in.client()
	if err != nil {
		return err
	}
	p, err := api.PreviewPolicy(in.ctx, rule, c.Rows)
	if err != nil {
		return translateFlags(err, map[string]string{"rows": "--rows"})
	}
	if err := in.result(p, func() { in.printPreview(p) }); err != nil {
		return err
	}
	switch {
	case p.TooMany:
		return exitStatus(ExitRefused)
	case len(p.Overruns) > 0:
		return exitStatus(ExitParked)
	}
	return nil
}

func (in *invocation) printPreview(p apiclient.Preview) {
	in.printFileWarnings(p.Warnings)
	in.print("Policy %s would take %d of %d accounts now. Nothing was started.", p.Policy, p.Matched, p.Looked)
	in.printBasis(p.Basis)
	in.print("")
	in.table("ACCOUNTS|REASON", reasonRows(p.Reasons))
	in.printWanted(p.Wanted, p.Overruns)
	if p.TooMany {
		in.print("TOO MANY: it takes more than half of the population. A run would end without doing anything, unless the policy says allow: most_of_population.")
	}
	if len(p.Rows) == 0 {
		return
	}
	in.print("")
	var rows [][]string
	for _, r := range p.Rows {
		rows = append(rows, []string{
			r.Connection + "/" + r.AccountID, r.Login, r.Grade + " " + r.Threshold, atOr(r.LastActiveAt, "none seen"), size(r.Bytes), receiverOf(r.Facts), findingsText(r.Findings),
		})
	}
	in.table("ACCOUNT|LOGIN|USE|LAST USE|CONTENT|RECEIVER|FINDINGS", rows)
	if rest := p.Matched - int64(len(p.Rows)); rest > 0 {
		in.note("%d more match; raise --rows.", rest)
	}
}

func (in *invocation) printFileWarnings(list []apiclient.Problem) {
	for _, p := range list {
		in.note("%s: warning: %s", p.Where, p.Message)
		in.note("    fix: %s", p.Fix)
	}
}

// printBasis says what grades are proven by, connection by connection.
func (in *invocation) printBasis(list []apiclient.PolicyBasis) {
	for _, b := range list {
		covered := "activity is not collected"
		if b.CoveredFrom != nil {
			covered = "activity is covered from " + at(*b.CoveredFrom) + " to " + atOr(b.CoveredTo, "")
		}
		if b.Why != "" {
			covered += " (" + b.Why + ")"
		}
		in.print("  %s: %s; accounts listed %s", b.Connection, covered, atOr(b.SyncedAt, "never"))
	}
}

func reasonRows(list []apiclient.ReasonCount) [][]string {
	var rows [][]string
	for _, r := range list {
		rows = append(rows, []string{strconv.FormatInt(r.Count, 10), strings.ReplaceAll(r.Reason, "_", " ")})
	}
	return rows
}

// printWanted says what plans would use, and which limits that exceeds.
func (in *invocation) printWanted(w apiclient.Spending, overruns []apiclient.Overrun) {
	in.print("")
	in.print("would use    %d accounts (%d privileged), %s moved or destroyed", w.Accounts, w.Privileged, size(w.Bytes))
	for _, o := range overruns {
		in.print("OVER BUDGET: %s: %d used before, %d more wanted, %d allowed", limitName(o), o.Used, o.Wanted, o.Allowed)
	}
	if len(overruns) > 0 {
		in.print("Nothing of a run starts until two different people release it.")
	}
}

func limitName(o apiclient.Overrun) string {
	name := strings.ReplaceAll(o.Limit, "_", " ")
	if o.Connection != "" {
		name += " of " + o.Connection
	}
	return name
}

func receiverOf(f *apiclient.PlanFacts) string {
	if f == nil {
		return "not planned"
	}
	return f.ReceiverLogin
}

func findingsText(list []apiclient.Finding) string {
	var codes []string
	for _, f := range list {
		code := f.Code
		if f.Warning {
			code += " (warning)"
		}
		codes = append(codes, code)
	}
	return strings.Join(codes, ", ")
}

// maxReplayPage is the longest page of hits that the server gives: for each it reads
// the whole history.
const maxReplayPage = 5000

type replayPolicyCommand struct {
	ruleArg
	Since string `default:"365d" placeholder:"DURATION" help:"How far back."`
	Limit int    `default:"10000" help:"How many hits at most."`
}

// Run shows whom a rule would have taken, and who came back.
func (c *replayPolicyCommand) Run(in *invocation) error {
	rule, err := ruleChoice(c.Rule)
	if err != nil {
		return err
	}
	api, err := in.client()
	if err != nil {
		return err
	}
	var whole *apiclient.Replay
	hits, next, err := upToBy(c.Limit, maxReplayPage, func(cursor string, limit int) ([]apiclient.ReplayHit, string, error) {
		page, err := api.ReplayPolicy(in.ctx, rule, c.Since, cursor, limit)
		if err == nil && whole == nil {
			whole = &page // the sums of each page are those of the whole
		}
		return page.Hits, page.Next, err
	})
	if err != nil {
		return translateFlags(err, map[string]string{"since": "--since"})
	}
	whole.Hits, whole.Next = hits, next
	return in.result(whole, func() { in.printReplay(*whole) })
}

func (in *invocation) printReplay(r apiclient.Replay) {
	in.printFileWarnings(r.Warnings)
	var rows [][]string
	for _, h := range r.Hits {
		returned := h.ReturnedOn
		if returned != "" {
			returned = "CAME BACK " + returned
		}
		rows = append(rows, []string{h.HitOn, h.Connection, h.Login, h.LastUsedOn, strconv.Itoa(h.SilentDays), returned})
	}
	in.table("WOULD HIT|CONNECTION|LOGIN|LAST USE|SILENT DAYS|LATER", rows)
	in.print("")
	hits := strconv.Itoa(len(r.Hits))
	if r.Next != "" {
		hits = "more than " + hits
	}
	in.print("Policy %s from %s to %s: %d accounts looked at, %s hits, %d of them came back to life (false positives).",
		r.Policy, r.From.UTC().Format("2006-01-02"), r.To.UTC().Format("2006-01-02"), r.Accounts, hits, r.Returned)
	in.print("%d silences were as long, but no coverage proves them: the policy would have left those accounts alone.", r.Unproven)
	for _, l := range r.Limits {
		in.print("Limit: %s", l)
	}
	in.more(r.Next)
}
