package cli

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"sendoff/internal/apiclient"
)

const maxPage = 500 // the longest that the server gives

type accountCommands struct {
	List listAccountsCommand `cmd:"" help:"List accounts, by login."`
	Show showAccountCommand  `cmd:"" help:"Everything known of an account, with source and age."`
}

type listAccountsCommand struct {
	Connection string   `placeholder:"NAME" help:"Only accounts of this connection."`
	Status     []string `help:"Only accounts in these statuses: active, suspended, restricted, missing, deleted."`
	Kind       []string `help:"Only accounts of these kinds: person, service, app, external."`
	Role       string   `help:"Only accounts of this role: member, coadmin or admin."`
	Privileged bool     `help:"Only accounts that administer others."`
	Login      string   `placeholder:"PREFIX" help:"Only accounts whose login begins so."`
	Person     string   `enum:",known,unknown" default:"" help:"Whether a person is known to hold it: known or unknown."`
	Limit      int      `default:"100" help:"How many at most."`
}

// Run lists accounts.
func (c *listAccountsCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	filters := url.Values{
		"connection": {c.Connection}, "status": c.Status, "kind": c.Kind, "role": {c.Role}, "login": {c.Login}, "person": {c.Person},
	}
	if c.Privileged {
		filters.Set("privileged", "true")
	}
	list, next, err := upTo(c.Limit, func(cursor string, limit int) ([]apiclient.AccountRow, string, error) {
		p, err := api.Accounts(in.ctx, filters, cursor, limit)
		return p.Accounts, p.Next, err
	})
	if err != nil {
		return err
	}
	return in.result(map[string]any{"accounts": list, "next": next}, func() {
		var rows [][]string
		for _, a := range list {
			rows = append(rows, []string{
				a.Connection + "/" + a.AccountID, a.Login, a.Status, a.Kind, a.Role, size(a.SpaceUsed), a.Person, atOr(a.LastActiveAt, "none seen"), at(a.ObservedAt),
			})
		}
		in.table("ACCOUNT|LOGIN|STATUS|KIND|ROLE|SPACE|PERSON|LAST USE|AS OF", rows)
		in.more(next)
	})
}

// upTo follows a list until it has as many entries as asked for.
func upTo[T any](limit int, next func(cursor string, limit int) ([]T, string, error)) ([]T, string, error) {
	return upToBy(limit, maxPage, next)
}

// upToBy is upTo by pages of that many entries at most.
func upToBy[T any](limit, most int, next func(cursor string, limit int) ([]T, string, error)) ([]T, string, error) {
	if limit < 1 {
		return nil, "", usage("--limit is below 1", "give how many to list")
	}
	list, cursor := []T{}, ""
	for {
		part, after, err := next(cursor, min(limit-len(list), most))
		if err != nil {
			return nil, "", err
		}
		list, cursor = append(list, part...), after
		if cursor == "" || len(list) >= limit {
			return list, cursor, nil
		}
	}
}

// more says that a list goes on.
func (in *invocation) more(next string) {
	if next != "" {
		in.note("There are more; raise --limit.")
	}
}

type showAccountCommand struct {
	Account   string `arg:"" help:"The whole login, CONNECTION/ID with the vendor's id, or our id."`
	Threshold string `default:"90d" placeholder:"DURATION" help:"How long it has to be silent to be inactive."`
	Groups    int    `default:"50" help:"How many groups to show at most."`
}

// Run shows an account.
func (c *showAccountCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	d, err := api.Account(in.ctx, c.Account, c.Threshold)
	if err != nil {
		return err
	}
	groups, next, err := upTo(c.Groups, func(cursor string, limit int) ([]apiclient.Membership, string, error) {
		p, err := api.AccountGroups(in.ctx, d.ID, cursor, limit)
		return p.Groups, p.Next, err
	})
	if err != nil {
		return err
	}
	return in.result(map[string]any{"account": d, "groups": groups, "groups_next": next}, func() { in.printAccount(d, groups) })
}

func (in *invocation) printAccount(d apiclient.AccountDetail, groups []apiclient.Membership) {
	in.print("account         %s/%s (%s)", d.Connection, d.AccountID, d.ID)
	in.print("login           %s, %s", d.Login, orDash(d.Name))
	in.print("status          %s (vendor: %s)%s", d.Status, orDash(d.VendorStatus), missingSince(d.AccountRow))
	in.print("kind, role      %s, %s", d.Kind, d.Role)
	in.print("space           %s of %s", size(d.SpaceUsed), amount(d.SpaceAmount))
	in.print("created         %s; first seen here %s", atOr(d.CreatedAt, "not said"), at(d.FirstSeenAt))
	in.print("as of           %s", at(d.ObservedAt))
	for _, name := range slices.Sorted(maps.Keys(d.Tracking)) {
		in.print("tracking        %s = %s", name, d.Tracking[name])
	}
	in.print("person          %s", personText(d))
	in.print("grade           %s for %s%s", d.Grade, d.Threshold, coveredText(d))
	in.print("collaborations  %s", d.Collaborations)
	var rows [][]string
	for _, a := range d.Activity {
		rows = append(rows, []string{a.Source, atOr(a.LastActiveAt, "none seen"), a.LastEvent, atOr(a.FirstActiveAt, ""), atOr(a.CoveredFrom, "not collected"), atOr(a.CoveredTo, "")})
	}
	in.section("ACTIVITY", "SOURCE|LAST USE|EVENT|FIRST SEEN USE|COVERED FROM|COVERED TO", rows, "no source is declared or read yet")
	rows = nil
	for _, g := range groups {
		rows = append(rows, []string{g.GroupName, g.GroupID, g.Role, at(g.FirstSeenAt)})
	}
	in.section("GROUPS ("+strconv.FormatInt(d.Groups, 10)+")", "NAME|ID|ROLE|FIRST SEEN", rows, "none that the vendor lists")
	in.section("LAST CHANGES", changeHeader, changeRows(d.Changes), "none seen")
	in.section("AS OF", datasetHeader, datasetRows(d.Datasets), "nothing was listed yet")
}

// section writes a table under a title, or what stands for an empty one.
func (in *invocation) section(title, header string, rows [][]string, empty string) {
	in.print("")
	if len(rows) == 0 {
		in.print("%s: %s", title, empty)
		return
	}
	in.print("%s", title)
	in.table(header, rows)
}

func missingSince(a apiclient.AccountRow) string {
	if a.MissingSince == nil {
		return ""
	}
	return ", not listed since " + at(*a.MissingSince)
}

func amount(bytes int64) string {
	if bytes < 0 {
		return "unlimited"
	}
	return size(bytes)
}

func personText(d apiclient.AccountDetail) string {
	switch {
	case d.PersonID == "":
		return "not known (" + d.Issue + ")"
	case d.Issue != "":
		return orDash(d.Person) + " by " + d.PersonBy + " (" + d.Issue + ")"
	}
	return orDash(d.Person) + " by " + d.PersonBy
}

func coveredText(d apiclient.AccountDetail) string {
	if d.CoveredFrom == nil {
		return ": no activity is collected"
	}
	return ", by " + d.GradeSource + ", which covers " + at(*d.CoveredFrom) + " to " + atOr(d.CoveredTo, "")
}

const (
	datasetHeader = "CONNECTION|DATA SET|STATE|AS OF|WHY"
	changeHeader  = "SEEN|CONNECTION|CHANGE|LOGIN|GROUP|ITEM|BEFORE|AFTER|AS BEFORE UNTIL"
)

func datasetRows(list []apiclient.Dataset) [][]string {
	var rows [][]string
	for _, d := range list {
		asOf := atOr(d.AsOf, "never")
		if d.Stale {
			asOf += " (stale)"
		}
		rows = append(rows, []string{d.Connection, d.Dataset, d.State, asOf, strings.TrimSpace(d.Reason + " " + d.Detail)})
	}
	return rows
}

func changeRows(list []apiclient.Change) [][]string {
	var rows [][]string
	for _, c := range list {
		rows = append(rows, []string{at(c.SeenAt), c.Connection, c.Kind, c.Login, c.GroupName, c.ItemID, c.Before, c.After, atOr(c.Since, "")})
	}
	return rows
}
