package cli

import (
	"cmp"
	"io"
	"strings"

	"sendoff/internal/apiclient"
	"sendoff/schema"
)

type removalsCommand struct {
	campaignArg
	State string `enum:",wanted,planned,ready,started,done,refused,impossible,withdrawn,undone" default:"" help:"Only removals in this state."`
	Limit int    `default:"100" help:"How many at most."`
}

// Run lists removals.
func (c *removalsCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	list, next, err := upTo(c.Limit, func(cursor string, limit int) ([]apiclient.Removal, string, error) {
		return api.Removals(in.ctx, c.Campaign, c.State, cursor, limit)
	})
	if err != nil {
		return err
	}
	return in.result(map[string]any{"removals": list, "next": next}, func() {
		var rows [][]string
		for _, r := range list {
			rows = append(rows, []string{
				r.Connection + "/" + r.AccountID, r.Login, removedText(r), r.State, cmp.Or(r.CaseID, r.WaitsFor), r.PlanState, atOr(r.ProvenAt, ""), atOr(r.CheckedAt, ""),
				atOr(r.WatchUntil, ""), removalWhy(r),
			})
		}
		in.table("ACCOUNT|LOGIN|REMOVES|STATE|CASE|PLAN|PROVEN|LOOKED AGAIN|WATCHED UNTIL|WHY", rows)
		in.more(next)
	})
}

// removedText says what a removal takes away.
func removedText(r apiclient.Removal) string {
	var parts []string
	for _, i := range r.Items {
		switch schema.ItemKind(i.Kind) {
		case schema.ItemAccount:
			parts = append(parts, "the account")
		case schema.ItemRole:
			parts = append(parts, "role "+i.Access)
		case schema.ItemCollaboration:
			parts = append(parts, i.Target+" by "+i.Group)
		default:
			parts = append(parts, i.Group)
		}
	}
	return strings.Join(parts, ", ")
}

// removalWhy says in one line why a removal is where it is, and the way out.
func removalWhy(r apiclient.Removal) string {
	var parts []string
	for _, part := range []string{r.Why, findingsText(r.Findings)} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if r.Way != "" {
		parts = append(parts, "the way: "+r.Way)
	}
	return strings.Join(parts, "; ")
}

type returnsCommand struct {
	campaignArg
	Limit int `default:"100" help:"How many at most."`
}

// Run lists access that came back.
func (c *returnsCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	list, next, err := upTo(c.Limit, func(cursor string, limit int) ([]apiclient.Return, string, error) {
		return api.Returns(in.ctx, c.Campaign, cursor, limit)
	})
	if err != nil {
		return err
	}
	return in.result(map[string]any{"returns": list, "next": next}, func() {
		var rows [][]string
		for _, r := range list {
			rows = append(rows, []string{
				at(r.SeenAt), r.Kind, r.Facts.Login, cmp.Or(r.Facts.Target, r.Facts.Group, r.Facts.Access), strings.ReplaceAll(r.Cause, "_", " "), r.Detail,
				cmp.Or(r.FollowUp, "the item was opened again"), r.Item,
			})
		}
		in.table("SEEN|KIND|LOGIN|HELD|CAUSE|DETAIL|FOLLOW-UP|ITEM", rows)
		in.more(next)
	})
}

type signCampaignCommand struct {
	campaignArg
	AcceptOpen bool `help:"Accept what is undecided, could not be removed or is not proven yet: it is listed as an exception under the signature."`
	reasonFlag
}

// Run signs a campaign.
func (c *signCampaignCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	k, err := api.SignCampaign(in.ctx, c.Campaign, c.AcceptOpen, c.Reason)
	if err != nil {
		return translateFlags(err, map[string]string{"reason": "--reason", "accept_open": "--accept-open"})
	}
	return in.result(k, func() {
		in.print("Signed campaign %s. The SHA-256 of its evidence is %s", k.ID, k.Evidence)
		in.note("Keep that hash elsewhere. Compare an export with it: sendoff review verify FILE --hash %s", k.Evidence)
	})
}

type exportCampaignCommand struct {
	campaignArg
	Format string `enum:"json,csv,html" default:"json" help:"json, which can be verified; csv, a row for each item; or html, to print."`
	Out    string `placeholder:"FILE" help:"Where to write; stdout without."`
}

// Run writes the evidence of a campaign. With --out the file appears only when it is
// whole.
func (c *exportCampaignCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	if c.Out == "" {
		return api.Evidence(in.ctx, c.Campaign, c.Format, in.stdout)
	}
	err = writeThrough(c.Out, func(w io.Writer) error { return api.Evidence(in.ctx, c.Campaign, c.Format, w) })
	if err != nil {
		return err
	}
	return in.result(map[string]string{"file": c.Out, "format": c.Format}, func() { in.print("Exported to %s.", c.Out) })
}
