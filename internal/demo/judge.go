package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// ledger is what the simulator's books say.
type ledger struct {
	Totals struct {
		OwnedBefore int `json:"owned_before"`
		Alive       int `json:"alive"`
		Destroyed   int `json:"destroyed"`
		Running     int `json:"running_jobs"`
	} `json:"totals"`
	Accounts []struct {
		ID        string         `json:"id"`
		Login     string         `json:"login"`
		Deleted   bool           `json:"deleted"`
		MaxJobs   int            `json:"max_concurrent_jobs"`
		EarlyDels int            `json:"deletes_while_job_ran"`
		Requests  int            `json:"transfer_requests"`
		Transfers map[string]int `json:"transfers"`
	} `json:"accounts"`
	Forced []json.RawMessage `json:"forced_requests"`
}

// caseJSON is a case as the command line prints it.
type caseJSON struct {
	CaseID   string `json:"case_id"`
	Email    string `json:"email"`
	State    string `json:"state"`
	Accounts []struct {
		State    string `json:"state"`
		Transfer *struct {
			State       string   `json:"state"`
			Attempts    int      `json:"attempts"`
			BytesBefore int64    `json:"bytes_before"`
			FolderIDs   []string `json:"folder_ids"`
		} `json:"transfer"`
	} `json:"accounts"`
}

// judge prints what happened to each leaver and holds it against the books.
func (d *demo) judge(ctx context.Context) error {
	var books ledger
	if err := d.control(ctx, http.MethodGet, "ledger", nil, &books); err != nil {
		return err
	}
	d.say("\nWhat happened to each:")
	for _, l := range d.leavers {
		if err := d.judgeLeaver(ctx, l, books); err != nil {
			return err
		}
	}
	d.say("\nThe audit log:")
	code, err := d.run(ctx, "audit", "verify")
	if err != nil {
		return err
	}
	d.expect(code == 0, "the audit log verifies")
	d.judgeBooks(books)
	return nil
}

func (d *demo) judgeLeaver(ctx context.Context, l leaver, books ledger) error {
	out, err := d.ask(ctx, "cases", "show", l.Login)
	if err != nil {
		return err
	}
	var c caseJSON
	if err := json.Unmarshal(out, &c); err != nil {
		return fmt.Errorf("cases show: %w", err)
	}
	transfer, attempts := "none", 0
	if len(c.Accounts) == 1 && c.Accounts[0].Transfer != nil {
		transfer, attempts = c.Accounts[0].Transfer.State, c.Accounts[0].Transfer.Attempts
	}
	d.say("  %-34s %-6s transfer %s, requests sent: %d", l.Login, c.State, transfer, attempts)
	d.expect(c.State == "done", "%s is done", l.Login)
	wantState, wantAttempts := "proven", 1
	if l.empty {
		wantState, wantAttempts = "skipped", 0
	}
	d.expect(transfer == wantState, "the transfer of %s is %s", l.Login, wantState)
	d.expect(attempts == wantAttempts, "the transfer of %s was sent %d times", l.Login, wantAttempts)
	for _, a := range books.Accounts {
		if a.ID == l.ID {
			d.expect(a.Deleted, "%s is gone at the vendor", l.Login)
			d.expect(a.Requests == wantAttempts, "the vendor saw %d transfer requests for %s", wantAttempts, l.Login)
			d.expect(l.mode != "gateway504" || a.Transfers["gateway504"] == 1, "the call for %s died with 504", l.Login)
			d.expect(l.mode != "slow200" || a.Transfers["running200"] == 1, "the 200 for %s came while it ran", l.Login)
		}
	}
	return nil
}

func (d *demo) judgeBooks(b ledger) {
	d.say("\nThe vendor's books:")
	d.say("items owned before: %d, alive after: %d, destroyed: %d", b.Totals.OwnedBefore, b.Totals.Alive, b.Totals.Destroyed)
	d.expect(b.Totals.OwnedBefore > 0 && b.Totals.OwnedBefore == b.Totals.Alive, "every item is alive")
	d.expect(b.Totals.Destroyed == 0, "nothing was destroyed")
	d.expect(len(b.Forced) == 0, "no request was forced")
	d.expect(b.Totals.Running == 0, "no transfer is left running")
	for _, a := range b.Accounts {
		d.expect(a.MaxJobs <= 1, "at most one job touched %s at once", a.Login)
		d.expect(a.EarlyDels == 0, "no delete of %s while a job ran", a.Login)
	}
}

// expect counts and tells an expectation that did not hold.
func (d *demo) expect(held bool, format string, args ...any) {
	if !held {
		d.failed++
		d.say("  NOT SO: "+format, args...)
	}
}

func (d *demo) verdict() string {
	if d.failed > 0 {
		return fmt.Sprintf("%d expectations did not hold.", d.failed)
	}
	return "Every expectation held."
}
