package cli

import (
	"strings"

	"sendoff/internal/apiclient"
)

type protectCommands struct {
	Add    addProtectionCommand    `cmd:"" help:"Protect accounts: nothing is written to them."`
	List   listProtectionsCommand  `cmd:"" help:"List protections, newest first."`
	Remove removeProtectionCommand `cmd:"" help:"End a protection. Needs an admin."`
}

// subjectFlags name what a hold or a protection is on.
type subjectFlags struct {
	Account    string `placeholder:"CONNECTION/ID" xor:"subject" required:"" help:"One account, by the vendor's id or the login it has now: box-main/12345, box-main/ada@example.com."`
	Person     string `placeholder:"EMAIL" xor:"subject" required:"" help:"Every account of a person."`
	Pattern    string `placeholder:"PATTERN" xor:"subject" required:"" help:"Every login that matches; * is any text, ? one character: 'svc-*@example.com'."`
	Connection string `placeholder:"NAME" help:"With --pattern: only in this connection."`
	Reason     string `required:"" help:"Why; kept in the audit trail."`
	Expires    string `placeholder:"90d" help:"How long it holds (90d) or until when (RFC 3339); until it is ended when left out."`
}

// request is the subject as the API takes it.
func (f subjectFlags) request() (apiclient.NewRestriction, error) {
	n := apiclient.NewRestriction{Person: f.Person, Pattern: f.Pattern, Connection: f.Connection, Reason: f.Reason, Expires: f.Expires}
	if f.Connection != "" && f.Pattern == "" {
		return n, usage("--connection goes with --pattern alone", "an account is named with its connection: --account CONNECTION/ID")
	}
	if f.Account == "" {
		return n, nil
	}
	connection, account, ok := strings.Cut(f.Account, "/")
	if !ok || connection == "" || account == "" {
		return n, usage("--account names no connection", "write it CONNECTION/ID, such as box-main/12345; sendoff connections list shows the names")
	}
	n.Connection = connection
	if strings.Contains(account, "@") {
		n.Login = account
	} else {
		n.AccountID = account
	}
	return n, nil
}

type addProtectionCommand struct{ subjectFlags }

// Run adds a protection.
func (c *addProtectionCommand) Run(in *invocation) error {
	n, err := c.request()
	if err != nil {
		return err
	}
	return in.addRestriction(apiclient.Protections, n)
}

func (in *invocation) addRestriction(list string, n apiclient.NewRestriction) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	made, err := api.AddRestriction(in.ctx, list, n)
	if err != nil {
		return translateSubject(err)
	}
	return in.result(made, func() {
		in.print("Added %s %s on %s, %s.", made.Kind, made.ID, subjectText(made), untilText(made))
		in.note("What is sent already is not taken back; running plans stop at the next write that it forbids.")
	})
}

// translateSubject names the flags that were typed, where the server names
// members of the request.
func translateSubject(err error) error {
	e, ok := err.(*apiclient.Error) //nolint:errorlint // the client returns it unwrapped
	if !ok {
		return err
	}
	flags := map[string]string{
		"person": "--person", "pattern": "--pattern", "account_id": "--account", "login": "--account", "connection": "--connection",
		"reason": "--reason", "expires": "--expires", "matter": "--matter",
	}
	for i, p := range e.Problems {
		if flag, ok := flags[p.Where]; ok {
			e.Problems[i].Where = flag
		}
	}
	return e
}

type listProtectionsCommand struct {
	All bool `help:"Also those that have ended or expired."`
}

// Run lists protections.
func (c *listProtectionsCommand) Run(in *invocation) error {
	return in.listRestrictions(apiclient.Protections, c.All)
}

func (in *invocation) listRestrictions(list string, all bool) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	found, err := api.Restrictions(in.ctx, list, all)
	if err != nil {
		return err
	}
	return in.result(map[string]any{list: found}, func() {
		var rows [][]string
		for _, r := range found {
			rows = append(rows, []string{r.ID, subjectText(r), stateText(r), atOr(r.ExpiresAt, "never"), at(r.CreatedAt), r.CreatedBy, r.Matter, r.Reason})
		}
		in.table("ID|ON|STATE|EXPIRES|SINCE|BY|MATTER|REASON", rows)
	})
}

type removeProtectionCommand struct{ endFlags }

type endFlags struct {
	ID     string `arg:"" help:"Its id, as the list shows it."`
	Reason string `required:"" help:"Why; kept in the audit trail."`
}

// Run ends a protection.
func (c *removeProtectionCommand) Run(in *invocation) error {
	return in.endRestriction(apiclient.Protections, c.endFlags, "Removed")
}

func (in *invocation) endRestriction(list string, f endFlags, done string) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	r, err := api.EndRestriction(in.ctx, list, f.ID, f.Reason)
	if err != nil {
		return err
	}
	return in.result(r, func() {
		in.print("%s %s %s on %s.", done, r.Kind, r.ID, subjectText(r))
		in.note("Plans that parked for it go on with: sendoff cases resume CASE --reason R")
	})
}

func subjectText(r apiclient.Restriction) string {
	switch {
	case r.AccountID != "":
		return "account " + r.Connection + "/" + r.AccountID
	case r.Person != "":
		return "person " + r.Person
	case r.Connection != "":
		return "pattern " + r.Pattern + " in " + r.Connection
	default:
		return "pattern " + r.Pattern
	}
}

func stateText(r apiclient.Restriction) string {
	switch {
	case r.Live:
		return "live"
	case r.EndedAt != nil:
		return "ended " + at(*r.EndedAt) + " by " + r.EndedBy
	default:
		return "expired"
	}
}

func untilText(r apiclient.Restriction) string {
	if r.ExpiresAt == nil {
		return "until it is ended"
	}
	return "until " + at(*r.ExpiresAt)
}
