package cli

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"sendoff/internal/apiclient"
	"sendoff/schema"
)

// campaignID is the form of a campaign's id; a definition's name may look like
// anything else.
var campaignID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

type startCampaignCommand struct {
	Review  string   `arg:"" name:"name|id" help:"Name of an access review, or the id of a draft."`
	Draft   bool     `xor:"wait" help:"Make a draft and start nothing."`
	Account []string `placeholder:"ACCOUNT" sep:"none" help:"Only this account: the whole login, CONNECTION/ID or our id; repeat it for more."`
	Person  []string `placeholder:"EMAIL" sep:"none" help:"Only what this person holds; repeat it for more."`
	Wait    bool     `xor:"wait" help:"Show the progress and wait until reviewers can decide."`
}

// Run begins a campaign.
func (c *startCampaignCommand) Run(in *invocation) error {
	draft := campaignID.MatchString(c.Review)
	if draft && (c.Draft || len(c.Account)+len(c.Person) > 0) {
		return usage("a draft has its accounts and people already", "give the name of the access review to make another, or leave the flags out")
	}
	api, err := in.client()
	if err != nil {
		return err
	}
	made, err := c.start(in, api, draft)
	if err != nil {
		return translateFlags(c.naming(err), map[string]string{"review": "NAME", "accounts": "--account", "persons": "--person"})
	}
	if c.Wait {
		return in.waitCampaign(api, made.ID)
	}
	return in.result(made, func() {
		in.print("%s", made.ID)
		for _, w := range made.Warnings {
			in.note("warned: %s: %s", w.Code, w.Message)
		}
		if c.Draft {
			in.note("A draft of %s. Start it with: sendoff review start %s", made.Review, made.ID)
			return
		}
		in.note("A campaign of %s begins. Follow with: sendoff review show %s --wait", made.Review, made.ID)
	})
}

// naming says of what was refused which of several it is, as it was typed.
func (c *startCampaignCommand) naming(err error) error {
	e, ok := err.(*apiclient.Error) //nolint:errorlint // the client returns it unwrapped
	if !ok {
		return err
	}
	for flag, of := range map[string]struct {
		field string
		typed []string
	}{"--account": {"accounts", c.Account}, "--person": {"persons", c.Person}} {
		for n, typed := range of.typed {
			for i, p := range e.Problems {
				if p.Where == fmt.Sprintf("%s[%d]", of.field, n) {
					e.Problems[i].Where = flag + " " + typed
				}
			}
		}
	}
	return e
}

func (c *startCampaignCommand) start(in *invocation, api *apiclient.Client, draft bool) (apiclient.Campaign, error) {
	if draft {
		return api.StartCampaign(in.ctx, c.Review)
	}
	return api.NewCampaign(in.ctx, apiclient.NewCampaign{Review: c.Review, Start: !c.Draft, Accounts: c.Account, Persons: c.Person})
}

// waitCampaign follows a campaign on stderr until reviewers can decide, or it goes no
// further by itself.
func (in *invocation) waitCampaign(api *apiclient.Client, id string) error {
	pause, away, last := pollFirst, time.Time{}, ""
	for {
		v, err := api.Campaign(in.ctx, id)
		switch {
		case err == nil:
			away = time.Time{}
			if text := campaignText(v); text != last {
				last = text
				in.note("%s  %s", at(time.Now()), text)
			}
			if campaignRests(v.State) {
				_ = in.result(v, func() { in.printCampaign(v) })
				return exitOfCampaign(v.Campaign).orNil()
			}
		case in.ctx.Err() != nil:
		case exitCodeOf(err) != ExitUnreachable:
			return err
		case away.IsZero():
			away = time.Now()
			in.note("The server does not answer; trying for %s more. The campaign goes on without it being watched.", patience)
		case time.Since(away) > patience:
			return err
		}
		if err := sleep(in.ctx, pause); err != nil {
			in.note("No longer waiting; the campaign goes on. See: sendoff review show %s", id)
			return exitStatus(ExitInternal)
		}
		pause = min(pause*3/2, pollMax)
	}
}

// campaignText says in one line how far a campaign is.
func campaignText(v apiclient.CampaignView) string {
	parts := []string{v.Review + " " + campaignState(v.Campaign)}
	for _, s := range v.Counts.States {
		parts = append(parts, fmt.Sprintf("%s %d", s.State, s.Count))
	}
	for _, r := range v.Counts.Removals {
		parts = append(parts, fmt.Sprintf("removals %s %d", r.State, r.Count))
	}
	return strings.Join(parts, ", ")
}

// campaignState is the state, or how it ended.
func campaignState(c apiclient.Campaign) string { return cmp.Or(c.End, c.State) }

// campaignRests tells whether only people, or months of watching, take a campaign
// further.
func campaignRests(state string) bool {
	switch schema.CampaignState(state) {
	case schema.CampaignGathering, schema.CampaignListing, schema.CampaignAssigning, schema.CampaignClosing, schema.CampaignRemoving:
		return false
	}
	return true
}

// exitOfCampaign is the exit code of a campaign that was waited for.
func exitOfCampaign(c apiclient.Campaign) exitStatus {
	if schema.CampaignState(c.State) == schema.CampaignHeld {
		return ExitParked
	}
	switch schema.CampaignEnd(c.End) {
	case schema.CampaignStale, schema.CampaignDark:
		return ExitRefused
	case schema.CampaignFailed:
		return ExitParked
	case schema.CampaignCancelled:
		return ExitCancelled
	}
	return ExitDone
}

type listCampaignsCommand struct {
	Review string `placeholder:"NAME" help:"Only campaigns of this access review."`
	State  string `enum:",draft,gathering,listing,assigning,open,closing,removing,held,closed,signed,ended" default:"" help:"Only campaigns in this state."`
	Limit  int    `default:"50" help:"How many at most."`
}

// Run lists campaigns.
func (c *listCampaignsCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	list, next, err := upTo(c.Limit, func(cursor string, limit int) ([]apiclient.Campaign, string, error) {
		return api.Campaigns(in.ctx, c.Review, c.State, cursor, limit)
	})
	if err != nil {
		return err
	}
	return in.result(map[string]any{"campaigns": list, "next": next}, func() {
		var rows [][]string
		for _, k := range list {
			rows = append(rows, []string{
				at(k.CreatedAt), k.Review, strconv.Itoa(k.Version), campaignState(k), strings.ReplaceAll(k.Trigger, "_", " "), atOr(k.DueAt, ""), k.Owner, k.ID,
			})
		}
		in.table("BEGAN|REVIEW|VERSION|STATE|BY|DUE|OWNER|CAMPAIGN", rows)
		in.more(next)
	})
}

type campaignArg struct {
	Campaign string `arg:"" name:"id" help:"Id of the campaign."`
}

type showCampaignCommand struct {
	campaignArg
	Wait bool `help:"Show the progress and wait until it needs somebody, or has ended."`
}

// Run shows a campaign.
func (c *showCampaignCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	if c.Wait {
		return in.waitCampaign(api, c.Campaign)
	}
	v, err := api.Campaign(in.ctx, c.Campaign)
	if err != nil {
		return err
	}
	return in.result(v, func() { in.printCampaign(v) })
}

func (in *invocation) printCampaign(v apiclient.CampaignView) {
	in.print("campaign     %s of %s version %d: %s", v.ID, v.Review, v.Version, campaignState(v.Campaign))
	if v.Why != "" {
		in.print("             %s", v.Why)
	}
	in.print("title        %s", orDash(v.Title))
	by := cmp.Or(v.RequestedBy, strings.ReplaceAll(v.Trigger, "_", " "))
	in.print("owner        %s; begun by %s %s", v.Owner, by, at(v.CreatedAt))
	if n := len(v.Accounts) + len(v.Persons); n > 0 {
		in.print("small        only accounts: %d; only what people hold: %d", len(v.Accounts), len(v.Persons))
	}
	if v.Follows != "" {
		in.print("follows      %s, whose removals came back", v.Follows)
	}
	in.print("snapshot     %s; opened %s, due %s", atOr(v.SnapshotAt, "not yet"), atOr(v.OpenedAt, "not yet"), atOr(v.DueAt, "not yet known"))
	in.printCampaignBasis(v.Basis)
	in.warnOf(v.Warnings)
	in.printCounts(v.Counts)
	for _, o := range v.Overruns {
		in.print("OVER BUDGET: %s: %d used before, %d more wanted, %d allowed", limitName(o), o.Used, o.Wanted, o.Allowed)
	}
	if v.SignedAt != nil {
		in.print("signed       %s by %s%s", at(*v.SignedAt), v.SignedBy, reasonText(v.SignReason))
		in.print("evidence     %s", v.Evidence)
	}
	in.printBlocks(v)
}

func (in *invocation) warnOf(list []apiclient.Finding) {
	for _, w := range list {
		in.print("warned       %s: %s", w.Code, w.Message)
	}
}

// printCampaignBasis says what a snapshot is of, connection by connection.
func (in *invocation) printCampaignBasis(list []apiclient.CampaignBasis) {
	for _, b := range list {
		covered := "activity is not collected"
		if b.CoveredFrom != nil {
			covered = "activity is covered from " + at(*b.CoveredFrom) + " to " + atOr(b.CoveredTo, "")
		}
		if b.Unread {
			covered += ", and was not readable when last tried"
		}
		if b.Why != "" {
			covered += " (" + b.Why + ")"
		}
		in.print("  %s: accounts listed %s, groups %s; %s", b.Connection, atOr(b.SyncedAt, "never"), atOr(b.GroupsAsOf, "not all known"), covered)
	}
}

func (in *invocation) printCounts(c apiclient.CampaignCounts) {
	counted := func(word string, n int64) string { return strconv.FormatInt(n, 10) + " " + word }
	var states, answers, risks, removals []string
	for _, s := range c.States {
		states = append(states, counted(s.State, s.Count))
	}
	for _, a := range c.Answers {
		answers = append(answers, counted(a.Answer, a.Count))
	}
	for _, r := range c.Risks {
		risks = append(risks, counted(r.Risk, r.Count))
	}
	for _, r := range c.Removals {
		removals = append(removals, counted(r.State, r.Count))
	}
	in.print("items        %d: %s", c.Items, orDash(strings.Join(states, ", ")))
	in.print("answers      %s", orDash(strings.Join(answers, ", ")))
	in.print("risk         %s", orDash(strings.Join(risks, ", ")))
	in.print("removals     %s; came back: %d", orDash(strings.Join(removals, ", ")), c.Returned)
	if c.Controls != nil && *c.Controls > 0 {
		in.print("controls     %d of the items are made up, and remove nothing", *c.Controls)
	}
}

// printBlocks says what stands against a sign-off, and what to do about a campaign
// that waits for somebody.
func (in *invocation) printBlocks(v apiclient.CampaignView) {
	if len(v.Blocks) > 0 && v.SignedAt == nil && v.End == "" {
		in.print("")
		in.print("Against a sign-off:")
		for _, b := range v.Blocks {
			in.print("  %s: %s", b.Code, b.Message)
			in.print("    fix: %s", b.Fix)
		}
	}
	switch schema.CampaignState(v.State) {
	case schema.CampaignDraft:
		in.note("Start it with: sendoff review start %s", v.ID)
	case schema.CampaignHeld:
		in.note("Held: two different people must release it. Look at it: sendoff batches show %s", v.BatchID)
	case schema.CampaignClosed:
		if len(v.Blocks) == 0 {
			in.note("Its owner signs it with: sendoff review sign %s --reason TEXT", v.ID)
		}
	}
}

func reasonText(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}
