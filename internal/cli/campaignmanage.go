package cli

import (
	"strconv"
	"strings"
	"time"

	"sendoff/internal/apiclient"
	"sendoff/internal/intake"
)

type remindCommand struct {
	campaignArg
	Reviewer string `placeholder:"EMAIL" help:"Only this reviewer; all with open items without."`
}

// Run reminds reviewers.
func (c *remindCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	n, err := api.RemindReviewers(in.ctx, c.Campaign, c.Reviewer)
	if err != nil {
		return translateFlags(err, map[string]string{"reviewer": "--reviewer"})
	}
	return in.result(map[string]int{"reminded": n}, func() {
		in.print("Reminded %d reviewers. Who was reminded within the hour is not again.", n)
	})
}

type reassignCommand struct {
	campaignArg
	To   string   `required:"" placeholder:"EMAIL" help:"Who decides instead; never who holds the account."`
	Item []string `placeholder:"ID" sep:"none" xor:"which" required:"" help:"This item; repeat it for more."`
	From string   `placeholder:"EMAIL" xor:"which" required:"" help:"All open items of this reviewer."`
	reasonFlag
}

// Run gives items to somebody else.
func (c *reassignCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	n, err := api.ReassignItems(in.ctx, c.Campaign, apiclient.Reassign{Items: c.Item, From: c.From, To: c.To, Reason: c.Reason})
	if err != nil {
		return translateFlags(err, map[string]string{"items": "--item", "from": "--from", "to": "--to", "reason": "--reason"})
	}
	return in.result(map[string]int{"items": n}, func() { in.print("Reassigned %d items to %s.", n, c.To) })
}

type extendCampaignCommand struct {
	campaignArg
	To string `placeholder:"TIME" xor:"when" required:"" help:"The new deadline: 2026-12-01T18:00:00+01:00 or \"2026-12-01 18:00 Europe/Berlin\"."`
	By string `placeholder:"DURATION" xor:"when" required:"" help:"So much later than the present deadline, such as 3d."`
	reasonFlag
}

// Run moves a deadline.
func (c *extendCampaignCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	to, err := c.deadline(in, api)
	if err != nil {
		return err
	}
	k, err := api.ExtendCampaign(in.ctx, c.Campaign, to.UTC(), c.Reason)
	if err != nil {
		return translateFlags(err, map[string]string{"to": "--to", "reason": "--reason"})
	}
	return in.result(k, func() { in.print("Campaign %s is due %s.", k.ID, atOr(k.DueAt, "at no time")) })
}

func (c *extendCampaignCommand) deadline(in *invocation, api *apiclient.Client) (time.Time, error) {
	if c.To != "" {
		return instantFlag("--to", c.To)
	}
	by, err := intake.ParseDuration(c.By)
	if err != nil || by <= 0 {
		return time.Time{}, usage("--by is no length of time above 0", "write for example 3d")
	}
	v, err := api.Campaign(in.ctx, c.Campaign)
	if err != nil {
		return time.Time{}, err
	}
	if v.DueAt == nil {
		return time.Time{}, usage("the campaign has no deadline yet: it is "+v.State, "wait until it is open")
	}
	return v.DueAt.Add(by), nil
}

// instantFlag reads an instant with its zone.
func instantFlag(flag, text string) (time.Time, error) {
	t, err := intake.ParseInstant(text)
	if err != nil {
		return t, usage("the command line cannot be used; nothing was changed", "", apiclient.Problem{Where: flag, Message: err.Error(), Fix: "write it with its zone"})
	}
	return t, nil
}

type closeCampaignCommand struct {
	campaignArg
	Early bool `help:"Also with open items: silence is given its meaning now."`
	reasonFlag
}

// Run closes a campaign.
func (c *closeCampaignCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	k, err := api.CloseCampaign(in.ctx, c.Campaign, c.Early, c.Reason)
	if err != nil {
		return translateFlags(err, map[string]string{"early": "--early", "reason": "--reason"})
	}
	return in.result(k, func() { in.print("Campaign %s takes no more answers: it is %s.", k.ID, campaignState(k)) })
}

type cancelCampaignCommand struct {
	campaignArg
	reasonFlag
}

// Run ends a campaign.
func (c *cancelCampaignCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	k, err := api.CancelCampaign(in.ctx, c.Campaign, c.Reason)
	if err != nil {
		return translateFlags(err, map[string]string{"reason": "--reason"})
	}
	return in.result(k, func() {
		in.print("Cancelled campaign %s. Removals that have started go on: cancel those with sendoff cases cancel.", k.ID)
	})
}

type campaignReviewersCommand struct {
	campaignArg
	Limit int `default:"500" help:"How many at most."`
}

// Run lists reviewers.
func (c *campaignReviewersCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	list, next, err := upTo(c.Limit, func(cursor string, limit int) ([]apiclient.ReviewerStats, string, error) {
		return api.CampaignReviewers(in.ctx, c.Campaign, cursor, limit)
	})
	if err != nil {
		return err
	}
	return in.result(map[string]any{"reviewers": list, "next": next}, func() {
		var rows [][]string
		for _, r := range list {
			rows = append(rows, []string{
				r.Email, strconv.Itoa(r.Items), strconv.Itoa(r.Open), strconv.Itoa(r.Kept), strconv.Itoa(r.Revoked), strconv.Itoa(r.Abstained), strconv.Itoa(r.Bulk),
				strconv.Itoa(r.Against) + " of " + strconv.Itoa(r.Recommended), strconv.FormatFloat(r.MedianSeconds, 'f', 1, 64), strconv.Itoa(r.Reminders),
				strings.Join(r.Alarms, " "), lookText(r),
			})
		}
		in.table("REVIEWER|ITEMS|OPEN|KEPT|REVOKED|ABSTAINED|TOGETHER|AGAINST|SECONDS EACH|REMINDED|ALARMS|SECOND LOOK", rows)
		if looks := lookRows(list); len(looks) > 0 {
			in.print("\nSecond looks, also those that later decisions made void:")
			in.table("REVIEWER|AT|BY|STAND|REDONE|COUNTS|REASON", looks)
		}
		in.more(next)
	})
}

// lookRows are all second looks at the reviewers.
func lookRows(list []apiclient.ReviewerStats) [][]string {
	var rows [][]string
	for _, r := range list {
		for _, l := range r.Looks {
			rows = append(rows, []string{r.Email, at(l.At), l.By, strconv.Itoa(l.Decisions), strconv.Itoa(l.Redone), yesNo(l.Current), l.Reason})
		}
	}
	return rows
}

func lookText(r apiclient.ReviewerStats) string {
	switch {
	case r.LookedAt == nil && len(r.Alarms) > 0:
		return "needed"
	case r.LookedAt == nil:
		return ""
	case !r.Cleared:
		return "needed again: decided more since " + at(*r.LookedAt)
	}
	return "by " + r.LookedBy + " " + at(*r.LookedAt)
}

type secondLookCommand struct {
	campaignArg
	Reviewer string `required:"" placeholder:"EMAIL" help:"Whose decisions you looked at; never your own."`
	Redo     bool   `help:"Give all of their decisions to the next in each chain; without, they stand as they are."`
	reasonFlag
}

// Run keeps a second look.
func (c *secondLookCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	r, err := api.LookAtReviewer(in.ctx, c.Campaign, c.Reviewer, c.Redo, c.Reason)
	if err != nil {
		return translateFlags(err, map[string]string{"reviewer": "--reviewer", "reason": "--reason"})
	}
	return in.result(r, func() {
		if c.Redo {
			in.print("The decisions of %s are given to others. %d stand: what a later stage decided, or what is removed already.", r.Email, r.Decided)
			return
		}
		in.print("Kept your look at %d decisions of %s: they stand as they are.", r.Decided, r.Email)
	})
}
