package cli

import (
	"strconv"
	"strings"

	"sendoff/internal/apiclient"
)

type departmentsCommand struct{}

// Run lists departments.
func (c *departmentsCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	list, err := api.Departments(in.ctx)
	if err != nil {
		return err
	}
	return in.result(map[string]any{"departments": orEmpty(list)}, func() {
		var rows [][]string
		for _, d := range list {
			rows = append(rows, []string{d.Name, strconv.Itoa(d.People), d.Owner})
		}
		in.table("DEPARTMENT|PEOPLE|OWNER", rows)
	})
}

type departmentOwnerCommand struct {
	Department string `arg:"" help:"The department, as the roster writes it."`
	Owner      string `arg:"" optional:"" help:"Address or id of who owns it; with --none nobody does."`
	None       bool   `help:"Nobody owns it any more."`
}

// Run names a department's owner.
func (c *departmentOwnerCommand) Run(in *invocation) error {
	if (c.Owner == "") != c.None {
		return usage("not exactly one of an owner and --none is given", "name who owns the department by address")
	}
	api, err := in.client()
	if err != nil {
		return err
	}
	done, err := api.SetDepartmentOwner(in.ctx, c.Department, c.Owner)
	if err != nil {
		return err
	}
	return in.result(done, func() {
		if done.OwnerID == "" {
			in.print("Nobody owns %s.", done.Department)
		} else {
			in.print("Person %s owns %s.", done.OwnerID, done.Department)
		}
	})
}

// accountRef splits CONNECTION/ID or CONNECTION/LOGIN.
func accountRef(s string) (connection, account string, err error) {
	connection, account, ok := strings.Cut(s, "/")
	if !ok || connection == "" || account == "" {
		return "", "", usage("the account names no connection", "write it CONNECTION/ID, such as box-main/12345 or box-main/ada@example.com")
	}
	return connection, account, nil
}

type linkAccountCommand struct {
	Account string `arg:"" help:"CONNECTION/ID, or CONNECTION/LOGIN with the login it has now."`
	Person  string `arg:"" help:"Address or id of the person."`
	Reason  string `required:"" help:"Why; kept in the audit trail."`
}

// Run links an account.
func (c *linkAccountCommand) Run(in *invocation) error {
	connection, account, err := accountRef(c.Account)
	if err != nil {
		return err
	}
	api, err := in.client()
	if err != nil {
		return err
	}
	done, err := api.LinkAccount(in.ctx, connection, account, c.Person, c.Reason)
	if err != nil {
		return err
	}
	return in.result(done, func() { in.print("Account %s/%s is person %s's.", done.Connection, done.AccountID, done.PersonID) })
}

type unlinkAccountCommand struct {
	Account string `arg:"" help:"CONNECTION/ID, or CONNECTION/LOGIN with the login it has now."`
	Reason  string `required:"" help:"Why; kept in the audit trail."`
}

// Run unlinks an account.
func (c *unlinkAccountCommand) Run(in *invocation) error {
	connection, account, err := accountRef(c.Account)
	if err != nil {
		return err
	}
	api, err := in.client()
	if err != nil {
		return err
	}
	done, err := api.UnlinkAccount(in.ctx, connection, account, c.Reason)
	if err != nil {
		return err
	}
	return in.result(done, func() {
		in.print("Account %s/%s is whose the evidence says.", done.Connection, done.AccountID)
		in.note("Holds on the person it was linked to go on applying to it.")
	})
}

type correlationRuleCommand struct {
	Connection     string `arg:"" help:"Name of the connection."`
	EmployeeNumber string `placeholder:"ATTRIBUTE" xor:"rule" help:"The vendor's attribute that holds the employee number (Box: the name of a tracking code)."`
	None           bool   `xor:"rule" help:"No attribute holds it any more."`
}

// Run shows or sets the rule.
func (c *correlationRuleCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	var rule apiclient.EmployeeNumber
	if c.EmployeeNumber != "" || c.None {
		rule, err = api.SetEmployeeNumber(in.ctx, c.Connection, c.EmployeeNumber)
	} else {
		rule, err = api.EmployeeNumber(in.ctx, c.Connection)
	}
	if err != nil {
		return err
	}
	return in.result(rule, func() {
		if rule.Attribute == "" {
			in.print("Accounts of %s are not matched by employee number.", rule.Connection)
		} else {
			in.print("Accounts of %s are matched by employee number in %s.", rule.Connection, rule.Attribute)
		}
		if m := rule.Correlation; m != nil {
			in.print("Newly matched: %d; match nobody: %d; with issues: %d.", m.Matched, m.Unmatched, m.Issues)
		}
	})
}
