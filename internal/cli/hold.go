package cli

import "sendoff/internal/apiclient"

type holdCommands struct {
	Add     addHoldCommand     `cmd:"" help:"Hold accounts: their content is neither transferred nor deleted."`
	List    listHoldsCommand   `cmd:"" help:"List holds, newest first."`
	Release releaseHoldCommand `cmd:"" help:"End a hold. Needs an admin."`
}

type addHoldCommand struct {
	subjectFlags
	Matter string `help:"The legal matter."`
}

// Run adds a hold.
func (c *addHoldCommand) Run(in *invocation) error {
	n, err := c.request()
	if err != nil {
		return err
	}
	n.Matter = c.Matter
	return in.addRestriction(apiclient.Holds, n)
}

type listHoldsCommand struct {
	All bool `help:"Also those that were released or expired."`
}

// Run lists holds.
func (c *listHoldsCommand) Run(in *invocation) error {
	return in.listRestrictions(apiclient.Holds, c.All)
}

type releaseHoldCommand struct{ endFlags }

// Run ends a hold.
func (c *releaseHoldCommand) Run(in *invocation) error {
	return in.endRestriction(apiclient.Holds, c.endFlags, "Released")
}
