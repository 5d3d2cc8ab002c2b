package cli

import (
	"cmp"
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
