package cli

import (
	"os"

	"sendoff/internal/apiclient"
)

type hrEventCommands struct {
	List listHREventsCommand `cmd:"" default:"withargs" help:"List events, newest first."`
	Show showHREventCommand  `cmd:"" help:"Show an event, and what it did."`
}

type listHREventsCommand struct {
	Source string `placeholder:"NAME" help:"Only events of this source."`
	State  string `enum:",pending,applied,refused" default:"" help:"Only events in this state: pending, applied or refused."`
	Limit  int    `default:"100" help:"How many at most."`
}

// Run lists events.
func (c *listHREventsCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	list, next, err := upTo(c.Limit, func(cursor string, limit int) ([]apiclient.HREvent, string, error) {
		return api.HREvents(in.ctx, c.Source, c.State, cursor, limit)
	})
	if err != nil {
		return err
	}
	return in.result(map[string]any{"events": list, "next": next}, func() {
		var rows [][]string
		for _, e := range list {
			rows = append(rows, []string{at(e.ReceivedAt), e.Source, e.Via, e.Tells.Kind, e.State, atOr(e.AppliedAt, ""), e.ID})
		}
		in.table("RECEIVED|SOURCE|DOOR|TELLS|STATE|APPLIED|ID", rows)
		in.more(next)
	})
}

type showHREventCommand struct {
	Event string `arg:"" help:"Id of the event."`
	Body  string `placeholder:"FILE" help:"Write the body as it came to this file. Needs an admin or auditor."`
}

// Run shows an event.
func (c *showHREventCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	e, err := api.HREvent(in.ctx, c.Event, c.Body != "")
	if err != nil {
		return err
	}
	if c.Body != "" {
		if err := os.WriteFile(c.Body, e.Body, 0o600); err != nil {
			return usage("the body cannot be written: "+err.Error(), "name a file that can be written")
		}
		e.Body = nil
	}
	t, err := in.toldBy(api, e)
	if err != nil {
		return err
	}
	return in.result(t, func() {
		in.print("event      %s of %s by %s, its own id %s", e.ID, e.Source, e.Via, e.EventID)
		in.print("received   %s, %d bytes, SHA-256 %s", at(e.ReceivedAt), e.BodySize, e.BodyHash)
		in.print("tells      %s", tellsText(e.Tells))
		in.printTold(t)
	})
}

func tellsText(c apiclient.HRChange) string {
	switch h := c.Hand; {
	case h != nil && c.Kind == "leave":
		days := ""
		for _, d := range [][2]string{{"last working day ", h.LastWorkingDay}, {"termination date ", h.TerminatedOn}, {"zone ", h.TimeZone}} {
			if d[1] != "" {
				days += ", " + d[0] + d[1]
			}
		}
		if h.ForCause {
			days += ", for cause"
		}
		return h.Email + " leaves" + days + "; by " + h.Principal + ": " + h.Reason
	case h != nil:
		return h.Email + " does not leave, or is back; by " + h.Principal + ": " + h.Reason
	case c.Kind == "employments":
		return c.Mode + ", " + howMany(c.Employments, "employment")
	case c.Kind == "hint":
		return "that something changed; the source's API says what"
	}
	return "nothing that can be read"
}
