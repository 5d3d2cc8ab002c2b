package cli

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"

	"sendoff/internal/apiclient"
)

type reportCommands struct {
	Usage    reportUsageCommand    `cmd:"" help:"Active users by day and week, trend, adoption, by department and group."`
	Licenses reportLicensesCommand `cmd:"" help:"Seats bought, held and dormant, and what acts on them free."`
	Inactive reportInactiveCommand `cmd:"" help:"Accounts by grade, those silent longest first."`
	Orphans  reportOrphansCommand  `cmd:"" help:"Accounts without a person, and people without a manager."`
	Changes  reportChangesCommand  `cmd:"" help:"Who gained or lost what, and when it was seen."`
}

// reportFlags are those of every report.
type reportFlags struct {
	CSV string `placeholder:"FILE" help:"Write the whole report as CSV to a file, or with - to stdout."`
}

// limitFlag is that of reports that list accounts.
type limitFlag struct {
	Limit int `default:"100" help:"How many to show at most; CSV has all."`
}

// csv writes the report as CSV if that was asked for; false = it was not. A file
// appears only when it is whole.
func (f reportFlags) csv(in *invocation, api *apiclient.Client, report string, filters url.Values) (bool, error) {
	switch f.CSV {
	case "":
		return false, nil
	case "-":
		return true, api.ReportCSV(in.ctx, report, filters, in.stdout)
	}
	err := wholeFile(f.CSV, func(w io.Writer) error { return api.ReportCSV(in.ctx, report, filters, w) })
	if err != nil {
		return true, err
	}
	return true, in.result(map[string]string{"file": f.CSV}, func() { in.print("Written to %s.", f.CSV) })
}

// wholeFile writes a file that appears only when it is whole.
func wholeFile(name string, write func(io.Writer) error) error {
	part := name + ".part"
	f, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return usage("the file cannot be written: "+err.Error(), "name one in a directory you may write to")
	}
	err = write(f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(part, name)
	}
	if err != nil {
		_ = os.Remove(part)
	}
	return err
}

// printHead says how old what a report is told from is, and what is missing.
func (in *invocation) printHead(title string, h apiclient.ReportHead) {
	in.print("%s", title)
	in.print("Report of %s", at(h.At))
	in.table(datasetHeader, datasetRows(h.Datasets))
	for _, c := range h.Coverage {
		if c.Source == "" {
			in.print("%s: no activity is collected; nobody is called inactive", c.Connection)
			continue
		}
		in.print("%s: every event of %s is known from %s to %s", c.Connection, c.Source, atOr(c.CoveredFrom, ""), atOr(c.CoveredTo, ""))
	}
	in.print("")
}

type reportLicensesCommand struct {
	reportFlags
	Connection string `placeholder:"NAME" help:"Only this connection."`
	Threshold  string `default:"90d" placeholder:"DURATION" help:"How long dormant accounts have been silent."`
}

// Run reports licences.
func (c *reportLicensesCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	filters := url.Values{"connection": {c.Connection}, "threshold": {c.Threshold}}
	if done, err := c.csv(in, api, apiclient.ReportOfLicenses, filters); done {
		return err
	}
	r, err := apiclient.ReportPage[apiclient.LicenseReport](in.ctx, api, apiclient.ReportOfLicenses, filters, "", 0)
	if err != nil {
		return err
	}
	return in.result(r, func() {
		in.printHead("LICENCES", r.ReportHead)
		for _, row := range r.Connections {
			in.printLicense(row, r.Threshold)
		}
	})
}

func (in *invocation) printLicense(r apiclient.LicenseRow, threshold string) {
	in.print("%s (%s)", r.Connection, r.Vendor)
	renews := "the renewal"
	if l := r.License; l == nil {
		in.print("  bought       not configured: %s tells neither seats nor price; sendoff licenses set %s", r.Vendor, r.Connection)
	} else {
		in.print("  bought       %d at %s %s per %s: %s; renews on %s", l.Seats, l.UnitPrice, l.Currency, l.Period, r.Cost, orDash(l.RenewsOn))
		in.print("  in use       %d%s; free %d, over %d", r.SeatsHeld, percentOf(r.Utilisation), *r.Free, *r.Over)
		if l.RenewsOn != "" {
			renews = l.RenewsOn
		}
	}
	in.print("  seats held   %d: active %d, restricted %d, suspended %d", r.SeatsHeld, r.Active, r.Restricted, r.Suspended)
	in.print("  dormant      %d for %s; not known of %d", r.Dormant, threshold, r.Ungraded)
	in.print("  no seat      service %d, app %d, external %d; missing %d, which may hold one", r.Service, r.App, r.External, r.Missing)
	var rows [][]string
	for _, e := range r.Effects {
		rows = append(rows, []string{"  " + e.Act, count(e.Accounts), count(e.SeatsNow), orDash(e.AtRenewal)})
	}
	per := ""
	if r.License != nil {
		per = ", PER " + r.License.Period
	}
	in.table("  ACT|ACCOUNTS|SEATS FREED NOW|MONEY FROM "+renews+" ON"+per, rows)
	in.print("")
}

func count(n int64) string { return strconv.FormatInt(n, 10) }

// percentOf renders a part of a whole; "" for none.
func percentOf(part *float64) string {
	if part == nil {
		return ""
	}
	return fmt.Sprintf(" (%.1f %%)", *part*100)
}

type reportInactiveCommand struct {
	reportFlags
	limitFlag
	Connection string   `placeholder:"NAME" help:"Only this connection."`
	Threshold  string   `default:"90d" placeholder:"DURATION" help:"How long an account has to be silent to be inactive."`
	Grade      []string `help:"Which grades to list: active, inactive, never, unknown, not_collected; inactive and never when left out."`
	Status     []string `help:"Which statuses; active and restricted when left out."`
	Kind       []string `help:"Which kinds; person when left out."`
}

// Run reports inactive accounts.
func (c *reportInactiveCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	filters := url.Values{"connection": {c.Connection}, "threshold": {c.Threshold}, "grade": c.Grade, "status": c.Status, "kind": c.Kind}
	if done, err := c.csv(in, api, apiclient.ReportOfInactive, filters); done {
		return err
	}
	var r apiclient.InactiveReport
	r.Accounts, r.Next, err = upTo(c.Limit, func(cursor string, limit int) ([]apiclient.InactiveRow, string, error) {
		p, err := apiclient.ReportPage[apiclient.InactiveReport](in.ctx, api, apiclient.ReportOfInactive, filters, cursor, limit)
		if cursor == "" {
			r = p
		}
		return p.Accounts, p.Next, err
	})
	if err != nil {
		return err
	}
	return in.result(r, func() {
		in.printHead("INACTIVE ACCOUNTS", r.ReportHead)
		n := r.Counts
		in.print("For %s: active %d, inactive %d, never used %d; unknown %d, not collected %d (which are not called inactive)",
			r.Threshold, n["active"], n["inactive"], n["never"], n["unknown"], n["not_collected"])
		var rows [][]string
		for _, a := range r.Accounts {
			seat := ""
			if a.Seat {
				seat = "seat"
			}
			rows = append(rows, []string{a.Connection + "/" + a.AccountID, a.Login, a.Grade, a.Band, atOr(a.LastActiveAt, "none seen"), a.LastSource, a.Person, a.Manager, seat, size(a.SpaceUsed)})
		}
		in.table("ACCOUNT|LOGIN|GRADE|DAYS|LAST USE|SOURCE|PERSON|MANAGER|SEAT|SPACE", rows)
		in.more(r.Next)
	})
}
