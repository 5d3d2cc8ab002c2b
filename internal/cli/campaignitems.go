package cli

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"slices"
	"strconv"
	"strings"

	"sendoff/internal/apiclient"
	"sendoff/schema"
)

type campaignItemsCommand struct {
	campaignArg
	State    string `enum:",unassigned,open,decided,carried,undecided,gone,withdrawn" default:"" help:"Only items in this state."`
	Answer   string `enum:",keep,revoke,abstain" default:"" help:"Only items with this answer."`
	Risk     string `enum:",low,medium,high" default:"" help:"Only items of this risk."`
	Kind     string `enum:",account,role,group,collaboration" default:"" help:"Only items of this kind."`
	Reviewer string `placeholder:"EMAIL" xor:"reviewer" help:"Only items of this reviewer."`
	Account  string `placeholder:"ACCOUNT" help:"Only items about this account: the whole login, CONNECTION/ID or our id."`
	Mine     bool   `xor:"reviewer" help:"Only your own items."`
	Limit    int    `default:"100" help:"How many at most."`
	After    string `placeholder:"CURSOR" help:"Go on after an earlier list, whose JSON names it as next."`
	CSV      string `name:"csv" placeholder:"FILE" help:"Write them as a sheet to fill in, for decide --file. No answer is set in it."`
}

// Run lists items.
func (c *campaignItemsCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	f := apiclient.CampaignItemFilter{State: c.State, Answer: c.Answer, Risk: c.Risk, Kind: c.Kind, Reviewer: c.Reviewer, Account: c.Account}
	if c.Mine {
		if f.Reviewer, err = in.ownAddress(api); err != nil {
			return err
		}
	}
	first := c.After
	list, next, err := upTo(c.Limit, func(cursor string, limit int) ([]apiclient.CampaignItem, string, error) {
		return api.CampaignItems(in.ctx, c.Campaign, f, cmp.Or(cursor, first), limit)
	})
	if err != nil {
		return translateFlags(err, map[string]string{"reviewer": "--reviewer", "account": "--account", "cursor": "--after"})
	}
	if c.Mine && f.Reviewer == "" {
		if list, err = in.withoutOthers(api, c.Campaign, list); err != nil {
			return err
		}
	}
	if c.CSV != "" {
		return in.writeSheet(c.CSV, list, next)
	}
	return in.result(map[string]any{"items": list, "next": next}, func() {
		in.table("RISK|ITEM|LOGIN|HELD|USE|SPEAKS FOR|STATE|ANSWER|REVIEWER|ID", itemRows(list))
		in.more(next)
	})
}

// withoutOthers leaves out open items that are somebody else's by now.
func (in *invocation) withoutOthers(api *apiclient.Client, campaign string, list []apiclient.CampaignItem) ([]apiclient.CampaignItem, error) {
	own, err := in.waitingItems(api, campaign)
	if err != nil {
		return nil, err
	}
	waits := make(map[string]bool, len(own))
	for _, i := range own {
		waits[i.ID] = true
	}
	return slices.DeleteFunc(list, func(i apiclient.CampaignItem) bool { return i.State == string(schema.ItemOpen) && !waits[i.ID] }), nil
}

// ownAddress is the address that one's token carries; empty for a reviewer's token,
// to which the server shows its own items alone.
func (in *invocation) ownAddress(api *apiclient.Client) (string, error) {
	me, err := api.Whoami(in.ctx)
	switch {
	case err != nil:
		return "", err
	case me.Email == "":
		return "", usage("your token carries no address, so that no item is yours", "have one made with: sendoff tokens create --email")
	case me.Role == "reviewer":
		return "", nil
	}
	return me.Email, nil
}

func itemRows(list []apiclient.CampaignItem) [][]string {
	var rows [][]string
	for _, i := range list {
		rows = append(rows, []string{
			i.Risk.Level + " " + strconv.Itoa(i.Risk.Score), i.Kind, i.Facts.Login, heldShort(i), i.Facts.Grade, i.Recommendation.Answer, i.State, i.Answer, i.Reviewer, i.ID,
		})
	}
	return rows
}

// heldShort is what an item is about, for a column.
func heldShort(i apiclient.CampaignItem) string {
	switch i.Kind {
	case "account":
		return i.Context.Connection
	case "role":
		return "role " + cmp.Or(i.Facts.Access, i.Facts.Role)
	case "collaboration":
		return i.Facts.Target + " by " + i.Facts.Group
	}
	return i.Facts.Group
}

// sheetHead are the columns of a sheet of items: the first four are read back.
func sheetHead() []string {
	return []string{"item", "version", "answer", "reason", "risk", "kind", "login", "holder", "held", "access", "use", "speaks_for"}
}

// writeSheet writes items as CSV, with no answer set.
func (in *invocation) writeSheet(file string, list []apiclient.CampaignItem, next string) error {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write(sheetHead()) // to memory
	for _, i := range list {
		_ = w.Write([]string{
			i.ID, strconv.Itoa(i.Version), "", "", i.Risk.Level, i.Kind, cell(i.Facts.Login), cell(i.Context.Holder), cell(heldShort(i)), cell(i.Facts.Access), i.Facts.Grade,
			i.Recommendation.Answer,
		})
	}
	w.Flush()
	if err := writeWhole(file, b.Bytes()); err != nil {
		return err
	}
	return in.result(map[string]any{"file": file, "items": len(list), "next": next}, func() {
		in.print("Wrote %d items to %s.", len(list), file)
		in.more(next)
	})
}

// cell keeps a spreadsheet from running what a vendor's user chose as a name.
func cell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

type campaignItemCommand struct {
	campaignArg
	Item string `arg:"" help:"Id of the item."`
}

// Run shows an item, with what was decided about it.
func (c *campaignItemCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	i, err := api.CampaignItem(in.ctx, c.Campaign, c.Item)
	if err != nil {
		return err
	}
	decisions, _, err := upTo(maxShown, func(cursor string, limit int) ([]apiclient.ItemDecision, string, error) {
		return api.ItemDecisions(in.ctx, c.Campaign, c.Item, cursor, limit)
	})
	if err != nil {
		return err
	}
	return in.result(map[string]any{"item": i, "decisions": decisions}, func() {
		in.printItem(in.stdout, i)
		var rows [][]string
		for _, d := range decisions {
			state := "corrected since"
			if d.Current {
				state = "holds"
			}
			rows = append(rows, []string{at(d.DecidedAt), strconv.Itoa(d.Stage + 1), strconv.Itoa(d.Version), d.Answer, d.Principal, state, d.Reason})
		}
		in.section("DECISIONS", "SAID|STAGE|OF VERSION|ANSWER|BY|NOW|REASON", rows, "none yet")
	})
}

// maxShown is how many decisions about an item are shown.
const maxShown = 1000

type reviewQueueCommand struct {
	Limit int `default:"100" help:"How many at most."`
}

// Run lists the open items of whoever asks.
func (c *reviewQueueCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	list, next, err := upTo(c.Limit, func(cursor string, limit int) ([]apiclient.CampaignItem, string, error) {
		return api.MyItems(in.ctx, cursor, limit)
	})
	if err == nil && len(list) == 0 {
		_, err = in.ownAddress(api)
	}
	if err != nil {
		return err
	}
	return in.result(map[string]any{"items": list, "next": next}, func() {
		var rows [][]string
		for _, i := range list {
			rows = append(rows, []string{
				i.Risk.Level + " " + strconv.Itoa(i.Risk.Score), i.Kind, i.Facts.Login, heldShort(i), i.Facts.Grade, i.Recommendation.Answer, atOr(i.EscalateAt, "the deadline"),
				i.CampaignID, i.ID,
			})
		}
		in.table("RISK|ITEM|LOGIN|HELD|USE|SPEAKS FOR|UNTIL|CAMPAIGN|ID", rows)
		in.more(next)
	})
}
