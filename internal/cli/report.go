package cli

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"sendoff/internal/apiclient"
)

type reportCaseCommand struct{ caseArg }

// Run prints the report of a case.
func (c *reportCaseCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	r, err := api.Report(in.ctx, c.Case)
	if err != nil {
		return err
	}
	return in.result(r, func() { in.printReport(r) })
}

func (in *invocation) printReport(r apiclient.Report) {
	c := r.Case
	in.print("OFFBOARDING REPORT")
	in.print("")
	in.print("Leaver          %s", c.Email)
	in.print("Case            %s", c.CaseID)
	in.print("State           %s%s", c.State, closed(r.ClosedAt))
	in.print("Requested       %s by %s (%s)", at(c.CreatedAt), c.RequestedBy, r.Source)
	in.print("Takes effect    %s", atOr(c.EffectiveAt, "at once"))
	in.print("Template        %s, grace %s", c.Template, c.Grace)
	in.print("Receivers       %s", orDash(strings.Join(r.Receivers, ", ")))
	in.print("Approved hash   %s", c.Hash)
	details := map[string]apiclient.ReportAccount{}
	for _, a := range r.Accounts {
		details[a.PlanID] = a
	}
	for i, a := range c.Accounts {
		in.print("")
		in.print("%d. ACCOUNT %s IN %s", i+1, a.AccountID, strings.ToUpper(a.Connection))
		in.printReportAccount(a, details[a.PlanID])
	}
	in.printWrites(r)
	in.printUnproven(r)
	in.printDecisions(r.Decisions)
	in.printEvents(r)
}

func closed(when string) string {
	if when == "" {
		return ""
	}
	return ", closed " + when
}

func (in *invocation) printReportAccount(a apiclient.Account, d apiclient.ReportAccount) {
	in.print("   Login        %s", orDash(d.Login))
	in.print("   Outcome      %s", progressOf(a))
	in.print("   Receiver     %s", orDash(d.Receiver))
	if d.ApprovalsRequired > 0 {
		in.print("   Approvals    %d of %d", d.ApprovalsGiven, d.ApprovalsRequired)
	}
	if c := a.CauseDetail; c != nil {
		in.print("   Parked       %s: %s (%s)", a.Cause, c.Message, at(c.At))
		in.print("   Way out      %s", c.Fix)
	}
	if s := d.Snapshot; s != nil {
		in.print("   Found        status %s, role %s, %s in use, %d items at the root, %d in the trash (%s), %d groups", s.Status, s.Role, size(s.SpaceUsedBytes), s.Witnesses, s.Trash, size(s.TrashBytes), s.Groups)
		in.print("   Shared       %d collaborations (read for %d of %d items); %d items of others were shared with it", s.Collaborations, s.ItemsRead, s.ItemsTotal, s.SharedWithSource)
	}
	if t := a.Transfer; t != nil {
		in.print("   Transfer     %s; requests sent: %d; before %s, left %s; items found at the receiver: %d of %d; folders: %s", t.State, t.Attempts, size(t.BytesBefore), size(t.BytesLeft), t.WitnessesFound, t.WitnessesTotal, orDash(strings.Join(t.FolderIDs, ", ")))
	}
	in.printRestraint(d)
	in.print("")
	in.printSteps("   ", a.Steps)
}

// printRestraint says what kept the account, or might have.
func (in *invocation) printRestraint(d apiclient.ReportAccount) {
	if d.Holds != "" {
		in.print("   Legal holds  %s", d.Holds)
	}
	for _, id := range d.VendorHolds {
		in.print("   Vendor holds legal hold policy %s", id)
	}
	for _, r := range d.Restrictions {
		matter := ""
		if r.Matter != "" {
			matter = ", matter " + r.Matter
		}
		in.print("   Restricted   %s %s on %s since %s by %s%s: %s; %s", r.Kind, r.ID, subjectText(r), at(r.CreatedAt), r.CreatedBy, matter, r.Reason, stateText(r))
	}
}

func (in *invocation) printWrites(r apiclient.Report) {
	in.print("")
	in.print("WRITES AT THE VENDOR")
	if len(r.Writes) == 0 {
		in.print("   None.")
		return
	}
	accounts := map[string]string{}
	for _, a := range r.Case.Accounts {
		accounts[a.PlanID] = a.Connection + "/" + a.AccountID
	}
	var rows [][]string
	for _, w := range r.Writes {
		op := w.Op
		if w.Undo {
			op += " (undo)"
		}
		outcome := w.Outcome
		if outcome == "" {
			outcome = "not recorded"
		}
		rows = append(rows, []string{"   " + at(w.IntendedAt), accounts[w.PlanID], op, outcome, atOr(w.OutcomeAt, ""), proofText(w.Details)})
	}
	in.table("   INTENDED|ACCOUNT|WHAT|OUTCOME|AT|DETAILS", rows)
}

func (in *invocation) printUnproven(r apiclient.Report) {
	in.print("")
	in.print("WHAT COULD NOT BE PROVEN")
	if len(r.Unproven) == 0 {
		in.print("   Nothing: each finished step has its proof above.")
	}
	for _, u := range r.Unproven {
		where := u.Step
		if where == "" {
			where = "account"
		}
		in.print("   %s: %s", where, u.Message)
	}
}

func (in *invocation) printDecisions(list []apiclient.Decision) {
	in.print("")
	in.print("DECISIONS")
	if len(list) == 0 {
		in.print("   None besides the request.")
		return
	}
	var rows [][]string
	for _, d := range list {
		rows = append(rows, []string{"   " + d.CreatedAt, d.Kind, d.Principal, d.TokenID, decisionText(d), d.Reason})
	}
	in.table("   WHEN|DECISION|BY|TOKEN|WHAT|REASON", rows)
}

// decisionText is what a decision says besides its reason.
func decisionText(d apiclient.Decision) string {
	return proofText(map[string]string{
		"plan": d.PlanID, "hash": d.Hash, "step": d.Step, "to": d.To, "receivers": strings.Join(d.Receivers, ","),
	})
}

// event is what the report shows of an audit record's body.
type event struct {
	At      time.Time         `json:"at"`
	Action  string            `json:"action"`
	Details map[string]string `json:"details"`
	Actor   struct {
		Kind string `json:"kind"`
		Name string `json:"name"`
	} `json:"actor"`
	Subject struct {
		Step string `json:"step"`
	} `json:"subject"`
}

func (in *invocation) printEvents(r apiclient.Report) {
	in.print("")
	in.print("AUDIT TRAIL (%d records)", len(r.Events))
	var rows [][]string
	for _, body := range r.Events {
		var e event
		if json.Unmarshal(body, &e) != nil {
			rows = append(rows, []string{"   ?", "unreadable record", "", "", string(body)})
			continue
		}
		by := e.Actor.Name
		if by == "" {
			by = e.Actor.Kind
		}
		rows = append(rows, []string{"   " + at(e.At), e.Action, by, e.Subject.Step, proofText(e.Details)})
	}
	in.table("   WHEN|WHAT|BY|STEP|DETAILS", rows)
	if r.EventsTruncated {
		in.print("   There are more records; the whole log is had with: sendoff audit export")
	}
}

// proofText renders named facts in the order of their names.
func proofText(proof map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(proof)) {
		if proof[name] != "" {
			parts = append(parts, name+"="+proof[name])
		}
	}
	return strings.Join(parts, " ")
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
