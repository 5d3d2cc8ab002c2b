package cli

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"sendoff/internal/apiclient"
)

type reportUsageCommand struct {
	reportFlags
	Connection string `placeholder:"NAME" help:"The connection; may be left out where there is one."`
	Days       int    `default:"90" help:"How many days back, today included."`
	Since      string `placeholder:"YYYY-MM-DD" help:"The first day (UTC), in place of --days."`
	Until      string `placeholder:"YYYY-MM-DD" help:"The last day (UTC); today when left out."`
	Groups     int    `default:"50" help:"How many groups to show at most; CSV has all."`
}

// Run reports usage.
func (c *reportUsageCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	if c.Connection == "" {
		if c.Connection, err = in.onlyConnection(api); err != nil {
			return err
		}
	}
	filters := url.Values{"connection": {c.Connection}, "days": {strconv.Itoa(c.Days)}, "since": {c.Since}, "until": {c.Until}}
	if done, err := c.csv(in, api, apiclient.ReportOfUsage, filters); done {
		return err
	}
	var r apiclient.UsageReport
	r.Groups, r.GroupsNext, err = upTo(c.Groups, func(cursor string, limit int) ([]apiclient.UsageShare, string, error) {
		p, err := apiclient.ReportPage[apiclient.UsageReport](in.ctx, api, apiclient.ReportOfUsage, filters, cursor, limit)
		if cursor == "" {
			r = p
		}
		return p.Groups, p.GroupsNext, err
	})
	if err != nil {
		return err
	}
	return in.result(r, func() { in.printUsage(r) })
}

// onlyConnection is the name of the connection, where there is one.
func (in *invocation) onlyConnection(api *apiclient.Client) (string, error) {
	list, err := api.Connections(in.ctx)
	if err != nil {
		return "", err
	}
	var names []string
	for _, c := range list {
		if c.State != "removed" {
			names = append(names, c.Name)
		}
	}
	if len(names) != 1 {
		return "", usage(fmt.Sprintf("there are %d connections", len(names)), "name one with --connection: "+strings.Join(names, ", "))
	}
	return names[0], nil
}

func (in *invocation) printUsage(r apiclient.UsageReport) {
	in.printHead("USAGE OF "+r.Connection+", "+r.Since+" to "+r.Until, r.ReportHead)
	a := r.Adoption
	in.print("Adoption  %d of %d accounts that may sign in were used in the last 30 days%s; not known of %d", a.Active, a.Accounts, percentOf(a.Share), a.NotKnown)
	in.print("Trend     %s", trendText(r.Trend))
	var rows [][]string
	for _, name := range []string{"under_30", "30_59", "60_89", "90_179", "180_and_more", "never", "unknown", "not_collected"} {
		rows = append(rows, []string{name, count(r.Bands[name])})
	}
	in.section("BY DAYS OF SILENCE", "DAYS|ACCOUNTS", rows, "")
	in.section("BY WEEK", "WEEK|FROM|TO|ACTIVE|COVERED", spanRows(r.Weeks), "")
	in.section("BY DAY", "DAY|FROM|TO|ACTIVE|COVERED", spanRows(r.Days), "")
	in.section("BY DEPARTMENT", "DEPARTMENT|ACCOUNTS|ACTIVE|SHARE|NOT KNOWN", shareRows(r.Departments), "no account may sign in")
	in.section("BY GROUP", "GROUP|ACCOUNTS|ACTIVE|SHARE|NOT KNOWN", shareRows(r.Groups), "no group is listed")
	in.more(r.GroupsNext)
}

func trendText(t *apiclient.UsageTrend) string {
	if t == nil {
		return "not known: there are no two fully covered weeks four apart"
	}
	change := "nobody was active then"
	if t.Change != nil {
		change = fmt.Sprintf("%+.1f %%", *t.Change)
	}
	return fmt.Sprintf("%d active in %s, %d in %s: %s", t.Week.Active, t.Week.Name, t.Before.Active, t.Before.Name, change)
}

// spanRows says of an uncovered span that it is not known, and of one that is
// partly covered that there may be more.
func spanRows(list []apiclient.UsageSpan) [][]string {
	var rows [][]string
	for _, u := range list {
		active := count(u.Active)
		switch {
		case u.Coverage == "partial":
			active = "at least " + active
		case u.Coverage == "none" && u.Active == 0:
			active = "not known"
		case u.Coverage == "none":
			active = "at least " + active
		}
		rows = append(rows, []string{u.Name, u.From, u.To, active, u.Coverage})
	}
	return rows
}

func shareRows(list []apiclient.UsageShare) [][]string {
	var rows [][]string
	for _, u := range list {
		name := u.Name
		switch {
		case u.NoPerson:
			name = "(no person known)"
		case name == "":
			name = "(none)"
		}
		rows = append(rows, []string{name, count(u.Accounts), count(u.Active), strings.Trim(percentOf(u.Share), " ()"), count(u.NotKnown)})
	}
	return rows
}

type reportOrphansCommand struct {
	reportFlags
	limitFlag
	Connection string   `placeholder:"NAME" help:"Only this connection."`
	Issue      string   `help:"Only unmatched, ambiguous or contradiction."`
	Kind       []string `help:"Which kinds; person when left out."`
	People     bool     `help:"List people without a manager in place of accounts."`
}

// Run reports orphans.
func (c *reportOrphansCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	if c.People {
		return c.people(in, api)
	}
	filters := url.Values{"connection": {c.Connection}, "issue": {c.Issue}, "kind": c.Kind}
	if done, err := c.csv(in, api, apiclient.ReportOfOrphans, filters); done {
		return err
	}
	var r apiclient.OrphanReport
	r.Accounts, r.Next, err = upTo(c.Limit, func(cursor string, limit int) ([]apiclient.OrphanRow, string, error) {
		p, err := apiclient.ReportPage[apiclient.OrphanReport](in.ctx, api, apiclient.ReportOfOrphans, filters, cursor, limit)
		if cursor == "" {
			r = p
		}
		return p.Accounts, p.Next, err
	})
	if err != nil {
		return err
	}
	return in.result(r, func() { in.printOrphans(r) })
}

func (in *invocation) printOrphans(r apiclient.OrphanReport) {
	in.printHead("ACCOUNTS WITHOUT A PERSON", r.ReportHead)
	n := r.Counts
	in.print("Accounts of people: unmatched %d, ambiguous %d, contradiction %d", n.Unmatched, n.Ambiguous, n.Contradiction)
	in.print("Apart from these:   service %d, app %d, external %d", n.Service, n.App, n.External)
	in.print("People without a manager: %d of %d (--people lists them)", n.PeopleWithoutManager, n.People)
	var rows [][]string
	for _, a := range r.Accounts {
		rows = append(rows, []string{a.Connection + "/" + a.AccountID, a.Login, a.Issue, strings.Join(a.Candidates, ", "), a.Status, a.Kind, atOr(a.LastActiveAt, "none seen")})
	}
	in.table("ACCOUNT|LOGIN|ISSUE|COULD BE|STATUS|KIND|LAST USE", rows)
	in.more(r.Next)
}

func (c *reportOrphansCommand) people(in *invocation, api *apiclient.Client) error {
	if done, err := c.csv(in, api, apiclient.ReportOfUnmanaged, nil); done {
		return err
	}
	list, next, err := upTo(c.Limit, func(cursor string, limit int) ([]apiclient.Unmanaged, string, error) {
		p, err := apiclient.ReportPage[apiclient.UnmanagedPage](in.ctx, api, apiclient.ReportOfUnmanaged, nil, cursor, limit)
		return p.People, p.Next, err
	})
	if err != nil {
		return err
	}
	return in.result(map[string]any{"people": list, "next": next}, func() {
		var rows [][]string
		for _, p := range list {
			rows = append(rows, []string{p.Email, p.Name, p.Department, p.Kind, p.Said})
		}
		in.table("PERSON|NAME|DEPARTMENT|KIND|MANAGER AS SAID", rows)
		in.more(next)
	})
}

type reportChangesCommand struct {
	reportFlags
	limitFlag
	Connection string   `placeholder:"NAME" help:"Only this connection."`
	Kind       []string `help:"Which kinds of change, such as role or membership_gained; all when left out."`
	Account    string   `placeholder:"REF" help:"Only of this account: its login, CONNECTION/ID, or our id."`
	Since      string   `placeholder:"TIME" help:"Only what was seen since: an instant with its zone, or a duration such as 7d ago."`
	Until      string   `placeholder:"TIME" help:"Only what was seen before."`
}

// Run reports changes.
func (c *reportChangesCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	filters := url.Values{"connection": {c.Connection}, "kind": c.Kind, "since": {c.Since}, "until": {c.Until}}
	if c.Account != "" {
		a, err := api.Account(in.ctx, c.Account, "")
		if err != nil {
			return err
		}
		filters.Set("account", a.ID)
	}
	if done, err := c.csv(in, api, apiclient.ReportOfChanges, filters); done {
		return err
	}
	var r apiclient.ChangeReport
	r.Changes, r.Next, err = upTo(c.Limit, func(cursor string, limit int) ([]apiclient.Change, string, error) {
		p, err := apiclient.ReportPage[apiclient.ChangeReport](in.ctx, api, apiclient.ReportOfChanges, filters, cursor, limit)
		if cursor == "" {
			r = p
		}
		return p.Changes, p.Next, err
	})
	if err != nil {
		return err
	}
	return in.result(r, func() {
		in.printHead("CHANGES", r.ReportHead)
		in.table(changeHeader, changeRows(r.Changes))
		in.more(r.Next)
	})
}
