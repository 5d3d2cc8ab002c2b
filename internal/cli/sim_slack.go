package cli

import (
	"encoding/json"
	"fmt"

	"sendoff/internal/notify/slacksim"
)

type simSlackCommand struct {
	Addr string `default:"127.0.0.1:0" help:"Loopback address to listen on; port 0 picks one."`
}

// simSlackPath is the one webhook of the simulator.
const simSlackPath = "/services/T00000001/B00000001/simulated"

// Run serves until the invocation ends. Its one line is JSON in every form of output.
func (c *simSlackCommand) Run(in *invocation) error {
	sim := slacksim.New(slacksim.Config{Webhooks: []string{simSlackPath}})
	err := sim.Serve(in.ctx, c.Addr, func(base string) error {
		line, err := json.Marshal(map[string]string{"base_url": base, "webhook_url": base + simSlackPath, "messages_url": base + "/_sim/messages"})
		if err == nil {
			_, err = fmt.Fprintf(in.stdout, "%s\n", line)
		}
		return err
	})
	if err != nil && in.ctx.Err() == nil {
		return usage(err.Error(), "see: sendoff sim slack --help")
	}
	return nil
}
