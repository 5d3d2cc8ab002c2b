package cli

import (
	"strconv"
	"strings"

	"sendoff/internal/apiclient"
	"sendoff/schema"
)

type reviewCommands struct {
	List     listReviewsCommand   `cmd:"" help:"List review runs, newest first."`
	Show     showReviewCommand    `cmd:"" help:"Show how far a review run is, or how it ended."`
	Items    reviewItemsCommand   `cmd:"" help:"List the accounts that a run matched, and what became of them."`
	Verdicts verdictsCommand      `cmd:"" help:"List the verdicts that a run keeps."`
	Report   reportReviewCommand  `cmd:"" help:"Sum a review run."`
	Approve  approveReviewCommand `cmd:"" help:"Approve the plans of a run that its hash covers."`
	Cancel   cancelReviewCommand  `cmd:"" help:"End a review run; what it started goes on."`
	Answer   answerItemCommand    `cmd:"" help:"Answer for an account whether it is still needed."`
}

type listReviewsCommand struct {
	Policy string `placeholder:"NAME" help:"Only runs of this policy."`
	State  string `enum:",gathering,judging,planning,held,approving,acting,ended" default:"" help:"Only runs in this state."`
	Limit  int    `default:"50" help:"How many at most."`
}

// Run lists review runs.
func (c *listReviewsCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	list, next, err := upTo(c.Limit, func(cursor string, limit int) ([]apiclient.Review, string, error) {
		return api.Reviews(in.ctx, c.Policy, c.State, cursor, limit)
	})
	if err != nil {
		return err
	}
	return in.result(map[string]any{"reviews": list, "next": next}, func() {
		var rows [][]string
		for _, r := range list {
			rows = append(rows, []string{
				at(r.CreatedAt), r.Policy, strconv.Itoa(r.Version), r.Mode, reviewState(r), strconv.FormatInt(r.Looked, 10), strconv.FormatInt(r.Matched, 10), r.ID,
			})
		}
		in.table("BEGAN|POLICY|VERSION|MODE|STATE|LOOKED AT|MATCHED|REVIEW", rows)
		in.more(next)
	})
}

// reviewState is the state, or how it ended.
func reviewState(r apiclient.Review) string {
	if r.End != "" {
		return strings.ReplaceAll(r.End, "_", " ")
	}
	return r.State
}

type reviewArg struct {
	Review string `arg:"" help:"Id of the review run."`
}

type showReviewCommand struct {
	reviewArg
	Wait bool `help:"Show the progress and wait until it has ended or needs somebody."`
}

// Run shows a review run with what became of what it matched.
func (c *showReviewCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	if c.Wait {
		return in.waitReview(api, c.Review)
	}
	r, err := api.ReviewReport(in.ctx, c.Review)
	if err != nil {
		return err
	}
	return in.result(map[string]any{"review": r.Review, "items": r.Items}, func() { in.printReview(r) })
}

func (in *invocation) printReview(report apiclient.ReviewReport) {
	r := report.Review
	in.print("review       %s of policy %s version %d: %s", r.ID, r.Policy, r.Version, reviewState(r))
	if r.Why != "" {
		in.print("             %s", r.Why)
	}
	by := "its schedule"
	if r.RequestedBy != "" {
		by = r.RequestedBy
	}
	in.print("mode         %s; asked for by %s %s, ended %s", strings.ReplaceAll(r.Mode, "_", " "), by, at(r.CreatedAt), atOr(r.EndedAt, "not yet"))
	in.print("judged       %d accounts as of %s, %d matched, %d other than in the run before", r.Looked, atOr(r.JudgedAt, "not yet"), r.Matched, r.Changed)
	in.printBasis(r.Basis)
	if r.Hash != "" {
		in.print("hash         %s; approvals %d of %d", r.Hash, len(r.Approved), r.Approvals)
	}
	for _, a := range r.Approved {
		in.print("  %s approved by %s: %s", at(a.At), a.Principal, a.Reason)
	}
	in.printWanted(r.Wanted, r.Overruns)
	if w := r.BudgetWait; w != nil {
		in.print("waits        %d confirmed accounts wait since %s for room in a budget of 24 hours, until %s if nobody else takes it", w.Accounts, at(w.Since), at(w.Until))
		for _, o := range w.Overruns {
			in.print("  %s: %d used, %d allowed", limitName(o), o.Used, o.Allowed)
		}
	}
	if len(r.Reasons) > 0 {
		in.print("")
		in.table("ACCOUNTS|REASON", reasonRows(r.Reasons))
	}
	if len(report.Items) > 0 {
		in.print("")
		in.table("ITEMS|STATE", countRows(report.Items))
	}
	in.adviseReview(r)
}

func countRows(list []apiclient.StateCount) [][]string {
	var rows [][]string
	for _, c := range list {
		rows = append(rows, []string{strconv.FormatInt(c.Count, 10), c.State})
	}
	return rows
}

// adviseReview says of a run that waits for somebody what is to be done.
func (in *invocation) adviseReview(r apiclient.Review) {
	switch r.State {
	case "held":
		in.note("Held: two different people must release it. Look at it: sendoff batches show %s", r.BatchID)
	case "approving":
		in.note("It waits for approval: sendoff policy reviews approve %s --hash %s --reason TEXT", r.ID, r.Hash)
	}
}

type reviewItemsCommand struct {
	reviewArg
	State string `enum:",matched,planned,refused,asking,ready,started,kept,silent,drifted,cancelled" default:"" help:"Only items in this state."`
	Limit int    `default:"100" help:"How many at most."`
}

// Run lists the items of a run.
func (c *reviewItemsCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	list, next, err := upTo(c.Limit, func(cursor string, limit int) ([]apiclient.ReviewItem, string, error) {
		return api.ReviewItems(in.ctx, c.Review, c.State, cursor, limit)
	})
	if err != nil {
		return err
	}
	return in.result(map[string]any{"items": list, "next": next}, func() {
		var rows [][]string
		for _, i := range list {
			rows = append(rows, []string{
				i.Connection + "/" + i.AccountID, i.Login, i.State, i.Grade + " " + i.Threshold, atOr(i.LastActiveAt, "none seen"), size(i.Bytes),
				receiverOf(i.Facts), i.CaseID, itemWhy(i),
			})
		}
		in.table("ACCOUNT|LOGIN|STATE|USE|LAST USE|CONTENT|RECEIVER|CASE|WHY", rows)
		in.more(next)
	})
}

// itemWhy says in one line why an item is where it is.
func itemWhy(i apiclient.ReviewItem) string {
	parts := []string{}
	if i.Why != "" {
		parts = append(parts, i.Why)
	}
	for _, d := range i.Drift {
		parts = append(parts, d.Fact+": "+orDash(d.Before)+" -> "+orDash(d.Now))
	}
	if i.AskUntil != nil && i.State == "asking" {
		parts = append(parts, "asked until "+at(*i.AskUntil))
	}
	if text := findingsText(i.Findings); text != "" {
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

type verdictsCommand struct {
	reviewArg
	Reason  string `placeholder:"REASON" help:"Only verdicts of this reason, such as matched, excluded or kept."`
	Changed bool   `help:"Only those that are other than in the run before."`
	Limit   int    `default:"100" help:"How many at most."`
}

// Run lists the verdicts of a run.
func (c *verdictsCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	list, next, err := upTo(c.Limit, func(cursor string, limit int) ([]apiclient.VerdictRow, string, error) {
		return api.ReviewVerdicts(in.ctx, c.Review, c.Reason, c.Changed, cursor, limit)
	})
	if err != nil {
		return err
	}
	return in.result(map[string]any{"verdicts": list, "next": next}, func() {
		var rows [][]string
		for _, v := range list {
			exclusion := ""
			if v.Exclusion != nil {
				exclusion = strconv.Itoa(*v.Exclusion)
			}
			rows = append(rows, []string{v.Connection + "/" + v.AccountID, v.Login, strings.ReplaceAll(v.Reason, "_", " "), strings.ReplaceAll(v.Before, "_", " "), exclusion})
		}
		in.table("ACCOUNT|LOGIN|REASON|BEFORE|EXCLUSION", rows)
		in.more(next)
	})
}

type reportReviewCommand struct{ reviewArg }

// Run sums a run.
func (c *reportReviewCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	r, err := api.ReviewReport(in.ctx, c.Review)
	if err != nil {
		return err
	}
	return in.result(r, func() {
		in.printReview(r)
		in.printReviewSum(r)
	})
}

func (in *invocation) printReviewSum(r apiclient.ReviewReport) {
	var rows [][]string
	for _, e := range r.Excluded {
		rows = append(rows, []string{strconv.FormatInt(e.Count, 10), strconv.Itoa(e.Exclusion), e.Reason})
	}
	in.section("EXCLUDED", "ACCOUNTS|EXCLUSION|WHY", rows, "none")
	in.section("PLANS", "PLANS|STATE", countRows(r.Plans), "none was started")
	in.print("")
	in.print("asked        %d, answered %d (needed %d, not needed %d), not deliverable %d", r.Asks.Asked, r.Asks.Answered, r.Asks.Needed, r.Asks.NotNeeded, r.Asks.Undeliverable)
	in.print("seats        %d freed by proven deletes, %d more by plans that are open", r.Seats.Freed, r.Seats.Ahead)
	for _, m := range r.AtRenewal {
		in.print("at renewal   %s %s saved in each period", m.Amount, m.Currency)
	}
}

type approveReviewCommand struct {
	reviewArg
	Hash string `required:"" help:"The hash of the run that you looked at; policy reviews show prints it."`
	reasonFlag
}

// Run approves a run's plans.
func (c *approveReviewCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	r, err := api.ApproveReview(in.ctx, c.Review, c.Hash, c.Reason)
	if err != nil {
		return translateFlags(err, map[string]string{"hash": "--hash", "reason": "--reason"})
	}
	return in.result(r, func() {
		if missing := r.Approvals - len(r.Approved); missing > 0 && r.State == "approving" {
			in.print("Approved review %s. It needs %d more.", r.ID, missing)
			return
		}
		in.print("Approved review %s: it acts.", r.ID)
	})
}

type cancelReviewCommand struct {
	reviewArg
	reasonFlag
}

// Run ends a run.
func (c *cancelReviewCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	r, err := api.CancelReview(in.ctx, c.Review, c.Reason)
	if err != nil {
		return translateFlags(err, map[string]string{"reason": "--reason"})
	}
	return in.result(r, func() {
		in.print("Cancelled review %s. Cases that it started go on: cancel those with sendoff cases cancel.", r.ID)
	})
}

type answerItemCommand struct {
	reviewArg
	Account   string `arg:"" help:"The whole login, CONNECTION/ID with the vendor's id, or our id."`
	Needed    bool   `xor:"answer" required:"" help:"It is still needed: its clock starts again."`
	NotNeeded bool   `xor:"answer" required:"" help:"It is not needed: nobody has to wait any longer."`
	reasonFlag
}

// Run answers for an account.
func (c *answerItemCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	answer := "not_needed"
	if c.Needed {
		answer = "needed"
	}
	item, err := api.AnswerReviewItem(in.ctx, c.Review, c.Account, answer, c.Reason)
	if err != nil {
		return translateFlags(err, map[string]string{"reason": "--reason"})
	}
	return in.result(item, func() {
		if item.State == string(schema.ItemStarted) && c.Needed {
			in.print("Answered for %s of %s: its clock starts again, and case %s is cancelled unless it has ended.", item.Login, item.Connection, item.CaseID)
			return
		}
		in.print("Answered for %s of %s: it is %s now.", item.Login, item.Connection, item.State)
	})
}
