package cli

import (
	"strconv"
	"strings"

	"sendoff/internal/apiclient"
)

type listNoticesCommand struct {
	State string `enum:",pending,delivered,failed,skipped" default:"" help:"Only those in this state: pending, delivered, failed or skipped."`
	Case  string `help:"Only those about a case: its id, 8 or more characters of it, or an address."`
	Limit int    `default:"100" help:"How many at most."`
}

// Run lists notices.
func (c *listNoticesCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	list, next, err := upTo(c.Limit, func(cursor string, limit int) ([]apiclient.Notice, string, error) {
		return api.Notices(in.ctx, c.State, c.Case, cursor, limit)
	})
	if err != nil {
		return err
	}
	return in.result(map[string]any{"notices": list, "next": next}, func() {
		var rows [][]string
		for _, n := range list {
			rows = append(rows, []string{n.ID, noticeEvent(n), n.Audience, n.Channel, noticeTo(n), n.State, strconv.Itoa(n.Attempts), at(n.CreatedAt), about(n), n.LastError})
		}
		in.table("NOTICE|EVENT|AUDIENCE|CHANNEL|TO|STATE|TRIES|MADE|ABOUT|LAST ERROR", rows)
		in.more(next)
	})
}

func noticeEvent(n apiclient.Notice) string {
	if n.Cause == "" {
		return n.Event
	}
	return n.Event + " (" + n.Cause + ")"
}

func noticeTo(n apiclient.Notice) string {
	if len(n.To) == 0 {
		return "the manager"
	}
	return strings.Join(n.To, ", ")
}

// about names what a notice is about, by its nearest id.
func about(n apiclient.Notice) string {
	for _, one := range [][2]string{{"case", n.CaseID}, {"leaver", n.LeaverID}, {"batch", n.BatchID}, {"source", n.SourceID}} {
		if one[1] != "" {
			return one[0] + " " + one[1]
		}
	}
	return ""
}

type retryNoticeCommand struct {
	Notice string `arg:"" help:"Id of the notice."`
}

// Run queues a notice again.
func (c *retryNoticeCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	n, err := api.RetryNotice(in.ctx, c.Notice)
	if err != nil {
		return err
	}
	return in.result(n, func() {
		in.print("Notice %s is queued again. Watch it: sendoff notices list --state pending", n.ID)
	})
}
