package cli

import (
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"

	"sendoff/internal/apiclient"
)

type peopleCommands struct {
	Import          importPeopleCommand    `cmd:"" help:"Take over who is employed from a CSV roster."`
	List            listPeopleCommand      `cmd:"" help:"List people, by address."`
	Show            showPersonCommand      `cmd:"" help:"Everything known of a person: employments, addresses, accounts, managers, reports."`
	Issues          peopleIssuesCommand    `cmd:"" help:"List what rosters and accounts contradict each other in, or leave open."`
	Departments     departmentsCommand     `cmd:"" help:"List departments with their owners."`
	DepartmentOwner departmentOwnerCommand `cmd:"" help:"Name who owns a department."`
	Link            linkAccountCommand     `cmd:"" help:"Say whose an account is; it wins over all evidence."`
	Unlink          unlinkAccountCommand   `cmd:"" help:"End what was said of an account: evidence counts again."`
	Rule            correlationRuleCommand `cmd:"" help:"Show or name the vendor's attribute that holds the employee number."`
}

// maxRosterBytes is the greatest file of the server.
const maxRosterBytes = 64 << 20

type importPeopleCommand struct {
	File   string `arg:"" help:"CSV with a header; - reads stdin. The columns: docs/people.md."`
	Source string `required:"" placeholder:"NAME" help:"The system that the roster is from, such as bamboohr."`
	Mode   string `enum:"whole,changes" default:"whole" help:"whole: every employment of the source, those left out are marked absent; changes: some."`
	DryRun bool   `help:"Show what it would do and write nothing."`
}

// Run imports a roster.
func (c *importPeopleCommand) Run(in *invocation) error {
	text, err := c.read(in)
	if err != nil {
		return err
	}
	api, err := in.client()
	if err != nil {
		return err
	}
	done, err := api.ImportRoster(in.ctx, apiclient.Roster{Source: c.Source, Mode: c.Mode, DryRun: c.DryRun, CSV: text})
	if err != nil {
		return translateRoster(err)
	}
	return in.result(done, func() { in.printRoster(done) })
}

func (c *importPeopleCommand) read(in *invocation) (string, error) {
	source := in.stdin
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return "", usage("the roster cannot be read: "+err.Error(), "name a CSV file with a header that has the column external_id")
		}
		defer f.Close()
		source = f
	}
	text, err := io.ReadAll(io.LimitReader(source, maxRosterBytes+1))
	switch {
	case err != nil:
		return "", usage("the roster cannot be read: "+err.Error(), "check the file")
	case len(text) > maxRosterBytes:
		return "", usage("the roster has more than 64 MiB", "split it, and import the parts with --mode changes")
	case len(text) == 0:
		return "", usage("the roster is empty", "begin it with a header that has the column external_id")
	}
	return utf8Text(text)
}

// utf8Text refuses what JSON cannot carry unchanged, with the first such place.
func utf8Text(text []byte) (string, error) {
	s := string(text)
	if valid := strings.ToValidUTF8(s, "\x00"); valid != s {
		at := 0
		for at < len(s) && at < len(valid) && s[at] == valid[at] {
			at++
		}
		line := strings.Count(s[:at], "\n") + 1
		column := at - strings.LastIndex(s[:at], "\n")
		return "", usage("the roster cannot be used; nothing was changed", "", apiclient.Problem{
			Where: "line " + strconv.Itoa(line) + ", byte " + strconv.Itoa(column), Message: "the text is not UTF-8", Fix: "save the file as UTF-8",
		})
	}
	return s, nil
}

// translateRoster names the flags that were typed, where the server names members
// of the request. Places within the file stay.
func translateRoster(err error) error {
	e, ok := err.(*apiclient.Error) //nolint:errorlint // the client returns it unwrapped
	if !ok {
		return err
	}
	for i, p := range e.Problems {
		if p.Where == "source" {
			e.Problems[i].Where = "--source"
		}
	}
	return e
}

func (in *invocation) printRoster(r apiclient.RosterResult) {
	did := "Imported"
	if r.DryRun {
		did = "Nothing was written. It would import"
	}
	in.print("%s %d employments of %s: %d added (%d new people), %d changed, %d unchanged, %d refused.", did, r.Rows, r.Source, r.Added, r.NewPeople, r.Changed, r.Unchanged, r.Refused)
	if r.Mode == "whole" {
		in.print("The roster leaves out %d known employments; nothing ends by that.", r.Absent)
	}
	in.print("Accounts: %d newly matched, %d match nobody, %d with issues.", r.Correlation.Matched, r.Correlation.Unmatched, r.Correlation.Issues)
	if len(r.IgnoredColumns) > 0 {
		in.note("Columns that were not read: %s", strings.Join(r.IgnoredColumns, ", "))
	}
	var rows [][]string
	for _, e := range r.Entries {
		why := strings.Join(e.Fields, ", ")
		if e.Joined != "" {
			why = "joins a known person by " + e.Joined
		}
		rows = append(rows, []string{e.Change, e.ExternalID, e.PersonID, why})
	}
	if len(rows) > 0 {
		in.table("CHANGE|EMPLOYMENT|PERSON|WHAT", rows)
	}
	if len(r.Issues) > 0 {
		in.print("")
		in.printPeopleIssues(r.Issues)
	}
}

func (in *invocation) printPeopleIssues(list []apiclient.PersonIssue) {
	var rows [][]string
	for _, i := range list {
		of := i.Source + "/" + i.ExternalID
		if i.Connection != "" {
			of = i.Connection + "/" + i.ExternalID
		}
		rows = append(rows, []string{i.Kind, of, strings.Join(i.Persons, " "), strings.Join(i.Others, " "), i.Message, i.Fix})
	}
	in.table("ISSUE|OF|PERSONS|AGAINST|WHAT|FIX", rows)
}

type listPeopleCommand struct {
	Source         string `placeholder:"NAME" help:"Only people whom this source tells of."`
	Department     string `placeholder:"NAME" help:"Only people of this department."`
	Ended          string `enum:",true,false" default:"" help:"Whether their last day has passed: true or false."`
	WithoutManager bool   `help:"Only people who are employed and have no manager that we know of."`
	WithoutAccount bool   `help:"Only people of whom no account is known."`
	Absent         bool   `help:"Only people whom the last whole roster left out."`
	Limit          int    `default:"100" help:"How many at most."`
}

// Run lists people.
func (c *listPeopleCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	filters := url.Values{"source": {c.Source}, "department": {c.Department}, "ended": {c.Ended}}
	for name, set := range map[string]bool{"without_manager": c.WithoutManager, "without_account": c.WithoutAccount, "absent": c.Absent} {
		if set {
			filters.Set(name, "true")
		}
	}
	list, next, err := upTo(c.Limit, func(cursor string, limit int) ([]apiclient.Person, string, error) {
		return api.People(in.ctx, filters, cursor, limit)
	})
	if err != nil {
		return err
	}
	return in.result(map[string]any{"people": list, "next": next}, func() {
		in.printPeople(list)
		in.more(next)
	})
}

func (in *invocation) printPeople(list []apiclient.Person) {
	var rows [][]string
	for _, p := range list {
		rows = append(rows, []string{p.Email, p.Name, p.Kind, p.Department, p.Manager, p.LastDay, strconv.Itoa(p.Accounts), p.ID})
	}
	in.table("EMAIL|NAME|KIND|DEPARTMENT|MANAGER|LAST DAY|ACCOUNTS|ID", rows)
}

type showPersonCommand struct {
	Person string `arg:"" help:"An address that they have or had, or our id."`
}

// Run shows a person.
func (c *showPersonCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	p, err := api.Person(in.ctx, c.Person)
	if err != nil {
		return err
	}
	return in.result(p, func() { in.printPerson(p) })
}

// employmentNote is what is told of an employment besides its days and place.
func employmentNote(e apiclient.Employment) string {
	var notes []string
	if e.Status != "" {
		notes = append(notes, e.Status)
	}
	if e.ForCause {
		notes = append(notes, "for cause")
	}
	if e.GardenLeaveFrom != "" {
		notes = append(notes, "garden leave from "+e.GardenLeaveFrom)
	}
	if e.AbsentSince != nil {
		notes = append(notes, "absent since "+at(*e.AbsentSince))
	}
	return strings.Join(notes, ", ")
}

func (in *invocation) printPerson(p apiclient.PersonDetail) {
	in.printPeople([]apiclient.Person{p.Person})
	var rows [][]string
	for _, e := range p.Employments {
		rows = append(rows, []string{e.Source + "/" + e.ExternalID, e.Kind, e.EmployeeNumber, e.HireDate, e.LastWorkingDay, e.TerminatedOn, e.TimeZone, e.Department, e.Site, e.Manager, employmentNote(e)})
	}
	in.print("")
	in.table("EMPLOYMENT|KIND|NUMBER|HIRED|LAST DAY|TERMINATED|ZONE|DEPARTMENT|SITE|MANAGER|NOTE", rows)
	rows = nil
	for _, e := range p.Emails {
		from := "a case or a restriction named it"
		if e.Verified {
			from = "a roster"
		}
		rows = append(rows, []string{e.Email, from, at(e.Since)})
	}
	in.print("")
	in.table("ADDRESS|FROM|SINCE", rows)
	rows = nil
	for _, a := range p.AccountList {
		rows = append(rows, []string{a.Connection + "/" + a.AccountID, a.Login, a.Status, a.MatchedBy})
	}
	in.print("")
	in.table("ACCOUNT|LOGIN|STATUS|MATCHED BY", rows)
	for _, m := range p.Managers {
		in.print("managed by %s", nameOr(m))
	}
	if p.Loops {
		in.note("The managers lead round in a circle: sendoff people issues")
	}
	for _, r := range p.Reports {
		in.print("manages %s", nameOr(r))
	}
	if more := p.ReportsAll - len(p.Reports); more > 0 {
		in.print("manages %d more", more)
	}
}

// nameOr is a person's address, or what else they are known by.
func nameOr(p apiclient.Person) string {
	switch {
	case p.Email != "":
		return p.Email
	case p.Name != "":
		return p.Name
	}
	return p.ID
}

type peopleIssuesCommand struct {
	Kind  string `placeholder:"KIND" help:"Only issues of this kind, such as manager_cycle or account_ambiguous."`
	Limit int    `default:"100" help:"How many at most."`
}

// Run lists issues.
func (c *peopleIssuesCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	list, next, err := upTo(c.Limit, func(cursor string, limit int) ([]apiclient.PersonIssue, string, error) {
		return api.PeopleIssues(in.ctx, c.Kind, cursor, limit)
	})
	if err != nil {
		return err
	}
	return in.result(map[string]any{"issues": list, "next": next}, func() {
		in.printPeopleIssues(list)
		in.more(next)
	})
}
