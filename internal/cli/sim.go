package cli

import "sendoff/connectors/box/boxsim"

type simCommands struct {
	Box simBoxCommand `cmd:"" help:"Simulate a Box enterprise on loopback; prints one JSON line with all that a client needs."`
}

type simBoxCommand struct {
	Addr  string  `default:"127.0.0.1:0" help:"Loopback address to listen on; port 0 picks one."`
	Users int     `default:"200" help:"How many accounts the company has."`
	Seed  int64   `default:"1" help:"Chooses names, trees, sizes and ids."`
	Scale float64 `default:"1" help:"Divides job times and the limits of the transfer call."`
	Rate  int     `default:"0" help:"Calls per minute and acting user; 0 = no limit."`
}

// Run serves until the invocation ends. Its one line is JSON in every form of output.
func (c *simBoxCommand) Run(in *invocation) error {
	err := boxsim.Run(in.ctx, boxsim.RunOptions{
		Addr: c.Addr, Users: c.Users, Seed: c.Seed, Scale: c.Scale, Rate: c.Rate,
	}, in.stdout)
	if err != nil && in.ctx.Err() == nil {
		return usage(err.Error(), "see: sendoff sim box --help")
	}
	return nil
}
