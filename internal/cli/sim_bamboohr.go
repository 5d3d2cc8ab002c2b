package cli

import "sendoff/connectors/bamboohr/bamboosim"

type simBambooHRCommand struct {
	Addr       string   `default:"127.0.0.1:0" help:"Loopback address to listen on; port 0 picks one."`
	Employees  int      `default:"0" help:"How many employees are made up; 50 if there are no others."`
	Employee   []string `sep:"none" placeholder:"ID,EMAIL,FIRST,LAST,MANAGER" help:"An employee, such as one who has an account at a simulated vendor; the id may be empty, and what stands at the end left out. Repeatable."`
	Seed       int64    `default:"1" help:"Chooses who is made up."`
	WebhookURL string   `placeholder:"URL" help:"Where changes are told, on loopback; the line has the key they are signed with."`
	WithFields bool     `help:"Tell them by the older kind of webhook, employee_with_fields."`
	Scale      float64  `default:"1" help:"Divides the pauses before a webhook is sent again."`
	Rate       int      `default:"0" help:"Calls per minute; 0 = no limit."`
}

// Run serves until the invocation ends. Its one line is JSON in every form of output.
func (c *simBambooHRCommand) Run(in *invocation) error {
	cfg := bamboosim.Config{
		Seed: c.Seed, Employees: c.Employees, WebhookURL: c.WebhookURL, WithFields: c.WithFields, Scale: c.Scale, Rate: c.Rate,
	}
	for _, given := range c.Employee {
		p, err := bamboosim.ParsePerson(given)
		if err != nil {
			return usage("--employee: "+err.Error(), "see: sendoff sim bamboohr --help")
		}
		cfg.People = append(cfg.People, p)
	}
	err := bamboosim.Run(in.ctx, c.Addr, cfg, in.stdout)
	if err != nil && in.ctx.Err() == nil {
		return usage(err.Error(), "see: sendoff sim bamboohr --help")
	}
	return nil
}
