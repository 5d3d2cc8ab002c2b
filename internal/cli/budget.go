package cli

import (
	"strconv"

	"sendoff/internal/apiclient"
)

type budgetCommands struct {
	Show showBudgetCommand `cmd:"" help:"Show how much all doors together may do in 24 hours, and did."`
	Set  setBudgetCommand  `cmd:"" help:"Say how much all doors together may do in 24 hours."`
}

type showBudgetCommand struct{}

// Run shows the budget.
func (c *showBudgetCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	b, err := api.Budget(in.ctx)
	if err != nil {
		return err
	}
	return in.result(b, func() { in.printBudget(b) })
}

func (in *invocation) printBudget(b apiclient.Budget) {
	in.print("in 24 hours  by all doors together: %s; of one connection: %s", noLimit(b.PerDay), noLimit(b.Connection))
	in.print("used         %d accounts (%d privileged), %s moved or destroyed", b.Used.Accounts, b.Used.Privileged, size(b.Used.Bytes))
	for _, c := range b.Used.Connections {
		in.print("  %s: %d", c.Connection, c.Accounts)
	}
	if b.UpdatedAt != nil {
		in.print("set          by %s %s", b.UpdatedBy, at(*b.UpdatedAt))
	}
}

func noLimit(n int) string {
	if n == 0 {
		return "any number"
	}
	return strconv.Itoa(n)
}

type setBudgetCommand struct {
	PerDay        *int `placeholder:"N" help:"Accounts of all doors together; 0 = no limit."`
	PerConnection *int `placeholder:"N" help:"Accounts of one connection; 0 = no limit."`
}

// Run changes the budget; what is not given stays.
func (c *setBudgetCommand) Run(in *invocation) error {
	if c.PerDay == nil && c.PerConnection == nil {
		return usage("no limit is given", "give --per-day, --per-connection or both")
	}
	api, err := in.client()
	if err != nil {
		return err
	}
	now, err := api.Budget(in.ctx)
	if err != nil {
		return err
	}
	perDay, perConnection := now.PerDay, now.Connection
	if c.PerDay != nil {
		perDay = *c.PerDay
	}
	if c.PerConnection != nil {
		perConnection = *c.PerConnection
	}
	b, err := api.SetBudget(in.ctx, perDay, perConnection)
	if err != nil {
		return translateFlags(err, map[string]string{"per_day": "--per-day", "per_connection": "--per-connection"})
	}
	return in.result(b, func() { in.printBudget(b) })
}
