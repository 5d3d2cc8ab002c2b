package cli

import "sendoff/connectors/box/boxsim"

type simCommands struct {
	Box      simBoxCommand      `cmd:"" help:"Simulate a Box enterprise on loopback; prints one JSON line with all that a client needs."`
	Slack    simSlackCommand    `cmd:"" help:"Simulate Slack's incoming webhooks on loopback; prints one JSON line."`
	BambooHR simBambooHRCommand `cmd:"" name:"bamboohr" help:"Simulate a BambooHR company on loopback; prints one JSON line with all that a client needs."`
}

type simBoxCommand struct {
	Addr        string  `default:"127.0.0.1:0" help:"Loopback address to listen on; port 0 picks one."`
	Users       int     `default:"200" help:"How many accounts the company has."`
	Seed        int64   `default:"1" help:"Chooses names, trees, sizes and ids."`
	Scale       float64 `default:"1" help:"Divides job times and the limits of the transfer call."`
	Inventory   int     `default:"0" help:"How many accounts without content come on top: a big company."`
	Groups      int     `default:"0" help:"Groups of these accounts."`
	Memberships int     `default:"0" help:"Memberships of these accounts, spread over the groups."`
	Events      int     `default:"0" help:"Events of these accounts, over the last year."`
	Rate        int     `default:"0" help:"Calls per minute and acting user; 0 = no limit."`
}

// Run serves until the invocation ends. Its one line is JSON in every form of output.
func (c *simBoxCommand) Run(in *invocation) error {
	err := boxsim.Run(in.ctx, boxsim.RunOptions{
		Addr: c.Addr, Users: c.Users, Volume: c.volume(), Seed: c.Seed, Scale: c.Scale, Rate: c.Rate,
	}, in.stdout)
	if err != nil && in.ctx.Err() == nil {
		return usage(err.Error(), "see: sendoff sim box --help")
	}
	return nil
}

func (c *simBoxCommand) volume() boxsim.Volume {
	return boxsim.Volume{Users: c.Inventory, Groups: c.Groups, Memberships: c.Memberships, Events: c.Events}
}
